"""First step of pricing: completes the usage of an attempt, and answers whether everything has ended."""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from lambdas.benchmark.collection import Collector
from lambdas.benchmark.usage_table import UsageTable
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import logger, metrics, tracer
from lambdas.shared.placements import read_places
from lambdas.shared.public_errors import private_errors
from lambdas.shared.settings import read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_MOST_NAMED: Final = 20
"""Of ten thousand jobs under way, the first ones are news enough."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function."""

    stage: str
    launch_table: str
    usage_table: str
    placements: str
    results_bucket: str


@cache
def settings() -> Settings:
    """The environment, read once."""
    return read_settings(Settings)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
@private_errors
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """`{launchId, attempt}` -> `{complete, waitsFor: [text]}`. Raises PriceError when a part of it is lost."""
    launch_id, attempt = event["launchId"], int(event["attempt"])
    launch = LaunchRepository(settings().launch_table).get(launch_id)
    if launch is None:
        raise LookupError(f"There is no launch {launch_id}.")
    queues = read_places(settings().placements).queues
    collector = Collector(UsageTable(settings().usage_table), settings().stage, queues, settings().results_bucket)
    collected = collector.collect(launch, attempt)
    logger.info("Usage collected", extra={"launchId": launch_id, "waitsFor": list(collected.waits_for[:_MOST_NAMED])})
    return {"complete": not collected.waits_for, "waitsFor": list(collected.waits_for[:_MOST_NAMED])}
