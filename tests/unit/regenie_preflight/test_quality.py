"""Quality control against the number of people."""

from typing import Any

import pytest

from lambdas.regenie.preflight.quality import told_of_covariates
from tests.unit.regenie_planning.conftest import MemoryDataSet, table
from tests.unit.regenie_preflight.conftest import checked, fam, the_fault, warnings

PEOPLE = 120


@pytest.fixture
def people(cohort: MemoryDataSet) -> MemoryDataSet:
    """Given: 120 of them."""
    cohort.files["cohort.bed"] = b"\x6c\x1b\x01" + bytes(2 * PEOPLE // 4)
    cohort.files["cohort.fam"] = fam(range(PEOPLE))
    cohort.files["phenotypes.txt"] = table("height ldl t2d", ((n % 5 - 2, n % 7 - 3, n % 2) for n in range(PEOPLE)))
    cohort.files["covariates.txt"] = table("age sex", ((40 + n, n % 2) for n in range(PEOPLE)))
    return cohort


@pytest.mark.parametrize("step1", [{"qc": None}, {"qc": {}}, {"qc": {"mac": 25}}])
def test_a_count_that_nobody_can_reach_is_refused_before_anything_is_made(cohort: MemoryDataSet, step1: dict[str, Any]):
    fault = the_fault(cohort, step1=step1)

    assert fault.where == "regenie.step1.qc"
    assert "24 people are analysed, who can have 24 at most" in fault.problem
    assert "qc: false" in fault.remedy


@pytest.mark.parametrize("step1", [{"qc": False}, {"qc": {"mac": 4}}])
def test_a_count_that_is_no_matter_is_not_spoken_of(cohort: MemoryDataSet, step1: dict[str, Any]):
    assert checked(cohort, step1=step1).warnings == ()


def test_a_count_that_only_common_variants_reach_is_warned_of(people: MemoryDataSet):
    said = warnings(people, step1={"qc": None})

    assert "asks step 1's variants for a minor allele count of 100" in said
    assert "of the 120 people who are analysed, these are the variants with a frequency of 0.42 or more" in said


def test_people_who_are_not_analysed_do_not_count(people: MemoryDataSet):
    people.files["keep.txt"] = b"".join(b"f%d i%d\n" % (n, n) for n in range(30))

    assert "30 people are analysed" in the_fault(people, keep="keep.txt", step1={"qc": {"mac": 31}}).problem


def test_without_step_1_there_is_nothing_to_ask(cohort: MemoryDataSet):
    cohort.files["old.list"] = b"height old.loco\nldl old.loco\n"
    ids = " ".join(f"f{n}_i{n}" for n in range(24))
    rows = "".join(f"{number} {' '.join(['0'] * 24)}\n" for number in range(1, 24))
    cohort.files["old.loco"] = f"FID_IID {ids}\n{rows}".encode()

    assert "minor allele count" not in warnings(cohort, step1={"enabled": False, "qc": None, "predictions": "old.list"})


@pytest.mark.parametrize(("least", "is_refused"), [(120, False), (121, True), (500, True)])
def test_a_least_count_of_step_2_that_nobody_can_reach_is_refused(
    people: MemoryDataSet, least: int, *, is_refused: bool
):
    given: dict[str, Any] = {"step1": {"qc": False}, "step2": {"min_mac": least}}
    if not is_refused:
        assert checked(people, **given)
        return
    fault = the_fault(people, **given)

    assert fault.where == "regenie.step2.min_mac"
    assert "120 people are analysed, who can have 120 at most" in fault.problem


def test_the_status_names_the_covariates_in_use():
    assert told_of_covariates(()) == []
    assert told_of_covariates(("age", "sex")) == ["covariates: the analysis adjusts for age, sex"]
    (long,) = told_of_covariates([f"PC{n}" for n in range(1, 31)])
    assert long.endswith("PC20 and 10 more")
