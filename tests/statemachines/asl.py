"""State machines' definitions and expressions, read and evaluated without running them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from jsonata import Jsonata

MACHINES: Final = sorted((Path(__file__).parents[2] / "statemachines").glob("*.asl.json"))


def read(machine: Path) -> dict[str, Any]:
    """A definition."""
    definition: dict[str, Any] = json.loads(machine.read_text())
    return definition


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
