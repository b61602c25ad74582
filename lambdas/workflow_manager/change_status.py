"""Changes a launch's status for a state machine: the one place where it changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contract import LaunchField, Status
from lambdas.shared.failure import failure, status_after
from lambdas.shared.launch import Launch
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import logger, metrics, tracer
from lambdas.workflow_manager.status_function import announce, settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


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
            error = failure(event["error"])
            given[LaunchField.ERROR] = error
            to = status_after(error) if to is Status.FAILED else to
        return cls(event["launchId"], to, event.get("executionArn"), given)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """`{launchId, to, executionArn, error?, resultsUri?, reportUri?}` -> `{launchId, attempt, workflow, status}`.

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
    """Make the change and tell of it. Asked again, it is answered and told of again: rather twice than never."""
    repository = LaunchRepository(settings().launch_table)
    if change.to is Status.RUNNING:
        launch = repository.claim(change.launch_id, _claimant(change))
    else:
        launch = repository.change_status(
            change.launch_id, change.to, execution_arn=change.execution_arn, fields=change.fields
        )
    announce(launch)
    return launch


def _claimant(change: Change) -> str:
    if change.execution_arn is None:
        raise ValueError("a claim needs the ARN of the execution that makes it")
    return change.execution_arn
