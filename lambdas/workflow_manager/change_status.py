"""Changes a launch's status for a state machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genolaunch.contract.launch import FINAL_STATUSES, STARTING_STATUSES, LaunchField, Status
from genolaunch.shared.errors import MissingRequiredParametersError, StatusConflictError
from genolaunch.shared.launch_item import LaunchItemError
from lambdas.shared.failure import failure, status_after
from lambdas.shared.function import function
from lambdas.shared.kept_errors import in_full
from lambdas.shared.launch import Launch
from lambdas.shared.observability import tell_of_sick_launch
from lambdas.workflow_manager.launch_queue import LaunchQueue
from lambdas.workflow_manager.status_function import announce, launch_queue, settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_NOT_RUNNING = FINAL_STATUSES | {Status.WAITING, Status.HELD}


@dataclass(frozen=True, slots=True)
class Change:
    """A change of status that is asked for."""

    launch_id: str
    to: Status
    execution_arn: str | None
    fields: Mapping[str, object]
    """Attributes of the launch table that change with it."""

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> "Change":
        """Read `{launchId, to, executionArn, error?, resultsUri?, reportUri?}`.

        FAILED for a fault of the launch's inputs means REJECTED: state machines do not look into errors.

        Raises:
            KeyError, ValueError: it is not such a request.
        """
        to, given = (
            Status(event["to"]),
            {name: event[name] for name in (LaunchField.RESULTS_URI, LaunchField.REPORT_URI) if event.get(name)},
        )
        if event.get("error"):
            error = in_full(settings().task_table, event["launchId"], failure(event["error"]))
            given[LaunchField.ERROR] = error
            to = status_after(error) if to is Status.FAILED else to
        return cls(event["launchId"], to, event.get("executionArn"), given)


@function
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, Any]:
    """`{launchId, to, executionArn, error?, resultsUri?, reportUri?}` -> `{launchId, attempt, workflow, status}`.

    RUNNING may be answered with QUEUED (there is no slot now) or REJECTED (its item or its config was edited, and
    cannot run).
    Raises StatusConflictError when the change is not legal now.
    """
    launch = change_status(Change.from_event(event))
    return {
        "launchId": launch.launch_id,
        "attempt": launch.attempt,
        "workflow": launch.workflow,
        "status": launch.status.value,
    }


def change_status(change: Change) -> Launch:
    """Make the change and tell of it. Asked again, it is answered and told of again: rather twice than never.

    To RUNNING is a claim: without a free slot the launch becomes QUEUED instead, and REJECTED if it cannot run. One
    that stops running gives its slot back.
    """
    queue = launch_queue(settings())
    if change.to is Status.RUNNING:
        launch = _claim(queue, change.launch_id, _claimant(change))
    else:
        launch = queue.repository.change_status(
            change.launch_id, change.to, execution_arn=change.execution_arn, fields=change.fields
        )
    announce(launch)
    if launch.status in _NOT_RUNNING:
        # The next attempt has a slot, too, if the launch was cancelled when its turn had come.
        queue.give_back(launch.launch_id, launch.attempt, launch.attempt + 1)
    return launch


def _claim(queue: LaunchQueue, launch_id: str, execution_arn: str) -> Launch:
    try:
        launch = queue.repository.get(launch_id)
    except LaunchItemError as sick:
        tell_of_sick_launch(sick)
        if queue.repository.mend_status(launch_id):
            # If it waits to be started by what its events say, the stream asks for that anew.
            raise StatusConflictError(f"{launch_id}: its status was written by hand, out of turn.") from sick
        return queue.repository.reject_sick(sick)
    if launch is None or launch.status not in (*STARTING_STATUSES, Status.QUEUED):
        # Known already, or refused. A person may ask for a retry just now: without a slot it must not begin here.
        return queue.repository.claimed(launch_id, execution_arn)
    if launch.status is Status.QUEUED:
        return queue.enqueue(launch)
    from lambdas.workflow_manager.claiming import check_registered, error_of  # with pydantic: claims alone need it

    try:
        told = check_registered(launch, settings())
    except MissingRequiredParametersError as faulty:
        return queue.repository.reject_claim(launch, error_of(faulty))
    if not queue.take_slot(launch):
        return queue.enqueue(launch)
    try:
        return queue.repository.claim(launch_id, execution_arn, seen=launch, fields=told)
    except StatusConflictError:
        now = queue.repository.get_salvaged(launch_id)
        if now is None or now.is_final:
            queue.give_back(launch_id, launch.attempt + 1)  # it was cancelled between the two
        raise


def _claimant(change: Change) -> str:
    if change.execution_arn is None:
        raise ValueError("a claim needs the ARN of the execution that makes it")
    return change.execution_arn
