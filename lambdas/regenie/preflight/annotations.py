"""Annotations, sets and masks of gene-based tests, compared with each other and, by a sample of ids, with genotypes.

regenie passes over what it does not know, and gives up in step 2, when nothing is left (4.1.2's sources: Geno.cpp).
"""

import re
import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from genolaunch.launch_configs.regenie_config import GeneTests
from genolaunch.regenie.data_set import DataSet
from genolaunch.regenie.text_files import unpacked_lines, windows_line_ends
from genolaunch.shared.counted import counted
from genolaunch.shared.input_error import UnusableInputError
from lambdas.regenie.gene_sets import GeneSet
from lambdas.regenie.preflight.findings import Examples, Findings, more_than_once

ANNOTATIONS: Final = "regenie.step2.gene_tests.annotations"
SETS: Final = "regenie.step2.gene_tests.sets"
_MASKS: Final = "regenie.step2.gene_tests.masks"

_MOST_IDS: Final = 100_000
"""Of a sample: enough to see whether ids are of the same kind, while a file may have tens of millions."""
_MOST_CATEGORIES: Final = 63
"""And the one of variants without any (regenie 4.1.2: Regenie.hpp, max_cat)."""
_MOST_PAIRS: Final = 10_000
"""Of the sample of each annotation that a mask names."""
_MOST_OF_MASKS: Final = 10_000
_FIRST_OF_SET: Final = 5
"""Variants of each set that are looked at in any case, if the sets are no more than a sample holds."""
_MOST_KEPT: Final = 500_000
"""Variants of sets that are kept on the way: some 200 bytes each."""
_COLUMNS: Final = 3
"""Variant, set, annotation; with domains the annotation is the fourth (regenie's documentation, "Annotation file")."""
_MASK_COLUMNS: Final = 2
_SEPARATORS: Final = re.compile(rb"[\s,]+")
_NUMBER: Final = re.compile(rb"[0-9.eE+-]+")
"""A variant's weight (--weights-col), where a domain's annotation would be."""


def read_annotated(data: DataSet, tests: GeneTests, findings: Findings, *, sets: Sequence[GeneSet]) -> "Annotated":
    """A sample of what the three files say of variants, to be compared with the genotypes (`Annotated.check`).

    Args:
        data: the launch's data.
        tests: the config's section.
        findings: get what is wrong with a file, and what does not fit among the files.
        sets: the list of sets; empty where it has a fault.
    """
    masks = findings.attempt(_MASKS, partial(_read_masks, data, tests.masks), None) or {}
    found = Annotated(data, tests, masks)
    if findings.attempt(ANNOTATIONS, partial(_read_annotations, data, tests.annotations, found), None) is not None:
        found.ids[ANNOTATIONS] = found.annotated.ids
        if len(found.categories) > _MOST_CATEGORIES:
            findings.add(
                ANNOTATIONS,
                f"names {data.uri(tests.annotations)}, with {len(found.categories):,} annotations; regenie takes "
                f"{_MOST_CATEGORIES}",
                "Leave out those that no mask names, or combine some.",
            )
        found.sets_fit = not found.sets.isdisjoint(each.name.encode() for each in sets)
        if sets and found.sets and not found.sets_fit:
            findings.add(
                ANNOTATIONS,
                f"names {data.uri(tests.annotations)}, whose sets ({_shown(found.sets)}) are none of those in "
                f"{data.uri(tests.sets)}: it has {_shown([each.name.encode() for each in sets])}",
                "Write the same names of sets (genes) in both.",
            )
    if sets:
        _read_sets(data, tests.sets, sets, found)
        found.ids[SETS] = set(found.listed)
    return found


class Annotated:
    """What was read, and what the genotypes say of it."""

    def __init__(self, data: DataSet, tests: GeneTests, masks: dict[bytes, list[bytes]]) -> None:
        self._data = data
        self._tests = tests
        self.masks = masks
        """Mask -> its annotations; none where their file has a fault."""
        self.ids: dict[str, set[bytes]] = {}
        """Config key -> a sample of the ids that its file has."""
        self.annotated = Sample(_MOST_IDS)
        self.categories: set[bytes] = set()
        self.has_domains = False
        self.repeated: set[bytes] = set()
        """Variants with their sets that are annotated more than once."""
        self.sets: set[bytes] = set()
        """For which variants are annotated."""
        self.sets_fit = False
        """Some of them are in the list of sets."""
        self.pairs = {
            category: Sample(_MOST_PAIRS) for category in {name for wanted in masks.values() for name in wanted}
        }
        """Annotation of a mask -> a sample of the variants that have it, each with its set."""
        self.listed: dict[bytes, list[tuple[bytes, int]]] = {}
        """A sample of the sets' variants -> set and its chromosome."""
        self.in_sets: dict[bytes, set[bytes]] = {}
        """Annotation of a mask -> which variants of its sample the sets list."""

    def check(self, chromosomes: Mapping[bytes, int], findings: Findings) -> None:
        """Compare with the genotypes.

        Args:
            chromosomes: variant -> bits (1 << number) of the chromosomes on which the tested genotypes have it.
            findings: get what is found.
        """
        if SETS in self.ids:
            self._check_chromosomes(chromosomes, findings)
        self._check_repeated(chromosomes, findings)
        if self.masks and self.ids.get(ANNOTATIONS):
            self._check_masks(self._live(chromosomes), findings)

    def _live(self, chromosomes: Mapping[bytes, int]) -> set[bytes]:
        """Annotations of a genotyped variant in a set; all, where ids do not fit at all, which is another fault."""
        if not self.sets_fit or any(chromosomes.keys().isdisjoint(ids) for ids in self.ids.values()):
            return self.categories
        return {name for name, variants in self.in_sets.items() if not chromosomes.keys().isdisjoint(variants)}

    def of_masks(self) -> set[bytes]:
        """Variants of sets that masks want; a sample."""
        sample = Sample(_MOST_OF_MASKS)
        for variants in self.in_sets.values():
            for variant in variants:
                sample.add(variant)
        return sample.ids

    @property
    def wanted(self) -> set[bytes]:
        """Variants to look for."""
        repeated = {pair.split(b" ")[0] for pair in self.repeated}
        return repeated.union(*self.ids.values(), *self.in_sets.values())

    def _check_chromosomes(self, chromosomes: Mapping[bytes, int], findings: Findings) -> None:
        misplaced: dict[bytes, bytes] = {}
        for variant, sets in self.listed.items():
            bits = chromosomes.get(variant, 0)
            for name, chromosome in sets:
                if bits and not bits >> chromosome & 1 and name not in misplaced:
                    misplaced[name] = b"%s on %d: %s is on %d" % (name, chromosome, variant, bits.bit_length() - 1)
        if not misplaced:
            return
        findings.add(
            SETS,
            f"names {self._data.uri(self._tests.sets)}, where {counted(len(misplaced), 'set has', 'sets have')} "
            f"variants of another chromosome than their line says, such as {_shown(misplaced.values())}; regenie would "
            "correct them with the predictions that leave out the wrong chromosome, and a job, which reads one "
            "chromosome, would miss them",
            "Write the chromosome of its variants in each set's line, and part a set that spans several chromosomes.",
        )

    def _check_repeated(self, chromosomes: Mapping[bytes, int], findings: Findings) -> None:
        """regenie ends at such a line of a variant that is genotyped (4.1.2's sources: Geno.cpp, read_anno_info)."""
        repeated = [pair for pair in sorted(self.repeated) if pair.split(b" ")[0] in chromosomes]
        if repeated:
            findings.add(
                ANNOTATIONS,
                f"names {self._data.uri(self._tests.annotations)}, which annotates {counted(len(repeated), 'variant')} "
                f"twice for a set: {_shown(repeated)}",
                "Annotate each variant once for a set: regenie stops there.",
            )

    def _check_masks(self, live: set[bytes], findings: Findings) -> None:
        dead = {name for wanted in self.masks.values() for name in wanted if name not in live}
        if not dead:
            return
        empty = [mask for mask, wanted in self.masks.items() if not live.intersection(wanted)]
        shown = {name for mask in empty for name in self.masks[mask]} or dead
        uri, remedy = self._data.uri(self._tests.masks), "write the same names if this is not intended."
        if len(empty) == len(self.masks):
            problem = f"names {uri}, no mask of which can be made: it has masks {self._why(shown)}"
            findings.add(_MASKS, problem, "Write the same names, and the genotypes' ids, in all of these files.")
        elif empty:
            problem = f"names {uri}, where {_shown(empty)} is a mask {self._why(shown)}"
            findings.warn(_MASKS, problem, f"It is ignored: {remedy}")
        else:
            problem = f"names {uri}, with masks some of {self._why(shown)}"
            findings.warn(_MASKS, problem, f"Masks are made of their other annotations: {remedy}")

    def _why(self, dead: set[bytes]) -> str:
        annotations = self._data.uri(self._tests.annotations)
        unknown, unused = dead - self.categories, dead & self.categories
        reasons = []
        if unknown:
            reasons.append(
                f"whose annotations ({_shown(unknown)}) are not in {annotations}, which has {_shown(self.categories)}"
            )
        if unused:
            reasons.append(
                f"whose annotations ({_shown(unused)}) no variant has in {annotations} that is genotyped, and listed "
                "for its set"
            )
        return ", and ".join(reasons)


class Sample:
    """Select ids by their checksums, so that the sample covers the whole file in any order."""

    def __init__(self, most: int) -> None:
        self.ids: set[bytes] = set()
        self._most = most
        self._mask = 0

    def add(self, name: bytes) -> None:
        """Take one, or pass it over."""
        if zlib.crc32(name) & self._mask:
            return
        self.ids.add(name)
        if len(self.ids) > self._most:
            self._mask = self._mask << 1 | 1
            self.ids = {kept for kept in self.ids if not zlib.crc32(kept) & self._mask}


def _read_annotations(data: DataSet, path: str, found: Annotated) -> bool:
    """As strictly as regenie reads (Geno.cpp, read_anno_info)."""
    hashes = array("q")
    for number, line in enumerate(unpacked_lines(data, path), start=1):
        if line.endswith(b"\r"):
            raise windows_line_ends(data.uri(path))
        fields = _words_of_annotation(line)
        if len(fields) < _COLUMNS or not all(fields):
            raise UnusableInputError(
                f"names {data.uri(path)}, whose line {number} is not `VARIANT SET ANNOTATION`",
                "Separate words by one space or tab, write none behind the last word, and remove empty lines: regenie "
                "stops there.",
            )
        if number == 1:  # by its first line regenie tells what a file's columns are
            found.has_domains = len(fields) == _COLUMNS + 1 and not _NUMBER.fullmatch(fields[_COLUMNS])
        if found.has_domains and len(fields) <= _COLUMNS:
            raise UnusableInputError(
                f"names {data.uri(path)}, whose line {number} has {len(fields)} words, and its first line "
                f"{_COLUMNS + 1}: regenie takes a comment for a line of its own, and a word more for a set's domain",
                "Remove comments and headers, and give each line the same words.",
            )
        if not found.has_domains:
            hashes.append(hash(b" ".join(fields[:2])))
        found.annotated.add(fields[0])
        found.sets.add(fields[1])
        category = fields[_COLUMNS] if found.has_domains else fields[_COLUMNS - 1]
        found.categories.add(category)
        if category in found.pairs:
            found.pairs[category].add(b" ".join(fields[:2]))
    found.repeated = _pairs_of(data, path, more_than_once(hashes))
    return True


def _pairs_of(data: DataSet, path: str, hashes: set[int]) -> set[bytes]:
    """Variants and sets of these hashes that are really there twice: with domains they may be."""
    seen: set[bytes] = set()
    repeated: set[bytes] = set()
    for line in unpacked_lines(data, path) if hashes else ():
        pair = b" ".join(_words_of_annotation(line)[:2])
        if hash(pair) in hashes:
            (repeated if pair in seen else seen).add(pair)
    return repeated


def _words_of_annotation(line: bytes) -> list[bytes]:
    """Split at each space, tab or comma, as regenie does: between two there is an empty word, but not behind the last.

    Source: regenie 4.1.2, Geno.cpp, read_anno, and Files.cpp, string_split.
    """
    return line.replace(b"\t", b" ").replace(b",", b" ").removesuffix(b" ").split(b" ")


def _words(line: bytes) -> list[bytes]:
    """Split at each space or tab: between two there is an empty word, as regenie sees it."""
    return line.replace(b"\t", b" ").rstrip(b" ").split(b" ")


def _read_sets(data: DataSet, path: str, sets: Sequence[GeneSet], found: Annotated) -> None:
    """Keep some variants of each set, by which a wrong chromosome is seen, and of all by their checksums."""
    wanted: dict[bytes, list[bytes]] = {}
    for category, pairs in found.pairs.items():
        for pair in pairs.ids:
            wanted.setdefault(pair, []).append(category)
    sample = Sample(_MOST_IDS)
    first = max(1, min(_FIRST_OF_SET, _MOST_IDS // len(sets)))
    of_each: dict[bytes, list[tuple[bytes, int]]] = {}
    for each, line in zip(sets, data.lines(path), strict=False):
        name = each.name.encode()
        for number, variant in enumerate(_SEPARATORS.split(line.strip())[_COLUMNS:]):
            sample.add(variant)
            if number < first or variant in sample.ids:
                of_each.setdefault(variant, []).append((name, each.chromosome))
            for category in wanted.get(b"%s %s" % (variant, name), ()):
                found.in_sets.setdefault(category, set()).add(variant)
        if len(of_each) > _MOST_KEPT:
            of_each = {kept: of for kept, of in of_each.items() if kept in sample.ids}
    found.listed = of_each


def _read_masks(data: DataSet, path: str) -> dict[bytes, list[bytes]]:
    """Mask -> its annotations: regenie reads one word of them, parted by commas, and the last mask of a name."""
    masks: dict[bytes, list[bytes]] = {}
    for number, line in enumerate(unpacked_lines(data, path), start=1):
        if line.endswith(b"\r"):
            raise windows_line_ends(data.uri(path))
        fields = _words(line)
        if len(fields) != _MASK_COLUMNS or not all(fields) or fields[0] in masks:
            raise UnusableInputError(
                f"names {data.uri(path)}, whose line {number} is not `MASK ANNOTATION,ANNOTATION,...` of a new mask",
                "Write each mask once, no spaces between its annotations, and remove empty lines.",
            )
        masks[fields[0]] = fields[1].split(b",")
    if not masks:
        raise UnusableInputError(f"names {data.uri(path)}, which has no masks", "Write `MASK ANNOTATION,...` a line.")
    return masks


def _shown(names: Iterable[bytes]) -> str:
    examples = Examples()
    examples.update(sorted(names))
    return str(examples) or "none"
