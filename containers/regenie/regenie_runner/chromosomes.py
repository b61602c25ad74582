"""The order of chromosomes, and their numbers in the GWAS Catalog's format (X = 23, Y = 24, MT = 25)."""

from __future__ import annotations

from functools import cache

from regenie_runner.errors import RunnerError

X = 23
_NAMED = {"X": X, "XY": X, "PAR1": X, "PAR2": X, "Y": 24, "MT": 25, "M": 25}
_HIGHEST = 25


@cache
def chromosome_number(name: str) -> int:
    """1 to 25 for a name such as `6`, `chr6`, `06` or `X`; RunnerError for a contig that no result may have."""
    bare = name.removeprefix("chr")
    number = int(bare) if bare.isascii() and bare.isdigit() else _NAMED.get(bare, 0)
    if not 1 <= number <= _HIGHEST:
        raise RunnerError(f"The results name a chromosome {name}, which has no place in the genome's order.")
    return number


def chromosome_label(name: str) -> str:
    """As people call it: regenie writes 23 for X."""
    bare = name.removeprefix("chr")
    return "X" if bare == "23" else bare


def genome_key(number: int, position: int) -> int:
    """A number that grows along the genome: by chromosome, then by position (below 2^32)."""
    return (number << 32) | position


GENOME_END = genome_key(_HIGHEST + 1, 0)
