"""Compares lists of people and variants with the data: how many of their entries exist there.

regenie passes over a name that it does not find, without a word: a list in other ids leaves everybody in, or tests
nothing. So names that match nothing are counted, a list of which none matches is a fault, and one of which less than
half does is warned of. regenie reads the first words of each line (two of people), unpacks lists that are compressed by
their first bytes, and ends at an empty line (4.1.2's sources: Geno.cpp, Files.cpp).
"""

from collections.abc import Callable, Container, Iterator, Set
from dataclasses import dataclass
from itertools import islice
from typing import Final

from genolaunch.regenie.data_set import DataSet
from genolaunch.regenie.text_files import check_start, unpacked_lines, windows_line_ends
from genolaunch.shared.counted import counted
from genolaunch.shared.input_error import UnusableInputError
from lambdas.regenie.chromosomes import chromosome_number
from lambdas.regenie.preflight.findings import Examples, Findings, text
from lambdas.regenie.preflight.id_hints import LOOKED_AT, Names

_LEAVES_OUT: Final = (".remove", ".exclude")
WARN_BELOW: Final = 0.5
"""Share of a list's names that are known: below it, the list is likely of another data set, or in other ids."""
_RANGE_COLUMNS: Final = 3
"""PLINK's list of ranges has chromosome, start and end (and a label) a line ("range files", --exclude range)."""


@dataclass(frozen=True, slots=True)
class ListMatch:
    """How many of a list's names are known."""

    listed: int
    matched: int
    unmatched: str
    """The first few of those that are not, to show."""

    def sentence(self, where: str) -> str:
        """For people who look at the launch; `where` is the config key that names the list."""
        others = f"; not: {self.unmatched}" if self.unmatched else ""
        entries = counted(self.listed, "entry is", "entries are")
        return f"{where.removeprefix('regenie.')}: {self.matched:,} of {entries} in the data{others}"

    def as_dict(self) -> dict[str, object]:
        """As launch.json has it."""
        return {"listed": self.listed, "matched": self.matched, "unmatched": self.unmatched}


def read_people(data: DataSet, path: str) -> set[bytes]:
    """`FID_IID` of a list of samples.

    Raises:
        UnusableInputError: a line without FID and IID, or one that regenie would stop at or misread.
    """
    return {b"_".join(words) for words in _words(data, path, 2)}


def unknown_people(data: DataSet, path: str, known: Container[bytes]) -> list[Names]:
    """FID and IID of the first people of a list of samples who are not known (id_hints.LOOKED_AT)."""
    unknown = ((words[0], words[1]) for words in _words(data, path, 2) if b"_".join(words) not in known)
    return list(islice(unknown, LOOKED_AT))


def read_variants(data: DataSet, path: str) -> set[bytes]:
    """The ids of a list of variants.

    Raises:
        UnusableInputError: an empty line, or one that regenie would misread; a list of PLINK's ranges.
    """
    _check_no_ranges(data, path)
    return {words[0] for words in _words(data, path, 1)}


def match(listed: Set[bytes], known: Set[bytes]) -> ListMatch:
    """Count what of a list is known."""
    unmatched = Examples()
    matched = 0
    for name in listed:
        if name in known:
            matched += 1
        else:
            unmatched.add(name)
    return ListMatch(len(listed), matched, str(unmatched) if unmatched.total else "")


def check_match(
    found: ListMatch,
    what: str,
    example: bytes,
    where: str,
    uri: str,
    findings: Findings,
    *,
    warn_below: float = WARN_BELOW,
    mend: Callable[[], str] = str,
) -> None:
    """A list of which nothing is known is a fault; one of which less than the share `warn_below` is, a warning.

    Args:
        found: what was counted.
        what: what it lists, such as "genotyped people".
        example: a name that the data has, to show.
        where: the config key that names the list.
        uri: of the list.
        findings: get what is found.
        warn_below: share of known entries below which a warning is written.
        mend: answers how the names would be known, if that is seen; asked where few of them are.
    """
    if not found.listed and where.endswith(_LEAVES_OUT):
        findings.warn(where, f"names {uri}, which is empty and leaves nothing out", "Give the list, if there is one.")
    elif not found.listed:
        findings.add(where, f"names {uri}, which is empty", f"List {what}, or leave `{where.split('.')[-1]}` out.")
    elif not found.matched:
        findings.add(
            where,
            f"names {uri}, of whose {counted(found.listed, 'entry', 'entries')} none is among the {what}: it has "
            f"{found.unmatched}, they have {text(example)}",
            "Write the ids as the genotypes' files have them, one a line: regenie ignores other ids silently."
            + (f" {hint}" if (hint := mend()) else ""),
        )
    elif found.matched < warn_below * found.listed:
        findings.warn(
            where,
            f"names {uri}, of whose {found.listed:,} entries {counted(found.matched, 'is', 'are')} among the {what}; "
            f"the others, such as {found.unmatched}, have no effect",
            "Check that the list belongs to these genotypes, and has their ids."
            + (f" {hint}" if (hint := mend()) else ""),
        )


def _words(data: DataSet, path: str, width: int) -> Iterator[list[bytes]]:
    """The first words of each line, as strictly as regenie reads them."""
    uri = data.uri(path)
    for number, line in enumerate(unpacked_lines(data, path), start=1):
        if number == 1:
            check_start(line, uri)
        if line.endswith(b"\r"):
            raise windows_line_ends(uri)
        words = line.replace(b"\t", b" ").split(b" ", width)[:width]
        if len(words) < width or not all(words):
            what = "FID and IID" if width > 1 else "an id"
            raise UnusableInputError(
                f"names {uri}, which lacks {what} in line {number}, where regenie stops",
                f"Begin each line with {what}, separated by one space or tab, and remove empty lines.",
            )
        yield words


def _check_no_ranges(data: DataSet, path: str) -> None:
    first = next(unpacked_lines(data, path), b"").split()
    is_range = len(first) >= _RANGE_COLUMNS and first[1].isdigit() and first[2].isdigit()
    if is_range and chromosome_number(first[0].decode(errors="replace")) is not None:
        raise UnusableInputError(
            f"names {data.uri(path)}, a list of ranges (chromosome, start, end), of which regenie would find none",
            "Make a list of ids of it: plink2 --extract range FILE --write-snplist.",
        )
