"""What the tables say of traits and covariates."""

import math
import statistics
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.regenie.preflight.column import Column
from lambdas.regenie.preflight.missing_codes import TAKEN_FOR_MISSING
from tests.unit.regenie_planning.conftest import MemoryDataSet, add_cohort, table
from tests.unit.regenie_preflight.conftest import PEOPLE, change, checked, faults, the_fault, warnings


def phenotypes(data: MemoryDataSet, values: Sequence[object], others: Sequence[object] | None = None) -> None:
    """Given: a trait t with these values beside a good one, and NA for those who are left."""
    filled = [*values, *["NA"] * (PEOPLE - len(values))]
    data.files["phenotypes.txt"] = table("t u", zip(filled, [n % 5 - 2 for n in range(PEOPLE)], strict=True))


@pytest.mark.parametrize(
    ("values", "trait_type", "words"),
    [
        (["tall", *range(23)], "quantitative", "1 value that is no number: tall (f0_i0)"),
        (["1,5", "nan", *range(22)], "quantitative", "2 values that are no numbers: 1,5 (f0_i0), nan (f1_i1)"),
        ([3] * 24, "quantitative", "has the value 3 for all 24 people"),
        ([], "quantitative", "no value for anyone"),
        ([1, 2] * 12, "binary", "is coded 1 and 2 (12 and 12 people)"),
        ([0, 1, 1, 7] * 6, "binary", "6 values other than 0 and 1"),
        ([0, 1, 1, -9] * 6, "binary", "of which 6 are -9"),
        ([0] * 15 + [1] * 9, "binary", "9 cases and 15 controls"),
        ([1] * 24, "binary", "24 cases and 0 controls"),
        ([0, 1] * 12, "quantitative", "with the values 0 and 1 only"),
        ([0, 1, "NA"] * 8, "quantitative", "with the values 0 and 1 only"),
    ],
)
def test_a_trait_that_regenie_cannot_analyse_is_refused(
    cohort: MemoryDataSet, values: list[object], trait_type: str, words: str
):
    phenotypes(cohort, values)

    fault = the_fault(cohort, traits=["t"], trait_type=trait_type)

    assert fault.where == "regenie.traits"
    assert words in fault.problem


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([n % 5 - 2 for n in range(20)], "without a value for 4 of 24 people (17%)"),
        ([-9, -9, *(n % 7 - 3 for n in range(22))], "what looks like a code for missing values: -9 (2 people"),
        ([-1, -3, -10, *(n % 7 for n in range(21))], "3 people have -1, -3 or -10 and nobody has another"),
        ([130 + n * n % 23 for n in range(23)], "is not centred (mean 138, SD 5.784) and lacks 1 value"),
    ],
)
def test_a_trait_that_may_not_be_what_it_seems_is_warned_of(cohort: MemoryDataSet, values: list[object], words: str):
    phenotypes(cohort, values)

    assert words in warnings(cohort, traits=["t", "u"])


@pytest.mark.parametrize("given", [{"traits": ["t"]}, {"apply_rint": True}])
def test_an_uncentred_trait_is_no_worry_alone_or_as_ranks(cohort: MemoryDataSet, given: dict[str, object]):
    phenotypes(cohort, [130 + n * n % 23 for n in range(23)])

    assert "centred" not in warnings(cohort, **{"traits": ["t", "u"], **given})


def test_missingness_is_warned_of_from_fifteen_percent(cohort: MemoryDataSet):
    phenotypes(cohort, [n % 5 - 2 for n in range(21)])  # 12.5 %

    assert warnings(cohort, traits=["t", "u"]) == ""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("FID IID height", "FID,IID,height", "separated by ','"),
        ("FID IID height", "FID  IID height", "separated by more than one space"),
        ("FID IID height", "IID FID height", "starts with IID FID"),
        ("f3 i3 ", "f3  i3 ", "(line 5) whose fields are separated by more than one space"),
        ("f3 i3 ", "i3 ", "4 fields in line 5, where its header has 5"),
        ("f3 i3 1 ", "f3 i3  ", "4 fields in line 5"),
        ("\nf4", "\n\nf4", "nothing in line 6"),
        ("\nf4", "\r\nf4", "Windows line endings (line 5)"),
    ],
)
def test_a_table_that_regenie_would_misread_is_refused(cohort: MemoryDataSet, old: str, new: str, words: str):
    change(cohort, "phenotypes.txt", old, new)

    fault = the_fault(cohort)

    assert fault.where == "regenie.phenotypes"
    assert words in fault.problem


def test_covariates_must_be_numbers(cohort: MemoryDataSet):
    change(cohort, "covariates.txt", "f6 i6 46 1", "f6 i6 46 female")

    assert "where sex has 1 value that is no number: female (f6_i6)" in the_fault(cohort).problem


def test_a_constant_covariate_is_warned_of(cohort: MemoryDataSet):
    cohort.files["covariates.txt"] = table("age site", ((40 + n, 3) for n in range(PEOPLE)))

    assert "where site is the same for everyone" in warnings(cohort)


def test_a_covariate_that_nobody_has_is_refused(cohort: MemoryDataSet):
    cohort.files["covariates.txt"] = table("age site", ((40 + n, "NA") for n in range(PEOPLE)))

    assert "every genotyped person lacks a covariate: nobody has site" in the_fault(cohort).problem


def test_where_nobody_has_all_covariates_the_one_that_most_lack_is_named(cohort: MemoryDataSet):
    cohort.files["covariates.txt"] = table("age site", (("NA", 1) if n % 3 else (40 + n, "NA") for n in range(PEOPLE)))

    assert "lacks a covariate, most of all age" in the_fault(cohort).problem


@pytest.mark.parametrize("value", ["1e300", "-1e200"])
def test_a_value_whose_square_overflows_is_named(cohort: MemoryDataSet, value: str):
    change(cohort, "phenotypes.txt", "f6 i6 -1 ", f"f6 i6 {value} ")

    fault = the_fault(cohort)

    assert fault.where == "regenie.traits"
    assert f"has 1 value so large that regenie ends, or every p-value would be NA: {value} (f6_i6)" in fault.problem
    assert "standard deviation" not in fault.problem


def test_a_bad_row_does_not_hide_the_faults_of_the_other_table(cohort: MemoryDataSet):
    change(cohort, "covariates.txt", "f6 i6 46 1", "f6 i6 46")
    change(cohort, "phenotypes.txt", "f6 i6 -1", "f6 i6 tall")

    assert [fault.where for fault in faults(cohort)] == ["regenie.covariates", "regenie.traits"]


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1), st.integers(1, 7))
def test_a_columns_moments_do_not_depend_on_how_it_was_cut(values: list[float | None], size: int):
    column = Column("t")
    cells = [b"NA" if value is None else repr(value).encode() for value in values]
    for start in range(0, len(cells), size):
        batch = cells[start : start + size]
        column.add(batch, batch)

    numbers = [value for value in values if value is not None and value != TAKEN_FOR_MISSING]
    assert (column.observed, column.missing) == (len(numbers), len(values) - len(numbers))
    assert column.cases == numbers.count(1.0)
    assert len(column.distinct) == min(3, len(set(numbers)))
    if len(numbers) > 1:
        assert column.mean == pytest.approx(statistics.fmean(numbers), abs=1e-6)
        assert column.deviation == pytest.approx(statistics.stdev(numbers), rel=1e-4, abs=1e-2)
    else:
        assert math.isnan(column.deviation)


def test_categories_may_be_words_and_columns_that_are_not_used_anything(cohort: MemoryDataSet):
    rows = ((40 + n, ("north", "south")[n % 2], "NA") for n in range(PEOPLE))
    cohort.files["covariates.txt"] = table("age centre note", rows)

    assert warnings(cohort, covariate_columns=["age", "centre"], categorical_covariates=["centre"]) == ""


def test_fewer_cases_are_enough_where_regenie_is_told_so_in_both_steps(cohort: MemoryDataSet):
    phenotypes(cohort, [0] * 20 + [1] * 4)
    few = ["--minCaseCount 4"]

    assert warnings(cohort, traits=["t"], trait_type="binary", step1={"extra": few}, step2={"extra": few}) == ""
    assert "4 cases" in the_fault(cohort, traits=["t"], trait_type="binary").problem


def test_two_values_are_taken_where_regenie_is_told_so_in_both_steps(cohort: MemoryDataSet):
    phenotypes(cohort, [0, 1] * 12)
    few = {"extra": ["--force-qt"]}

    assert warnings(cohort, traits=["t"], step1=few, step2=few) == ""


@pytest.mark.parametrize("value", ["1_000", "1,5", "12abc", "nan", "inf", "0x10"])
def test_a_number_that_regenie_would_read_otherwise_than_it_is_meant_is_refused(cohort: MemoryDataSet, value: str):
    """As C does: 1_000 and 1,5 are 1 to it, 12abc is 12; nan and inf are missing (regenie 4.1.2, run)."""
    phenotypes(cohort, [*range(23), value])

    assert f"no number: {value}" in the_fault(cohort, traits=["t"]).problem


class TestStrict:
    """With --strict, in either step, whoever lacks a value of one trait is analysed for none (regenie 4.1.2, run)."""

    @pytest.mark.parametrize("step", ["step1", "step2"])
    def test_who_lacks_one_trait_counts_for_none(self, cohort: MemoryDataSet, step: str):
        change(cohort, "phenotypes.txt", "f3 i3 1 ", "f3 i3 NA ")

        found = checked(cohort, **{step: {"extra": ["--strict"]}}).samples

        assert [found.traits[trait].analysed for trait in ("height", "ldl")] == [PEOPLE - 1, PEOPLE - 1]
        assert found.analysed[3] == ord("0" if step == "step1" else "1")

    def test_many_who_are_left_out_are_told_of(self, cohort: MemoryDataSet):
        for n in range(5):
            change(cohort, "phenotypes.txt", f"f{n} i{n} {n % 5 - 2} ", f"f{n} i{n} NA ")

        told = warnings(cohort, step2={"extra": ["--strict"]})

        assert "5 of 24 people lack one: with --strict they are left out of all" in told
        assert "analysed together" not in told
        assert "Analyse traits with many missing values alone" not in told

    def test_values_of_who_is_left_out_are_looked_at(self, cohort: MemoryDataSet):
        change(cohort, "phenotypes.txt", "f3 i3 1 0 ", "f3 i3 NA x ")

        assert "x (f3_i3)" in the_fault(cohort, step2={"extra": ["--strict"]}).problem


def test_a_word_behind_a_missing_covariate_is_not_read(cohort: MemoryDataSet):
    """As by regenie, which goes on with the next person (4.1.2, run)."""
    change(cohort, "covariates.txt", "f3 i3 43 1", "f3 i3 NA unknown")
    assert checked(cohort).samples.with_covariates == PEOPLE - 1

    change(cohort, "covariates.txt", "f3 i3 NA unknown", "f3 i3 43 unknown")
    assert "unknown (f3_i3)" in the_fault(cohort).problem


@pytest.mark.parametrize(
    ("key", "content", "words"),
    [
        ("keep", b"".join(b"f%d i%d\n" % (n, n) for n in range(1, PEOPLE, 2)), "keep left out 0 cases and 12 controls"),
        (
            "remove",
            b"".join(b"f%d i%d\n" % (n, n) for n in range(1, PEOPLE, 2)),
            "remove left out 12 cases and 0 controls",
        ),
    ],
)
def test_a_list_that_leaves_one_kind_out_is_named(cohort: MemoryDataSet, key: str, content: bytes, words: str):
    cohort.files["list.txt"] = content

    assert words in the_fault(cohort, traits=["t2d"], trait_type="binary", **{key: "list.txt"}).problem


@pytest.mark.parametrize(
    ("slip", "words"), [(1680, "where 1680 is 20 standard deviations away"), (-1e6, "where -1e+06 is 20 st")]
)
def test_a_value_far_from_all_others_is_warned_of(data: MemoryDataSet, slip: float, words: str):
    # Given: 400 people of usual height, and one number that slipped
    add_cohort(data, ("1", 10), ("1", 20), samples=401)
    heights = [168 + n % 21 - 10 for n in range(400)]
    data.files["phenotypes.txt"] = table("height", ((value,) for value in [*heights, slip]))
    given = {"traits": ["height"]}

    assert words in warnings(data, **given)
    assert "standard deviations" not in warnings(data, **given, apply_rint=True)

    data.files["phenotypes.txt"] = table("height", ((value,) for value in [*heights, 190]))
    assert "standard deviations" not in warnings(data, **given)
