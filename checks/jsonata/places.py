"""Where the state machine files have JSONata: every `{% … %}`, by its state and field."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from statemachines.composition import NAMES, definition

_SUBSTITUTION: Final = re.compile(r"\$\{(\w+)\}")
_SUB_MACHINES: Final = ("ItemProcessor", "Branches")
"""Fields with states of their own, which have their own places."""


@dataclass(frozen=True, order=True)
class Place:
    """A field of a state that has an expression."""

    machine: str
    state: str
    field: str
    """`Arguments.Payload.launchId`, `Choices.0.Condition`."""
    text: str
    """The field's whole text, `{% … %}`."""
    kind: str
    """The state's Type."""
    resource: str = ""

    @property
    def expression(self) -> str:
        """What is between the delimiters, with the substitutions open."""
        return self.text.removeprefix("{%").removesuffix("%}").strip()

    @property
    def names_of_substitutions(self) -> frozenset[str]:
        """Names of the expression's `${…}`."""
        return frozenset(_SUBSTITUTION.findall(self.expression))

    @property
    def pattern(self) -> re.Pattern[str]:
        """Matches the expression with any substitutions filled in, each a group of its name (at its first use)."""
        seen: set[str] = set()
        parts = []
        for position, part in enumerate(_SUBSTITUTION.split(self.expression)):
            if position % 2 == 0:
                parts.append(re.escape(part))
            else:
                parts.append(f"(?P={part})" if part in seen else f"(?P<{part}>.*?)")
                seen.add(part)
        return re.compile("".join(parts), re.DOTALL)

    def filled(self, substitutions: dict[str, str]) -> str:
        """The expression with its substitutions. Raises KeyError for one without a value."""
        return _SUBSTITUTION.sub(lambda found: substitutions[found.group(1)], self.expression)

    def __str__(self) -> str:
        return f"{self.machine}: {self.state}: {self.field}"


def places_of_files() -> list[Place]:
    """All places of all machines."""
    return [place for name in NAMES for place in places_of(name, definition(name))]


def places_of(machine: str, definition: dict[str, Any]) -> Iterator[Place]:
    """All places of a definition, in its order. A text with a delimiter anywhere counts: rules.py judges it."""
    for name, state in definition["States"].items():
        for path, text in _texts(state, ()):
            if "{%" in text or "%}" in text:
                yield Place(machine, name, ".".join(path), text, state["Type"], state.get("Resource", ""))
        for part in (state.get(field) for field in _SUB_MACHINES):
            for sub_machine in part if isinstance(part, list) else [part] if part else []:
                yield from places_of(machine, sub_machine)


def assigned_variables(definition: dict[str, Any]) -> set[str]:
    """Names of all variables that some state of a definition assigns."""
    names: set[str] = set()
    for state in definition["States"].values():
        for holder in (state, *state.get("Catch", []), *state.get("Choices", [])):
            names |= set(holder.get("Assign", {}))
        for part in (state.get(field) for field in _SUB_MACHINES):
            for sub_machine in part if isinstance(part, list) else [part] if part else []:
                names |= assigned_variables(sub_machine)
    return names


def _texts(node: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:  # noqa: ANN401 - any JSON
    if isinstance(node, str):
        yield path, node
    elif isinstance(node, dict):
        for key, value in node.items():
            if path or key not in _SUB_MACHINES:
                yield from _texts(value, (*path, key))
    elif isinstance(node, list):
        for position, value in enumerate(node):
            yield from _texts(value, (*path, str(position)))
