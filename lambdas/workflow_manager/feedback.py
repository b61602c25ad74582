"""Writes the answer beside a dropped file."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contract import Status
from lambdas.shared import aws
from lambdas.shared.clock import timestamp
from lambdas.shared.faults import Fault
from lambdas.shared.feedback import feedback_key, verdict
from lambdas.shared.launch import Launch
from lambdas.workflow_manager.dropped_file import Drop, DroppedFile

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client


def feedback(launch: Launch, drop: Drop, file: DroppedFile) -> dict[str, Any]:
    """The feedback object's content: `launch` is the one that answers the drop, new or not."""
    return {
        "launchId": launch.launch_id,
        **verdict(launch),
        "object": {"bucket": drop.bucket, "key": drop.key, "versionId": drop.version_id, "etag": drop.etag},
        "submissionId": file.submission_id,
    }


def write_feedback(launch: Launch, drop: Drop, file: DroppedFile, *, repeats: bool = False) -> None:
    """Put the feedback object into the launch bucket. `repeats`: the launch runs already, of the very same files."""
    _put_answer(drop, feedback(launch, drop, file) | ({"repeats": True} if repeats else {}))


def write_refusal(drop: Drop, fault: Fault) -> None:
    """The same for a file of which there is no launch, not even a rejected one."""
    _put_answer(
        drop,
        {
            "launchId": None,
            "accepted": False,
            "status": Status.REJECTED,
            "faults": [fault.as_dict()],
            "at": timestamp(),
            "object": {"bucket": drop.bucket, "key": drop.key, "versionId": drop.version_id, "etag": drop.etag},
        },
    )


def _put_answer(drop: Drop, answer: Mapping[str, Any]) -> None:
    s3: S3Client = aws.client("s3")
    s3.put_object(
        Bucket=drop.bucket,
        Key=feedback_key(drop.key),
        Body=json.dumps(answer, indent=2).encode(),
        ContentType="application/json",
    )
