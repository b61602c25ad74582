"""Says, of a file that is missing, what comes near it: a name in other case, or a rule whose constraint excludes it.

Used in the engine's process, with Snakemake 7 and 9.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Protocol

from snakemake_launcher.wording import NEAR

_WILDCARD: Final = re.compile(
    r"\{\s*(?P<name>\w+)\s*(?:,\s*(?P<constraint>(?:[^{}]|\{\d+(?:,\d*)?\})*))?\s*\}"  # _wildcard_regex of Snakemake
)
_MOST_LOOKED_FOR: Final = 5
"""Missing files of one message: each asks S3 for each folder of its path."""
_BEHIND_FILE: Final = " (if you use input functions"
"""How MissingRuleException goes on behind the file's name (exceptions.py of Snakemake 7.32.4 and 9.27.1)."""


class Names(Protocol):
    """What there is below the launch's data."""

    def names(self, folder: str, most: int) -> list[str]:
        """What a folder holds itself, at most so many; names of folders end in `/`."""


class NearMisses:
    """Finds what comes near a missing file."""

    def __init__(self, plain: Callable[[Any], str], data: Names) -> None:
        """`plain`: of a path, as Snakemake has it, the one below the data."""
        self._plain = plain
        self._data = data

    def tell(self, missing_input: Any, missing_rule: Any) -> None:  # noqa: ANN401 - Snakemake has no types here
        """Let errors about missing files say it, behind each file: `reads/A.fq (near: ...)`.

        `missing_input`, `missing_rule`: Snakemake's MissingInputException and MissingRuleException. There may be one of
        the latter for each input that no rule makes, and few are shown: it looks when it is.
        """
        of_input: Callable[..., None] = missing_input.__init__
        of_rule: Callable[..., None] = missing_rule.__init__

        def telling_input(error: Any, job: Any, files: Iterable[Any], *args: Any, **more: Any) -> None:  # noqa: ANN401
            ordered = sorted(files, key=str)
            looked_for = [self._with_near(file, job.rule.workflow) for file in ordered[:_MOST_LOOKED_FOR]]
            of_input(error, job, {*looked_for, *ordered[_MOST_LOOKED_FOR:]}, *args, **more)

        def telling_rule(error: Any, file: Any, *args: Any, **more: Any) -> None:  # noqa: ANN401
            of_rule(error, file, *args, **more)
            error.genolaunch = (file, getattr(sys._getframe(1).f_locals.get("self"), "workflow", None))

        def text(error: Any) -> str:  # noqa: ANN401
            said = Exception.__str__(error)
            file, workflow = error.genolaunch
            near = self.near(file, workflow) if workflow else ""
            return said.replace(_BEHIND_FILE, f" ({NEAR}{near}){_BEHIND_FILE}", 1) if near else said

        missing_input.__init__ = telling_input
        missing_rule.__init__ = telling_rule
        missing_rule.__str__ = text

    def _with_near(self, file: Any, workflow: Any) -> Any:  # noqa: ANN401
        near = self.near(file, workflow)
        return f"{self._plain(file)} ({NEAR}{near})" if near else file

    def near(self, file: Any, workflow: Any) -> str:  # noqa: ANN401
        """A sentence without its full stop; empty where nothing is near."""
        path = self._plain(file)
        there = next(self._in_other_case(path, ""), "")
        if there:
            return f"there is {there}, and names are case-sensitive"
        patterns = [(rule, self._plain(output)) for rule in workflow.rules for output in rule.output]
        told = (_near_output(str(rule.name), pattern, path) for rule, pattern in patterns)
        return next(filter(None, told), "")

    def _in_other_case(self, path: str, folder: str) -> Iterator[str]:
        """Files and folders whose path differs from the rest of a path, below a folder, in case only."""
        part, _, rest = path.partition("/")
        for name in self._names(folder, part):
            below = f"{folder}/{name}" if folder else name
            if rest:
                yield from self._in_other_case(rest, below)
            else:
                yield below

    def _names(self, folder: str, like: str) -> list[str]:
        """Of the data and of the sources; this very name first."""
        here = Path(folder or ".")
        sources = [path.name for path in here.iterdir()] if here.is_dir() else []
        names = {*(name.rstrip("/") for name in self._data.names(folder, 1000)), *sources}
        return sorted((name for name in names if name.casefold() == like.casefold()), key=lambda name: name != like)


def _near_output(rule: str, pattern: str, path: str) -> str:
    """Why a rule's output, which may have wildcards, is not this path; empty where they have little in common."""
    shown = _WILDCARD.sub(lambda found: f"{{{found['name']}}}", pattern)
    found = _loose(pattern).fullmatch(path)
    if found is None:
        alike = _loose(pattern, re.IGNORECASE).fullmatch(path)
        return f"the rule {rule} makes {shown}, and names are case-sensitive" if alike else ""
    for wildcard in _WILDCARD.finditer(pattern):
        constraint, value = wildcard["constraint"], found[wildcard["name"]]
        if constraint and not re.fullmatch(constraint, value):
            return (
                f"the rule {rule} makes {shown} only where {{{wildcard['name']}}} is as its constraint says, "
                f"`{constraint}`, and {value} is not: change that constraint if the rule is to make this file"
            )
    return ""


def _loose(pattern: str, flags: int = 0) -> "re.Pattern[str]":
    """What the pattern of an output matches without its constraints (regex_from_filepattern of Snakemake)."""
    parts, at, known = [], 0, set()
    for found in _WILDCARD.finditer(pattern):
        name = found["name"]
        parts += [re.escape(pattern[at : found.start()]), f"(?P={name})" if name in known else f"(?P<{name}>.+)"]
        known.add(name)
        at = found.end()
    return re.compile("".join([*parts, re.escape(pattern[at:])]), flags)
