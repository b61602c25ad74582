"""AWS Lambda (Developer guide, "Lambda quotas")."""

from collections.abc import Mapping
from typing import Any, Final

from localcloud.limits.sizes import KIB, MIB, bytes_in, compact, refuse

MOST_ENVIRONMENT: Final = 4 * KIB
"""Bytes of all environment variables of a function."""

MOST_SYNCHRONOUS: Final = 6 * MIB
"""Bytes of a request that waits for its answer, and of the answer."""

MOST_ASYNCHRONOUS: Final = MIB
"""Bytes of an event (256 KB until October 2025)."""

MOST: Final = {"timeout": 900, "memorySize": 10_240, "ephemeralStorage.size": 10_240}
"""Seconds and MB of a function that Lambda runs on its own machines (CreateFunction). The model has what Lambda Managed
Instances may have."""


def _environment(params: Mapping[str, Any]) -> None:
    variables = (params.get("Environment") or {}).get("Variables") or {}
    if bytes_in(compact(variables)) > MOST_ENVIRONMENT:
        refuse(
            "InvalidParameterValueException",
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided exceeded the 4KB limit. String measured: {compact(variables)[:200]}…",
        )


def _ranges(params: Mapping[str, Any]) -> None:
    if params.get("CapacityProviderConfig"):
        return
    storage = (params.get("EphemeralStorage") or {}).get("Size")
    given = {
        "timeout": params.get("Timeout"),
        "memorySize": params.get("MemorySize"),
        "ephemeralStorage.size": storage,
    }
    for member, value in given.items():
        if value is not None and int(value) > MOST[member]:
            refuse(
                "ValidationException",
                f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: "
                f"Member must have value less than or equal to {MOST[member]}",
            )


def _payload(params: Mapping[str, Any]) -> None:
    is_event = params.get("InvocationType") == "Event"
    most = MOST_ASYNCHRONOUS if is_event else MOST_SYNCHRONOUS
    if bytes_in(params.get("Payload")) > most:
        refuse(
            "RequestEntityTooLargeException",
            f"Request must be smaller than {most} bytes for the InvokeFunction operation",
            413,
        )


LIMITS: Final = {
    "CreateFunction": (_environment, _ranges),
    "UpdateFunctionConfiguration": (_environment, _ranges),
    "Invoke": (_payload,),
}
