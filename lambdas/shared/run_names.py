"""Whose a job, task or execution is, by its name: that of an attempt of a launch begins with contract.project.run_name.

Events of AWS Batch carry no tags of a job (AWS Batch user guide, "Job state change events" and "Job queue blocked
events"): there its name is all that tells the launch.
"""

import re
from dataclasses import dataclass
from typing import Final

_RUN_NAME: Final = re.compile(r"^(?P<launch>.+-\d{8}t\d{6}-[0-9a-f]{8,})-(?P<attempt>\d+)(?:-|$)")
"""A launch's id ends in the moment and the digest of its file (lambdas/workflow_manager/registration.py)."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The attempt of a launch that something belongs to."""

    launch_id: str
    attempt: int


def owner_by_name(name: str) -> Owner | None:
    """The launch and attempt of whose run name `name` begins; None if it begins with none."""
    match = _RUN_NAME.match(name)
    return Owner(match["launch"], int(match["attempt"])) if match else None
