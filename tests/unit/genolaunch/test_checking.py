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
    assert check(EXAMPLES / "snakemake" / "workflow" / "Snakefile").exit_code == 0


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


@pytest.mark.parametrize(("name", "code"), [("notes.txt", NOT_UNDERSTOOD), ("missing.yaml", NOT_UNDERSTOOD)])
def test_what_is_no_config_is_refused(tmp_path, name, code):
    (tmp_path / "notes.txt").write_text("x")

    assert check(tmp_path / name).exit_code == code


def test_a_command_that_was_installed_alone_names_what_it_lacks(monkeypatch):
    monkeypatch.setattr(checkout, "own", lambda: None)

    told = CliRunner().invoke(app, ["local", "status"])

    assert told.exit_code == COULD_NOT
    assert told.stderr.startswith("genolaunch: The embedded cloud needs a checkout of Genolaunch")
