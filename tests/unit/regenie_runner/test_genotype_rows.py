"""Genotypes of single variants, read from each format by their places in the genome."""

from pathlib import Path

import numpy as np
import pytest

from regenie_runner import genotype_rows
from regenie_runner.genotype_rows import Region, RowReader, open_rows
from regenie_runner.genotypes import MISSING
from regenie_stand_in.plink import MISSING as NO_CALL
from tests.regenie.cohort_formats import FORMATS, counted, make_cohort, samples

REGIONS = [Region(1, 20_000, 40_000), Region(2, 1, 10_000), Region(22, 400, 1_000), Region(5, 1, 1_000)]


def opened(folder: Path, genotypes: str) -> RowReader:
    make_cohort(folder, genotypes)
    return open_rows(folder / f"cohort.{genotypes}", folder / "cohort.sample" if genotypes == "bgen" else None)


@pytest.mark.parametrize("piece", [64, 1 << 20])
@pytest.mark.parametrize("genotypes", FORMATS)
def test_variants_of_regions_and_their_genotypes(
    tmp_path: Path, genotypes: str, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(genotype_rows, "_PIECE_BYTES", piece)
    expected = [
        (variant, counts)
        for variant, counts in counted()
        if any(r.chromosome == variant.chromosome and r.start <= variant.position <= r.end for r in REGIONS)
    ]
    file = opened(tmp_path, genotypes)

    rows = list(file.rows(REGIONS))
    calls = file.calls(rows[::-1])[::-1]  # in any order

    assert file.samples == [f"{name} {name}" for name in samples()]
    assert [(row.chromosome, row.position, row.name.decode()) for row in rows] == [
        (variant.chromosome, variant.position, variant.name) for variant, _ in expected
    ]
    assert len(rows) > 50
    assert all(row.alleles == {b"A", b"G"} or len(row.alleles) == 2 for row in rows)
    known = np.where(calls == MISSING, MISSING, calls)
    for found, (_, counts) in zip(known, expected, strict=True):
        copies = np.where(counts == NO_CALL, MISSING, counts.astype(np.int8))
        other = np.where(copies == MISSING, MISSING, 2 - copies)
        assert found.tolist() in (copies.tolist(), other.tolist())  # of either allele


def test_men_and_the_two_kinds_of_x(tmp_path: Path) -> None:
    make_cohort(tmp_path, "bed")
    fam = tmp_path / "cohort.fam"
    people = [line.split() for line in fam.read_text().splitlines()]
    fam.write_text(
        "".join(" ".join([*each[:4], "1" if n < 3 else "2", *each[5:]]) + "\n" for n, each in enumerate(people))
    )
    bim = tmp_path / "cohort.bim"
    lines = bim.read_text().splitlines()
    named = [line.split("\t", 1)[1] for line in lines]
    bim.write_text("".join(f"{'X' if n < 900 else 'PAR2'}\t{rest}\n" for n, rest in enumerate(named)))

    file = open_rows(tmp_path / "cohort.bed", None)
    rows = list(file.rows([Region(23, 1, 1 << 28)]))

    assert np.flatnonzero(file.males).tolist() == [0, 1, 2]
    assert [row.place for row in rows if not row.is_haploid] == list(range(900, 1_000))
    assert len(rows) == 1_000


def test_a_list_may_have_empty_lines_and_contigs_that_nobody_tests(tmp_path: Path) -> None:
    make_cohort(tmp_path, "bed")
    bim = tmp_path / "cohort.bim"
    first, *others = bim.read_text().splitlines()
    bim.write_text("\n".join(["chrUn_1\t" + first.split("\t", 1)[1], "", *others]))

    rows = list(open_rows(tmp_path / "cohort.bed", None).rows(REGIONS[:1]))

    assert rows[0].place == next(n for n, (variant, _) in enumerate(counted()) if variant.position >= 20_000)
