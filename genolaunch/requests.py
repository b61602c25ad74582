"""Requests about a launch: cancel, retry, approve, edit.

A request is a file in the launch bucket, and not a write into the table: S3 tells the platform who put it, and the
platform checks it, does it, and keeps with the launch who asked for what (lambdas/workflow_manager/answer_requests.py).
"""

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from genolaunch.contract.launch import Status
from genolaunch.contract.launch_bucket import REQUESTS_PREFIX
from genolaunch.contract.requests import RequestAction, RequestField
from genolaunch.contract.workflow import RESOURCE_PHASES
from genolaunch.errors import GenolaunchError, WrongArgumentError
from genolaunch.launch import Launch
from genolaunch.submission import ANSWER_TIMEOUT, submit_content, wait_for_answer
from genolaunch.workflows import commands_for

if TYPE_CHECKING:
    from genolaunch.platform import Platform

_RESOURCES: Final = re.compile(r"(?P<phase>\w+)=(?P<vcpus>[1-9]\d*):(?P<memory_gib>[1-9]\d*)")


@dataclass(frozen=True)
class Resources:
    """What the jobs of a phase get from now on."""

    phase: str
    vcpus: int
    memory_gib: int

    @classmethod
    def parse(cls, text: str) -> "Resources":
        """From `PHASE=VCPUS:GIB`; raises WrongArgumentError saying what is wrong with it."""
        match = _RESOURCES.fullmatch(text)
        if match is None:
            raise WrongArgumentError(f"“{text}” is not PHASE=VCPUS:GIB, such as step2=4:16.")
        if match["phase"] not in RESOURCE_PHASES:
            raise WrongArgumentError(f"“{match['phase']}” is not one of {', '.join(RESOURCE_PHASES)}.")
        return cls(match["phase"], int(match["vcpus"]), int(match["memory_gib"]))


def cancel(platform: "Platform", launch: Launch, reason: str | None = None) -> None:
    """Ask for the launch to be stopped and cleaned up; GenolaunchError when it is over."""
    _ask(platform, launch, RequestAction.CANCEL, reason)


def retry(platform: "Platform", launch: Launch, resources: Sequence[Resources] = (), reason: str | None = None) -> None:
    """Ask for what is missing of a failed, cancelled or rejected launch, with other `resources` for its jobs if given.

    Raises GenolaunchError when it is not over, or complete, or was refused as it was dropped.
    """
    if launch.status == Status.REJECTED and not launch.workflow:  # its config could not be read as one
        raise GenolaunchError(f"Launch {launch.launch_id} was never accepted: correct its config, and submit it again.")
    if not resources:
        _ask(platform, launch, RequestAction.RETRY, reason)
        return
    workflow = launch.workflow
    if workflow is None or not commands_for(workflow).has_phases:
        raise GenolaunchError(f"Launch {launch.launch_id} is no launch of regenie: its jobs' resources are its own.")
    changed = {each.phase: {"vcpus": each.vcpus, "memory_gib": each.memory_gib} for each in resources}
    _ask(platform, launch, RequestAction.RETRY, reason, config={workflow: {"resources": changed}})


def approve(platform: "Platform", launch: Launch, reason: str | None = None) -> None:
    """Agree to what the launch is HELD for, its restore or its cost, as estimated; raises GenolaunchError if it is not.

    Should it be more when the launch looks again, the launch asks again.
    """
    # The very estimate that was looked at: another attempt may ask for more.
    _ask(platform, launch, RequestAction.APPROVE, reason, attempt=launch.attempt)


def edit(platform: "Platform", launch: Launch, config: Mapping[str, Any], reason: str) -> None:
    """Ask for another config of a launch that is over, by a JSON merge patch; GenolaunchError says what is wrong."""
    _ask(platform, launch, RequestAction.EDIT, reason, config=config)


def _ask(platform: "Platform", launch: Launch, action: RequestAction, reason: str | None, **more: object) -> None:
    """Drop the request and wait for its answer; raises GenolaunchError with every reason when it is refused."""
    request = {RequestField.ACTION: action.value, **({RequestField.REASON: reason} if reason else {}), **more}
    key = f"{REQUESTS_PREFIX}{launch.launch_id}/{uuid.uuid4()}.json"
    sent = submit_content(platform, key, json.dumps(request).encode())
    answer = wait_for_answer(platform, sent, ANSWER_TIMEOUT)
    if not answer.accepted:
        told = "; ".join(_in_words(launch, fault.where, fault.problem, fault.remedy) for fault in answer.faults)
        raise GenolaunchError(told)


def _in_words(launch: Launch, where: str, problem: str, remedy: str) -> str:
    """`Launch height-1 is COMPLETE: …` of a fault of the launch, `data must be …` of one of its config."""
    if where == "the launch":
        return f"Launch {launch.launch_id} {problem}."
    return f"{where} {problem}. {remedy}"
