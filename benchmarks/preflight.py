"""What it takes to compare people and look at every value before a launch: processor seconds and peak memory, beside an
earlier build's.

    .venv/bin/python -m benchmarks.preflight           # 500,000 people, 50 traits, 20 covariates, beside 34edbf7
    .venv/bin/python -m benchmarks.preflight --people 100000 --traits 10 --turns 5

The files are simulated, their lines made where they are read: a .fam, a phenotype and a covariate file. Time is this
machine's processor's, without any network; making the lines is part of it, and how long that takes alone is shown
beside it. The memory is that of a process of its own (resident, with the interpreter). The function has 2,048 MiB.

Both builds check the same rows in turns, and have to find as many people analysed. The benchmark fails if the median of
the processor's time is above PROMISED of the earlier build's, or the memory above PROMISED_MIB.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from rich.console import Console

from benchmarks.earlier_build import EARLIER, ROOT, in_turns, unpack_earlier
from genolaunch.launch_configs.regenie_config import RegenieParameters
from genolaunch.regenie.data_set import DataSet
from genolaunch.regenie.genotypes import GenotypeCounts, GenotypeFiles
from lambdas.regenie.preflight.check import Genotyped, check_data
from lambdas.regenie.preflight.findings import Findings
from lambdas.regenie.preflight.table import Table

FILES = GenotypeFiles("cohort.bed")
PATTERNS = 9_973
"""Rows with values of their own; they come again and again, a prime number of rows apart, and not in every batch."""
MISSING_SHARE = 0.05
PROMISED = 0.5
"""Highest ratio of processor time, new to earlier."""
PROMISED_MIB = 238
"""250 MB."""
_CHECK = """
import json, sys
from benchmarks import preflight
preflight.PATTERNS = int(sys.argv[1])
print(json.dumps(preflight.check(preflight.Size(*map(int, sys.argv[2:])))))
"""
"""Of either build: the earlier one's benchmark has the same functions."""


class Size(NamedTuple):
    """Of a cohort."""

    people: int
    traits: int
    covariates: int


class Cost(NamedTuple):
    """Of checking it."""

    seconds: float
    lines_alone: float
    """Seconds that making the lines takes."""
    mib: float
    """Peak resident memory, with the interpreter."""
    analysed: int
    """People with a value of the first trait and all covariates: shows that all was read."""


@dataclass(frozen=True, slots=True)
class SimulatedCohort(DataSet):
    """A data set whose sample list and tables are made where they are read."""

    people: int = 0
    rows: dict[str, Sequence[bytes]] = field(default_factory=dict)
    """Path -> what follows the ids in each row, again and again."""

    def lines(self, path: str) -> Iterator[bytes]:
        """As from S3: a table begins with its header, the sample list has none."""
        patterns = self.rows[path]
        if path != FILES.sample_list:
            yield b"FID IID " + b" ".join(b"c%d" % number for number in range(len(patterns[0].split())))
        for person in range(self.people):
            yield b"%d %d " % (person, 1_000_000 + person) + patterns[person % PATTERNS]

    def head(self, path: str, length: int) -> bytes:  # noqa: ARG002 - the .bim, of which only the first line is read
        """The first bytes of the list of variants."""
        return b"1\trs1\t0\t1\tA\tG\n"[:length]


def simulate(size: Size) -> SimulatedCohort:
    """Given: numbers of six digits, 5 % of the traits' missing."""
    random = Random(7)
    return SimulatedCohort(
        "simulated",
        "",
        size.people,
        {
            FILES.sample_list: [b"0 0 %d -9" % (1 + number % 2) for number in range(PATTERNS)],
            "phenotypes.txt": _patterns(random, size.traits, MISSING_SHARE),
            "covariates.txt": _patterns(random, size.covariates, 0),
        },
    )


def _patterns(random: Random, columns: int, missing: float) -> list[bytes]:
    return [
        b" ".join(b"NA" if random.random() < missing else b"%.5f" % random.gauss(0, 1) for _ in range(columns))
        for _ in range(PATTERNS)
    ]


def check(size: Size) -> Cost:
    """When: the cohort is checked, in this process."""
    data = simulate(size)
    traits = [f"t{number}" for number in range(size.traits)]
    covariates = [f"c{number}" for number in range(size.covariates)]
    parameters = RegenieParameters(
        genotypes=FILES.path,
        phenotypes="phenotypes.txt",
        covariates="covariates.txt",
        traits=traits,
        trait_type="quantitative",
    )
    genotyped = {FILES: Genotyped("regenie.genotypes", GenotypeCounts(600_000, size.people), frozenset(range(1, 23)))}
    tables = Table(data, "phenotypes.txt", traits), Table(data, "covariates.txt", covariates)
    findings = Findings()
    start = time.process_time()
    counts = check_data(data, genotyped, *tables, {}, parameters, findings)
    seconds = time.process_time() - start
    findings.raise_if_any()
    assert counts is not None
    start = time.process_time()
    for path in data.rows:
        for _ in data.lines(path):
            pass
    lines_alone = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Cost(seconds, lines_alone, peak, counts.traits["t0"].analysed)


def run(build: Path, size: Size) -> Cost:
    """When a build's benchmark checks the cohort in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _CHECK, str(PATTERNS), *map(str, size)],
        cwd=build,
        stdout=subprocess.PIPE,
        check=True,
    )
    return Cost(*json.loads(done.stdout.splitlines()[-1]))


def main() -> int:
    """The exit code: 1 if a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=500_000)
    parser.add_argument("--traits", type=int, default=50)
    parser.add_argument("--covariates", type=int, default=20)
    parser.add_argument("--turns", type=int, default=3)
    given = parser.parse_args()
    size = Size(given.people, given.traits, given.covariates)
    with TemporaryDirectory(prefix="preflight-") as folder:
        earlier = unpack_earlier(Path(folder), "benchmarks", "contract.py", "lambdas")
        (earlier / "lambdas" / "__init__.py").touch()  # without one, Python takes this build's package, which has it
        builds = {EARLIER: earlier, "now": ROOT}
        costs = in_turns(builds, given.turns, lambda build: run(build, size))
    console = Console()
    for name, found in costs.items():
        seconds, mib = median(each.seconds for each in found), max(each.mib for each in found)
        lines = median(each.lines_alone for each in found)
        console.print(
            f"{name}: {seconds:.1f} s of the processor (making the lines alone: {lines:.1f} s), {mib:.0f} MiB"
        )
    assert len({each.analysed for found in costs.values() for each in found}) == 1, "the builds analyse other people"
    ratio = median(each.seconds for each in costs["now"]) / median(each.seconds for each in costs[EARLIER])
    mib = max(each.mib for each in costs["now"])
    console.print(
        f"{size.people:,} people, {size.traits} traits, {size.covariates} covariates: {ratio:.2f} of {EARLIER}'s time, "
        f"promised: {PROMISED}; {mib:.0f} MiB, promised: {PROMISED_MIB}"
    )
    return int(ratio > PROMISED or mib > PROMISED_MIB)


if __name__ == "__main__":
    sys.exit(main())
