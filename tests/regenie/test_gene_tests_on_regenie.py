"""Gene-based launches that are cut into many jobs, against one run of regenie 4.1.2: rows, tables of genes, masks.

With a real regenie only (`GENOLAUNCH_REGENIE=/path/to/regenie make test-regenie`).
"""

import csv
import gzip
import json
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.regenie.cohort_formats import BINARY_PHENOTYPES
from tests.regenie.planned_run import PlannedRun
from tests.regenie.test_lists_and_levels_on_regenie import COHORT, CUT, sets, with_sets

REAL = os.environ.get("GENOLAUNCH_REGENIE") or shutil.which("regenie") or ""

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.regenie,
    pytest.mark.skipif(not REAL, reason="set GENOLAUNCH_REGENIE=/path/to/regenie"),
]

DRAWN = ("-BURDEN-SBAT", "GENE_P")
"""What regenie draws random numbers for, in the order of its sets: other draws where sets are cut otherwise."""
CLOSE = 0.03
"""By how much the -log10 p of such a test may differ between two draws; measured: 0.0002."""

QUANTITATIVE = {"phenotypes": "phenotypes.txt", "traits": ["height"], "trait_type": "quantitative"}
BINARY = {"phenotypes": "phenotypes_binary.txt", "traits": ["t2d"], "trait_type": "binary"}


def one_run(run: PlannedRun, trait: str) -> list[list[str]]:
    """The rows of step 2 in one command, with the predictions of step 1."""
    command = json.loads((run.work / "plan" / "step2.jsonl").read_text().splitlines()[0])["command"]
    options = iter(command[1:])
    kept = [word for word in options if word not in CUT or not next(options)]
    (loco,) = (run.work / "step1" / "predictions").glob("*/*.loco")
    (run.root / "pred.list").write_text(f"{trait} {loco}\n")
    for name, place in {"{data}": run.data, "{output}": run.root}.items():
        kept = [word.replace(name, str(place)) for word in kept]
    run.regenie(" ".join(kept))
    text = (run.root / f"chunk_{trait}.regenie").read_text()
    return [line.split() for line in text.splitlines() if not line.startswith(("#", "CHROM"))]


@pytest.mark.parametrize("given", [QUANTITATIVE, BINARY], ids=["quantitative", "binary"])
def test_genes_of_many_jobs_are_those_of_one_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any]
) -> None:
    # Given: 50 sets, 9 to a job
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    run = PlannedRun(tmp_path, [REAL])
    for file in (*COHORT.iterdir(), BINARY_PHENOTYPES):
        shutil.copy(file, run.data)
    for file_name, content in sets().items():
        (run.data / file_name).write_text(str(content))
    (trait,) = given["traits"]
    tasks = run.plan(
        {
            "genotypes": "cohort.bed",
            "covariates": "covariates.txt",
            **given,
            "step1": {"block_size": 1000},
            "step2": with_sets(rgc_gene_p=True, joint=["minp"], vc_max_aaf=0.3),
        }
    )
    assert tasks["step2"] > 4
    # When
    for phase, count in tasks.items():
        run.run(phase, count)
    alone = one_run(run, trait)
    # Then
    lines = gzip.decompress((run.work / "gwas" / f"{trait}.regenie.gz").read_bytes()).decode().splitlines()[1:]
    merged = [line.split("\t") for line in lines]
    check_rows(merged, alone)
    if given is BINARY:  # no SBAT, so nothing is drawn
        assert sorted(merged) == sorted(alone)
    with (run.work / "gwas" / f"{trait}.genes.tsv").open(newline="") as table:
        genes = list(csv.DictReader(table, delimiter="\t"))
    check_genes(genes, merged)
    check_masks(genes, run)
    assert not list((run.work / "gwas").glob("*gwas-ssf*"))


def check_rows(merged: list[list[str]], alone: list[list[str]]) -> None:
    """They are the same, but for what is drawn."""
    drawn = [{tuple(row[:8]): row for row in rows if is_drawn(row)} for rows in (merged, alone)]
    assert sorted(row for row in merged if not is_drawn(row)) == sorted(row for row in alone if not is_drawn(row))
    assert drawn[0].keys() == drawn[1].keys()
    for key, row in drawn[0].items():
        assert float(row[11]) == pytest.approx(float(drawn[1][key][11]), abs=CLOSE), key
        assert row[12] == drawn[1][key][12]


def check_genes(genes: list[dict[str, str]], merged: list[list[str]]) -> None:
    """Each has its best row, and the number of p-values that it is the best of; the best gene is first."""
    best: dict[str, list[str]] = {}
    counts: Counter[str] = Counter()
    for row in merged:
        gene = row[2].partition(".")[0]
        if row[11] != "NA":
            counts[gene] += 1
            if gene not in best or float(row[11]) > float(best[gene][11]):
                best[gene] = row
    found = {gene["GENE"]: (gene["CHROM"], gene["GENPOS"], gene["TEST"], gene["LOG10P"]) for gene in genes}
    assert found == {name: (row[0], row[1], row[7], row[11]) for name, row in best.items()}
    assert {gene["GENE"]: int(gene["PVALUES"]) for gene in genes} == counts
    assert [float(gene["LOG10P"]) for gene in genes] == sorted((float(gene["LOG10P"]) for gene in genes), reverse=True)
    assert all(gene["GENE_P_LOG10P"] != "NA" for gene in genes)


def check_masks(genes: list[dict[str, str]], run: PlannedRun) -> None:
    """Their variants are those of the one run, and counted beside the best mask."""
    listed = (run.root / "chunk_masks.snplist").read_text().splitlines()
    kept = gzip.decompress((run.work / "gwas" / "masks.snplist.gz").read_bytes()).decode().splitlines()
    assert sorted(kept) == sorted(listed)
    sizes = {line.split("\t")[0]: len(line.split("\t")[3].split(",")) for line in listed}
    for gene in genes:
        expected = "NA" if gene["MASK"] == "NA" else str(sizes[f"{gene['GENE']}.{gene['MASK']}"])
        assert gene["VARIANTS"] == expected, gene


def is_drawn(row: list[str]) -> bool:
    """Whether random numbers are a part of its p-value."""
    return any(name in row[7] for name in DRAWN)
