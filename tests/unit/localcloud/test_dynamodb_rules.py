"""The condition keys of DynamoDB that a call brings, as its developer guide describes them."""

from typing import Any

import pytest

from localcloud.iam.model import Call
from localcloud.iam.needs import needs_of
from tests.unit.localcloud.test_iam_needs import Cloud

TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/tasks"


def keys(action: str, *, resource: str = TABLE, **request: Any) -> list[tuple[list[str], list[str]]]:
    """Leading keys and attributes of each need."""
    needs = needs_of(Call(f"dynamodb:{action}", resource, request, {"dynamodb:Select": "ALL_ATTRIBUTES"}), Cloud())
    assert {need.context["dynamodb:Select"] for need in needs} == {"ALL_ATTRIBUTES"}
    return [
        (need.context.get("dynamodb:leadingkeys", []), sorted(need.context.get("dynamodb:attributes", [])))
        for need in needs
    ]


def text(value: str) -> dict[str, str]:
    return {"S": value}


def test_a_put_names_its_items_partition_key_and_all_its_attributes():
    assert keys("PutItem", Item={"id": text("a"), "task": text("t"), "n": {"N": "1"}}) == [(["a"], ["id", "n", "task"])]


@pytest.mark.parametrize("action", ["GetItem", "DeleteItem", "UpdateItem"])
def test_a_key_names_the_item_and_counts_among_the_attributes(action):
    assert keys(action, Key={"id": text("a"), "task": text("t")}) == [(["a"], ["id", "task"])]


def test_attributes_of_expressions_are_the_top_level_ones_behind_their_placeholders():
    request: dict[str, Any] = {
        "Key": {"id": text("a")},
        "UpdateExpression": "SET #p.#q = :v, error[0].x = if_not_exists(n, :zero) REMOVE old ADD hits :one",
        "ConditionExpression": "attribute_exists(#a) AND NOT size(tags) > :n OR (b BETWEEN :x AND :y) and c IN (:z)",
        "ExpressionAttributeNames": {"#p": "progress", "#q": "done", "#a": "attempt"},
    }

    ((leading, attributes),) = keys("UpdateItem", **request)

    assert leading == ["a"]
    assert attributes == sorted(["id", "progress", "error", "n", "old", "hits", "attempt", "tags", "b", "c"])


@pytest.mark.parametrize("condition", ["#i = :i AND begins_with(task, :t)", "(:i = #i) AND task > :t", "id=:i"])
def test_a_query_names_the_partition_that_it_reads(condition):
    request: dict[str, Any] = {
        "KeyConditionExpression": condition.replace("=", " = ") if condition == "id=:i" else condition,
        "ExpressionAttributeNames": {"#i": "id"},
        "ExpressionAttributeValues": {":i": text("a"), ":t": text("job#")},
    }

    assert keys("Query", **request)[0][0] == ["a"]


def test_of_an_index_the_partition_key_is_the_indexs():
    request: dict[str, Any] = {
        "KeyConditionExpression": "status = :s",
        "ExpressionAttributeValues": {":s": text("RUNNING")},
    }

    assert keys("Query", resource=f"{TABLE}/index/by-status", **request) == [(["RUNNING"], ["status"])]


def test_a_batch_names_all_its_items_of_the_table():
    puts = [{"PutRequest": {"Item": {"id": text("a"), "x": text("1")}}}, {"DeleteRequest": {"Key": {"id": text("b")}}}]

    assert keys("BatchWriteItem", RequestItems={"tasks": puts, "other": []}) == [(["a", "b"], ["id", "x"])]
    assert keys("BatchGetItem", RequestItems={"tasks": {"Keys": [{"id": text("c")}], "AttributesToGet": ["y"]}}) == [
        (["c"], ["id", "y"])
    ]


def test_each_item_of_a_transaction_is_checked_by_itself():
    items = [
        {"Put": {"TableName": "tasks", "Item": {"id": text("a")}}},
        {"Put": {"TableName": "tasks", "Item": {"id": text("b")}}},
        {"Put": {"TableName": "other", "Item": {"id": text("c")}}},
        {"Delete": {"TableName": "tasks", "Key": {"id": text("d")}}},
    ]

    assert keys("PutItem", TransactItems=items) == [(["a"], ["id"]), (["b"], ["id"])]
    assert keys("DeleteItem", TransactItems=items) == [(["d"], ["id"])]


def test_a_scan_names_no_item():
    assert keys("Scan") == [([], [])]
