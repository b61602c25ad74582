"""What the strongest variants of each trait do to the other traits of the launch: one variant, all traits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from regenie_runner.loci import SPACING_BP
from regenie_runner.significance import GENOME_WIDE
from regenie_runner.summary import Summary
from regenie_runner.tabix import IndexedResults
from regenie_runner.top_loci import Locus, read_members, table_of_loci, test_of

MOST_LOCI = 20
"""Each is looked up in the results of every trait."""
_95_PERCENT = 1.959964
"""Standard errors to either side."""


class Effect(NamedTuple):
    """A variant's effect on one trait; `beta` is the log odds ratio of a binary trait."""

    trait: str
    beta: float
    se: float
    log10p: float
    a1freq: float | None
    samples: int

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval."""
        return self.beta - _95_PERCENT * self.se

    @property
    def high(self) -> float:
        """Upper end of the 95 % interval."""
        return self.beta + _95_PERCENT * self.se

    @property
    def significant(self) -> bool:
        """Genome-wide, by itself."""
        return self.log10p >= GENOME_WIDE


class SharedLocus(NamedTuple):
    """A locus by its strongest variant in any trait."""

    trait: str
    """In which it is strongest."""
    lead: Locus
    effects: list[Effect]
    """The strongest first."""
    without: list[str]
    """Traits in which the variant was not tested, or has no p-value."""

    def place(self, value: float) -> float:
        """Where a value is on an axis from the lowest to the highest end of all intervals, 0 included; 0 to 100."""
        low = min(0.0, *(effect.low for effect in self.effects))
        high = max(0.0, *(effect.high for effect in self.effects))
        return 100 * (value - low) / (high - low) if high > low else 50.0


def shared_loci(summaries: Sequence[Summary], work: Path) -> list[SharedLocus]:
    """The strongest significant loci of all traits, with the lead's effect on each trait; none of a single trait.

    A lead belongs to the locus of another trait's stronger lead if one of the two is in linkage disequilibrium with the
    other, as a member of its signal; if either is a lead by distance, within SPACING_BP. What one trait's results tell
    apart stays apart.
    """
    if len(summaries) < 2 or any(summary["of_sets"] for summary in summaries):
        return []
    leads = _leads(summaries, work)
    found: list[list[Effect]] = [[] for _ in leads]
    for summary in summaries:
        if not leads or not summary["rows"]:
            continue
        with IndexedResults(work / summary["results"]) as results:
            for effects, (_, lead) in zip(found, leads, strict=True):
                effects.extend(_effect(summary["trait"], lead, results))
    return [_locus(trait, lead, effects, summaries) for (trait, lead), effects in zip(leads, found, strict=True)]


class _Led(NamedTuple):
    """A significant lead of a trait."""

    trait: str
    lead: Locus
    members: frozenset[str]
    """Names of its signal's other variants."""

    def is_of(self, other: _Led) -> bool:
        """Whether the two leads stand for the same locus."""
        one, two = self.lead, other.lead
        if self.trait == other.trait or one["chromosome"] != two["chromosome"]:
            return False
        if one["signal"] and two["signal"]:
            return one["id"] == two["id"] or one["id"] in other.members or two["id"] in self.members
        return abs(one["position"] - two["position"]) < SPACING_BP


def _leads(summaries: Sequence[Summary], work: Path) -> list[tuple[str, Locus]]:
    every = [led for summary in summaries for led in _of_trait(summary, work)]
    chosen: list[_Led] = []
    for led in sorted(every, key=lambda each: -each.lead["log10p"]):
        if len(chosen) == MOST_LOCI:
            break
        if not any(led.is_of(other) for other in chosen):
            chosen.append(led)
    return [(led.trait, led.lead) for led in chosen]


def _of_trait(summary: Summary, work: Path) -> list[_Led]:
    significant = [lead for lead in summary["loci"] if lead["significant"]]
    members: Mapping[str, frozenset[str]] = {}
    if significant and summary["loci_by"]["linkage"]:
        members = read_members(work / table_of_loci(summary["results"]))
    return [_Led(summary["trait"], lead, members.get(lead["id"], frozenset())) for lead in significant]


def _effect(trait: str, lead: Locus, results: IndexedResults) -> list[Effect]:
    """Of the same variant by the same test, with the same alleles; at most one."""
    wanted = (lead["id"], lead["effect_allele"], lead["other_allele"], lead["test"])
    for line in results.region(lead["chromosome"], lead["position"], lead["position"]):
        values = [line["BETA"], line["SE"], line["LOG10P"]]
        if (line["ID"], line["ALLELE1"], line["ALLELE0"], test_of(line)) == wanted and "NA" not in values:
            beta, se, log10p = map(float, values)
            frequency = None if line["A1FREQ"] == "NA" else float(line["A1FREQ"])
            return [Effect(trait, beta, se, log10p, frequency, int(line["N"]))] if math.isfinite(se) else []
    return []


def _locus(trait: str, lead: Locus, effects: list[Effect], summaries: Sequence[Summary]) -> SharedLocus:
    tested = {effect.trait for effect in effects}
    without = [summary["trait"] for summary in summaries if summary["trait"] not in tested]
    return SharedLocus(trait, lead, sorted(effects, key=lambda effect: -effect.log10p), without)
