"""The public form of errors for logs, traces and state machines: without people, traits and data.

An error whose text holds such has a public form, in its type: the property `public`. What Lambda, Powertools' logger
and tracer, and Step Functions get of an error is that form and nothing else. An error's full text goes to the launch
and task tables, the answer beside the file, and the report (kept_errors.py).
"""

import os
import re
import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path, PurePath
from types import TracebackType
from typing import Any, Final, Protocol, TypeVar, cast, runtime_checkable

from botocore.exceptions import BotoCoreError, ClientError

from genolaunch.shared.printable import printable

_QUOTED: Final = re.compile(r"""["'`“‘«].*["'`”’»]""", re.DOTALL)
"""From the first quotation mark to the last: a text within may have such marks itself."""

_IN_S3: Final = re.compile(r"(s3://[^/\s]+/|arn:aws[\w-]*:s3:::[^/\s]+/)[^\s\"']+")
"""Names of objects: files of results have traits in theirs."""

_QUOTED_ARN: Final = re.compile(r"""["'](arn:[^\s"']+)["']""")
"""What a caller may not use: AWS quotes it, and who mends the policy needs it."""

_LONGEST: Final = 2_000
"""Characters of a public text."""

_HIDDEN: Final = "…"

_Handler = TypeVar("_Handler", bound=Callable[..., Any])


@runtime_checkable
class Public(Protocol):
    """An error that says itself what may be told of it anywhere."""

    @property
    def public(self) -> str:
        """One line."""


class OpenError(Exception):
    """An error whose text names nothing but ids, places and numbers of the platform: its text is its public form."""

    @property
    def public(self) -> str:
        """The text as it is."""
        return str(self)


def public_text(error: BaseException) -> str:
    """What may be told of an error anywhere.

    Of an error that does not say so itself: of AWS's and Python's own ones the text without what is in quotes (there
    Python and AWS put values) and without names of objects in S3; of others' (pydantic, say, quotes what it was given)
    only where it was raised.
    """
    if isinstance(error, Public):
        text = error.public
    elif children := getattr(error, "child_exceptions", None):  # Powertools': no record of a batch could be processed
        text = "; ".join(f"{type(child[1]).__name__}: {public_text(child[1])}" for child in children)
    elif isinstance(error, ClientError | BotoCoreError) or type(error).__module__ == "builtins":
        text = f"{redacted(str(error))} ({_place(error.__traceback__)})"
    else:
        text = f"its text is withheld, since it may quote data ({_place(error.__traceback__)})"
    return printable(text)[:_LONGEST]


def redacted(text: str) -> str:
    """Text of a stranger without what is in quotes (but names of AWS's resources), and without objects' names in S3."""
    return _QUOTED.sub(_HIDDEN, _QUOTED_ARN.sub(r"\1", _IN_S3.sub(rf"\1{_HIDDEN}", text)))


def private_errors(handler: _Handler) -> _Handler:
    """Let a function raise the public forms of its errors only: the decorator next to the function itself.

    The caller gets another error, of a type with the same name, with the public text and nothing else of
    it: Lambda writes an error's text to the function's log and to X-Ray, and hands it to the state machine, whose log
    has it too.
    """

    @wraps(handler)
    def wrapped(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - as the handler
        try:
            return handler(*arguments, **named)
        except Exception as error:
            told = published(error)
        raise told

    return cast("_Handler", wrapped)


def published(error: Exception) -> Exception:
    """An error that holds nothing but the public text; its type has the same name, and is a subclass where it may be.

    Its context and cause are gone, too: a trace would show theirs.
    """
    text = public_text(error)
    kind = type(error)
    body: dict[str, Any] = {"__module__": kind.__module__, "__str__": lambda _: text, "public": text}
    try:
        told: Exception = cast("Any", kind).__new__(type(kind.__name__, (kind,), body), text)
    except TypeError:  # a class that is not made of a text
        told = Exception.__new__(type(kind.__name__, (Exception,), body), text)
    told.args = (text,)
    return told.with_traceback(error.__traceback__)


_ROOT: Final = Path(__file__).parents[2]
_OWN: Final = (f"{_ROOT}{os.sep}lambdas{os.sep}", f"{_ROOT}{os.sep}genolaunch{os.sep}")
"""Beginnings of the paths of this project's modules, in a function's bundle as in a checkout."""


def _place(trace: TracebackType | None) -> str:
    """`raised at regenie/tables.py, line 32`: the innermost frame of this project, else of all."""
    frames = traceback.extract_tb(trace)
    if not frames:
        return "raised nowhere"
    last = next((frame for frame in reversed(frames) if frame.filename.startswith(_OWN)), frames[-1])
    return f"raised at {'/'.join(PurePath(last.filename).parts[-2:])}, line {last.lineno}"
