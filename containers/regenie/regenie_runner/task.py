"""Reads a line of the plan, and places its task on this file system."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from regenie_runner.errors import RunnerError, UsageError
from regenie_runner.variant_list import VariantSlice

if TYPE_CHECKING:
    from genolaunch.contract.plan import Task

_PLACEHOLDER = re.compile(r"\{(data|work|output)\}")

SET_LIST = "--set-list"
"""Option of commands that test sets of variants (genes)."""


def task_number(indices: str, array_index: int) -> int:
    """Line of the plan (from 0) of a job of an array that does the tasks `indices`, such as "3,17,20-25".

    Without `indices` the array does the whole plan. Raises UsageError when the array has no such job.
    """
    if not indices:
        return array_index
    left = array_index
    for part in indices.split(","):
        first, _, last = part.partition("-")
        if not first.isdecimal() or not (last or first).isdecimal():
            raise UsageError(f"TASK_INDICES has {part!r}, neither a number nor a range.")
        count = int(last or first) - int(first) + 1
        if left < count:
            return int(first) + left
        left -= count
    raise UsageError(f"TASK_INDICES ({indices}) has no task for array index {array_index}.")


def plan_line(plan: Path, index: int) -> Task:
    """Line `index` (from 0) of a plan, which may have tens of thousands; RunnerError if there is none."""
    try:
        with plan.open(encoding="utf-8") as lines:
            text = next(itertools.islice(lines, index, None), None)
    except FileNotFoundError:
        raise RunnerError(f"The plan {plan} does not exist.") from None
    if text is None:
        raise RunnerError(f"The plan {plan} has no line for array index {index}.")
    try:
        line: Task = json.loads(text)
    except ValueError as error:
        raise RunnerError(f"Line {index + 1} of the plan {plan} is not JSON: {error}.") from None
    if not isinstance(line, dict):
        raise RunnerError(f"Line {index + 1} of the plan {plan} is not a JSON object.")
    return line


def plan_lines(plan: Path) -> list[Task]:
    """All lines of a plan; an absent plan (a phase that this launch does not have) has none."""
    return list(each_plan_line(plan))


def each_plan_line(plan: Path) -> Iterator[Task]:
    """The same, one at a time: a hundred thousand chunks of ten traits are gigabytes as Python's objects."""
    if plan.exists():
        with plan.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)


class CommandTask(NamedTuple):
    """A command, and how to know that it did its work. Strings may hold {data}, {work} and {output}."""

    label: str
    command: list[str]
    output: str | None  # folder below work; None: the command writes in place
    expect: list[str]  # files, relative to {output} or absolute
    predictions: dict[str, str]  # trait -> file of LOCO predictions
    files: dict[str, str]  # name -> text of a small file that the command reads from {output}
    variants: int | None  # step 2: variants of the chunk
    filtered: bool  # step 2: lists choose among the chunk's variants, and may leave none
    counted: bool  # step 2: every variant has one row or is counted as ignored
    job: int | None  # level 0: 1-based number in the master file
    inputs: str | None  # fingerprint of the data and the image
    slice: VariantSlice | None  # step 2: where to count the variants, if the plan does not know their number

    @classmethod
    def from_line(cls, line: Task) -> CommandTask:
        """Raises RunnerError naming the key that a line of the plan lacks."""
        # Without expected outputs there would be no telling whether the command did its work.
        lacking = [key for key in ("label", "command", "expect") if not line.get(key)]
        if lacking:
            raise RunnerError(f"A line of the plan lacks {' and '.join(lacking)}: {line}.")
        return cls(
            label=line["label"],
            command=line["command"],
            output=line.get("output"),
            expect=line["expect"],
            predictions=line.get("predictions") or {},
            files=line.get("files") or {},
            variants=line.get("variants"),
            filtered=bool(line.get("filtered")),
            counted=bool(line.get("counted", True)),
            job=line.get("job"),
            inputs=line.get("inputs"),
            slice=VariantSlice.of(line.get("slice")),
        )

    def placed(self, data: Path, work: Path, output: Path | None) -> CommandTask:
        """The same task with its placeholders expanded and `expect` made absolute paths."""
        places = {"data": str(data), "work": str(work)}
        if output is not None:
            places["output"] = str(output)

        def expand(text: str) -> str:
            return _PLACEHOLDER.sub(lambda match: _place(places, match[1], self.label), text)

        base = output if output is not None else work
        return self._replace(
            command=[expand(argument) for argument in self.command],
            expect=[str(base / expand(name)) for name in self.expect],
            predictions=self.placed_predictions(data, work),
            slice=self.slice._replace(path=expand(self.slice.path)) if self.slice else None,
        )

    def placed_predictions(self, data: Path, work: Path) -> dict[str, str]:
        """Trait -> file of its predictions, which lies below data or work."""
        places = {"data": str(data), "work": str(work)}
        return {
            trait: _PLACEHOLDER.sub(lambda match: _place(places, match[1], self.label), path)
            for trait, path in self.predictions.items()
        }

    @property
    def tests_sets(self) -> bool:
        """Whether sets of variants (genes) are tested."""
        return SET_LIST in self.command

    def argument(self, option: str) -> str | None:
        """What follows an option of the command, or None if the command does not have the option."""
        if option not in self.command[:-1]:
            return None
        return self.command[self.command.index(option) + 1]


def _place(places: dict[str, str], name: str, label: str) -> str:
    if name not in places:
        raise RunnerError(f"The task {label} uses {{{name}}} but has no output folder.")
    return places[name]
