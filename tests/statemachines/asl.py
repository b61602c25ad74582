"""State machines' definitions and expressions, read and evaluated without running them."""

from collections.abc import Iterator
from typing import Any

from jsonata import Jsonata


def tasks(definition: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every Task state with its name, also inside Map states."""
    for name, state in definition["States"].items():
        if state["Type"] == "Task":
            yield name, state
        if "ItemProcessor" in state:
            yield from tasks(state["ItemProcessor"])


def evaluate(template: Any, variables: dict[str, Any]) -> Any:
    """A member of a state, with its expressions' values in their place."""
    if isinstance(template, dict):
        return {name: evaluate(part, variables) for name, part in template.items()}
    if isinstance(template, list):
        return [evaluate(part, variables) for part in template]
    if not (isinstance(template, str) and template.startswith("{%")):
        return template
    expression = Jsonata(template.removeprefix("{%").removesuffix("%}"))
    for name, value in variables.items():
        expression.assign(name, value)
    return expression.evaluate(None)
