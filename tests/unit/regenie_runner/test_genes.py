"""Gene-based tests: a row for each gene, with values that were computed by hand."""

import csv
import gzip
import json
import math
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from regenie_runner import significance
from regenie_runner.genes import COLUMNS, GeneScan, MaskFiles, p_text, table_text
from regenie_runner.kinds_of_test import degrees_of_freedom, of_all_masks_in_words
from regenie_runner.masks import count_variants_of_masks
from regenie_runner.plots import panels_of_genes
from regenie_runner.rows import Columns, Rows
from tests.unit.regenie_runner.conftest import HEADER
from tests.unit.regenie_runner.test_report import CHUNK_LOG, CONFIG, PARAMETERS, report
from tests.unit.regenie_runner.test_several_tests import SETS, analysed

ODD = """A<b>"1"&'=2"""


def row(gene: str, mask: str | None, test: str, log10p: object, place: str = "1 100", effect: str = "NA NA") -> str:
    """As regenie 4.1.2 writes one; `mask` None is a test of all masks together."""
    id_, alleles = (f"{gene}.{mask}", f"ref {mask}") if mask else (gene, "NA NA")
    return f"{place} {id_} {alleles} NA 800 {test} {effect} 1.5 {log10p} DF=1\n"


BEST = (
    row("RP11-34P13.7", "M1.0.01", "ADD", 1.5, effect="0.25 0.1")
    + row("RP11-34P13.7", "M1.all", "ADD-SKAT", 3.25)
    + row("RP11-34P13.7", "M1.all", "ADD", 0.5, effect="0.1 0.1")
    + row("TWIN", "M1.0.01", "ADD", 2.5, effect="-0.5 0.2")  # at the same place
    + row("TWIN", None, "ADD-BURDEN-ACAT", 2.5)  # not better, and later
    + row("ONLY", "M2.all", "ADD-SKAT", 1.25, "2 50")
    + row("NONE", "M1.0.01", "ADD", "NA", "2 70")
    + row(ODD, "M1.0.01", "ADD", 0.25, "3 5", "0.01 0.1")
    + row("IL2RG", "M1.0.01", "ADD", 4.5, "23 900", "1.5 0.3")
    + row("IL2RG", None, "GENE_P", 3.75, "23 900")
)
"""Five genes with a p-value, one without."""


def table(launch: Any, trait: str = "height") -> list[dict[str, str]]:
    with (launch.work / f"gwas/{trait}.genes.tsv").open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def scan_of(text: str) -> GeneScan:
    scan = GeneScan(MaskFiles(frozenset(), {}))
    scan.add(Rows(Columns(HEADER.split(), "a test"), text.encode(), "a test"))
    return scan


def test_the_line_is_bonferronis_for_the_genes_with_a_p_value(launch):
    """0.05 / 5 = 0.01, whose -log10 is 2."""
    summary = analysed(launch, SETS, HEADER + BEST)
    genes = summary["genes"]

    assert (summary["rows"], summary["variants"]) == (10, 7)  # masks, one of them without a p-value
    assert (genes["genes"], genes["tested"], genes["p_values"]) == (6, 5, 9)
    assert genes["line"] == pytest.approx(2)
    assert (genes["significant"], genes["gene_p_significant"]) == (3, 1)  # IL2RG, RP11-34P13.7 and TWIN; IL2RG


@pytest.mark.parametrize(("genes", "line"), [(1, 1.30103), (5, 2), (20_000, 5.60206), (0, 1.30103)])
def test_bonferroni(genes, line):
    assert significance.of_genes(genes) == pytest.approx(line, abs=1e-5)


def test_each_gene_has_one_row_with_its_best_mask_and_test(launch):
    analysed(launch, SETS, HEADER + BEST)

    rows = table(launch)
    assert tuple(rows[0]) == COLUMNS
    assert [(each["GENE"], each["MASK"], each["TEST"], each["LOG10P"], each["SIGNIFICANT"]) for each in rows] == [
        ("IL2RG", "M1.0.01", "ADD", "4.5", "yes"),
        ("RP11-34P13.7", "M1.all", "ADD-SKAT", "3.25", "yes"),
        ("TWIN", "M1.0.01", "ADD", "2.5", "yes"),
        ("ONLY", "M2.all", "ADD-SKAT", "1.25", "no"),
        (ODD, "M1.0.01", "ADD", "0.25", "no"),
        ("NONE", "NA", "NA", "NA", "no"),
    ]
    first = rows[0]
    assert (first["CHROM"], first["GENPOS"], first["BETA"], first["SE"]) == ("23", "900", "1.5", "0.3")
    assert (first["P"], first["GENE_P_LOG10P"], first["N"]) == ("3.162e-05", "3.75", "800")
    assert [(each["MASKS"], each["PVALUES"]) for each in rows] == [
        ("1", "2"),
        ("2", "3"),
        ("1", "2"),
        ("1", "1"),
        ("1", "1"),
        ("0", "0"),
    ]


@pytest.mark.parametrize(
    ("log10p", "text"), [(0, "1.000e+00"), (0.30103, "5.000e-01"), (400.5, "3.162e-401"), (2.99999999, "1.000e-03")]
)
def test_a_p_value_may_be_below_what_a_float_holds(log10p, text):
    assert p_text(log10p) == text


def test_inflation_is_of_each_mask_and_test(launch):
    """The median of 0.5, 0.2, 0.1 is 0.2, whose chi-square is 1.642374; over 0.4549364 that is 3.6101."""
    text = "".join(row(f"G{n}", "M1.0.01", "ADD", -math.log10(p), f"1 {n}") for n, p in enumerate((0.5, 0.2, 0.1)))
    text += "".join(row(f"G{n}", "M2.0.01", "ADD", -math.log10(0.5), f"1 {n}") for n in range(3))
    text += "".join(row(f"G{n}", None, "ADD-BURDEN-MINP", 2, f"1 {n}") for n in range(3))

    groups = analysed(launch, SETS, HEADER + text)["genes"]["groups"]
    found = [(group["mask"], group["test"], group["p_values"], group["genomic_inflation"]) for group in groups]
    assert found == [
        ("M1.0.01", "ADD", 3, pytest.approx(3.6101, abs=1e-3)),
        ("M2.0.01", "ADD", 3, pytest.approx(1, abs=1e-3)),
        (None, "ADD-BURDEN-MINP", 3, None),  # a smallest p-value is inflated by what it is
    ]
    assert groups[0]["curve"]["observed"] == pytest.approx([1, 0.699, 0.301], abs=1e-3)
    assert groups[0]["curve"]["expected"] == pytest.approx([-math.log10(k / 6) for k in (1, 3, 5)], abs=1e-3)
    assert groups[0]["lead"] == "G2"


def test_the_report_has_genes_and_names_them_safely(launch):
    analysed(launch, SETS, HEADER + BEST)
    page = report(launch)
    text = " ".join(page.text.split())

    assert page.alternatives[0] == "Manhattan plot of height: top gene IL2RG, -log10 p 4.50"
    assert "3 of 5 genes reach p = 0.05 / 5 genes = 1.0 × 10−2" in text
    assert "By GENE_P, which combines a gene’s tests into one, 1 does." in text
    assert "1 more gene has rows without a p-value." in text
    assert "9 p-values were computed, 1.8 for each gene on average" in text
    assert "gwas/height.genes.tsv: all 6 genes" in text
    assert ODD in page.text
    assert "<b>" not in (launch.work / "report.html").read_text()
    assert "5 × 10" not in text
    assert "gwas/height.genes.tsv" in (launch.work / "gwas/checksums.txt").read_text()


def test_the_status_is_told_how_many_genes_were_tested(launch):
    analysed(launch, SETS, HEADER + BEST)
    report(launch)

    told = json.loads((launch.work / "gwas/warnings.json").read_text())
    assert told["findings"] == [
        "height: 3 of 5 genes reach p = 0.05 / 5 = 0.01 by the best of masks and tests, 1 by GENE_P."
    ]


def test_inflation_is_warned_of_where_there_are_enough_genes(launch):
    """Once a trait; a smallest p-value is inflated by what it is."""
    text = "".join(
        row(f"G{n}", "M1.0.01", "ADD", -2 * math.log10((n + 0.5) / 500), f"1 {n}")
        + row(f"G{n}", "M2.0.01", "ADD", -math.log10((n + 0.5) / 500), f"1 {n}")
        + row(f"G{n}", None, "ADD-BURDEN-MINP", 3, f"1 {n}")
        for n in range(500)
    )
    analysed(launch, SETS, HEADER + text)
    report(launch)

    (warning,) = json.loads((launch.work / "gwas/warnings.json").read_text())["warnings"]
    assert "far from 1 in 1 of 2 masks and tests with at least 500 genes, most in ADD of M1.0.01" in warning


def test_one_gene_only(launch):
    analysed(launch, SETS, HEADER + row("PCSK9", "M1.0.01", "ADD", 1.31))
    text = " ".join(report(launch).text.split())

    assert "1 of 1 gene reaches p = 0.05 / 1 gene = 5.0 × 10−2" in text
    assert "The line counts genes" not in text


@pytest.mark.parametrize("rows", ["", *(row("PCSK9", "M1.0.01", "ADD", value) for value in ("NA", "nan", "inf"))])
def test_no_gene_with_a_p_value(launch, rows):
    summary = analysed(launch, SETS, HEADER + rows)
    text = " ".join(report(launch).text.split())

    assert "No gene has a p-value, so none is significant." in text
    assert summary["genes"]["tested"] == 0
    assert len(table(launch)) == bool(rows)
    assert "/ 0" not in text


def test_a_launch_of_single_variants_leaves_no_table_of_genes(launch):
    left = launch.write("gwas/height.genes.tsv", "of an earlier config")

    summary = analysed(launch, {}, HEADER + "1 5 1:5 G A 0.25 800 ADD 0.1 0.05 4 1.3 NA\n")

    assert summary["genes"] is None
    assert not left.exists()


def test_the_variants_of_masks_are_counted_and_kept(launch):
    """As --write-mask-snplist writes them; a set has domains, which are told from the set's own name."""
    text = row("A.1", "M1.0.01", "ADD", 3) + row("A.1.dom", "M1.all", "ADD", 4) + row("B", "M1.0.01", "ADD", 1)
    parameters = {**PARAMETERS, "traits": ["height"], "step2": SETS}
    launch.describe({**CONFIG, "regenie": parameters})
    task = {**launch.chunk(0, height=HEADER + text), "counted": False}
    task["command"] = [*task["command"], "--set-list", "{data}/sets.txt"]
    launch.write("step2/000000/sets.txt", "A.1\nB\n")
    lists = "A.1.M1.0.01\t1\t100\trs1\nA.1.dom.M1.all\t1\t100\trs1,rs2,rs3\n"
    launch.write("step2/000000/chunk_masks.snplist", lists)
    launch.write("step2/000000/chunk.log", CHUNK_LOG)
    count_variants_of_masks(launch.work / "step2/000000")
    launch.seal(task)
    launch.plan("step2", task)
    summary = "gwas/summary/height.json"
    launch.plan("merge", {"label": "height", "trait": "height", "output": "gwas/height.regenie.gz", "summary": summary})
    launch.plan("report", {"label": "report", "output": "report.html", "summaries": {"height": summary}})
    assert launch.run("merge", index=0) == 0
    page = report(launch)

    assert [(each["GENE"], each["MASK"], each["VARIANTS"], each["MASKS"]) for each in table(launch)] == [
        ("A.1", "dom.M1.all", "3", "2"),
        ("B", "M1.0.01", "NA", "1"),
    ]
    assert gzip.decompress((launch.work / "gwas/masks.snplist.gz").read_bytes()).decode() == lists
    assert "gwas/masks.snplist.gz: the variants of each mask" in " ".join(page.text.split())
    assert "gwas/masks.snplist.gz" in (launch.work / "gwas/checksums.txt").read_text()


def test_a_job_counts_the_variants_of_its_masks(launch):
    """Beside the lists, which every trait's merge would otherwise read."""
    launch.regenie_does(
        f'printf "##MASKS=<M1=\\"LoF\\">\\n{HEADER.strip()}\\n" > "$OUT"_height.regenie; '
        'printf "G.M1.0.01\\t1\\t9\\trs1,rs2\\n" > "$OUT"_masks.snplist'
    )
    task = {
        "label": "sets",
        "command": ["regenie", "--set-list", "s.txt", "--out", "{output}/chunk"],
        "output": "step2/000000",
        "expect": ["chunk_height.regenie"],
        "files": {"sets.txt": "G\n"},
    }
    launch.plan("step2", task)

    assert launch.run("step2", index=0) == 0
    assert (launch.work / "step2/000000/chunk_masks.sizes").read_text() == "G.M1.0.01\t2\n"
    receipt = json.loads((launch.work / "step2/000000/task.json").read_text())
    assert {"chunk_masks.sizes", "chunk_masks.snplist"} <= receipt["files"].keys()


@pytest.mark.parametrize(
    ("test", "words"),
    [
        ("ADD-BURDEN-ACAT", "p-values of the masks' burden tests, combined"),
        ("DOM-BURDEN-SBAT_POS_M1", "the masks' burdens together, with effects that raise the trait: of M1"),
        ("GENE_P", "all of burden, SBAT, ACATV and SKATO tests, combined"),
        ("GENE_P_LoF_only", "all of burden, SBAT, ACATV and SKATO tests, combined: of LoF_only"),
        ("ADD-SKATO-ACAT", "p-values of the masks' SKATO tests, combined"),
        ("ADD-NEW", ""),
    ],
)
def test_joint_tests_in_words(test, words):
    assert of_all_masks_in_words(test) == words


@pytest.mark.parametrize(
    ("test", "degrees"),
    [("ADD", 1), ("REC-CONDTL", 1), ("ADD-INT_SNPxBMI", 1), ("ADD-INT_13DF", 13), ("ADD-INT_BMI", None)],
)
def test_degrees_of_freedom(test, degrees):
    assert degrees_of_freedom(test) == degrees


def test_the_same_name_of_a_test_of_a_mask_and_of_all_is_told_apart():
    """regenie's SKATO-ACAT is of a mask; that of --rgc-gene-p combines those of all."""
    scan = scan_of(row("A", "M1.all", "ADD-SKATO-ACAT", 2) + row("A", None, "ADD-SKATO-ACAT", 1))

    groups = scan.summary(scan.table(), "t")["groups"]
    assert [(group["mask"], group["test"]) for group in groups] == [
        ("M1.all", "ADD-SKATO-ACAT"),
        (None, "ADD-SKATO-ACAT"),
    ]
    panels = panels_of_genes(scan.summary(scan.table(), "t"))
    assert [panel.title for panel in panels] == ["ADD-SKATO-ACAT", "All masks together"]


def test_what_sets_interact_with_is_no_p_value_of_a_gene():
    scan = scan_of(row("A", "M1.all", "ADD-INT_sex", 9) + row("A", "M1.all", "ADD-INT_SNPxsex", 1))

    (gene,) = scan.table()
    assert (gene["test"], gene["log10p"], gene["p_values"]) == ("ADD-INT_SNPxsex", "1", 1)


def test_several_traits_have_their_own_genes(launch):
    launch.describe({**CONFIG, "regenie": {**PARAMETERS, "step2": SETS}})
    results = {trait: HEADER + row(f"OF_{trait}", "M1.0.01", "ADD", 2) for trait in ("height", "ldl")}
    task = {**launch.chunk(0, **results), "counted": False}
    task["command"] = [*task["command"], "--set-list", "{data}/sets.txt"]
    launch.seal(task)
    launch.plan("step2", task)
    launch.write("step2/000000/chunk.log", CHUNK_LOG)
    paths = {trait: f"gwas/summary/{trait}.json" for trait in results}
    launch.plan(
        "merge",
        *({"label": t, "trait": t, "output": f"gwas/{t}.regenie.gz", "summary": path} for t, path in paths.items()),
    )
    launch.plan("report", {"label": "report", "output": "report.html", "summaries": paths})
    for index in range(2):
        assert launch.run("merge", index=index) == 0

    assert [table(launch, trait)[0]["GENE"] for trait in results] == ["OF_height", "OF_ldl"]
    assert "Significant genes, all traits2" in " ".join(report(launch).text.split())


def test_twenty_thousand_genes():
    """The table, and the numbers of all plots; memory is that of the p-values and about 1 kB a gene."""
    genes = 20_000
    scan = GeneScan(MaskFiles(frozenset(), {}))
    columns = Columns(HEADER.split(), "a test")
    blocks = [
        "".join(
            row(f"G{n}", f"M{mask}.0.01", "ADD", f"{(n * 7 + mask) % 997 / 100:.6g}", f"1 {n}")
            for n in range(first, first + 1_000)
            for mask in range(3)
        ).encode()
        for first in range(0, genes, 1_000)
    ]
    tracemalloc.start()
    for block in blocks:
        scan.add(Rows(columns, block, "a test"))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    rows = scan.table()
    summary = scan.summary(rows, "t")

    assert kept < 1_500 * genes
    assert summary["line"] == pytest.approx(-math.log10(2.5e-6))
    assert table_text(rows).count(b"\n") == genes + 1
    assert [gene["log10p"] for gene in summary["top"][:2]] == ["9.96", "9.96"]
    assert len(json.dumps(summary)) < 200_000


def test_the_plots_stay_small(launch):
    """With a hundred masks and tests, of which those without room are in the table only."""
    text = "".join(
        row(f"G{n}", f"M{mask}.0.01", f"ADD-T{test}", 1 + n / 10, f"1 {n}")
        for n in range(5)
        for mask in range(12)
        for test in range(10)
    )
    analysed(launch, SETS, HEADER + text)
    page = report(launch)

    assert Path(launch.work / "report.html").stat().st_size < 600_000
    assert "30 more are in the table only" in page.text


def joint(test: str, extra: str = "DF=2") -> str:
    """A row of a set."""
    return row("G", None, test, 1).replace("DF=1", extra)


@pytest.mark.parametrize(("name", "pack"), [("masks.txt", bytes), ("masks.txt.gz", gzip.compress)])
@pytest.mark.parametrize("masks", [1, 2])
def test_a_job_of_one_mask_has_the_rows_of_one_run(launch, masks, name, pack):
    """regenie names rows of all masks by the only one there is, if it is called M1, pLoF or LoF."""
    launch.data.joinpath(name).write_bytes(pack(b"M1 LoF" if masks == 1 else b"M1 LoF\nM2 missense\n"))
    first, last = row("G", "M1.0.01", "ADD", 1) + joint("ADD-BURDEN-MINP"), joint("ADD-BURDEN-MINP").replace("G ", "H ")
    named = joint("ADD-BURDEN-ACAT_M1") + joint("GENE_P_M1", "DF=2;STRONGEST_MASK=M1")
    results = launch.write("results.txt", HEADER + first + named + last)
    launch.regenie_does(f'cp {results} "$OUT"_height.regenie')
    task = {
        "label": "sets",
        "command": ["regenie", "--rgc-gene-p", "--mask-def", f"{{data}}/{name}", "--out", "{output}/chunk"],
        "output": "step2/000000",
        "expect": ["chunk_height.regenie"],
    }
    launch.plan("step2", task)

    assert launch.run("step2", index=0) == 0
    expected = named
    if masks == 2:
        whole = joint("ADD-BURDEN-ACAT") + joint("GENE_P", "DF=2;STRONGEST_MASK=M1")
        expected = whole + joint("ADD-BURDEN-ACAT_M1") + joint("GENE_P_M1")
    assert (launch.work / "step2/000000/chunk_height.regenie").read_text() == HEADER + first + expected + last
