"""The loci of a trait: independent signals by linkage disequilibrium, or the strongest variants by distance."""

from __future__ import annotations

import csv
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypedDict
from urllib.parse import unquote

from regenie_runner.annotations import NOTHING, Annotation, Annotator, DrawnGene, Place
from regenie_runner.console import complain
from regenie_runner.errors import RunnerError
from regenie_runner.kinds_of_test import USUAL, is_of_the_variant
from regenie_runner.loci import SHOWN, SPACING_BP, Lead, Loci, find_loci
from regenie_runner.scan import Scan
from regenie_runner.signals import Member, NoLinkageError, Signal, SignalSearch, lead_line
from regenie_runner.significance import GENOME_WIDE
from regenie_runner.tabix import IndexedResults
from regenie_runner.workspace import Workspace

if TYPE_CHECKING:
    from genolaunch.contract.plan import LociSearch, References, Task

RESULTS_SUFFIX = ".regenie.gz"
TABLE_SUFFIX = ".loci.tsv"
_NO_VALUE = "#NA"
DRAWN = 5
"""Loci of a trait whose surroundings are drawn; the table names more."""
REGION_BP = 250_000
"""To either side of a lead."""
PRIMARY, SECONDARY = "primary", "secondary"


class Locus(TypedDict):
    """The lead variant of a locus, by regenie's columns; None where regenie says NA."""

    id: str
    chromosome: str
    position: int
    effect_allele: str
    other_allele: str
    a1freq: float | None
    info: float | None
    samples: int
    test: str
    beta: float | None
    se: float | None
    log10p: float
    significant: bool
    signal: str  # primary or secondary; "" of a lead by distance
    primary: str | None  # of a secondary signal: id of the one that leads its locus
    members: int | None  # of its clump, besides itself; None by distance
    frequency_cases: float | None  # of the effect allele, where regenie's --af-cc tells
    frequency_controls: float | None
    annotation: Annotation


class Variant(NamedTuple):
    """By all that tells it from others: an id need not, many files call each variant "."."""

    chromosome: str | None  # None of these three: an earlier version's table does not say
    position: int | None
    alleles: frozenset[str] | None
    name: str

    @classmethod
    def of(cls, lead: Locus | Surroundings) -> Variant:
        """A lead."""
        alleles = frozenset((lead["effect_allele"], lead["other_allele"]))
        return cls(lead["chromosome"], lead["position"], alleles, lead["id"])

    @property
    def bare(self) -> Variant:
        """As an earlier version's table has it."""
        return Variant(None, None, None, self.name)


class FoundBy(TypedDict):
    """How the loci were found."""

    linkage: bool  # by linkage disequilibrium, otherwise by distance
    why_not: str  # words that end a sentence; "" if nothing is to be said
    p1: float | None  # of linkage: of leads, at most this; those above 5e-8 are suggestive, not significant
    r2: float | None  # of members, more than this
    window_kb: float | None
    p2: float | None  # of members, less than this


BY_DISTANCE: Final[FoundBy] = {"linkage": False, "why_not": "", "p1": None, "r2": None, "window_kb": None, "p2": None}


class Annotated(TypedDict):
    """Which reference files leads were looked up in."""

    of: list[str]  # kinds of files
    missing: list[str]  # whole sentences
    known_kb: float | None  # within which an association is the same locus
    known_as: list[str]  # words of which its trait must have one; empty for all traits


NOT_ANNOTATED: Final[Annotated] = {"of": [], "missing": [], "known_kb": None, "known_as": []}


class Surroundings(TypedDict):
    """What lies around a lead that is drawn."""

    id: str  # of the lead
    chromosome: str
    position: int
    effect_allele: str
    other_allele: str
    r2: list[float | None] | None  # with the lead, of each line of the results within REGION_BP; None by distance
    genes: list[DrawnGene]
    recombination: list[tuple[int, float]]  # base pair, cM/Mb from there on


class TopLoci(NamedTuple):
    """What was found."""

    by_distance: Loci
    shown: list[Locus]  # for people, with some below the line
    table: list[tuple[Locus, Sequence[Member]]]  # all that are significant enough to lead
    significant: int  # loci
    secondary: int  # signals in these
    left_out: int  # leads for which `shown` has no room: signals, or significant loci by distance
    found_by: FoundBy
    surroundings: list[Surroundings]
    annotated: Annotated


def find_top_loci(scan: Scan, results: IndexedResults, line: Task, workspace: Workspace) -> TopLoci:
    """Search signals, if the task says how; else, or if genotypes cannot be had, loci by distance. Annotate the leads.

    Args:
        scan: of all lines of the results.
        results: the merged file.
        line: the task.
        workspace: of the launch.
    """
    return _annotated(_find(scan, results, line.get("loci"), workspace), line.get("references"), workspace)


def _find(scan: Scan, results: IndexedResults, search: LociSearch | None, workspace: Workspace) -> TopLoci:
    by_distance = find_loci(scan.chromosomes)
    of_variants = [met for met in scan.tests if is_of_the_variant(met.name)]
    if len(of_variants) > 1:
        line = GENOME_WIDE if search is None else lead_line(search)
        would_lead = any(lead.log10p >= line for lead in by_distance.leads)
        return _of_distance(by_distance, results, "each variant has several tests" if would_lead else "")
    if search is None:
        return _of_distance(by_distance, results, "")
    try:
        searching = SignalSearch(search, results, workspace)
        signals = searching.signals(scan.chromosomes)
        if not signals:
            return _of_distance(by_distance, results, "")
        return _of_signals(signals, searching, by_distance, results, search)
    except Exception as error:  # a failure of clumping never loses a merge
        return _of_distance(by_distance, results, _why(error))


def _why(error: Exception) -> str:
    """Words that end a sentence; what nobody has foreseen is also logged."""
    if isinstance(error, FileNotFoundError) and error.filename:
        return f"{Path(error.filename).name} is not on the file system"
    if isinstance(error, (NoLinkageError, RunnerError)):
        return str(error).rstrip(".")
    complain("".join(traceback.format_exception(type(error), error, error.__traceback__)))
    text = " ".join(str(error).split()).rstrip(".")
    return f"clumping failed ({type(error).__name__}{f': {text}' if text else ''}); the job's log tells more"


def table_of_loci(results: str) -> str:
    """Path of the table beside a trait's merged results."""
    return results.removesuffix(RESULTS_SUFFIX) + TABLE_SUFFIX


def read_members(table: Path) -> dict[Variant, frozenset[Variant]]:
    """Variant that leads a signal -> the members of the signal."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {_lead_of(row): frozenset(_members_of(row)) for row in rows}


def _lead_of(row: Mapping[str, str]) -> Variant:
    if "base_pair_location" not in row:
        return Variant(None, None, None, row["variant"])
    alleles = frozenset((row["effect_allele"], row["other_allele"]))
    return Variant(row["chromosome"], int(row["base_pair_location"]), alleles, row["variant"])


def _members_of(row: Mapping[str, str]) -> Iterator[Variant]:
    if row["member_variants"] == _NO_VALUE:
        return
    names = [unquote(name) for name in row["member_variants"].split(",")]
    if "member_alleles" not in row:
        yield from (Variant(None, None, None, name) for name in names)
        return
    positions, alleles = row["member_positions"].split(","), row["member_alleles"].split(",")
    for name, position, pair in zip(names, positions, alleles, strict=True):
        yield Variant(row["chromosome"], int(position), frozenset(map(unquote, pair.split("/"))), name)


def _item(text: str, escaped: str = "%,#") -> str:
    """A text of a list in a cell: what separates, and what begins a missing value, is written as in an address."""
    return "".join(f"%{ord(each):02X}" if each in escaped else each for each in text)


def _pair(alleles: frozenset[str]) -> str:
    """Of two alleles, in such a list."""
    return "/".join(_item(allele, "%,#/") for allele in sorted(alleles))


def _of_distance(found: Loci, results: IndexedResults, why_not: str) -> TopLoci:
    shown = [read_locus(lead, results) for lead in found.leads]
    table: list[tuple[Locus, Sequence[Member]]] = [(locus, ()) for locus in shown if locus["significant"]]
    drawn = [locus for locus, _ in table[:DRAWN]] or shown[:1]
    return TopLoci(
        found,
        shown,
        table,
        found.significant,
        0,
        found.significant - len(table),
        {**BY_DISTANCE, "why_not": why_not},
        [_surroundings(locus, None) for locus in drawn],
        NOT_ANNOTATED,
    )


def _of_signals(
    signals: list[Signal], searching: SignalSearch, by_distance: Loci, results: IndexedResults, search: LociSearch
) -> TopLoci:
    ordered = list(_by_locus(signals))
    loci = [_locus_of(signal, signals, results) for signal in ordered]
    chosen = _first(loci, range(len(loci)), SHOWN)
    below = (read_locus(lead, results) for lead in by_distance.leads if _is_below(lead, signals))
    shown = [*(loci[number] for number in chosen), *below][:SHOWN]
    drawn = _first(loci, [number for number in chosen if loci[number]["significant"]] or chosen[:1], DRAWN)
    found_by: FoundBy = {
        "linkage": True,
        "why_not": "",
        "p1": search["p1"],
        "r2": search["r2"],
        "window_kb": search["window_kb"],
        "p2": search["p2"],
    }
    significant = [locus for locus in loci if locus["significant"]]
    return TopLoci(
        by_distance,
        shown,
        [(locus, signal.members) for signal, locus in zip(ordered, loci, strict=True)],
        sum(locus["signal"] == PRIMARY for locus in significant),
        sum(locus["signal"] == SECONDARY for locus in significant),
        len(loci) - len(chosen),
        found_by,
        [_surroundings(loci[number], _linkage(ordered[number], searching)) for number in drawn],
        NOT_ANNOTATED,
    )


def _by_locus(signals: list[Signal]) -> Iterator[Signal]:
    """Each primary signal, the strongest first, with its secondary ones behind it."""
    for number, signal in enumerate(signals):
        if signal.primary is None:
            yield signal
            yield from (other for other in signals if other.primary == number)


def _first(loci: Sequence[Locus], numbers: Iterable[int], most: int) -> list[int]:
    """At most so many of the numbers, ascending: loci come before their secondary signals, so that one locus with many
    leaves room for others, and what is significant before what is not."""
    ranked = sorted(numbers, key=lambda number: (not loci[number]["significant"], loci[number]["signal"] == SECONDARY))
    return sorted(ranked[:most])


def _locus_of(signal: Signal, signals: list[Signal], results: IndexedResults) -> Locus:
    lead = Lead(signal.chromosome, signal.position, signal.log10p)
    locus = read_locus(lead, results, named=(signal.name, signal.alleles))
    locus["signal"] = PRIMARY if signal.primary is None else SECONDARY
    locus["primary"] = None if signal.primary is None else signals[signal.primary].name
    locus["members"] = len(signal.members)
    return locus


def _is_below(lead: Lead, signals: list[Signal]) -> bool:
    """A lead by distance that is not significant, and near no signal."""
    return lead.log10p < GENOME_WIDE and all(
        signal.chromosome != lead.chromosome or abs(signal.position - lead.position) >= SPACING_BP for signal in signals
    )


def _linkage(signal: Signal, searching: SignalSearch) -> list[float | None]:
    r2 = searching.r_squared_around(signal, signal.position - REGION_BP, signal.position + REGION_BP)
    return [None if value is None else round(value, 3) for value in r2]


def _surroundings(lead: Locus, r2: list[float | None] | None) -> Surroundings:
    return {
        "id": lead["id"],
        "chromosome": lead["chromosome"],
        "position": lead["position"],
        "effect_allele": lead["effect_allele"],
        "other_allele": lead["other_allele"],
        "r2": r2,
        "genes": [],
        "recombination": [],
    }


def _annotated(found: TopLoci, references: References | None, workspace: Workspace) -> TopLoci:
    """With what the reference files say of the significant leads, or of the strongest one."""
    significant = [locus for locus, _ in found.table if locus["significant"]]
    leads = significant or found.shown[:1]
    annotator = Annotator(references, workspace.root, [_place(lead) for lead in leads])
    asked: list[str] | None = None
    while asked != annotator.of:  # what a file said before it turned out to be damaged is not kept
        asked = list(annotator.of)
        by_lead = {Variant.of(lead): annotator.annotation(_place(lead)) for lead in leads}
        for locus in (*found.shown, *(locus for locus, _ in found.table)):
            locus["annotation"] = by_lead.get(Variant.of(locus), NOTHING)
        for each in found.surroundings:
            position = each["position"]
            around = annotator.around(each["chromosome"], position - REGION_BP, position + REGION_BP)
            each["genes"], each["recombination"] = around.genes, around.recombination
    annotated: Annotated = {
        "of": annotator.of,
        "missing": annotator.missing,
        "known_kb": references["known_kb"] if references else None,
        "known_as": references["known_as"] if references else [],
    }
    return found._replace(annotated=annotated)


def _place(lead: Locus) -> Place:
    alleles = frozenset((lead["effect_allele"].upper(), lead["other_allele"].upper()))
    return Place(lead["chromosome"], lead["position"], alleles)


def read_locus(
    lead: Lead,
    results: IndexedResults,
    test: str | None = None,
    named: tuple[str, frozenset[str]] | None = None,
) -> Locus:
    """A lead by the results' columns.

    Args:
        lead: where it is.
        results: the merged file.
        test: by which it leads; None for any of the variant.
        named: its id and alleles; None for the strongest variant there.
    """
    lines = (
        line
        for line in results.region(lead.chromosome, lead.position, lead.position)
        if (is_of_the_variant(test_of(line)) if test is None else test_of(line) == test)
        and named in (None, (line["ID"], frozenset((line["ALLELE0"], line["ALLELE1"]))))
    )
    line = max(lines, key=lambda line: -1.0 if line["LOG10P"] == "NA" else float(line["LOG10P"]))
    return {
        "id": line["ID"],
        "chromosome": line["CHROM"],
        "position": int(line["GENPOS"]),
        "effect_allele": line["ALLELE1"],
        "other_allele": line["ALLELE0"],
        "a1freq": _number(line["A1FREQ"]),
        "info": _number(line.get("INFO", "NA")),
        "samples": int(line["N"]),
        "test": test_of(line),
        "beta": _number(line["BETA"]),
        "se": _number(line["SE"]),
        "log10p": float(line["LOG10P"]),
        "significant": lead.log10p >= GENOME_WIDE,
        "signal": "",
        "primary": None,
        "members": None,
        "frequency_cases": _number(line.get("A1FREQ_CASES", "NA")),
        "frequency_controls": _number(line.get("A1FREQ_CONTROLS", "NA")),
        "annotation": NOTHING,
    }


def test_of(line: Mapping[str, str]) -> str:
    """Name of a result line's test."""
    return line.get("TEST", USUAL)


def _number(text: str) -> float | None:
    return None if text == "NA" else float(text)


_COLUMNS = (
    "locus",
    "signal",
    "primary_variant",
    "variant",
    "chromosome",
    "base_pair_location",
    "effect_allele",
    "other_allele",
    "effect_allele_frequency",
    "info",
    "n",
    "test",
    "beta",
    "standard_error",
    "neg_log_10_p_value",
    "effect_allele_frequency_cases",
    "effect_allele_frequency_controls",
    "rsid",
    "nearest_gene",
    "gene_distance",
    "consequence",
    "known",
    "known_variant",
    "known_traits",
    "known_distance",
    "found_by",
    "members",
    "member_variants",
    "member_positions",
    "member_alleles",
    "member_r2",
)


def _cells_of(annotation: Annotation) -> Iterator[str | int | None]:
    yield from (annotation["rsid"], annotation["genes"], annotation["gene_distance"], annotation["consequence"])
    known = annotation["known"]
    yield None if known is None else "known" if known else "novel"
    yield from (annotation["known_variant"], annotation["known_traits"], annotation["known_distance"])


def table_text(found: TopLoci) -> bytes:
    """The table of loci: a line for each signal, or for each lead by distance, which has no members.

    Its columns are called as in the GWAS Catalog's format, where that has them.
    """
    lines = ["\t".join(_COLUMNS)]
    number = 0
    for locus, members in found.table:
        number += locus["signal"] != SECONDARY
        by_linkage = bool(locus["signal"])
        cells = (
            number,
            locus["signal"] or PRIMARY,
            locus["primary"] or locus["id"],
            locus["id"],
            locus["chromosome"],
            locus["position"],
            locus["effect_allele"],
            locus["other_allele"],
            locus["a1freq"],
            locus["info"],
            locus["samples"],
            locus["test"],
            locus["beta"],
            locus["se"],
            locus["log10p"],
            locus["frequency_cases"],
            locus["frequency_controls"],
            *_cells_of(locus["annotation"]),
            "linkage disequilibrium" if by_linkage else "distance",
            locus["members"],
            ",".join(_item(member.name) for member in members) or None,
            ",".join(str(member.position) for member in members) or None,
            ",".join(_pair(member.alleles) for member in members) or None,
            ",".join(f"{member.r2:.3f}" for member in members) or None,
        )
        lines.append("\t".join(_NO_VALUE if cell is None else str(cell) for cell in cells))
    return "".join(f"{line}\n" for line in lines).encode()
