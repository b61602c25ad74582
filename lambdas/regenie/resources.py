"""Resources of each phase's jobs, and the size of the launch's file system.

The formulas add up the matrices that regenie's method holds at a time (Mbatchou et al., Nature Genetics 2021, Methods),
in double precision, with room for working copies. They are estimates with headroom, not measurements: whoever knows
better says so under `regenie.resources`. Regenie's authors measured at most 12.9 GB for 50 quantitative traits of some
407,000 samples with 469,336 step 1 variants (https://rgcgithub.github.io/regenie/performance/); the formulas give more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Final

from genolaunch.contract.workflow import RESOURCE_PHASES
from genolaunch.launch_configs.regenie_config import PhaseResources

GIB: Final = 1 << 30
_DOUBLE_BYTES: Final = 8
_RIDGE_PARAMETERS: Final = 5
"""Values of lambda at level 0, and so predictors that each block hands to level 1 (regenie's default --l0)."""
_FOLDS: Final = 5
"""Of the cross-validation (regenie's default --cv)."""
_CHROMOSOMES: Final = 23

_BASE_BYTES: Final = GIB
"""The program, its libraries and input buffers."""
_GENOTYPE_COPIES: Final = 3
"""A block's genotypes, their scaled copy and one product of that size."""
_TRAIT_COPIES: Final = 8
"""Columns of samples that are kept for each trait: phenotype, residuals, mask, offsets, predictions."""
_LEVEL1_COPIES: Final = 1.5
"""Level 1's predictors, and the share of them that is rearranged by folds."""

_TESTS_PER_VCPU: Final = 2e9
"""Samples x variants x traits that are worth another vCPU: one core does some 1e8 a second, so below this a job's own
start (container, mount, first read) costs more than a further core saves."""
_MOST_VCPUS: Final = 8
"""Regenie's authors run step 1 with 8 or more threads; more gain little, and large instances are reclaimed sooner."""


@dataclass(frozen=True, slots=True)
class JobResources:
    """What one job gets."""

    vcpus: int
    memory_mib: int

    def as_batch(self) -> dict[str, str]:
        """As AWS Batch's resource requirements: text."""
        return {"vcpus": str(self.vcpus), "memory": str(self.memory_mib)}


@dataclass(frozen=True, slots=True)
class Workload:
    """The numbers on which resources depend."""

    samples: int
    traits: int
    covariates: int
    step1_variants: int
    """0 if the launch has no step 1."""
    step1_block_size: int
    blocks: int
    level0_jobs: int
    step2_block_size: int
    largest_chunk: int
    """Variants of the largest step 2 job."""
    tested_variants: int
    """Of all data sets of step 2."""

    @property
    def level1_predictors(self) -> int:
        """Columns of one trait's level 1 regression."""
        return self.blocks * _RIDGE_PARAMETERS


_SMALL: Final = JobResources(vcpus=1, memory_mib=2048)
"""Enough for reading a list of variants (split) and drawing plots (report)."""
_MERGE_VARIANT_BYTES: Final = 40
"""What the merge keeps of a variant while it condenses a trait: 31 bytes measured with 10 and 30 million variants."""


def job_resources(workload: Workload, overrides: PhaseResources) -> Mapping[str, JobResources]:
    """Phase -> resources: the user's where given, else by the formulas."""
    level0, level1 = _level0_bytes(workload), _level1_bytes(workload)
    per_sample = workload.samples * workload.traits
    defaults = {
        "small": _SMALL,
        "step1": _resources(max(level0, level1), per_sample * workload.step1_variants),
        "level0": _resources(level0, per_sample * workload.step1_variants // max(workload.level0_jobs, 1)),
        "level1": _resources(level1, workload.samples * workload.level1_predictors),
        "step2": _resources(_step2_bytes(workload), per_sample * workload.largest_chunk),
        "merge": _merge(workload),
    }
    return {phase: _override(overrides, phase) or defaults[phase] for phase in RESOURCE_PHASES}


def _merge(workload: Workload) -> JobResources:
    """Text is streamed, but the plots and statistics need a few numbers of every variant."""
    needed_gib = ceil((_BASE_BYTES + _MERGE_VARIANT_BYTES * workload.tested_variants) / GIB)
    return JobResources(_SMALL.vcpus, max(_SMALL.memory_mib, needed_gib * 1024))


def _override(overrides: PhaseResources, phase: str) -> JobResources | None:
    given = getattr(overrides, phase)
    return JobResources(given.vcpus, given.memory_gib * 1024) if given else None


def _resources(memory_bytes: float, tests: int) -> JobResources:
    return JobResources(_vcpus(tests), ceil(memory_bytes / GIB) * 1024)


def _vcpus(tests: int) -> int:
    """A power of two, since instances have powers of two of them."""
    wanted = max(1, ceil(tests / _TESTS_PER_VCPU))
    return int(min(1 << (wanted - 1).bit_length(), _MOST_VCPUS))


def _traits_bytes(workload: Workload) -> int:
    return _DOUBLE_BYTES * workload.samples * workload.traits * _TRAIT_COPIES


def _level0_bytes(workload: Workload) -> int:
    """One block's genotypes and its ridge predictors for every trait."""
    genotypes = _GENOTYPE_COPIES * _DOUBLE_BYTES * workload.samples * workload.step1_block_size
    predictors = _DOUBLE_BYTES * workload.samples * workload.traits * _RIDGE_PARAMETERS
    return _BASE_BYTES + genotypes + predictors + _traits_bytes(workload)


def _level1_bytes(workload: Workload) -> float:
    """One trait's predictors of all blocks, and a cross-product matrix for each fold."""
    predictors = _LEVEL1_COPIES * _DOUBLE_BYTES * workload.samples * workload.level1_predictors
    products = _FOLDS * _DOUBLE_BYTES * workload.level1_predictors**2
    return _BASE_BYTES + predictors + products + _traits_bytes(workload)


def _step2_bytes(workload: Workload) -> int:
    """A block's genotypes, and the covariates once for each trait (regenie's performance page: 8 bytes x N x K x P)."""
    genotypes = _GENOTYPE_COPIES * _DOUBLE_BYTES * workload.samples * workload.step2_block_size
    covariates = _DOUBLE_BYTES * workload.samples * workload.covariates * workload.traits
    return _BASE_BYTES + genotypes + covariates + _traits_bytes(workload)


_STORAGE_HEADROOM: Final = 1.25
"""Lustre stripes files over servers that must not fill up, and keeps some of the space for itself."""
_LOCO_CELL_BYTES: Final = 13
"""Longest %.6g number with sign and exponent, and its separator."""
_RESULT_ROW_BYTES: Final = 150
"""A row of step 2: twelve columns, with room for long variant names."""
_RESULT_COPIES: Final = 1.5
"""The chunks, and the merged file: gzip leaves less than half."""
_SMALLEST_GIB: Final = 1200
_STEP_GIB: Final = 2400
"""SCRATCH_2 and PERSISTENT_2 SSD come in 1,200 GiB and multiples of 2,400 GiB (Amazon FSx CreateFileSystem)."""


def storage_capacity_gib(input_bytes: int, workload: Workload) -> int:
    """Capacity of the file system for the inputs that are read, level 0 files, predictions and results."""
    level0 = _DOUBLE_BYTES * workload.samples * workload.level1_predictors * workload.traits
    predictions = _LOCO_CELL_BYTES * _CHROMOSOMES * workload.samples * workload.traits
    results = _RESULT_COPIES * _RESULT_ROW_BYTES * workload.tested_variants * workload.traits
    needed_gib = ceil(_STORAGE_HEADROOM * (input_bytes + level0 + predictions + results) / GIB)
    if needed_gib <= _SMALLEST_GIB:
        return _SMALLEST_GIB
    return ceil(needed_gib / _STEP_GIB) * _STEP_GIB
