"""Decoding of bed files and cutting of blocks."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from regenie_stand_in.plink import MISSING, Bed, Block, Variant, cut_blocks

CODE_OF_COUNT = {2: 0b00, MISSING: 0b01, 1: 0b10, 0: 0b11}


def packed(counts: list[list[int]]) -> bytes:
    """A bed file's bytes for rows of counts: four samples a byte, the first in the lowest bits."""
    content = bytearray(b"\x6c\x1b\x01")
    for row in counts:
        for start in range(0, len(row), 4):
            codes = (CODE_OF_COUNT[count] << 2 * place for place, count in enumerate(row[start : start + 4]))
            content.append(sum(codes))
    return bytes(content)


def variant(row: int, chromosome: int = 1) -> Variant:
    return Variant(row, chromosome, f"v{row}", row, "A", "G")


tables = st.integers(1, 13).flatmap(
    lambda samples: st.lists(
        st.lists(st.sampled_from(sorted(CODE_OF_COUNT)), min_size=samples, max_size=samples), min_size=1, max_size=6
    )
)


@settings(deadline=None)
@given(tables, st.data())
def test_any_table_of_counts_is_read_back(tmp_path_factory, table, data):
    path = tmp_path_factory.getbasetemp() / "any.bed"
    path.write_bytes(packed(table))
    bed = Bed(path, variants=len(table), samples=len(table[0]))
    rows = data.draw(st.lists(st.integers(0, len(table) - 1), min_size=1, unique=True))
    people = data.draw(st.lists(st.integers(0, len(table[0]) - 1), min_size=1, unique=True).map(sorted))

    read = bed.counts(np.array(rows), np.array(people))

    assert read.tolist() == np.array(table)[np.ix_(rows, people)].tolist()


def test_missing_calls_become_the_mean_of_the_analysed_samples(tmp_path):
    path = tmp_path / "small.bed"
    path.write_bytes(packed([[2, MISSING, 1, 0, 0], [MISSING] * 5]))
    block = Block(1, (variant(0), variant(1)))

    genotypes = Bed(path, variants=2, samples=5).genotypes(block, np.array([0, 1, 2]))

    assert genotypes.counts.tolist() == [[2.0, 1.5, 1.0], [0.0, 0.0, 0.0]]
    assert genotypes.missing.tolist() == [[False, True, False], [True, True, True]]


@given(st.lists(st.integers(0, 25), min_size=1, max_size=5), st.integers(1, 10))
def test_blocks_keep_order_and_never_cross_chromosomes(per_chromosome, size):
    chromosomes = [number for number, count in enumerate(per_chromosome, start=1) for _ in range(count)]
    variants = [variant(row, chromosome) for row, chromosome in enumerate(chromosomes)]

    blocks = cut_blocks(variants, size)

    assert [member for block in blocks for member in block.variants] == variants
    assert all({member.chromosome for member in block.variants} == {block.chromosome} for block in blocks)
    assert len(blocks) == sum(-(-count // size) for count in per_chromosome)
    assert all(len(block.variants) <= size for block in blocks)
