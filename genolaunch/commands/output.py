"""Output of commands: lines of text and JSON, on standard output or standard error.

Keys, ids, names, reasons and log lines come from others, so all output passes through here or through the console of
render/screen.py, which make it safe to show (genolaunch/shared/printable.py).
"""

from typing import Any

import typer

from genolaunch.shared.printable import json_text, printable


def say(line: str, *, err: bool = False) -> None:
    """One line, on standard error if `err`; a line break in it is shown as an escape."""
    typer.echo(printable(line), err=err)


def say_text(text: str) -> None:
    """A text of several lines, whose line breaks are its own."""
    typer.echo(printable(text, keep="\n\t").removesuffix("\n"))


def print_json(document: Any) -> None:  # noqa: ANN401 - any JSON value
    """One document, for scripts and readable."""
    typer.echo(json_text(document, indent=2))


def print_json_line(document: Any) -> None:  # noqa: ANN401 - any JSON value
    """One of many documents, on a line of its own."""
    typer.echo(json_text(document))
