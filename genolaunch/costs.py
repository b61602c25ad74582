"""Cost of launches, from their items of the launch table: one launch's bill, and sums over many."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from genolaunch.contract.cost import CostLineField, CostStatus
from genolaunch.contract.launch import STATUS_INDEX, LaunchField, Status
from genolaunch.errors import GenolaunchError
from genolaunch.launch import Launch
from genolaunch.launch_configs.workflows import engine_of
from genolaunch.launch_items import launch_or_sick
from genolaunch.never_ran import costs_nothing

if TYPE_CHECKING:
    from genolaunch.platform import Platform

NOBODY = "–"


@dataclass(frozen=True)
class CostLine:
    """A line of a bill; figures are exact text, as the platform wrote them."""

    kind: str
    resource: str
    description: str
    quantity: str
    unit: str
    unit_price: str
    amount: str
    source: str
    price_as_of: str
    note: str = ""


@dataclass(frozen=True)
class Cost:
    """What a launch's current attempt cost, in USD, and what its earlier ones did."""

    launch_id: str
    status: Status
    cost_status: CostStatus | None
    reason: str | None
    total: Decimal | None
    instances: Decimal | None
    volumes: Decimal | None
    file_systems: Decimal | None
    lines: tuple[CostLine, ...]
    earlier: Mapping[int, Decimal]
    """Total of each earlier attempt that was priced."""
    status_seconds: Mapping[str, float]
    step_seconds: Mapping[str, float]
    reconciliation: Mapping[str, str] | None = None
    """{start, end, billed, told, difference, isFinal}: the stage's totals beside AWS's bill, if compared."""

    @property
    def all_attempts(self) -> Decimal:
        """Everything that is known."""
        return sum(self.earlier.values(), Decimal(0)) + (self.total or Decimal(0))


class By(StrEnum):
    """What to sum by."""

    WORKFLOW = "workflow"
    USER = "user"
    ENGINE = "engine"
    COMPUTE = "compute"
    MONTH = "month"


@dataclass(frozen=True)
class Sum:
    """Of the launches of one workflow, user, engine, kind of compute or month."""

    name: str
    launches: int
    unpriced: int
    """Of these, so many have no price (yet)."""
    total: Decimal
    run_time: timedelta
    """From start to end, of all launches together."""


def cost_of(platform: "Platform", launch: Launch) -> Cost:
    """The launch's cost as of now."""
    item = _item(platform, launch.launch_id)
    nothing = costs_nothing(launch) if LaunchField.TOTAL_COST not in item else None
    history = item.get(LaunchField.COST_HISTORY) or {}
    return Cost(
        launch_id=launch.launch_id,
        status=launch.status,
        cost_status=CostStatus(item[LaunchField.COST_STATUS]) if item.get(LaunchField.COST_STATUS) else None,
        reason=nothing or item.get(LaunchField.COST_REASON),
        total=Decimal(0) if nothing else _decimal(item.get(LaunchField.TOTAL_COST)),
        instances=_decimal(item.get(LaunchField.INSTANCE_COST)),
        volumes=_decimal(item.get(LaunchField.VOLUME_COST)),
        file_systems=_decimal(item.get(LaunchField.FILE_SYSTEM_COST)),
        lines=tuple(_line(entry) for entry in item.get(LaunchField.COST_BREAKDOWN) or ()),
        earlier={
            int(attempt): Decimal(entry[LaunchField.TOTAL_COST])
            for attempt, entry in sorted(history.items())
            if int(attempt) != launch.attempt
        },
        status_seconds=_seconds(item.get(LaunchField.STATUS_SECONDS)),
        step_seconds=_seconds(item.get(LaunchField.STEP_SECONDS)),
        reconciliation=item.get(LaunchField.COST_RECONCILIATION),
    )


def price_again(platform: "Platform", launch: Launch) -> None:
    """Ask for the price of a launch whose price is unknown; raises GenolaunchError when it has one, or goes on."""
    nothing = costs_nothing(launch)
    if nothing:
        raise GenolaunchError(nothing)
    cost = cost_of(platform, launch)
    if cost.cost_status not in (None, CostStatus.UNKNOWN) or not launch.is_final:
        raise GenolaunchError(
            f"Launch {launch.launch_id} is {launch.status} and its price is {cost.cost_status or 'not asked for'}: "
            "only one that is over and whose price is UNKNOWN can be priced again."
        )
    platform.stepfunctions.start_execution(
        stateMachineArn=platform.names.benchmark_state_machine,
        input=json.dumps([{"launchId": launch.launch_id, "attempt": str(launch.attempt)}]),
    )


def sums(platform: "Platform", by: By) -> list[Sum]:
    """Sums over the launches that have started, the most expensive first; months in their order."""
    return _sums(_priced_launches(platform), by)


def all_sums(platform: "Platform") -> dict[By, list[Sum]]:
    """The sums by everything, of the same launches: while they are read, launches end and get their prices."""
    launches = _priced_launches(platform)
    return {by: _sums(launches, by) for by in By}


def _sums(launches: Iterable["_PricedLaunch"], by: By) -> list[Sum]:
    name_of = _NAMES[by]
    groups: dict[str, list[_PricedLaunch]] = {}
    for each in launches:
        groups.setdefault(name_of(each), []).append(each)
    found = [_sum(name, members) for name, members in groups.items()]
    if by is By.MONTH:
        return sorted(found, key=lambda each: each.name)
    return sorted(found, key=lambda each: (-each.total, each.name))


@dataclass(frozen=True)
class _PricedLaunch:
    """A launch, and what all its attempts cost, if anything is known of that."""

    launch: Launch
    total: Decimal | None
    config: Mapping[str, Any]

    @property
    def engine(self) -> str:
        """What ran the workflow: regenie with its version, or the engine of Snakemake."""
        return engine_of(self.launch.workflow, self.config) or NOBODY

    @property
    def run_time(self) -> timedelta:
        """From start to end of the last attempt."""
        launch = self.launch
        return launch.ended_at - launch.started_at if launch.started_at and launch.ended_at else timedelta()


def _priced_launches(platform: "Platform") -> list[_PricedLaunch]:
    """Launches of which an attempt was made that costs something, each once, as it was seen last.

    They are read by status, so one whose status changes meanwhile may be met twice, or (a retry) not at all.
    """
    return list({each.launch.launch_id: each for each in _met(platform)}.values())


def _met(platform: "Platform") -> Iterator[_PricedLaunch]:
    """Those with each status. Nothing was built for what was REJECTED."""
    pages = platform.dynamodb.get_paginator("query")
    for status in Status:
        # By status, since whoever launches may not scan the table.
        for raw in _items(pages, platform.names.launch_table, status):
            item = _plain(raw)
            launch = launch_or_sick(item)
            if launch.sick:
                yield _PricedLaunch(launch, None, {})
                continue
            known = [Decimal(entry["totalCost"]) for entry in (item.get(LaunchField.COST_HISTORY) or {}).values()]
            if status is Status.REJECTED and not known:
                continue
            total = sum(known, Decimal(0)) if known else None
            yield _PricedLaunch(launch, total, json.loads(item.get(LaunchField.CONFIG) or "{}"))


def _items(pages: Any, table: str, status: Status) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401 - a paginator
    for page in pages.paginate(
        TableName=table,
        IndexName=STATUS_INDEX,
        KeyConditionExpression="#status = :status",
        FilterExpression="attribute_exists(startedAt)",
        ExpressionAttributeNames={"#status": LaunchField.STATUS},
        ExpressionAttributeValues={":status": {"S": status.value}},
    ):
        yield from page["Items"]


def _sum(name: str, members: Sequence[_PricedLaunch]) -> Sum:
    return Sum(
        name=name,
        launches=len(members),
        unpriced=sum(each.total is None for each in members),
        total=sum((each.total for each in members if each.total is not None), Decimal(0)),
        run_time=sum((each.run_time for each in members), timedelta()),
    )


_NAMES: Mapping[By, Callable[[_PricedLaunch], str]] = {
    By.WORKFLOW: lambda each: each.launch.workflow or NOBODY,
    By.USER: lambda each: each.launch.requested_by or NOBODY,
    By.ENGINE: lambda each: each.engine,
    By.COMPUTE: lambda each: each.launch.compute_service or NOBODY,
    By.MONTH: lambda each: f"{each.launch.submitted_at:%Y-%m}" if each.launch.submitted_at else NOBODY,
}


def _item(platform: "Platform", launch_id: str) -> dict[str, Any]:
    answer = platform.dynamodb.get_item(
        TableName=platform.names.launch_table, Key={LaunchField.LAUNCH_ID: {"S": launch_id}}, ConsistentRead=True
    )
    return _plain(answer.get("Item", {}))


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    from boto3.dynamodb.types import TypeDeserializer

    deserialize = TypeDeserializer().deserialize
    return {name: deserialize(value) for name, value in item.items()}


def _line(entry: Mapping[str, str]) -> CostLine:
    return CostLine(
        kind=entry[CostLineField.KIND],
        resource=entry[CostLineField.RESOURCE],
        description=entry[CostLineField.DESCRIPTION],
        quantity=entry[CostLineField.QUANTITY],
        unit=entry[CostLineField.UNIT],
        unit_price=entry[CostLineField.UNIT_PRICE],
        amount=entry[CostLineField.AMOUNT],
        source=entry[CostLineField.SOURCE],
        price_as_of=entry[CostLineField.PRICED_AT],
        note=entry.get(CostLineField.NOTE, ""),
    )


def _decimal(value: str | None) -> Decimal | None:
    return Decimal(value) if value is not None else None


def _seconds(entries: Mapping[str, str] | None) -> dict[str, float]:
    return {name: float(value) for name, value in (entries or {}).items()}


def csv_rows(found: Iterable[Sum], by: By) -> Iterator[list[str]]:
    """A header and a row for each sum."""
    yield [by.value, "launches", "unpriced", "total_usd", "run_seconds"]
    for each in found:
        seconds = f"{each.run_time.total_seconds():.0f}"
        yield [each.name, str(each.launches), str(each.unpriced), str(each.total), seconds]
