"""What a launch costs of whose programs nothing is known: its work is the size of its data."""

from collections.abc import Mapping
from typing import Any, Final

from genolaunch.launch_configs.workflows import engine_of
from lambdas.pricing.estimate.workload import FirstPrinciples, Workload, sizes_below
from lambdas.pricing.rates.money import PriceError

_VCPU_HOURS_PER_GB: Final = 1.0
"""Of a workflow that nobody has run here: trimming, alignment and calling of reads take about that."""


def _measure(config: Mapping[str, Any], data_uri: str, compute_service: str) -> Workload:
    workflow = config["workflow"]
    size = sum(sizes_below(data_uri))
    if not size:
        raise PriceError(f"No estimate is possible without the data: {data_uri} is empty")
    kind = "/".join(filter(None, (workflow, engine_of(workflow, config), compute_service)))
    return Workload(kind, size / 1e9)


def _vcpu_hours(workload: Workload) -> float:
    return workload.gigabytes * _VCPU_HOURS_PER_GB


BY_DATA: Final = FirstPrinciples(measure=_measure, vcpu_hours=_vcpu_hours, spread=10)
