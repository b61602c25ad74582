"""Runs the command of a task, unless its output is complete already."""

from __future__ import annotations

import glob
import shlex
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from regenie_runner import checks, gene_p, receipts
from regenie_runner.console import say
from regenie_runner.errors import CommandKilledError, RunnerError, Stopped
from regenie_runner.masks import count_variants_of_masks, set_mask_lines_aside
from regenie_runner.receipts import RECEIPT, Receipt
from regenie_runner.task import CommandTask, plan_lines
from regenie_runner.variant_list import count_variants
from regenie_runner.workspace import Workspace

if TYPE_CHECKING:
    from genolaunch.contract.plan import Task

SPLIT = "split"
LEVEL0 = "level0"
LEVEL1 = "level1"
STEP2 = "step2"

_THREADS = "--threads"
_SPLIT_L0 = "--split-l0"


def run_task(phase: str, line: Task, workspace: Workspace) -> None:
    """Do one line of a plan; RunnerError says in one sentence why it failed."""
    task = CommandTask.from_line(line)
    _prepare(line, workspace)
    if task.output is None:
        if phase in (SPLIT, LEVEL0) and _level1_is_complete(workspace):
            say("All predictions are complete from an earlier attempt: nothing to do.")
            return
        _run_in_place(phase, task.placed(workspace.data, workspace.work, None))
    else:
        _run_in_fresh_folder(phase, line, workspace.work / task.output, workspace)


def _prepare(line: Task, workspace: Workspace) -> None:
    """Make the inputs of the command that no other job makes. Later jobs and the report read them too, so they are
    checked even if the command's own output is complete."""
    if "qc" in line:
        from regenie_runner.qc import control_quality  # with numpy, which most jobs do not need

        control_quality(line["qc"], workspace, inputs=line.get("inputs"))


def _level1_is_complete(workspace: Workspace) -> bool:
    """Whether everything that split and level 0 are needed for is complete. Their own files are then not needed."""
    lines = plan_lines(workspace.plan(LEVEL1))
    return bool(lines) and all(
        (workspace.work / line["output"]).exists()
        and _is_complete(LEVEL1, line, workspace.work / line["output"], workspace)
        for line in lines
    )


def _check_level0(workspace: Workspace) -> None:
    """Every job of level 0 has finished, and its files have the sizes that it left: regenie cannot tell that.

    Their contents were compared by the jobs of level 0 of this attempt, each of its own: here every job would read all.

    Raises:
        RunnerError: naming the first job whose files are not its own finished work.
    """
    lines = plan_lines(workspace.plan(LEVEL0))
    tasks = [CommandTask.from_line(line).placed(workspace.data, workspace.work, None) for line in lines]
    unfinished = [
        placed.label for placed in tasks if _jobs_if_beyond(placed) is None and not _has_finished_sizes(placed)
    ]
    if unfinished:
        more = f" and {len(unfinished) - 1:,} more" if len(unfinished) > 1 else ""
        raise RunnerError(
            f"The files of {unfinished[0]}{more} are missing or not as that job left them; retry the launch, "
            "which makes them again."
        )


def _run_in_fresh_folder(phase: str, line: Task, target: Path, workspace: Workspace) -> None:
    task = CommandTask.from_line(line)
    identity = _identity(line, workspace)
    if target.exists() and _is_complete(phase, line, target, workspace):
        say(f"{target} is complete from an earlier attempt: nothing to do.")
        return
    with workspace.fresh_folder(target) as folder:
        placed = task.placed(workspace.data, workspace.work, folder)
        checks.check_predictions(placed.predictions, placed.expect)
        _write_inputs(folder, placed)
        if phase == LEVEL1:
            _check_level0(workspace)
        _run_chunk(placed, folder)
        if phase == STEP2:
            set_mask_lines_aside(placed.expect)
            count_variants_of_masks(folder)
            if gene_p.OPTION in placed.command:
                gene_p.complete_gene_p(placed.expect, Path(placed.argument("--mask-def") or ""))
        _check_results(phase, placed, folder)
        receipts.seal_folder(folder, identity)


def _is_complete(phase: str, line: Task, target: Path, workspace: Workspace) -> bool:
    # A launch that is planned anew on other data may give the same number to other variants.
    receipt = Receipt.read(target / RECEIPT)
    if receipt is None or receipt.task != _identity(line, workspace):
        say(f"{target} is there from an earlier attempt, but of another task, and is made again.")
        return False
    if changed := receipt.changed(target):
        say(f"{target} is there from an earlier attempt, but its job left other files, and is made again: {changed}.")
        return False
    try:
        _check_results(phase, CommandTask.from_line(line).placed(workspace.data, workspace.work, target), target)
    except RunnerError as fault:
        say(f"{target} is there from an earlier attempt, but incomplete, and is made again: {fault}")
        return False
    return True


def _identity(line: Task, workspace: Workspace) -> dict[str, Any]:
    """The parts of a plan's line on which its results depend (not the threads, which a retry may change), and
    fingerprints of the predictions that it reads."""
    read = dict(_predictions_read(line, workspace))
    return {**line, "command": _without_threads(line["command"]), **({"predictionsRead": read} if read else {})}


def _predictions_read(line: Task, workspace: Workspace) -> Iterator[tuple[str, str]]:
    """(trait, SHA-256) of the predictions that a job of this launch made, by its receipt.

    Raises:
        RunnerError: they are not what that job left.
    """
    for trait, path in CommandTask.from_line(line).placed_predictions(workspace.data, workspace.work).items():
        file = Path(path)
        receipt = Receipt.read(file.with_name(RECEIPT))
        if receipt is None:
            continue
        if not receipt.has_size(file.name, file):
            raise RunnerError(
                f"The predictions for {trait} ({file}) are not as the job of step 1 left them; retry the launch, "
                "which makes them again."
            )
        yield trait, receipt.sha256(file.name)


def _without_threads(command: Sequence[str]) -> list[str]:
    """regenie's results are identical for any number of threads (measured on 4.1.2 for 1 and 2)."""
    if _THREADS not in command:
        return list(command)
    at = command.index(_THREADS)
    return [*command[:at], *command[at + 2 :]]


def _check_results(phase: str, placed: CommandTask, folder: Path) -> None:
    checks.check_outputs(placed.expect)
    variants = count_variants(placed.slice) if placed.slice else placed.variants
    if phase != STEP2:
        return
    if variants is None or not placed.counted:  # several rows a variant, or masks of sets: but their files are whole
        for path in placed.expect:
            checks.count_rows(Path(path))
        return
    if placed.filtered:
        variants = checks.remaining_variants(folder / checks.CHUNK_LOG, variants)
    checks.check_chunk(folder, placed.expect, variants, _interaction(placed))


def _interaction(placed: CommandTask) -> checks.Interaction | None:
    with_variant = placed.argument("--interaction-snp") is not None
    tested = with_variant or placed.argument("--interaction") is not None
    return checks.Interaction(with_variant=with_variant) if tested else None


def _run_chunk(placed: CommandTask, folder: Path) -> None:
    """Run the command. regenie fails where a range has nothing to test; the results are then empty."""
    try:
        run_command(placed.command)
    except CommandKilledError:
        raise
    except RunnerError:
        log = folder / checks.CHUNK_LOG
        reason = checks.nothing_was_left(log, of_lists=placed.filtered, of_sets=placed.tests_sets)
        if reason is None:
            raise
        say(f"There is nothing to test in this range, so it has no results: {reason}")
        for path in placed.expect:
            Path(path).write_text(checks.EMPTY_RESULTS, encoding="utf-8")


def _write_inputs(folder: Path, placed: CommandTask) -> None:
    if placed.predictions:
        lines = "".join(f"{trait} {path}\n" for trait, path in placed.predictions.items())
        (folder / "pred.list").write_text(lines, encoding="utf-8")
    for name, text in placed.files.items():
        (folder / name).write_text(text, encoding="utf-8")


def _run_in_place(phase: str, placed: CommandTask) -> None:
    """Run a command of the split step 1, whose files cannot be renamed: regenie derives their names from the master.

    A receipt beside the first output tells a finished output from one that a killed attempt left half written.
    """
    jobs = _jobs_if_beyond(placed) if phase == LEVEL0 else None
    if jobs is not None:
        say(f"Step 1 was split into {jobs} jobs, there is no job {placed.job}: nothing to do.")
        return
    receipt = _receipt_of(placed)
    if _is_finished(receipt, placed):
        say(f"{placed.label} is complete from an earlier attempt: nothing to do.")
        return
    receipt.unlink(missing_ok=True)
    for path in (*placed.expect, placed.argument("--out")):
        if path is not None:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
    for path in placed.expect:
        Path(path).unlink(missing_ok=True)  # otherwise an earlier attempt's files would be taken for this one's output
    run_command(placed.command)
    checks.check_outputs(placed.expect)
    receipts.write(receipt, _made_in_place(placed), Path("/"), _outputs_in_place(placed))


def _outputs_in_place(placed: CommandTask) -> set[str]:
    """The expected files, and of the split every job's list of variants, of which the plan does not know the number."""
    lists: set[str] = set()
    if prefix := (placed.argument(_SPLIT_L0) or "").rpartition(",")[0]:
        stem = Path(prefix)
        lists = {str(path) for path in stem.parent.glob(f"{glob.escape(stem.name)}_job*.snplist")}
    return {*placed.expect, *lists}


def _jobs_if_beyond(placed: CommandTask) -> int | None:
    """How many jobs the master file has, if this level 0 job is beyond them; regenie may have made fewer than asked."""
    argument = placed.argument("--run-l0")
    if argument is None or placed.job is None:
        return None
    jobs = checks.jobs_in_master(Path(argument.rpartition(",")[0]))
    return jobs if placed.job > jobs else None


def _receipt_of(placed: CommandTask) -> Path:
    return Path(placed.expect[0] + ".finished")


def _made_in_place(placed: CommandTask) -> dict[str, Any]:
    """The identity of a command with absolute paths. At another path it is another command, because the master file is
    not valid there.

    On AWS each attempt's file system is at the same path of the container, on a cluster it is not.
    """
    return {"command": _without_threads(placed.command), "inputs": placed.inputs}


def _is_finished(path: Path, placed: CommandTask) -> bool:
    receipt = _receipt_in_place(path, placed)
    if receipt is None:
        return False
    if changed := receipt.changed(Path("/")):
        say(f"{placed.label} was done by an earlier attempt, but left other files, and is done again: {changed}.")
        return False
    return True


def _has_finished_sizes(placed: CommandTask) -> bool:
    receipt = _receipt_in_place(_receipt_of(placed), placed)
    return receipt is not None and all(receipt.has_size(name, Path(name)) for name in receipt.files)


def _receipt_in_place(path: Path, placed: CommandTask) -> Receipt | None:
    """If it is of this command, and of all files that are expected of it."""
    receipt = Receipt.read(path)
    if receipt is None or receipt.task != _made_in_place(placed) or not receipt.files.keys() >= set(placed.expect):
        return None
    return receipt


def run_command(command: Sequence[str]) -> None:
    """Run a command with this job's standard output and error; RunnerError if it does not end with 0.

    A request to stop is passed on, and the command is waited for, so that nothing writes after this job has ended;
    then Stopped is raised.
    """
    say(f"$ {shlex.join(command)}")
    with _StopRelay() as relay:
        process = start_process(command)
        relay.attach(process)
        code = process.wait()
    if relay.signal_number is not None:
        raise Stopped(relay.signal_number)
    if code < 0:
        raise CommandKilledError(_killed_by(command[0], -code), -code)
    if code > 0:
        raise RunnerError(f"{command[0]} ended with exit code {code}; its last lines in the log say why.")


def start_process(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a command on this job's standard output and error; RunnerError if there is no such program."""
    try:
        return subprocess.Popen(command)
    except OSError as error:
        raise RunnerError(f"The command {command[0]} cannot be started: {error.strerror}.") from None


class _StopRelay:
    """Hands SIGTERM to the command. It raises nothing meanwhile: an exception out of Popen would lose the process."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self.signal_number: int | None = None

    def __enter__(self) -> _StopRelay:
        self._before = signal.signal(signal.SIGTERM, self._receive)
        return self

    def __exit__(self, *_error: object) -> None:
        signal.signal(signal.SIGTERM, self._before)

    def attach(self, process: subprocess.Popen[bytes]) -> None:
        """Name the process to hand the signal to; one that came earlier is handed on now."""
        self._process = process
        if self.signal_number is not None:
            process.send_signal(self.signal_number)

    def _receive(self, signal_number: int, _frame: FrameType | None) -> None:
        self.signal_number = signal_number
        if self._process is not None:
            self._process.send_signal(signal_number)


def _killed_by(program: str, number: int) -> str:
    name = signal.Signals(number).name
    hint = " (most often: the job ran out of memory)" if number == signal.SIGKILL else ""
    return f"{program} was ended by {name}{hint}."
