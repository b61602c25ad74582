"""The launchers' policy of a stage that keeps teams apart, evaluated for people of a team, of another, and of none.

The evaluator is ministack's; policy variables, which it does not know, are filled in as IAM does.
"""

import json
import re
from typing import Any

import pytest
from ministack.core import iam_evaluator as iam

from genolaunch.contract.launch import LaunchField
from stacks.config import InvalidSettingsError, read_delivery
from tests.infrastructure.conftest import RAW_SETTINGS, Stack, make_settings, synthesize
from tests.infrastructure.test_pipeline import DELIVERY

ACCOUNT = "111111111111"
LAUNCH = "gwas-height-20261121t040000-1a2b3c4d"
TABLE = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/{{}}"
BUCKETS = {"LaunchFiles": "launches-bucket", "Data": "data-bucket", "Results": "results-bucket"}
ASKED = [LaunchField.LAUNCH_ID, LaunchField.STATUS]


@pytest.fixture(scope="module")
def built() -> dict[str, Stack]:
    """Given: a stage with two teams."""
    return synthesize(make_settings(teams=["gwas", "cardio"], readable_buckets=["shared-cohorts"]))


@pytest.fixture(scope="module")
def policy(built: dict[str, Stack]) -> dict[str, Any]:
    document = built["access"].one("AWS::IAM::ManagedPolicy", "Launchers")["PolicyDocument"]
    resolved: dict[str, Any] = _resolve(document)
    return resolved


def _resolve(value: Any) -> Any:
    """References to other stacks become ARNs of the names that this test uses."""
    match value:
        case {"Fn::Join": [separator, parts]}:
            return separator.join(_resolve(part) for part in parts)
        case {"Ref": "AWS::Partition"}:
            return "aws"
        case {"Fn::ImportValue": export}:
            return _arn(export)
        case dict():
            return {key: _resolve(inner) for key, inner in value.items()}
        case list():
            return [_resolve(inner) for inner in value]
    return value


def _arn(output: str) -> str:
    for id_, bucket in BUCKETS.items():
        if id_ in output:
            return f"arn:aws:s3:::{bucket}"
    for table in ("Launches", "Tasks"):
        if table in output:
            return TABLE.format(table)
    if "JobLogs" in output:
        return "/genolaunch/unit/jobs"
    return f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1"


def allowed(policy: dict[str, Any], team: str | None, action: str, resource: str, **context: Any) -> bool:
    """What IAM says to somebody with this session tag."""
    text = json.dumps(policy)
    # A variable without a value makes a pattern that nothing matches (IAM user guide, "Policy variables").
    text = text.replace("${aws:PrincipalTag/team}", team or "\\u0000")
    assert not re.search(r"\$\{", text)
    asked = iam.EvalContext(
        principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/lab/ada",
        principal_type="AssumedRole",
        principal_account=ACCOUNT,
        action=action,
        resource_arn=resource,
        region="eu-west-1",
        service_context={key.replace("_", ":", 1).lower(): value for key, value in context.items()},
    )
    return bool(iam.evaluate(asked, [iam.parse_policy_document(text)]).decision == "Allow")


OWN: list[tuple[str, str, dict[str, Any]]] = [
    ("s3:PutObject", "arn:aws:s3:::launches-bucket/launches/gwas/height.yaml", {}),
    ("s3:GetObject", "arn:aws:s3:::launches-bucket/feedback/gwas/height.yaml.json", {}),
    ("s3:PutObject", f"arn:aws:s3:::launches-bucket/requests/{LAUNCH}/1.json", {}),
    ("s3:GetObject", f"arn:aws:s3:::launches-bucket/feedback/requests/{LAUNCH}/1.json.json", {}),
    ("s3:PutObject", "arn:aws:s3:::data-bucket/gwas/cohort/cohort.bed", {}),
    ("s3:GetObject", "arn:aws:s3:::data-bucket/gwas/cohort/cohort.bed", {}),
    ("s3:GetObject", f"arn:aws:s3:::results-bucket/results/{LAUNCH}/report.html", {}),
    ("s3:ListBucket", "arn:aws:s3:::results-bucket", {"s3_prefix": f"results/{LAUNCH}/"}),
    ("s3:ListBucket", "arn:aws:s3:::data-bucket", {"s3_prefix": "gwas/cohort/"}),
    ("dynamodb:GetItem", TABLE.format("Launches"), {"dynamodb_LeadingKeys": [LAUNCH]}),
    ("dynamodb:Query", TABLE.format("Tasks"), {"dynamodb_LeadingKeys": [LAUNCH]}),
    (
        "dynamodb:UpdateItem",
        TABLE.format("Launches"),
        {"dynamodb_LeadingKeys": [LAUNCH], "dynamodb_Attributes": ASKED},
    ),
    (
        "states:GetExecutionHistory",
        f"arn:aws:states:eu-west-1:{ACCOUNT}:execution:genolaunch-unit-regenie:{LAUNCH}-1",
        {},
    ),
    (
        "logs:GetLogEvents",
        f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/genolaunch/unit/jobs:log-stream:{LAUNCH}/default/1",
        {},
    ),
]
"""What somebody of the team gwas does with a launch."""


@pytest.mark.parametrize(("action", "resource", "context"), OWN)
def test_a_team_does_all_that_with_its_own_launches_and_nobody_else_does(policy, action, resource, context):
    assert allowed(policy, "gwas", action, resource, **context)
    assert not allowed(policy, "cardio", action, resource, **context)
    assert not allowed(policy, "gwa", action, resource, **context), "the start of a team's name is none"
    assert not allowed(policy, None, action, resource, **context), "without the tag"


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        ("s3:PutObject", "arn:aws:s3:::launches-bucket/launches/height.yaml", {}),
        ("s3:PutObject", "arn:aws:s3:::launches-bucket/inputs/gwas-x.json", {}),
        ("s3:PutObject", "arn:aws:s3:::launches-bucket/snakefiles/gwas/Snakefile", {}),
        ("s3:PutObject", f"arn:aws:s3:::results-bucket/results/{LAUNCH}/report.html", {}),
        ("s3:ListBucket", "arn:aws:s3:::data-bucket", {}),
        ("s3:ListBucket", "arn:aws:s3:::data-bucket", {"s3_prefix": ""}),
        ("s3:ListBucket", "arn:aws:s3:::results-bucket", {"s3_prefix": "results/"}),
        # Lists of all launches, and searches in all logs, know no teams.
        ("dynamodb:Query", TABLE.format("Launches") + "/index/by-status", {"dynamodb_LeadingKeys": ["RUNNING"]}),
        ("dynamodb:Scan", TABLE.format("Launches"), {}),
        ("logs:FilterLogEvents", f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/genolaunch/unit/jobs:log-stream:", {}),
        ("lambda:InvokeFunction", f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:genolaunch-unit-benchmark", {}),
    ],
)
def test_nothing_that_is_everybodys_is_a_teams(policy, action, resource, context):
    assert not allowed(policy, "gwas", action, resource, **context)


@pytest.mark.parametrize(
    "attribute",
    [LaunchField.CONFIG, LaunchField.DATA_PATH, LaunchField.TEAM, LaunchField.EVENTS, LaunchField.APPROVED_BUDGET],
)
def test_a_retry_cannot_be_turned_to_the_data_of_others(policy, attribute):
    context = {"dynamodb_LeadingKeys": [LAUNCH], "dynamodb_Attributes": [*ASKED, attribute]}

    assert not allowed(policy, "gwas", "dynamodb:UpdateItem", TABLE.format("Launches"), **context)


@pytest.mark.parametrize(
    ("attribute", "may"),
    [
        (LaunchField.STATUS, True),
        (LaunchField.CONFIG, True),
        (LaunchField.REQUESTED_BY, False),
        (LaunchField.EVENTS, False),
        (LaunchField.APPROVED_BUDGET, False),
        (LaunchField.APPROVED_RESTORE, False),
        (LaunchField.NAME, False),
        (LaunchField.UPDATED_AT, False),
        (LaunchField.ATTEMPT, False),
    ],
)
def test_by_hand_people_write_what_they_ask_for_and_the_config_only(stacks, attribute, may):
    """Who asked, what was agreed to, and what became of a launch, is the platform's to write."""
    document = _resolve(stacks["access"].one("AWS::IAM::ManagedPolicy", "Launchers")["PolicyDocument"])
    context = {"dynamodb_LeadingKeys": [LAUNCH], "dynamodb_Attributes": [*ASKED, attribute]}

    assert allowed(document, None, "dynamodb:UpdateItem", TABLE.format("Launches"), **context) is may


@pytest.mark.parametrize("teams", [[], ["gwas"]])
def test_with_four_eyes_nobody_writes_into_the_table(teams):
    """Whoever could would approve by it what they asked for themselves."""
    built = synthesize(make_settings(teams=teams, four_eyes_approval=True))
    document = _resolve(built["access"].one("AWS::IAM::ManagedPolicy", "Launchers")["PolicyDocument"])
    context = {"dynamodb_LeadingKeys": [LAUNCH], "dynamodb_Attributes": ASKED}

    assert not allowed(document, "gwas", "dynamodb:UpdateItem", TABLE.format("Launches"), **context)
    assert allowed(document, "gwas", "s3:PutObject", f"arn:aws:s3:::launches-bucket/requests/{LAUNCH}/1.json")


def test_registration_knows_the_teams(built, stacks):
    def variables(of: dict[str, Stack]) -> dict[str, str]:
        functions = of["workflow-manager"].all("AWS::Lambda::Function").values()
        (register,) = (one for one in functions if one["FunctionName"].endswith("register-launch"))
        found: dict[str, str] = register["Environment"]["Variables"]
        return found

    assert variables(built)["TEAMS"] == "gwas,cardio"
    assert variables(built)["READABLE_BUCKETS"] == "shared-cohorts"
    assert "TEAMS" not in variables(stacks)


@pytest.mark.parametrize(
    "teams", [["unassigned"], ["gwas", "requests"], ["gwas", "gwas"], ["two-words"], ["Gwas"], ["x" * 13]]
)
def test_names_by_which_launches_could_not_be_told_apart_are_refused(teams):
    with pytest.raises(InvalidSettingsError, match="teams"):
        make_settings(teams=teams)


def test_a_stage_with_teams_is_not_smoke_tested():
    stage = make_settings(teams=["gwas"])
    raw = {**DELIVERY, "stages": ["unit"], "smoke_tested": ["unit"], "approved": []}

    with pytest.raises(InvalidSettingsError, match="not possible for stages with teams, which are: unit"):
        read_delivery(raw, {"unit": stage})
    assert "teams" not in RAW_SETTINGS
