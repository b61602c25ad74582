"""Where things are shown: the terminal, or a file or pipe."""

import sys

from rich.console import Console

_WIDTH_WITHOUT_TERMINAL = 200
"""Columns for output to a file or pipe, so that ids and URIs stay on one line."""


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leaves it to the command's group what it means that nobody reads any more, for all output alike."""
        self.quiet = True
        raise BrokenPipeError


def console() -> Console:
    """Standard output, wide enough for whole ids where it is no terminal."""
    return _Console(width=None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL, highlight=False)


def progress_console(*, quiet: bool) -> Console:
    """Standard error, so that a script finds nothing but the answer on standard output; nothing at all if `quiet`."""
    width = None if sys.stderr.isatty() else _WIDTH_WITHOUT_TERMINAL
    return Console(width=width, highlight=False, quiet=quiet, stderr=True)
