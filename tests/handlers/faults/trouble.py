"""Lets one of the functions' next calls of AWS be the last one of its function, or be refused."""

from collections.abc import Callable
from typing import Any, Final

from botocore.exceptions import ClientError

THROTTLED: Final = {
    "dynamodb": ("ProvisionedThroughputExceededException", "TransactionConflictException", "ThrottlingException"),
    "stepfunctions": ("ThrottlingException", "ExecutionLimitExceeded"),
    "s3": ("SlowDown", "InternalError"),
    "sns": ("Throttled", "InternalError"),
    "events": ("ThrottlingException", "InternalException"),
}
"""What each service says when it does not take a call now."""


class KilledError(BaseException):
    """The function's process ended half way: no handler of exceptions sees it."""


class Trouble:
    """What goes wrong, and when."""

    def __init__(self) -> None:
        self.calls_left: int | None = None
        self.after = False
        self.refuses = False
        self.meanwhile: Callable[[], Any] | None = None
        self.struck: str | None = None
        """The call that it happened at, as service.operation."""

    def plan(self, call: int, *, after: bool = False, refuses: bool = False) -> None:
        """The `call`-th call from now (0 is the next one) is the function's last, made or not; or it is refused."""
        self.calls_left, self.after, self.refuses, self.struck = call, after, refuses, None

    def plan_meeting(self, call: int, meanwhile: Callable[[], Any]) -> None:
        """Something else happens between two calls of the function, which knows nothing of it."""
        self.calls_left, self.meanwhile, self.struck = call, meanwhile, None

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self.calls_left = self.meanwhile = None

    def meets(self, service: str, operation: str, call: Callable[[], Any]) -> Any:
        """Make the call, if nothing goes wrong before, and answer, if nothing does so after."""
        strikes, self.calls_left = self.calls_left == 0, self.calls_left - 1 if self.calls_left else None
        if not strikes:
            return call()
        self.struck = f"{service}.{operation}"
        if self.meanwhile:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
            return call()
        if self.refuses:
            code = THROTTLED[service][len(operation) % len(THROTTLED[service])]
            raise ClientError({"Error": {"Code": code, "Message": "injected"}}, operation)
        if self.after:
            call()
        raise KilledError(self.struck)


class Troubled:
    """A client of a service whose calls may meet trouble."""

    def __init__(self, service: str, client: Any, trouble: Trouble) -> None:
        self._service, self._client, self._trouble = service, client, trouble

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not callable(found) or name == "get_paginator":
            return found
        return lambda **given: self._trouble.meets(self._service, name, lambda: found(**given))

    def get_paginator(self, operation: str) -> "_Pages":
        return _Pages(getattr(self, operation))


class _Pages:
    """All in one page."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def paginate(self, **given: Any) -> Any:
        yield self._call(**given)
