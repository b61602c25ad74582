"""The queue of launches without a slot: a stage limits how many run at once, and the others run in turn.

Two kinds of items of the task table hold it. One **ledger** names the attempts that have a slot and the people who
have launches waiting; taking a slot is one conditional write of it, so that there are never more than allowed. And one
**place** a waiting launch, under its user in the order of submission, so that the next one is found without reading
the others.

Each method may be repeated, or stop half way: a slot is taken before a launch becomes RUNNING and given back after it
is over, both by the attempt's name. What stopped half way is found by who comes next, or by `lost_requests`.
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from genolaunch.contract.launch import LaunchField, Status
from genolaunch.contract.project import run_name
from genolaunch.contract.tasks import TaskField
from genolaunch.shared import aws
from genolaunch.shared.errors import StatusConflictError
from genolaunch.shared.launch_item import LaunchItemError
from lambdas.shared.attributes import from_item, to_attribute, to_item
from lambdas.shared.conditional_writes import delays, finds_no_room, is_failed_condition, is_lost_race
from lambdas.shared.launch import Launch
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import logger, tell_of_sick_launch
from lambdas.shared.status_update import StatusUpdate
from lambdas.workflow_manager.slots import Slots

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

_LEDGER: Final = {TaskField.LAUNCH_ID: "queue", TaskField.TASK_ID: "ledger"}
_PLACES_PREFIX: Final = "queue#"
"""launchId of the places: queue#<user>; their taskId is <submittedAt>#<launchId>, which sorts by time."""
_NOBODY: Final = "nobody"
"""Stands for who asked when the event did not say."""


@dataclass(frozen=True, slots=True)
class LaunchQueue:
    """The slots and the queue of a stage."""

    repository: LaunchRepository
    at_once: int
    """How many launches may run at the same time."""

    def take_slot(self, launch: Launch) -> bool:
        """Reserve a slot for the launch's next attempt; True also if it has one already.

        False if there is none, or somebody waits: then this one waits behind them.
        """
        slots = self.slots()
        if _next_run(launch) in slots.running:
            return True
        # Reading first spares a thousand launches dropped at once a write each that would be refused.
        return slots.has_room(self.at_once) and not slots.waiting and self._reserve(launch, nobody_waits=True)

    def enqueue(self, launch: Launch) -> Launch:
        """Make the launch QUEUED, behind its user's others; raises StatusConflictError if it may not be."""
        update = StatusUpdate(Status.QUEUED)
        update.remove(LaunchField.EXECUTION_ARN)
        place = to_item({**_place(launch), TaskField.STATUS: Status.QUEUED.value})
        self._change_place(launch, update, {"Put": {"TableName": self._table, "Item": place}})
        queued = self._as_of_now(launch.launch_id)
        assert queued is not None  # nothing deletes launches
        if queued.status is Status.QUEUED:
            self.wait_for_slot(queued)
        return queued

    def wait_for_slot(self, launch: Launch) -> None:
        """Let the ledger know that the user of a QUEUED launch waits, and start whoever is next now.

        A slot may have been given back since this launch was refused one.
        """
        self._update_ledger(
            "SET #waiting.#user = if_not_exists(#waiting.#user, :place) ADD #version :one",
            names={"#waiting": "waiting", "#user": user_of(launch), "#version": "version"},
            values={":place": _place(launch)[TaskField.TASK_ID], ":one": 1},
        )
        self.start_next()

    def give_back(self, launch_id: str, *attempts: int) -> None:
        """Give back the slots of attempts that are over, and start whoever is next. Without a slot, only the latter."""
        runs = {f"#run{number}": run_name(launch_id, attempt) for number, attempt in enumerate(attempts)}
        self._update_ledger(
            "REMOVE " + ", ".join(f"#running.{run}" for run in runs),
            names={"#running": "running", **runs},
            condition="attribute_exists(#running)",
        )
        self.start_next()

    def start_next(self) -> int:
        """Make launches READY, in turn, while there are slots and somebody waits; how many.

        Any number may do this at once: each READY is one transaction that only one of them makes.
        """
        started = 0
        while True:
            slots = self.slots()
            user = slots.next_user()
            if user is None or not slots.has_room(self.at_once):
                return started
            started += self._start_one(user, slots.version)

    def slots(self) -> Slots:
        """The ledger as of now; the first look makes it."""
        item = self._client.get_item(TableName=self._table, Key=to_item(_LEDGER), ConsistentRead=True).get("Item")
        if not item:
            self._open_ledger()
            return Slots({}, {})
        ledger = from_item(item)
        return Slots(ledger["running"], ledger["waiting"], ledger["version"])

    def hold_slot(self, launch: Launch) -> None:
        """Record that the launch's current attempt runs, even above the number of slots, because it does run."""
        self._update_ledger(
            "SET #running.#run = :user",
            names={"#running": "running", "#run": run_name(launch.launch_id, launch.attempt)},
            values={":user": user_of(launch)},
        )

    def has_place(self, launch: Launch) -> bool:
        """Whether a QUEUED launch is in the queue."""
        key = to_item(_place(launch))
        return "Item" in self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)

    def restore_place(self, launch: Launch) -> None:
        """Give a QUEUED launch its place again."""
        place = {**_place(launch), TaskField.STATUS: Status.QUEUED.value}
        self._client.put_item(TableName=self._table, Item=to_item(place))
        self.wait_for_slot(launch)

    def _start_one(self, user: str, version: int) -> int:
        """Start the user's oldest launch, if one waits; the number of launches that were started."""
        oldest, following = self._oldest_two(user)
        if oldest is None:
            self._forget(user, version)
            return 0
        try:
            launch = self.repository.get(oldest[TaskField.TASK_ID].partition("#")[2])
        except LaunchItemError as sick:
            if self.repository.mend_status(sick.launch_id):
                return 0  # and the next look sees it as it is
            self._reject(sick)
            launch = None
        if launch is None or launch.status is not Status.QUEUED:
            # Cancelled, or made READY by somebody who stopped before the place was gone.
            self._client.delete_item(TableName=self._table, Key=to_item(oldest))
            return 0
        if not self._reserve(launch):
            return 0
        is_started = self._make_ready(launch, oldest)
        if following:
            self._move_up(user, following[TaskField.TASK_ID])
        else:
            self._forget(user, version)
        return int(is_started)

    def _reject(self, sick: LaunchItemError) -> None:
        """A launch whose item cannot be read keeps nobody behind it from a turn."""
        tell_of_sick_launch(sick)
        with suppress(StatusConflictError):  # it is not waiting
            self.repository.reject_sick(sick)

    def _oldest_two(self, user: str) -> tuple[Mapping[str, str] | None, Mapping[str, str] | None]:
        """Keys of the user's two oldest places."""
        found = self._client.query(
            TableName=self._table,
            KeyConditionExpression="#user = :user",
            ExpressionAttributeNames={"#user": TaskField.LAUNCH_ID, "#place": TaskField.TASK_ID},
            ExpressionAttributeValues={":user": to_attribute(_PLACES_PREFIX + user)},
            ProjectionExpression="#user, #place",
            ConsistentRead=True,
            Limit=2,
        )["Items"]
        places = [from_item(item) for item in found]
        return (places[0] if places else None, places[1] if len(places) > 1 else None)

    def _reserve(self, launch: Launch, *, nobody_waits: bool = False) -> bool:
        """Take a slot for the launch's next attempt; False if there is none, or somebody waits who must not."""
        values: dict[str, object] = {":user": user_of(launch), ":atOnce": self.at_once}
        names = {"#running": "running", "#run": _next_run(launch)}
        is_free = "size(#running) < :atOnce"
        if nobody_waits:
            is_free += " AND size(#waiting) = :nobody"
            values[":nobody"] = 0
            names["#waiting"] = "waiting"
        condition = f"({is_free}) OR attribute_exists(#running.#run)"
        return self._update_ledger("SET #running.#run = :user", names=names, values=values, condition=condition)

    def _make_ready(self, launch: Launch, place: Mapping[str, str]) -> bool:
        """QUEUED -> READY, and the place is gone, in one transaction; False if the launch is not QUEUED any more."""
        update = StatusUpdate(Status.READY, only_from=(Status.QUEUED,))
        try:
            self._change_place(launch, update, {"Delete": {"TableName": self._table, "Key": to_item(place)}})
        except StatusConflictError:
            self._drop_unused_slot(launch, self._as_of_now(launch.launch_id))
            return False
        logger.info("Launch is next", extra={"launchId": launch.launch_id})
        return True

    def _change_place(self, launch: Launch, update: StatusUpdate, place: Any) -> None:  # noqa: ANN401 - TransactWriteItemTypeDef exists for type checkers only
        """Change a launch's status together with its place in the queue.

        Raises:
            StatusConflictError: the launch is not where the change may start, nor where it ends.
        """
        key = to_item({LaunchField.LAUNCH_ID: launch.launch_id})
        for delay in delays():
            change: Any = {"Update": {"TableName": self.repository.launch_table, "Key": key, **update.arguments()}}
            try:
                self._client.transact_write_items(TransactItems=[change, place])
            except ClientError as error:
                if finds_no_room(error) and self.repository.make_room(launch.launch_id, update):
                    continue
                if not is_lost_race(error):
                    raise
            else:
                return
            now = self._as_of_now(launch.launch_id)
            if now is None or now.status not in update.origins:
                if now is not None and now.status is update.to and update.to is Status.QUEUED:
                    return  # an earlier call made the change
                raise StatusConflictError(f"{launch.launch_id} is {now.status if now else 'gone'}, not {update.to}.")
            time.sleep(delay)
        raise TimeoutError(f"{launch.launch_id}: others kept changing it")

    def _as_of_now(self, launch_id: str) -> Launch | None:
        """The launch, whatever somebody wrote into its item meanwhile."""
        self.repository.mend_status(launch_id)
        return self.repository.get_salvaged(launch_id)

    def _drop_unused_slot(self, queued: Launch, now: Launch | None) -> None:
        """Another made it READY, and its slot is used; or it was cancelled, and nobody will use it."""
        if now is None or now.is_final or now.status is Status.CANCEL_REQUESTED:
            self.give_back(queued.launch_id, queued.attempt + 1)

    def _forget(self, user: str, version: int) -> None:
        """The user has no launches waiting, unless one has joined since the ledger was read."""
        self._change_waiting("REMOVE #waiting.#user", user, {":version": version}, "#version = :version")

    def _move_up(self, user: str, place: str) -> None:
        """Another of the user's launches is the oldest one now."""
        self._change_waiting("SET #waiting.#user = :place", user, {":place": place}, "attribute_exists(#waiting.#user)")

    def _change_waiting(self, expression: str, user: str, values: Mapping[str, object], condition: str) -> None:
        names = {"#waiting": "waiting", "#user": user}
        if "#version" in condition:
            names["#version"] = "version"
        self._update_ledger(expression, names=names, values=values, condition=condition)

    def _update_ledger(
        self,
        expression: str,
        *,
        names: Mapping[str, str],
        values: Mapping[str, object] | None = None,
        condition: str | None = None,
    ) -> bool:
        """Change the ledger; False if the condition does not hold."""
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "Key": to_item(_LEDGER),
            "UpdateExpression": expression,
            "ExpressionAttributeNames": dict(names),
        }
        if values:
            arguments["ExpressionAttributeValues"] = to_item(values)
        if condition:
            arguments["ConditionExpression"] = condition
        try:
            self._client.update_item(**arguments)
        except ClientError as error:
            if not is_failed_condition(error):
                raise
            return False
        return True

    def _open_ledger(self) -> None:
        """Make the empty ledger, in whose maps DynamoDB then takes changes, unless it is there."""
        ledger = {**_LEDGER, "running": {}, "waiting": {}, "version": 0}
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_item(ledger),
                ConditionExpression=f"attribute_not_exists({TaskField.LAUNCH_ID})",
            )
        except ClientError as error:
            if not is_failed_condition(error):
                raise

    @property
    def _table(self) -> str:
        return self.repository.task_table

    @property
    def _client(self) -> "DynamoDBClient":
        client: DynamoDBClient = aws.client("dynamodb")
        return client


def user_of(launch: Launch) -> str:
    """Whose launch it is, as far as slots are concerned."""
    return launch.requested_by or _NOBODY


def _next_run(launch: Launch) -> str:
    return run_name(launch.launch_id, launch.attempt + 1)


def _place(launch: Launch) -> dict[str, str]:
    """Key of a waiting launch's item: its user's launches in the order of their submission."""
    return {
        TaskField.LAUNCH_ID: _PLACES_PREFIX + user_of(launch),
        TaskField.TASK_ID: f"{launch.submitted_at}#{launch.launch_id}",
    }
