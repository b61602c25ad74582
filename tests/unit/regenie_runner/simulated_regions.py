"""Genotypes in linkage disequilibrium, with results to clump: files for plink1.9, and the same as arrays."""

import subprocess
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from regenie_runner.genotypes import MISSING

CODE_OF_COPIES = {2: 0b00, 1: 0b10, 0: 0b11, MISSING: 0b01}
"""PLINK 1's genotypes by the copies of the .bim file's column 5 allele."""


class Cohort(NamedTuple):
    """Of one chromosome."""

    chromosome: str
    positions: npt.NDArray[np.int64]
    names: list[str]
    calls: npt.NDArray[np.int8]  # variants x people
    males: npt.NDArray[np.bool_]
    log10p: npt.NDArray[np.float64]


def simulated(seed: int, chromosome: str = "1", people: int = 500, variants: int = 400) -> Cohort:
    """Haplotypes are mosaics of a few ancestors', changed here and there; a few variants have an effect.

    Some positions are those of two variants, some genotypes are missing, some variants do not vary, some p-values are
    equal, and on X men have one copy.
    """
    random = np.random.default_rng(seed)
    positions = np.sort(random.integers(1, variants * 2_000, variants)) * 10  # at distances such as 250,000
    ancestors = random.random((8, variants)) < random.uniform(0.05, 0.6, variants)
    which = np.cumsum(random.random((2 * people, variants)) < 0.01, axis=1) + random.integers(0, 8, (2 * people, 1))
    alleles = ancestors[which % 8, np.arange(variants)] ^ (random.random((2 * people, variants)) < 0.03)
    calls = (alleles[:people].astype(np.int8) + alleles[people:]).T.copy()
    males = random.random(people) < 0.5
    if chromosome == "X":
        calls[:, males] = 2 * (calls[:, males] > 0)
    calls[random.random(calls.shape) < random.choice([0, 0.01, 0.1], (variants, 1))] = MISSING
    calls[random.integers(0, variants, 3)] = 2
    effects = np.zeros(variants)
    effects[random.integers(0, variants, 6)] = random.uniform(0.3, 0.9, 6)
    trait = np.where(calls == MISSING, 0, calls).T @ effects + random.normal(size=people)
    log10p = np.array([_log10p(each, trait) for each in calls])
    log10p[random.random(variants) < 0.2] = np.round(log10p[random.random(variants) < 0.2][:1], 1)  # equal ones
    names = [f"v{number}" for number in range(variants)]
    return Cohort(chromosome, positions, names, calls, males, log10p)


def _log10p(calls: npt.NDArray[np.int8], trait: npt.NDArray[np.float64]) -> float:
    """By the correlation with the trait, roughly."""
    known = calls != MISSING
    if len(set(calls[known].tolist())) < 2:
        return 0.1
    z = abs(np.corrcoef(calls[known], trait[known])[0, 1]) * np.sqrt(known.sum())
    return float(min(0.1 + z * z / 4.6, 250))


def write_plink(cohort: Cohort, prefix: Path) -> None:
    """prefix.bed, .bim and .fam."""
    codes = np.vectorize(CODE_OF_COPIES.__getitem__, otypes=[np.uint8])(cohort.calls)
    padded = np.zeros((len(codes), -(-codes.shape[1] // 4) * 4), np.uint8)
    padded[:, : codes.shape[1]] = codes
    packed = (padded.reshape(len(codes), -1, 4) << np.array([0, 2, 4, 6], np.uint8)).sum(axis=2, dtype=np.uint8)
    prefix.with_suffix(".bed").write_bytes(b"\x6c\x1b\x01" + packed.tobytes())
    rows = zip(cohort.names, cohort.positions.tolist(), strict=True)
    prefix.with_suffix(".bim").write_text("".join(f"{cohort.chromosome}\t{n}\t0\t{p}\tA\tG\n" for n, p in rows))
    sexes = enumerate(np.where(cohort.males, 1, 2).tolist())
    prefix.with_suffix(".fam").write_text("".join(f"p{n} p{n} 0 0 {sex} -9\n" for n, sex in sexes))


def clumps_of_plink(program: str, cohort: Cohort, prefix: Path, *options: str) -> dict[str, list[str]]:
    """Index variant -> its members, in the program's order of index variants."""
    table = prefix.with_suffix(".assoc")
    rows = zip(cohort.names, cohort.log10p.tolist(), strict=True)
    table.write_text("SNP P\n" + "".join(f"{name} {10**-log10p:.17g}\n" for name, log10p in rows))
    command = [program, "--bfile", str(prefix), "--clump", str(table), *options, "--out", str(prefix)]
    clumped = prefix.with_suffix(".clumped")
    clumped.unlink(missing_ok=True)  # without an index variant it writes none
    subprocess.run(command, check=True, capture_output=True)
    lines = [line.split() for line in clumped.read_text().splitlines()[1:] if line.strip()] if clumped.exists() else []
    return {
        fields[2]: [] if fields[11] == "NONE" else [name.removesuffix("(1)") for name in fields[11].split(",")]
        for fields in lines
    }
