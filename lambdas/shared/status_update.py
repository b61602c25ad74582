"""The conditional update of the launch table that changes a launch's status."""

from typing import Any

from contract import ALLOWED_FROM, FINAL_STATUSES, LaunchField, Status
from lambdas.shared.attributes import to_attribute
from lambdas.shared.clock import timestamp

UNOWNED_STATUSES = frozenset({Status.QUEUED, Status.HELD, Status.WAITING, Status.READY, Status.RETRY})
"""Nobody works on a launch in one of these: the execution that brought it there no longer owns it."""


_EXPLAINED_STATUSES = frozenset({Status.HELD, Status.WAITING})
"""A launch in one of these says what it waits for; in another one, that would be out of date."""


class StatusUpdate:
    """Arguments of UpdateItem for one change of status, legal from the statuses of contract.ALLOWED_FROM only.

    Every attribute goes by a placeholder (`#status`, `:status`): `status`, `name` and `error` are reserved words of
    DynamoDB's expressions.
    """

    def __init__(self, to: Status) -> None:
        self.to = to
        self._names: dict[str, str] = {}
        self._values: dict[str, Any] = {}
        self._sets: list[str] = []
        self._removes: list[str] = []
        origins = {f":from{origin}": to_attribute(origin) for origin in sorted(ALLOWED_FROM[to])}
        self._values.update(origins)
        self._conditions = [f"#status IN ({', '.join(origins)})"]
        self.set(LaunchField.STATUS, to)
        self.set(LaunchField.UPDATED_AT, timestamp())
        if to in FINAL_STATUSES:
            self.set(LaunchField.ENDED_AT, timestamp())
        else:
            # What an earlier attempt left would read as if this one had ended.
            self.remove(LaunchField.ENDED_AT)
            self.remove(LaunchField.ERROR)
        if to not in _EXPLAINED_STATUSES:
            self.remove(LaunchField.STATUS_REASON)

    def require(self, condition: str) -> None:
        """Add a condition; its attributes must be set, removed or referred to as well."""
        self._conditions.append(condition)

    def refer(self, attribute: str, value: object) -> None:
        """Let a condition compare an attribute with a value."""
        self._names[f"#{attribute}"] = attribute
        self._values[f":{attribute}"] = to_attribute(value)

    def set(self, attribute: str, value: object) -> None:
        """Give an attribute a value."""
        self.refer(attribute, value)
        self._sets.append(f"#{attribute} = :{attribute}")

    def increase(self, attribute: str) -> None:
        """Add one to an attribute, which must exist."""
        self._names[f"#{attribute}"] = attribute
        self._values[":one"] = to_attribute(1)
        self._sets.append(f"#{attribute} = #{attribute} + :one")

    def remove(self, attribute: str) -> None:
        """Drop an attribute, if it is there."""
        self._names[f"#{attribute}"] = attribute
        self._removes.append(f"#{attribute}")

    def arguments(self) -> dict[str, Any]:
        """The expressions of boto3's `update_item`."""
        removes = f" REMOVE {', '.join(self._removes)}" if self._removes else ""
        return {
            "UpdateExpression": f"SET {', '.join(self._sets)}{removes}",
            "ConditionExpression": " AND ".join(self._conditions),
            "ExpressionAttributeNames": self._names,
            "ExpressionAttributeValues": self._values,
        }
