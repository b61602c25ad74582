"""Columns of a line that regenie reads by their places: a blank within one moves all behind it.

regenie parts a line at each single space or tab (4.1.2's sources: Files.cpp, string_split), and says nothing of a line
with more columns than it reads.
"""


def columns_of(line: bytes) -> list[bytes]:
    """The words of a line, without empty ones at its end."""
    return line.rstrip(b" \t\r").replace(b"\t", b" ").split(b" ")


def has_columns(line: bytes, whole: int, read: int) -> bool:
    """Whether a line has as many columns as its format says, so that each is what its place says.

    Blanks in a column behind those that regenie reads move nothing, where tabs part the columns.

    Args:
        line: without its end.
        whole: columns of the format, or of the file's header.
        read: how many of these regenie reads, from the first on.
    """
    if len(columns_of(line)) == whole:
        return True
    parted = line.rstrip(b"\t\r").split(b"\t")
    return len(parted) == whole and not any(b" " in column for column in parted[:read])
