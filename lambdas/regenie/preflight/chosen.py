"""Finds the genotyped people that a launch analyses, after its lists and its choice of one sex."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Final

from genolaunch.launch_configs.regenie_config import RegenieParameters
from genolaunch.regenie.data_set import DataSet
from lambdas.regenie.preflight.findings import Findings
from lambdas.regenie.preflight.id_hints import likely_mend
from lambdas.regenie.preflight.lists import ListMatch, check_match, match, read_people, unknown_people
from lambdas.regenie.preflight.samples import SEXES

_GENOTYPED: Final = "genotyped people (as FID_IID)"

_MARKS: Final = b"0" + b"1" * 255
"""What is written for each byte of marks."""


@dataclass(frozen=True, slots=True)
class ChosenPeople:
    """Who is left in."""

    places: dict[bytes, int]
    """`FID_IID` -> place among those who are left."""
    genotyped: Collection[bytes]
    """All who have genotypes, those whom the launch leaves out too."""
    lists: dict[str, ListMatch]
    """Config key of each list -> how many of its entries are genotyped."""

    def marked(self, marks: bytearray) -> bytes:
        """`1` for each genotyped person whose mark (by place) is set, and `0` for the others, in their order."""
        if len(self.places) == len(self.genotyped):
            return bytes(marks).translate(_MARKS)
        places = map(self.places.get, self.genotyped)
        return b"".join(b"0" if place is None or not marks[place] else b"1" for place in places)


def choose_people(
    data: DataSet, sexes: dict[bytes, int], parameters: RegenieParameters, findings: Findings
) -> ChosenPeople | None:
    """Apply `keep` or `remove`, and `sex`, as regenie does; None where nobody is left, which is a fault.

    Args:
        data: the launch's data.
        sexes: `FID_IID` -> sex of every genotyped person (samples.read_sexes).
        parameters: the launch's config.
        findings: get what is found about the lists.
    """
    people = list(sexes)
    lists: dict[str, ListMatch] = {}
    for key, path in (("keep", parameters.keep), ("remove", parameters.remove)):
        where = f"regenie.{key}"
        listed = findings.attempt(where, partial(read_people, data, path), None) if path else None
        if path is None or listed is None:
            continue
        lists[where] = match(listed, sexes.keys())
        mend = partial(_mend, data, path, sexes)
        check_match(lists[where], _GENOTYPED, next(iter(sexes)), where, data.uri(path), findings, mend=mend)
        people = [person for person in people if (person in listed) == (key == "keep")]
        if lists[where].matched and not people:
            findings.add(where, "leaves nobody who is genotyped", "Leave fewer people out.")
    if people and parameters.sex:
        people = _of_sex(people, sexes, parameters.sex, findings)
    if not people:
        return None
    return ChosenPeople({person: place for place, person in enumerate(people)}, sexes.keys(), lists)


def _mend(data: DataSet, path: str, sexes: dict[bytes, int]) -> str:
    return likely_mend(unknown_people(data, path, sexes), sexes.keys())


def _of_sex(people: list[bytes], sexes: dict[bytes, int], sex: str, findings: Findings) -> list[bytes]:
    chosen = [person for person in people if sexes[person] == SEXES[sex]]
    unknown = sum(not sexes[person] for person in people)
    if not chosen:
        findings.add(
            "regenie.sex",
            f"is {sex}, which nobody is by the genotypes' samples ({unknown:,} of {len(people):,} have no sex there)",
            "Write the sexes into that file (1 male, 2 female): plink2 --update-sex.",
        )
    elif unknown:
        findings.warn(
            "regenie.sex",
            f"is {sex}, and {unknown:,} of {len(people):,} people have no sex in the genotypes' sample file",
            "They are left out: write their sexes there if this is not intended.",
        )
    return chosen
