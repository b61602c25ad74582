"""Whole blocks of numbers at once: how they are read, and what is counted of them.

It is for blocks in which nothing is odd, as nearly all are. Any other is None here, and is looked at value by value:
what is read here is what `number_of` reads.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json

from lambdas.regenie.preflight.column import LARGEST_NUMBER, Column, Counted
from lambdas.regenie.preflight.missing_codes import TAKEN_FOR_MISSING

Matrix: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.intp]
Marks: TypeAlias = NDArray[np.bool_]

_MEANT: Final = b"0123456789.+-eENA"
"""What numbers and NA are written with. Anything else is read in another way by Python, by JSON or by regenie."""
_AS_JSON: Final = bytes(
    character if character in _MEANT else ord(",") if character == ord(" ") else ord("?") for character in range(256)
)
"""What becomes of each character in a list of JSON; a question mark stands nowhere in one."""
_FEW: Final = 64
"""Values, for fewer of which numpy's own work is more than theirs."""


def are_separated(text: bytes, rows: int, width: int) -> bool:
    """Whether each line has so many words, and one space between two of them.

    Args:
        text: the lines, each with its end.
        rows: how many there are.
        width: words of each.
    """
    characters = np.frombuffer(text, np.uint8)
    between = np.flatnonzero(characters <= ord(" "))
    if len(between) != rows * width or between[0] == 0 or (np.diff(between) == 1).any():
        return False
    separators = characters[between].reshape(rows, width)
    return bool((separators[:, :-1] == ord(" ")).all() and (separators[:, -1] == ord("\n")).all())


def parsed(words: bytes, rows: int, columns: int) -> Matrix | None:
    """The numbers that words with one space between them stand for, with NaN for NA; None if a word is neither.

    They are read as a list of JSON, by the parser that pydantic has: in a fifth of the time of `float`, and to the same
    number (both take the nearest one). A number that JSON writes in another way (`.5`, `+1`, `007`) is None here, too.

    Args:
        words: of some rows, one after the other.
        rows: how many there are.
        columns: words of each row.

    Returns:
        A row for each row; None also if a number is above LARGEST_NUMBER.
    """
    try:
        numbers = np.array(from_json(b"[" + words.translate(_AS_JSON).replace(b"NA", b"NaN") + b"]"), np.float64)
    except (ValueError, OverflowError):
        return None
    if len(numbers) != rows * columns or np.fmax.reduce(np.abs(numbers)) > LARGEST_NUMBER:
        return None
    return numbers.reshape(rows, columns)


def have_numbers(values: Matrix) -> Marks:
    """`Column.has` of each value."""
    marks: Marks = ~np.isnan(values) & (values != TAKEN_FOR_MISSING)
    return marks


def add_numbers(columns: Sequence[Column], values: Matrix) -> None:
    """As `Column.add`, to all columns at once.

    Args:
        columns: as many as `values` has.
        values: a row for each of some people; NaN for NA.
    """
    if not len(values):
        return
    numbers = np.ascontiguousarray(values.T)
    taken = numbers == TAKEN_FOR_MISSING
    numbers[taken] = math.nan
    is_there = ~np.isnan(numbers)
    firsts = numbers[np.arange(len(columns)), is_there.argmax(axis=1)]
    shifts = np.array(
        [column.shift if column.observed else first for column, first in zip(columns, firsts, strict=True)]
    )
    left = numbers - shifts[:, np.newaxis]
    left[~is_there] = 0.0
    least, greatest = np.array([column.codes.outermost for column in columns]).T[:, :, np.newaxis]
    of_each = zip(
        columns,
        numbers,
        (numbers <= least) | (numbers >= greatest),
        np.floor(numbers) == numbers,
        shifts.tolist(),
        np.count_nonzero(is_there, axis=1).tolist(),
        np.count_nonzero(taken, axis=1).tolist(),
        np.count_nonzero(numbers < 0, axis=1).tolist(),
        np.fmin.reduce(numbers, axis=1).tolist(),
        np.fmax.reduce(numbers, axis=1).tolist(),
        left.sum(axis=1).tolist(),
        np.einsum("ij,ij->i", left, left).tolist(),
        strict=True,
    )
    for column, own, is_outermost, is_whole, *counts in of_each:
        column.take(Counted(len(values), *counts), _people_of(own[is_outermost]), _people_of(own[is_whole]))


def _people_of(values: NDArray[np.float64]) -> dict[float, int]:
    """How many have each value, the least first."""
    if len(values) < _FEW:
        return Counter(sorted(values.tolist()))
    different, people = np.unique(values, return_counts=True)
    return dict(zip(different.tolist(), people.tolist(), strict=True))
