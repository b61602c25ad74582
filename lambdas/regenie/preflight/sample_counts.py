"""What became of the people, as the preflight counts them."""

from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass, field
from typing import Final

from genolaunch.contract.plan import Samples
from lambdas.regenie.preflight.lists import ListMatch
from lambdas.regenie.preflight.traits import TraitCounts

_ANALYSED: Final = ord("1")


@dataclass(frozen=True, slots=True)
class SampleCounts:
    """What became of the genotyped people."""

    genotyped: int
    phenotyped: int
    """Genotyped people in the phenotype file."""
    with_covariates: int
    """Genotyped people with a value for every covariate; all of them without a covariate file."""
    chosen: int
    """Genotyped people whom the launch's lists and its choice of a sex leave in: of these the two above are."""
    traits: Mapping[str, TraitCounts]
    lists: Mapping[str, ListMatch] = field(default_factory=dict)
    """Config key of each list of people or variants -> how much of it the data has."""
    analysed: bytes = b""
    """1 or 0 for each genotyped person, in the order of step 1's genotypes (genolaunch.contract.plan.WORK_ANALYSED)."""
    genotyped_people: Collection[bytes] = field(default=(), repr=False)
    """`FID_IID` of each genotyped person, in the same order."""
    directions: int = 0
    """Columns that the covariates make: a category counts for each level but one."""

    @property
    def people(self) -> Set[bytes]:
        """`FID_IID` of those who are analysed, in the same order."""
        marks = zip(self.genotyped_people, self.analysed, strict=True)
        return dict.fromkeys(person for person, mark in marks if mark == _ANALYSED).keys()

    def as_dict(self) -> Samples:
        """As launch.json has it."""
        return {
            "genotyped": self.genotyped,
            "chosen": self.chosen,
            "phenotyped": self.phenotyped,
            "withCovariates": self.with_covariates,
            "analysed": self.analysed.count(b"1"),
            "traits": {trait: counts.as_dict() for trait, counts in self.traits.items()},
            "lists": {where: found.as_dict() for where, found in self.lists.items()},
        }
