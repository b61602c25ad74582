"""Checks that the analysed people differ enough in the covariate of an interaction.

Where they do not, regenie ends well and writes the rows of the variants alone, without one of the interaction. Of
quantitative traits that are analysed together, a single one in which a level has nobody, or one person, costs all of
them these rows (regenie 4.1.2, run on each of these: preflight's tests in tests/regenie).
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from genolaunch.launch_configs.regenie_config import Interaction
from lambdas.regenie.preflight.findings import Findings, text

FEWEST_PEOPLE: Final = 2
"""Of a level, in each trait: what one person alone carries is the level's own effect, which is taken off before."""
WARN_BELOW: Final = 20
"""People of a level, below which all of them have the same genotype of many common variants (of 1 in 8 with a minor
allele frequency of 0.05): such a variant has no rows of the interaction."""
_MOST_VALUES: Final = 64
"""Different numbers that are counted: with so many, more than a few people differ from the others."""
_NAMED_AT_MOST: Final = 10
_COVARIATE: Final = "regenie.step2.interaction.covariate"
_BASELINE: Final = "regenie.step2.interaction.baseline"


class Interacting:
    """What people have of the covariate, by place, and how many of each trait's people have it."""

    def __init__(self, interaction: Interaction, people: int, traits: Sequence[str], *, is_categorical: bool) -> None:
        """`people` are those whom the launch's lists leave in."""
        assert interaction.covariate is not None
        self.name = interaction.covariate
        self.is_categorical = is_categorical
        self._given_baseline = interaction.baseline.encode() if interaction.baseline else None
        self._first: bytes | None = None
        self._values: list[bytes | None] = [None] * people
        self._same: dict[bytes, bytes] = {}
        self._counts: dict[str, Counter[bytes]] = {trait: Counter() for trait in traits}
        self._analysed: Counter[bytes] = Counter()

    def add(self, place: int, value: bytes, *, is_analysed: bool) -> None:
        """Take a value that regenie reads, of a person who is analysed if all covariates are there.

        Its first level is the baseline, whoever has it, unless one is given.
        """
        self._first = value if self._first is None else self._first
        if not is_analysed:
            return
        key = value if self.is_categorical else _as_number(value)
        self._values[place] = self._same.setdefault(key, key) if len(self._same) < _MOST_VALUES else key

    def count(self, place: int, traits: Iterable[str]) -> None:
        """Take a person who has a value of these traits, of one at least."""
        value = self._values[place]
        if value is None:
            return
        _count(self._analysed, value, is_level=self.is_categorical)
        for trait in traits:
            _count(self._counts[trait], value, is_level=self.is_categorical)

    def check(self, uri: str, findings: Findings) -> None:
        """Find what keeps regenie from computing the interaction; `uri` is the covariate file's."""
        if not self._analysed:
            return  # nobody is left, which others say
        if len(self._analysed) == 1:
            (value,) = self._analysed
            what = "one level" if self.is_categorical else "one value"
            findings.add(
                _COVARIATE,
                f"names {self.name}, which has {what} among the people who are analysed ({text(value)})",
                "Interact with a covariate that differs between people.",
            )
        elif self.is_categorical:
            self._check_levels(uri, findings)
        else:
            self._check_numbers(findings)

    def _check_levels(self, uri: str, findings: Findings) -> None:
        baseline = self._given_baseline or self._first or b""
        if baseline not in self._analysed and self._given_baseline:
            findings.add(
                _BASELINE,
                f"is {text(baseline)}, which is no level of {self.name} among the people who are analysed ({uri}); its "
                f"levels are {_listed(self._analysed)}",
                "Write one of these as it stands there, upper and lower case included.",
            )
            return
        if baseline not in self._analysed:
            findings.add(
                _COVARIATE,
                f"names {self.name}, whose first level in {uri}, {text(baseline)}, none of the people who are analysed "
                f"has; regenie compares the others with it, and tests nothing. Its levels are "
                f"{_listed(self._analysed)}",
                "Give one of these as interaction.baseline.",
            )
            return
        self._check_smallest(
            {
                trait: min((counts[level], f"level {text(level)}") for level in self._analysed)
                for trait, counts in self._counts.items()
            },
            findings,
        )

    def _check_numbers(self, findings: Findings) -> None:
        smallest = {}
        for trait, counts in self._counts.items():
            if counts and len(counts) < _MOST_VALUES:
                ((value, people),) = counts.most_common(1)
                smallest[trait] = (sum(counts.values()) - people, f"value other than {text(value)}")
        self._check_smallest(smallest, findings)

    def _check_smallest(self, smallest: Mapping[str, tuple[int, str]], findings: Findings) -> None:
        """Trait -> of which level (or value) it has fewest people, and how many."""
        too_few = {trait: found for trait, found in smallest.items() if found[0] < FEWEST_PEOPLE}
        few = {trait: found for trait, found in smallest.items() if found[0] < WARN_BELOW}
        if too_few:
            findings.add(
                _COVARIATE,
                f"names {self.name}, in which too few of the people who are analysed differ ({_shown(too_few)}): with "
                f"less than {FEWEST_PEOPLE} regenie writes no row of the interaction, without a message",
                "Combine levels or leave these people out, or leave these traits out of `traits`.",
            )
        elif few:
            findings.warn(
                _COVARIATE,
                f"names {self.name}, in which few of the people who are analysed differ ({_shown(few)})",
                "A variant of which all of them have the same genotype gets no row of the interaction: combine levels "
                "if this is not intended.",
            )


def _as_number(value: bytes) -> bytes:
    """Numbers that are equal have one key; what is no number is a fault that others say."""
    try:
        number = float(value)
    except ValueError:
        return value
    return b"%g" % number if math.isfinite(number) and float(b"%g" % number) == number else value


def _count(counts: "Counter[bytes]", value: bytes, *, is_level: bool) -> None:
    if is_level or value in counts or len(counts) < _MOST_VALUES:
        counts[value] += 1


def _listed(counts: "Counter[bytes]") -> str:
    return ", ".join(f"{text(level)} ({people:,})" for level, people in list(counts.items())[:_NAMED_AT_MOST])


def _shown(smallest: Mapping[str, tuple[int, str]]) -> str:
    return "; ".join(
        f"{what}: {people:,} ({trait})" for trait, (people, what) in list(smallest.items())[:_NAMED_AT_MOST]
    )
