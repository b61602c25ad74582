"""How chromosomes are named and numbered. Measured on regenie v4.1.2."""

from typing import Final

CHROMOSOMES: Final = 23
"""Numbers 1 to 23; 23 is X with its pseudo-autosomal regions."""

_X_NAMES: Final = frozenset({"X", "XY", "PAR1", "PAR2"})

_NON_PAR: Final = (2_781_479, 155_701_383)
"""Bounds of X without its pseudo-autosomal regions, themselves not of it: regenie's --par-region hg38, its default."""


def is_haploid_in_males(chromosome: int, position: int) -> bool:
    """Whether males have one copy (Geno.cpp of 4.1.2, in_non_par)."""
    return chromosome == CHROMOSOMES and _NON_PAR[0] < position < _NON_PAR[1]


def chromosome_number(name: str) -> int | None:
    """Number of a chromosome written as `6`, `chr6`, `X` or `23`; None when it is none of 1 to 23."""
    bare = name.removeprefix("chr")
    if bare in _X_NAMES:
        return CHROMOSOMES
    if bare.isascii() and bare.isdigit() and 1 <= int(bare) <= CHROMOSOMES:
        return int(bare)
    return None
