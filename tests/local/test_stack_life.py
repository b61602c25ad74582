"""Stacks live in the embedded cloud as in CloudFormation: what is imported stays, what a failed creation made goes."""

import json
from typing import Any

import pytest

from tests.local.core_cloud import Core, soon

pytestmark = pytest.mark.local

Template = dict[str, Any]


def parameter(value: str, **more: Any) -> dict[str, Any]:
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value, **more}}


def producer(exports: dict[str, str]) -> Template:
    outputs = {
        f"Out{number}": {"Value": value, "Export": {"Name": name}}
        for number, (name, value) in enumerate(exports.items())
    }
    return {"Resources": {"Any": parameter("any")}, "Outputs": outputs}


def consumer(export: str) -> Template:
    return {
        "Resources": {
            "Copy": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {"Type": "String", "Value": {"Fn::ImportValue": export}},
            }
        }
    }


class Stacks:
    """Short ways to make, change and delete stacks; each gives the stack's status afterwards."""

    def __init__(self, core: Core) -> None:
        self._client = core.client("cloudformation")

    def create(self, name: str, template: Template) -> str:
        self._client.create_stack(StackName=name, TemplateBody=json.dumps(template))
        return self._settled(name)

    def update(self, name: str, template: Template) -> str:
        self._client.update_stack(StackName=name, TemplateBody=json.dumps(template))
        return self._settled(name)

    def delete(self, name: str) -> None:
        self._client.delete_stack(StackName=name)

    def reasons(self, name: str) -> str:
        events = self._client.describe_stack_events(StackName=name)["StackEvents"]
        return "\n".join(event.get("ResourceStatusReason", "") for event in events)

    def _settled(self, name: str) -> str:
        def look() -> str | None:
            status: str = self._client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
            return None if status.endswith("IN_PROGRESS") else status

        return soon(look)


@pytest.fixture
def stacks(core: Core) -> Stacks:
    return Stacks(core)


# --- Exports -------------------------------------------------------------------------------------------------------
def test_what_another_stack_imports_can_be_neither_changed_nor_removed(stacks: Stacks) -> None:
    stacks.create("life-producer", producer({"life:a": "1", "life:b": "2"}))
    assert stacks.create("life-consumer", consumer("life:a")) == "CREATE_COMPLETE"

    assert stacks.update("life-producer", producer({"life:a": "other", "life:b": "2"})) == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.update("life-producer", producer({"life:b": "2"})) == "UPDATE_ROLLBACK_COMPLETE"

    assert "Export life:a cannot be updated as it is in use by life-consumer" in stacks.reasons("life-producer")
    assert "Export life:a cannot be deleted as it is in use by life-consumer" in stacks.reasons("life-producer")
    with pytest.raises(Exception, match="life:a is imported by stack life-consumer"):
        stacks.delete("life-producer")


def test_it_goes_once_its_users_have_been_deployed_without_it(stacks: Stacks) -> None:
    """As the runbook says: the consumers first, by themselves, and then all."""
    stacks.create("way-producer", producer({"way:a": "1", "way:b": "2"}))
    stacks.create("way-consumer", consumer("way:a"))

    assert stacks.update("way-consumer", consumer("way:b")) == "UPDATE_COMPLETE"
    assert stacks.update("way-producer", producer({"way:b": "2"})) == "UPDATE_COMPLETE"


def test_a_name_is_exported_once(stacks: Stacks) -> None:
    stacks.create("first-exporter", producer({"twice": "1"}))

    assert stacks.create("second-exporter", producer({"twice": "2"})) == "ROLLBACK_COMPLETE"
    assert "already exported by stack" in stacks.reasons("second-exporter")


# --- Deletion policies ---------------------------------------------------------------------------------------------
def failing(name: str, policy: str) -> Template:
    """A log group, and then something that cannot be made."""
    group = {"Type": "AWS::Logs::LogGroup", "DeletionPolicy": policy, "Properties": {"LogGroupName": name}}
    impossible = {**consumer("life:nowhere")["Resources"]["Copy"], "DependsOn": "Group"}
    return {"Resources": {"Group": group, "Impossible": impossible}}


def sound(name: str, policy: str) -> Template:
    return {"Resources": {"Group": failing(name, policy)["Resources"]["Group"]}}


@pytest.mark.parametrize(
    ("policy", "second"), [("RetainExceptOnCreate", "CREATE_COMPLETE"), ("Retain", "ROLLBACK_COMPLETE")]
)
def test_a_creation_that_rolled_back_can_be_repeated_if_nothing_was_kept(
    core: Core, stacks: Stacks, policy: str, second: str
) -> None:
    group, stack = f"/life/{policy}", f"repeated-{policy}"
    assert stacks.create(stack, failing(group, policy)) == "ROLLBACK_COMPLETE"
    stacks.delete(stack)

    assert stacks.create(f"{stack}-again", sound(group, policy)) == second


def test_what_was_made_once_is_kept_when_its_stack_goes(core: Core, stacks: Stacks) -> None:
    stacks.create("kept", sound("/life/kept", "RetainExceptOnCreate"))
    stacks.delete("kept")

    def gone() -> bool:
        statuses = core.client("cloudformation").list_stacks()["StackSummaries"]
        return any(each["StackName"] == "kept" and each["StackStatus"] == "DELETE_COMPLETE" for each in statuses)

    soon(gone)
    groups = core.client("logs").describe_log_groups(logGroupNamePrefix="/life/kept")["logGroups"]
    assert [each["logGroupName"] for each in groups] == ["/life/kept"]


# --- Names ---------------------------------------------------------------------------------------------------------
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "states.amazonaws.com"}}],
}
ALLOWED = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::life/*"}],
}
DEFINITION = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}})
KEY = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": []}}}


def named(type_: str) -> Template:
    """A stack of one resource that has a name, and of what that needs."""
    properties: dict[str, dict[str, Any]] = {
        "AWS::Backup::BackupVault": {"BackupVaultName": "taken"},
        "AWS::ECR::Repository": {"RepositoryName": "life/taken"},
        "AWS::IAM::InstanceProfile": {"InstanceProfileName": "taken", "Roles": []},
        "AWS::IAM::ManagedPolicy": {"ManagedPolicyName": "taken", "PolicyDocument": ALLOWED},
        "AWS::IAM::Role": {"RoleName": "taken", "AssumeRolePolicyDocument": TRUST},
        "AWS::KMS::Alias": {"AliasName": "alias/life/taken", "TargetKeyId": {"Ref": "Key"}},
        "AWS::Events::EventBus": {"Name": "taken"},
        "AWS::Logs::LogGroup": {"LogGroupName": "/life/taken"},
        "AWS::S3::Bucket": {"BucketName": "life-taken"},
        "AWS::SSM::Parameter": {"Name": "/life/taken", "Type": "String", "Value": "any"},
        "AWS::StepFunctions::StateMachine": {
            "StateMachineName": "taken",
            "DefinitionString": DEFINITION,
            "RoleArn": "arn:aws:iam::000000000000:role/any",
        },
    }
    resources: dict[str, Any] = {"Named": {"Type": type_, "Properties": properties[type_]}}
    return {"Resources": {**resources, **({"Key": KEY} if type_ == "AWS::KMS::Alias" else {})}}


@pytest.mark.parametrize(
    "type_",
    [
        "AWS::Backup::BackupVault",
        "AWS::ECR::Repository",
        "AWS::Events::EventBus",
        "AWS::IAM::InstanceProfile",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Role",
        "AWS::KMS::Alias",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::SSM::Parameter",
        "AWS::StepFunctions::StateMachine",
    ],
)
def test_a_name_that_is_taken_is_not_taken_over(stacks: Stacks, type_: str) -> None:
    first = f"first-{type_.rpartition(':')[2].lower()}"
    assert stacks.create(first, named(type_)) == "CREATE_COMPLETE"

    assert stacks.create(f"{first}-again", named(type_)) == "ROLLBACK_COMPLETE"
    # A bucket's name is looked up before anything is made (CloudFormation user guide, "Pre-deployment validations").
    refusal = "Validation failed with 1 error" if type_ == "AWS::S3::Bucket" else "already exists"
    assert refusal in stacks.reasons(f"{first}-again")
    changed = named(type_)
    changed["Resources"]["Other"] = parameter("other")
    assert stacks.update(first, changed) == "UPDATE_COMPLETE"  # its own name is not in its way
