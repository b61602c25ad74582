"""What regenie says while it works: to standard output and to OUT.log alike."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

VERSION: Final = "v4.1.2"

_BANNER: Final = f"""\
              |=============================|
              |       REGENIE {VERSION}        |
              |       (numpy stand-in)      |
              |=============================|
"""


class Log:
    """A context manager around one run: banner and options first, the elapsed time last."""

    def __init__(self, path: Path, arguments: Sequence[str]) -> None:
        self._path = path
        self._arguments = arguments
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        self._file = self._path.open("w", encoding="utf-8")
        self(f"Start time: {time.ctime()}\n\n{_BANNER}\nLog of output saved in file : {self._path}\n")
        self(f"Options in effect:\n{_one_option_a_line(self._arguments)}\n")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self(f"\nElapsed time : {time.monotonic() - self._started:g}s\nEnd time: {time.ctime()}")
        else:
            self._file.write(f"\nERROR: {error}\n")
        self._file.close()

    def __call__(self, line: str) -> None:
        """Add a line, at once: the log of a running job is watched."""
        for stream in (sys.stdout, self._file):
            stream.write(line + "\n")
            stream.flush()

    def item(self, name: str, text: str) -> None:
        """Add an item of the summary, aligned as regenie aligns it."""
        self(f"{' * ' + name:<20}: {text}")


def _one_option_a_line(arguments: Sequence[str]) -> str:
    lines: list[str] = []
    for argument in arguments:
        if argument.startswith("-") or not lines:
            lines.append(f"  {argument}")
        else:
            lines[-1] += f" {argument}"
    return " \\\n".join(lines)
