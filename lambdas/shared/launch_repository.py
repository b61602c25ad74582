"""The only place that reads and writes the launch table and the task table (but lambdas/snakemake/launcher_repository
for the items about launchers).

Everything here may be called twice, or by two functions at once: each change is one conditional write, and the loser of
a race reads again.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from genolaunch.contract.errors import ErrorType
from genolaunch.contract.launch import (
    ALLOWED_FROM,
    GUARD_KEY_PREFIX,
    GUARD_TASK_ID,
    GUARDED_LAUNCH_ID,
    STARTING_STATUSES,
    STATUS_INDEX,
    LaunchField,
    Status,
)
from genolaunch.contract.tasks import TaskField
from genolaunch.shared import aws
from genolaunch.shared.errors import StatusConflictError
from genolaunch.shared.faults import Fault
from genolaunch.shared.launch_item import LaunchItemError, problems_of
from lambdas.shared.attributes import from_item, to_attribute, to_item
from lambdas.shared.clock import timestamp
from lambdas.shared.conditional_writes import delays, finds_no_room, is_failed_condition, is_invalid, is_lost_race
from lambdas.shared.launch import Launch
from lambdas.shared.observability import tell_of_sick_launch
from lambdas.shared.status_update import UNOWNED_STATUSES, StatusUpdate, status_event

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

aws.needed("dynamodb")

_ANSWER_TASK_PREFIX = "answer#"
"""taskId, beside the guard, of the item that says which launch answers one S3 event. Without it, an event that was
answered with an unfinished launch and is delivered again after that launch ended would start another one."""

_OWNER = LaunchField.EXECUTION_ARN

_MOST_WARNINGS = 50
"""An item of the table may have 400 KB, and each warning has some hundreds of characters."""
_BATCH_WRITE_LIMIT = 25
"""Items of one BatchWriteItem (Amazon DynamoDB API reference)."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What became of a launch config."""

    launch: Launch
    is_new: bool
    """False: the event or the bytes were known, and `launch` is the one that answers them."""


@dataclass(frozen=True, slots=True)
class LaunchRepository:
    """The launch table and the task table."""

    launch_table: str
    task_table: str = ""
    """Needed to register, and to read and record tasks: a function that only changes statuses has no right to it."""

    def get(self, launch_id: str) -> Launch | None:
        """The launch as of now (a consistent read), or None; raises LaunchItemError if its item is none of a launch."""
        item = self._item(self.launch_table, {LaunchField.LAUNCH_ID: launch_id})
        return Launch.from_item(item) if item else None

    def get_salvaged(self, launch_id: str) -> Launch | None:
        """The same for whoever brings a launch to its end: what is not well of its item is as its events tell it."""
        item = self._item(self.launch_table, {LaunchField.LAUNCH_ID: launch_id})
        return _salvaged(item) if item else None

    def with_status(self, status: Status, **having: str) -> Iterator[Launch]:
        """Launches of that status, oldest first; the index is a moment behind the table.

        `having` (attribute=value) leaves out those with other values before they are sent. One whose item cannot be
        read is passed over, and told of.
        """
        for found in self._of_status(status, having):
            if isinstance(found, Launch):
                yield found
            else:
                tell_of_sick_launch(found)

    def sick_with_status(self, status: Status) -> Iterator[LaunchItemError]:
        """Why items of that status cannot be read."""
        return (found for found in self._of_status(status, {}) if isinstance(found, LaunchItemError))

    def _of_status(self, status: Status, having: Mapping[str, str]) -> Iterator[Launch | LaunchItemError]:
        names = {"#status": LaunchField.STATUS} | {f"#{name}": name for name in having}
        values = {":status": to_attribute(status.value)} | {f":{n}": to_attribute(v) for n, v in having.items()}
        condition: dict[str, Any] = (
            {"FilterExpression": " AND ".join(f"#{name} = :{name}" for name in having)} if having else {}
        )
        pages = self._client.get_paginator("query").paginate(
            TableName=self.launch_table,
            IndexName=STATUS_INDEX,
            KeyConditionExpression="#status = :status",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
            **condition,
        )
        for page in pages:
            yield from map(_read, page["Items"])

    def register(self, launch: Launch, fingerprint: str) -> Registration:
        """Put a SUBMITTED launch, unless its event, or an unfinished launch of the same bytes, is there already.

        `fingerprint` is the SHA-256 of bucket, key and bytes: while one launch of it is unfinished there is no second.
        `launch.launch_id` stands for the S3 event: the same event always gets the same answer.
        """
        guard_key = GUARD_KEY_PREFIX + fingerprint
        for delay in delays():
            answer = self._answer_so_far(launch.launch_id, guard_key)
            if answer:
                return Registration(answer, is_new=False)
            guard = self._item(self.task_table, {TaskField.LAUNCH_ID: guard_key, TaskField.TASK_ID: GUARD_TASK_ID})
            guarded = self.get_salvaged(guard[GUARDED_LAUNCH_ID]) if guard else None
            if guarded and not guarded.is_final:
                if self._record_answer(guard_key, launch.launch_id, guarded.launch_id):
                    return Registration(guarded, is_new=False)
            elif self._create(launch, guard_key, taken_from=guard[GUARDED_LAUNCH_ID] if guard else None):
                return Registration(launch, is_new=True)
            time.sleep(delay)
        raise TimeoutError(f"{launch.launch_id}: others kept registering the same bytes")

    def reject(self, launch: Launch) -> Registration:
        """Put a REJECTED launch, unless its event is registered already."""
        rejected = replace(launch, updated_at=timestamp(), ended_at=timestamp())
        try:
            self._client.put_item(TableName=self.launch_table, Item=_first_item(rejected), ConditionExpression=_ABSENT)
        except ClientError as error:
            existing = self.get_salvaged(launch.launch_id) if is_failed_condition(error) else None
            if existing is None:
                raise
            return Registration(existing, is_new=False)
        return Registration(rejected, is_new=True)

    def claim(
        self,
        launch_id: str,
        execution_arn: str,
        *,
        seen: Launch | None = None,
        fields: Mapping[str, object] | None = None,
    ) -> Launch:
        """Make the launch RUNNING for this execution, as its next attempt. The same execution is answered alike.

        Args:
            launch_id: Which launch.
            execution_arn: Of the execution that claims it.
            seen: The launch as it was before its slot was taken, and as its config was checked: what was cancelled
                since then, and is asked for again, has no slot; and what was edited was not checked.
            fields: Attributes of the launch table that change with it.

        Raises:
            StatusConflictError: it may not start now, has changed since it was seen, or another execution was first.
        """
        update = StatusUpdate(Status.RUNNING, only_from=(seen.status,) if seen else ())
        if seen:
            _require_as_seen(update, seen)
        for attribute, value in (fields or {}).items():
            update.set(attribute, value)
        # An execution claims once: asked again after its attempt is over, it must not take the next one.
        update.require(f"(attribute_not_exists(#{_OWNER}) OR #{_OWNER} <> :{_OWNER})")
        update.set(_OWNER, execution_arn)
        update.set(LaunchField.STARTED_AT, timestamp())
        update.increase(LaunchField.ATTEMPT)
        return self._change(launch_id, update, execution_arn)

    def claimed(self, launch_id: str, execution_arn: str) -> Launch:
        """The launch, if this execution has made it RUNNING already; nothing is changed.

        Raises:
            StatusConflictError: it has not.
        """
        return self._repeated_or_conflict(launch_id, Status.RUNNING, execution_arn)

    def change_status(
        self,
        launch_id: str,
        to: Status,
        *,
        execution_arn: str | None,
        attempt: int | None = None,
        fields: Mapping[str, object] | None = None,
    ) -> Launch:
        """Move the launch to `to` and set `fields` (attributes of LaunchField) in one conditional update.

        With an `execution_arn`, the launch must belong to that execution or to none; without it, a person asks. With an
        `attempt`, it must still be the launch's. The same change by the same execution is answered alike.

        Raises:
            StatusConflictError: the change is not legal now (genolaunch.contract.launch.ALLOWED_FROM), or is not this
                execution's.
            ValueError: `to` is RUNNING, which is `claim`'s.
        """
        if to is Status.RUNNING:
            raise ValueError("a launch becomes RUNNING by claim()")
        if to not in ALLOWED_FROM:
            raise StatusConflictError(f"{launch_id}: no launch becomes {to}, it is only ever the first status.")
        update = StatusUpdate(to)
        if execution_arn:
            update.require(f"(attribute_not_exists(#{_OWNER}) OR #{_OWNER} = :{_OWNER})")
            update.refer(_OWNER, execution_arn)
        if attempt is not None:
            update.require(f"#{LaunchField.ATTEMPT} = :{LaunchField.ATTEMPT}")
            update.refer(LaunchField.ATTEMPT, attempt)
        if to in UNOWNED_STATUSES:
            update.remove(_OWNER)
        for attribute, value in (fields or {}).items():
            update.set(attribute, value)
        return self._change(launch_id, update, execution_arn)

    def reject_sick(self, sick: LaunchItemError) -> Launch:
        """Make a launch REJECTED whose item cannot be read, if no execution has it; its error says what to mend.

        Raises:
            StatusConflictError: an execution has it, or it is over.
        """
        update = StatusUpdate(Status.REJECTED, only_from=_NOBODYS)
        update.remove(_OWNER)  # of an earlier attempt: whoever writes RETRY by hand leaves it
        faults = [
            Fault(attribute, f"must be {words}", "Correct it in the launch table, and retry the launch.").as_dict()
            for attribute, words in sick.problems.items()
        ]
        message = "The launch's item in the launch table was edited, and cannot be read."
        update.set(LaunchField.ERROR, {"type": ErrorType.LAUNCH_INPUT.value, "message": message, "faults": faults})
        if LaunchField.EVENTS in sick.problems:
            update.begin_events_anew()
        return self._change(sick.launch_id, update, None)

    def reject_claim(self, seen: Launch, error: Mapping[str, object]) -> Launch:
        """Make a launch REJECTED that was to be claimed, and cannot run as it was `seen`; `error` says why.

        Raises:
            StatusConflictError: it has changed meanwhile.
        """
        update = StatusUpdate(Status.REJECTED, only_from=(seen.status,))
        _require_as_seen(update, seen)
        update.remove(_OWNER)
        update.set(LaunchField.ERROR, error)
        return self._change_as_seen(seen, update)

    def ask(
        self, seen: Launch, to: Status, told: Mapping[str, object], fields: Mapping[str, object], *removed: str
    ) -> Launch:
        """Change the launch's status as a person asked, if it still is as it was `seen`.

        Args:
            seen: The launch that the request was judged by.
            to: Its status from now on.
            told: Members of the entry of its events (genolaunch.contract.launch.EventField).
            fields: Attributes of LaunchField that change with it.
            removed: Attributes that go.

        Raises:
            StatusConflictError: it has changed meanwhile.
        """
        update = StatusUpdate(to, only_from=(seen.status,))
        _require_as_seen(update, seen)
        update.tell(**told)
        for attribute, value in fields.items():
            update.set(attribute, value)
        for attribute in (*removed, *((_OWNER,) if to in UNOWNED_STATUSES else ())):
            update.remove(attribute)
        return self._change_as_seen(seen, update)

    def edit(self, seen: Launch, told: Mapping[str, object], fields: Mapping[str, object]) -> Launch:
        """Set attributes of a launch that is over, as a person asked, if it still is as it was `seen`; see `ask`."""
        now = timestamp()
        update = StatusUpdate(seen.status, only_from=(seen.status,), is_edit=True)
        _require_as_seen(update, seen)
        update.tell(**told)
        for attribute, value in {**fields, LaunchField.UPDATED_AT: now}.items():
            update.set(attribute, value)
        return self._change_as_seen(seen, update)

    def _change_as_seen(self, seen: Launch, update: StatusUpdate) -> Launch:
        try:
            answer = self._client.update_item(
                TableName=self.launch_table,
                Key=to_item({LaunchField.LAUNCH_ID: seen.launch_id}),
                ReturnValues="ALL_NEW",
                **update.arguments(),
            )
        except ClientError as error:
            if finds_no_room(error) and self.make_room(seen.launch_id, update):
                return self._change_as_seen(seen, update)
            if not is_failed_condition(error):
                raise
            raise StatusConflictError(f"{seen.launch_id} has changed meanwhile.") from error
        return Launch.from_item(from_item(answer["Attributes"]))

    def make_room(self, launch_id: str, update: StatusUpdate) -> bool:
        """Let a change fit an item in which it found no room; False if that was done already.

        What fills an item are its events, or a config that somebody wrote by hand and that nobody reads.
        """
        if LaunchField.CONFIG in problems_of(self._item(self.launch_table, {LaunchField.LAUNCH_ID: launch_id})):
            update.remove(LaunchField.CONFIG)
        return update.begin_events_anew()

    def mend_status(self, launch_id: str) -> bool:
        """Put a status that somebody wrote by hand back to what the events say; False if there is none to mend.

        It does not exist, or is out of turn (launch_item.problems_of), and nothing must be done by it. With one that
        does not exist, or without the moment of its submission, which is put back as well, an item is in no list
        (STATUS_INDEX), so that no schedule finds it.
        """
        item = self._item(self.launch_table, {LaunchField.LAUNCH_ID: launch_id})
        is_listed = item.get(LaunchField.SUBMITTED_AT) is not None
        if not item or (is_listed and LaunchField.STATUS not in problems_of(item)):
            return False
        try:
            known = Launch.salvaged(item)
        except LaunchItemError as error:
            tell_of_sick_launch(error)
            return False
        update = StatusUpdate.back_to(
            known.status,
            item.get(LaunchField.STATUS),
            len(known.events or ()),
            submitted_at=None if is_listed else known.submitted_at,
        )
        try:
            self._client.update_item(
                TableName=self.launch_table, Key=to_item({LaunchField.LAUNCH_ID: launch_id}), **update
            )
        except ClientError as error:
            if not is_failed_condition(error):
                raise
        return True

    def record_warnings(self, launch_id: str, attempt: int, warnings: Sequence[str]) -> None:
        """Keep what was found about an attempt's inputs, replacing an earlier attempt's. Ignored for an attempt that is
        not the current one."""
        kept = list(warnings[:_MOST_WARNINGS])
        if len(warnings) > len(kept):
            kept.append(f"{len(warnings) - len(kept):,} more are in the report.")
        try:
            self._client.update_item(
                TableName=self.launch_table,
                Key=to_item({LaunchField.LAUNCH_ID: launch_id}),
                UpdateExpression="SET #warnings = :warnings",
                ConditionExpression="#attempt = :attempt",
                ExpressionAttributeNames={"#warnings": LaunchField.WARNINGS, "#attempt": LaunchField.ATTEMPT},
                ExpressionAttributeValues={":warnings": to_attribute(kept), ":attempt": to_attribute(attempt)},
            )
        except ClientError as error:
            if not is_failed_condition(error):
                raise

    def note(self, launch_id: str, attempt: int, fields: Mapping[str, object]) -> None:
        """Set attributes of the current attempt that are independent of its status. Ignored for an attempt that is not
        the current one."""
        names = {f"#{name}": name for name in (*fields, LaunchField.ATTEMPT)}
        values = {f":{name}": to_attribute(value) for name, value in {**fields, LaunchField.ATTEMPT: attempt}.items()}
        try:
            self._client.update_item(
                TableName=self.launch_table,
                Key=to_item({LaunchField.LAUNCH_ID: launch_id}),
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in fields),
                ConditionExpression=f"#{LaunchField.ATTEMPT} = :{LaunchField.ATTEMPT}",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
            )
        except ClientError as error:
            if not is_failed_condition(error):
                raise

    def explain(self, launch_id: str, attempt: int, reason: str) -> None:
        """Record why a running attempt makes no progress. Ignored if it is over, or not the current one."""
        try:
            self._client.update_item(
                TableName=self.launch_table,
                Key=to_item({LaunchField.LAUNCH_ID: launch_id}),
                UpdateExpression="SET #statusReason = :reason",
                ConditionExpression="#attempt = :attempt AND #status = :running",
                ExpressionAttributeNames={
                    "#statusReason": LaunchField.STATUS_REASON,
                    "#attempt": LaunchField.ATTEMPT,
                    "#status": LaunchField.STATUS,
                },
                ExpressionAttributeValues={
                    ":reason": to_attribute(reason),
                    ":attempt": to_attribute(attempt),
                    ":running": to_attribute(Status.RUNNING),
                },
            )
        except ClientError as error:
            if not is_failed_condition(error):
                raise

    def record_tasks(self, tasks: Iterable[Mapping[str, object]]) -> None:
        """Put items (attributes of TaskField) into the task table; of equal keys the last one stays."""
        stamp = {TaskField.UPDATED_AT: timestamp()}
        items = {(task[TaskField.LAUNCH_ID], task[TaskField.TASK_ID]): to_item({**task, **stamp}) for task in tasks}
        requests: list[Any] = [{"PutRequest": {"Item": item}} for item in items.values()]
        for start in range(0, len(requests), _BATCH_WRITE_LIMIT):
            self._batch_write(requests[start : start + _BATCH_WRITE_LIMIT])

    def tasks(self, launch_id: str, begin: str = "") -> Iterator[dict[str, Any]]:
        """The launch's items of the task table whose taskId begins so, in the order of their taskId."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self.task_table,
            KeyConditionExpression="#launchId = :launchId",
            ExpressionAttributeNames={"#launchId": TaskField.LAUNCH_ID},
            ExpressionAttributeValues={":launchId": to_attribute(launch_id)},
            ConsistentRead=True,
        )
        for page in pages:
            found = map(from_item, page["Items"])
            yield from (task for task in found if str(task[TaskField.TASK_ID]).startswith(begin))

    @property
    def _client(self) -> "DynamoDBClient":
        client: DynamoDBClient = aws.client("dynamodb")
        return client

    def _item(self, table: str, key: Mapping[str, str]) -> dict[str, Any]:
        response = self._client.get_item(TableName=table, Key=to_item(key), ConsistentRead=True)
        return from_item(response.get("Item", {}))

    def _change(self, launch_id: str, update: StatusUpdate, execution_arn: str | None) -> Launch:
        try:
            response = self._client.update_item(
                TableName=self.launch_table,
                Key=to_item({LaunchField.LAUNCH_ID: launch_id}),
                ReturnValues="ALL_NEW",
                **update.arguments(),
            )
        except ClientError as error:
            if finds_no_room(error) and self.make_room(launch_id, update):
                return self._change(launch_id, update, execution_arn)
            if is_invalid(error) and self._has_unfit_events(launch_id) and update.begin_events_anew():
                return self._change(launch_id, update, execution_arn)
            if not is_failed_condition(error):
                raise
            if self.mend_status(launch_id):
                return self._change(launch_id, update, execution_arn)
            return self._repeated_or_conflict(launch_id, update.to, execution_arn)
        # Made is made: an item that somebody edited is told of, and the launch goes where its execution brings it.
        return _salvaged(from_item(response["Attributes"]))

    def _has_unfit_events(self, launch_id: str) -> bool:
        item = self._item(self.launch_table, {LaunchField.LAUNCH_ID: launch_id})
        return LaunchField.EVENTS in problems_of(item)

    def _repeated_or_conflict(self, launch_id: str, to: Status, execution_arn: str | None) -> Launch:
        """The launch, if this execution already made this change; else the error that says what is in the way."""
        launch = self.get_salvaged(launch_id)
        if launch is None:
            raise StatusConflictError(f"There is no launch {launch_id}.")
        is_asker_owner = execution_arn is None or launch.execution_arn == execution_arn or to in UNOWNED_STATUSES
        if launch.status == to and is_asker_owner:
            return launch
        owned = f", owned by {launch.execution_arn}" if launch.execution_arn else ""
        raise StatusConflictError(f"{launch_id} is {launch.status}{owned}: it cannot become {to} for {execution_arn}.")

    def _answer_so_far(self, event_id: str, guard_key: str) -> Launch | None:
        key = {TaskField.LAUNCH_ID: guard_key, TaskField.TASK_ID: _ANSWER_TASK_PREFIX + event_id}
        return self.get_salvaged(self._item(self.task_table, key).get(GUARDED_LAUNCH_ID, event_id))

    def _record_answer(self, guard_key: str, event_id: str, launch_id: str) -> bool:
        """Remember which launch answers an event; False if another delivery of the event was faster."""
        try:
            self._client.put_item(**self._answer(guard_key, event_id, launch_id))
        except ClientError as error:
            if not is_failed_condition(error):
                raise
            return False
        return True

    def _create(self, launch: Launch, guard_key: str, *, taken_from: str | None) -> bool:
        """Put launch, guard and answer, all or nothing; False if somebody else was faster with any of them."""
        try:
            self._client.transact_write_items(
                TransactItems=[
                    {
                        "Put": {
                            "TableName": self.launch_table,
                            "Item": _first_item(replace(launch, updated_at=timestamp())),
                            "ConditionExpression": _ABSENT,
                        }
                    },
                    {"Put": self._guard(guard_key, launch.launch_id, taken_from)},
                    {"Put": self._answer(guard_key, launch.launch_id, launch.launch_id)},
                ]
            )
        except ClientError as error:
            if not is_lost_race(error):
                raise
            return False
        return True

    def _guard(self, guard_key: str, launch_id: str, taken_from: str | None) -> Any:  # noqa: ANN401 - PutTypeDef exists for type checkers only
        put = self._reference(guard_key, GUARD_TASK_ID, launch_id)
        if taken_from is None:
            return {**put, "ConditionExpression": _ABSENT}
        return {
            **put,
            "ConditionExpression": "#guarded = :takenFrom",
            "ExpressionAttributeNames": {"#guarded": GUARDED_LAUNCH_ID},
            "ExpressionAttributeValues": {":takenFrom": to_attribute(taken_from)},
        }

    def _answer(self, guard_key: str, event_id: str, launch_id: str) -> Any:  # noqa: ANN401 - as _guard
        put = self._reference(guard_key, _ANSWER_TASK_PREFIX + event_id, launch_id)
        return {**put, "ConditionExpression": _ABSENT}

    def _reference(self, guard_key: str, task_id: str, launch_id: str) -> dict[str, Any]:
        """The put of an item of the task table that names a launch."""
        item = {
            TaskField.LAUNCH_ID: guard_key,
            TaskField.TASK_ID: task_id,
            GUARDED_LAUNCH_ID: launch_id,
            TaskField.UPDATED_AT: timestamp(),
        }
        return {"TableName": self.task_table, "Item": to_item(item)}

    def _batch_write(self, requests: list[Any]) -> None:
        for delay in delays():
            response = self._client.batch_write_item(RequestItems={self.task_table: requests})
            requests = list(response.get("UnprocessedItems", {}).get(self.task_table, []))
            if not requests:
                return
            time.sleep(delay)
        raise TimeoutError(f"{self.task_table} did not take {len(requests)} items")


_NOBODYS = frozenset({*STARTING_STATUSES, Status.QUEUED})
"""Statuses in which no execution has a launch, and another one is to take it."""


def _require_as_seen(update: StatusUpdate, seen: Launch) -> None:
    if seen.attempt:
        update.require_unchanged(LaunchField.ATTEMPT, seen.attempt)
    else:
        update.refer(LaunchField.ATTEMPT, 0)
        update.require(
            f"(attribute_not_exists(#{LaunchField.ATTEMPT}) OR #{LaunchField.ATTEMPT} = :{LaunchField.ATTEMPT})"
        )
    # Each change of status writes it: CANCELLED, for one, before another RETRY.
    update.require_unchanged(LaunchField.UPDATED_AT, seen.updated_at)
    update.require_unchanged(LaunchField.CONFIG, seen.config_json)


def _read(item: Mapping[str, Any]) -> Launch | LaunchItemError:
    try:
        return Launch.from_item(from_item(item))
    except LaunchItemError as error:
        return error


def _salvaged(item: Mapping[str, Any]) -> Launch:
    try:
        return Launch.from_item(item)
    except LaunchItemError as error:
        launch = Launch.salvaged(item)  # raises if it cannot: then whoever catches that tells of it, once
        tell_of_sick_launch(error)
        return launch


_ABSENT = f"attribute_not_exists({LaunchField.LAUNCH_ID})"
"""The item is new; both tables have launchId in their key."""


def _first_item(launch: Launch) -> dict[str, Any]:
    """The item of a launch that begins to exist, with its first event."""
    assert launch.updated_at is not None
    event = status_event(launch.status, launch.updated_at, launch.error)
    return to_item({**launch.item(), LaunchField.EVENTS: [event]})
