"""Explains why ids of a table or list of people and of the genotypes do not match: finds a form in which they would.

regenie knows a person by `FID_IID`, and passes over whom it does not know. The usual reasons: FID and IID exchanged, 0
or the IID written for the FID, leading zeros lost by a spreadsheet, other letters, and files (BGEN, PLINK's
--double-id) in which one id holds both.
"""

import re
from collections.abc import Callable, Collection, Sequence
from typing import Final

LEAST_SHARE: Final = 0.5
"""Of the unknown people who were looked at, who have to match in another form before it is named."""
LOOKED_AT: Final = 500
"""Unknown people who are kept to be looked at."""

Names = tuple[bytes, bytes]
"""FID and IID."""


def _join(*parts: bytes) -> bytes:
    return b"_".join(parts)


_FORMS: Final[Sequence[tuple[str, Callable[[bytes, bytes], bytes]]]] = (
    ("FID and IID exchanged: exchange the two columns", lambda fid, iid: _join(iid, fid)),
    ("0 for the FID: write 0 for the FID, as the genotypes do", lambda _, iid: _join(b"0", iid)),
    ("the IID for the FID, too: write the IID in both columns, as the genotypes do", lambda _, iid: _join(iid, iid)),
    ("the FID for the IID, too: write the FID in both columns, as the genotypes do", lambda fid, _: _join(fid, fid)),
    (
        "both ids in each of the two: write FID_IID in both columns, as the genotypes do",
        lambda fid, iid: _join(fid, iid, fid, iid),
    ),
    (
        "one id for both columns: the genotypes have FID_IID where this file has it twice; part it at the underscore",
        lambda _, iid: iid,
    ),
)
"""Words for a form, with what to do, and the person's name in it."""
_OTHER_FIDS: Final = "other FIDs: write each person's FID as the genotypes have it"
_ZEROS: Final = "leading zeros, which one of the two lacks: write the ids as text, as the genotypes have them"
_LEADING_ZEROS: Final = re.compile(rb"(?<![0-9])0+")
"""Of each number within an id: P00255 may be written P255."""
_LETTERS: Final = "other upper and lower case: write the ids as the genotypes have them"


def likely_mend(unknown: Sequence[Names], genotyped: Collection[bytes]) -> str:
    """In which form most of the people would be known, and how to write them so; empty where there is none.

    Args:
        unknown: people of a table or list whom the genotypes do not have.
        genotyped: `FID_IID` of those who are genotyped.
    """
    if not unknown:
        return ""
    for words, form in _FORMS:
        matched = sum(form(*names) in genotyped for names in unknown)
        if matched >= LEAST_SHARE * len(unknown):
            return _sentence(matched, len(unknown), words)
    iids = {person.partition(b"_")[2] for person in genotyped}
    matched = sum(iid in iids for _, iid in unknown)
    if matched >= LEAST_SHARE * len(unknown):
        return _sentence(matched, len(unknown), _OTHER_FIDS)
    for words, same in ((_ZEROS, _without_zeros), (_LETTERS, bytes.lower)):
        known = {same(person) for person in genotyped}
        matched = sum(same(_join(*names)) in known for names in unknown)
        if matched >= LEAST_SHARE * len(unknown):
            return _sentence(matched, len(unknown), words)
    return ""


def _sentence(matched: int, looked_at: int, words: str) -> str:
    return f"{matched:,} of {looked_at:,} of them would be known with {words}."


def _without_zeros(person: bytes) -> bytes:
    return _LEADING_ZEROS.sub(b"", person)
