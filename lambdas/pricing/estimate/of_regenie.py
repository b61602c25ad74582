"""What a regenie launch costs, from first principles.

Its time grows with samples × variants × traits. The size of a genotype file stands for samples × variants: a .bed has
two bits for each genotype, exactly; of .pgen and .bgen it is what is left after compression.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from lambdas.pricing.estimate.workload import FirstPrinciples, Workload, size_of
from lambdas.pricing.rates.money import PriceError

_GENOTYPES_PER_BYTE: Final = 4
"""Of a .bed. A .pgen packs more, a .bgen less: the stated range covers that."""

_GENOTYPES_PER_VCPU_SECOND: Final = 1e7
"""That regenie reads and tests for its first ten traits, in both steps: an order of magnitude."""

_TRAITS_FOR_FREE: Final = 10
"""So many traits together cost about as much again as reading the genotypes does."""


def _measure(config: Mapping[str, Any], data_uri: str, compute_service: str) -> Workload:
    workflow = config["workflow"]
    regenie = config[workflow]
    read = list(_genotypes(regenie))
    sizes = {path: size_of(data_uri + path) for path in dict.fromkeys(read)}
    missing = [path for path, size in sizes.items() if not size]
    if missing:
        raise PriceError(f"No estimate is possible without the data: {data_uri} has no {', '.join(missing)}")
    return Workload(f"{workflow}/{compute_service}", sum(sizes[path] for path in read) / 1e9, len(regenie["traits"]))


def _genotypes(regenie: Mapping[str, Any]) -> Iterator[str]:
    """Each genotype file as often as it is read: by step 1, and by step 2."""
    if regenie.get("step1", {}).get("enabled", True):
        yield regenie["genotypes"]
    data_sets = regenie.get("step2", {}).get("datasets") or [{"genotypes": regenie["genotypes"]}]
    yield from (each["genotypes"] for each in data_sets)


def _vcpu_hours(workload: Workload) -> float:
    genotypes = workload.gigabytes * 1e9 * _GENOTYPES_PER_BYTE
    return genotypes * (1 + workload.traits / _TRAITS_FOR_FREE) / _GENOTYPES_PER_VCPU_SECOND / 3600


OF_REGENIE: Final = FirstPrinciples(measure=_measure, vcpu_hours=_vcpu_hours, spread=3, has_file_system=True)
