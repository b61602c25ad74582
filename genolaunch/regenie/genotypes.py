"""Genotype files: the files that belong together, and the numbers of variants and samples in their headers."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from genolaunch.regenie.data_set import DataSet
from genolaunch.shared.counted import counted
from genolaunch.shared.input_error import UnusableInputError


class GenotypeFormat(StrEnum):
    """By the suffix of the genotype file."""

    BED = ".bed"
    PGEN = ".pgen"
    BGEN = ".bgen"


_COMPANIONS = {
    GenotypeFormat.BED: (".bim", ".fam"),
    GenotypeFormat.PGEN: (".pvar", ".psam"),
    GenotypeFormat.BGEN: (".bgen.bgi",),
}
"""Suffixes of the files beside it, the list of variants first."""


@dataclass(frozen=True, slots=True)
class GenotypeFiles:
    """A genotype file with its companions. Paths are below the launch's data."""

    path: str
    sample: str | None = None

    @property
    def format(self) -> GenotypeFormat:
        """The format that the suffix says."""
        return GenotypeFormat(PurePosixPath(self.path).suffix)

    @property
    def prefix(self) -> str:
        """The path without its suffix."""
        return self.path.removesuffix(self.format)

    @property
    def name(self) -> str:
        """What people call it: the file's name without suffix."""
        return PurePosixPath(self.prefix).name

    @property
    def variant_list(self) -> str:
        """The file that lists the variants: .bim, .pvar, or the index of a .bgen."""
        return self.prefix + _COMPANIONS[self.format][0]

    @property
    def sample_list(self) -> str:
        """The file that lists the samples of PLINK files: .fam or .psam."""
        return self.prefix + _COMPANIONS[self.format][-1]

    @property
    def files(self) -> tuple[str, ...]:
        """Every file that regenie reads."""
        companions = (self.prefix + suffix for suffix in _COMPANIONS[self.format])
        return (self.path, *companions, *((self.sample,) if self.sample else ()))


@dataclass(frozen=True, slots=True)
class GenotypeCounts:
    """What a genotype file holds."""

    variants: int
    samples: int


_PLINK_MAGIC = b"\x6c\x1b"
_VARIANT_MAJOR_BED = 0x01
_SAMPLES_PER_BED_BYTE = 4
_BED_HEADER_BYTES = 3
_PGEN_MODES_WITH_COUNTS = frozenset({0x02, 0x03, 0x04, 0x10, 0x11})
"""Storage modes whose header has both counts (PLINK 2 file format specification, section 2)."""
_PGEN_FIXED_WIDTH = 0x02
_PGEN_STANDARD = 0x10
_PGEN_HEADER_BYTES = 12
_PGEN_BLOCK = 1 << 16
"""Variants of a block of the header."""
_BGEN_SAMPLE_IDENTIFIERS_FLAG = 1 << 31
_BGEN_MOST_HEADER_BYTES = 1 << 16
"""More than any writer's free data area; the header proper is 20 bytes."""


def read_counts(data: DataSet, files: GenotypeFiles) -> GenotypeCounts:
    """The numbers of variants and samples that the genotype file itself holds, by its header or its size.

    Raises:
        UnusableInputError: damaged, of another format, or not the file that its companions belong to.
    """
    return _READERS[files.format](data, files)


def check_listed(data: DataSet, files: GenotypeFiles, counts: GenotypeCounts, listed: int) -> None:
    """Raise UnusableInputError unless the list of variants, with `listed` of them, belongs to the genotype file."""
    if counts.variants != listed:
        raise UnusableInputError(
            f"names {data.uri(files.path)} with {counted(counts.variants, 'variant')}, "
            f"but {files.variant_list} lists {listed:,}",
            "The two files do not belong together, or one was not uploaded completely.",
        )


def _read_bed(data: DataSet, files: GenotypeFiles) -> GenotypeCounts:
    """PLINK 1: magic number, then one record of ceil(samples / 4) bytes for each variant; the .fam has the samples."""
    if data.head(files.path, _BED_HEADER_BYTES) != _PLINK_MAGIC + bytes([_VARIANT_MAJOR_BED]):
        raise _not_of_format(data, files, "a variant-major PLINK 1 file")
    samples = sum(1 for line in data.lines(files.sample_list) if line.strip())
    records = data.size(files.path) - _BED_HEADER_BYTES
    variants, surplus = divmod(records, -(-samples // _SAMPLES_PER_BED_BYTE)) if samples else (0, records)
    if surplus or not variants:
        raise UnusableInputError(
            f"names {data.uri(files.path)}, whose size does not fit the {counted(samples, 'sample')} that "
            f"{files.sample_list} lists",
            "The two files do not belong together, or one was not uploaded completely.",
        )
    return GenotypeCounts(variants, samples)


def _read_pgen(data: DataSet, files: GenotypeFiles) -> GenotypeCounts:
    """PLINK 2: magic number, storage mode, then variants and samples as 32-bit little-endian integers."""
    header = data.head(files.path, 11)
    if len(header) < 11 or header[:2] != _PLINK_MAGIC or header[2] not in _PGEN_MODES_WITH_COUNTS:
        raise _not_of_format(data, files, "a PLINK 2 file")
    counts = GenotypeCounts(_uint32(header, 3), _uint32(header, 7))
    size, whole = data.size(files.path), _pgen_bytes(data, files.path, header[2], counts)
    if size < whole:
        raise UnusableInputError(
            f"names {data.uri(files.path)}, which has {size:,} bytes; by its header it should have {whole:,}",
            "It was not uploaded completely: upload it again.",
        )
    return counts


def _pgen_bytes(data: DataSet, path: str, mode: int, counts: GenotypeCounts) -> int:
    """The size of a whole .pgen file, or 0 where its header does not tell it simply.

    Of a standard file (mode 0x10), where its last block of variants begins, and how long the records in it are (PLINK 2
    file format specification, section 2; the sizes are those that pgenlib writes).
    """
    if not counts.variants:
        return 0
    if mode == _PGEN_FIXED_WIDTH:
        return _PGEN_HEADER_BYTES + counts.variants * -(-counts.samples // _SAMPLES_PER_BED_BYTE)
    control = data.read(path, _PGEN_HEADER_BYTES - 1, 1)
    if mode != _PGEN_STANDARD or not control or control[0] & 0b1000:
        return 0
    type_bits, length_bytes = (8 if control[0] & 0b100 else 4), (control[0] & 0b11) + 1
    blocks = -(-counts.variants // _PGEN_BLOCK)
    last = counts.variants - (blocks - 1) * _PGEN_BLOCK

    def types(variants: int) -> int:
        return -(-variants * type_bits // 8)

    allele_count_bytes, has_flags = control[0] >> 4 & 0b11, control[0] >> 6 == 0b11
    whole_block = types(_PGEN_BLOCK) + _PGEN_BLOCK * (length_bytes + allele_count_bytes)
    whole_block += _PGEN_BLOCK // 8 if has_flags else 0
    lengths_at = _PGEN_HEADER_BYTES + 8 * blocks + (blocks - 1) * whole_block + types(last)
    offset = data.read(path, _PGEN_HEADER_BYTES + 8 * (blocks - 1), 8)
    lengths = data.read(path, lengths_at, last * length_bytes)
    if len(lengths) < last * length_bytes:
        return lengths_at + last * length_bytes
    records = (int.from_bytes(lengths[at : at + length_bytes], "little") for at in range(0, len(lengths), length_bytes))
    return int.from_bytes(offset, "little") + sum(records)


def _read_bgen(data: DataSet, files: GenotypeFiles) -> GenotypeCounts:
    """BGEN 1.x: offset, header length, variants, samples, magic number, free data, flags."""
    header = data.head(files.path, _BGEN_MOST_HEADER_BYTES)
    length = _uint32(header, 4) if len(header) >= 24 else 0
    if header[16:20] not in (b"bgen", bytes(4)) or not 20 <= length <= len(header) - 4:
        raise _not_of_format(data, files, "a BGEN file")
    if not _uint32(header, length) & _BGEN_SAMPLE_IDENTIFIERS_FLAG and files.sample is None:
        raise UnusableInputError(
            f"names {data.uri(files.path)}, which holds no sample identifiers",
            "Give the sample file that came with it as `sample`.",
        )
    return GenotypeCounts(_uint32(header, 8), _uint32(header, 12))


_READERS = {
    GenotypeFormat.BED: _read_bed,
    GenotypeFormat.PGEN: _read_pgen,
    GenotypeFormat.BGEN: _read_bgen,
}


def _uint32(header: bytes, offset: int) -> int:
    return int.from_bytes(header[offset : offset + 4], "little")


def _not_of_format(data: DataSet, files: GenotypeFiles, expected: str) -> UnusableInputError:
    return UnusableInputError(
        f"names {data.uri(files.path)}, which is not {expected}", "Its suffix and its content do not agree."
    )
