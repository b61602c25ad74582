"""Checks the encoding of BGEN and PGEN files by their first bytes: regenie accepts only some.

regenie is ended by the first variant of another kind (4.1.2's sources: Geno.cpp, check_bgen and prep_pgen): in step 2
often only, when step 1 was paid for.
"""

import sys
import zlib
from collections.abc import Callable
from typing import Final

from genolaunch.regenie.data_set import DataSet
from genolaunch.regenie.genotypes import GenotypeFiles, GenotypeFormat
from lambdas.regenie.preflight.bgen_header import read_bgen_header, unsigned
from lambdas.regenie.preflight.findings import Findings

_LOOK_BYTES: Final = 1 << 18
"""Holds the first variant's names, and its probabilities up to what tells of their kind: before that there is one byte
a sample, nearly all the same, of which half a million are a few kilobytes when compressed."""
_LAYOUT_2: Final = 2
_DIPLOID: Final = 2
_BEFORE_PLOIDY: Final = 8
"""Samples, alleles, least and greatest ploidy (BGEN specification, layout 2, "Probability data storage")."""

_PGEN_CONTROL: Final = 11
"""Offset of the byte whose bits 4 and 5 say how many bytes a variant's number of alleles has: 0 where all have two
(PLINK 2 file format specification, "Header control byte")."""
_PGEN_MODES_WITH_CONTROL: Final = (0x10, 0x11)


def check_encoding(data: DataSet, files: GenotypeFiles, where: str, findings: Findings) -> None:
    """Find what regenie would be ended by; nothing where the first variant is not where it is looked for.

    Args:
        data: the launch's data.
        files: the genotypes.
        where: the config key that names them.
        findings: get what is found.
    """
    if files.format is GenotypeFormat.BGEN:
        _check_bgen(data, files, where, findings)
    elif files.format is GenotypeFormat.PGEN:
        _check_pgen(data, files, where, findings)


def _check_pgen(data: DataSet, files: GenotypeFiles, where: str, findings: Findings) -> None:
    header = data.head(files.path, _PGEN_CONTROL + 1)
    if len(header) > _PGEN_CONTROL and header[2] in _PGEN_MODES_WITH_CONTROL and header[_PGEN_CONTROL] >> 4 & 0b11:
        findings.add(
            where,
            f"has variants with more than two alleles in {data.uri(files.path)}, which regenie does not take",
            "Split or leave them out: plink2 --max-alleles 2 --make-pgen.",
        )


def _check_bgen(data: DataSet, files: GenotypeFiles, where: str, findings: Findings) -> None:
    kind = _first_probabilities(data, files.path)
    if kind is None:
        return
    ploidy, is_phased = kind
    uri = data.uri(files.path)
    if ploidy != (_DIPLOID, _DIPLOID):
        findings.add(
            where,
            f"has people with {ploidy[0]} to {ploidy[1]} copies of a chromosome in the first variant of {uri}; regenie "
            "takes two of everybody",
            "Write males with two copies on X (0 or 2 of an allele), as UK Biobank does, or give PLINK 2 files "
            "(plink2 --make-pgen).",
        )
    if is_phased:
        findings.add(
            where,
            f"has phased probabilities (haplotypes) in {uri}; regenie takes those of genotypes only",
            "Make it again without phase: plink2 --make-pgen erase-phase, and --export bgen-1.2 bits=8 of that.",
        )


def _first_probabilities(data: DataSet, path: str) -> tuple[tuple[int, int], bool] | None:
    """Least and greatest ploidy of the first variant, and whether it is phased; None if that cannot be seen."""
    header = read_bgen_header(data, path)
    samples, inflate = header.samples, _INFLATE.get(header.compression)
    if header.layout != _LAYOUT_2 or inflate is None:
        return None
    block = data.read(path, header.first_variant, _LOOK_BYTES)
    offset = _behind_names(block) + (8 if header.compression else 4)
    try:
        content = inflate(block[offset:], _BEFORE_PLOIDY + samples + 1)
    except (ValueError, zlib.error):
        return None
    if len(content) <= _BEFORE_PLOIDY + samples:
        return None
    return (content[6], content[7]), bool(content[_BEFORE_PLOIDY + samples])


def _behind_names(block: bytes) -> int:
    """Offset of what follows id, rsid, chromosome, position, and the alleles."""
    offset = 0
    for _ in range(3):
        offset += 2 + unsigned(block[offset : offset + 2])
    alleles = unsigned(block[offset + 4 : offset + 6])
    offset += 6
    for _ in range(alleles):
        offset += 4 + unsigned(block[offset : offset + 4])
    return offset


def _unzip(content: bytes, most: int) -> bytes:
    return zlib.decompressobj().decompress(content, most)


def _unzstd(content: bytes, most: int) -> bytes:
    if sys.version_info < (3, 14):  # Lambda has Python 3.14
        return b""
    from compression import zstd

    try:
        return bytes(zstd.ZstdDecompressor().decompress(content, most))
    except zstd.ZstdError as error:
        raise ValueError(str(error)) from error


_INFLATE: Final[dict[int, Callable[[bytes, int], bytes]]] = {
    0: lambda content, most: content[:most],
    1: _unzip,
    2: _unzstd,
}
"""By the two lowest bits of the flags: CompressedSNPBlocks."""
