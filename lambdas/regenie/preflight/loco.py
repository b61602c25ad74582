"""Checks which people a user's predictions cover. regenie leaves the others out of the trait, and only logs it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from genolaunch.regenie.data_set import DataSet
from genolaunch.regenie.text_files import unpacked_lines
from genolaunch.shared.input_error import UnusableInputError
from lambdas.regenie.preflight.column import number_of
from lambdas.regenie.preflight.findings import Findings, examples, text

_WHERE: Final = "regenie.step1.predictions"
_HEADER: Final = b"FID_IID"
_MISSING: Final = b"NA"
_OF_NUMBERS: Final = b"0123456789.+-eE \t\r\n" + _MISSING
"""Bytes of a line of predictions; any other is of a word that is no number."""
_WARN_BELOW: Final = 0.5
_OF_ZEROS: Final = b"0.+-eE \t\r\n" + _MISSING
_SHOWN_CHARACTERS: Final = 20
_FEWEST_CHROMOSOMES: Final = 22
"""regenie 4.1.2 writes 23 lines, other tools 22; a file with fewer was not uploaded completely."""
_READ_WHOLE_BYTES: Final = 1 << 28
"""A larger file (a million people) is looked at as far as its first two lines: reading takes a second for 100 MB."""


def covered_people(
    data: DataSet, path: str, trait: str, places: Mapping[bytes, int], tested: Collection[int], findings: Findings
) -> bytearray | None:
    """1 for each analysed person, by place, for whom a LOCO file has a prediction; None where it cannot be read.

    Its first line has the people, as `FID_IID`, its second their predictions of the first chromosome, NA where there is
    none (regenie's documentation, "Output", and Pheno.cpp, blup_read). It has to reach the last of the chromosomes that
    step 2 tests (`tested`).
    """
    return findings.attempt(_WHERE, lambda: _read(data, path, trait, places, tested, findings), None)


def _check_numbers(line: bytes, words: Sequence[bytes], people: Sequence[bytes], uri: str) -> None:
    """Raise UnusableInputError if a word of a chromosome's line is neither a number nor NA.

    regenie 4.1.2 takes nan and inf for missing: of chromosome 1 it leaves the person out of the trait, of another it
    ends in step 2, as it does at other words (run on each; Regenie.cpp, convertDouble).
    """
    if _is_plain(line):
        return
    pairs = zip(words[1:], people[1:], strict=True)
    other = next((pair for pair in pairs if pair[0] != _MISSING and number_of(pair[0]) is None), None)
    if other is None:
        return
    word, person = other
    raise UnusableInputError(
        f"names {uri}, which has {text(word)[:_SHOWN_CHARACTERS]!r} for {text(person)} on chromosome "
        f"{text(words[0])[:_SHOWN_CHARACTERS]}, which is no prediction",
        "Run step 1 again, or upload its file as regenie wrote it; who has no prediction at all has NA in every line.",
    )


def _is_plain(line: bytes) -> bool:
    """Whether a line has nothing but plain numbers and NA, by what is quickly counted; False where it may have more."""
    if line.translate(None, delete=_OF_NUMBERS):
        return False
    begun, missing = (sum(line.count(before + word) for before in (b" ", b"\t")) for word in (b"-", _MISSING))
    letters = {line.count(b"N"), line.count(b"A"), missing}
    return len(letters) == 1 and line.count(b"-") == begun + line.count(b"e-") and b"+" not in line


def _check_chromosomes(
    lines: Iterator[bytes], people: Sequence[bytes], first: list[bytes], tested: Collection[int], uri: str
) -> bool:
    """Whether a line has a prediction other than 0. Raise UnusableInputError unless the lines go on as regenie writes
    them, as far as step 2 reads.

    `people` are the header's words, and `first` are chromosome 1's.

    regenie reads line by line as far as it needs, and ends in step 2 at one that is not the next chromosome's, or in
    which somebody lacks a prediction who has others (4.1.2's sources: Data.cpp, blup_read_chr).
    """
    missing, last, has_any = first.count(_MISSING), 1, False
    for last, line in enumerate(lines, start=2):
        words = line.split()
        has_any = has_any or not _is_zero(line)
        if len(words) == len(people):
            _check_numbers(line, words, people, uri)
        if words[:1] != [b"%d" % last] or len(words) != len(first) or words.count(_MISSING) != missing:
            raise UnusableInputError(
                f"names {uri}, which is no whole file of LOCO predictions: its line {last + 1} has not chromosome "
                f"{last} and a prediction of everybody who has one of chromosome 1",
                "Upload it again, or run step 1 again.",
            )
    if first[:1] != [b"1"] or last < _FEWEST_CHROMOSOMES:
        raise UnusableInputError(
            f"names {uri}, which ends at chromosome {last} of its lines; regenie writes one for each from 1 to 23",
            "Upload it again, or run step 1 again.",
        )
    if last < max(tested, default=0):
        raise UnusableInputError(
            f"names {uri}, which ends at chromosome {last}, but step 2 tests chromosome {max(tested)}",
            "Run step 1 of this platform (it predicts chromosomes 1 to 23), or leave the variants of later chromosomes "
            "out by step2.exclude.",
        )
    return has_any


def _is_zero(line: bytes) -> bool:
    """Whether all predictions of a chromosome's line are 0."""
    _, *predictions = line.split(None, 1)
    return not b"".join(predictions).translate(None, delete=_OF_ZEROS)


def _read(
    data: DataSet,
    path: str,
    trait: str,
    places: Mapping[bytes, int],
    tested: Collection[int],
    findings: Findings,
) -> bytearray:
    lines = unpacked_lines(data, path)
    people, line = next(lines, b"").split(), next(lines, b"")
    values = line.split()
    if people[:1] != [_HEADER] or len(values) != len(people):
        raise UnusableInputError(
            f"names {data.uri(path)}, which is no file of LOCO predictions: it does not begin with a line of "
            f"{text(_HEADER)} and people, and one of as many values",
            "Give the .loco file that regenie's step 1 wrote.",
        )
    if len(set(people)) < len(people):
        raise UnusableInputError(f"names {data.uri(path)}, which has people more than once", "Run step 1 again.")
    _check_numbers(line, values, people, data.uri(path))
    if data.size(path) <= _READ_WHOLE_BYTES:
        has_any = _check_chromosomes(lines, people, values, tested, data.uri(path))
        if not has_any and _is_zero(line):
            findings.warn(
                _WHERE,
                f"names {data.uri(path)}, in which every prediction of {trait} is 0: step 2 takes up nothing of "
                "relatedness and other loci",
                "Check that step 1 ran on this trait, and on enough variants.",
            )
    covered = bytearray(len(places))
    for person, value in zip(people[1:], values[1:], strict=True):
        place = places.get(person)
        if place is not None and value != _MISSING:
            covered[place] = 1
    found = covered.count(1)
    if not found:
        shown = examples(people[1:], show=text) or "nobody"
        raise UnusableInputError(
            f"names {data.uri(path)}, which has predictions of {trait} for none of the {len(places):,} people who are "
            f"analysed: it has {shown}, they are like {text(next(iter(places)))}",
            "Give predictions of the same people: both FID and IID must be the same.",
        )
    if found < len(places):
        share = "less than half" if found < _WARN_BELOW * len(places) else "not all"
        findings.warn(
            _WHERE,
            f"names {data.uri(path)}, which has predictions of {trait} for {found:,} of the {len(places):,} people who "
            f"are analysed ({share})",
            "The others are left out of this trait: run step 1 for all of them if this is not intended.",
        )
    return covered
