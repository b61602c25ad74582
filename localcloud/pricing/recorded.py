"""Prices written down on a day: `us-east-1.json`, which says when, and from where."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Final

RECORD: Final = Path(__file__).with_name("us-east-1.json")

_SPOT_FRACTION: Final = Decimal("0.0001")
"""EC2 shows Spot prices with four digits that count."""


@dataclass(frozen=True, slots=True)
class InstanceType:
    """An EC2 instance type."""

    name: str
    vcpus: int
    memory_mib: int
    usd_per_hour: Decimal

    @property
    def family(self) -> str:
        """What precedes the dot."""
        return self.name.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Product:
    """A product of the Price List API."""

    service: str
    family: str
    unit: str
    usd: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SpotEntry:
    """From a time on, an hour of a type in a zone costs so much."""

    at: datetime
    instance_type: str
    zone: str
    usd: Decimal


class RecordedPrices:
    """The record, read once."""

    @cached_property
    def _record(self) -> dict[str, Any]:
        record: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
        return record

    @property
    def recorded(self) -> str:
        """The day of the record (ISO)."""
        return str(self._record["recorded"])

    @cached_property
    def types(self) -> Mapping[str, InstanceType]:
        """Instance types by name."""
        return {
            name: InstanceType(name, each["vcpus"], each["memoryMib"], Decimal(each["usdPerHour"]))
            for name, each in self._record["instanceTypes"].items()
        }

    def products(self) -> Iterator[Product]:
        """Everything that the Price List API knows here."""
        region = self._record["region"]
        for instance in self.types.values():
            yield Product(
                "AmazonEC2", "Compute Instance", "Hrs", str(instance.usd_per_hour), _compute(instance, region)
            )
        for each in self._record["products"]:
            common = {"regionCode": region, "usagetype": each["usageType"], "productFamily": each["family"]}
            yield Product(each["service"], each["family"], each["unit"], each["usd"], {**common, **each["attributes"]})

    def spot_history(
        self, types: Sequence[str], zones: Sequence[str], start: datetime, end: datetime
    ) -> list[SpotEntry]:
        """The changes from `start` to `end`, newest first, and the one before `start` that was in force then."""
        fractions = self._record["spot"]["fractionOfOnDemand"]
        return [
            SpotEntry(at, name, zone, (self.types[name].usd_per_hour * Decimal(fraction)).quantize(_SPOT_FRACTION))
            for name in types or sorted(self.types)
            if name in self.types
            for zone in zones or sorted(fractions)
            if zone in fractions
            for at, fraction in self._changes(fractions[zone], start, end)
        ]

    def _changes(self, fractions: Sequence[str], start: datetime, end: datetime) -> list[tuple[datetime, str]]:
        hours: Sequence[int] = self._record["spot"]["hours"]
        first_day = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
        days = range((end - first_day).days + 1)
        changes = [
            (first_day + timedelta(days=day, hours=hour), fraction)
            for day in days
            for hour, fraction in zip(hours, fractions, strict=True)
        ]
        in_force = max(at for at, _ in changes if at <= start)
        return sorted(((at, fraction) for at, fraction in changes if in_force <= at <= end), reverse=True)


def _compute(instance: InstanceType, region: str) -> dict[str, str]:
    return {
        "regionCode": region,
        "usagetype": f"BoxUsage:{instance.name}",
        "productFamily": "Compute Instance",
        "instanceType": instance.name,
        "operatingSystem": "Linux",
        "tenancy": "Shared",
        "capacitystatus": "Used",
        "preInstalledSw": "NA",
        "licenseModel": "No License required",
        "marketoption": "OnDemand",
        "operation": "RunInstances",
        "vcpu": str(instance.vcpus),
        "memory": f"{instance.memory_mib // 1024} GiB",
    }
