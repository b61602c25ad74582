"""Writes the answer beside a dropped file."""

import json
from typing import TYPE_CHECKING, Any

from lambdas.shared import aws
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


def write_feedback(launch: Launch, drop: Drop, file: DroppedFile) -> None:
    """Put the feedback object into the launch bucket."""
    s3: S3Client = aws.client("s3")
    s3.put_object(
        Bucket=drop.bucket,
        Key=feedback_key(drop.key),
        Body=json.dumps(feedback(launch, drop, file), indent=2).encode(),
        ContentType="application/json",
    )
