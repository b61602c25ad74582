"""What it takes to merge one trait's results: processor seconds and peak memory, beside an earlier build's.

    export PYTHONPATH=containers/regenie
    .venv/bin/python -m benchmarks.merge                       # 10 million rows, compared with the build of 34edbf7
    .venv/bin/python -m benchmarks.merge --rows 1000000 --turns 3

The results are simulated: chunks of 50,000 variants in regenie's columns. A merge writes the merged results, their
tabix index, their GWAS-SSF twin and the summary. Both builds run the job's own program (`python -m regenie_runner
merge`) in turns, each in a process of its own, and the rows that they write are compared. The benchmark fails if the
median of the processor's time is above PROMISED of the earlier build's.
"""

import argparse
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from rich.console import Console

from benchmarks.earlier_build import EARLIER, ROOT, in_turns, unpack_earlier
from regenie_runner.receipts import seal_folder

PROMISED = 0.55
"""Highest ratio of processor time, new to earlier."""
LAUNCH_ID = "merge-20261121t040000-1a2b3c4d"
HEADER = "CHROM GENPOS ID ALLELE0 ALLELE1 A1FREQ N TEST BETA SE CHISQ LOG10P EXTRA\n"
VARIANTS_OF_A_CHUNK = 50_000
_RUNNER = "containers/regenie"
_RESULTS = "gwas/height.regenie.gz"
_TABLE = "gwas/height.gwas-ssf.tsv.gz"


class Cost(NamedTuple):
    """Of one merge."""

    seconds: float
    """Of the processor, user and system, of all threads."""
    mib: float
    """Peak resident memory."""
    content: str
    """Digest of the rows of both tables."""


def simulate(folder: Path, rows: int) -> None:
    """Given: a launch whose step 2 is over."""
    random = Random(7)
    work = folder / "work"
    (work / "plan").mkdir(parents=True)
    (folder / "data").mkdir()
    lines = []
    for number, start in enumerate(range(0, rows, VARIANTS_OF_A_CHUNK)):
        variants = min(VARIANTS_OF_A_CHUNK, rows - start)
        chromosome = 1 + 22 * start // rows
        places = f"{chromosome}:{_position(start)}-{_position(start + variants - 1)}"
        output = f"step2/{number:06}"
        task = {
            "label": f"cohort chunk {number}",
            "command": [
                "regenie",
                "--step",
                "2",
                "--bed",
                "{data}/cohort",
                "--range",
                places,
                "--out",
                "{output}/chunk",
            ],
            "output": output,
            "expect": ["chunk_height.regenie"],
            "variants": variants,
        }
        place = work / output
        place.mkdir(parents=True)
        with (place / "chunk_height.regenie").open("w") as file:
            file.write(HEADER)
            file.writelines(_row(random, chromosome, start + each) for each in range(variants))
        (place / "chunk.log").write_text("")
        seal_folder(place, task)
        lines.append(json.dumps(task))
    (work / "plan" / "step2.jsonl").write_text("\n".join(lines) + "\n")
    merge = {"label": "height", "trait": "height", "output": _RESULTS, "summary": "gwas/summary/height.json"}
    (work / "plan" / "merge.jsonl").write_text(json.dumps(merge) + "\n")
    (work / "launch.json").write_text(json.dumps({"launchId": LAUNCH_ID, "attempt": 1, "config": {}}))


def _position(number: int) -> int:
    return 10_000 + 7 * number


def _row(random: Random, chromosome: int, number: int) -> str:
    frequency, effect, error = random.uniform(0.001, 0.999), random.gauss(0, 0.05), random.uniform(0.01, 0.1)
    chisq = (effect / error) ** 2
    return (
        f"{chromosome} {_position(number)} rs{number} G A {frequency:.6g} {2_000 - number % 30} ADD {effect:.6g} "
        f"{error:.6g} {chisq:.6g} {chisq / 4.6:.6g} NA\n"
    )


def merge(program: Path, workspace: Path) -> Cost:
    """When one merge runs in a process of its own."""
    shutil.rmtree(workspace / "work" / "gwas", ignore_errors=True)
    child = subprocess.Popen(
        [sys.executable, "-m", "regenie_runner", "merge"],
        cwd=workspace,
        env=os.environ
        | {
            "PATH": f"{workspace / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join((str(program), str(ROOT))),
            "WORKSPACE": str(workspace),
            "LAUNCH_ID": LAUNCH_ID,
            "AWS_BATCH_JOB_ID": "merge:0",
            "AWS_BATCH_JOB_ARRAY_INDEX": "0",
        },
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, f"the merge of {program} failed"
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, _content(workspace / "work"))


def _content(work: Path) -> str:
    digest = hashlib.sha256()
    for name in (_RESULTS, _TABLE):
        with gzip.open(work / name) as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def main() -> int:
    """The exit code: 1 if the promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--turns", type=int, default=5)
    chosen = parser.parse_args()
    with TemporaryDirectory(prefix="merge-") as folder:
        builds = {EARLIER: unpack_earlier(Path(folder) / "earlier", _RUNNER) / _RUNNER, "now": ROOT / _RUNNER}
        workspace = Path(folder) / "fsx"
        simulate(workspace, chosen.rows)
        (workspace / "bin").mkdir()
        stat = workspace / "bin" / "stat"
        stat.write_text("#!/bin/sh\necho lustre\n")
        stat.chmod(0o755)
        costs = in_turns(builds, chosen.turns, lambda program: merge(program, workspace))
    console = Console()
    for name, found in costs.items():
        seconds, mib = median(each.seconds for each in found), max(each.mib for each in found)
        console.print(f"{name}: {seconds:.1f} s of the processor, {mib:.0f} MiB")
    assert len({each.content for found in costs.values() for each in found}) == 1, "the builds write other rows"
    ratio = median(each.seconds for each in costs["now"]) / median(each.seconds for each in costs[EARLIER])
    console.print(f"{chosen.rows:,} rows: {ratio:.2f} of {EARLIER}'s time; promised: {PROMISED}")
    return int(ratio > PROMISED)


if __name__ == "__main__":
    sys.exit(main())
