"""Amazon ECS."""

from collections.abc import Mapping
from typing import Any, Final

from localcloud.limits.sizes import compact, refuse

MOST_OVERRIDES: Final = 8192
"""Most characters of a task's overrides as JSON (RunTask, `overrides`)."""

MOST_TASKS: Final = 10
"""Most tasks of one RunTask (`count`)."""

MOST_DESCRIBED: Final = 100
"""Most tasks of one DescribeTasks (`tasks`)."""

MOST_STARTED_BY: Final = 128
"""Most characters of RunTask's `startedBy`."""

MOST_TOKEN: Final = 64
"""Most characters of RunTask's `clientToken`."""

MOST_TAGS: Final = 50
"""Most tags of one task (RunTask, `tags`)."""


def _run_task(params: Mapping[str, Any]) -> None:
    overrides = (params.get("overrides") or {}).get("containerOverrides")
    if overrides and len(compact(overrides)) > MOST_OVERRIDES:
        refuse("InvalidParameterException", f"Container Overrides length must be at most {MOST_OVERRIDES}")
    if not 1 <= (params.get("count") or 1) <= MOST_TASKS:
        refuse("InvalidParameterException", f"count must be between 1 and {MOST_TASKS}.")
    if len(params.get("tags") or []) > MOST_TAGS:
        refuse("InvalidParameterException", f"A task can have up to {MOST_TAGS} tags.")
    for member, most in (("startedBy", MOST_STARTED_BY), ("clientToken", MOST_TOKEN)):
        if len(params.get(member) or "") > most:
            refuse("InvalidParameterException", f"{member} must be at most {most} characters long.")


def _describe_tasks(params: Mapping[str, Any]) -> None:
    if len(params.get("tasks") or []) > MOST_DESCRIBED:
        refuse("InvalidParameterException", f"Tasks cannot have more than {MOST_DESCRIBED} elements.")


LIMITS: Final = {"RunTask": (_run_task,), "DescribeTasks": (_describe_tasks,)}
