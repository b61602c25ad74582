"""Roles of a launch: what runs its author's programs has them, and no other (docs/decisions/099)."""

from enum import StrEnum
from typing import Final

from genolaunch.contract.project import PROJECT


class RightsTag(StrEnum):
    """Tags of a launch's roles besides project, stage, launchId and attempt.

    The stage's policies for such roles name what is the launch's by these (`${aws:PrincipalTag/run}`).
    """

    RUN = "run"  # run_name
    DATA_BUCKET = "dataBucket"
    DATA_FOLDER = "dataFolder"  # with a slash at its end
    QUEUE = "queue"  # name of its Batch queue
    ON_DEMAND_QUEUE = "onDemandQueue"
    SHARE = "share"  # whose share of the queue it takes
    TOKEN = "tokenSha256"  # noqa: S105 - digest of what tells Tibanna's unicorn that a job is this launch's


LONGEST_TAG_VALUE: Final = 256
"""Characters of a tag's value: letters, digits, spaces and _ . : / = + - @ (IAM user guide, "Tags for IAM
resources")."""


def launch_roles_path(stage: str, launch_id: str | None = None, attempt: int | None = None) -> str:
    """Path of the roles of all launches of a stage, of one launch, or of one of its attempts."""
    below = [str(each) for each in (launch_id, attempt) if each is not None]
    return "/".join(["", PROJECT, stage, "launches", *below, ""])


def launcher_role_name(run: str) -> str:
    """Of an attempt's launcher. A role's name has at most 64 characters, whatever its path (IAM quotas)."""
    return run


def jobs_role_name(run: str) -> str:
    """Of an attempt's jobs, and of the instance profile by which Tibanna's instances have it."""
    return f"{run}-jobs"
