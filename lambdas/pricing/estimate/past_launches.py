"""Finds launches with a price in the launch table's index, as the basis of estimates."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from genolaunch.contract.launch import STATUS_INDEX, LaunchField, Status
from genolaunch.shared import aws
from lambdas.pricing.estimate.reckoning import Past
from lambdas.shared.attributes import from_item, to_attribute

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

_MOST: Final = 200
"""Of the newest complete launches of a kind: more would not make an estimate better."""

_MOST_PAGES: Final = 20
"""Of up to 1 MB each, newest first: whoever launches one kind of workflow a year gets first principles."""


def past_launches(table: str, kind: str) -> list[Past]:
    """Complete launches of a kind whose size was measured and whose cost is known, newest first."""
    found: list[Past] = []
    for past in _complete(table, kind):
        found.append(past)
        if len(found) == _MOST:
            break
    return found


def _complete(table: str, kind: str) -> Iterator[Past]:
    client: DynamoDBClient = aws.client("dynamodb")
    pages = client.get_paginator("query").paginate(
        TableName=table,
        IndexName=STATUS_INDEX,
        ScanIndexForward=False,
        KeyConditionExpression="#status = :complete",
        FilterExpression="attribute_exists(#total) AND #estimate.#kind = :kind",
        ProjectionExpression="#history, #estimate",
        ExpressionAttributeNames={
            "#status": LaunchField.STATUS,
            "#total": LaunchField.TOTAL_COST,
            "#history": LaunchField.COST_HISTORY,
            "#estimate": LaunchField.ESTIMATE,
            "#kind": "kind",
        },
        ExpressionAttributeValues={":complete": to_attribute(Status.COMPLETE.value), ":kind": to_attribute(kind)},
    )
    for number, page in enumerate(pages, 1):
        for item in map(from_item, page["Items"]):
            past = _past(item)
            if past is not None:
                yield past
        if number == _MOST_PAGES:
            return


def _past(item: Mapping[str, Any]) -> Past | None:
    """None if somebody edited it so that it tells nothing."""
    try:
        totals = [Decimal(each[LaunchField.TOTAL_COST]) for each in item[LaunchField.COST_HISTORY].values()]
        return Past(float(item[LaunchField.ESTIMATE]["size"]), sum(totals, Decimal(0)))
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError):
        return None
