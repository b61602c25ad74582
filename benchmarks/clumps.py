"""What it takes to clump lead regions: processor seconds and peak memory, beside plink1.9 on the same files.

    export PYTHONPATH=containers/regenie
    .venv/bin/python -m benchmarks.clumps                       # 100 regions of 5,000 people

Each program runs in a process of its own, from its start on: both read the list of variants, the genotypes and the
p-values. The clumps are compared. The benchmark fails if the runner takes more than PROMISED of plink1.9's processor
time; it needs plink1.9 on PATH (Debian has it as plink1.9).
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import BinaryIO, NamedTuple, TextIO

import numpy as np
import numpy.typing as npt
import pysam
from rich.console import Console

ROOT = Path(__file__).parents[1]
PROMISED = 1.5
"""Highest ratio of processor time, runner to plink1.9."""
THRESHOLDS = {"p1": 5e-8, "p2": 0.01, "r2": 0.1, "window_kb": 500.0}
SPACING_BP = 400
"""From one variant to the next; of imputed genotypes it is less, of arrays more."""
HEADER = "CHROM GENPOS ID ALLELE0 ALLELE1 A1FREQ N TEST BETA SE CHISQ LOG10P EXTRA"
REGIONS_OF_A_CHROMOSOME = 10

_RUNNER = """
import json, sys
from pathlib import Path
import numpy as np
from regenie_runner.signals import SignalSearch
from regenie_runner.spool import Chromosome
from regenie_runner.tabix import IndexedResults
from regenie_runner.workspace import Workspace
workspace = Workspace(Path(sys.argv[1]), "launch", "job-1")
search = json.loads(sys.argv[2])
def chromosomes():
    for path in sorted(workspace.root.glob("scan-*.npy")):
        positions, log10p = np.load(path)
        empty = np.zeros(len(positions))
        name = path.stem.removeprefix("scan-")
        yield Chromosome(name, positions.astype(np.int32), log10p.astype(np.float32), empty, empty, empty)
with IndexedResults(workspace.root / "results.gz") as results:
    found = SignalSearch(search, results, workspace).signals(chromosomes())
print(json.dumps({each.name: [member.name for member in each.members] for each in found}))
"""


class Cost(NamedTuple):
    """Of one run."""

    seconds: float  # of the processor
    mib: float


def simulate(folder: Path, regions: int, people: int, variants: int) -> None:
    """Given: genotypes in linkage disequilibrium, and results of which each region has a true variant."""
    random = np.random.default_rng(7)
    (folder / "data").mkdir()
    (folder / "work" / "plan").mkdir(parents=True)
    (folder / "work" / "plan" / "analysed.txt").write_text("1" * people)
    (folder / "work" / "launch.json").write_text(json.dumps({"launchId": "launch", "attempt": 1, "config": {}}))
    fam = "".join(f"p{person} p{person} 0 0 2 -9\n" for person in range(people))
    (folder / "data" / "cohort.fam").write_text(fam)
    scanned: dict[str, tuple[list[int], list[float]]] = {}
    with (
        (folder / "data" / "cohort.bed").open("wb") as bed,
        (folder / "data" / "cohort.bim").open("w") as bim,
        (folder / "results.assoc").open("w") as assoc,
        (folder / "results").open("w") as results,
    ):
        bed.write(b"\x6c\x1b\x01")
        assoc.write("SNP P\n")
        results.write(HEADER.replace(" ", "\t") + "\n")
        for region in range(regions):
            chromosome = str(1 + region // REGIONS_OF_A_CHROMOSOME)
            first = 1_000_000 + region % REGIONS_OF_A_CHROMOSOME * 10_000_000
            log10p = _region(random, chromosome, first, people, variants, (bed, bim, assoc, results))
            positions, values = scanned.setdefault(chromosome, ([], []))
            positions += [first + SPACING_BP * number for number in range(variants)]
            values += log10p
    for chromosome, columns in scanned.items():
        np.save(folder / f"scan-{chromosome}.npy", np.array(columns))
    pysam.tabix_compress(str(folder / "results"), str(folder / "results.gz"))
    pysam.tabix_index(str(folder / "results.gz"), seq_col=0, start_col=1, end_col=1, line_skip=1)


def _region(
    random: np.random.Generator,
    chromosome: str,
    first: int,
    people: int,
    variants: int,
    files: tuple[BinaryIO, TextIO, TextIO, TextIO],
) -> list[float]:
    bed, bim, assoc, results = files
    calls = _mosaics(random, people, variants)
    trait = 0.25 * calls[variants // 2] + random.normal(size=people)
    centred = calls - calls.mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        r = centred @ (trait - trait.mean()) / np.sqrt((centred**2).sum(axis=1) * ((trait - trait.mean()) ** 2).sum())
    log10p = [round(float(value), 4) for value in 0.05 + people * np.nan_to_num(r) ** 2 / 4.6]
    codes = np.array([3, 2, 0], np.uint8)[calls]
    padded = np.zeros((variants, -(-people // 4) * 4), np.uint8)
    padded[:, :people] = codes
    bed.write(
        (padded.reshape(variants, -1, 4) << np.array([0, 2, 4, 6], np.uint8)).sum(axis=2, dtype=np.uint8).tobytes()
    )
    for number, strength in enumerate(log10p):
        position = first + SPACING_BP * number
        name = f"{chromosome}:{position}"
        bim.write(f"{chromosome}\t{name}\t0\t{position}\tA\tG\n")
        assoc.write(f"{name} {10**-strength:.17g}\n")
        row = (chromosome, position, name, "G", "A", 0.3, people, "ADD", 0.1, 0.01, 1, strength, "NA")
        results.write("\t".join(map(str, row)) + "\n")
    return log10p


def _mosaics(random: np.random.Generator, people: int, variants: int) -> npt.NDArray[np.int8]:
    """Genotypes of people whose haplotypes are put together from those of 30 ancestors."""
    ancestors = random.random((30, variants)) < random.uniform(0.05, 0.5, variants)
    switches = np.cumsum(random.random((2 * people, variants)) < 0.01, axis=1) * 7
    alleles = ancestors[(switches + random.integers(0, 30, (2 * people, 1))) % 30, np.arange(variants)]
    copies: npt.NDArray[np.int8] = (alleles[:people].astype(np.int8) + alleles[people:]).T
    return copies


def timed(command: list[str], output: Path, **environment: str) -> Cost:
    """When a program runs once."""
    with output.open("w") as file:
        child = subprocess.Popen(command, stdout=file, env=os.environ | environment)
        _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, f"{command[0]} failed"
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def clumps_of_plink(path: Path) -> dict[str, list[str]]:
    """Index variant -> members."""
    lines = [line.split() for line in path.read_text().splitlines()[1:] if line.strip()]
    return {f[2]: [] if f[11] == "NONE" else f[11].replace("(1)", "").split(",") for f in lines}


def main() -> int:
    """The exit code: 1 if the promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--regions", type=int, default=100)
    parser.add_argument("--people", type=int, default=5_000)
    parser.add_argument("--variants", type=int, default=2_500, help="of each region")
    parser.add_argument("--turns", type=int, default=5)
    chosen = parser.parse_args()
    plink = shutil.which("plink1.9")
    if plink is None:
        print("skipped: there is no plink1.9 on PATH")
        return 0
    file = {"path": "cohort.bed"}
    search = {"genotypes": [file], "people": file, "analysed": "plan/analysed.txt", **THRESHOLDS}
    with TemporaryDirectory(prefix="clumps-") as place:
        folder = Path(place)
        simulate(folder, chosen.regions, chosen.people, chosen.variants)
        options = [word for name, value in THRESHOLDS.items() for word in (f"--clump-{name[:2]}", str(value))]
        options = [word.replace("--clump-wi", "--clump-kb") for word in options]
        by_plink = [plink, "--bfile", str(folder / "data" / "cohort"), "--clump", str(folder / "results.assoc")]
        by_plink += [*options, "--threads", "1", "--out", str(folder / "plink")]
        by_runner = [sys.executable, "-c", _RUNNER, str(folder), json.dumps(search)]
        path = os.pathsep.join((str(ROOT / "containers" / "regenie"), str(ROOT)))
        costs: dict[str, list[Cost]] = {"plink1.9": [], "runner": []}
        for _ in range(chosen.turns):
            costs["plink1.9"].append(timed(by_plink, folder / "plink.out"))
            costs["runner"].append(timed(by_runner, folder / "runner.json", PYTHONPATH=path))
        found = json.loads((folder / "runner.json").read_text())
        assert found == clumps_of_plink(folder / "plink.clumped"), "the clumps are others"
    console = Console()
    for name, spent in costs.items():
        seconds, mib = median(each.seconds for each in spent), max(each.mib for each in spent)
        console.print(f"{name}: {seconds:.2f} s, {mib:.0f} MiB")
    ratio = median(each.seconds for each in costs["runner"]) / median(each.seconds for each in costs["plink1.9"])
    console.print(
        f"{chosen.regions} regions, {chosen.people:,} people, {len(found)} clumps: {ratio:.2f} of plink1.9's "
        f"processor time; promised: {PROMISED}"
    )
    return int(ratio > PROMISED)


if __name__ == "__main__":
    sys.exit(main())
