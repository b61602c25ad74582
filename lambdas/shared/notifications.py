"""Notices by SNS: how a launch ended, or that it waits for somebody, in words for the people concerned."""

from typing import TYPE_CHECKING

from contract import Status
from lambdas.shared import aws
from lambdas.shared.faults import Fault, listing
from lambdas.shared.launch import Launch

if TYPE_CHECKING:
    from types_boto3_sns.client import SNSClient

_LONGEST_SUBJECT = 99
"""Characters (Amazon SNS API reference, Publish: fewer than 100, printable ASCII, no line breaks)."""

_HEADLINES = {
    Status.COMPLETE: "is complete",
    Status.FAILED: "failed",
    Status.REJECTED: "was rejected",
    Status.HELD: "waits for approval",
}
"""The statuses that people are told of; who cancels a launch knows."""


def notify(launch: Launch, *, topic_arn: str, stage: str) -> None:
    """Tell the topic's subscribers of the launch's status; a status that is nobody's news is passed over."""
    if launch.status not in _HEADLINES:
        return
    sns: SNSClient = aws.client("sns")
    sns.publish(TopicArn=topic_arn, Subject=subject(launch, stage), Message=text(launch))


def subject(launch: Launch, stage: str) -> str:
    """One line: `Genolaunch dev: height-gwas is complete`."""
    headline = _HEADLINES[launch.status]
    name = "".join(character if character.isascii() and character.isprintable() else "?" for character in launch.name)
    room = _LONGEST_SUBJECT - len(f"Genolaunch {stage}:  {headline}")
    return f"Genolaunch {stage}: {name[:room]} {headline}"


def text(launch: Launch) -> str:
    """The notice's body: what happened, what to do about it, where to look."""
    reason = launch.status_reason + "." if launch.status_reason else _reason(launch)
    parts = [f"Launch {launch.name} {_HEADLINES[launch.status]}.", reason, _facts(launch)]
    return "\n\n".join(part for part in parts if part)


def _reason(launch: Launch) -> str:
    if launch.error is None:
        return ""
    faults = [Fault(**fault) for fault in launch.error.get("faults", [])]
    reason = f"{launch.error['type']}: {launch.error['message']}"
    return f"{reason}\n{listing(faults)}\n\nMend what is named, then drop the file again." if faults else reason


def _facts(launch: Launch) -> str:
    facts = {
        "Report": launch.report_uri,
        "Results": launch.results_uri,
        "Launch": launch.launch_id,
        "Config": launch.config_uri,
        "Dropped by": launch.requested_by,
        "Submitted": launch.submitted_at,
        "Started": launch.started_at,
        "Ended": launch.ended_at,
        "Attempt": str(launch.attempt) if launch.attempt else None,
        "Execution": launch.execution_arn,
    }
    return "\n".join(f"{label + ':':<12}{value}" for label, value in facts.items() if value)
