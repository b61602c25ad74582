"""Genotype files and what their headers promise."""

import struct
from pathlib import Path

import numpy as np
import pgenlib
import pytest

from genolaunch.regenie.genotypes import GenotypeCounts, GenotypeFiles, check_listed, read_counts
from genolaunch.shared.input_error import UnusableInputError
from tests.unit.regenie_planning.conftest import MemoryDataSet, bed


def _pgen(variants: int, samples: int, mode: int = 0x10) -> bytes:
    return b"\x6c\x1b" + bytes([mode]) + struct.pack("<II", variants, samples) + bytes(40)


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
    ("path", "content"),
    [("a.bed", bed(10, 801)), ("a.pgen", _pgen(10, 801)), ("a.bgen", _bgen(10, 801, has_ids=True))],
)
def test_a_genotype_file_tells_its_counts(data: MemoryDataSet, path: str, content: bytes):
    data.files[path] = content
    data.files["a.fam"] = b"f i 0 0 1 0\n" * 801

    assert read_counts(data, GenotypeFiles(path)) == GenotypeCounts(10, 801)


@pytest.mark.parametrize(("content", "samples"), [(bed(10, 800) + b"\0", 800), (bed(10, 800), 700), (bed(10, 800), 0)])
def test_a_bed_whose_size_does_not_fit_its_samples_is_refused(data: MemoryDataSet, content: bytes, samples: int):
    data.files.update({"a.bed": content, "a.fam": b"f i 0 0 1 0\n" * samples})

    with pytest.raises(
        UnusableInputError, match=f"size does not fit the {samples} samples that a.fam lists"
    ) as refusal:
        read_counts(data, GenotypeFiles("a.bed"))

    assert "do not belong together" in refusal.value.remedy


def test_a_list_of_variants_of_another_file_is_refused(data: MemoryDataSet):
    with pytest.raises(UnusableInputError, match=r"a\.pgen with 9 variants, but a\.pvar lists 10") as refusal:
        check_listed(data, GenotypeFiles("a.pgen"), GenotypeCounts(9, 800), 10)

    assert "do not belong together" in refusal.value.remedy


@pytest.mark.parametrize("variants", [3, 66_000])
@pytest.mark.parametrize("has_dosages", [True, False])
def test_a_pgen_that_ends_too_early_is_refused(data: MemoryDataSet, tmp_path: Path, variants: int, has_dosages: bool):
    path = tmp_path / "a.pgen"
    with pgenlib.PgenWriter(
        bytes(path), 5, variant_ct=variants, nonref_flags=False, dosage_present=has_dosages
    ) as writer:
        for number in range(variants):
            if has_dosages:
                writer.append_dosages(np.arange(5, dtype=np.float32) * (number % 4 + 1) / 10)
            else:
                writer.append_biallelic((np.arange(5) * (number % 7 + 1) % 3).astype(np.int8))
    whole = path.read_bytes()
    assert whole[2] == 0x10
    _check_ends(data, whole, GenotypeCounts(variants, 5))


def test_a_pgen_of_records_of_one_width_that_ends_too_early_is_refused(data: MemoryDataSet):
    _check_ends(data, _pgen(20, 9, mode=0x02)[:12] + bytes(20 * 3), GenotypeCounts(20, 9))


def _check_ends(data: MemoryDataSet, whole: bytes, counts: GenotypeCounts) -> None:
    data.files["a.pgen"] = whole
    assert read_counts(data, GenotypeFiles("a.pgen")) == counts
    for length in (len(whole) - 1, len(whole) // 2, 12):
        data.files["a.pgen"] = whole[:length]
        with pytest.raises(UnusableInputError, match=rf"a\.pgen, which has {length:,} bytes; by its header") as refusal:
            read_counts(data, GenotypeFiles("a.pgen"))
        assert "upload it again" in refusal.value.remedy


@pytest.mark.parametrize("path", ["a.bed", "a.pgen", "a.bgen"])
@pytest.mark.parametrize("content", [b"", b"\x6c\x1b\x00" + bytes(30), b"PK\x03\x04" + bytes(40)])
def test_a_file_of_another_format_is_refused(data: MemoryDataSet, path: str, content: bytes):
    data.files[path] = content

    with pytest.raises(UnusableInputError, match="which is not"):
        read_counts(data, GenotypeFiles(path))


def test_a_bgen_without_identifiers_needs_a_sample_file(data: MemoryDataSet):
    data.files["a.bgen"] = _bgen(10, 800, has_ids=False)

    with pytest.raises(UnusableInputError, match="no sample identifiers"):
        read_counts(data, GenotypeFiles("a.bgen"))
    assert read_counts(data, GenotypeFiles("a.bgen", "a.sample")).samples == 800
