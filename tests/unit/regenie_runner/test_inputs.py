"""A job reads only the files that its launch was planned for."""

import hashlib
import json

import pytest

from tests.unit.regenie_runner.conftest import chunk_task, merge_task

COHORT = {"cohort.bed": b"genotypes", "phenotypes.txt": b"FID IID height\n1 1 1.5\n"}


@pytest.fixture
def planned(launch):
    """Given: a launch whose inputs are recorded, and a job of each phase that would do something."""
    files = []
    for name, content in COHORT.items():
        (launch.data / name).write_bytes(content)
        file = {"bucket": "data", "key": f"cohort/{name}", "place": f"data/{name}", "size": len(content)}
        digest = {"sha256": hashlib.sha256(content).hexdigest()} if name.endswith(".txt") else {}
        files.append({**file, "etag": '"e"', **digest})
    launch.write("inputs.json", json.dumps({"attempt": 1, "files": files}))
    command = ["sh", "-c", 'echo ran >> "$WORKSPACE"/runs; echo 1 > {work}/x']
    for phase in ("split", "level0"):
        launch.plan(phase, {"label": phase, "command": command, "expect": ["{work}/x"]})
    command = ["sh", "-c", 'echo ran >> "$WORKSPACE"/runs; echo 1 > {output}/x']
    for phase in ("level1", "step1"):
        launch.plan(phase, {"label": phase, "command": command, "expect": ["x"], "output": phase})
    launch.plan("step2", {**chunk_task(0, ["height"], 1), "command": command})
    launch.plan("merge", merge_task("height"))
    launch.plan("report", {"label": "report", "output": "report.html", "summaries": {}})
    return launch


def runs(launch) -> int:
    path = launch.root / "runs"
    return path.read_text().count("ran") if path.exists() else 0


def test_the_recorded_files_are_read(planned):
    assert planned.run("split") == 0
    assert runs(planned) == 1


@pytest.mark.parametrize("phase", ["split", "level0", "level1", "step1", "step2", "merge", "report"])
@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("cohort.bed", b"other genotypes", "s3://data/cohort/cohort.bed has 15 bytes, and had 9"),
        ("cohort.bed", b"", "s3://data/cohort/cohort.bed has 0 bytes, and had 9"),
        ("cohort.bed", None, "s3://data/cohort/cohort.bed is not in the file system"),
        (
            "phenotypes.txt",
            b"FID IID height\n1 1 2.5\n",
            "s3://data/cohort/phenotypes.txt has another content of the same size",
        ),
    ],
)
def test_in_every_phase_another_file_ends_the_job_before_it_does_anything(planned, phase, name, content, said, capfd):
    if content is None:
        (planned.data / name).unlink()
    else:
        (planned.data / name).write_bytes(content)

    assert planned.run(phase) == 4

    error = capfd.readouterr().err
    assert said in error
    assert "Retry the launch, which plans anew, or submit it again." in error
    assert runs(planned) == 0


def test_all_files_that_are_others_are_named(planned, capfd):
    for name in COHORT:
        (planned.data / name).write_bytes(b"x")
    planned.run("step2")
    error = capfd.readouterr().err
    assert all(name in error for name in COHORT)


def test_what_is_complete_is_not_kept_either(planned):
    assert planned.run("step1") == 0
    (planned.data / "cohort.bed").write_bytes(b"x")
    assert planned.run("step1") == 4
