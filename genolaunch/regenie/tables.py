"""Checks headers of the phenotype and covariate files, because regenie drops some columns silently."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from genolaunch.regenie.data_set import DataSet
from genolaunch.regenie.text_files import check_start
from genolaunch.shared.input_error import UnusableInputError

_FIRST_READ_BYTES: Final = 1 << 16
_LONGEST_HEADER_BYTES: Final = 1 << 26
"""More than a million columns: a file without a line end in its first 64 MiB is no table."""
_ID_COLUMNS: Final = ("FID", "IID")
_OTHER_DELIMITERS: Final = (",", ";", "|")
_NAMED_AT_MOST: Final = 20
_HEADER_REMEDY: Final = "Its first line must be FID, IID and the names of the columns, separated by spaces or tabs."
_RANGE: Final = re.compile(r"(?P<first>(?P<stem>\D*)(?P<start>\d{1,9}))[-:](?P=stem)?\d+")
"""Such as pc1-pc4 or pc1:4; regenie itself has a notation for ranges, which names no column (pc{1:4})."""
_SHOWN: Final = 60
"""Characters of a header that is none: it may be the whole of a file without line ends."""


def read_columns(data: DataSet, path: str) -> tuple[str, ...]:
    """Columns of a phenotype or covariate file after FID and IID.

    Raises:
        UnusableInputError: missing, compressed, not starting with FID and IID, parted by something else than single
            spaces or tabs (regenie takes two for an empty column), without further columns, or with a column twice.
    """
    header = _header(data, path).rstrip("\r")
    if not header.strip():
        raise UnusableInputError(f"names {data.uri(path)}, which {_what_is_there(data, path)}", _HEADER_REMEDY)
    columns = header.replace("\t", " ").removesuffix(" ").split(" ")
    delimiter = next((mark for mark in _OTHER_DELIMITERS if header.startswith(f"FID{mark}")), None)
    if delimiter or "" in columns[1:]:
        raise UnusableInputError(
            f"names {data.uri(path)}, whose columns are separated by "
            + (f"{delimiter!r}" if delimiter else "more than one space or tab"),
            "Separate columns by one space or tab each, in all rows.",
        )
    if tuple(columns[:2]) != _ID_COLUMNS:
        raise UnusableInputError(
            f"names {data.uri(path)}, whose header starts with {' '.join(columns[:2])[:_SHOWN] or 'nothing'}",
            _HEADER_REMEDY,
        )
    names = columns[2:]
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise UnusableInputError(
            f"names {data.uri(path)}, whose header has columns more than once: {_listed(repeated)}",
            "Give every column a name of its own.",
        )
    if not names:
        raise UnusableInputError(
            f"names {data.uri(path)}, which has no columns after FID and IID", "Check that it is the right file."
        )
    return tuple(names)


def trait_indices(columns: Sequence[str], traits: Sequence[str]) -> Mapping[str, int]:
    """Number by which regenie names each trait's files (`_l0_Y1`, `_1.loco`).

    That is the trait's place, from 1, in the phenotype file's header among the traits that are kept, and not its place
    in --phenoColList (measured on regenie 4.1.2).

    Raises:
        UnusableInputError: traits are not in the header. Names all of them; regenie would leave them out silently.
    """
    unknown = [trait for trait in traits if trait not in columns]
    if unknown:
        raise UnusableInputError(
            f"names {_listed(unknown)}, not in the header of the phenotype file",
            f"{_of_ranges(unknown, columns)}Its columns are {_listed(columns)}.",
        )
    kept = [column for column in columns if column in set(traits)]
    return {trait: kept.index(trait) + 1 for trait in traits}


def check_covariates(columns: Sequence[str], named: Sequence[str]) -> None:
    """Raise UnusableInputError if covariates are not among a covariate file's columns; no columns: nothing to say."""
    unknown = [name for name in named if columns and name not in columns]
    if unknown:
        raise UnusableInputError(
            f"names {_listed(unknown)}, not in the header of the covariate file",
            f"{_of_ranges(unknown, columns)}Its columns are {_listed(columns)}.",
        )


def _of_ranges(unknown: Sequence[str], columns: Sequence[str]) -> str:
    """What to say if a name is a range of columns, such as pc1-pc4; else nothing."""
    for name in unknown:
        parts = _RANGE.fullmatch(name)
        if parts and parts["first"] in columns:
            start = f"{parts['first']}, {parts['stem']}{int(parts['start']) + 1}, ..."
            return f"Columns are listed one by one, without ranges: [{start}]. "
    return ""


def _what_is_there(data: DataSet, path: str) -> str:
    head = data.head(path, _FIRST_READ_BYTES)
    if not head:
        return "is empty"
    return "begins with an empty line" if head.strip() else "has nothing but blank lines"


def _header(data: DataSet, path: str) -> str:
    length = _FIRST_READ_BYTES
    while True:
        head = data.head(path, length)
        check_start(head, data.uri(path))
        line, end, _ = head.partition(b"\n")
        if end or len(head) < length or length >= _LONGEST_HEADER_BYTES:
            return line.decode(errors="replace")
        length *= 8


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED_AT_MOST])
    return shown if len(names) <= _NAMED_AT_MOST else f"{shown} and {len(names) - _NAMED_AT_MOST} more"
