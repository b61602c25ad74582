"""What regenie does not take of BGEN and PGEN is seen before step 1 is paid for."""

import struct
import sys
import zlib
from pathlib import Path

import pytest

from genolaunch.regenie.genotypes import GenotypeFiles
from genolaunch.shared.input_error import LaunchInputError
from lambdas.regenie.preflight.encodings import check_encoding
from lambdas.regenie.preflight.findings import Findings
from tests.regenie.cohort_formats import make_cohort
from tests.unit.regenie_planning.conftest import MemoryDataSet

PEOPLE = 300


def bgen(
    *, ploidy: tuple[int, int] = (2, 2), phased: int = 0, layout: int = 2, packing: int = 1, ids: bytes = b"rs1"
) -> bytes:
    """A file of one variant (BGEN 1.2). Nothing reads its probabilities."""
    names = b"".join(struct.pack("<H", len(name)) + name for name in (ids, ids, b"01"))
    alleles = b"".join(struct.pack("<I", len(name)) + name for name in (b"A", b"GTT"))
    content = struct.pack("<IHBB", PEOPLE, 2, *ploidy) + bytes([2]) * PEOPLE + bytes([phased, 8]) + bytes(2 * PEOPLE)
    packed = zlib.compress(content) if packing == 1 else content
    sizes = struct.pack("<II", len(packed) + 4, len(content)) if packing else struct.pack("<I", len(packed))
    header = struct.pack("<III", 20, 1, PEOPLE) + b"bgen" + struct.pack("<I", layout << 2 | packing)
    return struct.pack("<I", 20) + header + names + struct.pack("<IH", 5, 2) + alleles + sizes + packed


def problems(data: MemoryDataSet, files: GenotypeFiles) -> list[str]:
    findings = Findings()
    check_encoding(data, files, "regenie.genotypes", findings)
    try:
        findings.raise_if_any()
    except LaunchInputError as error:
        return [fault.problem for fault in error.faults]
    return []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, []),
        ({"packing": 0}, []),
        ({"ids": b"i" * 3_000}, []),
        ({"phased": 1}, ["phased probabilities (haplotypes) in s3://data/cohort/a.bgen"]),
        ({"phased": 1, "packing": 0}, ["phased probabilities"]),
        ({"ploidy": (1, 2)}, ["people with 1 to 2 copies of a chromosome in the first variant"]),
        ({"ploidy": (1, 1), "phased": 1}, ["people with 1 to 1 copies", "phased probabilities"]),
    ],
)
def test_a_bgen_file_has_two_unphased_copies(data: MemoryDataSet, given: dict[str, object], words: list[str]) -> None:
    data.files["a.bgen"] = bgen(**given)  # type: ignore[arg-type]

    found = problems(data, GenotypeFiles("a.bgen", "a.sample"))

    assert len(found) == len(words)
    assert all(word in problem for word, problem in zip(words, found, strict=True))


@pytest.mark.skipif(sys.version_info < (3, 14), reason="Python has zstd from 3.14 on, which Lambda has")
def test_zstd_is_unpacked(data: MemoryDataSet) -> None:
    from compression import zstd

    whole = bgen(packing=0, phased=1)
    content = whole[-(8 + 3 * PEOPLE + 2) :]
    names = whole[24 : -len(content) - 4]
    packed = zstd.compress(content)
    header = whole[:20] + struct.pack("<I", 2 << 2 | 2)
    data.files["a.bgen"] = header + names + struct.pack("<II", len(packed) + 4, len(content)) + packed

    assert "phased probabilities" in problems(data, GenotypeFiles("a.bgen", "a.sample"))[0]


@pytest.mark.parametrize("content", [bgen(layout=1), bgen()[:24], bgen()[:60], bgen()[:-1500], bgen(packing=3)])
def test_what_cannot_be_seen_is_no_fault(data: MemoryDataSet, content: bytes) -> None:
    data.files["a.bgen"] = content

    assert problems(data, GenotypeFiles("a.bgen", "a.sample")) == []


@pytest.mark.parametrize(
    ("mode", "control", "count"), [(0x10, 0x40, 0), (0x10, 0x54, 1), (0x11, 0x20, 1), (0x02, 0x3F, 0)]
)
def test_a_pgen_file_has_two_alleles(data: MemoryDataSet, mode: int, control: int, count: int) -> None:
    data.files["a.pgen"] = b"\x6c\x1b" + bytes([mode]) + struct.pack("<II", 3, 8) + bytes([control]) + bytes(8)

    found = problems(data, GenotypeFiles("a.pgen"))

    assert len(found) == count
    assert all("more than two alleles" in problem for problem in found)


@pytest.mark.parametrize("format_", ["pgen", "bgen"])
def test_files_of_real_writers_pass(data: MemoryDataSet, tmp_path: Path, format_: str) -> None:
    make_cohort(tmp_path, format_)
    data.files.update({path.name: path.read_bytes() for path in tmp_path.iterdir()})

    assert problems(data, GenotypeFiles(f"cohort.{format_}", "cohort.sample" if format_ == "bgen" else None)) == []
