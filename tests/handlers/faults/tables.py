"""DynamoDB in memory, with the calls that the functions make: much faster than moto, so that campaigns can be long."""

import json
from copy import deepcopy
from typing import Any

from botocore.exceptions import ClientError

from genolaunch.contract.launch import STATUS_INDEX, LaunchField
from tests.handlers.faults.expressions import Expression, InvalidExpressionError, Item

Keys = tuple[str, ...]

LARGEST_ITEM = 400 * 1024
"""Bytes (Amazon DynamoDB developer guide, "Quotas")."""


class FakeTables:
    """Stands for `boto3.client("dynamodb")`."""

    def __init__(self, tables: dict[str, Keys]) -> None:
        """`tables`: name -> names of its keys."""
        self._keys = tables
        self._items: dict[str, dict[tuple[str, ...], Item]] = {name: {} for name in tables}

    def items(self, table: str) -> list[Item]:
        """All of a table."""
        return list(self._items[table].values())

    def write(self, table: str, item: Item) -> None:
        """An item as somebody wrote it by hand."""
        self._items[table][self._key(table, item)] = deepcopy(item)

    def _require_room(self, operation: str, item: Item) -> None:
        if size_of(item) > LARGEST_ITEM:
            message = "Item size to update has exceeded the maximum allowed size"
            raise _error("ValidationException", operation, message)

    # --- as in boto3 -----------------------------------------------------------------------------------------------
    def get_item(self, *, TableName: str, Key: Item, **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's names
        item = self._items[TableName].get(self._key(TableName, Key))
        return {"Item": deepcopy(item)} if item else {}

    def put_item(self, *, TableName: str, Item: Item, **given: Any) -> dict[str, Any]:  # noqa: N803
        self._check("PutItem", TableName, Item, given)
        self._require_room("PutItem", Item)
        self._items[TableName][self._key(TableName, Item)] = deepcopy(Item)
        return {}

    def delete_item(self, *, TableName: str, Key: Item, **given: Any) -> dict[str, Any]:  # noqa: N803
        self._check("DeleteItem", TableName, Key, given)
        self._items[TableName].pop(self._key(TableName, Key), None)
        return {}

    def update_item(self, *, TableName: str, Key: Item, **given: Any) -> dict[str, Any]:  # noqa: N803
        self._check("UpdateItem", TableName, Key, given)
        after = self._updated(TableName, Key, given)
        self._items[TableName][self._key(TableName, Key)] = after
        return {"Attributes": deepcopy(after)} if given.get("ReturnValues") == "ALL_NEW" else {}

    def _updated(self, table: str, key: Item, given: dict[str, Any]) -> Item:
        before = self._items[table].get(self._key(table, key)) or dict(key)
        try:
            after = self._expression(given, "UpdateExpression").update()(before)
        except InvalidExpressionError as error:
            raise _error("ValidationException", "UpdateItem", str(error)) from error
        self._require_room("UpdateItem", after)
        return after

    def transact_write_items(self, *, TransactItems: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        actions = [next(iter(each.items())) for each in TransactItems]
        reasons: list[dict[str, str]] = []
        for kind, given in actions:
            try:
                self._check("TransactWriteItems", given["TableName"], given.get("Key") or given["Item"], given)
                if kind == "Update":
                    self._updated(given["TableName"], given["Key"], given)
                reasons.append({"Code": "None"})
            except ClientError as error:
                reasons.append(
                    _REASONS[error.response["Error"]["Code"]] | {"Message": error.response["Error"]["Message"]}
                )
        if any(reason["Code"] != "None" for reason in reasons):
            refusal: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
            raise ClientError(refusal, "TransactWriteItems")
        calls: dict[str, Any] = {"Put": self.put_item, "Delete": self.delete_item, "Update": self.update_item}
        for kind, given in actions:
            calls[kind](**given)
        return {}

    def query(self, *, TableName: str, **given: Any) -> dict[str, Any]:  # noqa: N803
        keys = self._keys[TableName]
        if given.get("IndexName") == STATUS_INDEX:
            keys = (LaunchField.STATUS, LaunchField.SUBMITTED_AT)
        tests = [
            self._expression(given, name).condition()
            for name in ("KeyConditionExpression", "FilterExpression")
            if name in given
        ]
        # An index holds the items that have its keys, as text.
        indexed = [item for item in self.items(TableName) if all("S" in item.get(key, {}) for key in keys)]
        found = [item for item in indexed if all(test(item) for test in tests)]
        found.sort(key=lambda item: [item[key]["S"] for key in keys])
        return {"Items": [_projected(item, given) for item in found[: given.get("Limit")]]}

    def _key(self, table: str, item: Item) -> tuple[str, ...]:
        return tuple(item[key]["S"] for key in self._keys[table])

    def _check(self, operation: str, table: str, item: Item, given: dict[str, Any]) -> None:
        if "ConditionExpression" in given:
            existing = self._items[table].get(self._key(table, item), {})
            if not self._expression(given, "ConditionExpression").condition()(existing):
                raise _error("ConditionalCheckFailedException", operation, "The conditional request failed")

    def _expression(self, given: dict[str, Any], name: str) -> Expression:
        names, values = given.get("ExpressionAttributeNames", {}), given.get("ExpressionAttributeValues", {})
        return Expression(given[name], names, values)


_REASONS = {
    "ConditionalCheckFailedException": {"Code": "ConditionalCheckFailed"},
    "ValidationException": {"Code": "ValidationError"},
}
"""Of a transaction that was cancelled (Amazon DynamoDB API reference, TransactWriteItems, "Errors")."""


def size_of(item: Item) -> int:
    """Bytes of an item, or a little more."""
    return len(json.dumps(item, ensure_ascii=False).encode(errors="surrogatepass"))


def _projected(item: Item, given: dict[str, Any]) -> Item:
    if "ProjectionExpression" not in given:
        return deepcopy(item)
    names = given.get("ExpressionAttributeNames", {})
    wanted = [names.get(part.strip(), part.strip()) for part in given["ProjectionExpression"].split(",")]
    return {name: item[name] for name in wanted if name in item}


def _error(code: str, operation: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)
