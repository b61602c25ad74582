"""`python3 -m regenie_runner <phase>`: find this job's task on the launch's file system, and do it."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import TYPE_CHECKING, cast

from regenie_runner.command import run_task
from regenie_runner.console import complain, say
from regenie_runner.errors import RunnerError, Stopped, UsageError
from regenie_runner.inputs import check_inputs
from regenie_runner.task import plan_line, task_number
from regenie_runner.workspace import Workspace

if TYPE_CHECKING:
    from genolaunch.contract.plan import PreloadTask, Task

PRELOAD = "preload"
COMMAND_PHASES = ("split", "level0", "level1", "step1", "step2")
PHASES = (PRELOAD, *COMMAND_PHASES, "merge", "report")


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0 done, 1 failed, 2 started wrongly, 3 no file system, 4 other inputs, 128 + n by signal n."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        _run(arguments, os.environ)
    except (RunnerError, Stopped) as error:
        complain(str(error))
        return error.exit_code
    return 0


def _stop(signal_number: int, _frame: FrameType | None) -> None:
    raise Stopped(signal_number)


def _run(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    phase = _phase(arguments)
    index = task_number(environment.get("TASK_INDICES", ""), _array_index(environment))
    workspace = Workspace.from_environment(environment)
    workspace.check_mounted()
    line = plan_line(workspace.plan(phase), index)
    say(f"{phase} {index}: {line.get('label', '')}")
    if phase != PRELOAD:  # which loads them first
        check_inputs(workspace)
    _do(phase, line, workspace)


def _phase(arguments: Sequence[str]) -> str:
    if len(arguments) != 1 or arguments[0] not in PHASES:
        raise UsageError(f"Usage: python3 -m regenie_runner {'|'.join(PHASES)}")
    return arguments[0]


def _array_index(environment: Mapping[str, str]) -> int:
    text = environment.get("AWS_BATCH_JOB_ARRAY_INDEX", "0")
    if not text.isdecimal():
        raise UsageError(f"AWS_BATCH_JOB_ARRAY_INDEX is {text!r}, not a number.")
    return int(text)


def _do(phase: str, line: Task, workspace: Workspace) -> None:
    # Imported here: numpy, jinja2 and matplotlib would cost every array job their start-up time.
    if phase == PRELOAD:
        from regenie_runner.preload import preload

        preload(cast("PreloadTask", line)["files"], workspace.data)
    elif phase == "merge":
        from regenie_runner.merge import merge_trait

        merge_trait(line, workspace)
    elif phase == "report":
        from regenie_runner.report import write_report

        write_report(line, workspace)
    else:
        run_task(phase, line, workspace)
