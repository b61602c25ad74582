"""Second step of pricing: the bill of an attempt whose usage is complete."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit, single_metric

from genolaunch.contract.metrics import Metric
from genolaunch.shared import aws
from genolaunch.shared.steps import read_steps
from lambdas.pricing.bill_document import MOST_LINES, line_documents
from lambdas.pricing.bill_files import BillFiles
from lambdas.pricing.export_row import put_row
from lambdas.pricing.other_lines import other_lines
from lambdas.pricing.price_list import PriceList, window_of
from lambdas.pricing.rates.bill import Bill, make_bill
from lambdas.pricing.rates.money import CURRENCY, merged
from lambdas.pricing.time_spent import status_seconds, step_seconds
from lambdas.pricing.usage_table import UsageTable
from lambdas.pricing.whole_usage import read_usage
from lambdas.shared.attributes import to_attribute
from lambdas.shared.clock import timestamp
from lambdas.shared.function import function
from lambdas.shared.launch import Launch
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import logger, metrics
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
    analytics_bucket: str


settings = settings_of(Settings)


@function
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, Any]:
    """`{launchId, attempt}` -> what the state machine writes into the launch's item.

    `{totalCost, instanceCost, volumeCost, filesystemCost, costUri}` as text, `costBreakdown`, `statusSeconds` and
    `stepSeconds` as DynamoDB's attribute values. Raises PriceError, or AWS's error, when the price is not known.
    """
    launch_id, attempt = event["launchId"], int(event["attempt"])
    launch = LaunchRepository(settings().launch_table).get(launch_id)
    if launch is None:
        raise LookupError(f"There is no launch {launch_id}.")
    now = datetime.now(UTC)
    table = UsageTable(settings().usage_table)
    usage = read_usage(table, launch_id, attempt, int(settings().job_volume_gib))
    usage = replace(usage, other_lines=list(other_lines(table, launch, attempt, now)))
    prices = PriceList(settings().price_table, aws.client("dynamodb").meta.region_name, window_of(usage, now))
    bill = make_bill(usage, prices, now)
    logger.info("Priced", extra={"launchId": launch_id, "lines": len(bill.lines), "calls": prices.calls})
    steps = read_steps(aws.client("stepfunctions"), arn) if (arn := launch.workflow_execution_arn) else []
    took = step_seconds(steps)
    _count(launch.workflow or "unknown", bill, took)
    return _answer(launch, attempt, bill, took, now)


def _count(workflow: str, bill: Bill, took: Mapping[str, str]) -> None:
    """For the dashboard: what a day costs, and how long steps take."""
    about = {"stage": settings().stage, "workflow": workflow}
    _put(Metric.LAUNCH_COST, MetricUnit.NoUnit, float(bill.total), about)
    for step, seconds in took.items():
        _put(Metric.STEP_SECONDS, MetricUnit.Seconds, float(seconds), about | {"step": step})


def _put(name: Metric, unit: MetricUnit, value: float, dimensions: Mapping[str, str]) -> None:
    with single_metric(name, unit, value, namespace=metrics.namespace, default_dimensions=dict(dimensions)):
        pass  # put on leaving


def _answer(launch: Launch, attempt: int, bill: Bill, took: Mapping[str, str], now: datetime) -> dict[str, Any]:
    sums = {
        "totalCost": str(bill.total),
        "instanceCost": str(bill.instances),
        "volumeCost": str(bill.volumes),
        "filesystemCost": str(bill.file_systems),
    }
    times = {"statusSeconds": status_seconds(launch), "stepSeconds": took}
    document = {
        "launchId": launch.launch_id,
        "attempt": attempt,
        "currency": CURRENCY,
        "pricedAt": timestamp(now),
        **sums,
        **times,
        "lines": line_documents(bill.lines),
    }
    put_row(settings().analytics_bucket, settings().stage, launch, document)
    shown = line_documents(merged(bill.lines, MOST_LINES))
    files = BillFiles(settings().results_bucket, launch.launch_id, launch.report_uri)
    return {
        **sums,
        **{name: to_attribute(value) for name, value in times.items()},
        "costBreakdown": to_attribute(shown),
        "costUri": files.write(document, shown),
        "pricedAt": document["pricedAt"],
    }
