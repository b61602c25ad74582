"""Operations of a service that ministack has, but that are answered here, or whose answers are added to."""

from collections.abc import Callable
from dataclasses import dataclass

from localcloud.ec2_query import members
from localcloud.wire import Answer, Request

Own = Callable[[], Answer]
"""ministack's answer."""


@dataclass(frozen=True)
class Interceptor:
    """Answers some requests for one service; see ministack_adapter.intercept."""

    service: str
    """ministack's name."""
    operations: frozenset[str]
    answer: Callable[[Request, Own], Answer]
    is_mine: Callable[[Request], bool] = lambda _request: True
    """Which of the requests for these operations."""

    def wants(self, request: Request) -> bool:
        """Whether it answers a request."""
        called = members(request).get("Action") if self.service == "ec2" else _target(request)
        return called in self.operations and self.is_mine(request)


def _target(request: Request) -> str:
    """The operation of a request in the json protocol."""
    return request.headers.get("x-amz-target", "").rpartition(".")[2]
