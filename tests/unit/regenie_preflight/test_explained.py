"""Traits of which covariates leave nothing: regenie ends with `has sd=0`, or tests roundings (run in tests/regenie)."""

import random
from collections.abc import Callable, Iterator, Sequence

import pytest

from lambdas.regenie.preflight.explained import CovariateSample
from tests.unit.regenie_planning.conftest import MemoryDataSet, bim, table
from tests.unit.regenie_preflight.conftest import PEOPLE, checked, fam, faults, the_fault

AGES = [40 + n for n in range(PEOPLE)]
SEXES = [n // 2 % 2 for n in range(PEOPLE)]
RNG = random.Random(5)
NOISE = [RNG.gauss(0, 1) for _ in range(PEOPLE)]


def have(data: MemoryDataSet, values: Sequence[object]) -> None:
    """Given: a trait of these values, beside one that has nothing to do with covariates."""
    data.files["phenotypes.txt"] = table("t ldl", zip(values, (n % 7 - 3 for n in range(PEOPLE)), strict=True))


@pytest.mark.parametrize(
    ("trait", "by"),
    [
        (lambda n: AGES[n], "age"),
        (lambda n: 2 * AGES[n] + 1, "age"),
        (lambda n: AGES[n] - 10 * SEXES[n], "age, sex"),
        (lambda n: f"{(AGES[n] - 51.5) / 7.07:.4f}", "age"),
        (lambda n: AGES[n] if n % 5 else "NA", "age"),
        (lambda n: 1e9 + AGES[n] / 1e3, "age"),
        (lambda n: AGES[n] + 1e-7 * NOISE[n], "age"),
    ],
)
@pytest.mark.parametrize("given", [{}, {"apply_rint": True}, {"traits": ["t"]}])
def test_a_sum_of_covariates_is_refused(cohort: MemoryDataSet, trait: Callable[[int], object], by: str, given):
    have(cohort, [trait(n) for n in range(PEOPLE)])

    fault = the_fault(cohort, **{"traits": ["t", "ldl"], **given})

    assert fault.where == "regenie.traits"
    assert f"names t, which covariates explain wholly ({by})" in fault.problem


@pytest.mark.parametrize(
    "trait",
    [
        lambda n: AGES[n] + NOISE[n],
        lambda n: AGES[n] + 0.1 * NOISE[n],
        lambda n: AGES[n] + (n == 17),
        lambda n: AGES[n] * SEXES[n],
        lambda n: AGES[n] ** 2,
    ],
)
def test_what_is_left_of_a_trait_may_be_tested(cohort: MemoryDataSet, trait: Callable[[int], object]):
    have(cohort, [trait(n) for n in range(PEOPLE)])

    assert checked(cohort, traits=["t"])
    assert checked(cohort, traits=["t"], apply_rint=True)


def test_cases_that_a_covariate_tells_are_refused(cohort: MemoryDataSet):
    have(cohort, [1 - sex for sex in SEXES])
    binary = {"traits": ["t"], "trait_type": "binary"}

    assert "explain wholly (sex)" in the_fault(cohort, **binary).problem
    assert checked(cohort, **binary, covariate_columns=["age"])


def test_levels_explain_too(cohort: MemoryDataSet):
    cohort.files["covariates.txt"] = table("age site", ((AGES[n], f"site{n % 4}") for n in range(PEOPLE)))
    have(cohort, [AGES[n] + (3, 5, 5, 9)[n % 4] for n in range(PEOPLE)])

    assert "(age, site)" in the_fault(cohort, traits=["t", "ldl"], categorical_covariates=["site"]).problem


def test_of_several_all_are_named_and_a_fault_of_another_kind_once(cohort: MemoryDataSet):
    rows = ((AGES[n], 7, SEXES[n], n % 7) for n in range(PEOPLE))
    cohort.files["phenotypes.txt"] = table("a b c ldl", rows)

    found = faults(cohort, traits=["a", "b", "c", "ldl"])

    assert sorted(fault.problem.split(",")[0] for fault in found) == ["names a", "names b", "names c"]


def test_covariates_that_are_sums_of_others_are_no_matter(cohort: MemoryDataSet):
    rows = ((AGES[n], SEXES[n], 1 - SEXES[n], 7, 2 * AGES[n]) for n in range(PEOPLE))
    cohort.files["covariates.txt"] = table("age male female one twice", rows)
    have(cohort, NOISE)
    assert checked(cohort, traits=["t"])

    have(cohort, AGES)
    assert "explain wholly (age)" in the_fault(cohort, traits=["t"]).problem


class TestOfManyPeople:
    """Of whom some are looked at first."""

    COUNT = 6_000

    @pytest.fixture
    def crowd(self) -> MemoryDataSet:
        """Given: more people than are kept."""
        data = MemoryDataSet("data", "cohort/")
        data.files["cohort.bed"] = b"\x6c\x1b\x01" + bytes([0b11110000]) * (2 * self.COUNT // 4)
        data.files["cohort.bim"] = bim(("1", 10), ("1", 20))
        data.files["cohort.fam"] = fam(range(self.COUNT))
        rng = random.Random(11)
        self.ill = [n % 500 == 77 for n in range(self.COUNT)]
        self.noise = [rng.gauss(0, 1) for _ in range(self.COUNT)]
        rows = ((rng.randrange(40, 70), int(ill)) for ill in self.ill)
        data.files["covariates.txt"] = table("age ill", rows)
        return data

    def test_a_rare_disease_that_is_a_covariate_is_refused(self, crowd: MemoryDataSet):
        crowd.files["phenotypes.txt"] = table("t", ([int(ill)] for ill in self.ill))

        assert "explain wholly (ill)" in the_fault(crowd, traits=["t"], trait_type="binary").problem

    def test_a_few_other_cases_are_enough_to_test(self, crowd: MemoryDataSet):
        others = {17, 4001}
        crowd.files["phenotypes.txt"] = table("t", ([int(ill or n in others)] for n, ill in enumerate(self.ill)))

        assert checked(crowd, traits=["t"], trait_type="binary")

    def test_a_rare_disease_that_is_none_is_not_suspected(self, crowd: MemoryDataSet, monkeypatch: pytest.MonkeyPatch):
        crowd.files["phenotypes.txt"] = table("t u", ([int(n % 450 == 3), self.noise[n]] for n in range(self.COUNT)))
        read: list[str] = []
        lines = MemoryDataSet.lines

        def noted(data: MemoryDataSet, path: str) -> Iterator[bytes]:
            read.append(path)
            return lines(data, path)

        monkeypatch.setattr(MemoryDataSet, "lines", noted)

        assert checked(crowd, traits=["t"], trait_type="binary")
        assert checked(crowd, traits=["u"])
        assert (read.count("phenotypes.txt"), read.count("covariates.txt")) == (2, 2)  # once each


@pytest.mark.parametrize(("levels", "kept"), [(40, 512), (5000, 0)])
def test_a_category_of_very_many_levels_keeps_nobody(levels: int, kept: int):
    """A fit costs the square of the levels: of a category with a level for each person it took minutes."""
    sample = CovariateSample({"age": 0}, {"site": 1})

    for place in range(5120):
        sample.add(place, [b"%d" % (place % 30), b"s%d" % (place % levels)])

    assert len(sample.rows()) >= kept
    assert bool(sample.rows()) == bool(kept)
