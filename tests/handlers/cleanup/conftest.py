"""AWS Batch and Amazon FSx that answer what a test expects, ECS as a fake; the rest is moto's."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from genolaunch.contract.launch import LaunchField, Status
from genolaunch.contract.roles import jobs_role_name, launch_roles_path
from genolaunch.contract.workflow import Workflow
from genolaunch.shared import aws
from lambdas.cleanup import find_leftovers, sweep
from lambdas.shared.launch import Launch
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.placements import read_places

CONTEXT = SimpleNamespace(
    function_name="function",
    memory_limit_in_mb=256,
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:function",
    aws_request_id="request",
)
RESULTS_BUCKET = "test-results"
PLACEMENTS = json.dumps({"queues": "arn:aws:batch:eu-central-1:123456789012:job-queue/genolaunch-test", "zones": {}})
QUEUES = read_places(PLACEMENTS).queues
QUEUE = QUEUES[-1]
"""In which all jobs are; the last that is asked."""
ROLE = "arn:aws:iam::123456789012:role/workflow"
POLICY = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}'
DEFINITION = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})


@dataclass
class FakeEcs:
    """Tasks of one cluster, as ECS lists and describes them."""

    tasks: list[dict[str, Any]] = field(default_factory=list)

    def get_paginator(self, _operation: str) -> "FakeEcs":
        return self

    def paginate(self, **wanted: str) -> list[dict[str, Any]]:
        del wanted["cluster"]
        found = [task["taskArn"] for task in self.tasks if all(task[key] == value for key, value in wanted.items())]
        return [{"taskArns": found[:1]}, {"taskArns": found[1:]}]

    def describe_tasks(self, cluster: str, tasks: list[str]) -> dict[str, Any]:
        return {"tasks": [task for task in self.tasks if task["taskArn"] in tasks]}

    def add(self, arn: str, *, started_by: str = "launch-1-1", desired: str = "RUNNING", last: str = "RUNNING") -> None:
        """Given: a task."""
        self.tasks.append(
            {
                "taskArn": arn,
                "startedBy": started_by,
                "desiredStatus": desired,
                "lastStatus": last,
                "createdAt": datetime(2020, 1, 1, tzinfo=UTC),
                "cpu": "1024",
                "memory": "4096",
            }
        )


@pytest.fixture
def stubs(cloud: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """Given: a stage whose Batch and FSx answer the calls that a test adds, and no others."""
    ecs = FakeEcs()
    clients: dict[str, Any] = {"batch": boto3.client("batch"), "fsx": boto3.client("fsx"), "ecs": ecs}
    real = aws.client
    machines = boto3.client("stepfunctions")
    of_workflows = {
        workflow.value: machines.create_state_machine(name=workflow, definition=DEFINITION, roleArn=ROLE)[
            "stateMachineArn"
        ]
        for workflow in Workflow
    }
    monkeypatch.setenv("WORKFLOW_STATE_MACHINES", json.dumps(of_workflows))
    for name, setting in (
        ("jobs", "JOBS_STATE_MACHINE"),
        ("tibanna", "TIBANNA_STATE_MACHINE"),
        ("cleanup", "CLEANUP_STATE_MACHINE"),
    ):
        created = machines.create_state_machine(name=name, definition=DEFINITION, roleArn=ROLE)
        monkeypatch.setenv(setting, created["stateMachineArn"])
    monkeypatch.setenv("PLACEMENTS", PLACEMENTS)
    monkeypatch.setenv("SWEEP_GRACE_MINUTES", "30")
    monkeypatch.setenv("STUCK_MINUTES", "60")
    monkeypatch.setenv("CLUSTER", "arn:aws:ecs:eu-central-1:123456789012:cluster/launchers")
    monkeypatch.setenv("RESULTS_BUCKET", RESULTS_BUCKET)
    boto3.client("s3").create_bucket(
        Bucket=RESULTS_BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    monkeypatch.setenv("NOTIFICATION_TOPIC", boto3.client("sns").create_topic(Name="notices")["TopicArn"])
    find_leftovers.settings.cache_clear()
    sweep.settings.cache_clear()
    # A patch of its own, taken back before the fixture `cloud` empties the real function's cache.
    with pytest.MonkeyPatch.context() as patch, Stubber(clients["batch"]) as batch, Stubber(clients["fsx"]) as fsx:
        patch.setattr(aws, "client", lambda service: clients.get(service) or real(service))
        yield SimpleNamespace(batch=batch, fsx=fsx, ecs=ecs)
        batch.assert_no_pending_responses()
        fsx.assert_no_pending_responses()


def tags_of(**changes: str | None) -> dict[str, str]:
    """Tags, by default of this stage's launch-1, attempt 1; None leaves one out."""
    given = {"project": "genolaunch", "stage": "test", "launchId": "launch-1", "attempt": "1", **changes}
    return {key: value for key, value in given.items() if value is not None}


def as_list(tags: dict[str, str]) -> list[dict[str, str]]:
    """Tags as FSx and EC2 have them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def role(run: str, *, stage: str = "test") -> str:
    """Given: the role of a run's jobs, with a policy and in an instance profile; its name, which is the profile's."""
    iam, name = boto3.client("iam"), jobs_role_name(run)
    launch_id, _, attempt = run.rpartition("-")
    path = launch_roles_path(stage, launch_id, int(attempt))
    iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument="{}")
    policy = iam.create_policy(PolicyName=f"of-{run}", PolicyDocument=POLICY)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    iam.create_instance_profile(InstanceProfileName=name, Path=path)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    return name


def instance(job_id: str, run: str | None = None) -> str:
    """Given: one of Tibanna's instances, with the profile of a run if it is of one; its id."""
    ec2 = boto3.client("ec2")
    tags = as_list({"Name": f"awsem-{job_id}", "Type": "awsem"})
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    started = ec2.run_instances(
        ImageId=image,
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        **({"IamInstanceProfile": {"Name": role(run)}} if run else {}),
    )
    return str(started["Instances"][0]["InstanceId"])


def launch_template(name: str, **tags: str | None) -> str:
    """Given: an EC2 launch template with such tags (tags_of); its id."""
    created = boto3.client("ec2").create_launch_template(
        LaunchTemplateName=name,
        LaunchTemplateData={"InstanceType": "m5.large"},
        TagSpecifications=[{"ResourceType": "launch-template", "Tags": as_list(tags_of(**tags))}],
    )
    id_: str = created["LaunchTemplate"]["LaunchTemplateId"]
    return id_


def file_system(id_: str, lifecycle: str = "AVAILABLE", **tags: str) -> dict[str, Any]:
    """As DescribeFileSystems tells of it; by default of this stage's launch-1, attempt 1."""
    return {
        "FileSystemId": id_,
        "Lifecycle": lifecycle,
        "CreationTime": datetime(2026, 11, 21, 4, tzinfo=UTC),
        "StorageCapacity": 1200,
        "Tags": as_list(tags_of(**tags)),
    }


def register(
    repository: LaunchRepository,
    status: Status,
    attempt: int = 1,
    ended_at: str | None = None,
    workflow: str = "regenie",
    compute_service: str = "batch-spot",
) -> None:
    """Given: launch-1 in the table, in any status."""
    launch = Launch(
        "launch-1",
        "n",
        Status.SUBMITTED,
        "2026-11-21T04:00:00.000Z",
        workflow=workflow,
        compute_service=compute_service,
    )
    repository.register(launch, "fingerprint")
    changed = replace(launch, status=status, attempt=attempt, ended_at=ended_at)
    item = {name: value for name, value in changed.item().items() if value is not None}
    boto3.resource("dynamodb").Table(repository.launch_table).put_item(Item={**item, LaunchField.STATUS: status.value})
