"""`genolaunch doctor` on an account that is ready for a stage, and on one with each single fault."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest

from genolaunch.doctor.account import Account
from genolaunch.doctor.examination import examine
from genolaunch.doctor.stage_settings import read
from genolaunch.documents import document_of
from genolaunch.local_stage import control
from genolaunch.local_stage.control import STAGE_SETTINGS, Cloud
from localcloud.clients import ask, client
from tests.local.platform_client import eventually

pytestmark = pytest.mark.local

ROOT = Path(__file__).parents[2]
BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"
LINKED = ("spot", "ec2fleet", "batch", "ecs", "autoscaling", "fsx")
LUSTRE_ZONES = "FSx for Lustre in the zones"

Line = dict[str, str]


class Prepared:
    """An account in which everything was done that the README says, and what a test spoils in it."""

    builds = 2
    """At once: as if the pipeline were here, too."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.client("ssm").put_parameter(Name=BOOTSTRAP, Value="33", Type="String")
        for service in LINKED:
            self.client("iam").create_service_linked_role(AWSServiceName=f"{service}.amazonaws.com")
        self.client("ec2").enable_ebs_encryption_by_default()
        self.inject("service-quotas", serviceCode="codebuild", quotaCode="L-4DDC4A99", value=20.0)

    def client(self, service: str) -> Any:
        return client(service, self.cloud.endpoint, self.cloud.keys)

    def inject(self, what: str, **body: Any) -> None:
        ask(self.cloud.endpoint, f"/_localcloud/inject/{what}", self.cloud.keys, body).close()

    def command(self, settings: Path = STAGE_SETTINGS, **environment: str) -> tuple[int, list[Line]]:
        """Exit code and lines of the command, as its users run it."""
        done = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("genolaunch")), "doctor", "--stage", "local"),
                *("--settings-file", str(settings), "--checkout", str(ROOT), "--json"),
            ],
            env={**os.environ, **self.cloud.environment(), **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        lines: list[Line] = json.loads(done.stdout) if done.stdout else []
        assert lines, done.stderr
        return done.returncode, lines

    def examine(self, settings: Path = STAGE_SETTINGS) -> list[Line]:
        """The lines alone, without the seconds that a process of its own takes."""
        account = Account(read("local", ROOT, settings)[0], builds=self.builds, session=self._session)
        with patch.dict(os.environ, self.cloud.environment()):
            lines: list[Line] = document_of(examine(account))
        return lines

    @cached_property
    def _session(self) -> boto3.Session:
        return boto3.Session(*self.cloud.keys[:2], region_name="us-east-1")


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    """Given: an account that is ready for the stage `local`."""
    state_dir = tmp_path_factory.mktemp("account")
    cloud = control.up(state_dir, port=control.free_port())
    try:
        yield Prepared(cloud)
    finally:
        control.down(state_dir)


def to_mend(lines: list[Line]) -> dict[str, str]:
    """Check -> command of what is to be mended."""
    return {line["check"]: line["command"] for line in lines if line["state"] == "mend"}


def test_an_account_that_is_ready_has_nothing_to_mend(account: Prepared):
    code, lines = account.command()

    assert to_mend(lines) == {}
    assert code == 0
    assert [line["check"] for line in lines if line["state"] == "cannot tell"] == [LUSTRE_ZONES]
    assert len(lines) > 25


# --- One fault each: what spoils the account, and what is said of it -------------------------------------------------
@contextmanager
def no_bootstrap(account: Prepared) -> Iterator[None]:
    account.client("ssm").delete_parameter(Name=BOOTSTRAP)
    yield
    account.client("ssm").put_parameter(Name=BOOTSTRAP, Value="33", Type="String")


@contextmanager
def old_bootstrap(account: Prepared) -> Iterator[None]:
    account.client("ssm").put_parameter(Name=BOOTSTRAP, Value="5", Type="String", Overwrite=True)
    yield
    account.client("ssm").put_parameter(Name=BOOTSTRAP, Value="33", Type="String", Overwrite=True)


@contextmanager
def no_encryption(account: Prepared) -> Iterator[None]:
    account.client("ec2").disable_ebs_encryption_by_default()
    yield
    account.client("ec2").enable_ebs_encryption_by_default()


def without_role(role: str, service: str) -> Callable[[Prepared], Any]:
    @contextmanager
    def spoil(account: Prepared) -> Iterator[None]:
        account.client("iam").delete_service_linked_role(RoleName=role)
        yield
        account.client("iam").create_service_linked_role(AWSServiceName=f"{service}.amazonaws.com")

    return spoil


def quota(service: str, code: str, value: float, healthy: float) -> Callable[[Prepared], Any]:
    @contextmanager
    def spoil(account: Prepared) -> Iterator[None]:
        account.inject("service-quotas", serviceCode=service, quotaCode=code, value=value)
        yield
        account.inject("service-quotas", serviceCode=service, quotaCode=code, value=healthy)

    return spoil


@contextmanager
def lustre_elsewhere(account: Prepared) -> Iterator[None]:
    account.inject("offers", lustreRegions="eu-north-1")
    yield
    account.inject("offers", lustreRegions="us-east-1")


@contextmanager
def vpcs_used_up(account: Prepared) -> Iterator[None]:
    ec2 = account.client("ec2")
    made = [ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"] for number in range(4)]
    yield
    for vpc in made:
        ec2.delete_vpc(VpcId=vpc)


@contextmanager
def addresses_used_up(account: Prepared) -> Iterator[None]:
    ec2 = account.client("ec2")
    made = [ec2.allocate_address(Domain="vpc")["AllocationId"] for _ in range(5)]
    yield
    for address in made:
        ec2.release_address(AllocationId=address)


@contextmanager
def log_group_left(account: Prepared) -> Iterator[None]:
    name = "/aws/vendedlogs/states/genolaunch-local-regenie"
    account.client("logs").create_log_group(logGroupName=name)
    yield
    account.client("logs").delete_log_group(logGroupName=name)


@contextmanager
def tibannas_table(account: Prepared) -> Iterator[None]:
    dynamodb = account.client("dynamodb")
    dynamodb.create_table(
        TableName="tibanna-master",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "Job Id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "Job Id", "KeyType": "HASH"}],
    )
    yield
    dynamodb.delete_table(TableName="tibanna-master")


@contextmanager
def launch_bucket_left(account: Prepared) -> Iterator[None]:
    name = "genolaunch-local-launch-000000000000-us-east-1"
    account.client("s3").create_bucket(Bucket=name)
    yield
    account.client("s3").delete_bucket(Bucket=name)


@contextmanager
def used_launch_bucket_left(account: Prepared) -> Iterator[None]:
    """Given: a bucket with versions, whose only object was deleted, as `aws s3 rm` leaves it."""
    name = "genolaunch-local-launch-000000000000-us-east-1"
    s3 = account.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=name, Key="launches/height.yaml", Body=b"name: height")["VersionId"]
    marker = s3.delete_object(Bucket=name, Key="launches/height.yaml")["VersionId"]
    yield
    for each in (version, marker):
        s3.delete_object(Bucket=name, Key="launches/height.yaml", VersionId=each)
    s3.delete_bucket(Bucket=name)


@contextmanager
def stack_rolled_back(account: Prepared) -> Iterator[None]:
    """A stack whose only resource cannot be made: a queue of a compute environment that is not there."""
    cloudformation = account.client("cloudformation")
    order = [{"Order": 1, "ComputeEnvironment": "none"}]
    queue = {"JobQueueName": "any", "Priority": 1, "ComputeEnvironmentOrder": order}
    template = {"Resources": {"Queue": {"Type": "AWS::Batch::JobQueue", "Properties": queue}}}
    cloudformation.create_stack(StackName="genolaunch-local-regenie", TemplateBody=json.dumps(template))

    def status() -> str | None:
        found: str = cloudformation.describe_stacks(StackName="genolaunch-local-regenie")["Stacks"][0]["StackStatus"]
        return None if found.endswith("IN_PROGRESS") else found

    assert eventually(status, "the stack ends") == "ROLLBACK_COMPLETE"
    yield
    cloudformation.delete_stack(StackName="genolaunch-local-regenie")


RAISE = "aws service-quotas request-service-quota-increase --region us-east-1"
DELETE = "aws cloudformation delete-stack --region us-east-1 --stack-name genolaunch-local-regenie"

FAULTS = {
    "the CDK was never used": (no_bootstrap, "CDK bootstrap", "make bootstrap STAGE=local"),
    "an old bootstrap": (old_bootstrap, "CDK bootstrap", "make bootstrap STAGE=local"),
    "no encryption": (
        no_encryption,
        "EBS encryption by default",
        "aws ec2 enable-ebs-encryption-by-default --region us-east-1",
    ),
    "no role for Spot": (
        without_role("AWSServiceRoleForEC2Spot", "spot"),
        "AWSServiceRoleForEC2Spot",
        "aws iam create-service-linked-role --aws-service-name spot.amazonaws.com",
    ),
    "no role for fleets": (
        without_role("AWSServiceRoleForEC2Fleet", "ec2fleet"),
        "AWSServiceRoleForEC2Fleet",
        "aws iam create-service-linked-role --aws-service-name ec2fleet.amazonaws.com",
    ),
    "few On-Demand vCPUs": (
        quota("ec2", "L-1216C47A", 5.0, 1152.0),
        "quota: On-Demand vCPUs",
        f"{RAISE} --service-code ec2 --quota-code L-1216C47A --desired-value 128",
    ),
    "few Spot vCPUs": (
        quota("ec2", "L-34B43A08", 5.0, 1152.0),
        "quota: Spot vCPUs",
        f"{RAISE} --service-code ec2 --quota-code L-34B43A08 --desired-value 128",
    ),
    "few file systems": (
        quota("fsx", "L-C48231E5", 10.0, 100.0),
        "quota: Lustre Scratch file systems",
        f"{RAISE} --service-code fsx --quota-code L-C48231E5 --desired-value 50",
    ),
    "little storage": (
        quota("fsx", "L-AD2FC696", 1200.0, 100800.0),
        "quota: Lustre Scratch storage",
        f"{RAISE} --service-code fsx --quota-code L-AD2FC696 --desired-value 60000",
    ),
    "Lambda of a new account": (
        quota("lambda", "L-B99A9384", 10.0, 1000.0),
        "quota: Lambda concurrency",
        f"{RAISE} --service-code lambda --quota-code L-B99A9384 --desired-value 83",
    ),
    "Fargate of a new account": (
        quota("fargate", "L-3032A538", 6.0, 1000.0),
        "quota: Fargate",
        f"{RAISE} --service-code fargate --quota-code L-3032A538 --desired-value 50",
    ),
    "builds of a new account": (
        quota("codebuild", "L-4DDC4A99", 1.0, 20.0),
        "quota: CodeBuild",
        f"{RAISE} --service-code codebuild --quota-code L-4DDC4A99 --desired-value 2",
    ),
    "no NAT gateway left": (
        quota("vpc", "L-FE5A380F", 0.0, 5.0),
        "quota: NAT gateways of a zone",
        f"{RAISE} --service-code vpc --quota-code L-FE5A380F --desired-value 1",
    ),
    "no internet gateway left": (
        quota("vpc", "L-A4707A72", 1.0, 5.0),
        "quota: internet gateways",
        f"{RAISE} --service-code vpc --quota-code L-A4707A72 --desired-value 2",
    ),
    "no VPC left": (
        vpcs_used_up,
        "quota: VPCs",
        f"{RAISE} --service-code vpc --quota-code L-F678F1CE --desired-value 6",
    ),
    "no address left": (
        addresses_used_up,
        "quota: elastic IPs",
        f"{RAISE} --service-code ec2 --quota-code L-0263D0A3 --desired-value 6",
    ),
    "no FSx for Lustre": (
        lustre_elsewhere,
        "FSx for Lustre in the region",
        "edit context.stages.local.region in cdk.json",
    ),
    "a log group is left": (
        log_group_left,
        "names",
        "for name in /aws/vendedlogs/states/genolaunch-local-regenie; do aws logs delete-log-group --region us-east-1"
        " --log-group-name $name; done",
    ),
    "Tibanna's table is there": (
        tibannas_table,
        "names",
        'edit context.stages.local.tibanna.table in cdk.json: "import"',
    ),
    "the bucket is left": (
        launch_bucket_left,
        "names",
        "aws s3 rb s3://genolaunch-local-launch-000000000000-us-east-1",
    ),
    "the bucket is left with launches in it": (
        used_launch_bucket_left,
        "names",
        "aws s3api list-object-versions --bucket genolaunch-local-launch-000000000000-us-east-1"
        " --query '[Versions,DeleteMarkers][][].[LastModified,Key,VersionId]' --output text",
    ),
    "a stack was rolled back": (stack_rolled_back, "stacks", DELETE),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_the_only_line_to_mend_and_has_its_command(account: Prepared, fault: str):
    spoil, check, command = FAULTS[fault]

    with spoil(account):
        lines = account.examine()

    assert to_mend(lines) == {check: command}


def test_with_a_fault_the_command_exits_with_1(account: Prepared):
    with no_encryption(account):
        code, lines = account.command()

    assert list(to_mend(lines)) == ["EBS encryption by default"]
    assert code == 1


def settings_with(folder: Path, **changes: Any) -> Path:
    """The stage's settings file with changes."""
    raw = json.loads(STAGE_SETTINGS.read_text())
    raw["local"] |= changes
    path = folder / "stages.json"
    path.write_text(json.dumps(raw))
    return path


@pytest.mark.parametrize(
    ("changes", "check", "command"),
    [
        ({"zones": ["us-east-1z"]}, "zones", "edit context.stages.local.zones in cdk.json"),
        (
            {"batch": {"max_vcpus": 64, "instance_types": ["m6i", "m99x"]}},
            "instance types",
            "edit context.stages.local.batch.instance_types in cdk.json",
        ),
    ],
)
def test_settings_that_the_region_does_not_have_are_named(account: Prepared, tmp_path, changes, check, command):
    lines = account.examine(settings_with(tmp_path, **changes))

    assert to_mend(lines) == {check: command}


def test_of_another_account_nothing_else_is_asked(account: Prepared, tmp_path):
    lines = account.examine(settings_with(tmp_path, account="222222222222"))

    assert to_mend(lines) == {"credentials": "export AWS_PROFILE=<a profile of the account 222222222222>"}
    assert {line["state"] for line in lines[1:]} == {"cannot tell"}


def test_an_environment_of_another_region_is_named(account: Prepared):
    _, lines = account.command(AWS_REGION="eu-west-1", AWS_DEFAULT_REGION="eu-west-1")

    assert to_mend(lines) == {"region": "export AWS_REGION=us-east-1"}


def test_a_stage_that_builds_images_needs_docker(account: Prepared, tmp_path, monkeypatch):
    settings = settings_with(tmp_path, regenie={"versions": {"4.1.2": "build"}, "default_version": "4.1.2"})
    (answers := tmp_path / "builder").write_text("#!/bin/sh\nexit 0\n")
    answers.chmod(0o755)

    monkeypatch.setenv("CDK_DOCKER", str(tmp_path / "nothing"))
    without = account.examine(settings)
    monkeypatch.setenv("CDK_DOCKER", str(answers))
    with_it = account.examine(settings)

    assert list(to_mend(without)) == ["Docker"]
    assert "regenie.versions.4.1.2" in next(line["text"] for line in without if line["check"] == "Docker")
    assert to_mend(with_it) == {}
