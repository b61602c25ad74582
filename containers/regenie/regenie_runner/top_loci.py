"""The loci of a trait: independent signals by linkage disequilibrium, or the strongest variants by distance."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypedDict

from regenie_runner.annotations import NOTHING, Annotation, Annotator, DrawnGene, Place
from regenie_runner.errors import RunnerError
from regenie_runner.kinds_of_test import USUAL, is_of_the_variant
from regenie_runner.loci import SHOWN, SPACING_BP, Lead, Loci, find_loci
from regenie_runner.scan import Scan
from regenie_runner.signals import Member, NoLinkageError, Signal, SignalSearch
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


class FoundBy(TypedDict):
    """How the loci were found."""

    linkage: bool  # by linkage disequilibrium, otherwise by distance
    why_not: str  # words that end a sentence; "" if nothing is to be said
    r2: float | None  # of linkage: of members, more than this
    window_kb: float | None
    p2: float | None  # of members, less than this


BY_DISTANCE: Final[FoundBy] = {"linkage": False, "why_not": "", "r2": None, "window_kb": None, "p2": None}


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
    if search is None or len(of_variants) > 1:
        return _of_distance(by_distance, results, "each variant has several tests" if len(of_variants) > 1 else "")
    searching = SignalSearch(search, results, workspace)
    try:
        signals = searching.signals(scan.chromosomes)
        if not signals:
            return _of_distance(by_distance, results, "")
        return _of_signals(signals, searching, by_distance, results, search)
    except FileNotFoundError as error:
        return _of_distance(by_distance, results, f"{Path(error.filename).name} is not on the file system")
    except (NoLinkageError, RunnerError, OSError) as error:
        return _of_distance(by_distance, results, str(error).rstrip("."))


def table_of_loci(results: str) -> str:
    """Path of the table beside a trait's merged results."""
    return results.removesuffix(RESULTS_SUFFIX) + TABLE_SUFFIX


def read_members(table: Path) -> dict[str, frozenset[str]]:
    """Variant that leads a signal -> the members of the signal."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {row["variant"]: frozenset(row["member_variants"].split(",")) - {_NO_VALUE} for row in rows}


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
        {**BY_DISTANCE, "why_not": why_not},
        [_surroundings(locus, None) for locus in drawn],
        NOT_ANNOTATED,
    )


def _of_signals(
    signals: list[Signal], searching: SignalSearch, by_distance: Loci, results: IndexedResults, search: LociSearch
) -> TopLoci:
    ordered = list(_by_locus(signals))
    loci = [_locus_of(signal, signals, results) for signal in ordered]
    shown = [*loci, *(read_locus(lead, results) for lead in by_distance.leads if _is_below(lead, signals))][:SHOWN]
    drawn = [(signal, locus) for signal, locus in zip(ordered, loci, strict=True) if locus["significant"]][:DRAWN]
    found_by: FoundBy = {
        "linkage": True,
        "why_not": "",
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
        found_by,
        [_surroundings(locus, _linkage(signal, searching)) for signal, locus in drawn],
        NOT_ANNOTATED,
    )


def _by_locus(signals: list[Signal]) -> Iterator[Signal]:
    """Each primary signal, the strongest first, with its secondary ones behind it."""
    for number, signal in enumerate(signals):
        if signal.primary is None:
            yield signal
            yield from (other for other in signals if other.primary == number)


def _locus_of(signal: Signal, signals: list[Signal], results: IndexedResults) -> Locus:
    locus = read_locus(Lead(signal.chromosome, signal.position, signal.log10p), results, name=signal.name)
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
        "r2": r2,
        "genes": [],
        "recombination": [],
    }


def _annotated(found: TopLoci, references: References | None, workspace: Workspace) -> TopLoci:
    """With what the reference files say of the significant leads, or of the strongest one."""
    significant = [locus for locus, _ in found.table if locus["significant"]]
    leads = significant or found.shown[:1]
    annotator = Annotator(references, workspace.root, [_place(lead) for lead in leads])
    by_lead = {_key(lead): annotator.annotation(_place(lead)) for lead in leads}
    for locus in (*found.shown, *(locus for locus, _ in found.table)):
        locus["annotation"] = by_lead.get(_key(locus), NOTHING)
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


def _key(lead: Locus) -> tuple[str, int, str]:
    return lead["chromosome"], lead["position"], lead["id"]


def read_locus(lead: Lead, results: IndexedResults, test: str | None = None, name: str | None = None) -> Locus:
    """A lead by the results' columns.

    Args:
        lead: where it is.
        results: the merged file.
        test: by which it leads; None for any of the variant.
        name: its id; None for the strongest variant there.
    """
    lines = (
        line
        for line in results.region(lead.chromosome, lead.position, lead.position)
        if (is_of_the_variant(test_of(line)) if test is None else test_of(line) == test) and name in (None, line["ID"])
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
            ",".join(member.name for member in members) or None,
            ",".join(f"{member.r2:.3f}" for member in members) or None,
        )
        lines.append("\t".join(_NO_VALUE if cell is None else str(cell) for cell in cells))
    return "".join(f"{line}\n" for line in lines).encode()
