"""Empties buckets: every version, every delete marker, and every upload that was never finished."""

import time
from collections.abc import Sequence
from typing import Any, Final

from genolaunch.errors import GenolaunchError
from genolaunch.verify.account import Account

_DELETED_AT_ONCE: Final = 1000
"""Most objects of one DeleteObjects call (Amazon S3 API reference)."""

_PASSING: Final = frozenset({"InternalError", "SlowDown"})
"""Error codes after which S3 asks to try again ("List of error codes", Amazon S3 API reference). DeleteObjects gives
them for single keys in a call that succeeds, and botocore does not repeat such a call."""

_TRIES: Final = 8
"""With waits of 1, 2, 4 … seconds between them: two minutes."""


def empty(account: Account, bucket: str) -> int:
    """Empty a bucket. A bucket that does not exist counts as empty.

    Returns:
        The number of versions and delete markers that were deleted.

    Raises:
        GenolaunchError: S3 does not delete a version; the text says which, and why.
    """
    s3 = account.client("s3")
    deleted = 0
    try:
        for page in s3.get_paginator("list_object_versions").paginate(
            Bucket=bucket, PaginationConfig={"PageSize": _DELETED_AT_ONCE}
        ):
            found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            if found:
                _delete(s3, bucket, [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found])
                deleted += len(found)
        for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
            for upload in page.get("Uploads", []):
                s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    except s3.exceptions.NoSuchBucket:
        return 0
    return deleted


def _delete(s3: Any, bucket: str, objects: Sequence[dict[str, str]]) -> None:  # noqa: ANN401 - made from the model
    left = list(objects)
    for attempt in range(1, _TRIES + 1):
        errors = s3.delete_objects(Bucket=bucket, Delete={"Objects": left, "Quiet": True}).get("Errors", [])
        if not errors:
            return
        lasting = [each for each in errors if each.get("Code") not in _PASSING]
        if lasting or attempt == _TRIES:
            raise GenolaunchError(_refusal(bucket, (lasting or errors)))
        keys = {each["Key"] for each in errors}
        left = [each for each in left if each["Key"] in keys]
        time.sleep(2 ** (attempt - 1))


def _refusal(bucket: str, errors: Sequence[dict[str, Any]]) -> str:
    first = errors[0]
    more = f", nor {len(errors) - 1:,} more" if len(errors) > 1 else ""
    reason = str(first.get("Message") or first.get("Code")).rstrip(".")
    return f"S3 does not delete {first.get('Key')} of {bucket}{more}: {reason}."
