"""Instances that are processes of this machine: each runs one of Tibanna's jobs, and ends with it."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from localcloud import container_roles
from localcloud.batch.events import Listener, Notifier
from localcloud.ec2.user_data import Job
from localcloud.instances import instance_event

RECLAIMED: Final = 75
"""Exit code of an instance's process when EC2 is to take the instance back."""

_TAKEN_BACK: Final = ("Server.SpotInstanceTermination", "Spot instance termination")
_SHUT_DOWN: Final = ("Client.InstanceInitiatedShutdown", "Instance initiated shutdown")
_BY_USER: Final = ("Client.UserInitiatedShutdown", "User initiated")
"""Codes and messages of an instance's StateReason (Amazon EC2 API reference, StateReason)."""

_AT_ONCE: Final = 2 * (os.cpu_count() or 1)
"""Most instances that run their jobs at the same time, since they share this machine's cores. Others boot longer."""


@dataclass(frozen=True)
class Machine:
    """What the process of an instance needs to know about it."""

    id: str
    instance_type: str
    zone: str
    is_spot: bool
    job: Job
    is_reclaimed: bool
    """Whether EC2 takes the instance back while its job runs."""
    role: str | None
    """ARN of its profile's role."""


class Machines:
    """Runs instances. Thread-safe."""

    def __init__(
        self,
        *,
        ec2: Any,  # noqa: ANN401 - a boto3 client of this cloud
        folder: Path,
        cloud_environment: Mapping[str, str],
    ) -> None:
        """Keep what every instance needs.

        Args:
            ec2: a client of this cloud.
            folder: where the instances' disks are.
            cloud_environment: environment variables with which instances reach this cloud.
        """
        self._ec2 = ec2
        self._folder = folder
        self._environment = dict(cloud_environment)
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(_AT_ONCE)
        self._machines: dict[str, Machine] = {}
        self._reasons: dict[str, tuple[str, str]] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._gone: set[str] = set()
        self._listeners: list[Listener] = []
        self._notifier = Notifier()
        self._closed = False

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` with each change of an instance's state, in order, on a thread of its own."""
        self._listeners.append(listener)

    def start(self, machine: Machine) -> None:
        """Boot an instance."""
        with self._lock:
            self._machines[machine.id] = machine
        self._tell(machine.id, "running")
        threading.Thread(target=self._run, args=(machine,), name=machine.id, daemon=True).start()

    def end(self, instance_id: str) -> None:
        """Stop everything that an instance runs, after EC2 has ended it. Unknown instances are ignored."""
        with self._lock:
            is_news = instance_id in self._machines and instance_id not in self._gone
            if is_news:
                self._reasons.setdefault(instance_id, _BY_USER)
                self._gone.add(instance_id)
            process = self._processes.get(instance_id)
        if is_news:
            self._tell(instance_id, "shutting-down")
            self._tell(instance_id, "terminated")
        if process is not None:
            _kill(process)

    def market(self, instance_id: str) -> str | None:
        """Return `spot` for a Spot instance and None for others, as DescribeInstances does."""
        machine = self._machines.get(instance_id)
        return "spot" if machine and machine.is_spot else None

    def state_reason(self, instance_id: str) -> tuple[str, str] | None:
        """Return the code and message of the reason why an instance ended; None while it has not ended."""
        return self._reasons.get(instance_id)

    def close(self) -> None:
        """End all instances. No instance starts after this."""
        with self._lock:
            self._closed = True
            processes = list(self._processes.values())
        for process in processes:
            _kill(process)
        self._notifier.close()

    def _tell(self, instance_id: str, state: str) -> None:
        for listener in self._listeners:
            self._notifier.post(listener, instance_event.state_change(instance_id, state))

    def _run(self, machine: Machine) -> None:
        with self._slots:
            process = self._boot(machine)
            code = process.wait() if process else 0
        with self._lock:
            self._processes.pop(machine.id, None)
            closed = self._closed
            self._reasons.setdefault(machine.id, _TAKEN_BACK if code == RECLAIMED else _SHUT_DOWN)
        shutil.rmtree(self._folder / machine.id, ignore_errors=True)
        if not closed:
            # InstanceInitiatedShutdownBehavior is `terminate`. An instance that is gone already stays gone.
            with contextlib.suppress(ClientError):
                self._ec2.terminate_instances(InstanceIds=[machine.id])

    def _boot(self, machine: Machine) -> "subprocess.Popen[bytes] | None":
        disk = self._folder / machine.id
        disk.mkdir(parents=True)
        keys = container_roles.environment_of(machine.role, None, "")
        with self._lock:
            if self._closed or machine.id in self._reasons:
                return None  # ended before it could boot
            process = subprocess.Popen(
                [sys.executable, "-m", "localcloud.ec2.awsem", *_arguments(machine, disk)],
                env={"HOME": str(disk), "LANG": "C.UTF-8", "PATH": os.defpath, **self._environment, **keys},
                cwd=Path(__file__).parents[2],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # a group of its own, by which everything that it starts is found
            )
            self._processes[machine.id] = process
        return process


def _arguments(machine: Machine, disk: Path) -> list[str]:
    values = {
        "--job-id": machine.job.id,
        "--log-bucket": machine.job.log_bucket,
        "--disk": str(disk),
        "--instance-id": machine.id,
        "--instance-type": machine.instance_type,
        "--zone": machine.zone,
    }
    flags = ["--reclaimed"] if machine.is_reclaimed else []
    return [part for pair in values.items() for part in pair] + flags


def _kill(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for a group of zombies
        os.killpg(process.pid, signal.SIGKILL)
