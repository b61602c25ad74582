"""Cutting variants into blocks and chunks."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genolaunch.shared.input_error import UnusableInputError
from lambdas.regenie.chunks import Chunk, cut_chromosome, survey

POSITIONS = st.lists(st.integers(1, 300), min_size=1, max_size=120).map(sorted)


def _within(chunk: Chunk, positions: list[int]) -> list[int]:
    return [position for position in positions if chunk.start <= position <= chunk.end]


@given(positions=POSITIONS, limit=st.integers(1, 50))
def test_every_variant_is_in_exactly_one_range(positions: list[int], limit: int):
    chunks = list(cut_chromosome(1, positions, limit))

    assert [len(_within(chunk, positions)) for chunk in chunks] == [chunk.variants for chunk in chunks]
    assert sum(chunk.variants for chunk in chunks) == len(positions)
    assert all(left.end < right.start for left, right in itertools.pairwise(chunks))


@given(positions=POSITIONS, limit=st.integers(1, 50))
def test_no_chunk_is_empty_or_above_the_limit_unless_one_position_is(positions: list[int], limit: int):
    for chunk in cut_chromosome(1, positions, limit):
        assert chunk.variants >= 1
        assert chunk.variants <= limit or chunk.start == chunk.end


@given(count=st.integers(1, 500), limit=st.integers(1, 60))
def test_variants_at_places_of_their_own_are_cut_evenly_into_the_fewest_jobs(count: int, limit: int):
    chunks = list(cut_chromosome(1, range(count), limit))

    sizes = [chunk.variants for chunk in chunks]
    assert len(chunks) == -(-count // limit)
    assert max(sizes) - min(sizes) <= 1


def test_a_cut_that_would_part_variants_at_one_position_moves_before_them():
    chunks = list(cut_chromosome(7, [10, 20, 20, 20, 30, 40], 3))

    assert [(chunk.range, chunk.variants) for chunk in chunks] == [("7:10-10", 1), ("7:20-20", 3), ("7:30-40", 2)]


def test_one_position_with_more_variants_than_a_job_gets_is_one_job():
    chunks = list(cut_chromosome(1, [5, 5, 5, 5, 9], 2))

    assert [(chunk.range, chunk.variants) for chunk in chunks] == [("1:5-5", 4), ("1:9-9", 1)]


def test_chunks_and_blocks_never_cross_chromosomes():
    # Given 5 variants on chromosome 1 and 3 on chromosome 2
    positions = [(1, position) for position in range(5)] + [(2, position) for position in range(3)]

    found = survey(positions, variants_per_job=100)

    assert found.variants_by_chromosome == {1: 5, 2: 3}
    assert [chunk.range for chunk in found.chunks] == ["1:0-4", "2:0-2"]
    assert found.blocks(2) == 3 + 2
    assert found.blocks(100) == 2


def test_positions_that_are_not_in_order_are_still_covered_once():
    # Given X first, and then its pseudo-autosomal region, as PLINK 1 writes them
    found = survey([(23, 500), (23, 900), (23, 100), (23, 200)], variants_per_job=2)

    assert [(chunk.range, chunk.variants) for chunk in found.chunks] == [("23:100-200", 2), ("23:500-900", 2)]


def test_a_chromosome_in_two_places_is_refused():
    with pytest.raises(UnusableInputError, match="chromosome 1 in several places"):
        survey([(1, 5), (2, 5), (1, 9)], variants_per_job=10)


def test_a_data_set_without_variants_is_refused():
    with pytest.raises(UnusableInputError, match="lists no variants"):
        survey([], variants_per_job=10)
