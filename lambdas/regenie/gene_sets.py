"""Sets of variants (genes) to test together, and their division into jobs."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from genolaunch.regenie.data_set import DataSet
from genolaunch.regenie.text_files import check_start
from genolaunch.shared.input_error import UnusableInputError
from lambdas.regenie.chunks import SetChunk
from lambdas.regenie.preflight.findings import text
from lambdas.regenie.variants import known_chromosome

_SEPARATORS: Final = re.compile(rb"[ \t,]")
"""Each ends a word: regenie sees an empty one between two of them (4.1.2's sources: Files.cpp, string_split)."""
_POSITION: Final = re.compile(rb"0|[1-9][0-9]*")
"""regenie reads a position up to what is no digit (1e6 is 1, 1234.5 is 1234), and one with a leading 0 as octal."""
_HEAD_BYTES: Final = 1 << 16
_COLUMNS: Final = 4
"""Name, chromosome, position, and the variants, separated by commas (regenie's documentation, "Set list file")."""


class GeneSet(NamedTuple):
    """A line of the set list, without its variants."""

    name: str
    chromosome: int


def read_sets(data: DataSet, path: str) -> tuple[GeneSet, ...]:
    """All sets in the order of the file; memory holds their names.

    Raises:
        UnusableInputError: missing, without sets, with a line that is no set, a chromosome that regenie refuses, or a
            name twice (by which jobs choose their sets).
    """
    check_start(data.head(path, _HEAD_BYTES), data.uri(path))
    sets = tuple(_parse(line, number, data.uri(path)) for number, line in enumerate(data.lines(path), 1))
    names = sorted(found.name for found in sets)
    repeated = next((name for name, following in pairwise(names) if name == following), None)
    if repeated is not None:
        raise UnusableInputError(f"names {data.uri(path)}, which has the set {repeated} twice", "Name each set once.")
    if not sets:
        raise UnusableInputError(f"names {data.uri(path)}, which has no sets", "Check that it is the right file.")
    return sets


def _parse(line: bytes, number: int, uri: str) -> GeneSet:
    fields = _SEPARATORS.split(line, _COLUMNS - 1)
    if len(fields) < _COLUMNS or not all(fields):
        raise UnusableInputError(
            f"names {uri}, whose line {number} is not `SET CHROMOSOME POSITION VARIANT,VARIANT,...`",
            "Separate the columns by one tab or space each, remove empty lines, and unpack the file if it is "
            "compressed.",
        )
    if not _POSITION.fullmatch(fields[2]):
        raise UnusableInputError(
            f"names {uri}, whose line {number} has {text(fields[2])!r} where the position of the set {text(fields[0])} "
            "stands, which regenie takes for another number",
            "Write positions as whole numbers, without a point, an exponent, or a 0 before them.",
        )
    return GeneSet(fields[0].decode(errors="replace"), known_chromosome(fields[1].decode(errors="replace"), uri))


def cut_sets(
    sets: Sequence[GeneSet], variants_by_chromosome: Mapping[int, int], sets_per_job: int
) -> Iterator[SetChunk]:
    """Chunks of at most `sets_per_job` sets of one chromosome, about equally many, for a data set's chromosomes."""
    for chromosome, variants in variants_by_chromosome.items():
        names = [found.name for found in sets if found.chromosome == chromosome]
        jobs = -(-len(names) // sets_per_job)
        for job in range(jobs):
            chosen = names[len(names) * job // jobs : len(names) * (job + 1) // jobs]
            yield SetChunk(chromosome, tuple(chosen), variants // jobs)
