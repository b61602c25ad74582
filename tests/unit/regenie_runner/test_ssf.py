"""Results in the GWAS Catalog's format: what it demands of the table, and of the description beside it."""

import gzip
import hashlib
import re
from typing import Any

import pytest
import yaml

from tests.unit.regenie_runner.conftest import HEADER, expected_results, merge_task, result_row
from tests.unit.regenie_runner.test_report import CHUNK_LOG

MANDATORY = [
    "chromosome",
    "base_pair_location",
    "effect_allele",
    "other_allele",
    "beta",
    "standard_error",
    "effect_allele_frequency",
    "neg_log_10_p_value",
]


def merged(launch, text: str, log: str = CHUNK_LOG, **config: object) -> tuple[list[dict[str, str]], dict[str, Any]]:
    """When: one chunk's results are merged. Then: the table's rows and the description."""
    launch.describe({"regenie": config})
    launch.plan("step2", launch.chunk(0, height=text))
    launch.write("step2/000000/chunk.log", log)
    launch.plan("merge", merge_task("height"))
    assert launch.run("merge") == 0
    header, *lines = gzip.decompress(table_bytes(launch)).decode().splitlines()
    names = header.split("\t")
    description = yaml.safe_load((launch.work / "gwas/height.gwas-ssf.tsv.gz-meta.yaml").read_text())
    return [dict(zip(names, line.split("\t"), strict=True)) for line in lines], description


def table_bytes(launch) -> bytes:
    content: bytes = (launch.work / "gwas/height.gwas-ssf.tsv.gz").read_bytes()
    return content


def test_the_mandatory_columns_come_first_and_hold_regenies_own_digits(launch):
    table, _ = merged(launch, expected_results("height"))
    assert list(table[0])[:8] == MANDATORY
    lines = [line.split() for line in expected_results("height").splitlines()[1:]]
    assert [list(row.values())[:8] for row in table] == [
        [line[0], line[1], line[4], line[3], line[8], line[9], line[5], line[11]] for line in lines
    ]
    assert [row["n"] for row in table] == [line[6] for line in lines]


@pytest.mark.parametrize(("name", "number"), [("chr7", "7"), ("23", "23"), ("X", "23"), ("Y", "24"), ("MT", "25")])
def test_chromosomes_are_numbers(launch, name, number):
    table, _ = merged(launch, HEADER + result_row(name, 5))
    assert table[0]["chromosome"] == number


def test_only_rs_names_are_rsids_and_regenies_name_is_kept(launch):
    table, _ = merged(launch, HEADER + result_row("1", 5, name="rs123") + result_row("1", 6, name="1:6:A:G"))
    assert [(row["rsid"], row["id"]) for row in table] == [("rs123", "rs123"), ("#NA", "1:6:A:G")]


def test_rows_that_the_format_cannot_hold_are_left_out_and_counted(launch):
    good = result_row("1", 1)
    text = HEADER + good + result_row("1", 2, log10p="NA", chisq="NA") + good.replace(" G A ", " G <DEL> ")
    text += good.replace(" ADD ", " ADD-INT_SNPxE ")
    text = HEADER + "".join(sorted(text.splitlines(keepends=True)[1:], key=lambda line: int(line.split()[1])))
    table, _ = merged(launch, text)
    assert [row["base_pair_location"] for row in table] == ["1"]
    summary = (launch.work / "gwas/summary/height.json").read_text()
    assert '"left_out_of_ssf": 3' in summary


def test_nothing_that_fits_makes_a_table_with_a_header_only(launch):
    table, _ = merged(launch, HEADER + result_row("1", 2, log10p="NA", chisq="NA"))
    assert table == []


def test_info_scores_are_given_where_there_are_any(launch):
    header = HEADER.replace("A1FREQ N", "A1FREQ INFO N")
    rows = [
        f"6 7 rs1 C T 0.125 {info} 400 ADD -0.25 0.03 69.4 16.1 NA\n"
        for info in ("0.987", "NA", "1", "1.00213", "-0.01")
    ]
    table, _ = merged(launch, header + "".join(rows))
    assert [row["info"] for row in table] == ["0.987", "#NA", "1", "#NA", "#NA"]


def test_the_description_says_what_is_known_and_marks_what_is_not(launch):
    _, description = merged(
        launch, HEADER + result_row("1", 5), trait_type="quantitative", genome_build="GRCh38", traits=["height"]
    )
    assert description["genome_assembly"] == "GRCh38"
    assert description["coordinate_system"] == "1-based"
    assert description["trait_description"] == ["height"]
    assert description["file_type"] == "GWAS-SSF v1.0"
    assert description["data_file_name"] == "height.gwas-ssf.tsv.gz"
    assert description["data_file_md5sum"] == hashlib.md5(table_bytes(launch)).hexdigest()
    assert description["analysis_software"] == "REGENIE v4.1.2.gz"
    assert (description["is_sorted"], description["is_harmonised"]) == (True, False)
    assert description["samples"] == [
        {"sample_ancestry_category": ["NR"], "sample_size": 800, "case_control_study": False}
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", str(description["date_metadata_last_modified"]))


def test_an_unknown_genome_build_is_not_guessed(launch):
    _, description = merged(launch, HEADER + result_row("1", 5))
    assert description["genome_assembly"] == "NR"


def test_cases_and_controls_come_from_regenies_log(launch):
    log = f"{CHUNK_LOG} * case-control counts for each trait:\n   - 'height': 165 cases and 335 controls\n"
    _, description = merged(launch, HEADER + result_row("1", 5), log, trait_type="binary")
    (sample,) = description["samples"]
    assert (sample["case_control_study"], sample["case_count"], sample["control_count"]) == (True, 165, 335)


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ([], ["sex", "age", "height"]),
        (["--phenoColList", "height"], ["sex", "age"]),  # one file for both
        (["--catCovarList", "sex"], ["sex", "age", "height"]),  # chooses nothing
        (["--covarColList", "sex", "--catCovarList", "sex"], ["sex"]),
        (["--covarColList", "age,PC{1:3}", "--catCovarList", "centre"], ["age", "PC{1:3}", "centre"]),
    ],
)
def test_covariates_are_those_of_the_command(launch, more, names):
    (launch.data / "covariates.txt").write_text("FID IID sex age height\n")
    launch.describe({"regenie": {}})
    line = launch.chunk(0, height=HEADER + result_row("1", 5))
    launch.plan("step2", {**line, "command": ["regenie", "--covarFile", "{data}/covariates.txt", *more, "--qt"]})
    launch.plan("merge", merge_task("height"))
    assert launch.run("merge") == 0
    text = (launch.work / "gwas/height.gwas-ssf.tsv.gz-meta.yaml").read_text()
    assert yaml.safe_load(text)["adjusted_covariates"] == names
