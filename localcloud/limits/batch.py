"""AWS Batch. What the stand-in itself needs to know is in localcloud/batch: names, arrays,
dependencies, retries, time-outs."""

from collections.abc import Mapping
from typing import Any, Final

from localcloud.limits.sizes import KIB, json_size, refuse

MOST_JOB_BYTES: Final = 30 * KIB
"""Of a SubmitJob request (User guide, "AWS Batch service quotas": maximum job payload size)."""

MOST_OVERRIDES: Final = 8192
"""Characters of a container's overrides. Batch takes the job; ECS refuses its task: the job fails with
OVERRIDES_REASON (RunTask, `overrides`; seen in Netflix/metaflow issue 1482)."""

OVERRIDES_REASON: Final = f"Container Overrides length must be at most {MOST_OVERRIDES}"

MOST_TAGS: Final = 50
"""User guide, "Tag your AWS Batch resources"."""


def _job_size(params: Mapping[str, Any]) -> None:
    size = json_size(params)
    if size > MOST_JOB_BYTES:
        got = -(-size // KIB)
        refuse(
            "ClientException", f"Error executing request, Exception : Job size must be less than 30 KiB, got {got} KiB"
        )


def _tags(params: Mapping[str, Any]) -> None:
    if len(params.get("tags") or {}) > MOST_TAGS:
        refuse("ClientException", f"Error executing request, Exception : Number of tags must be at most {MOST_TAGS}")


LIMITS: Final = {
    "SubmitJob": (_tags, _job_size),
    "RegisterJobDefinition": (_tags,),
    "CreateJobQueue": (_tags,),
    "CreateComputeEnvironment": (_tags,),
    "TagResource": (_tags,),
}
