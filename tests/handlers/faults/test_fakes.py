"""The fake of DynamoDB answers as moto's does, through everything that a campaign makes of it."""

import random
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.handlers.conftest import LAUNCH_TABLE, TASK_TABLE
from tests.handlers.faults.tables import FakeTables
from tests.handlers.faults.test_faults import campaign


class Both:
    """Gives each call to the fake and to moto, and wants one answer."""

    def __init__(self, fake: FakeTables) -> None:
        self._fake, self._moto = fake, boto3.client("dynamodb")
        self.operations: set[str] = set()

    def __getattr__(self, operation: str) -> Any:
        def call(**given: Any) -> Any:
            self.operations.add(operation)
            answer = _answer(self._fake, operation, given)
            assert _told(answer) == _told(_answer(self._moto, operation, given)), (operation, given)
            if isinstance(answer, ClientError):
                raise answer
            return answer

        return call

    def items(self, table: str) -> list[dict[str, Any]]:
        """All of a table."""
        return self._fake.items(table)


def _answer(client: Any, operation: str, given: dict[str, Any]) -> Any:
    try:
        return getattr(client, operation)(**given)
    except ClientError as error:
        return error


def _told(answer: Any) -> Any:
    """What the functions go by."""
    if isinstance(answer, ClientError):
        reasons: Any = answer.response.get("CancellationReasons", [])
        return answer.response["Error"]["Code"], [reason["Code"] for reason in reasons]
    return {name: answer[name] for name in ("Item", "Items", "Attributes") if name in answer}


def by_key(items: Any) -> list[Any]:
    return sorted(items, key=lambda item: (item["launchId"]["S"], item.get("taskId", {"S": ""})["S"]))


@pytest.mark.parametrize("seed", range(3))
def test_a_campaign_sees_the_same_tables_as_with_moto(again, repository, seed):
    world = again()
    both = Both(world.tables)
    world.use(both)

    campaign(world, random.Random(seed), steps=40)

    assert {"get_item", "put_item", "update_item", "query", "transact_write_items"} <= both.operations
    for table in (LAUNCH_TABLE, TASK_TABLE):
        assert by_key(both.items(table)) == by_key(boto3.client("dynamodb").scan(TableName=table)["Items"])
