"""Checks the cost so far of running launches. Cancels those above their budget, or sends a warning.

It runs on a schedule, because no event reports that cost grows with time.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit

from genolaunch.contract.launch import BudgetAction, Status
from genolaunch.shared.errors import StatusConflictError
from lambdas.pricing.collection import Collector
from lambdas.pricing.estimate.budget import Budget, passed
from lambdas.pricing.estimate.notice import tell_of_budget, was_told
from lambdas.pricing.rates.money import PriceError
from lambdas.pricing.spent import spent
from lambdas.pricing.usage_table import UsageTable
from lambdas.shared.announcement import announce
from lambdas.shared.function import function
from lambdas.shared.launch import Launch
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import logger, metrics
from lambdas.shared.one_by_one import OneByOne
from lambdas.shared.placements import read_places
from lambdas.shared.settings import settings_of

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function."""

    stage: str
    launch_table: str
    usage_table: str
    price_table: str
    job_volume_gib: str
    results_bucket: str
    placements: str
    notification_topic: str
    event_bus: str


settings = settings_of(Settings)


@function
def handler(_event: dict[str, Any], _context: "LambdaContext") -> dict[str, Any]:
    """(schedule) -> `{passed: [launchId]}`.

    Raises RuntimeError when launches could not be looked at, after all others were.
    """
    repository = LaunchRepository(settings().launch_table)
    over: list[str] = []
    one_by_one = OneByOne("A budget could not be watched")
    for launch in repository.with_status(Status.RUNNING):
        with one_by_one.launch(launch.launch_id):
            if _has_passed(repository, launch):
                over.append(launch.launch_id)
    metrics.add_metric(name="BudgetsPassed", unit=MetricUnit.Count, value=len(over))
    one_by_one.raise_if_any()  # the next round tries again
    return {"passed": over}


def _has_passed(repository: LaunchRepository, launch: Launch) -> bool:
    budget = Budget.of(launch.config)
    if budget is None:
        return False
    so_far = _spent(launch)
    limit = budget.agreed(launch)
    if so_far is None or so_far <= limit:
        return False
    reason = passed(so_far, limit, budget)
    if budget.action is BudgetAction.WARN:
        told_before = was_told(launch)
        tell_of_budget(repository, launch, reason, settings())
        return not told_before
    try:
        cancelled = repository.change_status(
            launch.launch_id, Status.CANCEL_REQUESTED, execution_arn=None, attempt=launch.attempt
        )
    except StatusConflictError:
        return False  # it ended meanwhile
    announce(cancelled, settings())
    tell_of_budget(repository, launch, reason, settings())
    return True


def _spent(launch: Launch) -> Decimal | None:
    table = UsageTable(settings().usage_table)
    queues = read_places(settings().placements).queues
    collector = Collector(table, settings().stage, queues, settings().results_bucket)
    try:
        return spent(
            launch, collector, table, settings().price_table, int(settings().job_volume_gib), datetime.now(UTC)
        )
    except PriceError as unknown:
        # An instance that has just started may not be known yet: the next round sees it.
        logger.warning("Not known what it costs", extra={"launchId": launch.launch_id, "reason": str(unknown)})
        return None
