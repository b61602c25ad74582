"""The answer beside a dropped file: feedback/<path>.json says whether it was accepted, and why not."""

import json
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from genolaunch.contract.launch import Status
from genolaunch.contract.launch_bucket import feedback_key
from genolaunch.shared import aws
from lambdas.shared.clock import timestamp
from lambdas.shared.launch import Launch
from lambdas.shared.observability import logger

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client


_LONGEST_KEY: Final = 1024
"""Bytes (Amazon S3 user guide, "Naming Amazon S3 objects")."""


def verdict(launch: Launch) -> dict[str, Any]:
    """What an answer says of the launch, and may say otherwise later."""
    rejected = launch.status == Status.REJECTED
    return {
        "accepted": not rejected,
        "status": launch.status,
        "faults": list((launch.error or {}).get("faults", [])) if rejected else [],
        "at": timestamp(),
    }


def has_feedback_key(key: str) -> bool:
    """Whether S3 takes an object that is called like the answer to this one."""
    return len(feedback_key(key).encode()) <= _LONGEST_KEY


def amend_feedback(launch: Launch) -> None:
    """Say beside the launch's file what was found out since: its inputs are at fault, or it is tried again.

    The answer to a newer drop of the file is another launch's, and stays. An answer that cannot be amended is no reason
    to stop: the table and the notice tell the same.
    """
    if launch.config_uri is None:
        return
    s3: S3Client = aws.client("s3")
    bucket, _, key = launch.config_uri.removeprefix("s3://").partition("/")
    try:
        found = s3.get_object(Bucket=bucket, Key=feedback_key(key))
        answer = json.loads(found["Body"].read())
        if answer["launchId"] == launch.launch_id:
            s3.put_object(
                Bucket=bucket,
                Key=feedback_key(key),
                Body=json.dumps(answer | verdict(launch), indent=2).encode(),
                ContentType="application/json",
                IfMatch=found["ETag"],  # a drop that is answered meanwhile has the last word
            )
    except ClientError as error:
        logger.warning("The answer was not amended", extra={"uri": launch.config_uri, "reason": str(error)})
