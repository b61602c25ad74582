"""The answer beside a dropped file: feedback/<path>.json says whether it was accepted, and why not."""

import json
from typing import TYPE_CHECKING, Any

from contract import FEEDBACK_PREFIX, LAUNCH_PREFIX, Status
from lambdas.shared import aws
from lambdas.shared.clock import timestamp
from lambdas.shared.launch import Launch
from lambdas.workflow_manager.dropped_file import Drop, DroppedFile

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client


def feedback(launch: Launch, drop: Drop, file: DroppedFile) -> dict[str, Any]:
    """The feedback object's content: `launch` is the one that answers the drop, new or not."""
    return {
        "accepted": launch.status != Status.REJECTED,
        "launchId": launch.launch_id,
        "status": launch.status,
        "faults": list((launch.error or {}).get("faults", [])),
        "object": {"bucket": drop.bucket, "key": drop.key, "versionId": drop.version_id, "etag": drop.etag},
        "submissionId": file.submission_id,
        "at": timestamp(),
    }


def feedback_key(key: str) -> str:
    """Where the answer to `launches/<path>` is."""
    return FEEDBACK_PREFIX + key.removeprefix(LAUNCH_PREFIX) + ".json"


def write_feedback(launch: Launch, drop: Drop, file: DroppedFile) -> None:
    """Put the feedback object into the launch bucket."""
    s3: S3Client = aws.client("s3")
    s3.put_object(
        Bucket=drop.bucket,
        Key=feedback_key(drop.key),
        Body=json.dumps(feedback(launch, drop, file), indent=2).encode(),
        ContentType="application/json",
    )
