"""Predictions that a user gave: whom they cover. regenie leaves the others out of the trait, as only its log says."""

from collections.abc import Mapping
from typing import Final

from lambdas.regenie.data_set import DataSet
from lambdas.regenie.preflight.findings import Findings, examples, text
from lambdas.shared.input_error import UnusableInputError

_WHERE: Final = "regenie.step1.predictions"
_HEADER: Final = b"FID_IID"
_MISSING: Final = b"NA"
_WARN_BELOW: Final = 0.5


def covered_people(
    data: DataSet, path: str, trait: str, places: Mapping[bytes, int], findings: Findings
) -> bytearray | None:
    """1 for each analysed person, by place, for whom a LOCO file has a prediction; None where it cannot be read.

    Its first line has the people, as `FID_IID`, its second their predictions of the first chromosome, NA where there is
    none (regenie's documentation, "Output", and Pheno.cpp, blup_read).
    """
    return findings.attempt(_WHERE, lambda: _read(data, path, trait, places, findings), None)


def _read(data: DataSet, path: str, trait: str, places: Mapping[bytes, int], findings: Findings) -> bytearray:
    lines = data.lines(path)
    people, values = next(lines, b"").split(), next(lines, b"").split()
    if people[:1] != [_HEADER] or len(values) != len(people):
        raise UnusableInputError(
            f"names {data.uri(path)}, which is no file of LOCO predictions: it does not begin with a line of "
            f"{text(_HEADER)} and people, and one of as many values",
            "Give the .loco file that regenie's step 1 wrote.",
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
            "The others are left out of this trait: run step 1 for all of them if that is not meant.",
        )
    return covered
