"""Notices by SNS: that a launch ended or waits for approval, in words for people."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from genolaunch.contract.launch import Status
from genolaunch.contract.launch_bucket import feedback_key
from genolaunch.shared import aws
from genolaunch.shared.faults import Fault, listing
from genolaunch.shared.printable import one_line_ascii, printable
from lambdas.shared.failure import public_message
from lambdas.shared.launch import Launch
from lambdas.shared.launch_events import detail

if TYPE_CHECKING:
    from types_boto3_sns.client import SNSClient

_LONGEST_SUBJECT = 99
"""Characters (Amazon SNS API reference, Publish: fewer than 100, printable ASCII, no line breaks)."""

_LONGEST_TEXT = 30_000
_LONGEST_FACT = 2_000
"""Characters: all protocols' texts together, of up to four bytes a character, have 256 KiB (Publish)."""

_MACHINES = ("sqs", "lambda", "http", "https", "firehose", "email-json")
"""Protocols of subscriptions whose reader is a program (Amazon SNS API reference, Subscribe): they get JSON."""

_HEADLINES = {
    Status.COMPLETE: "is complete",
    Status.FAILED: "failed",
    Status.REJECTED: "was rejected",
    Status.HELD: "waits for approval",
}
"""The statuses that people are told of; who cancels a launch knows."""


def notify(launch: Launch, *, topic_arn: str, stage: str) -> None:
    """Tell the topic's subscribers of the launch's status: people in words, programs in JSON (docs/events.md).

    A status that needs no notice is ignored.
    """
    if launch.status not in _HEADLINES:
        return
    words = text(launch)
    _publish(
        topic_arn,
        subject(launch, stage),
        words,
        detail(launch, stage),
        {"status": launch.status.value, "workflow": launch.workflow},
    )


def tell_answer(answer: Mapping[str, Any], *, uri: str, topic_arn: str, stage: str) -> None:
    """Tell the topic's subscribers the answer to a dropped file for which no key is left beside it (docs/events.md)."""
    outcome = "accepted" if answer["accepted"] else "refused"
    words = f"The file {printable(uri)} was {outcome}."
    if answer["launchId"]:
        words += f" To see its faults, if any, run genolaunch status {answer['launchId']} (a notice quotes no data)."
    elif answer["faults"]:  # of a file without a launch, they are about its key alone
        words += "\n" + listing([Fault(**fault) for fault in answer["faults"]])
    words += (
        "\n\nThis notice replaces the answer file, whose key would be longer than S3 allows: give the file a shorter"
        " name."
    )
    told = {name: value for name, value in answer.items() if name != "faults" or not answer["launchId"]}
    _publish(
        topic_arn,
        f"Genolaunch {stage}: a file was {outcome}",
        words,
        {"stage": stage, "answer": told},
        {"status": str(answer["status"])},
    )


def _publish(
    topic_arn: str, subject: str, words: str, facts: Mapping[str, Any], attributes: Mapping[str, str | None]
) -> None:
    """Words for people, and for programs the facts as JSON, with the beginning of the words as `text`."""
    sns: SNSClient = aws.client("sns")
    told = json.dumps({**facts, "text": words[:_LONGEST_FACT]}, ensure_ascii=False)
    sns.publish(
        TopicArn=topic_arn,
        Subject=subject,
        MessageStructure="json",
        Message=json.dumps({"default": words[:_LONGEST_TEXT]} | dict.fromkeys(_MACHINES, told), ensure_ascii=False),
        # What a subscription's filter policy can choose by.
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items() if value
        },
    )


def subject(launch: Launch, stage: str) -> str:
    """One line: `Genolaunch dev: height-gwas is complete`."""
    headline = _HEADLINES[launch.status]
    room = _LONGEST_SUBJECT - len(f"Genolaunch {stage}:  {headline}")
    return f"Genolaunch {stage}: {one_line_ascii(launch.name, room)} {headline}"


def text(launch: Launch) -> str:
    """The notice's body: what happened, what to do about it, where to look."""
    reason = printable(launch.status_reason) + "." if launch.status_reason else _reason(launch)
    parts = [f"Launch {printable(launch.name)} {_HEADLINES[launch.status]}.", reason, _facts(launch)]
    return "\n\n".join(part for part in parts if part)


def _reason(launch: Launch) -> str:
    if launch.error is None:
        return ""
    reason = f"{launch.error['type']}: {public_message(launch.error)}"
    again = f"retry the launch (genolaunch retry {launch.launch_id})" if launch.config_json else "drop the file again"
    if launch.error.get("faults"):
        beside = f"in {_answer(launch.config_uri)}, and " if launch.config_uri else ""
        shown = f"{beside}with genolaunch status {launch.launch_id}"
        return f"{reason}\n\nSee the faults {shown} (a notice quotes no data). Correct them, then {again}."
    if launch.error.get("public"):
        return (
            f"{reason}\n\nFor the complete message, run genolaunch status {launch.launch_id} (a notice quotes no data)."
        )
    return reason


def _answer(config_uri: str) -> str:
    """Where the faults are, one by one."""
    bucket, _, key = config_uri.removeprefix("s3://").partition("/")
    return printable(f"s3://{bucket}/{feedback_key(key)}")


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
    return "\n".join(f"{label + ':':<12}{printable(value)}" for label, value in facts.items() if value)
