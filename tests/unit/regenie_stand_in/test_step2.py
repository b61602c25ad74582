"""Step 2: spread by variants, its filters, its outputs, and regenie's traps around them."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from regenie_stand_in.arrays import Floats

HEADER = "CHROM GENPOS ID ALLELE0 ALLELE1 A1FREQ N TEST BETA SE CHISQ LOG10P EXTRA"


def rows(prefix: Path, trait: str) -> list[list[str]]:
    header, *lines = prefix.with_name(f"{prefix.name}_{trait}.regenie").read_text().splitlines()
    assert header == HEADER
    return [line.split() for line in lines]


def ignored(log: str) -> int:
    found = re.search(r"^Number of ignored tests due to low MAC : (\d+)$", log, re.MULTILINE)
    assert found
    return int(found[1])


@pytest.fixture
def step2(regenie, cohort, whole, tmp_path):
    """Run step 2 with more options on the whole run's predictions; prefix of its output."""

    def run(*more, arguments=cohort.arguments, predictions=whole.predictions, name="out"):
        out = tmp_path / name
        assert regenie("--step", "2", *arguments, "--pred", predictions, *more, "--out", out) == 0
        return out

    return run


def ranges(bim: Path, size: int) -> Iterator[str]:
    """Chunks of `size` variants, as START-END ranges."""
    variants = [line.split() for line in bim.read_text().splitlines()]
    for chromosome in ("1", "2", "22"):
        positions = [variant[3] for variant in variants if variant[0] == chromosome]
        for start in range(0, len(positions), size):
            chunk = positions[start : start + size]
            yield f"{chromosome}:{chunk[0]}-{chunk[-1]}"


@pytest.mark.parametrize("size", [70, 250])
def test_chunks_by_range_in_order_are_the_whole(step2, whole, cohort, size):
    chunks = [
        rows(step2("--range", chunk, name=f"chunk{number}"), "ldl")
        for number, chunk in enumerate(ranges(cohort.folder / "cohort.bim", size))
    ]

    assert [row for chunk in chunks for row in chunk] == rows(whole.step2, "ldl")


def test_chunks_by_chromosome_in_order_are_the_whole(step2, whole):
    chunks = [rows(step2("--chr", chromosome, name=chromosome), "height") for chromosome in ("1", "2", "22")]

    assert [row for chunk in chunks for row in chunk] == rows(whole.step2, "height")


def test_block_size_does_not_matter(step2, whole, cohort):
    out = step2(arguments=[*cohort.arguments, "--bsize", "333"])

    assert rows(out, "ldl") == rows(whole.step2, "ldl")


def test_a_range_includes_both_ends(step2, whole):
    inner = rows(whole.step2, "height")[3:9]

    out = step2("--range", f"1:{inner[0][1]}-{inner[-1][1]}")

    assert rows(out, "height") == inner


def test_of_two_ranges_one_is_used(step2, whole):
    out = step2("--range", "22:1-99999999", "--range", "1:1-99999999")

    assert rows(out, "height") == rows(whole.step2, "height")[:500]


def test_compressed_output(step2, whole):
    out = step2("--gz", "--chr", "22")

    unpacked = gzip.decompress(out.with_name("out_height.regenie.gz").read_bytes()).decode()
    assert [line.split() for line in unpacked.splitlines()[1:]] == rows(whole.step2, "height")[-100:]


def test_traits_run_separately_differ_where_values_are_missing(regenie, cohort, whole, step2, tmp_path):
    alone = [*cohort.arguments, "--phenoColList", "ldl"]
    assert regenie("--step", "1", *alone, "--out", tmp_path / "alone") == 0

    out = step2(arguments=alone, predictions=tmp_path / "alone_pred.list")

    header = (tmp_path / "alone_1.loco").read_text().split("\n", 1)[0].split()
    assert len(header) == 1 + 737, "people without the trait are dropped"
    together = rows(whole.step2, "ldl")
    assert [row[:7] for row in rows(out, "ldl")] == [row[:7] for row in together], "the same people are counted"
    changes = [abs(float(a[11]) - float(b[11])) for a, b in zip(rows(out, "ldl"), together, strict=True)]
    assert 0.05 < max(changes) < 1


def test_a_trait_without_missing_values_is_the_same_alone(regenie, cohort, whole, step2, tmp_path):
    alone = [*cohort.arguments, "--phenoColList", "height"]
    assert regenie("--step", "1", *alone, "--out", tmp_path / "alone") == 0

    out = step2(arguments=alone, predictions=tmp_path / "alone_pred.list")

    assert rows(out, "height") == rows(whole.step2, "height")


def test_without_predictions_it_is_an_ordinary_regression(regenie, cohort, whole, tmp_path):
    # given predictions that are all zero, and one trait
    header, *lines = (whole.step1.parent / "step1_1.loco").read_text().splitlines()
    zeros = " ".join(["0"] * (len(header.split()) - 1))
    (tmp_path / "zero.loco").write_text(f"{header}\n" + "".join(f"{line.split()[0]} {zeros} \n" for line in lines))
    (tmp_path / "zero.list").write_text(f"ldl {tmp_path}/zero.loco\n")
    arguments = [*cohort.arguments, "--phenoColList", "ldl", "--chr", "22"]

    assert regenie("--step", "2", *arguments, "--pred", tmp_path / "zero.list", "--out", tmp_path / "out") == 0

    # then each effect is the least-squares one of trait on intercept, covariates and mean-imputed genotype
    trait, design, genotypes = regression_inputs(cohort.folder)
    for row, genotype in zip(rows(tmp_path / "out", "ldl"), genotypes, strict=True):
        coefficients = np.linalg.lstsq(np.column_stack([design, genotype]), trait, rcond=None)[0]
        assert float(row[8]) == pytest.approx(coefficients[-1], rel=1e-5)


def regression_inputs(folder: Path) -> tuple[Floats, Floats, list[Floats]]:
    """ldl, intercept and covariates, and the genotypes of chromosome 22, read without the code under test."""
    people = [line.split() for line in (folder / "phenotypes.txt").read_text().splitlines()[1:]]
    kept = [place for place, person in enumerate(people) if person[3] != "NA"]
    covariates = [line.split() for line in (folder / "covariates.txt").read_text().splitlines()[1:]]
    trait = np.array([float(people[place][3]) for place in kept])
    design = np.array([[1.0, *map(float, covariates[place][2:])] for place in kept])
    genotypes = []
    content = (folder / "cohort.bed").read_bytes()[3:]
    for variant in range(900, 1000):
        codes = [content[variant * 200 + place // 4] >> 2 * (place % 4) & 3 for place in kept]
        counts = np.array([{0: 2.0, 1: np.nan, 2: 1.0, 3: 0.0}[code] for code in codes])
        genotypes.append(np.where(np.isnan(counts), np.nanmean(counts), counts))
    return trait, design, genotypes


def test_an_uncentred_trait_with_missing_values_is_spoilt(regenie, own_cohort, whole, step2, tmp_path):
    def uncentre(people):
        return [people[0], *([*row[:3], _shifted(row[3])] for row in people[1:])]

    own_cohort.rewrite("phenotypes.txt", uncentre)
    assert regenie("--step", "1", *own_cohort.arguments, "--out", tmp_path / "shifted") == 0

    out = step2(arguments=own_cohort.arguments, predictions=tmp_path / "shifted_pred.list")

    # measured on regenie v4.1.2: LOG10P moves by up to 0.95
    pairs = zip(rows(out, "ldl"), rows(whole.step2, "ldl"), strict=True)
    assert max(abs(float(a[11]) - float(b[11])) for a, b in pairs) == pytest.approx(0.95, abs=0.005)
    assert rows(out, "height") == rows(whole.step2, "height")


def _shifted(ldl: str) -> str:
    return ldl if ldl == "NA" else f"{130 + 30 * float(ldl):.6f}"


# --- Minor allele counts -------------------------------------------------------------------------------------------


def minor_allele_count(row: list[str]) -> int:
    frequency, people = float(row[5]), int(row[6])
    return round(2 * people * min(frequency, 1 - frequency))


def test_rows_and_ignored_tests_are_variants_times_traits(step2, whole, capsys):
    out = step2("--minMAC", "100")

    printed = {trait: rows(out, trait) for trait in ("height", "ldl")}
    log = out.with_suffix(".log").read_text()
    assert ignored(log) > 0
    assert sum(map(len, printed.values())) + ignored(log) == 1000 * 2
    for trait, kept in printed.items():
        assert kept == [row for row in rows(whole.step2, trait) if minor_allele_count(row) >= 100]
    assert ignored(capsys.readouterr().out) == ignored(log)


@pytest.mark.parametrize(("position", "counts_once"), [(50_000_000, True), (1_000_000, False), (155_800_000, False)])
def test_a_mans_x_counts_once_outside_of_the_pseudo_autosomal_regions(own_cohort, step2, position, counts_once):
    """regenie takes half of his 0 or 2 towards --minMAC (Geno.cpp of 4.1.2), and all of it in A1FREQ."""
    own_cohort.rewrite(
        "cohort.bim", lambda rows: [["X", *r[1:3], str(position), *r[4:]] if r[0] == "22" else r for r in rows]
    )
    own_cohort.rewrite("cohort.fam", lambda rows: [[*r[:4], "12"[n % 2 == 0], r[5]] for n, r in enumerate(rows)])
    bed = own_cohort.folder / "cohort.bed"
    content = bytearray(bed.read_bytes())
    first_of_x = len(content) - 100 * 200  # variants, and bytes of one
    content[first_of_x : first_of_x + 200] = b"\xf3" * 3 + b"\xff" * 197  # two copies in three men, none in the others
    bed.write_bytes(content)

    def first_of(least: int) -> list[str]:
        return rows(step2("--chr", "X", "--minMAC", str(least), arguments=own_cohort.arguments), "height")[0]

    all_of_it = first_of(1)
    men = minor_allele_count(all_of_it) // 2  # of the three, those who are analysed
    assert men > 1
    assert first_of(men) == all_of_it
    assert (first_of(men + 1) == all_of_it) is not counts_once
    assert first_of(2 * men + 1) != all_of_it


def test_a_chunk_of_rare_variants_has_a_header_only(step2):
    out = step2("--chr", "22", "--minMAC", "1000000")

    assert rows(out, "height") == []
    assert ignored(out.with_suffix(".log").read_text()) == 200


def test_a_variant_that_is_the_same_in_everybody_is_ignored(own_cohort, step2):
    bed = own_cohort.folder / "cohort.bed"
    content = bytearray(bed.read_bytes())
    content[3:203] = b"\xaa" * 200  # heterozygous in all: many minor alleles, no variance
    bed.write_bytes(content)

    out = step2("--chr", "1", arguments=own_cohort.arguments)

    assert len(rows(out, "height")) == 499
    assert ignored(out.with_suffix(".log").read_text()) == 2


# --- Traps ---------------------------------------------------------------------------------------------------------


def test_a_range_without_variants_is_an_error(regenie, cohort, whole, tmp_path, capsys):
    chunk = ("--range", "3:1-1000", "--pred", whole.predictions)

    assert regenie("--step", "2", *cohort.arguments, *chunk, "--out", tmp_path / "x") == 1

    assert "no variant left to include in analysis" in capsys.readouterr().err
    assert "no variant left to include in analysis" in (tmp_path / "x.log").read_text()


def test_an_unknown_trait_is_dropped_without_a_word(step2, whole, cohort, capsys):
    out = step2(arguments=[*cohort.arguments, "--phenoColList", "height,ldl,wieght"])

    said = capsys.readouterr()
    assert "wieght" not in said.out.replace("--phenoColList height,ldl,wieght", "")
    assert said.err == ""
    assert rows(out, "height") == rows(whole.step2, "height")
    assert not out.with_name("out_wieght.regenie").exists()


def test_a_trait_without_predictions_is_only_a_warning(step2, whole, tmp_path, capsys):
    (tmp_path / "height.list").write_text(whole.predictions.read_text().splitlines()[0] + "\n")

    out = step2(predictions=tmp_path / "height.list")

    assert "WARNING: No step 1 file provided for phenotype 'ldl'" in capsys.readouterr().out
    assert len(rows(out, "height")) == 1000
    assert not out.with_name("out_ldl.regenie").exists()


def test_no_trait_with_predictions_is_an_error(regenie, cohort, tmp_path, capsys):
    (tmp_path / "none.list").write_text("bmi /nowhere/bmi.loco\n")
    arguments = ("--step", "2", *cohort.arguments, "--pred", tmp_path / "none.list", "--out", tmp_path / "x")

    assert regenie(*arguments) == 1

    assert "need at least one phenotype" in capsys.readouterr().err


def test_prediction_lists_of_single_traits_can_be_joined_in_any_order(step2, whole, tmp_path):
    lines = whole.predictions.read_text().splitlines()
    (tmp_path / "joined.list").write_text("".join(f"{line}\n" for line in reversed(lines)))

    out = step2(predictions=tmp_path / "joined.list")

    assert rows(out, "ldl") == rows(whole.step2, "ldl")


def test_people_without_predictions_are_left_out(step2, whole, tmp_path):
    header, *lines = ((whole.step1.parent / "step1_1.loco").read_text()).splitlines()
    missing = [" ".join([line.split()[0], "NA", *line.split()[2:]]) + " " for line in lines]
    (tmp_path / "height.loco").write_text("\n".join([header, *missing]) + "\n")
    ldl = whole.predictions.read_text().splitlines()[1]
    (tmp_path / "pred.list").write_text(f"height {tmp_path}/height.loco\n{ldl}\n")

    out = step2(predictions=tmp_path / "pred.list")

    before = [int(row[6]) for row in rows(whole.step2, "height")]
    after = [int(row[6]) for row in rows(out, "height")]
    assert {was - now for was, now in zip(before, after, strict=True)} <= {0, 1}
    assert sum(before) - sum(after) > 900
    assert rows(out, "ldl") == rows(whole.step2, "ldl")


@pytest.mark.parametrize("option", ["--extract", "--exclude"])
def test_lists_choose_variants_and_change_no_results(regenie, cohort, whole, tmp_path, option):
    everything = Path(f"{whole.step2}_height.regenie").read_text().splitlines(keepends=True)
    names = [line.split()[1] for line in (cohort.folder / "cohort.bim").read_text().splitlines()]
    wanted = set(names[100:200])
    lists = [tmp_path / "a.txt", tmp_path / "b.txt"]
    listed = [name for name in names if (name in wanted) == (option == "--extract")]
    for path, part in zip(lists, (listed[::2], listed[1::2]), strict=True):
        path.write_text("".join(f"{name} more\n" for name in part))
    out = tmp_path / "part"
    choice = (option, ",".join(map(str, lists)))

    assert regenie("--step", "2", *cohort.arguments, *choice, "--pred", whole.predictions, "--out", out) == 0

    expected = everything[:1] + [line for line in everything[1:] if line.split()[2] in wanted]
    assert Path(f"{out}_height.regenie").read_text().splitlines(keepends=True) == expected
