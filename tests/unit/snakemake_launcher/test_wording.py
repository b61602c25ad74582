"""Paths in Snakemake's messages are told as the workflow's author wrote them."""

import json
from pathlib import Path

import pytest

from snakemake_launcher.run_sheet import RunSheet
from snakemake_launcher.wording import as_written
from tests.unit.snakemake_launcher.sheets import sheet

SOURCES = Path("/work/launch-1/workflow")
PLACES = {
    "7": ("data/run42/", "", "/work/launch-1/workflow/Snakefile"),
    "9": ("s3://data/run42/", " (in storage)", '"/work/launch-1/workflow/Snakefile"'),
}


def written(message: str) -> str:
    return as_written(message, RunSheet.parse(json.dumps(sheet())), SOURCES)


@pytest.mark.parametrize("version", PLACES)
@pytest.mark.parametrize(
    ("missing", "told"),
    [
        (["reads/a.txt"], "reads/a.txt (for out/a.txt, s=a) is neither in the launch's data (s3://data/run42/) nor"),
        (["r/1.fq", "r/2.fq"], "r/1.fq, r/2.fq (for out/a.txt, s=a) are neither in the launch's data"),
        ([f"{n}.fq" for n in range(7)], "3.fq, 4.fq and 2 more (for out/a.txt, s=a) are neither"),
        (["a b.txt"], "a b.txt (for out/a.txt, s=a) is neither"),
    ],
)
def test_a_missing_input_is_named_with_what_to_do(version, missing, told):
    prefix, suffix, snakefile = PLACES[version]
    files = "\n        ".join(f"{prefix}{file}{suffix}" for file in missing)
    said = written(
        f"MissingInputException in rule make in file {snakefile}, line 3:\nMissing input files for rule make:\n"
        f"    output: {prefix}out/a.txt{suffix}\n    wildcards: s=a\n    affected files:\n        {files}"
    )

    name = snakefile.replace(f"{SOURCES}/", "")
    assert said.startswith(f"MissingInputException in rule make in file {name}, line 3: ")
    assert told in said
    assert said.endswith("there, or correct the rule's input.")
    assert "run42/" not in said.replace("(s3://data/run42/)", "")


def test_a_target_without_wildcards_or_output_is_named_alone():
    said = written(
        "MissingInputException in rule all in file /work/launch-1/workflow/Snakefile, line 1:\n"
        "Missing input files for rule all:\n    affected files:\n        data/run42/final.txt"
    )

    assert said.startswith("MissingInputException in rule all in file Snakefile, line 1: final.txt is neither in")


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("SyntaxError in file /work/launch-1/workflow/rules/a.smk, line 3", "SyntaxError in file rules/a.smk, line 3"),
        ("ProtectedOutputException: data/run42/out/a.txt", "ProtectedOutputException: out/a.txt"),
        ("FileNotFoundError: .snakemake/storage/s3/data/run42/x.tsv", "FileNotFoundError: x.tsv"),
        ("nothing of a path", "nothing of a path"),
    ],
)
def test_other_messages_lose_the_launchers_places_alone(message, told):
    assert written(message) == told
