"""Somebody of the team cardio tries to reach what is the team gwas's: by policy, and by what launches name."""

import json
from typing import Any

import pytest

from genolaunch.contract.launch import LaunchField
from tests.attacks.guarantees import guarantee
from tests.infrastructure.test_teams import ACCOUNT, ASKED, LAUNCH, TABLE, _resolve, allowed

STREAM = f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/genolaunch/unit/jobs:log-stream"
EXECUTION = f"arn:aws:states:eu-west-1:{ACCOUNT}:execution:genolaunch-unit"
OTHERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "drops into the other's folder": ("s3:PutObject", "arn:aws:s3:::launches-bucket/launches/gwas/x.yaml", {}),
    "drops past its own folder": ("s3:PutObject", "arn:aws:s3:::launches-bucket/launches/cardio-x/../gwas/x.yaml", {}),
    "drops with an encoded slash": (
        "s3:PutObject",
        "arn:aws:s3:::launches-bucket/launches/cardio%2F../gwas/x.yaml",
        {},
    ),
    "writes an answer": ("s3:PutObject", "arn:aws:s3:::launches-bucket/feedback/cardio/x.yaml.json", {}),
    "writes a restore config": ("s3:PutObject", "arn:aws:s3:::launches-bucket/restores/cardio-x/1.json", {}),
    "reads the other's answer": ("s3:GetObject", "arn:aws:s3:::launches-bucket/feedback/gwas/x.yaml.json", {}),
    "reads a dropped config": ("s3:GetObject", "arn:aws:s3:::launches-bucket/launches/gwas/x.yaml", {}),
    "reads data": ("s3:GetObject", "arn:aws:s3:::data-bucket/gwas/cohort.bed", {}),
    "reads an older version": ("s3:GetObjectVersion", "arn:aws:s3:::data-bucket/cardio/cohort.bed", {}),
    "overwrites data": ("s3:PutObject", "arn:aws:s3:::data-bucket/gwas/cohort.bed", {}),
    "data of a team whose name begins alike": ("s3:GetObject", "arn:aws:s3:::data-bucket/cardiology/cohort.bed", {}),
    "deletes its own data": ("s3:DeleteObject", "arn:aws:s3:::data-bucket/cardio/cohort.bed", {}),
    "reads results": ("s3:GetObject", f"arn:aws:s3:::results-bucket/results/{LAUNCH}/report.html", {}),
    "forges results": ("s3:PutObject", "arn:aws:s3:::results-bucket/results/cardio-x-1/report.html", {}),
    "lists the bucket": ("s3:ListBucket", "arn:aws:s3:::data-bucket", {}),
    "lists by an empty prefix": ("s3:ListBucket", "arn:aws:s3:::data-bucket", {"s3_prefix": ""}),
    "lists the other's data": ("s3:ListBucket", "arn:aws:s3:::data-bucket", {"s3_prefix": "gwas/"}),
    "lists what begins like its own": ("s3:ListBucket", "arn:aws:s3:::data-bucket", {"s3_prefix": "cardio"}),
    "lists results": ("s3:ListBucket", "arn:aws:s3:::results-bucket", {"s3_prefix": "results/gwas-"}),
    "lists past its own": ("s3:ListBucket", "arn:aws:s3:::results-bucket", {"s3_prefix": "results/"}),
    "gets the item": ("dynamodb:GetItem", TABLE.format("Launches"), {"dynamodb_LeadingKeys": [LAUNCH]}),
    "queries two partitions, one its own": (
        "dynamodb:Query",
        TABLE.format("Tasks"),
        {"dynamodb_LeadingKeys": ["cardio-x", LAUNCH]},
    ),
    "reads what is kept of errors": ("dynamodb:Query", TABLE.format("Tasks"), {"dynamodb_LeadingKeys": [LAUNCH]}),
    "reads the slots": ("dynamodb:GetItem", TABLE.format("Tasks"), {"dynamodb_LeadingKeys": ["queue"]}),
    "gets many items": ("dynamodb:BatchGetItem", TABLE.format("Launches"), {"dynamodb_LeadingKeys": ["cardio-x"]}),
    "scans": ("dynamodb:Scan", TABLE.format("Launches"), {}),
    "cancels the other's launch": (
        "dynamodb:UpdateItem",
        TABLE.format("Launches"),
        {"dynamodb_LeadingKeys": [LAUNCH], "dynamodb_Attributes": ASKED},
    ),
    "makes an item": ("dynamodb:PutItem", TABLE.format("Launches"), {"dynamodb_LeadingKeys": ["cardio-x"]}),
    "deletes its own item": ("dynamodb:DeleteItem", TABLE.format("Launches"), {"dynamodb_LeadingKeys": ["cardio-x"]}),
    "writes a task": ("dynamodb:PutItem", TABLE.format("Tasks"), {"dynamodb_LeadingKeys": ["cardio-x"]}),
    "reads a history": ("states:GetExecutionHistory", f"{EXECUTION}-regenie:{LAUNCH}-1", {}),
    "stops an execution": ("states:StopExecution", f"{EXECUTION}-regenie:cardio-x-1", {}),
    "reads a log": ("logs:GetLogEvents", f"{STREAM}:{LAUNCH}/default/1", {}),
    "reads functions' logs": (
        "logs:GetLogEvents",
        f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/aws/lambda/genolaunch-unit-x:log-stream:cardio-x",
        {},
    ),
    "takes on a role": ("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/genolaunch-unit-x", {}),
    "tags itself": ("sts:TagSession", f"arn:aws:iam::{ACCOUNT}:role/lab", {}),
}


@pytest.fixture(scope="module")
def policy(team_stacks):
    document = team_stacks["access"].one("AWS::IAM::ManagedPolicy", "Launchers")["PolicyDocument"]
    return _resolve(document)


@guarantee("A team reads, lists, writes and stops nothing of another team's.")
@pytest.mark.parametrize(("action", "resource", "context"), OTHERS.values(), ids=OTHERS)
def test_policy_refuses(policy, action, resource, context):
    assert not allowed(policy, "cardio", action, resource, **context)


@guarantee("without the tag it opens nothing")
@pytest.mark.parametrize("team", [None, "", "*", "gwas*", "?wa?"])
def test_a_tag_that_is_no_team_opens_nothing_of_a_team(policy, team):
    document = "arn:aws:s3:::data-bucket/gwas/cohort.bed"
    item = {"dynamodb_LeadingKeys": [LAUNCH]}

    if team and set(team) & {"*", "?"}:  # of the value of a variable IAM takes them for what they are
        pytest.skip("the evaluator fills variables in before it reads wildcards")
    assert not allowed(policy, team, "s3:GetObject", document)
    assert not allowed(policy, team, "dynamodb:GetItem", TABLE.format("Launches"), **item)


PLACES = {
    "its plain name": "gwas/cohort",
    "its URL": "s3://genolaunch-test-data/gwas/cohort/",
    "a step up": "cardio/../gwas/cohort",
    "a step up at the beginning": "../gwas/cohort",
    "an encoded step": "cardio/%2e%2e/gwas/cohort",
    "an encoded slash": "cardio%2f..%2fgwas",
    "a doubled slash": "//gwas/cohort",
    "a name that begins alike": "cardiology/cohort",
    "another letter that looks alike": "ｃardio/cohort",
    "another case": "Cardio/cohort",
    "everything": "s3://genolaunch-test-data/",
    "another bucket": "s3://genolaunch-test-results/results/gwas-x/",
    "the launch bucket": "s3://genolaunch-test-launches/launches/gwas/",
    "another scheme": "file:///etc/",
    "a dot": ".",
    "a line break": "cardio/\ngwas",
}

CONFIG = """
name: height-gwas
workflow: regenie
data: {data}
regenie:
  genotypes: cohort.bed
  phenotypes: phenotypes.txt
  traits: [height]
  trait_type: quantitative
"""


@guarantee("A launch that names another team's data or predictions is rejected, with the reason.")
def test_data_of_another_team_is_refused_however_it_is_written(team_platform):
    for number, place in enumerate(PLACES.values()):
        text = CONFIG.format(data=json.dumps(place))
        team_platform.register(team_platform.put(f"launches/cardio/{number}.yaml", text))

    launches = team_platform.launches()
    assert len(launches) == len(PLACES)
    for launch in launches:
        if launch.status == "SUBMITTED":  # then it is below the team's own folder, whatever it looks like
            assert launch.data_path.startswith("s3://genolaunch-test-data/cardio/")
            assert ".." not in launch.data_path.split("/")
        else:
            assert launch.error["faults"]
    assert sum(launch.status == "SUBMITTED" for launch in launches) <= 2  # an encoded slash is a part of a name


@guarantee("A launch that names another team's data or predictions is rejected, with the reason.")
@pytest.mark.parametrize("other", [LAUNCH, f"cardio-/../{LAUNCH}", "unassigned-x-20261121t040000-1a2b3c4d"])
def test_predictions_of_another_team_are_refused(team_platform, other):
    text = CONFIG.format(data="cardio/cohort") + f"  step1: {{enabled: false, from_launch: {other}}}\n"

    team_platform.register(team_platform.put("launches/cardio/x.yaml", text))

    (launch,) = team_platform.launches()
    assert launch.status == "REJECTED"
    assert "from_launch" in str(launch.error["faults"])


@guarantee("What is dropped elsewhere is rejected.")
@pytest.mark.parametrize("path", ["x.yaml", "other/x.yaml", "/cardio/x.yaml", "Cardio/x.yaml"])
def test_a_launch_outside_the_teams_folders_is_refused(team_platform, path):
    team_platform.register(team_platform.put(f"launches/{path}", CONFIG.format(data="cardio/cohort")))

    (launch,) = team_platform.launches()
    assert launch.status == "REJECTED"
    assert launch.launch_id.startswith("unassigned-")


@guarantee("and the launchers' policy cannot change")
@pytest.mark.parametrize(
    "attribute",
    [
        LaunchField.REQUESTED_BY,
        LaunchField.TEAM,
        LaunchField.CONFIG,
        LaunchField.DATA_PATH,
        LaunchField.CONFIG_URI,
        LaunchField.CONFIG_SHA256,
        LaunchField.EXECUTION_ARN,
        LaunchField.RESULTS_URI,
        LaunchField.REPORT_URI,
        LaunchField.ERROR,
        LaunchField.TOTAL_COST,
        LaunchField.WORKFLOW,
        LaunchField.SUBMITTED_AT,
        LaunchField.FILE_SYSTEM_ID,
    ],
)
def test_an_item_says_of_its_own_team_what_the_platform_said(policy, attribute):
    context = {"dynamodb_LeadingKeys": ["cardio-x"], "dynamodb_Attributes": [*ASKED, attribute]}

    assert not allowed(policy, "cardio", "dynamodb:UpdateItem", TABLE.format("Launches"), **context)


@guarantee("and the launchers' policy cannot change")
def test_an_update_that_reads_the_whole_item_is_refused(policy):
    context = {
        "dynamodb_LeadingKeys": ["cardio-x"],
        "dynamodb_Attributes": ASKED,
        "dynamodb_ReturnValues": "ALL_OLD",
    }

    assert not allowed(policy, "cardio", "dynamodb:UpdateItem", TABLE.format("Launches"), **context)
