"""Situations from the field, on both engines, each with the right value beside it (`make test-cases`).

Right is what a plain run of the engine's Snakemake makes of the same files, or a refusal that names the fault. Those of
the platform before an engine comes to work are in tests/cases/test_platform_cases.py.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from genolaunch.projects import Project
from tests.snakemake.plays import CASES, ENGINES, plain_run, texts_of

TIBANNA, AWS_BATCH = ENGINES
ELSEWHERE = {"30-slurm-bad-constraints", "36-partitions"}
"""In tests/cases/test_platform_cases.py."""
VALUES = {
    "title": 'he said "it\'s $HOME"',
    "nested": {"changed": ["a b", None, 12345678901234567890, 1e-300], "new": {"deep": True}},
    "extra": None,
    "empty": "",
}
COHORT = {f"cohort/sample_{n:04d}/calls/variants.g.vcf.txt": "v\n" for n in range(1500)}


@dataclass(frozen=True)
class Made:
    """Its outputs are those of a plain run."""

    name: str
    """Of its folder."""
    right: str
    """For people."""
    engines: tuple[str, ...] = ENGINES
    data: Mapping[str, str] | None = None
    """In place of the folder's."""
    more: tuple[str, ...] = ()
    """Arguments of the plain run; CONFIG is a file with VALUES."""
    sheet: Mapping[str, Any] = field(default_factory=dict)
    """What of the launch says the same."""


MADE = [
    Made("01-sample-sheet", "counts/u1.txt and counts/u2.txt, by the sheet that the Snakefile opens"),
    Made("02-directory", "what directory() holds"),
    Made("03-flags", "no middle.txt, which is temp()"),
    Made("05-plus-in-data", "out.txt in a folder run+2026", sheet={"prefix": "data/run+2026"}),
    Made("07-group", "both groups done"),
    Made("08-checkpoint", "merged of all that the checkpoint found"),
    Made("11-glob-wildcards", "one output for each file that glob_wildcards finds in the data"),
    Made("12-attempt-memory", "600 MB fail, 1200 pass", more=("--retries", "2"), sheet={"retries": 2}),
    Made("13-config-values", "each value as it was given", more=("--configfile", "CONFIG"), sheet={"config": VALUES}),
    Made("14-includes", "counts by an included rule's script with its package"),
    Made("15-resource-words", "1500MB and 1h as numbers, memory by the input's size"),
    Made("16-many-inputs", "1500 inputs counted", (AWS_BATCH,), COHORT),
    Made("22-run-directive", "a file with blanks in its name, by run:"),
    Made("26-glob-merge", "all files of the data merged"),
    Made(
        "38-file-targets", "final.txt, which the launch asks for", more=("final.txt",), sheet={"targets": ["final.txt"]}
    ),
]


@dataclass(frozen=True)
class Told:
    """It cannot be made, and the status says why."""

    name: str
    right: str
    said: tuple[str, ...]
    """Words of the message."""
    engines: tuple[str, ...] = ENGINES
    data: Mapping[str, str] | None = None
    submissions: int = 0
    """Jobs that were begun; none of what is refused beforehand."""


TOLD = [
    Told(
        "06-log-of-failed",
        "failed, with the last line of the rule's log",
        ("index is truncated", "logs/aligner.err"),
        submissions=1,
    ),
    Told(
        "16-many-inputs",
        "refused: Step Functions takes no such input",
        ("rule merge", "1,500 inputs"),
        (TIBANNA,),
        COHORT,
    ),
    Told("20-envvars", "refused: LICENCE_TOKEN is not set", ("LICENCE_TOKEN",)),
    Told(
        "21-conda-container",
        "refused: one image for all jobs",
        ("rule version (line 4 of ", "container_image"),
        (AWS_BATCH,),
    ),
    Told("23-group-fails", "one of three groups failed, by its own words", ("sample is contaminated",), submissions=3),
    Told(
        "27-missing-output",
        "failed, with the output that is not there",
        ("MissingOutputException", "a.txt.idx"),
        submissions=1,
    ),
    Told("29-gpu-and-retries", "refused: no engine has a GPU", ("rule basecall (line ", "GPU")),
]

QUICK = {
    ("02-directory", TIBANNA),
    ("08-checkpoint", AWS_BATCH),
    ("11-glob-wildcards", TIBANNA),
}
"""Those of `make test`; the others come with `make test-full`."""


def plays(cases: list[Any]) -> list[Any]:
    """One for each case and each of its engines."""
    return [
        pytest.param(case, engine, id=f"{case.name}-{engine}", marks=_marks(case.name, engine))
        for case in cases
        for engine in getattr(case, "engines", ENGINES)
    ]


def _marks(name: str, engine: str) -> Any:
    return () if (name, engine) in QUICK else pytest.mark.full


def test_every_case_is_tried() -> None:
    tried = {case.name for case in MADE} | {case.name for case in TOLD}
    tested = tried | ELSEWHERE | {"18-second-launch", "24-standard-layout", "25-two-projects"}
    assert sorted(tested) == sorted(folder.name for folder in CASES.iterdir())


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("case", "engine"), plays(MADE))
def test_outputs_are_those_of_a_plain_run(
    play, tmp_path: Path, case: Made, engine: str, record_property: Callable[..., None]
):
    workflow, data = CASES / case.name / "workflow", case.data or CASES / case.name / "data"
    (tmp_path / "config.json").write_text(json.dumps(VALUES))
    more = [str(tmp_path / "config.json") if word == "CONFIG" else word for word in case.more]
    right = plain_run(engine, workflow, data, tmp_path, *more)

    played = play(engine, workflow, data, **case.sheet).expect_done()

    assert compared(played.files) == compared(right)
    assert {path for path in played.files if is_made(path, played.made)} == {*played.files} - {*texts_of(data)}
    record_property("right", case.right)


def is_made(path: str, made: list[str]) -> bool:
    """Whether jobs have listed that they wrote it, or the folder that it is in."""
    return any(path == each or path.startswith(f"{each}/") for each in made)


def compared(files: dict[str, str]) -> dict[str, list[str]]:
    """What benchmarks measured is never the same, and disks list files in any order."""
    return {path: [] if path.startswith("bench/") else sorted(text.splitlines()) for path, text in files.items()}


@pytest.mark.parametrize(("case", "engine"), plays(TOLD))
def test_what_cannot_be_made_is_told(play, case: Told, engine: str, record_property: Callable[..., None]):
    folder = CASES / case.name / "data"
    # Snakemake 9's storage plugin deletes a bucket that it has emptied, and here nothing keeps it from that.
    data = case.data or (folder if folder.is_dir() else {"nothing": ""})

    played = play(engine, CASES / case.name / "workflow", data)

    assert played.outcome.type == "ApplicationError"
    assert [word for word in case.said if word not in played.outcome.message] == [], played.outcome.message
    assert len(played.inputs) == case.submissions
    record_property("right", case.right)


@pytest.mark.full
def test_on_tibanna_a_rules_container_is_its_jobs_image(play, record_property: Callable[..., None]):
    case = CASES / "21-conda-container"

    played = play(TIBANNA, case / "workflow", case / "data")  # whose tool is not on this machine

    assert [job["args"]["container_image"] for job in played.inputs] == ["quay.io/biocontainers/samtools:1.17"]
    record_property("right", "the job's image is the rule's")


@pytest.mark.full
@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: f"18-second-launch-{engine}")
def test_a_second_launch_makes_nothing_anew(play, tmp_path: Path, engine: str, record_property: Callable[..., None]):
    workflow, data = CASES / "18-second-launch" / "workflow", CASES / "18-second-launch" / "data"
    right = plain_run(engine, workflow, data, tmp_path)
    first = play(engine, workflow, data, name="twice").expect_done()
    assert compared(first.files) == compared(right)

    again = play(engine, workflow, name="twice").expect_done()

    assert again.inputs == []
    assert again.files == first.files
    assert again.outcome.message.startswith("Nothing was made")
    record_property("right", "0 jobs, and the warning that nothing was made")


@pytest.mark.full
@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: f"24-standard-layout-{engine}")
def test_a_project_goes_up_with_its_config(play, tmp_path: Path, engine: str, record_property: Callable[..., None]):
    snakefile = CASES / "24-standard-layout" / "workflow" / "workflow" / "Snakefile"
    workflow, project = submitted(snakefile, tmp_path / "uploaded")
    right = plain_run(engine, workflow, None, tmp_path)

    played = play(engine, workflow, snakefile=str(project.snakefile)).expect_done()

    assert played.files == right
    assert right["out.txt"] == "hello\n"
    record_property("right", "out.txt holds the title of config/config.yaml")


@pytest.mark.full
@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: f"25-two-projects-{engine}")
def test_two_projects_have_results_of_their_own(
    play, tmp_path: Path, engine: str, record_property: Callable[..., None]
):
    made = {}
    for name in ("projA", "projB"):
        snakefile = CASES / "25-two-projects" / name / "workflow" / "Snakefile"
        workflow, project = submitted(snakefile, tmp_path / name)
        played = play(engine, workflow, name=project.name, snakefile=str(project.snakefile)).expect_done()
        made[project.name] = played.files["results/summary.txt"]

    assert made == {"projA": "summary of project A\n", "projB": "summary of project B\n"}
    record_property("right", "each has its own summary")


def submitted(snakefile: Path, folder: Path) -> tuple[Path, Project]:
    """What `genolaunch submit` takes along, in a folder as the launcher gets it."""
    project = Project.of(snakefile)
    for path, below in [*project.sources(snakefile), (snakefile, project.snakefile)]:
        (folder / below).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / below)
    return folder, project
