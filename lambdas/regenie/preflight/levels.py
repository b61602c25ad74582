"""Levels of categorical covariates: how many there are (those of an interaction: preflight.interacting).

regenie makes a column of each level but the first it meets, over the people of the genotypes whose row it reads, and up
to the first missing value of a row (4.1.2's sources: Pheno.cpp, covariate_read and check_categories).
"""

from collections.abc import Iterable, Sequence
from typing import Final

from genolaunch.launch_configs.regenie_config import RegenieParameters
from genolaunch.launch_configs.regenie_options import name_of
from lambdas.regenie.preflight.findings import Findings, examples, text

_MOST_LEVELS: Final = 10
"""regenie ends with more, unless told otherwise."""
_MOST_LEVELS_OPTION: Final = "--maxCatLevels"
_WHERE: Final = "regenie.categorical_covariates"


class Levels:
    """The levels of one covariate."""

    def __init__(self, name: str, index: int) -> None:
        """`index` is its place among the fields of a row."""
        self.name = name
        self.index = index
        self.seen: dict[bytes, None] = {}
        """Those that regenie meets, in the order of the file."""
        self.analysed: dict[bytes, int] = {}
        """How many of the people with all covariates have each."""

    def add(self, fields: Sequence[bytes], *, is_analysed: bool) -> None:
        """Take the row of a person in whom no covariate before this one is missing."""
        level = fields[self.index]
        self.seen[level] = None
        if is_analysed:
            self.analysed[level] = self.analysed.get(level, 0) + 1


def check_levels(levels: Iterable[Levels], uri: str, parameters: RegenieParameters, findings: Findings) -> None:
    """Find what regenie would refuse of the levels, or compute nothing of.

    Args:
        levels: of each categorical covariate that is used.
        uri: of the covariate file.
        parameters: the launch's config.
        findings: get the faults and warnings.
    """
    most = _most_levels(parameters)
    interaction = parameters.step2.interaction
    for covariate in levels:
        shown = examples(list(covariate.seen), show=text)
        interacts = interaction is not None and interaction.covariate == covariate.name
        if len(covariate.seen) > most:
            findings.add(
                _WHERE,
                f"names {covariate.name}, which has {len(covariate.seen):,} levels in {uri} ({shown}); regenie takes "
                f"{most:,} at most",
                f"Combine levels, or give {_MOST_LEVELS_OPTION} {len(covariate.seen)} in step1.extra and step2.extra.",
            )
        if len(covariate.analysed) == 1 and not interacts:
            findings.warn(
                _WHERE,
                f"names {covariate.name}, which has one level among the people who are analysed ({shown})",
                "A constant covariate explains nothing: leave it out.",
            )


def _most_levels(parameters: RegenieParameters) -> int:
    """Of either step: what one refuses, no other can do."""
    extras = [parameters.step1.extra, parameters.step2.extra] if parameters.step1.enabled else [parameters.step2.extra]
    return min(
        next((int(option.split()[1]) for option in extra if name_of(option) == _MOST_LEVELS_OPTION), _MOST_LEVELS)
        for extra in extras
    )
