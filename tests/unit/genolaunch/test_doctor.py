"""The account check: what AWS does not say is told as that, and nothing is asked that its policy does not allow."""

import ast
import json
import re
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest
from botocore import xform_name
from botocore.stub import Stubber
from typer.testing import CliRunner

from genolaunch.cli import app
from genolaunch.commands.exit_codes import COULD_NOT
from genolaunch.doctor import access, examination, quotas, volumes
from genolaunch.doctor.account import Account
from genolaunch.doctor.finding import Check, State, ok
from genolaunch.doctor.permissions import ACTIONS
from genolaunch.doctor.stage_settings import builds_in_its_account, read
from genolaunch.errors import GenolaunchError
from stacks.config import read_stages

ROOT = Path(__file__).parents[3]
SETTINGS = read_stages(
    {
        "dev": {
            "account": "111111111111",
            "region": "eu-west-1",
            "zones": ["eu-west-1a", "eu-west-1b"],
            "regenie": {"versions": {"4.1.2": "image:1"}, "default_version": "4.1.2"},
        }
    }
)["dev"]


@pytest.fixture
def account(aws, session) -> Account:
    return Account(SETTINGS, session=session)


def stubbed(account, service):
    """What answers the client's next calls."""
    return Stubber(account.client(service))


def find(module, name):
    (check,) = [check for check in module.checks(SETTINGS) if check.name == name]
    return check


@pytest.mark.parametrize("code", ["UnauthorizedOperation", "AccessDenied", "AccessDeniedException"])
def test_whoever_may_not_ask_hears_which_permission_lacks(account, code):
    with stubbed(account, "ec2") as ec2:
        ec2.add_client_error("get_ebs_encryption_by_default", code, "You are not authorized.", 403)
        (line,) = examination._answer(find(volumes, "EBS encryption by default"), account)

    assert line.state is State.UNKNOWN
    assert line.text == "ec2:GetEbsEncryptionByDefault is not allowed"
    assert line.command is None


def test_another_refusal_is_told_as_it_is(account):
    with stubbed(account, "ec2") as ec2:
        ec2.add_client_error("get_ebs_encryption_by_default", "InternalError", "An internal error has occurred")
        (line,) = examination._answer(find(volumes, "EBS encryption by default"), account)

    assert line.state is State.UNKNOWN
    assert "InternalError" in line.text


BUILDS = {"ServiceCode": "codebuild", "QuotaCode": "L-4DDC4A99"}


def builds(account, number, answer=None):
    account.builds = number
    with stubbed(account, "service-quotas") as service:
        if answer is None:
            service.add_client_error("get_service_quota", "NoSuchResourceException", expected_params=BUILDS)
        else:
            service.add_response("get_service_quota", {"Quota": {"Value": answer}}, BUILDS)
        (line,) = examination._answer(find(quotas, "quota: CodeBuild"), account)
    return line


def test_an_account_in_which_nothing_is_built_needs_no_builds(account):
    line = builds(account, 0)

    assert (line.state, line.command) == (State.OK, None)


@pytest.mark.parametrize(("limit", "state"), [(2.0, State.OK), (60.0, State.OK), (1.0, State.MEND), (0.0, State.MEND)])
def test_builds_that_were_granted_are_compared_with_those_that_run_at_once(account, limit, state):
    line = builds(account, 2, limit)

    assert line.state is state
    assert ("--quota-code L-4DDC4A99 --desired-value 2" in (line.command or "")) is (state is State.MEND)


def test_builds_that_nobody_granted_cannot_be_told(account):
    """A new account may have none, whatever everybody's default says."""
    line = builds(account, 2)

    assert line.state is State.UNKNOWN
    assert "aws service-quotas request-service-quota-increase" in line.text


def test_builds_are_those_of_the_pipeline_and_the_product_in_the_stages_own_place(tmp_path):
    here = {"account": SETTINGS.account, "region": SETTINGS.region}
    for given, expected in (
        ({}, 0),
        ({"delivery": {"account": "222222222222", "region": SETTINGS.region}}, 0),
        ({"delivery": here}, quotas.BUILDS_AT_ONCE),
        ({"delivery": {**here, "parallel_publishing": True}}, quotas.PARALLEL_BUILDS),
        ({"delivery": here, "governance": {**here, "product": {}}}, quotas.BUILDS_AT_ONCE),
        ({"delivery": here, "governance": {**here, "product": {"releases": ["v1"]}}}, quotas.BUILDS_AT_ONCE + 1),
    ):
        file = tmp_path / "settings.json"
        file.write_text(json.dumps({"stages": {}, **given}))

        assert builds_in_its_account(SETTINGS, ROOT, file) == expected


def test_without_an_applied_quota_the_default_holds(account):
    name = "quota: VPCs"
    with stubbed(account, "service-quotas") as service, stubbed(account, "ec2") as ec2:
        ec2.add_response("describe_vpcs", {"Vpcs": []}, {})
        asked = {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"}
        service.add_client_error("get_service_quota", "NoSuchResourceException", expected_params=asked)
        service.add_response("get_aws_default_service_quota", {"Quota": {"Value": 5.0}}, asked)
        (line,) = examination._answer(find(quotas, name), account)

    assert line.state is State.OK
    assert "the limit is 5" in line.text


@pytest.mark.parametrize(
    ("others", "state"), [(0, State.OK), (127, State.OK), (129, State.MEND)], ids=["none", "all but room", "too many"]
)
def test_instances_of_others_count_and_the_stages_own_do_not(account, others, state):
    def instance(vcpus, **more):
        cpu = {"CoreCount": vcpus, "ThreadsPerCore": 1}
        return {"InstanceType": "m6i.large", "State": {"Name": "running"}, "CpuOptions": cpu, **more}

    tags = [{"Key": "project", "Value": "genolaunch"}, {"Key": "stage", "Value": "dev"}]
    own, spot = instance(500, Tags=tags), instance(500, InstanceLifecycle="spot")
    gone = instance(500) | {"State": {"Name": "terminated"}}
    found = [own, spot, gone, *([instance(others)] if others else [])]
    with stubbed(account, "service-quotas") as service, stubbed(account, "ec2") as ec2:
        service.add_response("get_service_quota", {"Quota": {"Value": 896.0}})
        ec2.add_response("describe_instances", {"Reservations": [{"Instances": found}]}, {})
        (line,) = examination._answer(find(quotas, "quota: On-Demand vCPUs"), account)

    assert line.state is state, line
    if line.command:
        assert line.command.endswith(f"--quota-code L-1216C47A --desired-value {3 * 256 + others}")


@pytest.mark.parametrize(
    ("family", "group"),
    [
        ("m6i", "Standard"),
        ("r6a.24xlarge", "Standard"),
        ("im4gn", "Standard"),
        ("g5", "G and VT"),
        ("vt1", "G and VT"),
        ("p4d", "P"),
        ("x2idn", "X"),
        ("hpc7a", None),
        ("inf2", None),
        ("trn1", None),
        ("u-6tb1", None),
        ("dl1", None),
        ("f2", None),
    ],
)
def test_a_familys_quota(family, group):
    assert quotas.group_of(family) == group


def test_what_does_not_answer_in_time_is_not_waited_for(account, monkeypatch):
    over = Event()

    def hang(account):
        over.wait()
        return [ok("slow", "at last")]

    slow = Check("slow", hang)
    quick = Check("quick", lambda account: [ok("quick", "at once")])
    monkeypatch.setattr(examination, "checks", lambda account: [slow, quick])
    monkeypatch.setattr(access, "CREDENTIALS", Check("credentials", lambda account: [ok("credentials", "known")]))

    lines = examination.examine(account, seconds=0.5)
    over.set()

    assert [(line.check, line.state) for line in lines] == [
        ("credentials", State.OK),
        ("slow", State.UNKNOWN),
        ("quick", State.OK),
    ]


def test_a_qualifier_of_the_companys_own_is_looked_for(aws, session):
    account = Account(SETTINGS, qualifier="genome", session=session)
    account.client("ssm").put_parameter(Name="/cdk-bootstrap/genome/version", Value="21", Type="String")

    (line,) = examination._answer(find(access, "CDK bootstrap"), account)

    assert line.state is State.OK


# --- Settings ---------------------------------------------------------------------------------------------------------
def test_settings_are_the_checkouts():
    settings, qualifier = read("prod", ROOT / "docs", None)

    stages = json.loads((ROOT / "cdk.json").read_text())["context"]["stages"]
    assert settings.batch.max_vcpus == stages["prod"]["batch"]["max_vcpus"]
    assert qualifier == "hnb659fds"


def test_an_unknown_stage_and_faults_in_settings_are_told(tmp_path):
    (tmp_path / "stages.json").write_text('{"lab": {"account": "1"}}')
    with pytest.raises(GenolaunchError, match="configured are: dev, test, prod"):
        read("lab", ROOT, None)
    with pytest.raises(GenolaunchError, match="account"):
        read("lab", ROOT, tmp_path / "stages.json")


def test_without_a_checkout_the_command_says_what_it_needs(tmp_path):
    result = CliRunner().invoke(app, ["doctor", "--checkout", str(tmp_path)])

    assert result.exit_code == COULD_NOT
    assert "is in no checkout of Genolaunch" in result.stderr


def checkout_with(folder: Path, **contents: str) -> Path:
    """Given: a folder that looks like a checkout as far as the names go."""
    (folder / "localcloud").mkdir()
    for name, content in contents.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    return folder


def test_a_folder_with_some_of_a_checkouts_names_is_none(tmp_path):
    folder = checkout_with(tmp_path, cdk_json="{}")

    result = CliRunner().invoke(app, ["doctor", "--checkout", str(folder)])

    assert "is in no checkout of Genolaunch" in result.stderr


@pytest.mark.parametrize("declared", ["", "[project]", "not = = toml"])
def test_a_checkout_that_does_not_say_its_version_is_answered_in_a_sentence(tmp_path, declared):
    folder = checkout_with(tmp_path, cdk_json="{}", stacks__config_py="", pyproject_toml=declared)

    result = CliRunner().invoke(app, ["doctor", "--checkout", str(folder)])

    assert isinstance(result.exception, SystemExit)
    assert "does not say which version of Genolaunch it is of (project.version)." in " ".join(result.stderr.split())


# --- Permissions ------------------------------------------------------------------------------------------------------
def asked_operations():
    """Methods of clients, and names of paginators, in the check's sources."""
    known = {xform_name(operation): operation for operation in ACTIONS}
    verbs = re.compile(r"^(get|list|describe|head)_[a-z_]+$")
    for path in (ROOT / "genolaunch" / "doctor").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.attr] if isinstance(node, ast.Attribute) else []
            names += [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []
            for name in names:
                if verbs.match(name) and name != "get_paginator":
                    yield known.get(name, f"{name} in {path.name}")


def test_the_policy_in_the_documentation_has_what_is_asked_and_no_more():
    page = (ROOT / "docs" / "security.md").read_text()
    policy = json.loads(page.partition("## The account check")[2].partition("```json")[2].partition("```")[0])
    (statement,) = policy["Statement"]

    assert set(asked_operations()) == set(ACTIONS)
    assert set(statement["Action"]) == set(ACTIONS.values())
    assert SimpleNamespace(**statement).Effect == "Allow"
