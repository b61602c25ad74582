"""Lines of a bill for EC2 instances and their EBS volumes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from lambdas.pricing.rates.money import (
    SECONDS_PER_HOUR,
    SECONDS_PER_MONTH,
    Kind,
    Line,
    PriceBook,
    PriceError,
    SpotPrice,
    UnitPrice,
)
from lambdas.pricing.rates.sharing import Span, spans_of
from lambdas.pricing.usage import InstanceUse, JobUse, Volume, seconds_between

LEAST: Final = timedelta(seconds=60)
"""Of an instance, or a volume, is paid for: Linux instances and EBS are billed by the second after that."""

FREE_IF_INTERRUPTED_WITHIN: Final = timedelta(hours=1)
"""EC2 charges nothing for a Linux Spot instance that it takes back itself in its first hour (EC2 user guide,
"Billing for interrupted Spot Instances")."""

GP3_INCLUDED_IOPS: Final = 3000
GP3_INCLUDED_MIBPS: Final = 125
"""Included with every gp3 volume without extra charge (Amazon EBS pricing)."""

_PLAIN_VOLUMES: Final = frozenset({"gp2", "gp3", "st1", "sc1", "standard"})
"""Priced by size alone but for gp3's extras. io1 and io2 have prices in tiers, which nobody here uses."""


def instance_lines(
    launch_id: str, instance: InstanceUse, jobs: Sequence[JobUse], prices: PriceBook, now: datetime
) -> list[Line]:
    """What the launch owes for an instance: its jobs' share, its idle time, and the same part of its volumes.

    `jobs` are all that ran there, other launches' too. An instance that still runs is billed up to `now`.

    Raises PriceError.
    """
    stopped = instance.stopped_at or now
    end = max(stopped, instance.launched_at + LEAST)
    spans = spans_of(launch_id, instance, jobs, end)
    if not spans:
        return []
    rates = _rates(instance, end, stopped, prices)
    lines = [*_time_lines(instance, spans, rates, is_idle=False), *_time_lines(instance, spans, rates, is_idle=True)]
    weighted = sum((seconds_between(span.start, span.end) * span.share for span in spans), Decimal(0))
    return lines + [line for volume in instance.volumes for line in _volume_lines(instance, volume, weighted, prices)]


@dataclass(frozen=True, slots=True)
class _Rate:
    """What an hour costs in a part of the instance's life."""

    start: datetime
    end: datetime
    price: UnitPrice
    note: str = ""


def _rates(instance: InstanceUse, end: datetime, stopped: datetime, prices: PriceBook) -> list[_Rate]:
    if not instance.is_spot:
        return [_Rate(instance.launched_at, end, prices.on_demand(instance.type, instance.region))]
    history = prices.spot(instance.type, instance.zone, instance.launched_at, end)
    rates = list(_integrated(history, instance.launched_at, end))
    if instance.is_interrupted and stopped - instance.launched_at < FREE_IF_INTERRUPTED_WITHIN:
        note = "free: EC2 took the Spot instance back within its first hour"
        return [replace(rate, price=replace(rate.price, amount=Decimal(0)), note=note) for rate in rates]
    return rates


def _integrated(history: Sequence[SpotPrice], start: datetime, end: datetime) -> Iterator[_Rate]:
    if not history or history[0].since > start:
        raise PriceError(f"The Spot price history does not reach back to {start:%Y-%m-%d %H:%M} UTC.")
    for number, entry in enumerate(history):
        until = history[number + 1].since if number + 1 < len(history) else end
        begin, finish = max(entry.since, start), min(until, end)
        if finish > begin:
            yield _Rate(begin, finish, entry.price)


def _time_lines(
    instance: InstanceUse, spans: Iterable[Span], rates: Sequence[_Rate], *, is_idle: bool
) -> Iterator[Line]:
    """A line for each price that was in force while the launch had a part of the instance."""
    chosen = [span for span in spans if span.is_idle is is_idle]
    market = "Spot" if instance.is_spot else "On-Demand"
    quantities: dict[tuple[UnitPrice, str], Decimal] = {}
    for rate, seconds in _weighted(chosen, rates):
        key = (rate.price, rate.note)
        quantities[key] = quantities.get(key, Decimal(0)) + seconds / SECONDS_PER_HOUR
    for (price, note), hours in quantities.items():
        yield Line(
            kind=Kind.IDLE if is_idle else Kind.INSTANCE,
            resource=instance.id,
            description=f"{instance.type} {market} in {instance.zone}" + (", waiting" if is_idle else ""),
            quantity=hours,
            price=price,
            note=note,
        )


def _weighted(spans: Sequence[Span], rates: Sequence[_Rate]) -> Iterator[tuple[_Rate, Decimal]]:
    """Share-weighted seconds of each overlap; both lists are in order of time, so one pass does."""
    position = 0
    for span in spans:
        while position < len(rates) - 1 and rates[position].end <= span.start:
            position += 1
        for rate in rates[position:]:
            if rate.start >= span.end:
                break
            start, end = max(span.start, rate.start), min(span.end, rate.end)
            if end > start:
                yield rate, seconds_between(start, end) * span.share


def _volume_lines(instance: InstanceUse, volume: Volume, seconds: Decimal, prices: PriceBook) -> Iterator[Line]:
    if volume.type not in _PLAIN_VOLUMES:
        raise PriceError(f"Volumes of type {volume.type} ({volume.id}) are not priced here.")
    months = seconds / SECONDS_PER_MONTH
    region = instance.region

    def line(what: str, amount: int, price: UnitPrice) -> Line:
        return Line(
            Kind.VOLUME, volume.id, f"{volume.type} {what} of {instance.type} in {region}", amount * months, price
        )

    yield line(f"{volume.size_gib} GiB", volume.size_gib, prices.volume_storage(volume.type, region))
    if volume.type != "gp3":
        return
    if volume.iops > GP3_INCLUDED_IOPS:
        extra = volume.iops - GP3_INCLUDED_IOPS
        yield line(f"{extra} IOPS above {GP3_INCLUDED_IOPS}", extra, prices.volume_iops(volume.type, region))
    if volume.throughput_mibps > GP3_INCLUDED_MIBPS:
        extra = volume.throughput_mibps - GP3_INCLUDED_MIBPS
        price = prices.volume_throughput(volume.type, region)
        yield line(f"{extra} MiB/s above {GP3_INCLUDED_MIBPS}", extra, price)
