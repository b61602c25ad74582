"""Quality control of each genotype format: the same people and variants of the same cohort."""

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from bgen import BgenWriter

from genolaunch.contract.plan import QualityControl
from regenie_runner.errors import RunnerError
from regenie_runner.genotypes import open_genotypes
from regenie_runner.qc import control_quality
from regenie_runner.workspace import Workspace
from tests.regenie.cohort_formats import FORMATS, make_cohort, samples

AUTHORS = {"maf": 0.01, "mac": 100, "geno": 0.1, "hwe": 1e-15, "mind": 0.1}
STRICT = {"maf": 0.1, "mac": 100, "geno": 0.006, "hwe": 1e-3, "mind": 0.009}
PEOPLE = 800


def control(root: Path, genotypes: str, thresholds: dict[str, float], **given: Any) -> tuple[str, str, dict[str, Any]]:
    """The lists, and what was left out why."""
    workspace = Workspace(root, "launch", "job-1")
    for folder in (workspace.data, workspace.work):
        folder.mkdir(parents=True, exist_ok=True)
    make_cohort(workspace.data, genotypes)
    (workspace.work / "analysed").write_text("1" * 790 + "0" * 10)
    sample = {"sample": "cohort.sample"} if genotypes == "bgen" else {}
    where = {"genotypes": f"cohort.{genotypes}", "analysed": "analysed", "output": "qc", **sample}
    control_quality(cast(QualityControl, {**where, **thresholds, **given}), workspace)
    summary = json.loads((workspace.work / "qc" / "summary.json").read_text())
    del summary["settings"]
    return (
        (workspace.work / "qc" / "variants.txt").read_text(),
        (workspace.work / "qc" / "samples.txt").read_text(),
        summary,
    )


@pytest.mark.parametrize("thresholds", [AUTHORS, STRICT], ids=["authors", "strict"])
def test_every_format_leaves_the_same(tmp_path: Path, thresholds: dict[str, float]) -> None:
    left = {genotypes: control(tmp_path / genotypes, genotypes, thresholds) for genotypes in FORMATS}

    assert left["pgen"] == left["bed"]
    assert left["bgen"] == left["bed"]
    variants, people, _ = left["bed"]
    assert 0 < variants.count("\n") < 1000
    assert people.count("\n") == 790 if thresholds is AUTHORS else 0 < people.count("\n") < 790


@pytest.mark.parametrize("genotypes", FORMATS)
def test_blocks_make_no_difference(tmp_path: Path, genotypes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = control(tmp_path / "whole", genotypes, STRICT)
    monkeypatch.setattr("regenie_runner.genotypes.BLOCK_BYTES", 7 * PEOPLE)

    assert control(tmp_path / "cut", genotypes, STRICT) == whole


@pytest.mark.parametrize("genotypes", FORMATS)
def test_the_launchs_lists_choose_in_every_format(tmp_path: Path, genotypes: str) -> None:
    whole = control(tmp_path, genotypes, AUTHORS)[0].split()
    (tmp_path / "data" / "chosen.txt").write_text("".join(f"{name}\n" for name in whole[:7]))
    (tmp_path / "data" / "not.txt").write_text(f"{whole[3]}\n")

    variants, _, _ = control(tmp_path, genotypes, AUTHORS, extract="chosen.txt", exclude="not.txt")

    assert variants.split() == [*whole[:3], *whole[4:7]]


def test_columns_of_a_pvar_are_found_by_name(tmp_path: Path) -> None:
    make_cohort(tmp_path, "pgen")
    path = tmp_path / "cohort.pvar"
    rows = [line.split() for line in path.read_text().splitlines()]
    path.write_text("##a comment\n" + "".join("\t".join([row[0], row[2], row[1], *row[3:]]) + "\n" for row in rows))

    first = next(open_genotypes(tmp_path / "cohort.pgen", None).variants())

    assert first == (rows[1][2], rows[1][0])


def test_dosages_of_a_bgen_count_as_the_nearest_genotype(tmp_path: Path) -> None:
    dosages = np.array([0.0, 0.49, 0.51, 1.0, 1.49, 1.51, 2.0, np.nan])
    probabilities = np.stack([np.maximum(1 - dosages, 0), 1 - abs(1 - dosages), np.maximum(dosages - 1, 0)], axis=1)
    path = tmp_path / "cohort.bgen"
    ids = [f"f{number}_i_{number}" for number in range(len(dosages))]
    with BgenWriter(str(path), len(dosages), samples=ids, compression="zstd") as writer:
        writer.add_variant("v", "rs1", "X", 5, ["A", "G"], probabilities)

    genotypes = open_genotypes(path, None)

    assert genotypes.samples[:2] == ["f0 i_0", "f1 i_1"]
    ((first, block),) = genotypes.blocks()
    counts = block.counted(np.ones(len(dosages), np.bool_))
    assert (first, len(block)) == (0, 1)
    assert [part.tolist() for part in counts] == [[2], [3], [2], [1]]


def test_another_list_of_samples_is_refused(tmp_path: Path) -> None:
    make_cohort(tmp_path, "bgen")
    sample = tmp_path / "cohort.sample"
    sample.write_text("".join(sample.read_text().splitlines(keepends=True)[:-1]))

    with pytest.raises(RunnerError, match=f"has {len(samples())} samples, and 799 are listed"):
        open_genotypes(tmp_path / "cohort.bgen", sample)


def test_a_pgen_of_other_variants_is_refused(tmp_path: Path) -> None:
    make_cohort(tmp_path, "pgen")
    pvar = tmp_path / "cohort.pvar"
    pvar.write_text("".join(pvar.read_text().splitlines(keepends=True)[:-1]))

    with pytest.raises(RunnerError, match=r"does not belong to its \.pvar and \.psam files: [^b]") as refusal:
        list(open_genotypes(tmp_path / "cohort.pgen", None).blocks())
    assert "b'" not in str(refusal.value)
