"""JSON on standard output."""

import json
from typing import Any

import typer


def print_json(document: Any) -> None:  # noqa: ANN401 - any JSON value
    """One document, for scripts and readable."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def print_json_line(document: Any) -> None:  # noqa: ANN401 - any JSON value
    """One of many documents, on a line of its own."""
    typer.echo(json.dumps(document, ensure_ascii=False))
