"""Genotype files and what their headers promise."""

import struct

import pytest

from lambdas.regenie.errors import UnusableInputError
from lambdas.regenie.genotypes import GenotypeCounts, GenotypeFiles, check_genotypes
from tests.unit.regenie_planning.conftest import MemoryDataSet, bed


def _pgen(variants: int, samples: int, mode: int = 0x10) -> bytes:
    return b"\x6c\x1b" + bytes([mode]) + struct.pack("<II", variants, samples) + bytes(20)


def _bgen(variants: int, samples: int, *, has_ids: bool) -> bytes:
    flags = (1 << 31 if has_ids else 0) | (2 << 2) | 1
    free = b"free data"
    header_length = 20 + len(free)
    return (
        struct.pack("<IIII", header_length, header_length, variants, samples)
        + b"bgen"
        + free
        + struct.pack("<I", flags)
    )


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (GenotypeFiles("x/a.bed"), ("x/a.bed", "x/a.bim", "x/a.fam")),
        (GenotypeFiles("a.b.pgen"), ("a.b.pgen", "a.b.pvar", "a.b.psam")),
        (GenotypeFiles("a.bgen"), ("a.bgen", "a.bgen.bgi")),
        (GenotypeFiles("a.bgen", "a.sample"), ("a.bgen", "a.bgen.bgi", "a.sample")),
    ],
)
def test_companions_follow_from_the_format(files: GenotypeFiles, expected: tuple[str, ...]):
    assert files.files == expected


@pytest.mark.parametrize(
    ("path", "content", "samples"),
    [
        ("a.bed", bed(10, 801), 804),
        ("a.pgen", _pgen(10, 801), 801),
        ("a.bgen", _bgen(10, 801, has_ids=True), 801),
    ],
)
def test_headers_give_the_counts(data: MemoryDataSet, path: str, content: bytes, samples: int):
    data.files[path] = content

    assert check_genotypes(data, GenotypeFiles(path), 10) == GenotypeCounts(10, samples)


@pytest.mark.parametrize(
    ("path", "content"),
    [("a.bed", bed(10, 800) + b"\0"), ("a.pgen", _pgen(9, 800)), ("a.bgen", _bgen(9, 800, has_ids=True))],
)
def test_a_list_of_variants_of_another_file_is_refused(data: MemoryDataSet, path: str, content: bytes):
    data.files[path] = content

    with pytest.raises(UnusableInputError) as refusal:
        check_genotypes(data, GenotypeFiles(path), 10)

    assert "do not belong together" in refusal.value.remedy


@pytest.mark.parametrize("path", ["a.bed", "a.pgen", "a.bgen"])
@pytest.mark.parametrize("content", [b"", b"\x6c\x1b\x00" + bytes(30), b"PK\x03\x04" + bytes(40)])
def test_a_file_of_another_format_is_refused(data: MemoryDataSet, path: str, content: bytes):
    data.files[path] = content

    with pytest.raises(UnusableInputError, match="which is not"):
        check_genotypes(data, GenotypeFiles(path), 10)


def test_a_bgen_without_identifiers_needs_a_sample_file(data: MemoryDataSet):
    data.files["a.bgen"] = _bgen(10, 800, has_ids=False)

    with pytest.raises(UnusableInputError, match="no sample identifiers"):
        check_genotypes(data, GenotypeFiles("a.bgen"), 10)
    assert check_genotypes(data, GenotypeFiles("a.bgen", "a.sample"), 10).samples == 800
