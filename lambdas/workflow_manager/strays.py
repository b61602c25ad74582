"""Misplaced files in the launch bucket: finds the place that their authors probably meant."""

from collections.abc import Collection, Sequence
from difflib import get_close_matches
from pathlib import PurePosixPath
from typing import Final

from genolaunch.contract.launch_bucket import (
    LAUNCH_BUCKET_PREFIXES,
    LAUNCH_PREFIX,
    SNAKEFILE_NAME,
    SNAKEFILES_PREFIX,
    SOURCES_PREFIX,
    STANDARD_FOLDER,
)
from genolaunch.shared.faults import Fault
from lambdas.workflow_manager.registration import CONFIG_SUFFIXES

_NEAR: Final = {
    "launches": LAUNCH_PREFIX,
    "launch": LAUNCH_PREFIX,
    "snakefiles": SNAKEFILES_PREFIX,
    "snakefile": SNAKEFILES_PREFIX,
    "snakemake": SNAKEFILES_PREFIX,
}
"""Folders that people write, give or take a letter, and those that they mean."""

_LIKENESS: Final = 0.8
"""Of difflib's ratio: a wrong letter or two, but no other word (`branches` has 0.75), nor another folder of the
bucket."""


def stray(key: str, *, data_bucket: str, teams: Collection[str] = ()) -> Fault | None:
    """The fault of a misplaced file, and the right place.

    None for what belongs where it is, and for the marker by which a console makes a folder. `teams`: that the stage
    keeps apart, if any.
    """
    if key.endswith("/") or key.startswith(LAUNCH_BUCKET_PREFIXES):
        return None
    return Fault("the file", f"is in a place from which nothing is launched: {key}", _remedy(key, data_bucket, teams))


def _remedy(key: str, data_bucket: str, teams: Collection[str]) -> str:
    *folders, name = [part for part in key.split("/") if part]
    meant, below = _meant(folders)
    path = PurePosixPath(name)
    source = f"{SNAKEFILES_PREFIX}{'/'.join([*below, name])}" if meant == SNAKEFILES_PREFIX and below else None
    if path.stem.lower() == SNAKEFILE_NAME.lower():
        return f"Put it to {_snakefile_place(below)}, after its sources, which belong beside it."
    if path.suffix.lower() in CONFIG_SUFFIXES:
        config = _config_place([*below, name] if meant == LAUNCH_PREFIX else [name], folders, teams)
        if source:
            return f"As a launch config, put it to {config}; as a source of a workflow, to {source}."
        return f"Put it to {config}; what a workflow reads belongs beside its Snakefile, in {SNAKEFILES_PREFIX}NAME/."
    if source:
        return f"Put it to {source}, before its Snakefile."
    if not folders and _near(name):
        return _remedy_of_a_folders_name(name, teams)
    return (
        f"{LAUNCH_PREFIX} takes launch configs ({', '.join(CONFIG_SUFFIXES)}), {SNAKEFILES_PREFIX}NAME/ a Snakefile and"
        f" its sources, {SOURCES_PREFIX} the sources of workflows that configs name. Data belongs in the data bucket,"
        f" s3://{data_bucket}/."
    )


def _remedy_of_a_folders_name(name: str, teams: Collection[str]) -> str:
    """As `aws s3 cp FILE s3://BUCKET/launches` puts it."""
    is_config = _near(name) == LAUNCH_PREFIX
    place = _config_place([f"NAME{CONFIG_SUFFIXES[0]}"], [], teams) if is_config else _snakefile_place([])
    return f"Put it to {place}: a folder's name has / at its end, and then the file's name."


def _meant(folders: Sequence[str]) -> tuple[str | None, list[str]]:
    """The folder of the bucket that one of these is a spelling of, and the folders below it; all, if none is."""
    for place, folder in enumerate(folders):
        if _near(folder):
            return _near(folder), list(folders[place + 1 :])
    return None, list(folders)


def _near(name: str) -> str | None:
    found = get_close_matches(name.lower(), _NEAR, n=1, cutoff=_LIKENESS)
    return _NEAR[found[0]] if found else None


def _snakefile_place(folders: Sequence[str]) -> str:
    """With the name of the folder in which it is, or, in Snakemake's own layout, of the one above."""
    standard = folders[-1:] == [STANDARD_FOLDER]
    named = folders[:-1] if standard else folders
    name = named[-1] if named else "NAME"
    return f"{SNAKEFILES_PREFIX}{name}/{f'{STANDARD_FOLDER}/' if standard else ''}{SNAKEFILE_NAME}"


def _config_place(path: Sequence[str], folders: Sequence[str], teams: Collection[str]) -> str:
    if teams and path[0] not in teams:
        path = [next((folder for folder in folders if folder in teams), "TEAM"), *path]
    return LAUNCH_PREFIX + "/".join(path)
