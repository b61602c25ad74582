"""The programs of a cluster's nodes: Slurm's commands, and what jobs call besides."""

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from localcloud.images import ImageCatalog, known
from localcloud.slurm import queue
from localcloud.slurm.copying import aws

_IMAGE_SCHEME: Final = "docker://"
_PASSED: Final = "APPTAINERENV_"


def sbatch(arguments: Sequence[str]) -> int:
    """Submits an array; prints its id."""
    options, rest = _options(arguments)
    first, _, last = options["array"].partition("-")
    submission = queue.Submission(
        name=options["job-name"],
        partition=options["partition"],
        memory=options["mem"],
        cpus=options["cpus-per-task"],
        size=int(last or first) - int(first) + 1,
        folder=options["chdir"],
        log=options["output"],
        command=["/bin/sh", *rest],
    )
    print(queue.submit(submission, os.environ))  # noqa: T201 - the program's output
    return 0


def squeue(arguments: Sequence[str]) -> int:
    """Lists tasks: `--name`, `--states`, and a format of %F, %j, %K, %T and %r, or `--Format` of the exit code."""
    options, _ = _options(arguments)
    form = "%K %x" if "Format" in options else options["format"]
    seen = set()
    for job in queue.jobs():
        if options.get("name") not in (None, job.name):
            continue
        for index, state in job.states().items():
            if not _is_asked_for(state.word, options.get("states")):
                continue
            line = form
            values = (("%F", job.id), ("%j", job.name), ("%K", str(index)), ("%T", state.word))
            for letter, value in (*values, ("%r", state.reason), ("%x", str(state.signal))):
                line = line.replace(letter, value)
            seen.add(line)
    for line in sorted(seen):
        print(line)  # noqa: T201 - the program's output
    return 0


def _is_asked_for(state: str, states: str | None) -> bool:
    return states == "all" or (state in states.split(",") if states else state not in queue.OVER)


def scancel(arguments: Sequence[str]) -> int:
    """Ends jobs by their ids; with `--state=PENDING` only what of them does not run."""
    options, ids = _options(arguments)
    for job in queue.jobs():
        if job.id in ids:
            job.cancel(only=options.get("state"))
    return 0


def apptainer(arguments: Sequence[str]) -> int:
    """`pull` writes an image's name into the file; `exec` runs a program with what this machine has of the image."""
    if arguments[0] == "pull":
        file, image = arguments[-2:]
        Path(file).write_text(image.removeprefix(_IMAGE_SCHEME))
        return 0
    file = next(word for word in arguments if word.endswith(".sif"))
    command = list(arguments[list(arguments).index(file) + 1 :])
    given = {name.removeprefix(_PASSED): value for name, value in os.environ.items() if name.startswith(_PASSED)}
    catalog = ImageCatalog(known(), Path(os.environ["LOCALCLOUD_SLURM"]))
    environment = {
        "HOME": os.environ["HOME"],
        "LANG": "C.UTF-8",
        **catalog.environment(Path(file).read_text()),
        **given,
    }
    return subprocess.run(command, env=environment, check=False).returncode


def run_tasks(arguments: Sequence[str]) -> int:
    """Not a program of a cluster: the process that `sbatch` leaves behind for an array."""
    queue.run(arguments[0])
    return 0


def _options(arguments: Sequence[str]) -> tuple[Mapping[str, str], Sequence[str]]:
    """`--name=value` and `--flag` up to the first other word, and the rest."""
    options: dict[str, str] = {}
    for number, word in enumerate(arguments):
        if not word.startswith("--"):
            return options, arguments[number:]
        name, _, value = word[2:].partition("=")
        options[name] = value
    return options, ()


PROGRAMS: Final[Mapping[str, Callable[[Sequence[str]], int]]] = {
    "apptainer": apptainer,
    "aws": aws,
    "run-tasks": run_tasks,
    "sbatch": sbatch,
    "scancel": scancel,
    "squeue": squeue,
}
