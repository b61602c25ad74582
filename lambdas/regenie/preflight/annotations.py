"""Annotations, sets and masks of gene-based tests, compared with each other and, by a sample of ids, with genotypes.

regenie passes over what it does not know, and gives up in step 2, when nothing is left (4.1.2's sources: Geno.cpp).
"""

import re
import zlib
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final

from lambdas.regenie.data_set import DataSet
from lambdas.regenie.preflight.findings import Examples, Findings
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


def read_annotated(
    data: DataSet, tests: GeneTests, findings: Findings, *, sets_are_good: bool
) -> dict[str, set[bytes]]:
    """A sample of the variants that are annotated, and of those in sets, by config key; nothing of an unusable file.

    Args:
        data: the launch's data.
        tests: the config's section.
        findings: get it when no mask has an annotation that occurs, or some have none.
        sets_are_good: whether the list of sets was read without a fault.
    """
    masks = findings.attempt(_MASKS, partial(_read_masks, data, tests.masks), None)
    sample = _Sample()
    categories = findings.attempt(ANNOTATIONS, partial(_read_annotations, data, tests.annotations, sample), None)
    found = {}
    if categories is not None:
        found[ANNOTATIONS] = sample.ids
        if masks:
            _check_masks(masks, categories, data.uri(tests.masks), data.uri(tests.annotations), findings)
    if sets_are_good:
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


def _read_annotations(data: DataSet, path: str, sample: _Sample) -> set[bytes]:
    categories: set[bytes] = set()
    for line in unpacked_lines(data, path):
        fields = line.split()
        if len(fields) >= _COLUMNS:
            sample.add(fields[0])
            categories.update(fields[_COLUMNS - 1 : _COLUMNS + 1])
    return categories


def _read_sets(data: DataSet, path: str) -> set[bytes]:
    sample = _Sample()
    for line in data.lines(path):
        for name in _SEPARATORS.split(line.strip())[_COLUMNS:]:
            sample.add(name)
    return sample.ids


def _read_masks(data: DataSet, path: str) -> dict[bytes, list[bytes]]:
    """Mask -> its annotations."""
    lines: Iterator[list[bytes]] = (_SEPARATORS.split(line.strip()) for line in unpacked_lines(data, path))
    masks = {fields[0]: fields[1:] for fields in lines if len(fields) >= _MASK_COLUMNS}
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
