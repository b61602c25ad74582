"""`genolaunch destroy` on stacks of an embedded cloud: a stage is deleted whole, or not at all."""

import json
import os
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from genolaunch.cli import app
from genolaunch.commands.exit_codes import COULD_NOT, NOT_UNDERSTOOD
from genolaunch.contract.launch import STATUS_INDEX
from genolaunch.deployment import destruction
from genolaunch.deployment import running as looking
from genolaunch.local_stage import control
from genolaunch.local_stage.control import Cloud
from localcloud.clients import client

pytestmark = pytest.mark.local

_numbers = count(1)

ACCOUNT = "000000000000"
"""Of the embedded cloud."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Given: an account in which nothing is."""
    state_dir = tmp_path_factory.mktemp("account")
    started = control.up(state_dir, port=control.free_port())
    try:
        yield started
    finally:
        control.down(state_dir)


def template(*resources: tuple[str, str, dict[str, Any], str | None], uses: Any = None, exports: Any = None) -> str:
    """A stack's: (logical id, type, properties, deletion policy) of each resource."""
    made = {
        id_: {"Type": type_, "Properties": properties, **({"DeletionPolicy": policy} if policy else {})}
        for id_, type_, properties, policy in resources
    }
    if uses:
        made["Uses"] = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": uses}}
    outputs = {"Published": exports} if exports else {}
    return json.dumps({"Resources": made, "Outputs": outputs})


class Stage:
    """A stage of three stacks, and another whose name begins alike."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.name = name = f"s{next(_numbers)}x"
        self._stack("data", self._data(name))
        self._stack("analytics", template(self._ledger(name), uses={"Fn::ImportValue": f"{name}-published"}))
        self._stack("zoo", template(("Topic", "AWS::SNS::Topic", {"TopicName": f"{name}-zoo"}, None)))
        other = template(("Other", "AWS::S3::Bucket", {"BucketName": f"{name}2-data"}, None))
        self.client("cloudformation").create_stack(StackName=f"genolaunch-{name}2-data", TemplateBody=other)
        s3 = self.client("s3")
        for body in (b"1", b"2"):
            s3.put_object(Bucket=f"{name}-data", Key="cohort.bed", Body=body)
        s3.delete_object(Bucket=f"{name}-data", Key="cohort.bed")
        s3.create_multipart_upload(Bucket=f"{name}-data", Key="half.bed")

    def _data(self, name: str) -> str:
        versions = {"VersioningConfiguration": {"Status": "Enabled"}}
        return template(
            ("Data", "AWS::S3::Bucket", {"BucketName": f"{name}-data", **versions}, "Delete"),
            ("Archive", "AWS::Logs::LogGroup", {"LogGroupName": f"{name}-archive"}, "RetainExceptOnCreate"),
            exports={"Value": {"Ref": "Data"}, "Export": {"Name": f"{name}-published"}},
        )

    def _ledger(self, name: str) -> tuple[str, str, dict[str, Any], str | None]:
        return ("Ledger", "AWS::SQS::Queue", {"QueueName": f"{name}-ledger"}, "Retain")

    def _stack(self, stack: str, body: str) -> None:
        self.client("cloudformation").create_stack(StackName=f"genolaunch-{self.name}-{stack}", TemplateBody=body)
        self.client("cloudformation").get_waiter("stack_create_complete").wait(
            StackName=f"genolaunch-{self.name}-{stack}", WaiterConfig={"Delay": 1}
        )

    def client(self, service: str) -> Any:
        return client(service, self.cloud.endpoint, self.cloud.keys)

    @property
    def confirmation(self) -> str:
        """What whoever destroys it types."""
        return f"{self.name}@{ACCOUNT}"

    @property
    def stacks(self) -> set[str]:
        """Short names, the other stage's as `2-data`."""
        found = self.client("cloudformation").describe_stacks()["Stacks"]
        prefix = f"genolaunch-{self.name}"
        return {
            each["StackName"].removeprefix(prefix).removeprefix("-")
            for each in found
            if each["StackName"].startswith(prefix) and each["StackStatus"] != "DELETE_COMPLETE"
        }

    @property
    def buckets(self) -> set[str]:
        names = [each["Name"] for each in self.client("s3").list_buckets()["Buckets"]]
        return {name.removeprefix(self.name) for name in names if name.startswith(self.name)}

    @property
    def versions(self) -> int:
        return len(self.client("s3").list_object_versions(Bucket=f"{self.name}-data").get("Versions", []))

    def publish(self, parameter: str, value: str) -> None:
        """As its stacks would."""
        self.client("ssm").put_parameter(
            Name=f"/genolaunch/{self.name}/{parameter}", Value=value, Type="String", Overwrite=True
        )

    def launch(self, launch_id: str, status: str) -> None:
        """Put one into the launch table, which is made first if need be."""
        dynamodb, table = self.client("dynamodb"), f"{self.name}-launches"
        if table not in dynamodb.list_tables()["TableNames"]:
            names = ("launchId", "status", "submittedAt")
            dynamodb.create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
                KeySchema=[{"AttributeName": "launchId", "KeyType": "HASH"}],
                GlobalSecondaryIndexes=[
                    {
                        "IndexName": STATUS_INDEX,
                        "KeySchema": [
                            {"AttributeName": "status", "KeyType": "HASH"},
                            {"AttributeName": "submittedAt", "KeyType": "RANGE"},
                        ],
                        "Projection": {"ProjectionType": "ALL"},
                    }
                ],
            )
            self.publish("launch-table", table)
        item = {"launchId": launch_id, "name": "height", "status": status, "submittedAt": "2026-11-21T04:00:00.000Z"}
        dynamodb.put_item(
            TableName=table, Item={**{key: {"S": value} for key, value in item.items()}, "attempt": {"N": "1"}}
        )

    def begin(self, machine: str, execution: str) -> None:
        """Begin an execution that takes longer than the test."""
        states = {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}
        made = self.client("stepfunctions").create_state_machine(
            name=f"genolaunch-{self.name}-{machine}",
            definition=json.dumps({"StartAt": "Wait", "States": states}),
            roleArn=f"arn:aws:iam::{ACCOUNT}:role/any",
        )
        self.client("stepfunctions").start_execution(stateMachineArn=made["stateMachineArn"], name=execution)

    def destroy(self, *arguments: str, typed: str | None = None) -> Result:
        """The command, as whoever destroys the stage runs it."""
        return CliRunner().invoke(
            app,
            ["--stage", self.name, "destroy", *arguments],
            input=typed,
            env={**os.environ, **self.cloud.environment()},
        )

    def is_untouched(self) -> bool:
        return self.stacks == {"data", "analytics", "zoo", "2-data"} and self.versions == 2


@pytest.fixture
def stage(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr(destruction, "_LOOK_EVERY_SECONDS", 1)
    return Stage(cloud)


def test_everything_goes_but_what_its_templates_keep(stage: Stage):
    done = stage.destroy("--confirm", stage.confirmation)

    assert done.exit_code == 0, done.output
    assert stage.stacks == {"2-data"}
    assert stage.buckets == {"2-data"}
    assert f"AWS::Logs::LogGroup {stage.name}-archive" in done.output
    assert f"{stage.name}-ledger" in done.output
    assert f"{stage.name}-data: 3 versions of objects deleted" in done.output


def test_users_of_a_stack_go_before_it(stage: Stage):
    told = stage.destroy("--confirm", stage.confirmation).output

    assert told.index("-analytics: is being deleted") < told.index("-data: is being deleted")


def test_another_name_deletes_nothing(stage: Stage):
    done = stage.destroy("--confirm", "prod")

    assert done.exit_code == NOT_UNDERSTOOD
    assert "nothing was deleted" in done.output
    assert stage.is_untouched()


def test_it_asks_for_the_name(stage: Stage):
    assert stage.destroy(typed=f"{stage.confirmation}\n").exit_code == 0
    assert stage.stacks == {"2-data"}


def test_nobody_at_the_terminal_deletes_nothing(stage: Stage):
    assert stage.destroy(typed="").exit_code != 0
    assert stage.is_untouched()


def test_a_protected_stage_is_refused_before_anything_is_asked(stage: Stage):
    stage.client("cloudformation").update_termination_protection(
        EnableTerminationProtection=True, StackName=f"genolaunch-{stage.name}-data"
    )
    done = stage.destroy("--confirm", stage.confirmation)

    assert done.exit_code == COULD_NOT
    assert f"genolaunch-{stage.name}-data is protected" in done.output
    assert stage.is_untouched()


def test_a_rehearsal_only_tells(stage: Stage):
    done = stage.destroy("--dry-run")

    assert done.exit_code == 0
    assert f"{stage.name}-data" in done.output
    assert stage.is_untouched()


def test_scripts_get_the_plan_alone(stage: Stage):
    done = stage.destroy("--dry-run", "--json")
    told = json.loads(done.stdout)

    assert told["isDeleted"] is False
    assert told["buckets"] == [f"{stage.name}-data"]
    assert {each["name"] for each in told["kept"]} >= {f"{stage.name}-archive"}


def test_while_something_runs_nothing_goes(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    busy = looking.Running(stage.name, is_deployed=True, launchers=1)
    monkeypatch.setattr(looking, "running", lambda _: busy)
    done = stage.destroy("--confirm", stage.confirmation)

    assert done.exit_code == COULD_NOT
    assert "1 launcher of Snakemake" in done.output
    assert stage.is_untouched()


def test_a_launch_that_waits_is_named_and_nothing_goes(stage: Stage):
    stage.launch("height-7", "QUEUED")
    done = stage.destroy("--confirm", stage.confirmation)

    assert done.exit_code == COULD_NOT
    assert "height-7 (QUEUED)" in done.output
    assert stage.is_untouched()


def test_clean_up_at_work_is_named_and_nothing_goes(stage: Stage):
    """Its launch is over, and its file system not yet."""
    stage.launch("height-7", "COMPLETE")
    stage.begin("cleanup", "height-7-1")
    done = stage.destroy("--confirm", stage.confirmation)

    assert done.exit_code == COULD_NOT
    assert "cleanup height-7-1" in done.output
    assert stage.is_untouched()


def test_a_rehearsal_tells_the_plan_of_a_stage_that_is_busy(stage: Stage):
    stage.launch("height-7", "HELD")
    done = stage.destroy("--dry-run", "--json")

    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["isBusy"] is True
    assert "height-7 (HELD)" in " ".join(told["unfinished"])
    assert told["buckets"] == [f"{stage.name}-data"]
    assert (told["account"], told["region"]) == (ACCOUNT, "us-east-1")
    assert stage.is_untouched()


def test_the_question_shows_where_and_by_whom(stage: Stage):
    done = stage.destroy(typed=f"{stage.name}\n")

    assert f"of account {ACCOUNT} in us-east-1, as arn:aws:iam::{ACCOUNT}:" in done.output
    assert done.exit_code == NOT_UNDERSTOOD, "the stage's name alone is an answer in any account"
    assert stage.is_untouched()


def test_a_template_that_keeps_a_bucket_is_refused_though_nobody_protects_it(stage: Stage):
    """As a pipeline deploys removal_policy: retain, before its step sets the protection."""
    kept = template(("Kept", "AWS::S3::Bucket", {"BucketName": f"{stage.name}-kept"}, "RetainExceptOnCreate"))
    stage._stack("kept", kept)
    done = stage.destroy("--confirm", stage.confirmation)

    assert done.exit_code == COULD_NOT
    assert f"AWS::S3::Bucket {stage.name}-kept" in done.output
    assert stage.versions == 2


def test_a_stack_that_only_waits_for_its_change_set_goes_too(stage: Stage):
    empty = template(("Topic", "AWS::SNS::Topic", {"TopicName": f"{stage.name}-late"}, None))
    stage.client("cloudformation").create_change_set(
        StackName=f"genolaunch-{stage.name}-late", ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=empty
    )
    assert "late" in stage.stacks
    done = stage.destroy("--confirm", stage.confirmation)

    assert done.exit_code == 0, done.output
    assert stage.stacks == {"2-data"}


def test_intake_is_stopped_before_anything_goes_and_back_if_something_began(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
):
    rule = {"Name": f"{stage.name}-lost", "ScheduleExpression": "rate(15 minutes)", "State": "ENABLED"}
    stage._stack("workflow-manager", template(("Lost", "AWS::Events::Rule", rule, None)))
    stage.publish("job-queues", "[]")
    stage.launch("height-6", "COMPLETE")
    real, states = looking.running, []

    def running(account: Any) -> looking.Running:
        states.append(stage.client("events").describe_rule(Name=rule["Name"])["State"])
        if len(states) == 2:
            stage.launch("height-7", "SUBMITTED")
        return real(account)

    monkeypatch.setattr(looking, "running", running)
    done = stage.destroy("--confirm", stage.confirmation)

    assert done.exit_code == COULD_NOT
    assert "height-7 (SUBMITTED)" in done.output
    assert states == ["ENABLED", "DISABLED"]
    assert stage.client("events").describe_rule(Name=rule["Name"])["State"] == "ENABLED"
    assert stage.versions == 2


def test_it_can_be_repeated_after_half_of_it(stage: Stage):
    stage.client("cloudformation").delete_stack(StackName=f"genolaunch-{stage.name}-analytics")

    assert stage.destroy("--confirm", stage.confirmation).exit_code == 0
    assert stage.stacks == {"2-data"}
    again = stage.destroy("--confirm", stage.confirmation)
    assert again.exit_code == COULD_NOT
    assert "is not deployed" in again.output


def test_what_a_bucket_gets_meanwhile_is_emptied_again(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    """As S3's access logs do, which come for hours."""
    real = destruction._delete_once
    failures = iter(["Data (The bucket you tried to delete is not empty)"])

    def delete_once(account: Any, stack: str) -> str | None:
        if stack.endswith("-data") and (reason := next(failures, None)):
            return reason
        return real(account, stack)

    monkeypatch.setattr(destruction, "_delete_once", delete_once)
    done = stage.destroy("--confirm", stage.confirmation)

    assert done.exit_code == 0
    assert "once more, since Data (The bucket" in done.output
    assert stage.stacks == {"2-data"}


def test_what_cannot_be_deleted_is_told_with_its_reason(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(destruction, "_delete_once", lambda *_: "Vault (has recovery points)")
    done = stage.destroy("--confirm", stage.confirmation)

    assert done.exit_code == COULD_NOT
    assert f"could not delete genolaunch-{stage.name}-" in done.output
    assert "Vault (has recovery points)" in done.output
