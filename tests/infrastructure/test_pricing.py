"""The pipe that starts pricing: its filter and its transformer, on records as DynamoDB streams have them."""

import json
from typing import Any

import pytest

from genolaunch.contract.cost import CostStatus
from genolaunch.contract.launch import Status
from localcloud import ministack_adapter
from localcloud.pipe_delivery import fill
from tests.infrastructure.conftest import as_list


@pytest.fixture(scope="module")
def pipe(stacks) -> dict[str, Any]:
    properties: dict[str, Any] = stacks["benchmark"].one("AWS::Pipes::Pipe", "Ended")
    return properties


def record(status: Status, **attributes: Any) -> dict[str, Any]:
    """A change of a launch, as the stream (NEW_IMAGE) tells it."""
    image = {"launchId": {"S": "gwas-1"}, "status": {"S": status.value}, "attempt": {"N": "2"}, **attributes}
    return {
        "eventID": "c4ca4238a0b923820dcc509a6f75849b",
        "eventName": "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1795248000.0,
            "Keys": {"launchId": {"S": "gwas-1"}},
            "NewImage": image,
            "SequenceNumber": "111",
            "SizeBytes": 26,
            "StreamViewType": "NEW_IMAGE",
        },
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:111111111111:table/launches/stream/2026-11-21T00:00:00.000",
    }


def passes(pipe: dict[str, Any], change: dict[str, Any]) -> bool:
    (only,) = pipe["SourceParameters"]["FilterCriteria"]["Filters"]
    return ministack_adapter.matches(only["Pattern"], change)


@pytest.mark.parametrize("status", list(Status))
def test_the_ends_that_cost_money_pass_and_no_other_status(pipe, status):
    assert passes(pipe, record(status)) is (status in {Status.COMPLETE, Status.FAILED, Status.CANCELLED})


@pytest.mark.parametrize("cost_status", list(CostStatus))
def test_what_the_benchmark_writes_never_passes(pipe, cost_status):
    claimed = {"costStatus": {"S": cost_status.value}, "costHistory": {"M": {}}}
    assert not passes(pipe, record(Status.COMPLETE, **claimed))
    assert not passes(pipe, record(Status.COMPLETE, **claimed, totalCost={"S": "1.250000"}))


def test_a_later_attempt_passes_again(pipe):
    history = {"costHistory": {"M": {"1": {"M": {"totalCost": {"S": "1.250000"}}}}}}
    assert passes(pipe, record(Status.FAILED, **history))


def test_the_machine_gets_what_it_needs_and_no_more(pipe):
    template = pipe["TargetParameters"]["InputTemplate"]
    assert fill(template, record(Status.COMPLETE, config={"S": "x" * 1000})) == {"launchId": "gwas-1", "attempt": "2"}
    assert json.loads(template).keys() == {"launchId", "attempt"}


def test_pricing_reads_prices_and_writes_none_of_what_it_bills(stacks):
    actions = {
        action
        for _, statement in stacks["benchmark"].statements("FunctionsPriceLaunchRole")
        for action in as_list(statement["Action"])
    }
    own = {action for action in actions if not action.startswith(("logs:", "xray:", "kms:"))}
    changing = {
        action for action in own if not action.split(":")[1].startswith(("Get", "List", "Describe", "Query", "Batch"))
    }
    assert changing == {"dynamodb:PutItem", "s3:PutObject"}
