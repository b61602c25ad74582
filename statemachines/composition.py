"""Composes the state machines: fills in the named parts that their files share.

A file `<name>.asl.json` is Amazon States Language, in which
* `Retry` and `Catch` may name a list of rules, or hold names among their rules: `"Retry": "lambda"`;
* a state may use a template: `{"Use": "invoke", "FunctionName": …, "Next": …}`. What the template writes as
  `{{FunctionName}}` is taken from the state's field of that name; the state's other fields are added, or replace the
  template's;
* a table with an entry for each workflow is written as one: `{"EachWorkflow": {"machine":
  "${{{Workflow}}StateMachineArn}"}}` becomes `{"regenie": {"machine": "${RegenieStateMachineArn}"}, …}`.

The parts stand in `parts.json`, for all machines, or in the machine's own field `Parts`:
`{"Retry": {name: rules}, "Catch": {name: rules}, "States": {name: template}}`. A machine's own part may use the
shared ones.

    python -m statemachines.composition FOLDER     writes all machines as Step Functions reads them
"""

import json
import re
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from genolaunch.contract.workflow import Workflow

FOLDER: Final = Path(__file__).parent
NAMES: Final = tuple(sorted(path.name.removesuffix(".asl.json") for path in FOLDER.glob("*.asl.json")))
"""The machines' names."""

_PARAMETER: Final = re.compile(r"\{\{(\w+)\}\}")
_SUB_MACHINES: Final = ("ItemProcessor",)
_RULES: Final = ("Retry", "Catch")

_Named = dict[str, dict[str, Any]]
_Json = Any
"""A value of a JSON document."""


class CompositionError(ValueError):
    """A machine names a part that nobody defines, leaves a parameter out, or defines what nothing uses."""


def definition(name: str) -> dict[str, Any]:
    """A machine as Step Functions reads it, with its substitutions `${…}` still open.

    Args:
        name: the file's name without `.asl.json`.

    Raises:
        CompositionError: naming the machine, the state and what is wrong.
    """
    composed: dict[str, Any] = json.loads(text(name))
    return composed


@cache
def text(name: str) -> str:
    """`definition` as JSON, two spaces a level. Raises CompositionError."""
    composed = compose(_read(FOLDER / f"{name}.asl.json"), _read(FOLDER / "parts.json"), name)
    return json.dumps(composed, indent=2, ensure_ascii=False) + "\n"


def compose(machine: Mapping[str, Any], shared: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Fill in the parts of a machine.

    Args:
        machine: its file's content.
        shared: the parts of all machines.
        name: for messages.

    Raises:
        CompositionError: a part or a parameter is missing, or a part of the machine's own is not used.
    """
    own = machine.get("Parts", {})
    parts = _Parts({kind: {**shared.get(kind, {}), **own.get(kind, {})} for kind in (*_RULES, "States")}, name)
    composed = parts.machine({key: value for key, value in machine.items() if key != "Parts"})
    unused = {(kind, part) for kind, named in own.items() for part in named} - parts.used
    if unused:
        raise CompositionError(f"{name}: nothing uses {', '.join(f'{kind} {part}' for kind, part in sorted(unused))}")
    return composed


class _Parts:
    """The parts that a machine may name, and which of them it did."""

    def __init__(self, parts: _Named, machine: str) -> None:
        self._parts = parts
        self._machine = machine
        self.used: set[tuple[str, str]] = set()

    def machine(self, machine: Mapping[str, Any]) -> dict[str, Any]:
        """A machine, or one within a state."""
        states = {name: self._state(state, name) for name, state in machine["States"].items()}
        return {**machine, "States": states}

    def _state(self, state: Mapping[str, Any], name: str) -> dict[str, Any]:
        filled, seen = {key: _each_workflow(value) for key, value in state.items()}, set[str]()
        while "Use" in filled:
            if filled["Use"] in seen:
                raise CompositionError(f"{self._machine}, {name}: “{filled['Use']}” uses itself")
            seen.add(filled["Use"])
            filled = self._used(filled, name)
        for kind in _RULES:
            if kind in filled:
                filled[kind] = self._rules(kind, filled[kind], name)
        for inner in _SUB_MACHINES:
            if inner in filled:
                filled[inner] = self.machine(filled[inner])
        if "Branches" in filled:
            filled["Branches"] = [self.machine(branch) for branch in filled["Branches"]]
        return filled

    def _used(self, state: Mapping[str, Any], name: str) -> dict[str, Any]:
        template = self._part("States", state["Use"], name)
        parameters = set(_PARAMETER.findall(json.dumps(template)))
        missing = parameters - state.keys()
        if missing:
            raise CompositionError(f"{self._machine}, {name}: “{state['Use']}” needs {', '.join(sorted(missing))}")
        own = {key: value for key, value in state.items() if key not in {"Use", *parameters}}
        return {**_filled(template, state), **own}

    def _rules(self, kind: str, rules: object, name: str) -> list[Any]:
        if isinstance(rules, str):
            return self._rules(kind, self._part(kind, rules, name), name)
        assert isinstance(rules, list)
        return [rule for each in rules for rule in (self._rules(kind, each, name) if isinstance(each, str) else [each])]

    def _part(self, kind: str, part: str, state: str) -> _Json:
        if part not in self._parts[kind]:
            raise CompositionError(f"{self._machine}, {state}: there is no {kind} “{part}”")
        self.used.add((kind, part))
        return self._parts[kind][part]


def _each_workflow(value: _Json) -> _Json:
    """A field, with an entry for each workflow where it has an entry for all."""
    if isinstance(value, list):
        return [_each_workflow(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"EachWorkflow"}:
        return {name.value: _filled(value["EachWorkflow"], {"Workflow": name.capitalize()}) for name in Workflow}
    return {key: _each_workflow(each) for key, each in value.items()}


def _filled(template: _Json, values: Mapping[str, Any]) -> _Json:
    """Fill in the parameters. A text that is nothing but a parameter becomes its value, of any type."""
    if isinstance(template, dict):
        return {_filled(key, values): _filled(value, values) for key, value in template.items()}
    if isinstance(template, list):
        return [_filled(value, values) for value in template]
    if not isinstance(template, str):
        return template
    whole = _PARAMETER.fullmatch(template)
    return values[whole[1]] if whole else _PARAMETER.sub(lambda found: str(values[found[1]]), template)


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def main(folder: Path) -> None:
    """Write every machine to `folder`, as Step Functions reads it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        (folder / f"{name}.asl.json").write_text(text(name), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
