"""Numbers that are read many at a time are the same, and found to be the same, as those that are read one by one."""

import math
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genolaunch.shared.input_error import LaunchInputError
from lambdas.regenie.preflight import blocks
from lambdas.regenie.preflight.column import LARGEST_NUMBER, Column, number_of
from lambdas.regenie.preflight.numbers import add_numbers, parsed
from tests.unit.regenie_planning.conftest import MemoryDataSet, bed, loco, table
from tests.unit.regenie_preflight.conftest import checked, fam

PEOPLE = 60
ROWS = 7
"""Of a block here, so that there are many."""

NUMBERS = st.one_of(
    st.floats(-LARGEST_NUMBER, LARGEST_NUMBER, allow_nan=False).map(repr),
    st.floats(-1000, 1000, allow_nan=False).map("{:.3f}".format),
    st.integers(-(10**30), 10**30).map(str),
    st.floats(-1000, 1000, allow_nan=False).map("{:E}".format),
    st.sampled_from(["NA", "-999", "-9", "0", "1", "-0.0", "1e-400"]),
)
VALUES = st.one_of(NUMBERS, st.integers(-2, 3).map(str))
ODD_WORDS = """
nan NaN inf -inf Infinity NAN NANA -NA 1NA NA1 N A . - + 1- 1-2 --1 1e 1e+ e5 1_000 1,5 12abc 0x10 1e400 -1e101 null
true [1] [] {} "1" 1] // ? 1e5e5 1.2.3 .NA .5 +1 007 5.
"""
ODD = st.one_of(
    st.sampled_from([*ODD_WORDS.split(), "1\r"]),
    st.text("0123456789.+-eENA", min_size=1, max_size=6),
    st.text(min_size=1, max_size=4).filter(lambda word: len(word.split()) == 1 and " " not in word),
)


def value_of(word: str) -> float:
    number = number_of(word.encode())
    return math.nan if word == "NA" or number is None else number


@given(st.lists(NUMBERS, min_size=1))
def test_words_of_numbers_are_read_as_each_alone(words: list[str]):
    values = parsed(" ".join(words).encode(), 1, len(words))

    assert values is not None
    assert [repr(abs(value)) for value in values[0].tolist()] == [repr(abs(value_of(word))) for word in words]
    assert [value < 0 for value in values[0].tolist()] == [value_of(word) < 0 for word in words]


@given(st.lists(NUMBERS), ODD, st.lists(NUMBERS))
def test_a_word_that_may_be_no_number_is_looked_at_alone(before: list[str], odd: str, after: list[str]):
    words = [*before, odd, *after]

    values = parsed(" ".join(words).encode(), 1, len(words))

    number = number_of(odd.encode())
    if values is not None:
        assert odd == "NA" or number is not None
        np.testing.assert_equal(values[0], [value_of(word) for word in words])
    if odd != "NA" and (number is None or abs(number) > LARGEST_NUMBER):
        assert values is None


@given(
    st.lists(st.lists(st.one_of(NUMBERS, st.integers(-2, 3).map(str)), min_size=2, max_size=2), min_size=1),
    st.integers(1, 9),
)
def test_columns_are_the_same_by_block_and_by_value(rows: list[tuple[str, str]], size: int):
    alone, together = ([Column("a"), Column("b")] for _ in range(2))
    for start in range(0, len(rows), size):
        some = rows[start : start + size]
        for column, words in zip(alone, zip(*some, strict=True), strict=True):
            column.add([word.encode() for word in words], [b"f_i"] * len(some))
        values = parsed(" ".join(word for row in some for word in row).encode(), len(some), 2)
        assert values is not None
        add_numbers(together, values)

    for one, other in zip(alone, together, strict=True):
        assert facts(one) == facts(other)
        assert one.mean == pytest.approx(other.mean, nan_ok=True)
        assert one.deviation == pytest.approx(other.deviation, nan_ok=True)


def facts(column: Column) -> list[Any]:
    """All but what rounding may change."""
    counts = "missing observed controls cases twos usual_codes taken_for_missing coded_answers negative"
    values = "least greatest distinct"
    return [*(getattr(column, name) for name in f"{counts} {values}".split()), list(map(str, column.codes.suspects()))]


def simulated(random: Random) -> tuple[MemoryDataSet, dict[str, Any]]:
    """Given: a cohort with some oddities, all of them where numbers are read, and a config for it."""
    ways: list[Callable[[], object]] = [
        lambda: round(random.gauss(0, 1), 4),
        lambda: random.randrange(2),
        lambda: random.choice([1, 1, 2]),
        lambda: random.choice(["NA", round(random.gauss(10, 2), 1)]),
        lambda: random.choice([-999, round(random.gauss(0, 3), 2), random.randrange(4)]),
        lambda: random.choice([-9, *[random.randrange(50)] * 6]),
        lambda: random.choice([-1, -3, 4]),
        lambda: random.choice([999, *[round(random.uniform(1, 2), 3)] * 6]),
        lambda: 7,
    ]
    odd = random.choice(["", "", "", "", "1,5", "nan", ".5", "1e200", "tall"])
    traits, covariates = ([random.choice(ways) for _ in range(3)] for _ in range(2))
    rows = [[way() for way in traits] for _ in range(PEOPLE)]
    adjusted = [[random.choice(["NA", way(), *[way()] * 9]) for way in covariates] for _ in range(PEOPLE)]
    if odd:
        random.choice([rows, adjusted])[random.randrange(PEOPLE)][random.randrange(3)] = odd
    data = MemoryDataSet("data", "cohort/")
    first, last = random.choice([(0, PEOPLE), (0, PEOPLE), (3, PEOPLE), (0, PEOPLE - 9)])
    data.files.update(
        {
            "cohort.bed": bed(2, last - first),
            "cohort.bim": b"1\tv1\t0\t10\tA\tG\n1\tv2\t0\t20\tA\tG\n",
            "cohort.fam": fam(range(first, last)),
            "phenotypes.txt": table("height ldl t2d", rows),
            "covariates.txt": table("age sex pc1", adjusted),
            "keep.txt": "".join(f"f{n} i{n}\n" for n in range(PEOPLE) if n % 4).encode(),
            "pred.list": b"height height.loco\nldl ldl.loco\nt2d t2d.loco\n",
            **{f"{trait}.loco": loco(PEOPLE, random.choice([0, 5])) for trait in ("height", "ldl", "t2d")},
        }
    )
    if random.random() < 0.2:
        again = data.files["phenotypes.txt"]
        data.files["phenotypes.txt"] = again + again.splitlines()[random.randrange(1, PEOPLE)] + b"\n"
    if random.random() < 0.2:
        data.files["covariates.txt"] = data.files["covariates.txt"].replace(b" ", b"\t")
    given: dict[str, Any] = {
        "traits": random.choice([["height", "ldl", "t2d"], ["t2d", "height"], ["ldl"]]),
        "trait_type": random.choice(["quantitative", "quantitative", "binary"]),
    }
    if random.random() < 0.3:
        given["keep"] = "keep.txt"
    if random.random() < 0.3:
        given["covariate_columns"] = random.choice([["pc1"], ["sex", "age"]])
    elif random.random() < 0.2:
        given["categorical_covariates"] = ["sex"]
    if random.random() < 0.2:
        given["step2"] = {"interaction": {"covariate": given.get("covariate_columns", ["age"])[0]}}
    if random.random() < 0.3:
        given["step1"] = {"enabled": False, "predictions": "pred.list"}
    elif random.random() < 0.3:
        given["step1"] = {"extra": ["--strict"]}
    return data, given


def outcome(data: MemoryDataSet, given: dict[str, Any]) -> list[Any]:
    """When: the cohort is checked. All that anyone hears of it."""
    try:
        found = checked(data, **given)
    except LaunchInputError as error:
        return [str(fault) for fault in error.faults]
    samples = found.samples.as_dict()
    for counts in samples["traits"].values():
        counts.update({name: round(value, 9) for name, value in counts.items() if isinstance(value, float)})
    return [found.warnings, samples, found.samples.analysed, found.samples.directions, found.analysed]


@pytest.mark.parametrize("seed", range(300))
def test_a_cohort_is_found_the_same_by_block_and_by_value(monkeypatch: pytest.MonkeyPatch, seed: int):
    data, given = simulated(Random(seed))
    monkeypatch.setattr(blocks, "_ROWS", ROWS)
    together = outcome(data, given)

    monkeypatch.setattr(blocks.Block, "numbers", lambda _block, _indices: None)
    alone = outcome(data, given)

    assert together == alone
