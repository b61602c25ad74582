"""Runs a launch again: submits its config, with changes, as another launch."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from genolaunch.config_changes import Change, Values, changed, differences
from genolaunch.contract.launch_bucket import LAUNCH_PREFIX
from genolaunch.errors import GenolaunchError
from genolaunch.launch import Launch
from genolaunch.launches import Launches
from genolaunch.workflows import commands_for

if TYPE_CHECKING:
    from genolaunch.platform import Platform

_MOST_FILES: Final = 100
"""Paths of a config that are looked at; configs of more name their chromosomes one by one, which change together."""


@dataclass(frozen=True)
class ChangedInput:
    """A file that the launch read, and that is another since."""

    uri: str
    modified_at: datetime


@dataclass(frozen=True)
class Rerun:
    """What is submitted, and what tells it from the launch that was."""

    of: str
    """The launch's id."""
    key: str
    """Where it is dropped in the launch bucket."""
    config: Values
    differences: tuple[str, ...]
    changed_inputs: tuple[ChangedInput, ...]
    note: str | None
    """What else people are to know before it runs."""

    @property
    def content(self) -> bytes:
        """The file: JSON, in which every value is what it is."""
        return json.dumps(self.config, indent=2, ensure_ascii=False).encode()


def config_of(platform: "Platform", launch: Launch) -> Values:
    """The launch's checked config, with every default; raises GenolaunchError when it was never accepted."""
    text = Launches(platform).config_of(launch)
    if text is None:
        raise GenolaunchError(
            f"Launch {launch.launch_id} was never accepted, so its config is not kept: correct the file and submit it."
        )
    config: Values = json.loads(text)
    return config


def planned_rerun(platform: "Platform", launch: Launch, changes: Sequence[Change]) -> Rerun:
    """The launch again with changes; raises GenolaunchError when it is not over, or what is wrong with the changes."""
    if not launch.is_final:
        raise GenolaunchError(
            f"Launch {launch.launch_id} is {launch.status}: only a launch that is over is run again "
            "(`genolaunch cancel` ends one)."
        )
    before = config_of(platform, launch)
    after = changed(before, changes, f"The config of {launch.launch_id} with these changes")
    return Rerun(
        of=launch.launch_id,
        key=f"{_folder_of(launch)}{launch.launch_id}-rerun.json",
        config=after,
        differences=tuple(differences(before, after)),
        changed_inputs=tuple(_changed_inputs(platform, launch, after)),
        note=commands_for(launch.workflow).note_on_rerun,
    )


def _folder_of(launch: Launch) -> str:
    """Where its config was dropped: a team's folder makes it that team's again."""
    key = (launch.config_uri or "").removeprefix("s3://").partition("/")[2]
    return f"{key.rpartition('/')[0]}/" if key.startswith(LAUNCH_PREFIX) else LAUNCH_PREFIX


def _changed_inputs(platform: "Platform", launch: Launch, config: Values) -> Iterator[ChangedInput]:
    """Files that a launch's config names, and those that belong to them, written since it was submitted."""
    workflow = launch.workflow
    if workflow is None or not commands_for(workflow).names_its_files or launch.submitted_at is None:
        return
    place = str(config["data"]).removeprefix("s3://")
    is_elsewhere = place != config["data"]
    bucket, _, prefix = place.partition("/") if is_elsewhere else (platform.names.data_bucket, "", place)
    seen: set[str] = set()
    for path in _paths(config[workflow])[:_MOST_FILES]:
        stem = str(PurePosixPath(path).with_suffix(""))
        listed = platform.s3.list_objects_v2(Bucket=bucket, Prefix=prefix + stem).get("Contents", [])
        for entry in listed:
            name = entry["Key"].removeprefix(prefix)
            if name in _read_with(path) and name not in seen and entry["LastModified"] > launch.submitted_at:
                seen.add(name)
                yield ChangedInput(f"s3://{bucket}/{entry['Key']}", entry["LastModified"])


def _read_with(path: str) -> tuple[str, ...]:
    """A path of a config with the files that regenie reads beside it: cohort.bim and cohort.fam with cohort.bed."""
    from genolaunch.regenie.genotypes import GenotypeFiles, GenotypeFormat

    is_genotypes = PurePosixPath(path).suffix in tuple(GenotypeFormat)
    return GenotypeFiles(path).files if is_genotypes else (path,)


def _paths(section: object) -> list[str]:
    """Texts of a section that are paths of files: they have an extension, or a folder."""
    if isinstance(section, Mapping):
        return [path for value in section.values() for path in _paths(value)]
    if isinstance(section, list):
        return [path for value in section for path in _paths(value)]
    return [section] if isinstance(section, str) and _is_path(section) else []


def _is_path(text: str) -> bool:
    from pydantic_core import PydanticCustomError

    from genolaunch.launch_configs.config_base import check_relative_path

    try:
        check_relative_path(text)
    except PydanticCustomError:
        return False
    return "." in PurePosixPath(text).name or "/" in text


def document_of_rerun(rerun: Rerun) -> dict[str, Any]:
    """What JSON says of it."""
    return {
        "rerunOf": rerun.of,
        "changes": list(rerun.differences),
        "changedInputs": [
            {"uri": each.uri, "modifiedAt": each.modified_at.isoformat()} for each in rerun.changed_inputs
        ],
    }
