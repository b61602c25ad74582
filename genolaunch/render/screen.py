"""Where things are shown: the terminal, or a file or pipe."""

import sys
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from genolaunch.shared.printable import printable

_WIDTH_WITHOUT_TERMINAL = 200
"""Columns for output to a file or pipe, so that ids and URIs stay on one line."""


class _Console(Console):
    """Shows texts of others as they are: no markup, emoji codes or escape sequences of theirs mean anything."""

    def __init__(self, *, width: int | None, quiet: bool = False, stderr: bool = False) -> None:
        super().__init__(width=width, quiet=quiet, stderr=stderr, highlight=False, markup=False, emoji=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What rich has laid out, printable: its own colours and movements are no text, and stay."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else printable(text, keep="\n"), style, control)

    def on_broken_pipe(self) -> None:
        """Leaves it to the command's group what it means that nobody reads any more, for all output alike."""
        self.quiet = True
        raise BrokenPipeError


def console() -> Console:
    """Standard output, wide enough for whole ids where it is no terminal."""
    return _Console(width=None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL)


def progress_console(*, quiet: bool) -> Console:
    """Standard error, so that a script finds nothing but the answer on standard output; nothing at all if `quiet`."""
    width = None if sys.stderr.isatty() else _WIDTH_WITHOUT_TERMINAL
    return _Console(width=width, quiet=quiet, stderr=True)
