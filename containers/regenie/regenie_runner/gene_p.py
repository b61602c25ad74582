"""Gives the sets of a job the rows of --rgc-gene-p that one run over all jobs would give them.

regenie 4.1.2 combines the tests of all masks (rows such as GENE_P), and those of a mask named M1, pLoF or LoF once more
(GENE_P_M1). Where that mask is the only one, it writes the second rows only (Joint_Tests.cpp: check_class_genep). It
counts only masks of which a chromosome's variants have annotations (Geno.cpp: read_masks): so a job may have one mask
where one run has several, and then writes no GENE_P.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from regenie_runner.packed import open_text

OPTION = "--rgc-gene-p"
_TEST = 7
"""Column of regenie's results, from 0 (4.1.2: CHROM GENPOS ID ALLELE0 ALLELE1 A1FREQ N TEST ...)."""
_GENE_P = b"GENE_P"
_STRONGEST = b";STRONGEST_MASK="


def complete_gene_p(paths: Iterable[str], definition: Path) -> None:
    """Add what is missing to the results of a job. `definition`: the launch's definition of masks."""
    with open_text(definition) as lines:
        masks = sum(bool(line.strip()) for line in lines)
    if masks < 2:  # one run has the one mask, too
        return
    for path in map(Path, paths):
        if not path.exists():
            continue
        rows = path.read_bytes().splitlines(keepends=True)
        if group := _only_group(rows):
            path.write_bytes(b"".join(_completed(rows, group)))


def _only_group(lines: Sequence[bytes]) -> bytes | None:
    """The mask by which all sets' rows are named; None where there are rows of all masks, or of none."""
    groups = {test.removeprefix(_GENE_P) for test in map(_test, lines) if test.startswith(_GENE_P)}
    return next(iter(groups)) if len(groups) == 1 and b"" not in groups else None


def _test(line: bytes) -> bytes:
    words = line.split(b" ", _TEST + 1)
    return words[_TEST] if len(words) > _TEST else b""


def _completed(lines: Iterable[bytes], group: bytes) -> Iterator[bytes]:
    """`group` with the underscore before it. A set's rows of it are side by side, GENE_P last."""
    named: list[bytes] = []
    for line in lines:
        test = _test(line)
        if not test.endswith(group):
            yield line
            continue
        named.append(line)
        if test.startswith(_GENE_P):
            for each in named:
                words = each.split(b" ")
                words[_TEST] = words[_TEST].removesuffix(group)
                yield b" ".join(words)
            yield from (_without_strongest(each) for each in named)
            named = []
    yield from named


def _without_strongest(line: bytes) -> bytes:
    """Of a group of one mask regenie does not name the strongest."""
    return line.partition(_STRONGEST)[0] + b"\n" if _STRONGEST in line else line
