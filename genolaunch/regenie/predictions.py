"""Predictions of an earlier step 1, given by the user instead of a step 1 of this launch."""

import posixpath
from collections.abc import Mapping, Sequence

from genolaunch.regenie.data_set import DataSet
from genolaunch.shared.input_error import UnusableInputError


def read_predictions(data: DataSet, list_path: str, traits: Sequence[str]) -> Mapping[str, str]:
    """Read a `_pred.list` (lines of `TRAIT PATH`).

    Returns:
        Trait -> path of its LOCO predictions, below data.

    regenie writes absolute paths of the machine on which it ran. Such a file is expected in the folder of the list. A
    relative path starts at the list's folder.

    Raises:
        UnusableInputError: the list does not name every trait (regenie would only warn), or is no such list.
    """
    listed = _parse(data, list_path)
    missing = [trait for trait in traits if trait not in listed]
    if missing:
        raise UnusableInputError(
            f"names {data.uri(list_path)}, which has no predictions for {', '.join(missing)}",
            "Run step 1 for these traits too, or leave them out of `traits`.",
        )
    folder = posixpath.dirname(list_path)
    return {trait: _beside(folder, listed[trait], data.uri(list_path)) for trait in traits}


def _parse(data: DataSet, list_path: str) -> dict[str, str]:
    listed: dict[str, str] = {}
    for number, line in enumerate(data.text(list_path).splitlines(), start=1):
        fields = line.split(maxsplit=1)
        if len(fields) == 1:
            raise UnusableInputError(
                f"names {data.uri(list_path)}, whose line {number} is not `TRAIT PATH`",
                "Give the _pred.list that step 1 wrote.",
            )
        if fields and fields[0] in listed:
            raise UnusableInputError(
                f"names {data.uri(list_path)}, which has {fields[0]} more than once: regenie refuses it",
                "Leave the file of one step 1 for each trait.",
            )
        if fields:
            listed[fields[0]] = fields[1].strip()
    return listed


def _beside(folder: str, path: str, list_uri: str) -> str:
    if path.startswith("/"):
        return posixpath.join(folder, posixpath.basename(path))
    resolved = posixpath.normpath(posixpath.join(folder, path))
    if resolved.startswith(".."):
        raise UnusableInputError(
            f"names {list_uri}, which points to {path}, outside the launch's data",
            "Put the .loco files beside the list.",
        )
    return resolved
