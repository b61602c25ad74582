"""Annotations, sets and masks of gene-based tests, compared with each other and, by a sample of ids, with genotypes.

regenie passes over what it does not know, and gives up in step 2, when nothing is left (4.1.2's sources: Geno.cpp).
"""

import re
import zlib
from collections.abc import Collection, Iterable
from functools import partial
from typing import Final

from lambdas.regenie.data_set import DataSet
from lambdas.regenie.preflight.findings import Examples, Findings, text
from lambdas.regenie.text_files import unpacked_lines
from lambdas.shared.config_model import GeneTests
from lambdas.shared.input_error import UnusableInputError

ANNOTATIONS: Final = "regenie.step2.gene_tests.annotations"
SETS: Final = "regenie.step2.gene_tests.sets"
_MASKS: Final = "regenie.step2.gene_tests.masks"

_MOST_IDS: Final = 100_000
"""Of a sample: enough to see whether ids are of the same kind, while a file may have tens of millions."""
_COLUMNS: Final = 3
"""Variant, set, annotation; with domains the annotation is the fourth (regenie's documentation, "Annotation file")."""
_MASK_COLUMNS: Final = 2
_SEPARATORS: Final = re.compile(rb"[\s,]+")
_NUMBER: Final = re.compile(rb"[0-9.eE+-]+")
"""A variant's weight (--weights-col), where a domain's annotation would be."""


def read_annotated(
    data: DataSet, tests: GeneTests, findings: Findings, *, sets: Collection[str]
) -> dict[str, set[bytes]]:
    """A sample of the variants that are annotated, and of those in sets, by config key; nothing of an unusable file.

    Args:
        data: the launch's data.
        tests: the config's section.
        findings: get it when no mask has an annotation that occurs, or some have none.
        sets: names of the sets; none where their list has a fault.
    """
    masks = findings.attempt(_MASKS, partial(_read_masks, data, tests.masks), None)
    sample = _Sample()
    annotated = findings.attempt(ANNOTATIONS, partial(_read_annotations, data, tests.annotations, sample), None)
    found = {}
    if annotated is not None:
        categories, of_sets = annotated
        found[ANNOTATIONS] = sample.ids
        uri = data.uri(tests.annotations)
        if masks:
            _check_masks(masks, categories, data.uri(tests.masks), uri, findings)
        if sets and not of_sets.intersection(name.encode() for name in sets):
            findings.add(
                ANNOTATIONS,
                f"names {uri}, whose sets ({_shown(of_sets)}) are none of those in {data.uri(tests.sets)}: it has "
                f"{_shown([name.encode() for name in sets])}",
                "Write the same names of sets (genes) in both.",
            )
    if sets:
        found[SETS] = _read_sets(data, tests.sets)
    return found


class _Sample:
    """Ids chosen by their checksums, so that the whole of a file has its share, whatever its order."""

    def __init__(self) -> None:
        self.ids: set[bytes] = set()
        self._mask = 0

    def add(self, name: bytes) -> None:
        if zlib.crc32(name) & self._mask:
            return
        self.ids.add(name)
        if len(self.ids) > _MOST_IDS:
            self._mask = self._mask << 1 | 1
            self.ids = {kept for kept in self.ids if not zlib.crc32(kept) & self._mask}


def _read_annotations(data: DataSet, path: str, sample: _Sample) -> tuple[set[bytes], set[bytes]]:
    """The annotations, and the sets that they are for; as strictly as regenie reads (Geno.cpp, read_anno_info)."""
    categories: set[bytes] = set()
    sets: set[bytes] = set()
    before: list[bytes] = []
    for number, line in enumerate(unpacked_lines(data, path), start=1):
        fields = _words(line)
        if len(fields) < _COLUMNS or not all(fields):
            raise UnusableInputError(
                f"names {data.uri(path)}, whose line {number} is not `VARIANT SET ANNOTATION`",
                "Part words by one space or tab, and remove empty lines: regenie stops there.",
            )
        if fields[:2] == before:
            raise UnusableInputError(
                f"names {data.uri(path)}, which annotates {text(fields[0])} twice for a set (line {number})",
                "Annotate each variant once for a set: regenie stops there.",
            )
        before = fields[:2]
        sample.add(fields[0])
        sets.add(fields[1])
        has_domain = len(fields) == _COLUMNS + 1 and not _NUMBER.fullmatch(fields[_COLUMNS])
        categories.add(fields[_COLUMNS] if has_domain else fields[_COLUMNS - 1])
    return categories, sets


def _words(line: bytes) -> list[bytes]:
    """Parted by one space or tab: between two there is an empty word, as regenie sees it."""
    return line.replace(b"\t", b" ").rstrip(b" ").split(b" ")


def _read_sets(data: DataSet, path: str) -> set[bytes]:
    sample = _Sample()
    for line in data.lines(path):
        for name in _SEPARATORS.split(line.strip())[_COLUMNS:]:
            sample.add(name)
    return sample.ids


def _read_masks(data: DataSet, path: str) -> dict[bytes, list[bytes]]:
    """Mask -> its annotations: regenie reads one word of them, parted by commas, and the last mask of a name."""
    masks: dict[bytes, list[bytes]] = {}
    for number, line in enumerate(unpacked_lines(data, path), start=1):
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


def _check_masks(
    masks: dict[bytes, list[bytes]], categories: set[bytes], masks_uri: str, annotations_uri: str, findings: Findings
) -> None:
    empty = [mask for mask, wanted in masks.items() if not categories.intersection(wanted)]
    if not empty:
        return
    wanted = {name for mask in empty for name in masks[mask]}
    about = f"whose annotations ({_shown(wanted)}) are not in {annotations_uri}, which has {_shown(categories)}"
    if len(empty) == len(masks):
        findings.add(
            _MASKS, f"names {masks_uri}, no mask of which can be made: it has masks {about}", "Write the same names."
        )
    else:
        findings.warn(
            _MASKS,
            f"names {masks_uri}, where {_shown(empty)} is a mask {about}",
            "It is passed over: write the same names if that is not meant.",
        )


def _shown(names: Iterable[bytes]) -> str:
    examples = Examples()
    examples.update(sorted(names))
    return str(examples) or "none"
