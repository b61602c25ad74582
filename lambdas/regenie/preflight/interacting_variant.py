"""Checks that the analysed people differ enough in the variant of an interaction.

Where they do not, regenie ends well and writes no row of the interaction, as with a covariate (preflight.interacting).
A .bed file has a variant's genotypes at a place that follows from its number: one request. Of .pgen and .bgen files
they are not looked at; the merge refuses a trait without any row of the interaction.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Set
from typing import Final

from genolaunch.launch_configs.regenie_config import RegenieParameters
from genolaunch.regenie.data_set import DataSet
from genolaunch.regenie.genotypes import GenotypeFiles
from lambdas.regenie.preflight.findings import Findings
from lambdas.regenie.preflight.frequencies import copies_of
from lambdas.regenie.preflight.interacting import FEWEST_PEOPLE, WARN_BELOW
from lambdas.regenie.preflight.samples import sample_ids

_WHERE: Final = "regenie.step2.interaction.variant"
_SMALL_SHARE: Final = 0.25
"""Largest share of the people that counts as few: a small cohort has few people with any genotype."""
_REF_FIRST: Final = "--ref-first"
_CODINGS: Final[Mapping[str, Callable[[int], int]]] = {
    "add": lambda copies: copies,
    "cat": lambda copies: copies,
    "dom": lambda copies: int(copies > 0),
    "rec": lambda copies: int(copies == 2),
}


def check_variant(
    data: DataSet,
    files: GenotypeFiles,
    place: int,
    people: Set[bytes],
    parameters: RegenieParameters,
    findings: Findings,
) -> None:
    """Find a variant in which too few people differ.

    Args:
        data: the launch's data.
        files: a .bed file that has the variant, with its companions.
        place: the variant's number in it, from 0.
        people: `FID_IID` of those who are analysed.
        parameters: the launch's config.
        findings: get the fault or warning.
    """
    interaction = parameters.step2.interaction
    assert interaction is not None
    ids = list(sample_ids(data, files))
    if people.isdisjoint(ids):
        return  # which is a fault of its own
    copies = copies_of(data, files, place, len(ids))
    if _REF_FIRST in parameters.step2.extra:
        copies = [None if count is None else 2 - count for count in copies]
    coding = interaction.coding or "add"
    counts = Counter(
        _CODINGS[coding](count)
        for person, count in zip(ids, copies, strict=True)
        if person in people and count is not None
    )
    if not counts:
        findings.add(
            _WHERE,
            f"is {interaction.variant}, of which none of the people who are analysed has a genotype",
            "Interact with a variant that they have.",
        )
        return
    differing = min(counts.values()) if coding == "cat" else counts.total() - max(counts.values())
    shown = ", ".join(f"{value}: {number:,}" for value, number in sorted(counts.items()))
    told = f"is {interaction.variant}, in which too few of the people who are analysed differ (coded {coding}; {shown})"
    if len(counts) == 1 or differing < FEWEST_PEOPLE:
        findings.add(
            _WHERE,
            f"{told}: regenie writes no row of the interaction, without a message",
            "Interact with a variant that more people carry.",
        )
    elif differing < min(WARN_BELOW, _SMALL_SHARE * counts.total()):
        findings.warn(
            _WHERE,
            f"is {interaction.variant}, in which few of the people who are analysed differ (coded {coding}; {shown})",
            "A variant of which all of them have the same genotype gets no row of the interaction.",
        )
