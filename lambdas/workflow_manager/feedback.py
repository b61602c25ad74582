"""Writes the answer beside a dropped file."""

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from genolaunch.contract.launch import Status
from genolaunch.contract.launch_bucket import feedback_key
from genolaunch.shared import aws
from genolaunch.shared.faults import Fault
from lambdas.shared.clock import timestamp
from lambdas.shared.conditional_writes import delays
from lambdas.shared.feedback import verdict
from lambdas.shared.launch import Launch
from lambdas.shared.observability import logger
from lambdas.workflow_manager.dropped_file import Drop, DroppedFile, is_later

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

_MISSING: Final = frozenset({"NoSuchKey", "404"})
_LOST_RACES: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"})
"""Of a conditional put: another was faster, or is at it, or the answer that it was to replace is gone (Amazon S3 user
guide, "How to prevent object overwrites with conditional writes")."""


def feedback(launch: Launch, drop: Drop, file: DroppedFile, *, repeats: bool = False) -> dict[str, Any]:
    """The feedback object's content: `launch` is the one that answers the drop, new or not.

    `repeats`: the launch runs already, of the very same files.
    """
    return {
        "launchId": launch.launch_id,
        **verdict(launch),
        "object": _object(drop),
        "submissionId": file.submission_id,
        **({"repeats": True} if repeats else {}),
    }


def refusal(drop: Drop, fault: Fault) -> dict[str, Any]:
    """The same for a file of which there is no launch, not even a rejected one."""
    return {
        "launchId": None,
        "accepted": False,
        "status": Status.REJECTED,
        "faults": [fault.as_dict()],
        "at": timestamp(),
        "object": _object(drop),
    }


def write_answer(drop: Drop, answer: Mapping[str, Any], *, only_first: bool = False) -> None:
    """Put the answer into the launch bucket, unless the one to a later put of the same file is there.

    Events of S3 may overtake each other and come twice; of several quick puts, the last one's answer stays.
    `only_first`: an earlier answer to this very put stays, too.
    """
    s3: S3Client = aws.client("s3")
    key = feedback_key(drop.key)
    for delay in delays():
        there, condition = _answer_there(s3, drop.bucket, key)
        if is_later(there.get("object"), drop):
            logger.info("A later put of the file has its answer already", extra={"uri": drop.uri})
            return
        if only_first and there.get("object") == _object(drop):
            return
        try:
            s3.put_object(
                Bucket=drop.bucket,
                Key=key,
                Body=json.dumps(answer, indent=2).encode(),
                ContentType="application/json",
                **condition,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in _LOST_RACES:
                raise
        else:
            return
        time.sleep(delay)
    raise TimeoutError(f"{drop.uri}: others kept answering it")


def _answer_there(s3: "S3Client", bucket: str, key: str) -> tuple[Mapping[str, Any], dict[str, Any]]:
    """The answer that stands there now, if any can be read, and the condition of a put that replaces just that."""
    try:
        found = s3.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _MISSING:
            raise
        return {}, {"IfNoneMatch": "*"}
    with found["Body"] as body:
        content = body.read()
    try:
        answer = json.loads(content)
    except ValueError:
        answer = None
    return answer if isinstance(answer, dict) else {}, {"IfMatch": found["ETag"]}


def _object(drop: Drop) -> dict[str, Any]:
    """Which put is answered."""
    return {
        "bucket": drop.bucket,
        "key": drop.key,
        "versionId": drop.version_id,
        "etag": drop.etag,
        "sequencer": drop.sequencer,
    }
