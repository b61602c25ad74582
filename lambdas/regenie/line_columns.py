"""Columns of a line that regenie reads by their places: a blank within one moves all behind it.

regenie splits a line at each single space or tab (4.1.2's sources: Files.cpp, string_split), takes lines with more
columns than it reads (Geno.cpp, read_bim and read_fam), and does not tell of them.
"""


def columns_of(line: bytes) -> list[bytes]:
    """The words of a line, without empty ones at its end."""
    return line.rstrip(b" \t\r\n").replace(b"\t", b" ").split(b" ")


def count_columns(line: bytes, read: int) -> int:
    """How many columns a line has. Behind those that regenie reads, several blanks separate as one.

    Args:
        line: with or without its end.
        read: how many columns regenie reads, from the first on.
    """
    words = columns_of(line)
    return len(words[:read]) + sum(map(bool, words[read:]))


def has_columns(line: bytes, whole: int, read: int) -> bool:
    """Whether a line has as many columns as the file, so that each is what its place says.

    Blanks in a column behind those that regenie reads move nothing, where tabs separate the columns.

    Args:
        line: with or without its end.
        whole: columns of the file, by its header or its first line.
        read: how many of these regenie reads, from the first on.
    """
    if count_columns(line, read) == whole:
        return True
    parted = line.rstrip(b"\t\r\n").split(b"\t")
    return len(parted) == whole and not any(b" " in column for column in parted[:read])
