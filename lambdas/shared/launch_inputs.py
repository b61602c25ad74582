"""The list of what a launch reads, as an object in the launch bucket: written by its workflow, read by the restore."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from genolaunch.contract.launch_bucket import INPUTS_PREFIX
from genolaunch.shared import aws

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client


def write_inputs_list(bucket: str, launch_id: str, urls: Iterable[str]) -> str:
    """Write s3:// URLs (a prefix ends with a slash, anything else is a key); the list's key in the bucket."""
    key = f"{INPUTS_PREFIX}{launch_id}.json"
    client: S3Client = aws.client("s3")
    client.put_object(Bucket=bucket, Key=key, Body=json.dumps(list(urls)).encode())
    return key


def read_inputs_list(bucket: str, key: str) -> tuple[str, ...]:
    """The list of that key."""
    client: S3Client = aws.client("s3")
    return tuple(json.loads(client.get_object(Bucket=bucket, Key=key)["Body"].read()))
