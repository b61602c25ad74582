"""Who is genotyped: the sample ids of a genotype file, read from its id column or its header alone.

regenie knows a person by `FID_IID`. It reads .fam, .psam and tables by single spaces or tabs, and a .sample file by any
white space; a .bgen file's own ids stand for the whole `FID_IID` (regenie's sources: Geno.cpp, Files.cpp).
"""

from collections.abc import Callable, Iterator
from typing import Final

from lambdas.regenie.data_set import DataSet
from lambdas.regenie.genotypes import GenotypeCounts, GenotypeFiles, GenotypeFormat
from lambdas.regenie.preflight.findings import Examples, Findings, text
from lambdas.regenie.text_files import check_start, windows_line_ends
from lambdas.shared.input_error import UnusableInputError

GIVE_ONCE: Final = "regenie takes each FID and IID once: remove or rename the others (plink2 --remove, --update-ids)."
_LONGEST_BGEN_ID: Final = 2 + 65_535
"""Bytes of an id with its length (BGEN specification, "Sample identifier block")."""
_MOST_BGEN_ID_BYTES: Final = 1 << 27
"""128 MiB: two million ids of 64 characters. More is a damaged header, or does not fit a function's memory."""


def id_file(files: GenotypeFiles) -> str:
    """The file that holds the sample ids."""
    if files.format is GenotypeFormat.BGEN:
        return files.sample or files.path
    return files.prefix + (".fam" if files.format is GenotypeFormat.BED else ".psam")


def sample_ids(data: DataSet, files: GenotypeFiles) -> Iterator[bytes]:
    """`FID_IID` of each sample, in the order of the file.

    Raises:
        UnusableInputError: regenie could not read the ids.
    """
    if files.format is GenotypeFormat.BGEN and files.sample is None:
        return _from_bgen(data, files.path)
    return _READERS[files.format](data, id_file(files))


def read_places(
    data: DataSet, files: GenotypeFiles, counts: GenotypeCounts, where: str, findings: Findings
) -> dict[bytes, int]:
    """`FID_IID` -> place in the file; some 100 bytes of memory for each sample.

    Ids that are repeated, or not as many as the genotype file's samples, are faults of the config key `where`.

    Raises:
        UnusableInputError: as sample_ids.
    """
    places: dict[bytes, int] = {}
    repeated = Examples()
    for person in sample_ids(data, files):
        if person in places:
            repeated.add(person)
        else:
            places[person] = len(places)
    listed, uri = len(places) + repeated.total, data.uri(id_file(files))
    if repeated.total:
        findings.add(where, f"has samples more than once in {uri}: {repeated} (as FID_IID)", GIVE_ONCE)
    if listed != counts.samples:
        findings.add(
            where,
            f"has {listed:,} samples in {uri}, but the genotype file holds {counts.samples:,}",
            "The two files do not belong together: give those that were made at the same time.",
        )
    return places


def listed_people(data: DataSet, path: str | None) -> set[bytes] | None:
    """`FID_IID` of a list of samples; None without a list.

    Raises:
        UnusableInputError: a line without FID and IID, or one that regenie would stop at or pass over.
    """
    return set(_from_list(data, path)) if path else None


def _from_list(data: DataSet, path: str) -> Iterator[bytes]:
    """As strictly as regenie: a name that it does not find, because of a line end, would stay in the analysis."""
    for number, line in enumerate(data.lines(path), start=1):
        if number == 1:
            check_start(line, data.uri(path))
        if line.endswith(b"\r"):
            raise windows_line_ends(data.uri(path))
        yield _first_two(data, path, number, line)


def _from_fam(data: DataSet, path: str) -> Iterator[bytes]:
    return (_first_two(data, path, number, line) for number, line in _lines(data, path))


def _from_psam(data: DataSet, path: str) -> Iterator[bytes]:
    lines = _lines(data, path)
    for _, line in lines:
        if line.startswith(b"#FID"):
            break
    else:
        raise UnusableInputError(
            f"has samples in {data.uri(path)} without a header line that starts with #FID IID",
            "regenie needs both columns: make the file again with plink2 --make-just-psam psam-cols=fid,sex.",
        )
    return (_first_two(data, path, number, line) for number, line in lines)


def _from_sample(data: DataSet, path: str) -> Iterator[bytes]:
    """Oxford's format: two header lines, then ID_1 ID_2 missing ..."""
    lines = _lines(data, path)
    for expected in ((b"ID_1", b"ID_2"), (b"0", b"0")):
        _, line = next(lines, (0, b""))
        if tuple(line.split(None, 2)[:2]) != expected:
            raise UnusableInputError(
                f"has a sample file, {data.uri(path)}, where regenie expects a line that starts with "
                f"{text(b' '.join(expected))} and finds {text(line)[:40] or 'nothing'!r}",
                "A .sample file starts with the lines `ID_1 ID_2 missing sex` and `0 0 0 D`.",
            )
    return (b"_".join(line.split(None, 2)[:2]) for _, line in lines)


def _from_bgen(data: DataSet, path: str) -> Iterator[bytes]:
    """The sample identifier block, right behind the header: its length, how many, then each with its length."""
    start = 4 + _uint32(data.read(path, 4, 4))
    head = data.read(path, start, 8)
    length, count = _uint32(head[:4]), _uint32(head[4:])
    if not 8 < length <= min(8 + count * _LONGEST_BGEN_ID, _MOST_BGEN_ID_BYTES):
        raise UnusableInputError(
            f"names {data.uri(path)}, whose sample identifiers cannot be read",
            "Give the sample file that came with it as `sample`.",
        )
    block = data.read(path, start + 8, length - 8)
    offset = 0
    for _ in range(count):
        size = int.from_bytes(block[offset : offset + 2], "little")
        yield block[offset + 2 : offset + 2 + size]
        offset += 2 + size


_READERS: Final[dict[GenotypeFormat, Callable[[DataSet, str], Iterator[bytes]]]] = {
    GenotypeFormat.BED: _from_fam,
    GenotypeFormat.PGEN: _from_psam,
    GenotypeFormat.BGEN: _from_sample,
}


def _lines(data: DataSet, path: str) -> Iterator[tuple[int, bytes]]:
    """Number and text of each line that is not empty."""
    return ((number, line) for number, line in enumerate(data.lines(path), start=1) if line.strip())


def _first_two(data: DataSet, path: str, number: int, line: bytes) -> bytes:
    fields = line.replace(b"\t", b" ").split(b" ", 2)
    if len(fields) < 2 or not fields[0] or not fields[1]:
        raise UnusableInputError(
            f"has samples in {data.uri(path)} without FID and IID in line {number}",
            "Part the columns by one space or tab each, and begin lines with the FID.",
        )
    return fields[0] + b"_" + fields[1].rstrip(b"\r")


def _uint32(raw: bytes) -> int:
    return int.from_bytes(raw, "little")
