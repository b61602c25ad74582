"""How regenie numbers chromosomes."""

X_CHROMOSOME = 23
_X_NAMES = frozenset({"X", "XY", "PAR1", "PAR2"})


def chromosome_number(name: str) -> int | None:
    """1 to 23 for a name such as `6`, `chr6`, `06` or `X`, None for one that regenie 4.1.2 refuses (Y, MT, contigs).

    X and its pseudo-autosomal regions are one chromosome to regenie, also where it cuts blocks.
    """
    bare = name.removeprefix("chr")
    if bare in _X_NAMES:
        return X_CHROMOSOME
    if bare.isascii() and bare.isdigit() and 1 <= int(bare) <= X_CHROMOSOME:
        return int(bare)
    return None
