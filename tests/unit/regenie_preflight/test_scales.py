"""Sizes and numbers of covariates and traits, by what regenie 4.1.2 makes of them (tests/regenie has it run)."""

import pytest

from tests.unit.regenie_planning.conftest import MemoryDataSet, table
from tests.unit.regenie_preflight.conftest import PEOPLE, checked, the_fault, warnings


@pytest.mark.parametrize(
    ("third", "lost"),
    [
        (lambda n: 20_210_101 + n % 28, "sex, date"),
        (lambda n: 1_600_000_000 + 86_400 * n, "age, sex, date"),
        (lambda n: 3_000_000 + 1_000 * (n % 6), "date"),
    ],
)
def test_a_covariate_beside_which_others_vanish_is_refused(cohort: MemoryDataSet, third, lost: str):
    cohort.files["covariates.txt"] = table("age sex date", ((40 + n, n % 2, third(n)) for n in range(PEOPLE)))

    fault = the_fault(cohort)

    assert fault.where == "regenie.covariates"
    assert "where date has values of about" in fault.problem
    assert f"regenie does not adjust for {lost}, and says nothing" in fault.problem


def test_a_tiny_covariate_is_refused(cohort: MemoryDataSet):
    cohort.files["covariates.txt"] = table("age x", ((40 + n, f"{n % 6}e-9") for n in range(PEOPLE)))

    assert "so large beside x that regenie does not adjust for x" in the_fault(cohort).problem


@pytest.mark.parametrize("third", [lambda n: 1950 + n, lambda n: 50_000 + 3_000 * n, lambda n: n / 1e5])
def test_usual_sizes_are_no_matter(cohort: MemoryDataSet, third):
    cohort.files["covariates.txt"] = table("age sex x", ((40 + n, n % 2, third(n)) for n in range(PEOPLE)))

    assert checked(cohort).warnings == ()


@pytest.mark.parametrize(
    ("unit", "words"), [("e-8", "regenie takes less than 1e-06 for none"), ("e200", "would be NA")]
)
def test_a_trait_in_an_impossible_unit_is_refused(cohort: MemoryDataSet, unit: str, words: str):
    values = ((f"{n % 5 - 2}{unit}", n % 7 - 3) for n in range(PEOPLE))
    cohort.files["phenotypes.txt"] = table("height ldl", values)

    assert words in the_fault(cohort).problem
    assert checked(cohort, apply_rint=True).warnings == ()


def test_more_covariates_than_people_are_refused(cohort: MemoryDataSet):
    columns = [f"PC{n}" for n in range(1, 24)]
    rows = ([(n * k) % 11 + n % k for k in range(2, 25)] for n in range(PEOPLE))
    cohort.files["covariates.txt"] = table(" ".join(columns), rows)

    assert "has 23 covariates (a category counts for each level but one), and 24 people" in the_fault(cohort).problem
    assert "so that little is left to test with" in warnings(cohort, covariate_columns=columns[:14])
    assert "covariates" not in warnings(cohort, covariate_columns=columns[:5])


def test_levels_count_as_covariates(cohort: MemoryDataSet):
    names = " ".join(f"c{n}" for n in range(4))
    cohort.files["covariates.txt"] = table(names, ([(n + k) % 7 for k in range(4)] for n in range(PEOPLE)))
    categories = names.split()

    assert "has 24 covariates" in the_fault(cohort, categorical_covariates=categories, traits=["height"]).problem
    assert checked(cohort, traits=["height"]).warnings == ()
