"""Slurm's queue as files: a folder for each array, with a process that runs its tasks."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from localcloud.executables import put_executable

OVER: Final = frozenset({"CANCELLED", "COMPLETED", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "TIMEOUT"})
_NODE_FAIL: Final = "NODE_FAIL"
_BOOT_FAIL: Final = "BOOT_FAIL"
_NODES: Final = 2
"""Tasks of an array that run at a time."""
_INJECTIONS: Final = "injections.json"
"""In Slurm's folder: {"<job>:<index>": [state, …]}: what becomes of the task's attempts before one runs. A NODE_FAIL is
run again, as Slurm does with --requeue, and so is a BOOT_FAIL, which never ran. A state may have a reason and a signal:
`PENDING:BadConstraints`, `FAILED:JobLaunchFailure:9`. What is PENDING stays so."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What `sbatch` was asked for."""

    name: str
    partition: str
    memory: str
    cpus: str
    size: int
    folder: str
    log: str
    command: list[str]


@dataclass(frozen=True, slots=True)
class State:
    """What squeue says of a task."""

    word: str
    reason: str
    signal: int

    @classmethod
    def of(cls, text: str) -> "State":
        """From `<word>[:<reason>[:<signal>]]`."""
        word, reason, signal = f"{text}::".split(":")[:3]
        return cls(word, reason or "None", int(signal or 0))


@dataclass(frozen=True, slots=True)
class Job:
    """An array in the queue."""

    id: str
    folder: Path

    @property
    def submission(self) -> Submission:
        """As it was submitted."""
        return Submission(**json.loads((self.folder / "submission.json").read_text()))

    @property
    def name(self) -> str:
        """Its name."""
        return self.submission.name

    def states(self) -> dict[int, State]:
        """Index -> state."""
        return {index: State.of(self._state(index)) for index in range(self.submission.size)}

    def set_state(self, index: int, state: str) -> None:
        """Note a task's state."""
        new = self.folder / f"{index}.new"
        new.write_text(state)
        new.replace(self.folder / f"{index}.state")

    def cancel(self, *, only: str | None = None) -> None:
        """End it, with what runs of it, or the tasks of one state."""
        if only:
            for index, state in self.states().items():
                if state.word == only:
                    self.set_state(index, "CANCELLED")
            return
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            os.killpg(int((self.folder / "pid").read_text()), signal.SIGKILL)
        for index, state in self.states().items():
            if state.word not in OVER:
                self.set_state(index, "CANCELLED")

    def _state(self, index: int) -> str:
        file = self.folder / f"{index}.state"
        return file.read_text() if file.exists() else "PENDING"


def root() -> Path:
    """Slurm's folder."""
    return Path(os.environ["LOCALCLOUD_SLURM"])


def jobs() -> Iterator[Job]:
    """All arrays, in the order of their submission."""
    folders = [path.parent for path in root().glob("*/submission.json")]
    for folder in sorted(folders, key=lambda path: int(path.name)):
        yield Job(folder.name, folder)


def submit(submission: Submission, environment: Mapping[str, str]) -> str:
    """Start an array; its id."""
    folder = _new_folder()
    id_ = folder.name
    process = subprocess.Popen(
        [sys.executable, "-m", "localcloud.slurm", "run-tasks", id_],
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    # Whoever sees the job finds all of it, and can cancel it: only then do its tasks begin.
    (folder / "pid").write_text(str(process.pid))
    new = folder / "submission.new"
    new.write_text(json.dumps(asdict(submission)))
    new.replace(folder / "submission.json")
    assert process.stdin is not None
    process.stdin.close()
    return id_


def _new_folder() -> Path:
    """The next id's; another submission may be as quick."""
    id_ = 1
    while True:
        folder = root() / str(id_)
        try:
            folder.mkdir()
        except FileExistsError:
            id_ += 1
        else:
            return folder


def run(id_: str) -> None:
    """Do an array's tasks, once `submit` has closed this process's standard input."""
    sys.stdin.read()
    job = Job(id_, root() / id_)
    with ThreadPoolExecutor(_NODES) as nodes:
        list(nodes.map(lambda index: _let_run(job, index), range(job.submission.size)))


def _let_run(job: Job, index: int) -> None:
    if job.states()[index].word != "CANCELLED":
        job.set_state(index, _run_task(job, index))


def _run_task(job: Job, index: int) -> str:
    restarts = 0
    for state in _injected(job, index):
        if state == _NODE_FAIL:
            _execute(job, index, restarts, is_lost=True)
            restarts += 1
        elif state == _BOOT_FAIL:
            restarts += 1
        else:
            return state
    job.set_state(index, "RUNNING")
    return "COMPLETED" if _execute(job, index, restarts) == 0 else "FAILED"


def _execute(job: Job, index: int, restarts: int, *, is_lost: bool = False) -> int:
    """The exit code. Who loses its node does so at its very end, when it is about to write how it ended."""
    submission = job.submission
    environment = {
        **os.environ,
        "PYTHONPATH": os.environ.get("LOCALCLOUD_PYTHONPATH", ""),
        "SLURM_JOB_NAME": submission.name,
        "SLURM_ARRAY_TASK_ID": str(index),
        "SLURM_CPUS_PER_TASK": submission.cpus,
        "SLURM_RESTART_COUNT": str(restarts),
    }
    if is_lost:
        environment["PATH"] = f"{_programs_of_a_lost_node()}:{environment['PATH']}"
    log = Path(submission.log.replace("%x", submission.name).replace("%a", str(index)))
    with log.open("ab") as output:
        return subprocess.run(
            submission.command,
            env=environment,
            cwd=submission.folder,
            stdout=output,
            stderr=output,
            check=False,
            process_group=0 if is_lost else None,
        ).returncode


def _programs_of_a_lost_node() -> Path:
    """A folder with an `mv` that ends all processes of its job: by it a receipt would get its name."""
    folder = root() / "lost-node"
    folder.mkdir(exist_ok=True)
    put_executable(folder / "mv", "#!/bin/sh\nkill -9 0\n")
    return folder


def _injected(job: Job, index: int) -> list[str]:
    file = root() / _INJECTIONS
    if not file.exists():
        return []
    found: list[str] = json.loads(file.read_text()).get(f"{job.name}:{index}", [])
    return found
