"""Genotype files beside the tested ones: regenie 4.1.2 says nothing of what they lack (each was run)."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.unit.regenie_planning.conftest import MemoryDataSet, add_bgen, bed, bim
from tests.unit.regenie_preflight.conftest import PEOPLE, checked, fam, faults, the_fault, warnings

CONDITION = {"condition": {"variants": "hits.txt", "genotypes": "known.bed"}}
INTERACTION = {"interaction": {"variant": "2:30", "genotypes": "known.bed"}}
BOTH = pytest.mark.parametrize(
    ("step2", "section", "becomes"),
    [
        (CONDITION, "condition", "regenie takes the mean of the others for them"),
        (INTERACTION, "interaction", "regenie leaves them out of every trait"),
    ],
    ids=["condition", "interaction"],
)


def varied_bed(variants: int, samples: int, copies: dict[int, int] | None = None) -> bytes:
    """A .bed file of which half of the people have two copies; or, of all variants, a few have `copies` by place."""
    if copies is None:
        return b"\x6c\x1b\x01" + bytes([0b11110000]) * (variants * -(-samples // 4))
    codes = [{0: 0b11, 1: 0b10, 2: 0b00, -1: 0b01}[copies.get(n, 0)] for n in range(samples)]
    record = bytes(sum(code << 2 * at for at, code in enumerate(codes[n : n + 4])) for n in range(0, samples, 4))
    return b"\x6c\x1b\x01" + record * variants


@pytest.fixture
def known(cohort: MemoryDataSet) -> MemoryDataSet:
    """Given: two variants in a file of their own, and a list of them."""
    cohort.files.update(
        {
            "known.bed": varied_bed(2, PEOPLE),
            "known.bim": bim(("2", 30), ("2", 40)),
            "known.fam": fam(range(PEOPLE)),
            "hits.txt": b"2:30\n2:40\n",
        }
    )
    return cohort


def of(people: range, known: MemoryDataSet) -> None:
    """Given: the file has these people."""
    known.files.update({"known.bed": varied_bed(2, len(people)), "known.fam": fam(people)})


@BOTH
def test_what_fits_is_counted_and_not_spoken_of(known: MemoryDataSet, step2: Any, section: str, becomes: str) -> None:
    found = checked(known, step2=step2)

    assert found.warnings == ()
    counted = {where: (each.matched, each.listed) for where, each in found.samples.lists.items()}
    assert counted == ({"regenie.step2.condition.variants": (2, 2)} if section == "condition" else {})


@BOTH
def test_people_whom_the_file_lacks_are_counted(known: MemoryDataSet, step2: Any, section: str, becomes: str) -> None:
    of(range(5, PEOPLE), known)

    told = warnings(known, step2=step2)

    assert f"regenie.step2.{section}.genotypes: has 19 of the 24 people who are analysed (not all;" in told
    assert becomes in told


@BOTH
def test_people_who_are_not_analysed_do_not_count(known: MemoryDataSet, step2: Any, section: str, becomes: str) -> None:
    of(range(5, PEOPLE), known)
    known.files["keep.txt"] = b"".join(b"f%d i%d\n" % (n, n) for n in range(5, PEOPLE))

    assert warnings(known, step2=step2, keep="keep.txt") == ""


@BOTH
def test_a_file_of_others_is_refused(known: MemoryDataSet, step2: Any, section: str, becomes: str) -> None:
    known.files["known.fam"] = fam(range(PEOPLE), "0 i{0}")

    fault = the_fault(known, step2=step2)

    assert fault.where == f"regenie.step2.{section}.genotypes"
    assert "has none of the 24 people who are analysed" in fault.problem
    assert "known.fam has 0_i0, they are like f" in fault.problem


@BOTH
def test_a_file_that_is_not_whole_is_refused(known: MemoryDataSet, step2: Any, section: str, becomes: str) -> None:
    known.files["known.bed"] = known.files["known.bed"][:-1]
    assert "size does not fit the 24 samples" in the_fault(known, step2=step2).problem

    known.files["known.bed"] = varied_bed(1, PEOPLE)
    assert "with 1 variant, but known.bim lists 2" in the_fault(known, step2=step2).problem


@BOTH
def test_a_variant_that_is_there_twice_is_refused(known: MemoryDataSet, step2: Any, section: str, becomes: str) -> None:
    known.files.update({"known.bed": bed(3, PEOPLE), "known.bim": bim(("2", 30), ("2", 30), ("2", 40))})

    assert "2:30, which several variants of s3://data/cohort/known.bed are called" in (
        the_fault(known, step2=step2).problem
    )


def test_people_who_are_there_twice_are_refused(known: MemoryDataSet) -> None:
    known.files["known.fam"] = fam(range(PEOPLE - 1)) + fam(range(1))

    assert "has samples more than once" in faults(known, step2=CONDITION)[0].problem


def test_a_condition_has_some_variants_and_not_too_many(known: MemoryDataSet) -> None:
    known.files["hits.txt"] = b""
    assert "is empty" in the_fault(known, step2=CONDITION).problem

    known.files["hits.txt"] = b"2:30\n2:40\n"
    step2 = {**CONDITION, "extra": ["--max-condition-vars 1"]}
    assert "has 2 variants; regenie takes 1 at most" in the_fault(known, step2=step2).problem


def test_a_condition_has_fewer_variants_than_people_who_are_analysed(known: MemoryDataSet) -> None:
    """Each becomes a covariate, and regenie ends with as many as people, in every job of step 2."""
    places = [("2", 30 + number) for number in range(PEOPLE)]
    known.files["known.bim"], known.files["known.bed"] = bim(*places), varied_bed(PEOPLE, PEOPLE)

    def conditioned(variants: int) -> None:
        known.files["hits.txt"] = "".join(f"2:{30 + number}\n" for number in range(variants)).encode()

    conditioned(PEOPLE - 3)  # age, sex and the intercept are the others
    fault = the_fault(known, step2=CONDITION)
    assert fault.where == "regenie.step2.condition"
    assert "with 21 variants, each of which becomes a covariate" in fault.problem
    assert "these are 24, and 24 people are analysed" in fault.problem
    assert "fewer than 21 variants" in fault.remedy

    conditioned(PEOPLE - 4)
    assert "so that little is left to test with" in warnings(known, step2=CONDITION)


def test_a_bgen_that_ends_before_its_last_variant_is_refused(cohort: MemoryDataSet, tmp_path: Path) -> None:
    add_bgen(cohort, ("2", 30), name="known", samples=PEOPLE)
    index = tmp_path / "known.bgen.bgi"
    index.write_bytes(cohort.files["known.bgen.bgi"])
    with sqlite3.connect(index) as database:
        database.execute("UPDATE Variant SET file_start_position = 24, size_in_bytes = 100")
    cohort.files["known.bgen.bgi"] = index.read_bytes()

    step2 = {"datasets": [{"genotypes": "known.bgen", "sample": "known.sample"}]}
    assert "has 24 bytes; by its index its last variant ends at 124" in the_fault(cohort, step2=step2).problem


@pytest.mark.parametrize(
    ("copies", "coding", "words"),
    [
        ({}, "add", "(coded add; 0: 24)"),
        ({3: 1}, "add", "(coded add; 0: 23, 1: 1)"),
        ({3: 1, 5: 2}, "rec", "(coded rec; 0: 23, 1: 1)"),
        ({3: 1, 4: 1, 5: 2}, "cat", "(coded cat; 0: 21, 1: 2, 2: 1)"),
        (dict.fromkeys(range(1, PEOPLE), -1), "add", "(coded add; 0: 1)"),
        (dict.fromkeys(range(PEOPLE), -1), "add", "of which none of the people who are analysed has a genotype"),
    ],
)
def test_a_variant_that_hardly_anybody_carries_is_refused(
    known: MemoryDataSet, copies: dict[int, int], coding: str, words: str
) -> None:
    known.files["known.bed"] = varied_bed(2, PEOPLE, copies)
    step2 = {"interaction": {**INTERACTION["interaction"], "coding": coding}}

    fault = the_fault(known, step2=step2)

    assert fault.where == "regenie.step2.interaction.variant"
    assert words in fault.problem


def test_carriers_who_are_not_analysed_do_not_count(known: MemoryDataSet) -> None:
    known.files["known.bed"] = varied_bed(2, PEOPLE, {0: 1, 1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 2})
    assert warnings(known, step2=INTERACTION) == ""
    known.files["gone.txt"] = b"".join(b"f%d i%d\n" % (n, n) for n in range(6))

    assert "(coded add; 0: 17, 2: 1)" in the_fault(known, step2=INTERACTION, remove="gone.txt").problem


def test_a_variant_that_few_carry_is_warned_of(known: MemoryDataSet) -> None:
    known.files["known.bed"] = varied_bed(2, PEOPLE, {0: 1, 1: 1, 2: 1})

    assert "in which few of the people who are analysed differ (coded add; 0: 21, 1: 3)" in warnings(
        known, step2=INTERACTION
    )
