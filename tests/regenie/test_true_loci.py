"""A simulated cohort with three true loci, from the plan to the report: it names these, and no others.

With the numpy stand-in in the normal suite, and with a real regenie (`GENOLAUNCH_REGENIE=/path/to/regenie make
test-regenie`) for both kinds of trait.
"""

import csv
import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.regenie.planned_run import PlannedRun
from tests.regenie.reference_files import NAMES, make_references
from tests.regenie.true_loci import RARE_GENE, TRUE, make_gene_lists, make_true_loci

STAND_IN = [sys.executable, "-m", "regenie_stand_in"]
REAL = os.environ.get("GENOLAUNCH_REGENIE") or shutil.which("regenie") or ""
PLINK = shutil.which("plink1.9") or ""
NEEDS_REAL = (
    pytest.mark.regenie,
    pytest.mark.skipif(not REAL, reason="set GENOLAUNCH_REGENIE=/path/to/regenie"),
)
QUANTITATIVE = {"traits": ["height"], "trait_type": "quantitative"}
BINARY = {"traits": ["t2d"], "trait_type": "binary", "step2": {"extra": ["--af-cc"]}}


def given_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, regenie: list[str], **given: Any) -> PlannedRun:
    """Given: all phases of a launch."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    run = PlannedRun(tmp_path, regenie)
    make_true_loci(run.data)
    make_gene_lists(run.data)
    make_references(run.references)
    tasks = run.plan(
        {
            "genotypes": "cohort.bed",
            "phenotypes": "phenotypes.txt",
            "covariates": "covariates.txt",
            "step1": {"block_size": 100, "jobs": 1, "qc": {"mac": 50}},
            "genome_build": "GRCh38",
            "loci": {"known_as": {"height": ["body height"]}},
            **given,
        },
        NAMES,
    )
    for phase, count in tasks.items():
        run.run(phase, count)
    return run


NOVEL = {"known": "novel", "known_variant": "#NA", "known_traits": "#NA", "known_distance": "#NA"}
SCHIZOPHRENIA = {
    "known": "known",
    "known_variant": "rs800",
    "known_traits": "Schizophrenia",
    "known_distance": "1000",
}


def annotation(row: dict[str, str]) -> dict[str, str]:
    """What the reference files say."""
    keys = ("rsid", "nearest_gene", "gene_distance", "consequence", *NOVEL)
    return {key: row[key] for key in keys}


def table(run: PlannedRun, trait: str) -> list[dict[str, str]]:
    """The rows of the table of loci."""
    with (run.work / "gwas" / f"{trait}.loci.tsv").open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.mark.parametrize(
    ("regenie", "given"),
    [
        pytest.param(STAND_IN, QUANTITATIVE, id="stand-in"),
        pytest.param([REAL], QUANTITATIVE, marks=NEEDS_REAL, id="real-quantitative"),
        pytest.param([REAL], BINARY, marks=NEEDS_REAL, id="real-binary"),
    ],
)
def test_the_report_names_the_true_loci(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, regenie: list[str], given: dict[str, Any]
) -> None:
    run = given_results(tmp_path, monkeypatch, regenie, **given)
    (trait,) = given["traits"]

    rows = table(run, trait)

    assert {row["variant"]: (row["signal"], row["primary_variant"]) for row in rows} == {
        "1:5000000": ("primary", "1:5000000"),
        "1:5300000": ("secondary", "1:5000000"),
        "7:20000000": ("primary", "7:20000000"),
    }
    assert [row["locus"] for row in rows if row["primary_variant"] == "1:5000000"] in (["1", "1"], ["2", "2"])
    for row in rows:
        chromosome, position = TRUE[row["variant"]]
        members = row["member_variants"].split(",")
        assert len(members) == int(row["members"]) >= 8
        near = [name for name in members if abs(int(name.split(":")[1]) - position) < 43_000]
        assert len(near) >= 8
        assert all(name.startswith(f"{chromosome}:") for name in members)
    assert {row["variant"]: annotation(row) for row in rows} == {
        "1:5000000": {
            "rsid": "rs50",
            "nearest_gene": "TALL1",
            "gene_distance": "0",
            "consequence": "coding sequence",
            **(NOVEL if trait == "height" else SCHIZOPHRENIA),
        },
        "1:5300000": {
            "rsid": "#NA",
            "nearest_gene": "TALL2",
            "gene_distance": "12345",
            "consequence": "in another gene",
            **(NOVEL if trait == "height" else {**SCHIZOPHRENIA, "known_distance": "299000"}),
        },
        "7:20000000": {
            "rsid": "rs7",
            "nearest_gene": "SEVEN,1",
            "gene_distance": "3000",
            "consequence": "upstream",
            "known": "known",
            "known_variant": "rs700",
            "known_traits": "Height (body height)",
            "known_distance": "30000",
        },
    }
    if trait == "t2d" and regenie != STAND_IN:  # frequencies were asked for
        for row in rows:
            frequencies = [float(row[f"effect_allele_frequency_{of}"]) for of in ("cases", "controls")]
            assert abs(frequencies[0] - frequencies[1]) > 0.02
    page = (run.work / "report.html").read_text()
    names = (">1:5000000</th>", "<td>primary</td>", ">1:5300000</th>", "<td>secondary</td>")
    places = [page.index(name, page.index(names[0])) for name in names]
    assert places == sorted(places)
    assert ">7:20000000</th>" in page
    assert page.count("<strong>novel</strong>") == (2 if trait == "height" else 0)
    assert "known: Height (body height), rs700, 30 kb away" in page
    assert "<i>TALL2</i>, 12.3 kb</td><td>in another gene</td>" in page
    assert "linkage disequilibrium is not shown" not in page
    told = json.loads((run.work / "gwas" / "warnings.json").read_text())
    assert told["findings"][0].startswith(f"{trait}: 2 loci reach genome-wide significance (p = 5e-8)")
    assert told["findings"][0].endswith("with 1 secondary signal.")


@pytest.mark.parametrize("given", [pytest.param(QUANTITATIVE, marks=NEEDS_REAL)])
def test_the_report_names_the_gene_with_rare_variants(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any]
) -> None:
    lists = {"sets": "sets.txt", "annotations": "annotations.txt", "masks": "masks.txt"}
    step2 = {"gene_tests": {**lists, "vc_tests": ["skato"]}}
    run = given_results(tmp_path, monkeypatch, [REAL], **given, step2=step2)

    with (run.work / "gwas" / "height.genes.tsv").open() as file:
        genes = list(csv.DictReader(file, delimiter="\t"))

    assert len(genes) == 8
    assert (genes[0]["GENE"], genes[0]["SIGNIFICANT"]) == (RARE_GENE, "yes")
    told = json.loads((run.work / "gwas" / "warnings.json").read_text())
    assert told["findings"][0].startswith("height: 1 of 8 genes reaches p = 0.05 / 8")


@pytest.mark.full
@pytest.mark.skipif(not PLINK, reason="there is no plink1.9 on PATH (Debian has it as plink1.9)")
@pytest.mark.parametrize("settings", [(5e-8, 0.01, 0.1, 500.0), (1e-5, 1e-3, 0.5, 250.0), (1e-4, 0.05, 0.05, 60.0)])
def test_signals_of_a_launch_are_the_clumps_of_plink(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: tuple[float, float, float, float]
) -> None:
    """On the files themselves: the program reads the cohort and the merged results, of the people analysed."""
    keys = ("p1", "p2", "r2", "window_kb")
    run = given_results(tmp_path, monkeypatch, STAND_IN, **QUANTITATIVE, loci=dict(zip(keys, settings, strict=True)))
    lines = gzip.decompress((run.work / "gwas" / "height.regenie.gz").read_bytes()).decode().splitlines()
    names = lines[0].split("\t")
    rows = (dict(zip(names, line.split("\t"), strict=True)) for line in lines[1:])
    assoc = tmp_path / "results.assoc"
    assoc.write_text("SNP P\n" + "".join(f"{row['ID']} {10 ** -float(row['LOG10P']):.17g}\n" for row in rows))
    options = [f"--clump-{name}" for name in ("p1", "p2", "r2", "kb")]
    command = [PLINK, "--bfile", str(run.data / "cohort"), "--clump", str(assoc), "--out", str(tmp_path / "plink")]
    command += ["--keep", str(run.work / "step1/qc/samples.txt")]
    command += [word for pair in zip(options, map(str, settings), strict=True) for word in pair]
    subprocess.run(command, check=True, capture_output=True)

    clumped = [line.split() for line in (tmp_path / "plink.clumped").read_text().splitlines()[1:] if line.strip()]

    expected = {f[2]: "#NA" if f[11] == "NONE" else f[11].replace("(1)", "") for f in clumped}
    assert len(expected) >= 3
    assert {row["variant"]: row["member_variants"] for row in table(run, "height")} == expected


def test_without_genotypes_loci_are_by_distance_and_the_report_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = given_results(tmp_path, monkeypatch, STAND_IN, **QUANTITATIVE)
    for path in (*(run.work / "gwas").rglob("*.finished"), *run.data.glob("cohort.*")):
        path.unlink()
    # When it is merged again
    for phase in ("merge", "report"):
        run.run(phase, 1)

    rows = table(run, "height")
    assert {(row["variant"], row["found_by"], row["members"]) for row in rows} == {
        ("1:5000000", "distance", "#NA"),
        ("7:20000000", "distance", "#NA"),
    }
    told = json.loads((run.work / "gwas" / "warnings.json").read_text())
    reason = "height: loci are by distance, not by linkage disequilibrium: cohort.fam is not on the file system."
    assert reason in told["warnings"]
