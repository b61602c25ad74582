"""Keeps the full text of errors in the task table, which only people who may see the launch can read.

State machines, their logs and the functions' logs get the public text with the item's key: `{"message", "kept"}` as
JSON, in place of an error's text. Whoever writes the launch's `error` looks the rest up.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from genolaunch.contract.launch import LaunchErrorField
from genolaunch.contract.tasks import ERROR_TASK_PREFIX, LOG_TASK_DAYS, TaskField
from genolaunch.shared import aws
from genolaunch.shared.input_error import KeptError
from lambdas.shared.attributes import from_item, to_item
from lambdas.shared.clock import timestamp

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

_ERROR: Final = "error"
"""Attribute of the item: the launch's error, without its type."""

_Handler = TypeVar("_Handler", bound=Callable[..., Any])


def keep(task_table: str, launch_id: str, error: Mapping[str, Any], public: str) -> str:
    """Keep an error's `{message, faults?}` of a launch; the text that may be told in its place. May be repeated."""
    told = {**error, LaunchErrorField.PUBLIC: public}
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode(errors="surrogatepass")).hexdigest()[:16]
    key = ERROR_TASK_PREFIX + digest
    expires = datetime.now(UTC) + timedelta(days=LOG_TASK_DAYS)
    item = {
        TaskField.LAUNCH_ID: launch_id,
        TaskField.TASK_ID: key,
        _ERROR: told,
        TaskField.UPDATED_AT: timestamp(),
        TaskField.EXPIRES_AT: int(expires.timestamp()),
    }
    _client().put_item(TableName=task_table, Item=to_item(item))
    return json.dumps({"message": public, "kept": key}, ensure_ascii=False)


def in_full(task_table: str, launch_id: str, error: Mapping[str, Any]) -> dict[str, Any]:
    """A launch's error (see failure) with what was kept of it, if it names any; as it is otherwise."""
    known = dict(error)
    kept = known.pop(LaunchErrorField.KEPT, None)
    if kept is None:
        return known
    key = to_item({TaskField.LAUNCH_ID: launch_id, TaskField.TASK_ID: kept})
    found = _client().get_item(TableName=task_table, Key=key, ConsistentRead=True).get("Item")
    return {**known, **from_item(found)[_ERROR]} if found else known


def _launch_of(event: Mapping[str, Any]) -> str:
    return str(event["launchId"])


def keeping_faults(
    task_table: Callable[[], str], launch_of: Callable[[Mapping[str, Any]], str] = _launch_of
) -> Callable[[_Handler], _Handler]:
    """For a function whose event names a launch: its KeptError is kept in full, and names where."""

    def decorate(handler: _Handler) -> _Handler:
        @wraps(handler)
        def wrapped(event: dict[str, Any], context: object) -> Any:  # noqa: ANN401 - as the handler
            try:
                return handler(event, context)
            except KeptError as error:
                error.kept = keep(task_table(), launch_of(event), error.report, error.summary)
                raise

        return cast("_Handler", wrapped)

    return decorate


def _client() -> "DynamoDBClient":
    client: DynamoDBClient = aws.client("dynamodb")
    return client
