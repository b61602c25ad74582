"""A Snakefile sees the launch's data while it is read, in the launcher and in each job, as in a plain run."""

from pathlib import Path

import pytest

from tests.snakemake.plays import MOSTLY_TIBANNA, plain_run
from tests.snakemake.workflows import ALL_LISTERS, CLUSTERS, MORE, READS, STANDARD, write

pytestmark = pytest.mark.parametrize("engine", MOSTLY_TIBANNA)


def test_all_ways_of_listing_find_what_a_plain_run_finds(play, tmp_path: Path, engine: str):
    workflow = write(tmp_path / "workflow", ALL_LISTERS)
    right = plain_run(engine, workflow, READS, tmp_path)

    played = play(engine, workflow, READS).expect_done()

    assert played.files == right


@pytest.mark.full
@pytest.mark.parametrize("name", MORE)
def test_what_else_there_is_of_checkpoints_and_folders(play, tmp_path: Path, engine: str, name: str):
    sources, data = MORE[name]
    workflow = write(tmp_path / "workflow", sources)
    right = plain_run(engine, workflow, data, tmp_path)

    played = play(engine, workflow, data).expect_done()

    assert played.files == right


def test_a_checkpoints_folder_is_listed_and_holds_nothing_of_an_earlier_run(play, tmp_path: Path, engine: str):
    workflow = write(tmp_path / "workflow", CLUSTERS)

    played = play(engine, workflow, {"all.txt": "b a\n"}, older={"clusters/old.txt": "of another run\n"}).expect_done()

    assert played.files["merged.txt"] == "a\na\nb\nb\n"
    assert "clusters/old.txt" not in played.files
    assert len(played.inputs) == 4  # cluster, two parts, merge


def test_a_project_in_snakemakes_standard_layout_runs_as_it_is(play, tmp_path: Path, engine: str):
    workflow = write(tmp_path / "project", STANDARD)

    played = play(engine, workflow, snakefile="workflow/Snakefile").expect_done()

    assert played.files == {"out.txt": "hellox y\n"}


def test_what_asks_for_nothing_is_refused_with_rule_and_line(play, tmp_path: Path, engine: str):
    workflow = write(
        tmp_path / "w", 'S, = glob_wildcards("raeds/{s}.txt")\n\nrule all:\n    input: expand("{s}", s=S)\n'
    )

    played = play(engine, workflow, READS)

    assert played.outcome.type == "ApplicationError"
    assert "rule all (line 3 of Snakefile) asks for no file" in played.outcome.message


def test_targets_that_are_files_are_made(play, tmp_path: Path, engine: str):
    workflow = write(tmp_path / "w", 'rule a:\n    output: "x/a.txt"\n    shell: "echo a > {output}"\n')

    played = play(engine, workflow, {"y": ""}, targets=["x/a.txt"]).expect_done()

    assert played.files["x/a.txt"] == "a\n"
    again = play(engine, workflow, {"x/a.txt": "a\n"}, targets=["x/a.txt"]).expect_done()
    assert again.inputs == []
    assert again.outcome.message.startswith("Nothing was made")


FINDS_NOTHING = """
import glob
from pathlib import Path

S, = glob_wildcards("reads/{s}.txt")
F = glob.glob("raw/*.fastq")
P = list(Path("raw").glob("*.bam"))
FOUND, = glob_wildcards("raw/{s}.txt")

rule all:
    input: "out/all.txt"

rule merge:
    input: expand("reads/{s}.txt", s=S), F, P
    output: "out/all.txt"
    shell: "cat {input} /dev/null > {output}"
"""


def test_a_search_that_finds_nothing_is_warned_of_with_what_is_there(play, tmp_path: Path, engine: str):
    data = {"raw/s1.txt": "x\n", "raw/s2.txt": "x\n", "sheet.tsv": "x\n"}

    played = play(engine, write(tmp_path / "w", FINDS_NOTHING), data).expect_done()

    reads, fastq, bam = played.outcome.warnings
    assert reads.startswith('glob_wildcards("reads/{s}.txt") in the Snakefile found nothing: there is no folder reads/')
    assert "/ holds raw/, sheet.tsv. If that is not meant" in reads
    assert fastq.startswith('glob("raw/*.fastq") in the Snakefile found nothing: s3://')
    assert "/raw/ holds s1.txt, s2.txt. If that is not meant" in fastq
    assert bam.startswith('Path("raw").glob("*.bam") in the Snakefile found nothing')
    assert reads in played.log
    assert played.files["out/all.txt"] == ""


def test_a_missing_sample_sheet_is_told_with_its_place(play, tmp_path: Path, engine: str):
    played = play(engine, write(tmp_path / "w", 'S = [*open("samples.csv")]\nrule all:\n    input: S\n'), READS)

    assert "there is no file samples.csv. Upload it to the launch's data (s3://data/" in played.outcome.message
