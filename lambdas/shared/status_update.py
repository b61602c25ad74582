"""The conditional update of the launch table that changes a launch's status."""

from collections.abc import Collection, Mapping
from typing import Any

from genolaunch.contract.launch import ALLOWED_FROM, FINAL_STATUSES, LaunchField, Status
from lambdas.shared.attributes import to_attribute
from lambdas.shared.clock import timestamp

UNOWNED_STATUSES = frozenset({Status.QUEUED, Status.HELD, Status.WAITING, Status.READY, Status.RETRY})
"""Nobody works on a launch in one of these: the execution that brought it there no longer owns it."""

_OF_THE_PRICE = (
    LaunchField.COST_STATUS,
    LaunchField.COST_REASON,
    LaunchField.COST_EXECUTION_ARN,
    LaunchField.TOTAL_COST,
    LaunchField.INSTANCE_COST,
    LaunchField.VOLUME_COST,
    LaunchField.FILE_SYSTEM_COST,
    LaunchField.COST_BREAKDOWN,
    LaunchField.COST_URI,
    LaunchField.COST_RECONCILIATION,
    LaunchField.STATUS_SECONDS,
    LaunchField.STEP_SECONDS,
)
"""Attributes of the current attempt's cost."""

_LONGEST_MESSAGE = 500
"""Characters of an error's message in an event; the launch has the whole of its last one."""


def status_event(
    status: Status, at: str, error: Mapping[str, Any] | None = None, execution_arn: object = None
) -> dict[str, Any]:
    """An entry of the launch's events (LaunchField.EVENTS): what became of it, when, why, and by which execution."""
    told = {"type": error["type"], "message": error["message"][:_LONGEST_MESSAGE]} if error else None
    event = {"status": status.value, "at": at, "error": told, "executionArn": execution_arn}
    return {name: value for name, value in event.items() if value is not None}


_EXPLAINED_STATUSES = frozenset({Status.HELD, Status.WAITING})
"""A launch in one of these says what it waits for; in another one, that would be out of date."""


class StatusUpdate:
    """Arguments of UpdateItem for one change of status, legal from its statuses of ALLOWED_FROM only.

    Every attribute goes by a placeholder (`#status`, `:status`): `status`, `name` and `error` are reserved words of
    DynamoDB's expressions.
    """

    def __init__(self, to: Status, *, only_from: Collection[Status] = (), is_edit: bool = False) -> None:
        """Args: `only_from` narrows the statuses that the launch may have; `is_edit`: its status stays what it is."""
        self.to = to
        self.origins = frozenset(only_from) or ALLOWED_FROM[to]
        self._at = timestamp()
        self._error: Mapping[str, Any] | None = None
        self._execution_arn: object = None
        self._names: dict[str, str] = {}
        self._values: dict[str, Any] = {}
        self._sets: list[str] = []
        self._removes: list[str] = []
        self._told: dict[str, object] = {}
        origins = {f":from{origin}": to_attribute(origin) for origin in sorted(self.origins)}
        self._values.update(origins)
        self._conditions = [f"#status IN ({', '.join(origins)})"]
        self._begins_anew = False
        self.set(LaunchField.STATUS, to)
        if is_edit:
            return
        self.set(LaunchField.UPDATED_AT, self._at)
        if to in FINAL_STATUSES:
            self.set(LaunchField.ENDED_AT, self._at)
        else:
            # What an earlier attempt left would read as if this one had ended.
            self.remove(LaunchField.ENDED_AT)
            self.remove(LaunchField.ERROR)
            self.remove(LaunchField.FINDINGS)
            # So would its cost; costHistory keeps that, and the next end is priced because these are gone.
            for attribute in _OF_THE_PRICE:
                self.remove(attribute)
        if to not in _EXPLAINED_STATUSES:
            self.remove(LaunchField.STATUS_REASON)

    @staticmethod
    def back_to(status: Status, wrong: str | None, events: int, *, submitted_at: str | None) -> dict[str, Any]:
        """Arguments of UpdateItem that put a status right which somebody wrote by hand.

        Args:
            status: What the launch's events say last.
            wrong: What is there instead; None if nothing is.
            events: How many there are: with another one the status may be true by now.
            submitted_at: To be put back, too; None if it is there.
        """
        names = {"#status": LaunchField.STATUS, "#events": LaunchField.EVENTS}
        values = {":status": to_attribute(status), ":told": to_attribute(events)}
        if wrong is not None:
            values[":wrong"] = to_attribute(wrong)
        is_wrong = "#status = :wrong" if wrong is not None else "attribute_not_exists(#status)"
        # A launch that was called over while it ran has the price of what it had used by then.
        removed = () if status in FINAL_STATUSES else _OF_THE_PRICE
        names |= {f"#{attribute}": attribute for attribute in removed}
        sets = ["#status = :status"]
        if submitted_at is not None:
            names["#submittedAt"], values[":submittedAt"] = LaunchField.SUBMITTED_AT, to_attribute(submitted_at)
            sets.append("#submittedAt = :submittedAt")
        return {
            "UpdateExpression": f"SET {', '.join(sets)}"
            + (f" REMOVE {', '.join(f'#{attribute}' for attribute in removed)}" if removed else ""),
            "ConditionExpression": f"{is_wrong} AND size(#events) = :told",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }

    def tell(self, **more: object) -> None:
        """Add members (genolaunch.contract.launch.EventField) to the entry of the launch's events."""
        self._told.update(more)

    def require(self, condition: str) -> None:
        """Add a condition; its attributes must be set, removed or referred to as well."""
        self._conditions.append(condition)

    def begin_events_anew(self) -> bool:
        """Let the launch's events begin with this change: what is there is no list. False if they do already."""
        already, self._begins_anew = self._begins_anew, True
        return not already

    def refer(self, attribute: str, value: object) -> None:
        """Let a condition compare an attribute with a value."""
        self._names[f"#{attribute}"] = attribute
        self._values[f":{attribute}"] = to_attribute(value)
        if attribute == LaunchField.EXECUTION_ARN:
            self._execution_arn = value

    def require_unchanged(self, attribute: str, seen: object) -> None:
        """Let the change be made only while an attribute has the value that was seen; None: while it is not there."""
        self._names[f"#{attribute}"] = attribute
        if seen is None:
            self._conditions.append(f"attribute_not_exists(#{attribute})")
            return
        self._values[f":seen{attribute}"] = to_attribute(seen)
        self._conditions.append(f"#{attribute} = :seen{attribute}")

    def set(self, attribute: str, value: Any) -> None:  # noqa: ANN401 - an attribute holds any plain value
        """Give an attribute a value."""
        if attribute == LaunchField.ERROR:
            self._error = value
        self.refer(attribute, value)
        self._sets.append(f"#{attribute} = :{attribute}")

    def increase(self, attribute: str) -> None:
        """Add one to an attribute; one that is not there is zero."""
        self._names[f"#{attribute}"] = attribute
        self._values[":one"] = to_attribute(1)
        self._values[":zero"] = to_attribute(0)
        self._sets.append(f"#{attribute} = if_not_exists(#{attribute}, :zero) + :one")

    def remove(self, attribute: str) -> None:
        """Drop an attribute, if it is there."""
        self._names[f"#{attribute}"] = attribute
        self._removes.append(f"#{attribute}")

    def arguments(self) -> dict[str, Any]:
        """The expressions of boto3's `update_item`; the change is added to the launch's events in the same write."""
        event = status_event(self.to, self._at, self._error, self._execution_arn) | self._told
        names = {**self._names, "#events": LaunchField.EVENTS}
        values = {**self._values, ":event": to_attribute([event])}
        sets = [*self._sets, "#events = :event"]
        if not self._begins_anew:
            values[":noEvents"] = to_attribute([])
            sets[-1] = "#events = list_append(if_not_exists(#events, :noEvents), :event)"
        removes = f" REMOVE {', '.join(self._removes)}" if self._removes else ""
        return {
            "UpdateExpression": f"SET {', '.join(sets)}{removes}",
            "ConditionExpression": " AND ".join(self._conditions),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
