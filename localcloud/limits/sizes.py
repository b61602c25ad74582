"""How the sizes are measured that AWS limits."""

import json
from typing import Any, Final, NoReturn

from localcloud.service import ServiceError

KIB: Final = 1024
MIB: Final = 1024 * KIB


def refuse(code: str, message: str, status: int = 400) -> NoReturn:
    """Refuse a call."""
    raise ServiceError(code, message, status)


def bytes_in(text: Any) -> int:  # noqa: ANN401 - whatever was sent
    """UTF-8 bytes of a text, or the bytes of a blob; 0 of nothing."""
    if text is None:
        return 0
    return len(text) if isinstance(text, bytes) else len(str(text).encode())


def json_size(value: Any) -> int:  # noqa: ANN401 - what JSON can hold
    """UTF-8 bytes of a value as JSON without spaces."""
    return len(compact(value).encode())


def compact(value: Any) -> str:  # noqa: ANN401 - what JSON can hold
    """A value as JSON without spaces."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)
