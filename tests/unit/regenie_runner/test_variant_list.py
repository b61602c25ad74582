"""Counting a chunk's variants in the list on the file system."""

from pathlib import Path
from typing import Any

import pytest

from regenie_runner.errors import RunnerError
from regenie_runner.variant_list import VariantSlice, count_lines, count_variants

LINES = ["1 a 0 10 A G\n", "chr1 b 0 20 A G\n", "1 c 0 20 A G\n", "01 d 0 30 A G\n"]


def piece(folder: Path, lines: list[str], **changed: Any) -> VariantSlice:
    """Given: a list, of which a chunk is the two lines in the middle."""
    path = folder / "cohort.bim"
    path.write_text("".join(lines))
    start = len(lines[0])
    found = VariantSlice(str(path), start, start + len(lines[1] + lines[2]), 3, 1, 20, 20)
    return found._replace(**changed)


def test_the_lines_of_the_slice_are_the_chunks_variants(tmp_path: Path):
    middle = piece(tmp_path, LINES)

    assert count_variants(middle) == count_lines(middle) == 2


def test_a_last_line_without_an_end_counts(tmp_path: Path):
    text = "".join(LINES).rstrip("\n")
    last = piece(tmp_path, [*LINES[:3], LINES[3].rstrip("\n")], end=len(text), last=30)

    assert count_variants(last) == count_lines(last) == 3


@pytest.mark.parametrize("name", ["X", "chrX", "PAR1", "23"])
def test_x_has_regenies_number(tmp_path: Path, name: str):
    (tmp_path / "x.pvar").write_text(f"{name}\t7\trs1\tA\tG\n")
    size = (tmp_path / "x.pvar").stat().st_size

    assert count_variants(VariantSlice(str(tmp_path / "x.pvar"), 0, size, 1, 23, 7, 7)) == 1


@pytest.mark.parametrize("line", ["1 c 0 21 A G\n", "2 c 0 20 A G\n", "Y c 0 20 A G\n", "1 c 0  x A G\n", "\n"])
def test_a_variant_out_of_order_between_the_samples_is_found_here(tmp_path: Path, line: str):
    with pytest.raises(RunnerError, match=r"cohort\.bim is not sorted by chromosome and position"):
        count_variants(piece(tmp_path, [LINES[0], LINES[1], line, LINES[3]]))


def test_a_list_that_ends_before_the_slice_is_an_error(tmp_path: Path):
    with pytest.raises(RunnerError, match="ends 900 bytes before"):
        count_lines(piece(tmp_path, LINES, end=sum(map(len, LINES)) + 900))
