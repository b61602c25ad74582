"""Scripts for a Slurm cluster's head node, one for each kind of request.

Each script can be sent repeatedly. It submits jobs that were not submitted yet, and reports progress in one line, `left
<tasks> failed <tasks>`. When nothing is left and tasks failed, further lines describe the failures (slurm_failures.py).
A task has ended when its job has written its last file (`jobs/<job>/<index>.exit`), because Slurm forgets jobs after
MinJobAge (300 s), and not every cluster has Slurm's accounting. A task that ended without this file was ended by Slurm;
the scripts keep the state that squeue reports as soon as they see it.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from genolaunch.contract.project import PROJECT, run_name
from genolaunch.contract.workflow import END_PHASE
from lambdas.regenie.resubmission import SubmittedJob
from lambdas.shared.slurm_cluster import SlurmCluster

_PROGRAMS: Final = Path(__file__).with_name("slurm")
"""Folder of the scripts' fixed parts: POSIX sh, since Systems Manager runs /bin/sh."""


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt of a launch on the cluster."""

    launch_id: str
    attempt: int
    stage: str
    image: str
    data_uri: str
    results_uri: str
    export_paths: tuple[str, ...]

    @classmethod
    def of(cls, request: Mapping[str, Any], stage: str) -> "Run":
        """From the state machine's input."""
        return cls(
            request["launchId"],
            int(request["attempt"]),
            stage,
            request.get("image", ""),
            request.get("dataUri", ""),
            request["resultsUri"],
            tuple(request.get("exportPaths", ())),
        )

    @property
    def name(self) -> str:
        """Start of the names of all of its jobs."""
        return run_name(self.launch_id, self.attempt)


def jobs_script(
    run: Run, cluster: SlurmCluster, phase: str, jobs: Sequence[SubmittedJob], vcpus: str, hours: int
) -> str:
    """Submit the arrays, once, and report their progress."""
    minutes = str(hours * 60)
    calls = [
        _words("submit", job.name, str(job.size), job.queue, vcpus, job.memory, minutes, phase, job.tasks)
        for job in jobs
    ]
    names = _words("tell", *(f"{job.name}:{job.size}" for job in jobs))
    return _as_user(cluster, "\n".join([_variables(run, cluster), _program("jobs.sh"), *calls, names]))


def end_script(run: Run, cluster: SlurmCluster, *, keep_work: bool) -> str:
    """Cancel the run's jobs, copy what a retry can use to S3, and remove the run's folder."""
    call = _words("end", "keep" if keep_work else "drop")
    return _as_user(cluster, "\n".join([_variables(run, cluster), _program("end.sh"), call]))


def script(
    request: Mapping[str, Any], cluster: SlurmCluster, stage: str, jobs: Sequence[SubmittedJob], hours: int
) -> str:
    """The script for a request of the state machine **slurm**."""
    run = Run.of(request, stage)
    if request["phase"] == END_PHASE:
        return end_script(run, cluster, keep_work=bool(request["keepWork"]))
    return jobs_script(run, cluster, request["phase"], jobs, request["resources"]["vcpus"], hours)


def _variables(run: Run, cluster: SlurmCluster) -> str:
    base = f"{cluster.shared_folder}/{PROJECT}-{run.stage}"
    earlier = [f"{base}/{run_name(run.launch_id, attempt)}" for attempt in range(1, run.attempt)]
    values = {
        "RUN": run.name,
        "LAUNCH_ID": run.launch_id,
        "BASE": base,
        "FOLDER": f"{base}/{run.name}",
        "EARLIER": " ".join(earlier),  # letters, digits, dots, hyphens and underscores: no blanks
        "CONTAINER": cluster.container,
        "IMAGE": run.image,
        "DATA": run.data_uri,
        "RESULTS": run.results_uri,
        "EXPORTS": " ".join(path.removeprefix("work/") for path in run.export_paths),
    }
    # Exported: Slurm hands a job the environment of its submission.
    return "\n".join(["set -eua", *(f"{name}={shlex.quote(value)}" for name, value in values.items()), "set +a"])


def _as_user(cluster: SlurmCluster, text: str) -> str:
    """Run a script as the cluster's user, because Systems Manager runs commands as root. runuser also sets HOME:
    Apptainer cannot pull images with root's HOME."""
    return _words("exec", "runuser", "-u", cluster.user, "--", "/bin/sh", "-c", text)


def _words(*words: str) -> str:
    return " ".join(shlex.quote(word) for word in words)


def _program(name: str) -> str:
    return (_PROGRAMS / name).read_text(encoding="utf-8")
