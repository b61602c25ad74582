"""Counts the variants of a chunk in the list on the file system, where the plan could only estimate their number."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from regenie_runner.errors import RunnerError

if TYPE_CHECKING:
    from genolaunch.contract.plan import VariantSliceOfList

_BLOCK = 1 << 20
_X_NAMES = frozenset({b"X", b"XY", b"PAR1", b"PAR2"})
_X_CHROMOSOME = 23  # regenie's number of X and its pseudo-autosomal regions


class VariantSlice(NamedTuple):
    """The bytes of a .bim or .pvar that hold a chunk's variants and no others: lines from `start` up to `end`."""

    path: str
    start: int
    end: int
    position_column: int  # from 0
    chromosome: int
    first: int  # least position of the chunk's range
    last: int

    @classmethod
    def of(cls, place: VariantSliceOfList | None) -> VariantSlice | None:
        """That of a line of the plan; None for a chunk whose number of variants is known."""
        return cls(**place) if place else None


def count_lines(piece: VariantSlice) -> int:
    """Variants of a slice; RunnerError if the file is shorter than the plan says."""
    return sum(block.count(b"\n") for block in _blocks(piece))


def count_variants(piece: VariantSlice) -> int:
    """Variants of a slice, after making sure that all of them are in the chunk's range.

    Planning read samples of the list only, and took it to be sorted. Slices follow one another without a gap: when
    each holds its own range's variants only, then each variant of the list is in exactly one range.
    """
    variants = 0
    rest = b""
    for block in _blocks(piece):
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            _check_line(line, piece)
        variants += len(lines)
    return variants


def _check_line(line: bytes, piece: VariantSlice) -> None:
    fields = line.split(None, piece.position_column + 1)
    try:
        chromosome, position = _chromosome_number(fields[0]), int(fields[piece.position_column])
    except (IndexError, ValueError):
        chromosome, position = 0, 0
    if chromosome != piece.chromosome or not piece.first <= position <= piece.last:
        shown = b" ".join(fields[: piece.position_column + 1]).decode(errors="replace")
        raise RunnerError(
            f"{Path(piece.path).name} is not sorted by chromosome and position: the line {shown!r} is among those of "
            f"{piece.chromosome}:{piece.first}-{piece.last}. Sort the files (plink2 --sort-vars) and launch again."
        )


def _chromosome_number(name: bytes) -> int:
    bare = name.removeprefix(b"chr")
    return _X_CHROMOSOME if bare in _X_NAMES else int(bare)


def _blocks(piece: VariantSlice) -> Iterator[bytes]:
    """The slice in blocks, with an end of line where the list's last line has none."""
    left, last = piece.end - piece.start, b""
    with Path(piece.path).open("rb") as file:
        file.seek(piece.start)
        while left and (block := file.read(min(left, _BLOCK))):
            left -= len(block)
            last = block[-1:]
            yield block
    if left:
        raise RunnerError(f"{Path(piece.path).name} ends {left:,} bytes before the plan's slice of it.")
    if last != b"\n":
        yield b"\n"
