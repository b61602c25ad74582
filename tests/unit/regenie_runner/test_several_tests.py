"""Launches in which regenie makes several tests of each variant, or of each set of them."""

import gzip
import json
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2

from regenie_runner import rows as rows_module
from regenie_runner.kinds_of_test import in_words, is_of_the_variant, main_of
from tests.unit.regenie_runner.conftest import HEADER, result_row
from tests.unit.regenie_runner.test_report import CHUNK_LOG, CONFIG, PARAMETERS, Page, report

WITH_VARIANT = {"interaction": {"variant": "rs1821", "genotypes": "cohort.bed"}}
WITH_COVARIATE = {"interaction": {"covariate": "smoking"}}
SETS = {"gene_tests": {"sets": "sets.txt", "annotations": "anno.txt", "masks": "masks.txt"}}


def analysed(launch, step2: dict[str, Any], text: str) -> dict[str, Any]:
    """When one chunk's results are merged: their summary."""
    parameters = {**PARAMETERS, "traits": ["height"], "covariates": "c.txt", "step2": step2}
    launch.describe({**CONFIG, "regenie": parameters})
    task = {**launch.chunk(0, height=text), "counted": False}
    if "gene_tests" in step2:
        task["command"] = [*task["command"], "--set-list", "{data}/sets.txt"]
    launch.seal(task)
    launch.plan("step2", task)
    launch.write("step2/000000/chunk.log", CHUNK_LOG)
    summary = "gwas/summary/height.json"
    launch.plan("merge", {"label": "height", "trait": "height", "output": "gwas/height.regenie.gz", "summary": summary})
    launch.plan("report", {"label": "report", "output": "report.html", "summaries": {"height": summary}})
    assert launch.run("merge", index=0) == 0
    found: dict[str, Any] = json.loads((launch.work / summary).read_text())
    return found


def rows_of(position: int, **log10p: float) -> str:
    """Rows of one variant, by what they test."""
    names = {
        "own": "ADD",
        "other": "ADD-INT_rs1821",
        "beside": "ADD-INT_SNP",
        "product": "ADD-INT_SNPxrs1821",
        "joint": "ADD-INT_2DF",
    }
    lines = []
    for name, value in log10p.items():
        degrees = 2 if name == "joint" else 1
        row = result_row("1", position, log10p=f"{value:.6g}", chisq=f"{chi2.isf(10**-value, degrees):.6g}")
        lines.append(row.replace(" ADD ", f" {names[name]} "))
    return "".join(lines)


@pytest.fixture
def with_a_variant(launch) -> dict[str, Any]:
    """A null scan but for one variant and its interaction; what they interact with is a strong association itself."""
    uniform = (np.arange(50) + 0.5) / 50
    text = "".join(
        rows_of(
            1_000_000 * (n + 1),
            own=9.5 if n == 7 else -np.log10(p),
            other=12 + n / 100,
            beside=-np.log10(p),
            product=8.5 if n == 30 else -np.log10(1 - p),
            joint=-np.log10(p),
        )
        for n, p in enumerate(uniform)
    )
    return analysed(launch, WITH_VARIANT, HEADER + text)


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("ADD", True),
        ("DOM", True),
        ("ADD-CONDTL", True),
        ("ADD-SKATO", True),
        ("GENE_P", True),
        ("ADD-INT_SNP", True),
        ("ADD-INT_SNPxBMI=25-30", True),
        ("ADD-INT_2DF", True),
        ("ADD-INT_13DF", True),
        ("ADD-INT_BMI", False),
        ("ADD-INT_BMI^2", False),
        ("ADD-INT_BMI=25-30", False),
        ("ADD-INT_rs1821-HOM", False),
        ("ADD-INT_SNP_A-1780419", False),
    ],
)
def test_what_tests_the_variant_and_what_only_what_it_interacts_with(test, expected):
    assert is_of_the_variant(test) is expected
    assert ("no test of the variant" in in_words(test, of_sets=False)) is not expected


@pytest.mark.parametrize(
    ("tests", "main"),
    [
        (["ADD", "ADD-INT_SNP"], "ADD"),
        (["ADD-INT_SNP", "ADD-CONDTL"], "ADD-CONDTL"),
        (["ADD-SKAT", "ADD"], "ADD"),
        (["ADD-BURDEN-ACAT"], "ADD-BURDEN-ACAT"),
        ([], "ADD"),
    ],
)
def test_the_main_test_is_that_of_a_usual_study(tests, main):
    assert main_of(tests) == main


def test_the_other_variables_own_effect_is_no_hit(with_a_variant):
    assert with_a_variant["significant_loci"] == 2
    assert [(locus["id"], locus["test"]) for locus in with_a_variant["loci"][:2]] == [
        ("1:8000000", "ADD"),
        ("1:31000000", "ADD-INT_SNPxrs1821"),
    ]
    assert max(value for points in with_a_variant["manhattan"] for value in points["log10p"]) == 9.5


def test_each_test_has_its_own_inflation_and_loci(with_a_variant):
    by_name = {test["name"]: test for test in with_a_variant["tests"]}

    assert {name: (test["rows"], test["significant_loci"]) for name, test in by_name.items()} == {
        "ADD": (50, 1),
        "ADD-INT_rs1821": (50, 0),
        "ADD-INT_SNP": (50, 0),
        "ADD-INT_SNPxrs1821": (50, 1),
        "ADD-INT_2DF": (50, 0),
    }
    assert by_name["ADD-INT_rs1821"]["genomic_inflation"] is None
    for name in ("ADD", "ADD-INT_SNP", "ADD-INT_SNPxrs1821", "ADD-INT_2DF"):
        assert by_name[name]["genomic_inflation"] == pytest.approx(1, abs=0.1)
    assert with_a_variant["genomic_inflation"] == by_name["ADD"]["genomic_inflation"]
    assert sum(group["variants"] for group in with_a_variant["frequency_quantiles"]) == 50
    assert with_a_variant["variants"] == 50


def test_the_report_tells_variants_and_tests_apart(launch, with_a_variant):
    page = report(launch)
    text = " ".join(page.text.split())

    assert "2 loci reach genome-wide significance in one test or several." in text
    assert "rs1821 itself: no test of the variant" in text
    assert "the interaction of the variant with rs1821" in text
    assert "in one of its tests (ADD (1 df), ADD-INT_SNP (1 df), ADD-INT_SNPxrs1821 (1 df), ADD-INT_2DF (2 df))" in text
    assert "Observed against expected p-values of ADD (1 df). Each other test has a plot below." in text
    assert "Interaction withrs1821 (variant)" in text
    assert any(each.startswith("QQ plots of each test of height") for each in page.alternatives)
    assert "the rows of ADD in the GWAS Catalog’s format, 50 rows" in text
    assert "Regional plot of height around 1:8000000: 1 variants" in page.alternatives
    warnings = (launch.work / "gwas/warnings.json").read_text()
    assert "inflation" not in warnings
    assert "GWAS-SSF" not in warnings


def test_what_was_conditioned_on_is_named(launch):
    launch.data.joinpath("hits.txt").write_text("".join(f"rs{n}\n" for n in range(12)))
    condition = {"condition": {"variants": "hits.txt", "genotypes": "cohort.bed"}}
    analysed(launch, condition, HEADER + result_row("1", 5, log10p="9"))
    text = " ".join(report(launch).text.split())

    words = "12 variants (rs0, rs1, rs2, rs3, rs4, rs5, rs6, rs7, rs8, rs9 and 2 more)"
    assert f"Each point is a variant in its test ADD (1 df), conditional on {words}." in text
    assert f"Conditional on{words}" in text
    (finding,) = json.loads((launch.work / "gwas/warnings.json").read_text())["findings"]
    assert finding == (
        f"height: 1 locus reaches genome-wide significance (p = 5e-8) in ADD (1 df), conditional on {words}."
    )


def test_an_inflated_interaction_has_reasons_of_its_own(launch):
    text = "".join(
        rows_of(1_000_000 * n, own=-np.log10(n / 20), beside=-np.log10(n / 20), product=2 * -np.log10(n / 20))
        for n in range(1, 20)
    )
    analysed(launch, WITH_VARIANT, HEADER + text)
    report(launch)

    (warning,) = json.loads((launch.work / "gwas/warnings.json").read_text())["warnings"]
    assert warning.startswith("height: genomic inflation of ADD-INT_SNPxrs1821 is ")
    assert "variance or curve differs" in warning
    assert "population structure" not in warning


@pytest.mark.parametrize(("step2", "rows"), [(WITH_COVARIATE, 2), (WITH_VARIANT, 0)])
def test_the_gwas_catalogs_table_has_what_is_adjusted_for_covariates_only(launch, step2, rows):
    """A test that is adjusted for another variant, too, is no usual study's."""
    text = "".join(
        result_row("1", n).replace(" ADD ", f" {test} ")
        for n in (5, 9)
        for test in ("ADD-CONDTL", "ADD-INT_SNP", "ADD-INT_SNPxE", "ADD-INT_2DF")
    )
    summary = analysed(launch, step2, HEADER + text)

    table = gzip.decompress((launch.work / "gwas/height.gwas-ssf.tsv.gz").read_bytes()).decode()
    assert table.count("\n") - 1 == rows
    assert summary["test"] == "ADD-CONDTL"
    assert ("gwas-ssf" in report(launch).text) is bool(rows)


@pytest.mark.parametrize(
    ("step2", "names"),
    [
        (WITH_COVARIATE, "ADD, ADD-CONDTL, DOM, DOM-CONDTL, REC and REC-CONDTL"),
        (WITH_VARIANT, None),
    ],
)
def test_what_the_gwas_catalogs_table_leaves_out_is_told_of_the_tests_it_takes(launch, step2, names):
    # Given: a variant whose allele the format has no place for
    variants = (result_row("1", 5).replace(" G A ", " G <DEL> "), result_row("1", 9))
    tests = ("ADD-CONDTL", "ADD-INT_SNP")
    analysed(launch, step2, HEADER + "".join(row.replace(" ADD ", f" {test} ") for row in variants for test in tests))
    report(launch)

    warnings = json.loads((launch.work / "gwas/warnings.json").read_text())["warnings"]
    told = [warning for warning in warnings if "GWAS-SSF" in warning]
    assert len(told) == bool(names)
    assert all(each.endswith(f"tests other than {names}.") for each in told)


def test_a_covariate_that_is_named_like_a_test_is_none(launch):
    """regenie names the rows of its own effect by it."""
    text = "".join(
        result_row("1", 5).replace(" ADD ", f" {test} ") for test in ("ADD-CONDTL", "ADD-INT_E-INT_SNP", "ADD-INT_SNP")
    )

    assert analysed(launch, WITH_COVARIATE, HEADER + text)["interactions"] == 1


# --- Sets -------------------------------------------------------------------------------------------------------------
def set_rows(genes: int) -> str:
    """Of each two masks: burden tests of both, and other tests of one. Two sets begin at the same variant."""
    lines = []
    for n in range(genes):
        row = result_row("1", 1_000_000 * (n // 2 + 1), name=f"GENE{n}.M1.0.01").replace(" G A ", " ref M1.0.01 ")
        whole = row.replace("M1.0.01", "M1.all").replace(" 0.25 ", " NA ").replace(" 0.1 0.05 ", " NA NA ")
        lines += [row, *(whole.replace(" ADD ", f" {test} ") for test in ("ADD-ACATV", "ADD-SKAT"))]
        lines.append(row.replace("M1.0.01", "M1.all"))
    return HEADER + "".join(lines)


@pytest.mark.parametrize("block", [1, 150, 1 << 20])
def test_masks_are_counted_and_not_their_rows(launch, monkeypatch, block):
    monkeypatch.setattr(rows_module, "BLOCK_BYTES", block)

    summary = analysed(launch, SETS, set_rows(6))

    assert (summary["rows"], summary["variants"], summary["of_sets"]) == (24, 12, True)
    assert [(test["name"], test["rows"]) for test in summary["tests"]] == [
        ("ADD", 12),
        ("ADD-ACATV", 6),
        ("ADD-SKAT", 6),
    ]


def test_the_report_of_sets_speaks_of_genes(launch):
    analysed(launch, SETS, set_rows(6))
    page: Page = report(launch)
    text = " ".join(page.text.split())

    for words in ("Genes tested", "Each point is a gene", "variance component", "burden: the mask as one variant"):
        assert words in text
    for words in ("Effect allele", "Variants tested", "GWAS Catalog", "Each point is a variant", "locus", "loci"):
        assert words not in text
    assert not any(alternative.startswith("Regional") for alternative in page.alternatives)


def test_sets_leave_no_empty_table_for_the_gwas_catalog(launch):
    left = launch.work / "gwas" / "height.gwas-ssf.tsv.gz"
    left.parent.mkdir(parents=True)
    left.write_text("of an earlier version")

    analysed(launch, SETS, set_rows(2))
    report(launch)

    assert not list(left.parent.glob("*gwas-ssf*"))
    assert "gwas-ssf" not in (left.parent / "checksums.txt").read_text()
