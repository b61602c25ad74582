"""Removes what verify uploaded. The launches' items and bills stay, because they say what was spent."""

from collections.abc import Iterable
from typing import Any, Final

from genolaunch.contract.launch_bucket import (
    FEEDBACK_PREFIX,
    INPUTS_PREFIX,
    LAUNCH_PREFIX,
    REQUESTS_PREFIX,
    RESTORES_PREFIX,
    SOURCES_PREFIX,
)
from genolaunch.contract.results import RESULTS_PREFIX
from genolaunch.verify.account import Account

_AT_ONCE: Final = 1000
"""Keys of one DeleteObjects (Amazon S3 API reference)."""


def tidy(account: Account, name: str, launch_ids: Iterable[str]) -> int:
    """Delete every version of the objects that are this run's; how many there were."""
    names = account.platform.names
    ids = list(launch_ids)
    of_launches = (INPUTS_PREFIX, RESTORES_PREFIX, REQUESTS_PREFIX, f"{FEEDBACK_PREFIX}{REQUESTS_PREFIX}")
    prefixes = [
        (names.data_bucket, f"{name}/"),
        (names.launch_bucket, f"{SOURCES_PREFIX}{name}/"),
        (names.results_bucket, f"{name}/"),
        *((names.launch_bucket, f"{prefix}{name}-") for prefix in (LAUNCH_PREFIX, FEEDBACK_PREFIX)),
        *((names.launch_bucket, f"{prefix}{id_}") for id_ in ids for prefix in of_launches),
        *((names.results_bucket, f"{RESULTS_PREFIX}{id_}/") for id_ in ids),
    ]
    return sum(_delete(account, bucket, prefix) for bucket, prefix in prefixes)


def _delete(account: Account, bucket: str, prefix: str) -> int:
    s3: Any = account.platform.s3
    versions = [
        {"Key": each["Key"], "VersionId": each["VersionId"]}
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
        for kind in ("Versions", "DeleteMarkers")
        for each in page.get(kind, [])
    ]
    for start in range(0, len(versions), _AT_ONCE):
        s3.delete_objects(Bucket=bucket, Delete={"Objects": versions[start : start + _AT_ONCE], "Quiet": True})
    return len(versions)
