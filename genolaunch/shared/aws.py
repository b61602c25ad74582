"""AWS clients: one of each service for the life of the process."""

import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

# Standard mode backs off with jitter and knows the throttling errors of every service. The time-outs are far below
# any function's own, so that a call that hangs is tried again instead of eating the invocation.
_CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, read_timeout=20)


@cache
def client(service: str) -> Any:  # noqa: ANN401 - each service has a type of its own; name it where it is assigned
    """The client of a service (`"dynamodb"`), made at first use: making one costs tens of milliseconds."""
    return boto3.client(service, config=_CONFIG)


def needed(*services: str) -> None:
    """Say, where a module is imported, that nearly every invocation of its functions needs these services' clients.

    They are then made while a function starts, which has a whole vCPU for that, and not by the first invocation, which
    at 256 MiB has a seventh of one (docs/decisions/113). Elsewhere nothing is made: a command may not need them.
    """
    if "AWS_LAMBDA_INITIALIZATION_TYPE" in os.environ:
        for service in services:
            client(service)
