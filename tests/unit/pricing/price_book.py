"""Unit prices of the tests: round numbers, so that a bill can be recomputed with pen and paper."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from lambdas.pricing.rates.money import PriceError, SpotPrice, UnitPrice
from lambdas.pricing.usage import InstanceUse, JobUse, Volume

START = datetime(2026, 11, 1, 8, tzinfo=UTC)


def price(amount: str, unit: str = "Hrs") -> UnitPrice:
    return UnitPrice(Decimal(amount), unit, "test", "2026-11-01T00:00:00Z")


@dataclass
class FakePrices:
    """m6i.large 0.096 USD an hour, m6i.xlarge 0.192; Spot as given, 0.04 for ever unless told otherwise."""

    spot_history: Sequence[tuple[datetime, str]] = field(default_factory=lambda: [(START - timedelta(days=1), "0.04")])

    def on_demand(self, instance_type: str, region: str) -> UnitPrice:
        known = {"m6i.large": "0.096", "m6i.xlarge": "0.192", "c6a.4xlarge": "0.612"}
        if instance_type not in known:
            raise PriceError(f"no price of {instance_type}")
        return price(known[instance_type])

    def spot(self, instance_type: str, zone: str, start: datetime, end: datetime) -> list[SpotPrice]:
        return [SpotPrice(since, price(amount)) for since, amount in self.spot_history]

    def volume_storage(self, volume_type: str, region: str) -> UnitPrice:
        return price("0.08", "GB-Mo")

    def volume_iops(self, volume_type: str, region: str) -> UnitPrice:
        return price("0.005", "IOPS-Mo")

    def volume_throughput(self, volume_type: str, region: str) -> UnitPrice:
        return price("0.04", "MiBps-Mo")

    def file_system(self, deployment_type: str, throughput: int | None, region: str) -> UnitPrice:
        return price({None: "0.14", 125: "0.145"}[throughput], "GB-Mo")

    def fargate_vcpu(self, region: str, *, is_arm: bool) -> UnitPrice:
        return price("0.04048")

    def fargate_memory(self, region: str, *, is_arm: bool) -> UnitPrice:
        return price("0.004445")

    def fargate_storage(self, region: str) -> UnitPrice:
        return price("0.000111")


def at(minutes: float) -> datetime:
    """So many minutes after START."""
    return START + timedelta(minutes=minutes)


def instance(stopped: float | None, **changes: object) -> InstanceUse:
    """An m6i.large (2 vCPUs, 7,680 MiB for containers) that was launched at START."""
    values: dict[str, object] = {
        "id": "i-1",
        "type": "m6i.large",
        "zone": "us-east-1a",
        "is_spot": False,
        "vcpus": Decimal(2),
        "memory_mib": Decimal(7680),
        "launched_at": START,
        "stopped_at": None if stopped is None else at(stopped),
    }
    return InstanceUse(**{**values, **changes})  # type: ignore[arg-type]


def job(start: float, stop: float | None, launch: str = "ours", vcpus: int = 2, memory: int = 3840) -> JobUse:
    """An attempt of a job of the launch's first attempt on i-1; by default it asks for all vCPUs, half the memory."""
    return JobUse(
        task=f"{launch}-{start}",
        launch_id=launch,
        attempt=1,
        job_name=f"{launch}-1-step2",
        job_id=f"job-{launch}-{start}",
        vcpus=Decimal(vcpus),
        memory_mib=Decimal(memory),
        started_at=at(start),
        stopped_at=None if stop is None else at(stop),
        instance_id="i-1",
    )


GP3 = Volume("vol-1", "gp3", 100, iops=3000, throughput_mibps=125)
