"""Pages of a list, as AWS's Describe and List operations answer them."""

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class BadTokenError(Exception):
    """The client sent a continuation token that no page was ended with."""


def page(items: Sequence[T], limit: int, token: str | None) -> tuple[Sequence[T], str | None]:
    """One page of at most `limit` items after `token`, and the token of the page after it (None: this is the last).

    Raises BadTokenError.
    """
    start = _offset(token)
    end = start + limit
    return items[start:end], _token(end) if end < len(items) else None


def _token(offset: int) -> str:
    return base64.b64encode(f"offset:{offset:08d}".encode()).decode()


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.b64decode(token, validate=True).decode().removeprefix("offset:"))
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise BadTokenError(token) from error
