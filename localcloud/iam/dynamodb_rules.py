"""The condition keys that a call of DynamoDB brings: which items it is about, and which of their attributes.

As Amazon DynamoDB's developer guide says ("Using IAM policy conditions for fine-grained access control"). A Scan names
no item, so it has no `dynamodb:LeadingKeys`, and passes a condition with ForAllValues on them, here as on AWS.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from localcloud.iam.model import Call, Cloud, Need, Rule

_ATTRIBUTES: Final = "dynamodb:attributes"
_LEADING_KEYS: Final = "dynamodb:leadingkeys"

_EXPRESSIONS: Final = (
    "ConditionExpression",
    "FilterExpression",
    "KeyConditionExpression",
    "ProjectionExpression",
    "UpdateExpression",
)
_BY_ATTRIBUTE: Final = ("AttributeUpdates", "Expected", "Item", "Key", "KeyConditions", "QueryFilter", "ScanFilter")
"""Members that are maps from names of attributes."""

_WORDS: Final = frozenset({"ADD", "AND", "BETWEEN", "DELETE", "IN", "NOT", "OR", "REMOVE", "SET"})
_PATH: Final = re.compile(r"([#:]?[A-Za-z_0-9-]+)((?:\.[#A-Za-z_0-9-]+|\[\d+\])*)\s*(\(?)")
_EQUAL: Final = re.compile(r"(\S+)\s*=\s*(\S+)")

_MEMBERS: Final = {
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "Get": "dynamodb:GetItem",
}
"""Of a transaction's item: what it is allowed as, each by itself ("Using IAM with DynamoDB transactions")."""


def _items(call: Call, cloud: Cloud) -> list[Need]:
    """One need, or in a transaction one for each of its items of this action and table."""
    hash_key = cloud.hash_key(call.resource)
    others = {name: value for name, value in call.context.items() if name.lower() != _ATTRIBUTES}
    found = [Need(call.action, call.resource, {**others, **_keys_of(request, hash_key)}) for request in _requests(call)]
    return [need for index, need in enumerate(found) if need.context not in [each.context for each in found[:index]]]


def _requests(call: Call) -> Iterator[Mapping[str, Any]]:
    if "TransactItems" not in call.params:
        yield _batch(call)
        return
    table = call.resource.rpartition("/")[2]
    for item in call.params["TransactItems"]:
        for member, action in _MEMBERS.items():
            request = item.get(member)
            if request and action == call.action and request["TableName"].rpartition("/")[2] == table:
                yield request


def _batch(call: Call) -> Mapping[str, Any]:
    """The request; of a batch, its part for the table, with all items."""
    requests = call.params.get("RequestItems")
    if not isinstance(requests, dict):
        return call.params
    part = requests.get(call.resource.rpartition("/")[2]) or requests.get(call.resource) or {}
    if isinstance(part, dict):
        return {**part, "Items": part.get("Keys", [])}
    puts = [(each.get("PutRequest") or {}).get("Item") or (each.get("DeleteRequest") or {}).get("Key") for each in part]
    return {"Items": [item for item in puts if item]}


def _keys_of(request: Mapping[str, Any], hash_key: str) -> dict[str, Any]:
    """Keys without a value are left out, as AWS leaves them out."""
    keys: dict[str, Any] = {
        _LEADING_KEYS: list(dict.fromkeys(_leading_keys(request, hash_key))),
        _ATTRIBUTES: list(dict.fromkeys(_attributes(request))),
    }
    # What a write gives back if it does not say so is nothing (API reference, UpdateItem).
    keys["dynamodb:returnvalues"] = request.get("ReturnValues", "NONE")
    return {name: value for name, value in keys.items() if value}


def _leading_keys(request: Mapping[str, Any], hash_key: str) -> Iterator[str]:
    for item in (request.get("Key"), request.get("Item"), *request.get("Items", [])):
        if item and hash_key in item:
            yield _text(item[hash_key])
    condition = (request.get("KeyConditions") or {}).get(hash_key)
    if condition:
        yield from (_text(value) for value in condition["AttributeValueList"])
    names, values = request.get("ExpressionAttributeNames") or {}, request.get("ExpressionAttributeValues") or {}
    for left, right in _EQUAL.findall(request.get("KeyConditionExpression") or ""):
        for name, value in ((left.strip("("), right.strip(")")), (right.strip(")"), left.strip("("))):
            if names.get(name, name) == hash_key and value in values:
                yield _text(values[value])


def _text(value: Mapping[str, Any]) -> str:
    """Of `{"S": …}`, `{"N": …}` or `{"B": …}`."""
    return str(next(iter(value.values())))


def _attributes(request: Mapping[str, Any]) -> Iterator[str]:
    """Top-level attributes that the request names, those of the key among them."""
    for member in _BY_ATTRIBUTE:
        yield from request.get(member) or {}
    for item in request.get("Items", []):
        yield from item
    yield from request.get("AttributesToGet") or []
    names = request.get("ExpressionAttributeNames") or {}
    for member in _EXPRESSIONS:
        for name, _path, is_function in _PATH.findall(request.get(member) or ""):
            if not is_function and not name.startswith(":") and not name.isdigit() and name.upper() not in _WORDS:
                yield names.get(name, name)


_UNREAD: Final = ["statement"]
"""In place of what a PartiQL statement names, which is not read here: a condition on it is not met."""


def _statement(call: Call, cloud: Cloud) -> list[Need]:
    del cloud
    return [Need(call.action, call.resource, {**call.context, _LEADING_KEYS: _UNREAD, _ATTRIBUTES: _UNREAD})]


_PARTIQL: Final = (
    *("ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"),
    *("PartiQLSelect", "PartiQLInsert", "PartiQLUpdate", "PartiQLDelete"),
)

RULES: Final[Mapping[str, Rule]] = {
    **{f"dynamodb:{action}": _statement for action in _PARTIQL},
    **{
        f"dynamodb:{action}": _items
        for action in (
            *("GetItem", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem", "Query", "Scan"),
            *("BatchGetItem", "BatchWriteItem"),
        )
    },
}
