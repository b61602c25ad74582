"""Who may speak to the embedded cloud: programs that have its keys, and no page that somebody has open in a browser.

It listens on the loopback address, where every program of the machine and every web page can knock, and functions are
processes of whoever started it. So a request must be for this address by name (a page's name may lead here, too), must
come from no page (`Origin`), and must have an access key of this cloud. Only whether it is ready is told to anybody.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import Any, Final
from urllib.parse import parse_qs

from localcloud.clients import KEY_HEADER
from localcloud.wire import Answer, Request

Scope = Mapping[str, Any]
App = Callable[..., Awaitable[None]]

OPEN: Final = frozenset({"/_ministack/ready"})

CALLERS_KEY: Final[ContextVar[str]] = ContextVar("callers_key", default="")
"""The access key of the request that is being answered, and of what happens because of it."""

Query = Mapping[str, list[str]]
AccessKey = Callable[[Mapping[str, str], Query], str]
"""The access key with which a request is signed, or an empty text."""


class Door:
    """An ASGI application that lets requests in to another one."""

    def __init__(
        self,
        inside: App,
        *,
        port: int,
        access_key: AccessKey,
        is_known: Callable[[str], bool],
        unknown: Callable[[Request], Answer],
    ) -> None:
        """`unknown`: how the service that is asked (without the request's body) refuses keys that it does not know."""
        self._inside = inside
        self._hosts = {f"{host}:{port}" for host in ("127.0.0.1", "localhost")}
        self._access_key = access_key
        self._is_known = is_known
        self._unknown = unknown

    async def __call__(self, scope: Scope, receive: App, send: App) -> None:
        """Let it in, or answer it."""
        if scope["type"] == "websocket":  # nothing here has one
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        answer = self._refusal(scope) if scope["type"] == "http" else None
        if answer is None:
            await self._inside(scope, receive, send)
        else:
            await _send(send, answer)

    def _refusal(self, scope: Scope) -> Answer | None:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if headers.get("host") not in self._hosts:
            return _plain(f"The embedded cloud answers to {' and '.join(sorted(self._hosts))} only.")
        if "origin" in headers:
            return _plain("The embedded cloud answers no page in a browser.")
        if scope["path"] in OPEN:
            return None
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        key = self._access_key(headers, query) or headers.get(KEY_HEADER, "")
        if key and self._is_known(key):
            CALLERS_KEY.set(key)
            return None
        return self._unknown(Request(scope["method"], scope["path"], headers, b"", query))


def _plain(why: str) -> Answer:
    return 403, {"Content-Type": "text/plain"}, why.encode()


async def _send(send: App, answer: Answer) -> None:
    status, headers, body = answer
    headers = {**headers, "Content-Length": str(len(body))}
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
