"""Reads the samples of a genotype file from its id and sex columns, or from its header.

regenie knows a person by `FID_IID`. It reads .fam, .psam and tables by single spaces or tabs, and a .sample file by any
white space; a .bgen file's own ids stand for the whole `FID_IID`. It takes the sex from the fifth column of a .fam
file, the column SEX of a .psam file, and the fourth of a .sample file, whatever its name. An empty line, or
one that is too short, ends it (regenie 4.1.2's sources: Geno.cpp, Files.cpp).
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from genolaunch.regenie.data_set import DataSet
from genolaunch.regenie.genotypes import GenotypeCounts, GenotypeFiles, GenotypeFormat
from genolaunch.shared.counted import counted
from genolaunch.shared.input_error import UnusableInputError
from lambdas.regenie.line_columns import count_columns, has_columns
from lambdas.regenie.preflight.bgen_header import read_bgen_header, unsigned
from lambdas.regenie.preflight.findings import Examples, Findings, text

GIVE_ONCE: Final = "regenie takes each FID and IID once: remove or rename the others (plink2 --remove, --update-ids)."
_LONGEST_BGEN_ID: Final = 2 + 65_535
"""Bytes of an id with its length (BGEN specification, "Sample identifier block")."""
_MOST_BGEN_ID_BYTES: Final = 1 << 27
"""128 MiB: two million ids of 64 characters. More is a damaged header, or does not fit a function's memory."""


_SHOWN_CHARACTERS: Final = 60
_FAM_COLUMNS: Final = 6
_PSAM_COLUMNS: Final = 3
_SAMPLE_SEX_COLUMN: Final = 3
SEX_NAMES: Final = frozenset({"sex", "gender"})
"""What the fourth column of a .sample file may be called, in any case, without doubt that it holds the sex."""
_NO_SEX: Final = 0
_SEX_CODES: Final = {b"0": _NO_SEX, b"1": 1, b"2": 2}
_SEX_CODES_OR_NA: Final = {**_SEX_CODES, b"NA": _NO_SEX}
SEXES: Final = {"male": 1, "female": 2}
"""The config's words -> regenie's codes."""


class Sample(NamedTuple):
    """A genotyped person."""

    person: bytes
    """`FID_IID`."""
    sex: int
    """1 male, 2 female, 0 unknown."""


def id_file(files: GenotypeFiles) -> str:
    """The file that holds the sample ids."""
    if files.format is GenotypeFormat.BGEN:
        return files.sample or files.path
    return files.prefix + (".fam" if files.format is GenotypeFormat.BED else ".psam")


def samples(data: DataSet, files: GenotypeFiles) -> Iterator[Sample]:
    """Each sample, in the order of the file.

    Raises:
        UnusableInputError: regenie could not read the samples.
    """
    if files.format is GenotypeFormat.BGEN and files.sample is None:
        return _from_bgen(data, files.path)
    return _READERS[files.format](data, id_file(files))


def sample_ids(data: DataSet, files: GenotypeFiles) -> Iterator[bytes]:
    """`FID_IID` of each sample, in the order of the file. Raises UnusableInputError as `samples`."""
    return (sample.person for sample in samples(data, files))


def own_ids(data: DataSet, files: GenotypeFiles) -> Iterator[bytes]:
    """The ids within a .bgen file, in the order of its genotypes; none if it has no ids, and of other files."""
    if files.format is GenotypeFormat.BGEN and read_bgen_header(data, files.path).has_sample_ids:
        yield from (sample.person for sample in _from_bgen(data, files.path))


def sex_column(data: DataSet, files: GenotypeFiles) -> str | None:
    """What the column is called that regenie takes for the sex in a .sample file; None for other files, and without."""
    if files.format is not GenotypeFormat.BGEN or files.sample is None:
        return None
    names = next(data.lines(files.sample), b"").split()
    return text(names[_SAMPLE_SEX_COLUMN]) if len(names) > _SAMPLE_SEX_COLUMN else None


def read_sexes(
    data: DataSet, files: GenotypeFiles, counts: GenotypeCounts, where: str, findings: Findings
) -> dict[bytes, int]:
    """`FID_IID` -> sex of each sample, in the order of the file; some 100 bytes of memory for each.

    Ids that are repeated, or not as many as the genotype file's samples, are faults of the config key `where`.

    Raises:
        UnusableInputError: as `samples`.
    """
    sexes: dict[bytes, int] = {}
    repeated = Examples()
    for person, sex in samples(data, files):
        if person in sexes:
            repeated.add(person)
        else:
            sexes[person] = sex
    listed, uri = len(sexes) + repeated.total, data.uri(id_file(files))
    if repeated.total:
        findings.add(where, f"has samples more than once in {uri}: {repeated} (as FID_IID)", GIVE_ONCE)
    if listed != counts.samples:
        findings.add(
            where,
            f"has {counted(listed, 'sample')} in {uri}, but the genotype file holds {counts.samples:,}",
            "The two files do not belong together: give those that were made at the same time.",
        )
    return sexes


def _from_fam(data: DataSet, path: str) -> Iterator[Sample]:
    """Of files with more phenotypes than one, each line must have as many columns as the first one."""
    whole = _FAM_COLUMNS
    for number, line in enumerate(data.lines(path), start=1):
        words = line.replace(b"\t", b" ").split(b" ")
        if len(words) == whole == _FAM_COLUMNS and words[4] in _SEX_CODES and words == line.split():
            yield Sample(words[0] + b"_" + words[1], _SEX_CODES[words[4]])  # nearly all lines are just so
            continue
        fields = _fields(line.removesuffix(b"\r"))
        _check_width(data, path, number, fields, _FAM_COLUMNS)
        if number == 1:
            whole = max(whole, count_columns(line, _FAM_COLUMNS))
        _check_whole(data, path, number, line, whole, _FAM_COLUMNS, is_exact=whole > _FAM_COLUMNS)
        yield Sample(_person(data, path, number, fields), _sex(data, path, number, fields[4], _SEX_CODES))


def _from_psam(data: DataSet, path: str) -> Iterator[Sample]:
    lines = enumerate(data.lines(path), start=1)
    header: list[bytes] = []
    for _, line in lines:
        header = _fields(line.removesuffix(b"\r"))
        if header[:1] == [b"#FID"]:
            break
    if header[:2] != [b"#FID", b"IID"]:
        raise UnusableInputError(
            f"has samples in {data.uri(path)} without a header line that starts with #FID IID"
            + (f"; it has {text(b' '.join(header[:2]))}" if header[:1] == [b"#FID"] else ""),
            "regenie needs both columns: make the file again with plink2 --make-just-psam cols=fid,sex.",
        )
    column = header.index(b"SEX") if b"SEX" in header else None
    width = max(_PSAM_COLUMNS, column + 1 if column else 0)
    for number, line in lines:
        fields = _fields(line)
        _check_width(data, path, number, fields, width)
        _check_whole(data, path, number, line, len(header), width)
        sex = _NO_SEX if column is None else _sex(data, path, number, fields[column], _SEX_CODES_OR_NA)
        yield Sample(_person(data, path, number, fields), sex)


def _from_sample(data: DataSet, path: str) -> Iterator[Sample]:
    """Oxford's format: two header lines, then ID_1 ID_2 missing sex ..."""
    lines = enumerate(data.lines(path), start=1)
    whole = 0
    for expected in ((b"ID_1", b"ID_2"), (b"0", b"0")):
        _, line = next(lines, (0, b""))
        whole = whole or len(line.split())
        if tuple(line.split(None, 2)[:2]) != expected:
            raise UnusableInputError(
                f"has a sample file, {data.uri(path)}, where regenie expects a line that starts with "
                f"{text(b' '.join(expected))} and finds {text(line)[:40] or 'nothing'!r}",
                "A .sample file starts with the lines `ID_1 ID_2 missing sex` and `0 0 0 D`.",
            )
    for number, line in lines:
        fields = line.split(None, whole)
        _check_width(data, path, number, fields, 2)
        if len(fields) > whole:
            _check_whole(data, path, number, b" ".join(line.split()), whole, whole)
        given = fields[_SAMPLE_SEX_COLUMN] if len(fields) > _SAMPLE_SEX_COLUMN else b"0"
        yield Sample(b"_".join(fields[:2]), _sex(data, path, number, given, _SEX_CODES_OR_NA))


def _from_bgen(data: DataSet, path: str) -> Iterator[Sample]:
    """The sample identifier block, right behind the header: its length, how many, then each with its length."""
    start = read_bgen_header(data, path).end
    head = data.read(path, start, 8)
    length, count = unsigned(head[:4]), unsigned(head[4:])
    if not 8 < length <= min(8 + count * _LONGEST_BGEN_ID, _MOST_BGEN_ID_BYTES):
        raise UnusableInputError(
            f"names {data.uri(path)}, whose sample identifiers cannot be read",
            "Give the sample file that came with it as `sample`.",
        )
    block = data.read(path, start + 8, length - 8)
    offset = 0
    for _ in range(count):
        size = unsigned(block[offset : offset + 2])
        yield Sample(block[offset + 2 : offset + 2 + size], _NO_SEX)
        offset += 2 + size


_READERS: Final[dict[GenotypeFormat, Callable[[DataSet, str], Iterator[Sample]]]] = {
    GenotypeFormat.BED: _from_fam,
    GenotypeFormat.PGEN: _from_psam,
    GenotypeFormat.BGEN: _from_sample,
}


def _fields(line: bytes) -> list[bytes]:
    """As regenie parts a line: at each single space or tab, without an empty word at its end."""
    fields = line.replace(b"\t", b" ").split(b" ")
    return fields[:-1] if not fields[-1] else fields


def _check_width(data: DataSet, path: str, number: int, fields: list[bytes], width: int) -> None:
    if len(fields) < width:
        raise UnusableInputError(
            f"has samples in {data.uri(path)} with {counted(len(fields), 'column')} in line {number}, where regenie "
            f"reads {width}",
            "Remove empty lines, and give each sample all columns, separated by one space or tab.",
        )


def _check_whole(
    data: DataSet, path: str, number: int, line: bytes, whole: int, read: int, *, is_exact: bool = False
) -> None:
    """Raise UnusableInputError if a line has more columns than its file: a blank within an id moves the others.

    Args:
        data: the launch's data.
        path: of the file.
        number: of the line, from 1.
        line: with or without its end.
        whole: columns of the file, by its format, its header or its first line.
        read: how many of them regenie reads, from the first on.
        is_exact: fewer columns are a fault, too: the first line may be the one with a blank.
    """
    columns = count_columns(line, read)
    if (columns > whole or (is_exact and columns < whole)) and not has_columns(line, whole, read):
        raise UnusableInputError(
            f"has samples in {data.uri(path)} with {columns} columns instead of {whole} in line "
            f"{number:,}: {text(line)[:_SHOWN_CHARACTERS]!r}; regenie would take the wrong ones for id and sex",
            "Give samples ids without a blank, the same ones in all files.",
        )


def _person(data: DataSet, path: str, number: int, fields: list[bytes]) -> bytes:
    if not fields[0] or not fields[1]:
        raise UnusableInputError(
            f"has samples in {data.uri(path)} without FID and IID in line {number}",
            "Separate the columns by one space or tab each, and begin lines with the FID.",
        )
    return fields[0] + b"_" + fields[1]


def _sex(data: DataSet, path: str, number: int, given: bytes, codes: dict[bytes, int]) -> int:
    code = codes.get(given)
    if code is None:
        raise UnusableInputError(
            f"has samples in {data.uri(path)} with {text(given)[:20]!r} where regenie reads the sex (line {number})",
            f"Write {', '.join(text(each) for each in codes)}: 1 is male, 2 female, the others unknown.",
        )
    return code
