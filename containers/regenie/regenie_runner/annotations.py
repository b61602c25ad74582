"""What reference files say of leads: rsID, nearest gene, where in it, known associations, and what is drawn around.

A file that is not there costs its columns, and one sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypedDict, TypeVar

from regenie_runner.chromosomes import chromosome_number
from regenie_runner.references import Gene, Genes, Known, NoReferenceError, Rates, Variants

if TYPE_CHECKING:
    from genolaunch.contract.plan import References

    _Reader = TypeVar("_Reader", Genes, Variants, Rates, Known)

GENE_BP = 1_000_000
"""To either side of a lead, in which the nearest gene is looked for."""
FLANK_BP = 5_000
"""Up to which a variant is upstream or downstream of a gene: as Ensembl's Variant Effect Predictor has it."""
_MOST_TRAITS = 3
_OF = {
    "rsids": "rsIDs",
    "genes": "genes",
    "known": "known associations",
    "recombination": "recombination rates",
}
"""In the order in which what is missing is told."""
_PARTS = (
    ("CDS", "coding sequence"),
    ("five_prime_UTR", "5′ UTR"),
    ("three_prime_UTR", "3′ UTR"),
    ("exon", "exon, not coding"),
)
"""Parts of genes in GFF3, the first that a position is in tells where it is."""
_OTHER_GENE = "in another gene"
"""One that codes for no protein."""
_INTRON, _UPSTREAM, _DOWNSTREAM, _BETWEEN = "intron", "upstream", "downstream", "between genes"


class Annotation(TypedDict):
    """Of a lead; None where its reference has nothing, or is missing."""

    rsid: str | None
    genes: str | None  # the nearest, or several that are equally near
    gene_distance: int | None  # base pairs; 0 inside
    consequence: str | None  # where it is in a gene, or beside one
    known: bool | None  # None if nothing is known about what is known
    known_variant: str | None
    known_traits: str | None
    known_distance: int | None  # base pairs


NOTHING: Annotation = {
    "rsid": None,
    "genes": None,
    "gene_distance": None,
    "consequence": None,
    "known": None,
    "known_variant": None,
    "known_traits": None,
    "known_distance": None,
}


class DrawnGene(TypedDict):
    """A gene of a region."""

    name: str
    start: int
    end: int
    strand: str


class Around(NamedTuple):
    """What lies around a lead."""

    genes: list[DrawnGene]
    recombination: list[tuple[int, float]]
    """(base pair, cM/Mb from there on)."""


class Place(NamedTuple):
    """A variant."""

    chromosome: str
    position: int
    alleles: frozenset[str]


class Annotator:
    """Reads the reference files of a task around some leads."""

    def __init__(self, references: References | None, folder: Path, leads: Iterable[Place]) -> None:
        """Open what there is.

        Args:
            references: of the task.
            folder: in which its files lie.
            leads: all that will be asked for. Without any, no file is opened.
        """
        self._missing: dict[str, list[str]] = {}
        self.of: list[str] = []
        """Kinds of files that were read."""
        places = list(leads)
        self._genes: Genes | None = None
        self._variants: Variants | None = None
        self._rates: Rates | None = None
        self._known: Known | None = None
        if references is None or not places:
            return
        near: dict[int, list[int]] = {}
        for place in places:
            near.setdefault(chromosome_number(place.chromosome), []).append(place.position)
        window, words = round(references["known_kb"] * 1000), references["known_as"]
        self._folder, self._references = folder, references
        self._variants = self._opened("rsids", Variants)
        self._genes = self._opened("genes", Genes)
        self._known = self._opened("known", lambda path: Known(path, near, window, words))
        self._rates = self._opened("recombination", Rates)

    def _opened(self, kind: str, reader: Callable[[Path], _Reader]) -> _Reader | None:
        path = self._references["files"].get(kind)
        try:
            if path is None:
                raise NoReferenceError(self._references["why_not"] or "the stage names no such file")
            opened = reader(self._folder / path)
        except (NoReferenceError, OSError) as error:
            self._missing.setdefault(str(error).rstrip("."), []).append(_OF[kind])
            return None
        self.of.append(kind)
        return opened

    @property
    def missing(self) -> list[str]:
        """A sentence for each reason."""
        return [f"Not shown, because {why}: {', '.join(kinds)}." for why, kinds in self._missing.items()]

    def annotation(self, place: Place) -> Annotation:
        """Of one of the leads."""
        number = chromosome_number(place.chromosome)
        found = NOTHING.copy()
        if self._variants:
            found["rsid"] = self._variants.name(number, place.position, place.alleles)
        if self._genes:
            genes = self._genes.coding(number, place.position - GENE_BP, place.position + GENE_BP)
            nearest = _nearest(genes, place.position)
            if nearest:
                found["genes"] = ", ".join(dict.fromkeys(gene.name for gene in nearest))
                found["gene_distance"] = nearest[0].distance(place.position)
            found["consequence"] = self._consequence(number, place.position, nearest)
        if self._known:
            known = self._known.nearest(number, place.position)
            found["known"] = bool(known)
            if known:
                found["known_variant"] = known[0].variant
                traits = list(dict.fromkeys(each.trait for each in known))
                more = f" and {len(traits) - _MOST_TRAITS:,} more" if len(traits) > _MOST_TRAITS else ""
                found["known_traits"] = "; ".join(traits[:_MOST_TRAITS]) + more
                found["known_distance"] = abs(known[0].position - place.position)
        return found

    def around(self, chromosome: str, start: int, end: int) -> Around:
        """What to draw of a region."""
        number = chromosome_number(chromosome)
        genes = self._genes.coding(number, start, end) if self._genes else []
        rates = self._rates.between(number, start, end) if self._rates else []
        return Around(
            [{"name": gene.name, "start": gene.start, "end": gene.end, "strand": gene.strand} for gene in genes],
            [(position, round(rate, 3)) for position, rate in rates],
        )

    def _consequence(self, chromosome: int, position: int, nearest: Sequence[Gene]) -> str:
        assert self._genes
        features = list(self._genes.features(chromosome, position, position))
        kinds = {feature.kind for feature in features}
        for kind, words in _PARTS:
            if kind in kinds:
                return words
        if any(feature.gene in nearest for feature in features if feature.gene):
            return _INTRON
        if any(feature.gene for feature in features):
            return _OTHER_GENE
        if nearest and nearest[0].distance(position) <= FLANK_BP:
            gene = nearest[0]
            return _UPSTREAM if (position < gene.start) == (gene.strand != "-") else _DOWNSTREAM
        return _BETWEEN


def _nearest(genes: Sequence[Gene], position: int) -> list[Gene]:
    least = min((gene.distance(position) for gene in genes), default=0)
    return [gene for gene in genes if gene.distance(position) == least]
