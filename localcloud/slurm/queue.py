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

OVER: Final = frozenset({"CANCELLED", "COMPLETED", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "TIMEOUT"})
_NODES: Final = 2
"""Tasks of an array that run at a time."""
_INJECTIONS: Final = "injections.json"
"""In Slurm's folder: {"<job>:<index>": [state, …]}: what becomes of the task's attempts before one runs. A NODE_FAIL is
run again, as Slurm does with --requeue."""


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

    def states(self) -> dict[int, str]:
        """Index -> state."""
        return {index: self._state(index) for index in range(self.submission.size)}

    def set_state(self, index: int, state: str) -> None:
        """Note a task's state."""
        new = self.folder / f"{index}.new"
        new.write_text(state)
        new.replace(self.folder / f"{index}.state")

    def cancel(self) -> None:
        """End it, with what runs of it."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            os.killpg(int((self.folder / "pid").read_text()), signal.SIGKILL)
        for index, state in self.states().items():
            if state not in OVER:
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
        list(nodes.map(lambda index: job.set_state(index, _run_task(job, index)), range(job.submission.size)))


def _run_task(job: Job, index: int) -> str:
    restarts = 0
    for state in _injected(job, index):
        if state != "NODE_FAIL":
            return state
        restarts += 1
    job.set_state(index, "RUNNING")
    submission = job.submission
    environment = {
        **os.environ,
        "PYTHONPATH": os.environ.get("LOCALCLOUD_PYTHONPATH", ""),
        "SLURM_JOB_NAME": submission.name,
        "SLURM_ARRAY_TASK_ID": str(index),
        "SLURM_CPUS_PER_TASK": submission.cpus,
        "SLURM_RESTART_COUNT": str(restarts),
    }
    log = Path(submission.log.replace("%x", submission.name).replace("%a", str(index)))
    with log.open("ab") as output:
        done = subprocess.run(
            submission.command, env=environment, cwd=submission.folder, stdout=output, stderr=output, check=False
        )
    return "COMPLETED" if done.returncode == 0 else "FAILED"


def _injected(job: Job, index: int) -> list[str]:
    file = root() / _INJECTIONS
    if not file.exists():
        return []
    found: list[str] = json.loads(file.read_text()).get(f"{job.name}:{index}", [])
    return found
