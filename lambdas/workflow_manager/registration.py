"""Decides about a dropped file: a launch to register, or a rejection with every fault."""

import hashlib
import re
from collections.abc import Collection
from pathlib import PurePosixPath
from traceback import extract_tb

from genolaunch.contract.compute import ComputeService
from genolaunch.contract.errors import ErrorType
from genolaunch.contract.launch import Status
from genolaunch.contract.launch_bucket import (
    LAUNCH_PREFIX,
    SNAKEFILE_NAME,
    SNAKEFILE_NAMES,
    SNAKEFILES_PREFIX,
    STANDARD_FOLDER,
)
from genolaunch.launch_configs.config_base import LaunchSection
from genolaunch.launch_configs.config_reader import check_config, read_config
from genolaunch.launch_configs.config_text import WHOLE_FILE, too_large
from genolaunch.launch_configs.snakemake_config import config_of_snakefile
from genolaunch.shared.errors import MissingRequiredParametersError
from genolaunch.shared.faults import Fault
from lambdas.shared.clock import timestamp
from lambdas.shared.launch import Launch
from lambdas.shared.observability import logger
from lambdas.shared.slurm_cluster import NO_CLUSTER
from lambdas.workflow_manager.dropped_file import Drop, DroppedFile
from lambdas.workflow_manager.teams import NOBODY, faults_of, team_of

CONFIG_SUFFIXES = (".yaml", ".yml", ".json")

_LONGEST_SLUG = 30
_MOST_FRAMES = 10
"""Of a traceback, the innermost ones."""
_DIGEST_LENGTH = 8
"""With 8 hexadecimal digits beside a name and a second, two launches do not meet. The whole launchId has at most 55
characters, so that `<launchId>-<attempt>`, and two more in regenie.asl.json, fit FSx's ClientRequestToken (63)."""


def is_launch_file(key: str) -> bool:
    """The drop is for the platform: a file below launches/, not the marker by which a console makes a folder; or a
    Snakefile with a folder of its own below snakefiles/."""
    is_config = key.startswith(LAUNCH_PREFIX) and not key.endswith("/")
    return is_config or _dropped_snakefile(key) is not None


def misplaced_snakefile(key: str) -> Fault | None:
    """Why a Snakefile below snakefiles/ is not launched; None for what is no such file."""
    if not key.startswith(SNAKEFILES_PREFIX) or PurePosixPath(key).name not in SNAKEFILE_NAMES:
        return None
    if _dropped_snakefile(key) is not None:
        return None
    places = " or ".join(f"{SNAKEFILES_PREFIX}NAME/{path}{SNAKEFILE_NAME}" for path in ("", f"{STANDARD_FOLDER}/"))
    return Fault(
        "the file",
        f"is not launched from this place: {key}",
        f"Put it to {places}, after its sources. Deeper Snakefiles are taken for sources of such a one.",
    )


def launch_of(
    drop: Drop,
    file: DroppedFile,
    *,
    data_bucket: str,
    services: Collection[str] = frozenset(ComputeService),
    teams: Collection[str] = (),
    readable_buckets: Collection[str] = (),
) -> Launch:
    """The SUBMITTED or REJECTED launch that a dropped file makes. The same drop makes the same launch.

    `services`: where launches of the stage may run (genolaunch.contract.compute.ComputeService). `teams`: kept apart,
    if any. `readable_buckets`: of others, whose data is for all teams.
    """
    team = team_of(drop.key, teams)
    owner = (team or NOBODY) if teams else None
    try:
        config = _config_of(drop, file)
        if config.compute not in services:
            raise MissingRequiredParametersError([NO_CLUSTER])
        if teams:
            faults = faults_of(
                config,
                team,
                launch_bucket=drop.bucket,
                data_bucket=data_bucket,
                readable_buckets=readable_buckets,
            )
            if faults:
                raise MissingRequiredParametersError(faults)
    except MissingRequiredParametersError as error:
        return _rejected(drop, file, error, owner)
    except Exception as error:
        # Any error while reading the file becomes an answer, and the message is not tried again.
        _log(error, drop)
        return _rejected(drop, file, _unread(error), owner, ErrorType.PLATFORM)
    return _submitted(drop, file, config, data_bucket, owner)


def fingerprint(drop: Drop, file: DroppedFile, sources: Collection[tuple[str, str]] = ()) -> str:
    """SHA-256 of bucket, key, bytes and sources: equal for the same launch dropped again under its name.

    `sources`: key and ETag of what a workflow reads besides its config.
    """
    start = "\0".join([drop.bucket, drop.key, *(word for source in sorted(sources) for word in source), ""]).encode()
    # What is too large to be read (a long Snakefile) is told apart by what S3 calls it.
    content = (drop.etag or "").encode() if file.content is None else file.content
    return hashlib.sha256(start + content).hexdigest()


def _dropped_snakefile(key: str) -> str | None:
    """<name> of snakefiles/<name>/Snakefile or snakefiles/<name>/workflow/Snakefile; None for anything else (deeper
    ones are sources of another)."""
    path = key.removeprefix(SNAKEFILES_PREFIX)
    name, _, file = path.partition("/")
    return name if path != key and name and file.removeprefix(f"{STANDARD_FOLDER}/") in SNAKEFILE_NAMES else None


def _config_of(drop: Drop, file: DroppedFile) -> LaunchSection:
    if file.unreadable:
        raise MissingRequiredParametersError([file.unreadable])
    name = _dropped_snakefile(drop.key)
    if name is not None:
        return check_config(config_of_snakefile(name, drop.key))
    suffix = PurePosixPath(drop.key).suffix.lower()
    if suffix not in CONFIG_SUFFIXES:
        raise MissingRequiredParametersError(
            [Fault("the file", f"must be named {', '.join(CONFIG_SUFFIXES)}; it is {drop.key!r}", "Rename it.")]
        )
    if file.content is None:
        raise too_large(file.size)
    return read_config(file.content, is_json=suffix == ".json")


def _submitted(drop: Drop, file: DroppedFile, config: LaunchSection, data_bucket: str, team: str | None) -> Launch:
    return Launch(
        launch_id=_launch_id(config.name, drop, team),
        name=config.name,
        status=Status.SUBMITTED,
        submitted_at=timestamp(drop.time),
        workflow=config.workflow,
        compute_service=config.compute,
        data_path=config.data_uri(data_bucket),
        config_uri=drop.uri,
        config_json=config.as_json(),
        config_sha256=_sha256(file),
        requested_by=drop.requested_by,
        team=team,
    )


def _rejected(
    drop: Drop,
    file: DroppedFile,
    error: MissingRequiredParametersError,
    team: str | None,
    type_: ErrorType = ErrorType.MISSING_REQUIRED_PARAMETERS,
) -> Launch:
    name = _dropped_snakefile(drop.key) or PurePosixPath(drop.key).stem
    return Launch(
        launch_id=_launch_id(name, drop, team),
        name=name,
        status=Status.REJECTED,
        submitted_at=timestamp(drop.time),
        config_uri=drop.uri,
        config_sha256=_sha256(file),
        requested_by=drop.requested_by,
        team=team,
        error={
            "type": type_.value,
            "message": error.summary,
            "faults": [fault.as_dict() for fault in error.faults],
        },
    )


def _unread(error: Exception) -> MissingRequiredParametersError:
    """What is said of a file at which its reader itself failed."""
    return MissingRequiredParametersError(
        [
            Fault(
                WHOLE_FILE,
                f"could not be checked: the platform failed ({type(error).__name__}), which is not your fault",
                "The people who run it were told. Remove what is unusual in the file, or drop it again once "
                "they have fixed it.",
            )
        ]
    )


def _log(error: Exception, drop: Drop) -> None:
    """Where it failed, and not with which words: they may be the file's."""
    frames = [f"{PurePosixPath(frame.filename).name}:{frame.lineno}" for frame in extract_tb(error.__traceback__)]
    logger.error(
        "A launch config could not be checked",
        extra={"uri": drop.uri, "error": type(error).__name__, "at": frames[-_MOST_FRAMES:]},
    )


def _sha256(file: DroppedFile) -> str | None:
    return None if file.content is None else hashlib.sha256(file.content).hexdigest()


def _launch_id(name: str, drop: Drop, team: str | None) -> str:
    """height-gwas-20261121t040000-1a2b3c4d: readable, sorted by time within a name, the same for the same event.

    A team's starts with its name, and no other does.
    """
    words = name if team is None else f"{team}-{name}"
    slug = re.sub(r"[^a-z0-9]+", "-", words.lower())[:_LONGEST_SLUG].strip("-") or "launch"
    return f"{slug}-{drop.time:%Y%m%dt%H%M%S}-{drop.digest[:_DIGEST_LENGTH]}"
