"""A stage's usage and price tables in moto, and an account of instances that is played here."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from genolaunch.contract.launch import LaunchField, Status
from genolaunch.contract.usage import USAGE_INDEX, UsageField
from genolaunch.shared import aws
from lambdas.pricing import collect_usage, price_launch, price_list, record_usage
from lambdas.pricing.usage_table import UsageTable
from localcloud.pricing import PricingService, RecordedPrices
from localcloud.service import ServiceError

LAUNCH = "gwas-20261101t080000-1a2b3c4d"
START = datetime(2026, 11, 1, 8, tzinfo=UTC)
CLUSTER = "arn:aws:ecs:us-east-1:123456789012:container-instance/cluster"
CONTEXT: Any = SimpleNamespace(
    function_name="function",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:function",
    aws_request_id="request",
)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def milliseconds(minutes: float) -> int:
    return round(at(minutes).timestamp() * 1000)


@dataclass
class Account:
    """What Batch, ECS and EC2 know, and how often they were asked."""

    instances: dict[str, dict[str, Any]] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    spot: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    prices: PricingService = field(default_factory=lambda: PricingService(RecordedPrices()))

    def add_instance(self, id_: str, type_: str = "m6i.large", *, spot: bool = False, **changes: Any) -> None:
        """It is running, with a 100 GiB volume; two vCPUs and 7,680 MiB for containers."""
        self.instances[id_] = {
            "InstanceId": id_,
            "InstanceType": type_,
            "State": {"Name": "running"},
            "LaunchTime": START,
            "Placement": {"AvailabilityZone": "us-east-1a"},
            "CpuOptions": {"CoreCount": 1, "ThreadsPerCore": 2},
            "BlockDeviceMappings": [{"Ebs": {"VolumeId": f"vol-{id_}"}}],
            "Tags": [{"Key": "project", "Value": "genolaunch"}, {"Key": "stage", "Value": "test"}],
            **({"InstanceLifecycle": "spot"} if spot else {}),
            **changes,
        }

    def client(self, service: str) -> Any:
        return {"ecs": _Ecs(self), "ec2": _Ec2(self), "batch": _Batch(self)}[service]


class _Pages:
    def __init__(self, pages: Any) -> None:
        self.paginate = pages


@dataclass
class _Ecs:
    account: Account
    exceptions = SimpleNamespace(ClusterNotFoundException=type("ClusterNotFoundException", (Exception,), {}))

    def describe_container_instances(self, cluster: str, containerInstances: list[str]) -> Any:  # noqa: N803
        assert len(containerInstances) <= 100
        self.account.calls.append("DescribeContainerInstances")
        found = [
            {
                "containerInstanceArn": arn,
                "ec2InstanceId": arn.rpartition("/")[2],
                "registeredResources": [
                    {"name": "CPU", "integerValue": 2048},
                    {"name": "MEMORY", "integerValue": 7680},
                ],
            }
            for arn in containerInstances
            if arn.rpartition("/")[2] in self.account.instances
        ]
        return {"containerInstances": found}

    def describe_tasks(self, cluster: str, tasks: list[str], include: list[str]) -> Any:
        self.account.calls.append("DescribeTasks")
        return {"tasks": [self.account.tasks[id_] for id_ in tasks if id_ in self.account.tasks]}


@dataclass
class _Ec2:
    account: Account

    def describe_instances(self, InstanceIds: list[str]) -> Any:  # noqa: N803
        self.account.calls.append("DescribeInstances")
        known = self.account.instances
        if unknown := [id_ for id_ in InstanceIds if id_ not in known]:
            message = f"The instance IDs '{', '.join(unknown)}' do not exist"
            raise ClientError(
                {"Error": {"Code": "InvalidInstanceID.NotFound", "Message": message}}, "DescribeInstances"
            )
        return {"Reservations": [{"Instances": [known[id_]]} for id_ in InstanceIds]}

    def get_paginator(self, operation: str) -> _Pages:
        pages = {
            "describe_volumes": self._volumes,
            "describe_spot_price_history": self._spot,
            "describe_instances": self._named,
        }
        return _Pages(pages[operation])

    def _named(self, Filters: list[Any]) -> Iterator[Any]:  # noqa: N803
        assert len(Filters[0]["Values"]) <= 200
        self.account.calls.append("DescribeInstances")
        for each in self.account.instances.values():
            if any(tag["Key"] == "Name" and tag["Value"] in Filters[0]["Values"] for tag in each["Tags"]):
                yield {"Reservations": [{"Instances": [each]}]}

    def _volumes(self, Filters: list[Any]) -> Iterator[Any]:  # noqa: N803
        self.account.calls.append("DescribeVolumes")
        yield {
            "Volumes": [
                {"VolumeId": id_, "VolumeType": "gp3", "Size": 100, "Iops": 3000, "Throughput": 125}
                for id_ in Filters[0]["Values"]
            ]
        }

    def _spot(self, **_: Any) -> Iterator[Any]:
        self.account.calls.append("DescribeSpotPriceHistory")
        yield {"SpotPriceHistory": self.account.spot}


@dataclass
class _Batch:
    account: Account

    def get_paginator(self, operation: str) -> _Pages:
        def pages(jobQueue: str, filters: list[Any]) -> Iterator[Any]:  # noqa: N803
            jobs = [(id_, job) for id_, job in self.account.jobs.items() if job["jobQueue"] == jobQueue]
            parents = [job for id_, job in jobs if ":" not in id_]
            yield {"jobSummaryList": parents}

        return _Pages(pages)

    def describe_jobs(self, jobs: list[str]) -> Any:
        assert len(jobs) <= 100
        self.account.calls.append("DescribeJobs")
        return {"jobs": [self.account.jobs[id_] for id_ in jobs if id_ in self.account.jobs]}


class _Pricing:
    """The embedded cloud's Price List, called as boto3's client is."""

    def __init__(self, service: PricingService) -> None:
        self._service = service

    def get_paginator(self, operation: str) -> _Pages:
        def pages(**params: Any) -> Iterator[Any]:
            token: dict[str, str] = {}
            while True:
                try:
                    page = self._service.call("GetProducts", {**params, **token, "MaxResults": 2})
                except ServiceError as error:
                    raise ClientError({"Error": {"Code": error.code, "Message": error.message}}, operation) from error
                yield page
                if "NextToken" not in page:
                    return
                token = {"NextToken": page["NextToken"]}

        return _Pages(pages)


@pytest.fixture
def account(repository: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """Given: an account without instances, and a stage with empty tables."""
    _make_tables()
    for name, value in {
        "USAGE_TABLE": "usage",
        "PRICE_TABLE": "prices",
        "JOB_VOLUME_GIB": "100",
        "RESULTS_BUCKET": "results",
        "ANALYTICS_BUCKET": "analytics",
        "PLACEMENTS": json.dumps({"queues": "queue", "zones": {"us-east-1a": "subnet-1"}}),
    }.items():
        monkeypatch.setenv(name, value)
    for cached in (record_usage.settings, record_usage.recorder, collect_usage.settings, price_launch.settings):
        cached.cache_clear()
    played = Account()
    real = aws.client
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            aws, "client", lambda name: played.client(name) if name in {"ecs", "ec2", "batch"} else real(name)
        )
        patch.setattr(price_list, "_pricing", lambda region: _Pricing(played.prices))
        # The recorded prices are those of us-east-1, wherever moto's tables are.
        yield played


def _make_tables() -> None:
    dynamodb = boto3.client("dynamodb")
    texts = (UsageField.OWNER, UsageField.USAGE_ID, UsageField.INSTANCE_ID)
    dynamodb.create_table(
        TableName="usage",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in texts],
        KeySchema=[
            {"AttributeName": UsageField.OWNER, "KeyType": "HASH"},
            {"AttributeName": UsageField.USAGE_ID, "KeyType": "RANGE"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": USAGE_INDEX,
                "KeySchema": [
                    {"AttributeName": UsageField.INSTANCE_ID, "KeyType": "HASH"},
                    {"AttributeName": UsageField.USAGE_ID, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    dynamodb.create_table(
        TableName="prices",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "product", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "product", "KeyType": "HASH"}],
    )
    for bucket in ("results", "analytics"):
        boto3.client("s3").create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )


@pytest.fixture
def table(account: Account) -> UsageTable:
    return UsageTable("usage")


def register(status: Status = Status.COMPLETE, attempt: int = 1, **fields: Any) -> None:
    """Given: the launch in the table."""
    boto3.resource("dynamodb").Table("launches").put_item(
        Item={
            LaunchField.LAUNCH_ID: LAUNCH,
            LaunchField.NAME: "gwas",
            LaunchField.STATUS: status.value,
            LaunchField.ATTEMPT: attempt,
            LaunchField.SUBMITTED_AT: "2026-11-01T07:59:00.000Z",
            LaunchField.EVENTS: [
                {"status": "RUNNING", "at": "2026-11-01T07:59:30.000Z"},
                {"status": status.value, "at": "2026-11-01T09:29:30.500Z"},
            ],
            **fields,
        }
    )


def job(
    id_: str,
    *attempts: tuple[str, float, float],
    running: tuple[str, float] | None = None,
    launch: str = LAUNCH,
    vcpus: int = 2,
) -> dict[str, Any]:
    """A job as Batch tells of it: ended attempts (instance, start, stop), and the one that runs (instance, start)."""

    def container(instance: str, start: float) -> dict[str, Any]:
        return {
            "containerInstanceArn": f"{CLUSTER}/{instance}",
            "taskArn": f"arn:aws:ecs:us-east-1:123456789012:task/cluster/{id_}-{start}".replace(":0-", "-"),
        }

    needs = [{"type": "VCPU", "value": str(vcpus)}, {"type": "MEMORY", "value": "4096"}]
    detail: dict[str, Any] = {
        "jobId": id_,
        "jobName": f"{launch}-1-step2",
        "jobQueue": "queue-us-east-1a-batch-spot-low",
        "status": "RUNNING" if running else "SUCCEEDED",
        "attempts": [
            {
                "container": container(instance, start),
                "startedAt": milliseconds(start),
                "stoppedAt": milliseconds(stop),
                "statusReason": "",
            }
            for instance, start, stop in attempts
        ],
        "container": {"resourceRequirements": needs},
    }
    if running:
        detail["container"] |= container(*running)
        detail["startedAt"] = milliseconds(running[1])
    return detail


def batch_event(detail: dict[str, Any]) -> dict[str, Any]:
    return {"detail-type": "Batch Job State Change", "source": "aws.batch", "detail": detail}


def instance_event(id_: str, state: str, minutes: float) -> dict[str, Any]:
    time = f"{at(minutes):%Y-%m-%dT%H:%M:%SZ}"
    detail = {"instance-id": id_, "state": state}
    return {"detail-type": "EC2 Instance State-change Notification", "time": time, "detail": detail}


def deliver(*events: dict[str, Any]) -> list[str]:
    """When: the recorder gets these events in one batch. Answers the ids of those that it could not record."""
    records = [{"messageId": str(number), "body": json.dumps(event)} for number, event in enumerate(events)]
    answer = record_usage.handler({"Records": records}, CONTEXT)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
