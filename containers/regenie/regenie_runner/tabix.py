"""The index of merged results, and the lines of a region through it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from regenie_runner.errors import RunnerError

INDEX_SUFFIX = ".tbi"


def write_index(path: Path, index: Path) -> None:
    """Index tab-separated results (chromosome in column 1, position in column 2, one header line).

    RunnerError if the file is not in genome order.
    """
    import pysam  # here, because every start of the runner would pay for it

    try:
        pysam.tabix_index(
            os.fspath(path), seq_col=0, start_col=1, end_col=1, line_skip=1, index=os.fspath(index), force=True
        )
    except OSError as error:
        raise RunnerError(f"The index of {path} cannot be made: {error}.") from None


class IndexedResults:
    """Merged results, open for reading regions; a context manager."""

    def __init__(self, path: Path) -> None:
        import pysam

        with pysam.BGZFile(os.fspath(path), "rb", None) as file:
            self._names = next(iter(file)).decode().split("\t")
        self._table = pysam.TabixFile(os.fspath(path), encoding="latin-1")  # any byte: names need not be UTF-8
        self._chromosomes = frozenset(self._table.contigs)

    def __enter__(self) -> IndexedResults:
        return self

    def __exit__(self, *_error: object) -> None:
        self._table.close()

    def region(self, chromosome: str, start: int, end: int) -> Iterator[dict[str, str]]:
        """Column name → text of the lines from `start` to `end` (base pairs, both included), through the index."""
        if chromosome not in self._chromosomes:
            return
        for line in self._table.fetch(chromosome, max(start, 1) - 1, end):
            text = line.encode("latin-1").decode(errors="replace")
            yield dict(zip(self._names, text.split("\t"), strict=True))
