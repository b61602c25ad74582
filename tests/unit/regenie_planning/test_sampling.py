"""Cutting a long list of variants by samples of it."""

import itertools
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from genolaunch.regenie.genotypes import GenotypeCounts, GenotypeFiles
from genolaunch.shared.input_error import UnusableInputError
from lambdas.regenie import sampling, surveying
from lambdas.regenie.chunks import Chunk, Survey
from lambdas.regenie.sampling import NotSampledError, Probing, sample_list
from lambdas.regenie.surveying import survey_variants
from lambdas.regenie.variants import line_parser
from tests.unit.regenie_planning.conftest import MemoryDataSet, bim

Position = tuple[int, int]
SMALL = Probing(window_bytes=48, sampled_share=0.1)
"""Two lines a window: every edge of a window is met in lists of a few hundred lines."""

BED, PGEN = GenotypeFiles("a.bed"), GenotypeFiles("a.pgen")
POSITIONS = st.lists(st.tuples(st.integers(1, 23), st.integers(1, 40)), min_size=1, max_size=200).map(sorted)


@dataclass(frozen=True, slots=True)
class CountingDataSet(MemoryDataSet):
    """Says how many bytes were read."""

    reads: list[int] = field(default_factory=list)

    def read(self, path: str, start: int, length: int) -> bytes:
        block = MemoryDataSet.read(self, path, start, length)
        self.reads.append(len(block))
        return block


def listed(*positions: Position, name: str = "a.bim", header: bytes = b"") -> CountingDataSet:
    """Given: a list of variants at (chromosome, position)."""
    return CountingDataSet("data", "", {name: header + bim(*((str(name), place) for name, place in positions))})


def sampled(
    data: MemoryDataSet, variants: int, limit: int, files: GenotypeFiles = BED, probing: Probing = SMALL
) -> Survey:
    return sample_list(data, line_parser(data, files), variants, limit, probing)


@pytest.fixture
def any_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given: lists too short to be worth sampling are sampled all the same, however uneven their lines."""
    monkeypatch.setattr(sampling, "MOST_READ_SHARE", float("inf"))
    monkeypatch.setattr(sampling, "TOLERANCE", float("inf"))


@pytest.mark.parametrize("end", [b" \n", b"\t\n", b" \t\n"])
def test_blanks_behind_lines_are_taken_as_in_a_list_that_is_read_whole(any_share: None, end: bytes):
    positions = [(1 + number // 100, 10 + number % 100) for number in range(400)]
    data = listed(*positions)
    data.files["a.bim"] = data.files["a.bim"].replace(b"\n", end)

    assert sampled(data, len(positions), 100).chunks


def lines_of(data: MemoryDataSet, chunk: Chunk, name: str = "a.bim") -> list[Position]:
    """Variants of the lines of a chunk's slice."""
    assert chunk.slice is not None
    lines = data.files[name][chunk.slice.start : chunk.slice.end].decode().splitlines()
    return [(int(line.split()[0]), int(line.split()[3])) for line in lines]


def check_cut(data: MemoryDataSet, positions: list[Position], chunks: tuple[Chunk, ...]) -> None:
    """Ranges are disjoint and cover all, a slice has exactly its range's variants, and no position is parted."""
    assert [variant for chunk in chunks for variant in lines_of(data, chunk)] == positions
    for chunk in chunks:
        lines = lines_of(data, chunk)
        assert {chromosome for chromosome, _ in lines} == {chunk.chromosome}
        assert (lines[0][1], lines[-1][1]) == (chunk.start, chunk.end)
    for before, after in itertools.pairwise(chunks):
        assert (before.chromosome, before.end) < (after.chromosome, after.start)


@given(positions=POSITIONS, limit=st.integers(1, 60), share=st.floats(0, 0.5), window=st.integers(8, 200))
@example(positions=[(1, 1)] * 4 + [(1, 2)], limit=1, share=0.25, window=8)  # a sample begins where the last window does
@pytest.mark.usefixtures("any_share")
def test_every_variant_of_any_sorted_list_is_in_exactly_one_range(
    positions: list[Position], limit: int, share: float, window: int
):
    data = listed(*positions)

    found = sampled(data, len(positions), limit, probing=Probing(window, share))

    check_cut(data, positions, found.chunks)
    assert found.variants == len(positions)


# Each one cuts and reads two thousand lines: on a busy machine drawing them is slow, which says nothing about the code.
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(
    gaps=st.randoms(use_true_random=False),
    count=st.integers(2_000, 2_500),
    limit=st.integers(100, 700),
    last=st.integers(1, 1_999),
)
@pytest.mark.usefixtures("any_share")
def test_chunks_of_a_list_of_usual_lines_are_as_even_as_is_promised(gaps: Random, count: int, limit: int, last: int):
    # Given two chromosomes, the first of which ends anywhere
    places = list(itertools.accumulate(gaps.choices(range(4), k=count), initial=1_000_000))
    positions = [(1, place) for place in places[:last]] + [(2, place) for place in places[last:]]
    data = listed(*positions)

    found = sampled(data, len(positions), limit, probing=Probing(512, 0.1))

    check_cut(data, positions, found.chunks)
    for chromosome in (1, 2):
        sizes = [len(lines_of(data, chunk)) for chunk in found.chunks if chunk.chromosome == chromosome]
        even = sum(sizes) / len(sizes)
        # A cut moves to the next position, here by some lines; they are half a percent of what is usual.
        assert max(sizes) <= min(even, limit) * (1 + sampling.TOLERANCE) + 12
        assert len(sizes) <= -(-sum(sizes) // limit) + 1


def test_a_long_list_is_hardly_read():
    # Given 600,000 lines
    positions = [(chromosome, place) for chromosome in (1, 2, 3) for place in range(1_000_000, 1_200_000)]
    data = listed(*positions)

    found = sampled(data, len(positions), 20_000, probing=Probing(1024))

    assert sum(data.reads) < 0.05 * len(data.files["a.bim"])
    assert [len(lines_of(data, chunk)) for chunk in found.chunks] == pytest.approx([20_000] * 30, rel=0.01)


@pytest.mark.usefixtures("any_share")
def test_the_header_of_a_pvar_is_in_no_slice():
    header = b"##fileformat=VCFv4.2\n" * 50 + b"#CHROM\tPOS\tID\tREF\tALT\n"
    body = b"".join(b"%d\t%d\trs%d\tA\tG\n" % (chromosome, n, n) for chromosome in (1, 2) for n in range(1, 50))
    data = CountingDataSet("data", "", {"a.pvar": header + body})

    found = sampled(data, 98, 20, PGEN)

    assert found.chunks[0].slice is not None
    assert found.chunks[0].slice.start == len(header)
    assert {(chunk.chromosome, chunk.start) for chunk in found.chunks} >= {(1, 1), (2, 1)}


@pytest.mark.usefixtures("any_share")
def test_a_position_with_more_variants_than_a_window_is_not_parted():
    positions = [(1, 5)] + [(1, 9)] * 100 + [(1, 11)]
    data = listed(*positions)

    found = sampled(data, 102, 10)

    check_cut(data, positions, found.chunks)


@pytest.mark.usefixtures("any_share")
@pytest.mark.parametrize(
    "positions",
    [
        [(1, place) for place in range(300, 1, -1)],
        [(2, place) for place in range(1, 100)] + [(1, place) for place in range(1, 100)],
        # PLINK 1 puts the pseudo-autosomal region behind X, and regenie calls both 23
        [(23, place) for place in range(1, 200)] + [(23, place) for place in range(1, 9)],
    ],
)
def test_a_list_that_is_not_sorted_is_not_sampled(positions: list[Position]):
    with pytest.raises(NotSampledError, match="not sorted by chromosome and position"):
        sampled(listed(*positions), len(positions), 10)


def test_a_list_whose_lines_do_not_add_up_is_not_sampled(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sampling, "MOST_READ_SHARE", float("inf"))

    with pytest.raises(NotSampledError, match="for 500 variants"):
        sampled(listed(*((1, place) for place in range(1, 101))), 500, 10)


def test_a_list_with_chunks_of_a_few_lines_is_read_whole():
    with pytest.raises(NotSampledError, match="not much longer"):
        sampled(listed(*((1, place) for place in range(1, 101))), 100, 1)


@pytest.mark.usefixtures("any_share")
def test_a_chromosome_that_regenie_refuses_is_named_in_a_long_list_too():
    data = CountingDataSet("data", "", {"a.bim": bim(("1", 1), ("MT", 5))})

    with pytest.raises(UnusableInputError, match="chromosome MT "):
        sampled(data, 2, 10)


@pytest.mark.usefixtures("any_share")
def test_a_long_list_that_is_not_sorted_is_read_whole_and_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(surveying, "SHORT_LIST_BYTES", 1_000)
    data = listed(*((1, place) for place in [*range(200, 300), *range(100, 110)]))

    found = survey_variants(data, BED, GenotypeCounts(110, 8), 50)

    assert found.note is not None
    assert found.note.startswith("s3://data/a.bim was read completely, since it is not sorted")
    assert sum(chunk.variants for chunk in found.chunks) == 110
    assert {chunk.slice for chunk in found.chunks} == {None}


@pytest.mark.usefixtures("any_share")
def test_exact_numbers_need_the_whole_list(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(surveying, "SHORT_LIST_BYTES", 1_000)
    data = listed(*((1, place) for place in range(100, 700)))

    exact = survey_variants(data, BED, GenotypeCounts(600, 8), 200, exact=True)
    about = survey_variants(data, BED, GenotypeCounts(600, 8), 200)

    assert [chunk.variants for chunk in exact.chunks] == [200] * 3
    assert None not in [chunk.slice for chunk in about.chunks]
    assert exact.note is about.note is None
