"""AWS clients: one of each service for the life of the process."""

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
