"""Events for other systems: each change of a launch's status, on the stage's own EventBridge bus."""

from typing import Any, Final

from genolaunch.contract.events import EVENT_DETAIL_TYPE, EVENT_SOURCE
from genolaunch.shared import aws
from genolaunch.shared.printable import json_text
from lambdas.shared.failure import public_message
from lambdas.shared.launch import Launch

_LONGEST_MESSAGE: Final = 2_000
"""Characters of an error: who wants the whole of it, and every fault, asks the launch table."""


def put_event(launch: Launch, *, bus: str, stage: str) -> None:
    """Put a launch's status on the bus, as docs/events.md describes it."""
    events = aws.client("events")
    answer = events.put_events(
        Entries=[
            {
                "EventBusName": bus,
                "Source": EVENT_SOURCE,
                "DetailType": EVENT_DETAIL_TYPE,
                "Detail": json_text(detail(launch, stage)),
            }
        ]
    )
    if answer["FailedEntryCount"]:
        raise RuntimeError(f"EventBridge refused an event of {launch.launch_id}: {answer['Entries'][0]}")


def detail(launch: Launch, stage: str) -> dict[str, Any]:
    """What happened, for machines; what is not known is left out."""
    error = launch.error
    facts = {
        "stage": stage,
        "launchId": launch.launch_id,
        "name": launch.name,
        "status": launch.status.value,
        "attempt": launch.attempt,
        "workflow": launch.workflow,
        "computeService": launch.compute_service,
        "requestedBy": launch.requested_by,
        "configUri": launch.config_uri,
        "submittedAt": launch.submitted_at,
        "updatedAt": launch.updated_at,
        "startedAt": launch.started_at,
        "endedAt": launch.ended_at,
        "resultsUri": launch.results_uri,
        "reportUri": launch.report_uri,
        "executionArn": launch.execution_arn,
        "statusReason": launch.status_reason,
        "error": {"type": error["type"], "message": public_message(error)[:_LONGEST_MESSAGE]} if error else None,
    }
    return {name: value for name, value in facts.items() if value is not None}
