"""Counts the people that step 2 analysed of a trait, when step 1's quality control left people out.

Step 2 leaves out whoever has no predictions. Its log counts them, but gives a trait's cases and controls before that.
"""

from __future__ import annotations

import math
from pathlib import Path

from regenie_runner.errors import RunnerError
from regenie_runner.launch_facts import LaunchFacts, TraitFacts
from regenie_runner.workspace import Workspace

QC_SAMPLES = "step1/qc/samples.txt"
_MISSING = b"NA"
_MISSING_NUMBER = -999.0
"""To regenie, a value that is missing, too (4.1.2's sources: Regenie.hpp, missing_value_double)."""
_STRICT = "--strict"


def after_quality_control(trait: str, workspace: Workspace) -> TraitFacts | None:
    """Counts of the people whom quality control left, by the phenotype file; None for a launch without it.

    They were analysed before it already: they have all covariates, and a value of some trait.
    """
    launch, kept = LaunchFacts.read(workspace), workspace.work / QC_SAMPLES
    if not launch.controls_quality or not kept.is_file():
        return None
    parameters = launch.parameters
    strict = any(_STRICT in parameters.get(step, {}).get("extra", ()) for step in ("step1", "step2"))
    people = {b" ".join(line.split()[:2]) for line in kept.read_bytes().splitlines()}
    needed = [trait, *(parameters["traits"] if strict else ())]
    values, missing = _values(workspace.data / parameters["phenotypes"], needed, people)
    if launch.is_binary:
        return TraitFacts(len(values), missing, values.count(1.0), values.count(0.0), None, None)
    mean = math.fsum(values) / len(values) if values else None
    return TraitFacts(len(values), missing, None, None, mean, _deviation(values))


def _values(path: Path, needed: list[str], people: set[bytes]) -> tuple[list[float], int]:
    """The values of the first column that is needed, of these people who have all of them; how many have not."""
    values, missing = [], 0
    with path.open("rb") as lines:
        header = _fields(next(lines, b""))
        try:
            columns = [header.index(name.encode()) for name in needed]
        except ValueError:
            raise RunnerError(f"{path} has not all of the columns {', '.join(needed)}: retry the launch.") from None
        for line in lines:
            fields = _fields(line)
            if b" ".join(fields[:2]) not in people:
                continue
            if any(_is_missing(fields[column]) for column in columns):
                missing += 1
            else:
                values.append(float(fields[columns[0]]))
    return values, missing


def _is_missing(word: bytes) -> bool:
    return word == _MISSING or (word.startswith(b"-9") and float(word) == _MISSING_NUMBER)


def _fields(line: bytes) -> list[bytes]:
    return line.rstrip(b"\n").replace(b"\t", b" ").split(b" ")


def _deviation(values: list[float]) -> float | None:
    if len(values) < 2:
        return None
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
