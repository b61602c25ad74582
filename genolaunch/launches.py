"""The launches of a stage: found by id, by the beginning of one, by status, age and user; and their failed jobs."""

import heapq
from collections.abc import Collection, Iterator
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from genolaunch.contract.launch import STATUS_INDEX, LaunchField, Status
from genolaunch.contract.tasks import JOB_TASK_PREFIX, TASK_RESUBMITTED, TaskField
from genolaunch.errors import GenolaunchError, WrongArgumentError
from genolaunch.launch import FailedJob, JobTask, Launch
from genolaunch.launch_items import failed_job_from, job_task_from, launch_from_item, launch_or_sick, plain, written
from genolaunch.shared.launch_item import LaunchItemError

if TYPE_CHECKING:
    from genolaunch.platform import Platform

LATEST = "latest"
"""Stands for the newest launch wherever an id is asked for."""

_PREFIX_SEARCH_DEPTH = 1000
"""How many launches of each status, newest first, are searched for a prefix: bounds what the search reads."""


class Launches:
    """Reads launches of one stage."""

    def __init__(self, platform: "Platform") -> None:
        self._platform = platform

    def get(self, launch_id: str) -> Launch:
        """The launch of exactly this id; raises GenolaunchError when there is none."""
        launch = self._find(launch_id)
        if launch is None:
            raise GenolaunchError(f"Stage “{self._platform.stage}” has no launch {launch_id}.")
        return launch

    def resolve(self, text: str) -> Launch:
        """The launch that `text` means: an id, the unique beginning of one, or "latest".

        Raises GenolaunchError when none or several are meant.
        """
        if not text:  # a variable of a script that was never set
            raise WrongArgumentError("The launch's id is empty: give one, the beginning of one, or “latest”.")
        if text == LATEST:
            newest = self.newest(1)
            if not newest:
                raise GenolaunchError(f"Stage “{self._platform.stage}” has no launches yet.")
            return self.get(newest[0].launch_id)
        return self._find(text) or self.get(self._only_id_beginning_with(text))

    def newest(
        self,
        limit: int,
        statuses: Collection[Status] = tuple(Status),
        *,
        since: datetime | None = None,
        user: str | None = None,
    ) -> list[Launch]:
        """The `limit` newest launches of these statuses, submitted `since` then, by who has `user` in the name.

        Attributes that the index lacks are None.
        """
        merged = heapq.merge(
            *(self._of_status(each, limit, since) for each in statuses), key=_newest_first, reverse=True
        )
        chosen = (launch for launch in merged if user is None or user.lower() in (launch.requested_by or "").lower())
        return list(islice(chosen, limit))

    def job_tasks(self, launch: Launch) -> list[JobTask]:
        """Failed jobs of all of the launch's attempts."""
        pages = self._platform.dynamodb.get_paginator("query").paginate(**self._job_items(launch, JOB_TASK_PREFIX))
        return [job_task_from(plain(item), launch.launch_id) for page in pages for item in page["Items"]]

    def failed_jobs(self, launch: Launch) -> list[FailedJob]:
        """The failed jobs of the launch's current attempt, in the order of their names."""
        query = self._job_items(launch, f"{JOB_TASK_PREFIX}{launch.run_name}-")
        pages = self._platform.dynamodb.get_paginator("query").paginate(**query)
        items = [plain(item) for page in pages for item in page["Items"]]
        # A failure that another job was to mend is not among them: if it did not, that job's own is.
        jobs = [
            failed_job_from(item, launch.run_name) for item in items if item.get(TaskField.STATUS) != TASK_RESUBMITTED
        ]
        return sorted(jobs, key=lambda job: (job.job_name, job.array_index))

    def config_of(self, launch: Launch) -> str | None:
        """The launch's checked config, as JSON with every default; None when it was never accepted."""
        item = self._item(launch.launch_id)
        return item.get(LaunchField.CONFIG) if item else None

    def _find(self, launch_id: str) -> Launch | None:
        item = self._item(launch_id)
        try:
            return launch_from_item(item) if item else None
        except LaunchItemError as error:
            raise GenolaunchError(str(error)) from error

    def _item(self, launch_id: str) -> dict[str, Any] | None:
        answer = self._platform.dynamodb.get_item(
            TableName=self._platform.names.launch_table,
            Key={LaunchField.LAUNCH_ID: {"S": launch_id}},
            ConsistentRead=True,
        )
        return plain(answer["Item"]) if "Item" in answer else None

    def _job_items(self, launch: Launch, prefix: str) -> dict[str, Any]:
        return {
            "TableName": self._platform.names.task_table,
            "KeyConditionExpression": "#launch = :launch AND begins_with(#task, :prefix)",
            "ExpressionAttributeNames": {"#launch": TaskField.LAUNCH_ID, "#task": TaskField.TASK_ID},
            "ExpressionAttributeValues": {":launch": {"S": launch.launch_id}, ":prefix": {"S": prefix}},
        }

    def _of_status(self, status: Status, page_size: int, since: datetime | None) -> Iterator[Launch]:
        query = {**self._status_query(status), "Limit": page_size}
        if since is not None:
            query["KeyConditionExpression"] += " AND #submitted >= :since"
            query["ExpressionAttributeNames"]["#submitted"] = LaunchField.SUBMITTED_AT
            query["ExpressionAttributeValues"][":since"] = {"S": written(since)}
        for page in self._platform.dynamodb.get_paginator("query").paginate(**query):
            yield from (launch_or_sick(plain(item)) for item in page["Items"])

    def _only_id_beginning_with(self, prefix: str) -> str:
        found = sorted(
            item[LaunchField.LAUNCH_ID]["S"]
            for status in Status
            for item in self._platform.dynamodb.query(**self._status_query(status, prefix), Limit=_PREFIX_SEARCH_DEPTH)[
                "Items"
            ]
        )
        if not found:
            raise GenolaunchError(
                f"Stage “{self._platform.stage}” has no launch {prefix}, and none of its newest begins with it: "
                "`genolaunch list` shows them."
            )
        if len(found) > 1:
            shown = ", ".join(found[:3]) + (", …" if len(found) > 3 else "")
            raise GenolaunchError(f"{len(found)} launches begin with {prefix} ({shown}): give more of the id.")
        return found[0]

    def _status_query(self, status: Status, prefix: str | None = None) -> dict[str, Any]:
        names = {"#status": LaunchField.STATUS}
        values: dict[str, Any] = {":status": {"S": status.value}}
        query: dict[str, Any] = {
            "TableName": self._platform.names.launch_table,
            "IndexName": STATUS_INDEX,
            "KeyConditionExpression": "#status = :status",
            "ScanIndexForward": False,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
        if prefix is not None:
            names["#id"] = LaunchField.LAUNCH_ID
            values[":prefix"] = {"S": prefix}
            query["FilterExpression"] = "begins_with(#id, :prefix)"
        return query


def _newest_first(launch: Launch) -> str:
    return launch.submitted_at.isoformat() if launch.submitted_at else ""
