"""A covariate in which the analysed people do not differ enough for an interaction: no rows of it, and no word.

Every case was run with regenie 4.1.2 on the demo cohort: no row of the interaction, of no trait, and exit code 0.
"""

from typing import Any

import pytest

from tests.unit.regenie_planning.conftest import MemoryDataSet, table
from tests.unit.regenie_preflight.conftest import PEOPLE, checked, the_fault, warnings

WHERE = "regenie.step2.interaction.covariate"
LEVELS = ["a", "b", "c"]


def interact(**given: Any) -> dict[str, Any]:
    """With a level, unless it is one of the numbers."""
    return {"categorical_covariates": ["g"], "step2": {"interaction": {"covariate": "g", **given}}}


NUMBERS: dict[str, Any] = {"step2": {"interaction": {"covariate": "g"}}}


def have(
    cohort: MemoryDataSet, values: list[object], *, missing: tuple[int, ...] = (), ldl: tuple[int, ...] = ()
) -> None:
    """Given: the covariate's values by person, and who lacks both traits, or ldl."""
    cohort.files["covariates.txt"] = table("g", [[value] for value in values])
    rows = [
        ["NA" if n in missing else n % 5 - 2, "NA" if n in (*missing, *ldl) else n % 7 - 3] for n in range(len(values))
    ]
    cohort.files["phenotypes.txt"] = table("height ldl", rows)


def levels(**others: str) -> list[object]:
    """a, b, c in turn, but for some (`p4="z"`)."""
    return [others.get(f"p{n}", LEVELS[n % 3]) for n in range(PEOPLE)]


def test_a_level_of_one_person_is_refused(cohort: MemoryDataSet):
    have(cohort, levels(p4="z"))

    fault = the_fault(cohort, **interact())

    assert fault.where == WHERE
    assert "level z: 1 (height); level z: 1 (ldl)" in fault.problem


def test_two_people_make_a_level_of_which_is_warned(cohort: MemoryDataSet):
    have(cohort, levels(p4="z", p7="z"))

    assert "few of the people who are analysed differ (level z: 2 (height); level z: 2 (ldl))" in warnings(
        cohort, **interact()
    )


def test_a_level_that_one_trait_has_not_costs_all_their_rows(cohort: MemoryDataSet):
    have(cohort, levels(), ldl=tuple(range(2, PEOPLE, 3)))

    assert "differ (level c: 0 (ldl)):" in the_fault(cohort, **interact()).problem


def test_a_level_of_nobody_who_is_analysed_is_no_level(cohort: MemoryDataSet):
    have(cohort, levels(p4="z"), missing=(4,))

    assert "level z" not in warnings(cohort, **interact())


def test_the_first_level_of_the_file_is_the_baseline_whoever_has_it(cohort: MemoryDataSet):
    have(cohort, levels(p0="z"), missing=(0,))

    assert "first level in s3://data/cohort/covariates.txt, z, none of the people" in (
        the_fault(cohort, **interact()).problem
    )
    assert checked(cohort, **interact(baseline="b"))


def test_a_level_of_one_person_who_is_left_out_for_a_covariate_is_no_level(cohort: MemoryDataSet):
    have(cohort, levels(p4="z"))
    cohort.files["covariates.txt"] = table(
        "g age", [[value, "NA" if n == 4 else n] for n, value in enumerate(levels(p4="z"))]
    )

    assert "level z" not in warnings(cohort, **interact())


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1 if n == 7 else 0 for n in range(PEOPLE)], "value other than 0: 1 (height)"),
        ([1.5 if n == 7 else 40 for n in range(PEOPLE)], "value other than 40: 1 (height)"),
        (["1.0" if n % 2 else "1" for n in range(PEOPLE)], "one value among the people who are analysed (1)"),
    ],
)
def test_numbers_in_which_people_do_not_differ_are_refused(cohort: MemoryDataSet, values: list[object], words: str):
    have(cohort, values)

    assert words in the_fault(cohort, **NUMBERS).problem


def test_a_number_that_is_the_same_among_those_who_have_a_trait_is_refused(cohort: MemoryDataSet):
    have(cohort, [1 if n % 2 else n for n in range(PEOPLE)], missing=tuple(range(0, PEOPLE, 2)))
    assert "one value among the people who are analysed (1)" in the_fault(cohort, **NUMBERS).problem

    have(cohort, [n % 2 for n in range(PEOPLE)], ldl=tuple(range(0, PEOPLE, 2)))
    assert "value other than 1: 0 (ldl)" in the_fault(cohort, **NUMBERS).problem


def test_a_measurement_is_not_spoken_of(cohort: MemoryDataSet):
    have(cohort, [40 + n / 8 for n in range(PEOPLE)])

    assert warnings(cohort, **NUMBERS) == ""
