"""First step of clean-up: corrects the launch table after the end of an execution."""

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit

from genolaunch.contract.errors import INPUTS_UNSEEN
from genolaunch.contract.launch import LaunchField
from genolaunch.shared.errors import StatusConflictError
from lambdas.shared.function import function
from lambdas.shared.kept_errors import in_full
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import count_platform_fault, logger, metrics
from lambdas.workflow_manager.settlement import EndedExecution, Settlement, settle
from lambdas.workflow_manager.status_function import announce, launch_queue, settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_MOST_TRIES = 3
"""A person or the execution itself may change the table between reading and writing."""


@function
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, Any]:
    """`detail` of a Step Functions Execution Status Change of **launch** -> `{launchId, endedAttempt}`."""
    ended = EndedExecution.from_detail(event)
    settlement = settle_launch(ended)
    if ended.error["Error"] == INPUTS_UNSEEN:
        # No launch fails with this error, so no other place counts it.
        count_platform_fault()
    metrics.add_metric(name="ExecutionsSettled", unit=MetricUnit.Count, value=1)
    logger.info("Execution settled", extra={"launchId": ended.launch_id, "endedAttempt": settlement.ended_attempt})
    return {"launchId": ended.launch_id, "endedAttempt": settlement.ended_attempt}


def settle_launch(ended: EndedExecution) -> Settlement:
    """Correct the launch's status, and give the ended attempt's slot to the next launch.

    Raises:
        StatusConflictError: If the table keeps changing in the meantime.
    """
    queue = launch_queue(settings())
    for _ in range(_MOST_TRIES):
        settlement = settle(queue.repository.get_salvaged(ended.launch_id) if ended.launch_id else None, ended)
        if settlement.to is None or _record(queue.repository, ended, settlement):
            if ended.launch_id and settlement.attempts_without_slot:
                queue.give_back(ended.launch_id, *settlement.attempts_without_slot)
            return settlement
    raise StatusConflictError(f"The status of {ended.launch_id} kept changing while {ended.arn} was settled.")


def _record(repository: LaunchRepository, ended: EndedExecution, settlement: Settlement) -> bool:
    assert ended.launch_id is not None
    assert settlement.to is not None
    error = in_full(settings().task_table, ended.launch_id, settlement.error) if settlement.error else None
    fields = {LaunchField.ERROR: error} if error else {}
    try:
        launch = repository.change_status(ended.launch_id, settlement.to, execution_arn=ended.arn, fields=fields)
    except StatusConflictError:
        return False
    announce(launch)
    return True
