"""What a function could not ask of AWS is asked again: a service that does not answer for a while fails no launch."""

from collections.abc import Iterator
from typing import Any

import botocore.exceptions
import pytest

from statemachines.composition import NAMES, definition

NO_ANSWER = {"ConnectTimeoutError", "ConnectionClosedError", "EndpointConnectionError", "ReadTimeoutError"}
"""Classes of botocore's exceptions, which become the error's name (AWS Lambda developer guide, "Python exceptions")."""


def retriers(node: Any) -> Iterator[set[str]]:
    """The error names of each retrier of a definition."""
    if isinstance(node, dict):
        for retrier in node.get("Retry", []):
            yield set(retrier["ErrorEquals"])
        for value in node.values():
            yield from retriers(value)
    elif isinstance(node, list):
        for value in node:
            yield from retriers(value)


@pytest.mark.parametrize("name", NAMES)
def test_who_retries_faults_of_lambda_retries_a_function_without_an_answer(name: str) -> None:
    for names in retriers(definition(name)):
        if "Lambda.ServiceException" in names:
            assert names >= NO_ANSWER


@pytest.mark.parametrize("name", sorted(NO_ANSWER))
def test_the_names_are_botocores(name: str) -> None:
    assert issubclass(getattr(botocore.exceptions, name), botocore.exceptions.BotoCoreError)
