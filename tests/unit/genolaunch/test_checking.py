"""`genolaunch check`: faults of launch configs, without AWS."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from genolaunch import checkout
from genolaunch.cli import app
from genolaunch.commands.exit_codes import COULD_NOT, NOT_UNDERSTOOD, REJECTED

EXAMPLES = Path(__file__).parents[3] / "examples"
BAD = "name: height\nworkflow: regenie\ndata: cohort/\nregenie: {genotypes: cohort.vcf}\n"


def check(*arguments: str | Path):
    return CliRunner().invoke(app, ["check", *map(str, arguments)])


def test_examples_have_no_faults():
    files = [EXAMPLES / "gwas" / "launch.yaml", EXAMPLES / "snakemake" / "launch.yaml"]

    told = check(*files)

    assert told.exit_code == 0
    assert told.stdout.splitlines() == [f"{file} has no faults." for file in files]


def test_a_snakefile_is_checked_as_the_config_that_the_platform_makes_of_it():
    file = EXAMPLES / "snakemake" / "workflow" / "Snakefile"

    told = check(file)

    assert told.exit_code == 0
    assert told.stdout == (
        f"{file} can be read, and the launch config that is made for it has no faults; the Snakefile itself is parsed "
        "at launch.\n"
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"", "is empty"), (b" \n\n", "is empty"), (b"rule all:\n\xff", "is no text in UTF-8 (byte 11)")],
)
def test_a_snakefile_that_holds_no_text_is_refused(tmp_path, content, problem):
    file = tmp_path / "Snakefile"
    file.write_bytes(content)

    told = check(file, "--json")

    assert told.exit_code == REJECTED
    ((fault,),) = [each["faults"] for each in json.loads(told.stdout)]
    assert (fault["where"], fault["problem"]) == ("Snakefile", problem)
    assert fault["remedy"]


def test_every_fault_is_told_with_its_remedy(tmp_path):
    file = tmp_path / "height.yaml"
    file.write_text(BAD)

    told = check(file)

    assert told.exit_code == REJECTED
    assert told.stderr.startswith(f"{file}: ")
    for place in ("regenie.genotypes", "regenie.phenotypes", "regenie.trait_type"):
        assert place in told.stdout


def test_of_several_files_all_are_checked(tmp_path):
    bad, good = tmp_path / "bad.yaml", EXAMPLES / "gwas" / "launch.yaml"
    bad.write_text(BAD)

    told = check(bad, good, "--json")

    assert told.exit_code == REJECTED
    first, second = json.loads(told.stdout)
    assert (first["file"], second) == (str(bad), {"file": str(good), "faults": []})
    assert all(fault["problem"] and fault["remedy"] for fault in first["faults"])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("notes.txt", "notes.txt is not a launch config: its name must end in .yaml, .yml, .json."),
        ("missing.yaml", "file 'missing.yaml' does not exist"),
    ],
)
def test_what_is_no_config_is_refused(tmp_path, monkeypatch, name, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("x")

    told = check(name)

    assert told.exit_code == NOT_UNDERSTOOD
    assert words in told.stderr


def test_a_command_that_was_installed_alone_names_what_it_lacks(monkeypatch):
    monkeypatch.setattr(checkout, "own", lambda: None)

    told = CliRunner().invoke(app, ["local", "status"])

    assert told.exit_code == COULD_NOT
    assert told.stderr.startswith("genolaunch: The embedded cloud needs a checkout of Genolaunch")
