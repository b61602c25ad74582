"""Starts clean-up for launch executions whose end caused no event.

Step Functions sends its status events at best effort (Amazon EventBridge events reference), so the end of an execution
can be missed. Its launch would stay RUNNING, and its file system would cost money, for ever.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from aws_lambda_powertools.metrics import MetricUnit

from genolaunch.contract.launch import Status
from genolaunch.contract.metrics import Metric
from genolaunch.contract.project import run_name
from genolaunch.shared import aws
from lambdas.shared.function import function
from lambdas.shared.launch import Launch
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import logger, metrics
from lambdas.shared.one_by_one import OneByOne
from lambdas.shared.settings import settings_of

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from types_boto3_stepfunctions.client import SFNClient
    from types_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef

_OWNED: Final = (Status.RUNNING, Status.CANCEL_REQUESTED)
"""Statuses in which an execution is, or should be, at work on a launch."""


@dataclass(frozen=True, slots=True)
class LostEndingSettings:
    """Environment variables of the function."""

    launch_table: str
    cleanup_state_machine: str
    sweep_grace_minutes: str


settings = settings_of(LostEndingSettings)


@function
def handler(_event: dict[str, Any], _context: "LambdaContext") -> dict[str, int]:
    """Anything (a schedule) -> `{found: n}`."""
    one_by_one = OneByOne("The execution of a launch was not looked at")
    found = settle_lost_endings(datetime.now(UTC), one_by_one)
    metrics.add_metric(name=Metric.LOST_ENDINGS, unit=MetricUnit.Count, value=found)
    one_by_one.raise_if_any()
    return {"found": found}


def settle_lost_endings(now: datetime, one_by_one: OneByOne) -> int:
    """Start clean-up with the event that was lost, for every launch whose execution has ended; how many there were.

    An ending within the grace is left to its own event. Starting a clean-up twice does no harm.
    """
    heard_until = now - timedelta(minutes=float(settings().sweep_grace_minutes))
    found = 0
    for launch in _owned():
        with one_by_one.launch(launch.launch_id):
            execution = _ended_execution(launch)
            if execution and execution.get("stopDate", now) <= heard_until:
                _start_cleanup(launch, execution, now)
                found += 1
    return found


def _owned() -> Iterator[Launch]:
    """Launches that the table says are worked on; also those whose items cannot be read, as far as they can."""
    repository = LaunchRepository(settings().launch_table)
    for status in _OWNED:
        yield from repository.with_status(status)
        for sick in repository.sick_with_status(status):
            launch = repository.get_salvaged(sick.launch_id)
            if launch is not None:
                yield launch


def _ended_execution(launch: Launch) -> "DescribeExecutionOutputTypeDef | None":
    """The execution that has a launch, if it is not at work any more."""
    client = _step_functions()
    if not launch.execution_arn:
        # A claim writes both: who took its name away was no function, and nobody else would ever end it.
        is_nobodys = launch.status is Status.RUNNING
        return (
            cast("DescribeExecutionOutputTypeDef", {"executionArn": None, "status": "FAILED"}) if is_nobodys else None
        )
    try:
        execution = client.describe_execution(executionArn=launch.execution_arn)
    except (client.exceptions.ExecutionDoesNotExist, client.exceptions.InvalidArn):
        # Step Functions knows each for 90 days after its end: none of that name works on the launch, whoever wrote it.
        return cast("DescribeExecutionOutputTypeDef", {"executionArn": launch.execution_arn, "status": "FAILED"})
    return execution if execution["status"] != "RUNNING" else None


def _start_cleanup(launch: Launch, execution: "DescribeExecutionOutputTypeDef", now: datetime) -> None:
    """As the rule on endings does, with the same event's detail. The name fits Step Functions' 80 characters."""
    detail = {name: execution.get(name) for name in ("executionArn", "stateMachineArn", "status", "error", "cause")}
    # The launch by its id, since the execution's own input may be left out of what DescribeExecution tells.
    event = {"detail": {**detail, "input": json.dumps([{"launchId": launch.launch_id}])}}
    client = _step_functions()
    try:
        client.start_execution(
            stateMachineArn=settings().cleanup_state_machine,
            name=f"{run_name(launch.launch_id, launch.attempt)}-lost-{now:%d%H}",
            input=json.dumps(event),
        )
    except client.exceptions.ExecutionAlreadyExists:
        return  # this hour's earlier look found it too
    logger.warning("An ending was lost", extra={"launchId": launch.launch_id, "execution": launch.execution_arn})


def _step_functions() -> "SFNClient":
    client: SFNClient = aws.client("stepfunctions")
    return client
