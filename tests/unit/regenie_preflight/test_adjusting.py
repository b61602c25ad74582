"""Covariates that nobody named: traits in the covariate file."""

import pytest

from tests.unit.regenie_planning.conftest import MemoryDataSet, table
from tests.unit.regenie_preflight.conftest import PEOPLE, checked, the_fault, warnings


@pytest.fixture
def one_file(cohort: MemoryDataSet) -> MemoryDataSet:
    """Given: traits and covariates in one file."""
    rows = ((n % 5 - 2, n % 7 - 3, n % 11, 40 + n, n % 2) for n in range(PEOPLE))
    cohort.files["all.txt"] = table("height ldl bmi age sex", rows)
    return cohort


def test_a_trait_file_as_covariate_file_is_refused_unless_its_covariates_are_named(one_file: MemoryDataSet):
    both = {"phenotypes": "all.txt", "covariates": "all.txt"}

    fault = the_fault(one_file, **both)

    assert fault.where == "regenie.covariate_columns"
    assert "bmi among them" in fault.problem
    assert "covariate_columns: [age, sex]" in fault.remedy
    assert checked(one_file, **both, covariate_columns=["age", "sex"]).warnings == ()
    named = checked(one_file, **both, covariate_columns=["age", "sex", "bmi"])
    assert named.analysed.covariate_columns == ("bmi", "age", "sex")


def test_all_other_traits_are_named(one_file: MemoryDataSet):
    fault = the_fault(one_file, phenotypes="all.txt", covariates="all.txt", traits=["height"])

    assert "ldl, bmi among them" in fault.problem


def test_one_file_of_analysed_traits_and_covariates_is_taken(one_file: MemoryDataSet):
    found = checked(one_file, phenotypes="all.txt", covariates="all.txt", traits=["height", "ldl", "bmi"])

    assert found.warnings == ()
    assert found.analysed.covariate_columns == ("age", "sex")


def test_a_copy_of_the_trait_file_is_refused_too(one_file: MemoryDataSet):
    one_file.files["copy.txt"] = one_file.files["all.txt"]

    assert "bmi among them" in the_fault(one_file, phenotypes="all.txt", covariates="copy.txt").problem


def test_a_trait_in_a_file_of_covariates_is_warned_of(one_file: MemoryDataSet):
    one_file.files["covariates.txt"] = table("age bmi", ((40 + n, n % 9) for n in range(PEOPLE)))

    said = warnings(one_file, phenotypes="all.txt")

    assert "the analysis adjusts for bmi, which the phenotype file has as well" in said
    assert warnings(one_file, phenotypes="all.txt", covariate_columns=["age", "bmi"]) == ""
    assert warnings(one_file, phenotypes="all.txt", categorical_covariates=["bmi"]) == ""


@pytest.mark.parametrize(
    "name",
    [
        *("age", "Age", "age2", "age_sq", "AGE_SQUARED", "age^2", "age_x_sex", "agesex", "age_baseline", "sex"),
        *("Gender", "genetic_sex", "PC1", "pc_10", "C1", "batch", "genotyping_array", "assessment_centre", "site"),
        *("cohort", "plate"),
    ],
)
def test_usual_names_of_covariates_are_no_riddle(one_file: MemoryDataSet, name: str):
    one_file.files["all.txt"] = one_file.files["all.txt"].replace(b"bmi age sex", f"{name} years other".encode(), 1)
    fault = the_fault(one_file, phenotypes="all.txt", covariates="all.txt")

    assert "adjust for all of its columns that are not analysed, years, other among them" in fault.problem


@pytest.mark.parametrize("name", ["bmi", "age_at_menarche", "menopause_age", "ldl2", "crp", "pcsk9", "sexual_partners"])
def test_traits_are_not_taken_for_covariates_by_their_names(one_file: MemoryDataSet, name: str):
    one_file.files["all.txt"] = one_file.files["all.txt"].replace(b"bmi", name.encode(), 1)

    assert f"{name} among them" in the_fault(one_file, phenotypes="all.txt", covariates="all.txt").problem
