"""A batch of SQS: what fails comes again, and nothing else."""

from collections.abc import Mapping
from typing import Any

import pytest

from lambdas.shared.observability import logger
from lambdas.shared.sqs_batch import take_each


def records(*bodies: str) -> dict[str, Any]:
    return {"Records": [{"messageId": f"id-{body}", "body": body} for body in bodies]}


def test_messages_behind_a_failed_one_are_taken_and_only_that_one_comes_again():
    taken = []

    def take(record: Mapping[str, Any]) -> None:
        taken.append(record["body"])
        if record["body"] in {"b", "d"}:
            raise ValueError("no")

    assert take_each(records("a", "b", "c", "d"), take) == {
        "batchItemFailures": [{"itemIdentifier": "id-b"}, {"itemIdentifier": "id-d"}]
    }
    assert taken == ["a", "b", "c", "d"]


def test_a_failure_is_logged_with_its_message(monkeypatch: pytest.MonkeyPatch):
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(logger, "exception", lambda _text, extra: told.append(extra))

    def take(_record: Mapping[str, Any]) -> None:
        raise ValueError("no")

    take_each(records("a", "b"), take)

    assert told == [{"messageId": "id-a"}, {"messageId": "id-b"}]
