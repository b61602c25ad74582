"""Records what launches use, from the queue of Batch's, ECS's and EC2's events, while AWS still has the details."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit

from lambdas.pricing.events import BATCH, EC2, ECS, INTERRUPTION, fargate_fact, instance_fact, job_facts
from lambdas.pricing.recorder import Recorder
from lambdas.pricing.usage_table import UsageTable
from lambdas.shared.function import function
from lambdas.shared.observability import logger, metrics
from lambdas.shared.settings import settings_of

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function."""

    stage: str
    usage_table: str


settings = settings_of(Settings)


@cache
def recorder() -> Recorder:
    """Return the recorder of this process."""
    return Recorder(UsageTable(settings().usage_table), settings().stage)


@function
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, Any]:
    """SQS batch of events -> `batchItemFailures`.

    The batch is recorded as a whole, since one look-up serves a hundred jobs. If that fails, each message is tried by
    itself, so that one bad event does not delay the others.
    """
    messages = event["Records"]
    try:
        record([json.loads(message["body"]) for message in messages])
        failures: list[str] = []
    except Exception:
        logger.exception("The batch could not be recorded as a whole")
        failures = [message["messageId"] for message in messages if not _is_recorded(message["body"])]
    metrics.add_metric(name="UsageEventsRecorded", unit=MetricUnit.Count, value=len(messages) - len(failures))
    return {"batchItemFailures": [{"itemIdentifier": id_} for id_ in failures]}


def record(events: Iterable[Mapping[str, Any]]) -> None:
    """Record what the events say. Errors of AWS are raised."""
    by_type: dict[str, list[Mapping[str, Any]]] = {}
    for event in events:
        by_type.setdefault(event["detail-type"], []).append(event)
    recorder().jobs(fact for event in by_type.get(BATCH, ()) for fact in job_facts(event["detail"]))
    tasks = (fargate_fact(event["detail"], {}) for event in by_type.get(ECS, ()))
    recorder().tasks(fact for fact in tasks if fact is not None)
    recorder().instances(instance_fact(event) for kind in (EC2, INTERRUPTION) for event in by_type.get(kind, ()))


def _is_recorded(body: str) -> bool:
    try:
        record([json.loads(body)])
    except Exception:
        logger.exception("An event could not be recorded", extra={"event": body[:2000]})
        return False
    return True
