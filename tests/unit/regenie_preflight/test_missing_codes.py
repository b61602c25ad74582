"""Numbers that stand for missing values: seen where they are, and not where honest values are."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pytest

from lambdas.regenie.preflight.missing_codes import Codes
from tests.unit.regenie_planning.conftest import MemoryDataSet, table
from tests.unit.regenie_preflight.conftest import PEOPLE, change, checked, warnings

Numbers: TypeAlias = npt.NDArray[np.floating[Any]]
Draw: TypeAlias = Callable[[np.random.Generator, int], Numbers]

HONEST: Final[dict[str, Draw]] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "two decimals": lambda rng, n: rng.normal(size=n).round(2),
    "residuals": lambda rng, n: rng.normal(0, 5, n).round(3),
    "change scores": lambda rng, n: rng.normal(0, 6, n).round(),
    "ages": lambda rng, n: rng.integers(18, 81, n).astype(float),
    "ages within bounds": lambda rng, n: rng.normal(57, 8, n).round().clip(40, 70),
    "years": lambda rng, n: rng.integers(1934, 1972, n).astype(float),
    "height": lambda rng, n: rng.normal(170, 9, n).round(),
    "blood pressure to ten": lambda rng, n: (rng.normal(130, 18, n) / 10).round() * 10,
    "rare counts": lambda rng, n: rng.poisson(0.01, n).astype(float),
    "few counts": lambda rng, n: rng.poisson(0.3, n).astype(float),
    "counts": lambda rng, n: rng.poisson(5, n).astype(float),
    "overdispersed counts": lambda rng, n: rng.negative_binomial(0.5, 0.05, n).astype(float),
    "counts up to 7": lambda rng, n: rng.binomial(7, 0.3, n).astype(float),
    "counts up to 8": lambda rng, n: rng.binomial(8, 0.9, n).astype(float),
    "children up to 9": lambda rng, n: np.minimum(rng.poisson(1.8, n), 9).astype(float),
    "a rare yes": lambda rng, n: (rng.random(n) < 0.01).astype(float),
    "answers of 1 to 5": lambda rng, n: rng.integers(1, 6, n).astype(float),
    "sums of threes": lambda rng, n: rng.integers(0, 4, n) * 3.0,
    "doses": lambda rng, n: rng.choice([0.0, 1.0, 3.0, 9.0], n),
    "years of education": lambda rng, n: rng.choice([7.0, 10.0, 13.0, 15.0, 19.0, 20.0], n),
    "a score from 30 down": lambda rng, n: 30.0 - rng.poisson(1.5, n),
    "lognormal, one decimal": lambda rng, n: rng.lognormal(0, 1, n).round(1),
    "lognormal, whole": lambda rng, n: rng.lognormal(4, 1, n).round(),
    "very skewed": lambda rng, n: rng.lognormal(0, 2.5, n).round(),
    "heavy tails": lambda rng, n: rng.standard_cauchy(n).round(1),
    "many zeros": lambda rng, n: np.where(rng.random(n) < 0.5, 0, rng.lognormal(1, 1, n)),
    "a limit of detection": lambda rng, n: rng.lognormal(0, 1, n).clip(0.3, None),
    "a greatest value": lambda rng, n: np.minimum(rng.lognormal(3.5, 0.8, n).round(), 120),
    "percent": lambda rng, n: (rng.beta(8, 1, n) * 100).round(),
}


def suspects(values: Numbers) -> list[float]:
    """When: a column is looked at."""
    codes = Codes()
    numbers = values.tolist()
    for start in range(0, len(numbers), 2048):
        codes.add(numbers[start : start + 2048])
    return [suspect.value for suspect in codes.suspects()]


@pytest.mark.parametrize("people", [100, 1000, 20_000])
@pytest.mark.parametrize("name", HONEST)
def test_honest_values_are_no_codes(name: str, people: int):
    for seed in range(10):
        assert suspects(HONEST[name](np.random.default_rng(seed), people)) == []


@pytest.mark.parametrize("code", [999, -9, 9999, 99, -99, 88, -9999, 777])
@pytest.mark.parametrize("name", ["normal", "ages", "height", "answers of 1 to 5", "children up to 9", "a rare yes"])
@pytest.mark.parametrize("people", [300, 20_000])
def test_codes_are_seen(name: str, code: float, people: int):
    rng = np.random.default_rng(people)
    values = HONEST[name](rng, people)
    values[rng.choice(people, people // 50, replace=False)] = code

    assert suspects(values) == [code]


def test_two_codes_are_seen():
    values = HONEST["ages"](np.random.default_rng(1), 1000)
    values[:20], values[20:30] = 888, 999

    assert suspects(values) == [888, 999]


def test_a_zero_far_from_all_others_is_seen():
    values = HONEST["height"](np.random.default_rng(1), 1000)
    values[:20] = 0

    assert suspects(values) == [0]


def test_order_and_batches_do_not_matter():
    values = HONEST["height"](np.random.default_rng(1), 5000)
    values[[1, 2500, 4999]] = 999

    assert suspects(values) == suspects(values[::-1]) == suspects(np.sort(values)) == [999]


def test_a_code_is_warned_of_with_its_number(cohort: MemoryDataSet):
    # Given: a trait and a covariate with codes
    values = [999 if n in (3, 5, 7) else 160 + n for n in range(PEOPLE)]
    cohort.files["phenotypes.txt"] = table("height ldl", zip(values, [n % 7 - 3 for n in range(PEOPLE)], strict=True))
    cohort.files["covariates.txt"] = table("age sex", ((99 if n > 20 else 40 + n % 9, n % 2) for n in range(PEOPLE)))

    told = warnings(cohort)

    assert (
        "names height, with what looks like a code for missing values: 999 (3 people; all others are from 160 to 183"
        in told
    )
    assert "where age has what looks like a code for missing values: 99 (3 people; all others are from 40 to 48" in told


def test_regenies_own_number_counts_as_missing(cohort: MemoryDataSet):
    change(cohort, "phenotypes.txt", "f3 i3 1 ", "f3 i3 -999.0 ")
    change(cohort, "covariates.txt", "f7 i7 47 ", "f7 i7 -999 ")

    found = checked(cohort, traits=["height"])

    assert found.samples.with_covariates == PEOPLE - 1
    assert (found.samples.traits["height"].analysed, found.samples.traits["height"].missing) == (PEOPLE - 2, 1)
    assert "names height, which has the value -999 for 1 people, which regenie reads as a missing value" in "".join(
        found.warnings
    )
    assert "where age has the value -999 for 1 people" in "".join(found.warnings)
    assert found.samples.analysed.decode() == "".join("0" if n in (3, 7) else "1" for n in range(PEOPLE))


def test_a_category_may_be_called_so(cohort: MemoryDataSet):
    cohort.files["covariates.txt"] = table("age site", ((40 + n, (-999, 1)[n % 2]) for n in range(PEOPLE)))

    assert checked(cohort, categorical_covariates=["site"]).samples.with_covariates == PEOPLE
