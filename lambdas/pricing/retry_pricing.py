"""Prices launches again whose price is unknown, or was never requested."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.metrics import MetricUnit

from genolaunch.contract.cost import PRICED_STATUSES, CostStatus
from genolaunch.contract.events import GRACE_MINUTES
from genolaunch.contract.launch import STATUS_INDEX, LaunchField
from genolaunch.contract.project import run_name
from genolaunch.shared import aws
from genolaunch.shared.launch_item import check_item, id_of
from lambdas.shared.attributes import from_item, to_attribute
from lambdas.shared.clock import timestamp
from lambdas.shared.function import function
from lambdas.shared.observability import logger, metrics
from lambdas.shared.one_by_one import OneByOne
from lambdas.shared.settings import settings_of

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_LOOK_BACK: Final = timedelta(days=35)
"""EC2 keeps Spot prices for 90 days; a launch may run for 14 days, and wait for others before that."""

_LOST_AFTER: Final = timedelta(minutes=30)
"""A launch that ended so long ago, and whose pricing nobody began, was lost on its way through the pipe."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function."""

    launch_table: str
    benchmark_state_machine: str


settings = settings_of(Settings)


@function
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, Any]:
    """A schedule's event, or `{graceMinutes}` -> `{started: n}`."""
    now = datetime.now(UTC)
    lost_after = timedelta(minutes=float(event[GRACE_MINUTES])) if GRACE_MINUTES in event else _LOST_AFTER
    started = 0
    one_by_one = OneByOne("The price of a launch was not asked for again")
    for launch in _unpriced(now, now - lost_after):
        with one_by_one.launch(id_of(launch)):
            check_item(launch)
            if launch.get(LaunchField.COST_STATUS) == CostStatus.PRICING and not _release(launch):
                continue
            started += _start(launch, now)
    metrics.add_metric(name="PricingRetries", unit=MetricUnit.Count, value=started)
    one_by_one.raise_if_any()
    return {"started": started}


def _unpriced(now: datetime, ended_before: datetime) -> Iterator[dict[str, Any]]:
    """Launches of the last weeks that are over and have no price; those that are just being priced too."""
    pages = aws.client("dynamodb").get_paginator("query")
    for status in PRICED_STATUSES:
        for page in pages.paginate(
            IndexName=STATUS_INDEX,
            TableName=settings().launch_table,
            KeyConditionExpression="#status = :status AND #submitted > :since",
            FilterExpression="attribute_not_exists(#total) AND #ended < :lost",
            ExpressionAttributeNames={
                "#status": LaunchField.STATUS,
                "#submitted": LaunchField.SUBMITTED_AT,
                "#total": LaunchField.TOTAL_COST,
                "#ended": LaunchField.ENDED_AT,
            },
            ExpressionAttributeValues={
                ":status": to_attribute(status.value),
                ":since": to_attribute(timestamp(now - _LOOK_BACK)),
                ":lost": to_attribute(timestamp(ended_before)),
            },
        ):
            yield from map(from_item, page["Items"])


def _release(launch: dict[str, Any]) -> bool:
    """Remove the claim of an execution that is over without a result. Returns False while it runs."""
    client = aws.client("stepfunctions")
    arn = launch[LaunchField.COST_EXECUTION_ARN]
    try:
        if client.describe_execution(executionArn=arn)["status"] == "RUNNING":
            return False
    except client.exceptions.ExecutionDoesNotExist:
        pass  # older than 90 days
    aws.client("dynamodb").update_item(
        TableName=settings().launch_table,
        Key={LaunchField.LAUNCH_ID: to_attribute(launch[LaunchField.LAUNCH_ID])},
        UpdateExpression="SET #cost = :unknown, #reason = :reason",
        ConditionExpression="#execution = :execution",
        ExpressionAttributeNames={
            "#cost": LaunchField.COST_STATUS,
            "#reason": LaunchField.COST_REASON,
            "#execution": LaunchField.COST_EXECUTION_ARN,
        },
        ExpressionAttributeValues={
            ":unknown": to_attribute(CostStatus.UNKNOWN.value),
            ":reason": to_attribute("The execution that should price it ended without a result."),
            ":execution": to_attribute(arn),
        },
    )
    return True


def _start(launch: dict[str, Any], now: datetime) -> int:
    """Start pricing. Returns 1 if an execution was started, 0 if the same call started it before. A second execution
    does no harm.

    The name contains microseconds, so that two rounds in one second are not taken for the same call.
    """
    client = aws.client("stepfunctions")
    launch_id, attempt = launch[LaunchField.LAUNCH_ID], int(launch.get(LaunchField.ATTEMPT, 0))
    try:
        client.start_execution(
            stateMachineArn=settings().benchmark_state_machine,
            name=f"{run_name(launch_id, attempt)}-{now:%y%m%d%H%M%S%f}",
            input=json.dumps([{"launchId": launch_id, "attempt": str(attempt)}]),
        )
    except client.exceptions.ExecutionAlreadyExists:
        return 0
    logger.info("Pricing is tried again", extra={"launchId": launch_id, "attempt": attempt})
    return 1
