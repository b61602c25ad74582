"""The states on which expressions are compared: tests/data/jsonata, from recordings of real runs, and made by hand."""

import json
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from checks.jsonata.places import Place
from checks.jsonata.reference import Parsed
from localcloud.jsonata_record import Evaluation

_ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = _ROOT / "tests" / "data" / "jsonata"
_BY_HAND: Final = "by_hand.json"
_SUBSTITUTIONS: Final = "substitutions.json"
_MOST_OF_A_PLACE: Final = 8
"""States kept for one expression: every shape of what it reads is seen long before."""


@dataclass(frozen=True)
class Scope:
    """What the expressions below one field of a state are evaluated on."""

    machine: str
    state: str
    """`*` in place of machine or state stands for all."""
    within: str
    """A field, or what its path begins with: `Catch.0` also gives `Catch.0.Assign.failure`."""
    states: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    substitutions: Mapping[str, str] = field(default_factory=dict)
    """Others than the embedded cloud's."""

    def covers(self, place: Place) -> bool:
        """Whether this place's expression is to be evaluated on it."""
        same_state = self.machine in (place.machine, "*") and self.state in (place.state, "*")
        return same_state and f"{place.field}.".startswith(f"{self.within}.")


@dataclass(frozen=True)
class Corpus:
    """All scopes, and the embedded cloud's substitutions by machine."""

    scopes: tuple[Scope, ...]
    substitutions: Mapping[str, Mapping[str, str]]

    def evaluations(self, place: Place) -> Iterator[Evaluation]:
        """What the place's expression is evaluated on. Raises KeyError for a substitution without a value."""
        for scope in self.scopes:
            if scope.covers(place):
                values = {**self.substitutions.get(place.machine, {}), **scope.substitutions}
                expression = place.filled(values)
                yield Evaluation(place.machine, place.state, expression, dict(scope.states), dict(scope.variables))


def load(folder: Path = FOLDER) -> Corpus:
    """Read the files."""
    lines = (line for file in sorted(folder.glob("*.jsonl")) for line in file.read_text(encoding="utf-8").splitlines())
    scopes = [*map(json.loads, lines), *json.loads((folder / _BY_HAND).read_text(encoding="utf-8"))]
    substitutions = json.loads((folder / _SUBSTITUTIONS).read_text(encoding="utf-8"))
    return Corpus(tuple(Scope(**scope) for scope in scopes), substitutions)


def read_recordings(folder: Path) -> Iterator[Evaluation]:
    """What servers with the recording switch wrote into a folder."""
    for file in sorted(folder.glob("*.jsonl")):
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                yield Evaluation(**json.loads(without_own_paths(line)))


def renew(recorded: Iterable[Evaluation], parsed: Mapping[Place, Parsed], folder: Path = FOLDER) -> None:
    """Write the recorded scopes anew, one of each shape; a place that was not reached keeps those it has.

    Args:
        recorded: evaluations of runs on the embedded cloud.
        parsed: what the reference says of each place.
        folder: where to.
    """
    kept: dict[Place, dict[str, Scope]] = defaultdict(dict)
    substitutions: dict[str, dict[str, str]] = defaultdict(dict)
    by_state = defaultdict(list)
    for place in parsed:
        by_state[place.state].append(place)
    for seen in recorded:
        for place in by_state[seen.state]:
            found = place.pattern.fullmatch(seen.expression) if seen.machine.endswith(_suffix(place.machine)) else None
            if found and seen.error is None:
                substitutions[place.machine].update(found.groupdict())
                scope = _reduced(seen, place, parsed[place])
                kept[place].setdefault(_shape([scope.states, scope.variables, _known(seen.result)]), scope)
    old = load(folder)
    for place in parsed:
        if not kept[place]:
            kept[place] = {
                str(i): scope
                for i, scope in enumerate(old.scopes)
                if scope.within == place.field and scope.covers(place)
            }
    _write(kept, {**old.substitutions, **substitutions}, folder)


def _suffix(machine: str) -> str:
    """Machines are called `<project>-<stage>-<file>`, and Tibanna's `tibanna_unicorn_<project>_<stage>`."""
    return "_local" if machine == "tibanna" else f"-{machine}"


def _write(kept: Mapping[Place, Mapping[str, Scope]], substitutions: Mapping[str, Any], folder: Path) -> None:
    lines: dict[str, list[str]] = defaultdict(list)
    for place, shapes in kept.items():
        lines[place.machine] += [_line(scope) for _, scope in sorted(shapes.items())[:_MOST_OF_A_PLACE]]
    for machine, own in lines.items():
        (folder / f"{machine}.jsonl").write_text("".join(own), encoding="utf-8")
    text = json.dumps(substitutions, indent=2, sort_keys=True) + "\n"
    (folder / _SUBSTITUTIONS).write_text(text, encoding="utf-8")


def _line(scope: Scope) -> str:
    content = {key: value for key, value in vars(scope).items() if value}
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False) + "\n"


def without_own_paths(text: str) -> str:
    """A recorded line without the folders of the machine on which it was recorded (tracebacks name them)."""
    temporary = re.escape(tempfile.gettempdir())
    return re.sub(rf"{temporary}/(?:[\w.@-]+/)+", "/tmp/", text.replace(str(_ROOT), "/checkout"))  # noqa: S108 - a text


def _reduced(seen: Evaluation, place: Place, parsed: Parsed) -> Scope:
    """No more than the expression reads."""
    scope: dict[str, Any] = {}
    for path in parsed.paths:
        _copy(path.split("."), {"states": seen.states, **seen.variables}, scope)
    states = scope.pop("states", {})
    return Scope(place.machine, place.state, place.field, states, scope)


def _copy(names: Sequence[str], source: Mapping[str, Any], target: dict[str, Any]) -> None:
    """Copy what a path leads to, as far as it leads; from an array on, everything."""
    name, *below = names
    if name not in source:
        return
    if below and isinstance(source[name], dict):
        _copy(below, source[name], target.setdefault(name, {}))
    else:
        target[name] = source[name]


def _known(result: Any) -> Any:  # noqa: ANN401 - any JSON
    """Of a result what tells the ways through an expression apart."""
    return f"={result}" if isinstance(result, str) and len(result) < 20 and result.isalpha() else result


def _shape(value: Any) -> str:  # noqa: ANN401 - any JSON
    """A text that is equal for values of the same structure."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_shape(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return f"[{min(len(value), 2)}:" + ",".join(sorted({_shape(each) for each in value})) + "]"
    if isinstance(value, str):
        return value if value.startswith("=") else "text" if value else "empty"
    if isinstance(value, bool) or value is None:
        return str(value)
    return f"{type(value).__name__}{(value > 0) - (value < 0)}"
