"""Independent signals of a trait: index variants of clumps, by the linkage disequilibrium of the people analysed.

Only regions around significant variants are read, of results and of genotypes. So a trait without any costs nothing,
and memory depends on what is significant, not on how many variants there are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from regenie_runner import linkage
from regenie_runner.chromosomes import chromosome_number
from regenie_runner.clumps import Floats, Places, Thresholds, clump, eligible
from regenie_runner.errors import RunnerError
from regenie_runner.genotype_rows import Region, Row, RowReader, open_rows
from regenie_runner.genotypes import MISSING, Calls, open_genotypes
from regenie_runner.launch_facts import LaunchFacts
from regenie_runner.people import QC_SAMPLES
from regenie_runner.significance import GENOME_WIDE
from regenie_runner.spool import Chromosome
from regenie_runner.tabix import IndexedResults
from regenie_runner.workspace import Workspace

if TYPE_CHECKING:
    from genolaunch.contract.plan import GenotypeFile, LociSearch

_HELD_BYTES = 256 << 20
"""Packed genotypes that are kept; of a region with more, they are read again for each index variant."""
_READ_BYTES = 32 << 20
"""Genotypes that are unpacked at a time."""
_ROUNDING = 1e-3
"""By which a scan's -log10 p, kept in single precision, may differ from the results' text."""
_COLUMNS = ("GENPOS", "ID", "ALLELE0", "ALLELE1")

Key = tuple[int, int, bytes, frozenset[bytes]]
"""A variant: chromosome, position, name and alleles."""


def _key(chromosome: int, cells: Sequence[str]) -> Key:
    """Of a line's _COLUMNS."""
    position, name, one, other = cells
    return (
        chromosome,
        int(position),
        name.encode("latin-1"),
        frozenset((one.encode("latin-1"), other.encode("latin-1"))),
    )


class Member(NamedTuple):
    """A variant of a clump, besides its index variant."""

    name: str
    r2: float


class Signal(NamedTuple):
    """An index variant."""

    chromosome: str
    position: int  # base pairs
    name: str
    log10p: float
    members: list[Member]  # in genome order
    primary: int | None  # of a secondary signal: number of the signal that leads its locus; None of that one


class NoLinkageError(Exception):
    """Genotypes cannot be had; the text says why, in words that end a sentence."""


def lead_line(search: LociSearch) -> float:
    """-log10 p from which a variant leads a signal: the line of the report, if it is asked for as p = 5e-8."""
    exact = -math.log10(search["p1"])
    return min(exact, GENOME_WIDE) if math.isclose(exact, GENOME_WIDE, abs_tol=1e-4) else exact


class InSample:
    """The genotypes of the people who are analysed, by variant."""

    def __init__(self, search: LociSearch, workspace: Workspace) -> None:
        """Raises NoLinkageError, RunnerError or OSError if genotypes cannot be had."""
        people = _people(search, workspace)
        self._files = [_opened(file, workspace) for file in search["genotypes"]]
        self._columns = [_columns_of(file, people) for file in self._files]
        self.people = len(people)
        self._males = [
            file.males if columns is None else file.males[columns]
            for file, columns in zip(self._files, self._columns, strict=True)
        ]
        self._packed_males = linkage.pack_people(self._males[0])

    def find(self, wanted: set[Key], regions: Sequence[Region]) -> dict[Key, tuple[int, Row]]:
        """(number of the file, row in it) of the variants that are wanted: of the first file that has it."""
        found: dict[Key, tuple[int, Row]] = {}
        positions = frozenset(key[1] for key in wanted)
        for number, file in enumerate(self._files):
            for row in file.rows(regions, positions):
                key = (row.chromosome, row.position, row.name, row.alleles)
                if key in wanted:
                    found.setdefault(key, (number, row))
        return found

    def packed(self, places: Sequence[tuple[int, Row]]) -> linkage.Packed:
        """Genotypes of some variants."""
        rows_at_a_time = max(1, _READ_BYTES // max(len(file.samples) for file in self._files))
        parts = [
            linkage.pack(self._calls(places[first : first + rows_at_a_time]))
            for first in range(0, len(places), rows_at_a_time)
        ]
        return linkage.Packed(np.concatenate([part.words for part in parts], axis=1))

    def r_squared(self, one: linkage.Packed, others: linkage.Packed, *, is_haploid: bool) -> Floats:
        """r² of a variant with others; on X men count once."""
        return linkage.r_squared(one, others, self._packed_males if is_haploid else None)

    def _calls(self, places: Sequence[tuple[int, Row]]) -> Calls:
        calls = np.empty((len(places), self.people), np.int8)
        # Where all have been analysed, nobody need be chosen.
        for number, (file, columns) in enumerate(zip(self._files, self._columns, strict=True)):
            at = [place for place, (of, _) in enumerate(places) if of == number]
            if at:
                found = file.calls([places[place][1] for place in at])
                calls[at] = found if columns is None else found[:, columns]
        on_x = [place for place, (_, row) in enumerate(places) if row.is_haploid]
        if on_x:  # men have one copy: what shows two kinds of it is no genotype
            of_x = calls[on_x]
            of_x[(of_x == 1) & self._males[0]] = MISSING
            calls[on_x] = of_x
        return calls


def _opened(file: GenotypeFile, workspace: Workspace) -> RowReader:
    sample = file.get("sample")
    return open_rows(workspace.data / file["path"], workspace.data / sample if sample else None)


def _people(search: LociSearch, workspace: Workspace) -> list[str]:
    """`FID IID` of those who are analysed, in the order of the genotypes by which planning marked them."""
    file = search["people"]
    sample = file.get("sample")
    names = open_genotypes(workspace.data / file["path"], workspace.data / sample if sample else None).samples
    marks = np.frombuffer((workspace.work / search["analysed"]).read_bytes(), np.uint8) == ord("1")
    if len(names) != len(marks):
        raise RunnerError(f"{file['path']} has other people than when the launch was planned.")
    kept = workspace.work / QC_SAMPLES
    left = None
    if LaunchFacts.read(workspace).controls_quality and kept.is_file():
        left = set(kept.read_text(encoding="utf-8", errors="surrogateescape").splitlines())
    return [name for name, mark in zip(names, marks, strict=True) if mark and (left is None or name in left)]


def _columns_of(file: RowReader, people: Sequence[str]) -> npt.NDArray[np.intp] | None:
    """The people's places in a file; None if it has just these, in this order."""
    if file.samples == people:
        return None
    places = {name: place for place, name in enumerate(file.samples)}
    try:
        return np.array([places[name] for name in people], np.intp)
    except KeyError as error:
        raise NoLinkageError("one of the genotype files lacks people who are analysed") from error


def _check_leads(
    candidates: Iterable[_Candidates], found: Mapping[Key, tuple[int, Row]], thresholds: Thresholds
) -> None:
    """A variant without genotypes would lead a signal of its own, whatever it is linked with."""
    leads = [
        key
        for each in candidates
        for key, log10p in zip(each.keys, each.log10p.tolist(), strict=True)
        if log10p >= thresholds.lead_log10p
    ]
    lost = [key for key in leads if key not in found]
    if lost:
        raise NoLinkageError(
            f"{len(lost):,} of {len(leads):,} significant variants of chromosome {lost[0][0]} are not in the genotypes "
            f"by position, id and alleles, among them {_text(lost[0][2])}"
        )


class SignalSearch:
    """Finds the signals of a trait. It opens the genotypes when something is significant."""

    def __init__(self, search: LociSearch, results: IndexedResults, workspace: Workspace) -> None:
        """`results`: the merged file, with one row for each variant."""
        self._search, self._results, self._workspace = search, results, workspace
        given = Thresholds.of(search["p1"], search["p2"], search["r2"], search["window_kb"])
        self._thresholds = given._replace(lead_log10p=lead_line(search))
        self._opened: InSample | None = None

    def signals(self, chromosomes: Iterable[Chromosome]) -> list[Signal]:
        """The signals, the strongest first. `chromosomes`: what the scan kept.

        Raises:
            NoLinkageError: there are significant variants, but genotypes cannot be had; so do RunnerError and OSError.
        """
        thresholds = self._thresholds
        signals: list[Signal] = []
        for chromosome in chromosomes:
            strong = chromosome.positions[chromosome.log10p >= thresholds.lead_log10p - _ROUNDING]
            if not strong.size:
                continue
            regions = _regions(chromosome_number(chromosome.name), strong.tolist(), thresholds.window_bp)
            candidates = [_Candidates.read(chromosome.name, region, self._results, thresholds) for region in regions]
            found = self._genotypes.find({key for each in candidates for key in each.keys}, regions)
            _check_leads(candidates, found, thresholds)
            for each in candidates:
                signals += each.signals(found, self._genotypes, thresholds)
        signals.sort(key=lambda signal: -signal.log10p)
        return _with_primaries(signals, thresholds.window_bp)

    def r_squared_around(self, lead: Signal, start: int, end: int) -> list[float | None]:
        """r² of a signal with each line of the results from `start` to `end`; None where it is not known."""
        number = chromosome_number(lead.chromosome)
        region = Region(number, start, end)
        keys = [_key(number, cells) for cells in self._results.cells(lead.chromosome, start, end, _COLUMNS)]
        found = self._genotypes.find(set(keys), [region])
        own = next((key for key in keys if key[1] == lead.position and _text(key[2]) == lead.name), None)
        mine = found.get(own) if own else None
        r2: list[float | None] = [None] * len(keys)
        if mine is None:
            return r2
        known = [
            (at, found[key])
            for at, key in enumerate(keys)
            if key in found and found[key][1].is_haploid == mine[1].is_haploid
        ]
        one = self._genotypes.packed([mine])
        at_a_time = max(1, _HELD_BYTES // linkage.bytes_of(self._genotypes.people))
        for first in range(0, len(known), at_a_time):
            some = known[first : first + at_a_time]
            packed = self._genotypes.packed([place for _, place in some])
            values = self._genotypes.r_squared(one, packed, is_haploid=mine[1].is_haploid)
            for (at, _), value in zip(some, values.tolist(), strict=True):
                r2[at] = None if math.isnan(value) else value
        return r2

    @property
    def _genotypes(self) -> InSample:
        if self._opened is None:
            self._opened = InSample(self._search, self._workspace)
        return self._opened


def _regions(chromosome: int, strong: Iterable[int], window_bp: int) -> list[Region]:
    """Around the strong variants, as few as possible: what is in one has no part in another's clumps."""
    regions: list[Region] = []
    for position in strong:
        start, end = max(1, position - window_bp), position + window_bp
        if regions and start <= regions[-1].end:
            regions[-1] = regions[-1]._replace(end=end)
        else:
            regions.append(Region(chromosome, start, end))
    return regions


class _Candidates(NamedTuple):
    """Variants of a region that may be in a clump, in genome order."""

    chromosome: str
    positions: npt.NDArray[np.int64]
    log10p: Floats
    keys: list[Key]

    @classmethod
    def read(cls, chromosome: str, region: Region, results: IndexedResults, thresholds: Thresholds) -> _Candidates:
        positions: list[int] = []
        log10p: list[float] = []
        keys: list[Key] = []
        least = min(thresholds.lead_log10p, thresholds.member_log10p)
        for strength, cells in results.at_least(chromosome, region.start, region.end, "LOG10P", least, _COLUMNS):
            key = _key(region.chromosome, cells)
            positions.append(key[1])
            log10p.append(strength)
            keys.append(key)
        return cls(chromosome, np.array(positions, np.int64), np.array(log10p), keys)

    def signals(
        self, found: dict[Key, tuple[int, Row]], genotypes: InSample, thresholds: Thresholds
    ) -> Iterator[Signal]:
        """Variants whose genotypes were not found are in no clump of others'."""
        at: list[tuple[int, Row] | None] = [found.get(key) for key in self.keys]
        wanted = [
            place
            for place, is_eligible in enumerate(eligible(self.log10p, thresholds).tolist())
            if is_eligible and at[place] is not None
        ]
        held = self._held(wanted, at, genotypes)

        def r_squared(lead: int, others: Places) -> Floats:
            r2 = np.full(len(others), np.nan)
            mine = at[lead]
            if mine is None:
                return r2
            # What is on X proper has no genotypes in common with what is on the parts that Y has, too.
            known = [
                number
                for number, other in enumerate(others.tolist())
                if (its := at[other]) is not None and its[1].is_haploid == mine[1].is_haploid
            ]
            one = held.of([lead])
            for first in range(0, len(known), held.at_a_time):
                some = known[first : first + held.at_a_time]
                packed = held.of(others[some].tolist())
                r2[some] = genotypes.r_squared(one, packed, is_haploid=mine[1].is_haploid)
            return r2

        for each in clump(self.positions, self.log10p, thresholds, r_squared):
            members = [
                Member(_text(self.keys[place][2]), r2)
                for place, r2 in zip(each.members.tolist(), each.r2.tolist(), strict=True)
            ]
            _, position, name, _ = self.keys[each.lead]
            yield Signal(self.chromosome, position, _text(name), float(self.log10p[each.lead]), members, None)

    def _held(self, wanted: list[int], at: Sequence[tuple[int, Row] | None], genotypes: InSample) -> _Held:
        return _Held(wanted, [place for place in (at[each] for each in wanted) if place is not None], genotypes)


class _Held:
    """Packed genotypes of a region's candidates: read once, if they are not too many."""

    def __init__(self, wanted: list[int], places: list[tuple[int, Row]], genotypes: InSample) -> None:
        self.at_a_time = max(1, _HELD_BYTES // linkage.bytes_of(genotypes.people))
        self._genotypes, self._places = genotypes, places
        self._number = {candidate: number for number, candidate in enumerate(wanted)}
        self._all = genotypes.packed(places) if 0 < len(places) <= self.at_a_time else None

    def of(self, candidates: Sequence[int]) -> linkage.Packed:
        numbers = [self._number[candidate] for candidate in candidates]
        if self._all is not None:
            return self._all.chosen(np.array(numbers, np.intp))
        return self._genotypes.packed([self._places[number] for number in numbers])


def _with_primaries(signals: list[Signal], window_bp: int) -> list[Signal]:
    """A signal within the window of a stronger one, which leads a locus, is a secondary one of that locus."""
    linked: list[Signal] = []
    for signal in signals:
        primary = next(
            (
                number
                for number, other in enumerate(linked)
                if other.primary is None
                and other.chromosome == signal.chromosome
                and abs(other.position - signal.position) < window_bp
            ),
            None,
        )
        linked.append(signal._replace(primary=primary))
    return linked


def _text(name: bytes) -> str:
    return name.decode(errors="replace")
