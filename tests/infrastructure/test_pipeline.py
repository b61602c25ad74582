"""The pipeline, synthesized for three stages in three accounts: what it does in which order, and what it may."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from checks import nag
from stacks.config import InvalidSettingsError, read_delivery
from tests.infrastructure.conftest import Stack, as_list, make_settings

REPOSITORY = Path(__file__).parents[2]
SETTINGS = REPOSITORY / "checks" / "three_accounts.json"
DELIVERY: dict[str, Any] = json.loads(SETTINGS.read_text())["delivery"]
CONNECTION = DELIVERY["connection_arn"]
ACCOUNTS = {
    "dev": ("222222222222", "eu-west-1"),
    "test": ("333333333333", "eu-central-1"),
    "prod": ("444444444444", "eu-west-2"),
}


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[nag.Finding]]:
    """Given: a settings file with three stages in three accounts; its templates, and what cdk-nag finds in them."""
    folder = tmp_path_factory.mktemp("pipeline")
    return folder, nag.findings_in({"pipeline": "true", "settings-file": str(SETTINGS)}, folder)


@pytest.fixture(scope="module")
def assembly(checked: tuple[Path, list[nag.Finding]]) -> Path:
    """The folder that `make synth-pipeline` would write, without bundles."""
    return checked[0]


@pytest.fixture(scope="module")
def pipeline(assembly: Path) -> Stack:
    return Stack("pipeline", json.loads((assembly / "genolaunch-pipeline.template.json").read_text()))


@pytest.fixture(scope="module")
def steps(pipeline: Stack) -> dict[str, list[dict[str, Any]]]:
    """Stage of the pipeline -> its actions, in the order in which they run."""
    stages = pipeline.one("AWS::CodePipeline::Pipeline", "Pipeline")["Stages"]
    return {stage["Name"]: sorted(stage["Actions"], key=lambda action: action["RunOrder"]) for stage in stages}


def names(actions: list[dict[str, Any]]) -> list[str]:
    return [action["Name"] for action in actions]


def build_of(pipeline: Stack, command: str) -> dict[str, Any]:
    """The build project that runs a command, with its specification read."""
    found = []
    for project in pipeline.all("AWS::CodeBuild::Project").values():
        text = project["Source"]["BuildSpec"]
        specification = json.loads(text) if isinstance(text, str) and text.startswith("{") else {}
        if command in json.dumps(specification):
            found.append({**project, "spec": specification})
    assert len(found) == 1, [project["spec"] for project in found]
    return found[0]


def test_cdk_nag_finds_nothing_that_is_not_explained(checked):
    _, found = checked

    assert found
    assert [finding for finding in found if nag.reason_for(finding) is None] == [], "checks/explained.py says how"


def test_stages_follow_each_other_after_the_checks_and_the_pipeline_itself(pipeline, steps):
    assert pipeline.one("AWS::CodePipeline::Pipeline", "Pipeline")["PipelineType"] == "V2"
    assert list(steps) == [
        "Source",
        "Build",
        "UpdatePipeline",
        "Assets",
        "genolaunch-dev",
        "genolaunch-test",
        "genolaunch-prod",
    ]


def test_it_watches_the_branch_through_the_connection(steps):
    (source,) = steps["Source"]

    configuration = source["Configuration"]
    assert configuration["ConnectionArn"] == CONNECTION
    assert (configuration["FullRepositoryId"], configuration["BranchName"]) == ("example/genolaunch", "release")


def test_the_connection_may_be_used_by_both_of_its_names(pipeline):
    allowed = {
        action
        for _, statement in pipeline.statements("PipelineSource")
        if statement["Resource"] == CONNECTION
        for action in as_list(statement["Action"])
    }

    assert allowed == {"codestar-connections:UseConnection", "codeconnections:UseConnection"}


def test_everything_is_checked_and_tested_before_it_is_deployed(pipeline):
    build = build_of(pipeline, "make synth-pipeline")

    # The functions' bytecode is made by 3.14, which has to be selected besides the version that runs the app.
    assert build["spec"]["phases"]["install"]["commands"][0].startswith("pyenv global $PYTHON_312_VERSION $PYTHON_314")
    commands = build["spec"]["phases"]["build"]["commands"]
    assert commands == ["make lint", "make check-jsonata", "make nag", "make test", "make synth-pipeline"]
    assert build["spec"]["reports"]["tests"]["file-format"] == "JUNITXML"
    assert build["spec"]["artifacts"]["base-directory"] == "cdk.out"


def test_no_more_builds_run_at_once_than_a_new_accounts_quota_lets(steps):
    """CodeBuild queues five times as many builds as may run, which is one in a new account (its quotas)."""
    for stage, actions in steps.items():
        at_once: dict[int, int] = {}
        for action in actions:
            if action["ActionTypeId"]["Provider"] == "CodeBuild":
                at_once[action["RunOrder"]] = at_once.get(action["RunOrder"], 0) + 1
        assert max(at_once.values(), default=0) <= 2, stage


def test_every_asset_is_still_published_and_there_is_time_for_it(pipeline, assembly):
    published = [p for id_, p in pipeline.all("AWS::CodeBuild::Project").items() if "Assets" in id_]
    specifications = "".join(path.read_text() for path in assembly.glob("buildspec-*.yaml"))

    assert [project["TimeoutInMinutes"] for project in published] == [180, 180]
    for stage in ACCOUNTS:
        assert f"assembly-genolaunch-pipeline-genolaunch-{stage}" in specifications


def test_what_is_installed_with_the_right_to_deploy_is_pinned_by_the_lock(pipeline, assembly):
    packages = json.loads((REPOSITORY / "package-lock.json").read_text())["packages"]
    specifications = [str(p["Source"].get("BuildSpec", "")) for p in pipeline.all("AWS::CodeBuild::Project").values()]
    specifications += [path.read_text() for path in assembly.glob("buildspec-*.yaml")]

    installed = {
        package
        for text in specifications
        for line in re.findall(r"npm install -g ([^\"\\\n]+)", text)
        for package in line.split()
    }

    assert {package.rpartition("@")[0] for package in installed} == {"aws-cdk", "cdk-assets"}
    for package in installed:
        name, _, version = package.rpartition("@")
        assert version == packages[f"node_modules/{name}"]["version"]


def test_known_vulnerabilities_are_looked_for_daily_and_told_but_keep_nothing_from_being_deployed(pipeline):
    audit = pipeline.one("AWS::CodePipeline::Pipeline", "Audit")
    rule = pipeline.one("AWS::Events::Rule", "AuditDaily")
    told = pipeline.one("AWS::CodeStarNotifications::NotificationRule", "AuditPipelineFound")
    build = build_of(pipeline, "make audit")

    assert [stage["Name"] for stage in audit["Stages"]] == ["Source", "Audit"]
    (fetch,) = audit["Stages"][0]["Actions"]
    assert (fetch["Configuration"]["ConnectionArn"], fetch["Configuration"]["DetectChanges"]) == (CONNECTION, False)
    assert build["Name"] == "genolaunch-pipeline-audit"
    assert rule["ScheduleExpression"] == "rate(1 day)"
    assert "AuditPipeline" in json.dumps(rule["Targets"])
    assert told["EventTypeIds"] == ["codepipeline-pipeline-pipeline-execution-failed"]
    assert "Notices" in json.dumps(told["Targets"])


def test_a_person_approves_what_goes_to_production(steps):
    first, *others = steps["genolaunch-prod"]

    assert first["ActionTypeId"]["Provider"] == "Manual"
    assert all(action["RunOrder"] > first["RunOrder"] for action in others)
    assert "Approve" not in " ".join(names(steps["genolaunch-dev"]) + names(steps["genolaunch-test"]))


def test_a_tiny_launch_ends_the_deployment_of_the_test_stage(pipeline, steps):
    *deployments, last = steps["genolaunch-test"]

    assert last["Name"] == "Launch_in_test"
    assert all(action["RunOrder"] < last["RunOrder"] for action in deployments)
    assert "Launch_in_dev" not in names(steps["genolaunch-dev"])
    commands = " ".join(build_of(pipeline, "submit examples/gwas/launch.yaml")["spec"]["phases"]["build"]["commands"])
    assert "--data-dir examples/gwas/cohort --wait" in commands


def test_the_launch_is_made_in_the_stages_region_and_not_in_the_pipelines(pipeline):
    commands = build_of(pipeline, "submit examples/gwas/launch.yaml")["spec"]["phases"]["build"]["commands"]

    assert commands[0] == "export AWS_REGION=eu-central-1 AWS_DEFAULT_REGION=eu-central-1"
    assert "submit" in commands[-1]


@pytest.mark.parametrize(("stage", "stateful"), [("test", {"data", "backup"}), ("prod", {"data", "images", "backup"})])
def test_stateful_stacks_of_a_stage_that_keeps_data_are_protected_after_its_deployment(
    pipeline, steps, stage, stateful
):
    order = {action["Name"]: action["RunOrder"] for action in steps[f"genolaunch-{stage}"]}
    build = build_of(pipeline, f"--stack-name genolaunch-{stage}-data")

    commands = [line for line in build["spec"]["phases"]["build"]["commands"] if line.startswith("aws ")]
    assert {line.split("--stack-name ")[1] for line in commands} == {f"genolaunch-{stage}-{name}" for name in stateful}
    assert [line for line in commands if f"--region {ACCOUNTS[stage][1]} --enable-termination-protection" in line] == (
        commands
    )
    deployments = [name for name in order if name.endswith("Deploy")]
    assert max(order[name] for name in deployments) < order[f"Protect_{stage}"]
    assert stage != "test" or order["Protect_test"] < order["Launch_in_test"]


def test_a_stage_that_keeps_nothing_is_not_protected(steps):
    assert [name for name in names(steps["genolaunch-dev"]) if name.startswith("Protect")] == []


def test_protecting_is_done_as_the_bootstraps_deployment_role_which_may(pipeline):
    statements = [found for _, found in pipeline.statements("") if found.get("Sid") == "DeployThere"]
    bootstrap = (REPOSITORY / "node_modules/aws-cdk/lib/api/bootstrap/bootstrap-template.yaml").read_text()
    role = bootstrap.split("\n  DeploymentActionRole:\n")[1].split("\n  CloudFormationExecutionRole:\n")[0]

    assert {text_of(statement["Resource"]) for statement in statements} == {
        f"arn:aws:iam::{account}:role/cdk-hnb659fds-deploy-role-{account}-{region}"
        for account, region in (ACCOUNTS["test"], ACCOUNTS["prod"])
    }
    assert {statement["Action"] for statement in statements} == {"sts:AssumeRole"}
    assert "- cloudformation:UpdateTerminationProtection\n" in role
    assert "cdk-${Qualifier}-deploy-role-${AWS::AccountId}-${AWS::Region}" in role


def test_the_tester_acts_as_a_launcher_of_the_tested_stage_alone(pipeline, assembly):
    (statement,) = (
        statement for _, statement in pipeline.statements("SmokeTester") if statement.get("Sid") == "ActAsALauncher"
    )
    access = stage_template(assembly, "test", "access")
    role = access.one("AWS::IAM::Role")
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]

    assert role["RoleName"] == "genolaunch-test-smoke-test"
    assert text_of(statement["Resource"]) == "arn:aws:iam::333333333333:role/genolaunch-test-smoke-test"
    tester = pipeline.one("AWS::IAM::Role", "SmokeTesterTest")["RoleName"]
    assert text_of(trust["Condition"]["ArnEquals"]["aws:PrincipalArn"]) == f"arn:aws:iam::111111111111:role/{tester}"
    assert stage_template(assembly, "dev", "access").all("AWS::IAM::Role") == {}


def test_each_stage_goes_to_its_account(assembly):
    for name, (account, region) in ACCOUNTS.items():
        manifest = json.loads((assembly / f"assembly-genolaunch-pipeline-genolaunch-{name}/manifest.json").read_text())
        places = {
            artifact["environment"]
            for artifact in manifest["artifacts"].values()
            if artifact["type"] == "aws:cloudformation:stack"
        }
        assert places == {f"aws://{account}/{region}"}


def test_artifacts_are_encrypted_with_a_key_of_each_region_that_its_accounts_can_use_and_that_rotates(assembly):
    templates = {
        region: assembly / f"cross-region-stack-111111111111_{region}.template.json" for _, region in ACCOUNTS.values()
    }
    templates["eu-west-1"] = assembly / "genolaunch-pipeline.template.json"
    for account, region in ACCOUNTS.values():
        keys = Stack(region, json.loads(templates[region].read_text())).all("AWS::KMS::Key")
        assert [id_ for id_, key in keys.items() if not key.get("EnableKeyRotation")] == []
        assert any(account in json.dumps(key["KeyPolicy"]) for key in keys.values()), account


def test_people_hear_of_failures_and_of_what_waits_for_them(pipeline):
    rule = pipeline.one("AWS::CodeStarNotifications::NotificationRule", "Pipeline")

    assert set(rule["EventTypeIds"]) >= {
        "codepipeline-pipeline-pipeline-execution-failed",
        "codepipeline-pipeline-manual-approval-needed",
    }
    assert pipeline.one("AWS::SNS::Subscription")["Endpoint"] == "platform@example.org"


def test_faults_of_the_pipelines_settings_are_told_together():
    stages = {"dev": make_settings()}

    with pytest.raises(InvalidSettingsError) as told:
        read_delivery({**DELIVERY, "connection_arn": "mine", "approved": ["staging"], "branches": "x"}, stages)
    message = str(told.value)
    assert "connection_arn" in message
    assert "branches" in message

    with pytest.raises(InvalidSettingsError, match="staging"):
        read_delivery({**DELIVERY, "approved": ["staging"]}, stages)
    with pytest.raises(InvalidSettingsError, match="not configured: test, prod"):
        read_delivery(DELIVERY, stages)


def stage_template(assembly: Path, stage: str, stack: str) -> Stack:
    """The template of a stage's stack in the pipeline's assembly."""
    folder = assembly / f"assembly-genolaunch-pipeline-genolaunch-{stage}"
    (path,) = folder.glob(f"genolaunchpipelinegenolaunch{stage}{stack}*.template.json")
    return Stack(stack, json.loads(path.read_text()))


def text_of(value: Any) -> str:
    """A joined text with the partition filled in."""
    if isinstance(value, str):
        return value
    return "".join("aws" if isinstance(part, dict) else part for part in value["Fn::Join"][1])


def test_it_has_no_rules_of_its_own_whose_events_would_want_a_sample(pipeline):
    # What waits for events is in tests/infrastructure/test_event_patterns.py; the pipeline tells of itself by SNS.
    rules = pipeline.all("AWS::Events::Rule").values()
    assert [rule for rule in rules if "EventPattern" in rule] == []
