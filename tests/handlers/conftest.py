"""A stage's tables, in AWS as moto plays it. Nothing reaches the network."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from genolaunch.contract.launch import STATUS_INDEX, LaunchField
from genolaunch.contract.tasks import TaskField
from genolaunch.shared import aws
from lambdas.shared.launch_repository import LaunchRepository

REGION = "eu-central-1"
LAUNCH_TABLE = "launches"
TASK_TABLE = "launch-tasks"


@pytest.fixture(autouse=True)
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Given: an empty AWS account, and the environment that every function has."""
    for name, value in {
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "POWERTOOLS_METRICS_NAMESPACE": "genolaunch",
        "STAGE": "test",
        "LAUNCH_TABLE": LAUNCH_TABLE,
        "TASK_TABLE": TASK_TABLE,
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        aws.client.cache_clear()
        yield
    aws.client.cache_clear()


@pytest.fixture
def repository(cloud: None) -> LaunchRepository:
    """Given: the launch table and the task table, empty."""
    dynamodb = boto3.client("dynamodb")
    for table, keys in {
        LAUNCH_TABLE: [(LaunchField.LAUNCH_ID, "HASH")],
        TASK_TABLE: [(TaskField.LAUNCH_ID, "HASH"), (TaskField.TASK_ID, "RANGE")],
    }.items():
        dynamodb.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        )
    _add_status_index(dynamodb)
    return LaunchRepository(LAUNCH_TABLE, TASK_TABLE)


def _add_status_index(dynamodb: Any) -> None:
    """As stacks/data.py makes it."""
    keys = ((LaunchField.STATUS, "HASH"), (LaunchField.SUBMITTED_AT, "RANGE"))
    index = {
        "IndexName": STATUS_INDEX,
        "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        "Projection": {"ProjectionType": "ALL"},
    }
    dynamodb.update_table(
        TableName=LAUNCH_TABLE,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        GlobalSecondaryIndexUpdates=[{"Create": index}],
    )
