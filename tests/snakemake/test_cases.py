"""One table of workflows, on both engines: each gives what a plain run of the engine's Snakemake gives."""

from pathlib import Path

import pytest

from tests.snakemake.plays import CASES, ENGINES, plain_run

TABLE = (
    "01-sample-sheet",
    "02-directory",
    "03-flags",
    "08-checkpoint",
    "11-glob-wildcards",
    "14-includes",
    "22-run-directive",
    "26-glob-merge",
    "07-group",
)


QUICK = {("02-directory", "tibanna"), ("08-checkpoint", "aws-batch"), ("11-glob-wildcards", "tibanna")}
"""Those of `make test`; the others come with `make test-full`."""

PLAYS = [
    pytest.param(case, engine, marks=() if (case, engine) in QUICK else pytest.mark.full)
    for case in TABLE
    for engine in ENGINES
]


@pytest.mark.parametrize(("case", "engine"), PLAYS)
def test_outputs_are_those_of_a_plain_run(play, tmp_path: Path, case: str, engine: str):
    workflow, data = CASES / case / "workflow", CASES / case / "data"
    right = plain_run(engine, workflow, data, tmp_path)

    played = play(engine, workflow, data).expect_done()

    assert compared(played.files) == compared(right)


def compared(files: dict[str, str]) -> dict[str, list[str]]:
    """What benchmarks measured is never the same, and disks list files in any order."""
    return {path: [] if path.startswith("bench/") else sorted(text.splitlines()) for path, text in files.items()}
