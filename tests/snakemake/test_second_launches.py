"""A launch on the data of an earlier one makes anew what a plain run would make anew, and nothing else."""

import time
from pathlib import Path

import pytest

from tests.snakemake.plays import ENGINES, plain_run
from tests.snakemake.workflows import write

SNAKEFILE = """
rule all:
    input: expand("done/{s}.txt", s=["a", "b"]), "said.txt"

rule one:
    input: "in/{s}.txt"
    output: "mid/{s}.txt"
    params: word=config.get("word", "x")
    shell: "(cat {input}; echo {params.word}) > {output}"

rule two:
    input: "mid/{s}.txt"
    output: "done/{s}.txt"
    shell: "(cat {input}; echo two) > {output}"

rule said:
    input: "in/a.txt"
    output: "said.txt"
    script: "say.py"
"""
SAY = """
with open(snakemake.input[0]) as given, open(snakemake.output[0], "w") as said:
    said.write(given.read() + "one\\n")
"""
SOURCES = {"Snakefile": SNAKEFILE, "say.py": SAY}
DATA = {"in/a.txt": "a\n", "in/b.txt": "b\n"}

CHANGES = {
    "nothing": ({}, {}, {}, 0),
    "a shell": ({"Snakefile": SNAKEFILE.replace("echo two", "echo 2")}, {}, {}, 2),
    "a script": ({"say.py": SAY.replace("one", "1")}, {}, {}, 1),
    "an input": ({}, {"in/b.txt": "new\n"}, {}, 2),
    "a parameter": ({}, {}, {"word": "y"}, 4),
}
"""Sources, data, config that change, and how many jobs that makes."""
PLAYS = [
    pytest.param(change, engine, marks=() if (change, engine) == ("a shell", "tibanna") else pytest.mark.full)
    for change in CHANGES
    for engine in ENGINES
]


@pytest.mark.parametrize(("change", "engine"), PLAYS)
def test_what_changed_is_made_anew(play, tmp_path: Path, engine: str, change: str):
    sources, data, config, jobs = CHANGES[change]
    workflow, name = write(tmp_path / "workflow", SOURCES), f"again-{engine}-{time.time_ns()}"
    plain_run(engine, workflow, DATA, tmp_path)
    play(engine, workflow, DATA, name=name).expect_done()
    time.sleep(1.1)  # S3 tells the second
    write(workflow, sources)
    right = plain_run(engine, workflow, data, tmp_path, *(f"--config={key}={value}" for key, value in config.items()))

    played = play(engine, workflow, data, name=name, config=config).expect_done()

    assert played.files == right | {path: text for path, text in DATA.items() if path not in data}
    assert len(played.inputs) == jobs
    assert bool(played.outcome.warnings) == (jobs == 0)


@pytest.mark.full
@pytest.mark.parametrize("engine", ENGINES)
def test_a_launch_may_go_by_times_alone(play, tmp_path: Path, engine: str):
    workflow, name = write(tmp_path / "workflow", SOURCES), f"times-{engine}-{time.time_ns()}"
    play(engine, workflow, DATA, name=name).expect_done()
    write(workflow, CHANGES["a shell"][0])

    assert play(engine, workflow, name=name, rerunTriggers=["mtime"]).expect_done().inputs == []


@pytest.mark.full
@pytest.mark.parametrize("engine", ENGINES)
def test_what_nothing_is_known_of_is_taken_and_said(play, tmp_path: Path, engine: str):
    workflow = write(tmp_path / "workflow", SOURCES)
    made = {"mid/a.txt": "of another\n", "done/a.txt": "of another\n"}

    played = play(engine, workflow, made, older=DATA).expect_done()

    assert played.files["done/a.txt"] == "of another\n"
    (warning,) = played.outcome.warnings
    assert warning.startswith("2 files of the rules one, two were in the launch's data already")
