"""First step of pricing: completes the usage of an attempt, and answers whether everything has ended."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lambdas.pricing.collection import Collector
from lambdas.pricing.usage_table import UsageTable
from lambdas.shared.function import function
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import logger
from lambdas.shared.placements import read_places
from lambdas.shared.settings import settings_of

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


settings = settings_of(Settings)


@function
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, Any]:
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
