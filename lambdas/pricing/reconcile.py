"""Compares what the stage's launches cost at list prices with what AWS billed for the same days.

One launch cannot be told apart on a bill: tags do not divide an instance that launches share. So the totals of the
stage for the launch's days are compared, and the difference is stored with the launch: discounts, Savings Plans, and
costs that are on no launch's bill (an instance without jobs).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import boto3

from genolaunch.contract.cost import PRICED_STATUSES
from genolaunch.contract.launch import LaunchField
from genolaunch.contract.project import PROJECT, TAG_PROJECT, TAG_STAGE
from lambdas.pricing.rates.money import CENT_FRACTION, PriceError
from lambdas.pricing.usage import seconds_between
from lambdas.shared.function import function
from lambdas.shared.launch import Launch
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import logger
from lambdas.shared.settings import settings_of

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_REGION: Final = "us-east-1"
"""Cost Explorer's only endpoint outside China (AWS general reference)."""

_SERVICES: Final = (
    "Amazon Elastic Compute Cloud - Compute",
    "EC2 - Other",  # volumes, but NAT gateways too: hence the usage types below
    "Amazon FSx",
    "Amazon Elastic Container Service",
)
_NOT_LAUNCHES: Final = ("NatGateway", "DataTransfer", "VpcEndpoint", "ElasticIP")
"""In usage types of these services: what runs without launches, or is no part of their bills."""
_OF_TIBANNA: Final = {"Tags": {"Key": "Type", "Values": ["awsem"]}}
"""Tibanna gives its instances no other tags that tell what they are. They are the stage's, unless the account
has other unicorns; their volumes have no tags at all."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function."""

    stage: str
    launch_table: str


settings = settings_of(Settings)


@function
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, Any]:
    """`{launchId}` -> `{start, end, billed, told, difference, isFinal}`: days (end exclusive) and USD, as text.

    Raises PriceError when Cost Explorer knows nothing of the stage for these days.
    """
    repository = LaunchRepository(settings().launch_table)
    launch = repository.get(event["launchId"])
    if launch is None:
        raise LookupError(f"There is no launch {event['launchId']}.")
    first, last = _span(launch)
    start, end = first.date(), last.date() + timedelta(days=1)
    billed, is_final = _billed(start, end)
    told = _told(repository, start, end)
    logger.info("Reconciled", extra={"launchId": launch.launch_id, "billed": str(billed), "told": str(told)})
    return {
        "start": start.isoformat(),
        "end": end.isoformat(),
        "billed": str(billed),
        "told": str(told),
        "difference": str(billed - told),
        "isFinal": "yes" if is_final else "no",
    }


def _billed(start: date, end: date) -> tuple[Decimal, bool]:
    """What AWS charges the stage's tagged resources, and whether that is final.

    Raises PriceError without an entry: the tags are not activated for cost allocation, or the data is not there yet.
    """
    amounts: list[Decimal] = []
    is_final = True
    for group, is_estimated in _groups(start, end):
        if not any(part in group["Keys"][0] for part in _NOT_LAUNCHES):
            amounts.append(Decimal(group["Metrics"]["UnblendedCost"]["Amount"]))
        is_final &= not is_estimated
    if not amounts:
        raise PriceError(
            f"Cost Explorer has nothing of the tags {TAG_PROJECT} and {TAG_STAGE} from {start} to {end}: "
            "are they activated as cost allocation tags?"
        )
    return sum(amounts, Decimal(0)).quantize(CENT_FRACTION), is_final


def _groups(start: date, end: date) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """Daily costs by usage type, and whether they are AWS's estimates."""
    tags = {TAG_PROJECT: PROJECT, TAG_STAGE: settings().stage}
    request: dict[str, Any] = {
        "TimePeriod": {"Start": start.isoformat(), "End": end.isoformat()},
        "Granularity": "DAILY",
        "Metrics": ["UnblendedCost"],
        "GroupBy": [{"Type": "DIMENSION", "Key": "USAGE_TYPE"}],
        "Filter": {
            "And": [
                {
                    "Or": [
                        {"And": [{"Tags": {"Key": key, "Values": [value]}} for key, value in tags.items()]},
                        _OF_TIBANNA,
                    ]
                },
                {"Dimensions": {"Key": "SERVICE", "Values": list(_SERVICES)}},
            ]
        },
    }
    token: dict[str, str] = {}
    while True:
        answer = cost_explorer().get_cost_and_usage(**request, **token)
        for day in answer["ResultsByTime"]:
            yield from ((group, day["Estimated"]) for group in day["Groups"])
        if not answer.get("NextPageToken"):
            return
        token = {"NextPageToken": answer["NextPageToken"]}


def _told(repository: LaunchRepository, start: date, end: date) -> Decimal:
    """What the launches of these days cost by their own bills: of those that ran longer, the part of their time."""
    window = tuple(datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (start, end))
    launches = (launch for status in PRICED_STATUSES for launch in repository.with_status(status))
    amounts = (amount for launch in launches for amount in _part(launch, *window))
    return sum(amounts, Decimal(0)).quantize(CENT_FRACTION)


def _part(launch: Launch, start: datetime, end: datetime) -> Iterator[Decimal]:
    for attempt, entry in (launch.cost_history or {}).items():
        total = Decimal(entry[LaunchField.TOTAL_COST])
        if int(attempt) != launch.attempt:
            # Of an earlier attempt only the time is known at which it was priced, minutes after its end.
            if start <= datetime.fromisoformat(entry["pricedAt"]) < end:
                yield total
            continue
        first, last = _span(launch)
        inside = seconds_between(max(first, start), min(last, end))
        if inside > 0:
            yield total * inside / seconds_between(first, last)


def _span(launch: Launch) -> tuple[datetime, datetime]:
    """When the current attempt ran; of one that never did, a second."""
    last = datetime.fromisoformat(launch.ended_at or launch.submitted_at)
    first = datetime.fromisoformat(launch.started_at) if launch.started_at else last
    return min(first, last - timedelta(seconds=1)), last


@cache
def cost_explorer() -> Any:  # noqa: ANN401 - its type is not among the development requirements
    """The client of its only endpoint."""
    return boto3.client("ce", region_name=_REGION)
