"""The head node of the stand-in cluster, as EC2 and Systems Manager show it."""

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from localcloud.ec2_query import members
from localcloud.executables import put_executable
from localcloud.interceptor import Interceptor, Own
from localcloud.slurm.programs import PROGRAMS
from localcloud.wire import Answer, Request

CLUSTER: Final = "local"
"""Name of the only cluster."""

SHARED_FOLDER: Final = "/shared/local"
"""The cluster's shared file system: a folder of the state takes its place in the scripts."""

_DOCUMENT: Final = "AWS-RunShellScript"
_ANSWER_SECONDS: Final = 1.0
"""Systems Manager takes about as long. Here waiting is short, and each look at the queue costs the jobs their cores."""
_RUNUSER: Final = 'shift 3\nexec "$@"\n'
"""`runuser -u USER -- PROGRAM …`: here everybody is the same user."""
_LONGEST_OUTPUT: Final = 24_000
"""Characters (AWS Systems Manager API reference, GetCommandInvocation)."""
_HEADERS: Final = {"Content-Type": "application/x-amz-json-1.1"}


@dataclass
class _Command:
    process: subprocess.Popen[str]
    status: str = "InProgress"
    output: str = ""
    errors: str = ""


class SlurmService:
    """Answers what a state machine asks of EC2 and Systems Manager to run a script on a cluster's head node."""

    def __init__(self, *, folder: Path, cluster: str, ec2: Callable[[], Any], environment: Mapping[str, str]) -> None:
        """`folder`: for the shared file system and Slurm's records. `ec2`: a client of this cloud."""
        self.shared = folder / "shared"
        self._slurm = folder / "slurm"
        self._bin = folder / "bin"
        self._cluster = cluster
        self._ec2 = ec2
        self._environment = dict(environment)
        self._commands: dict[str, _Command] = {}
        self._instance = ""
        self._lock = threading.Lock()

    @property
    def interceptors(self) -> tuple[Interceptor, ...]:
        """What is answered here of what ministack is asked for: a search for the node, and Run Command."""
        return (
            Interceptor("ec2", frozenset({"DescribeInstances"}), self._answer_ec2, _is_about_clusters),
            Interceptor("ssm", frozenset({"SendCommand", "GetCommandInvocation"}), self._answer_ssm),
        )

    def _answer_ec2(self, _request: Request, own: Own) -> Answer:
        """ministack's answer, once it has the instance."""
        self._be_there()
        return own()

    def _answer_ssm(self, request: Request, _own: Own) -> Answer:
        """Runs a script, or tells how it went."""
        params = json.loads(request.body)
        if request.headers["x-amz-target"].endswith(".SendCommand"):
            return self._send(params)
        return self._tell(params)

    def run(self, script: str) -> subprocess.Popen[str]:
        """Starts a script as the agent of Systems Manager does."""
        self._install()
        text = script.replace(SHARED_FOLDER, str(self.shared))
        return subprocess.Popen(
            ["/bin/sh", "-c", text],
            env=self._environment_of_scripts(),
            cwd=self.shared,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def close(self) -> None:
        """Ends every job."""
        for record in self._slurm.glob("*/pid"):
            try:
                os.killpg(int(record.read_text()), signal.SIGKILL)
            except (ProcessLookupError, PermissionError, ValueError):
                continue

    def _be_there(self) -> None:
        with self._lock:
            if self._instance:
                return
            tags = {
                "Name": "HeadNode",
                "parallelcluster:cluster-name": self._cluster,
                "parallelcluster:node-type": "HeadNode",
            }
            specification = {
                "ResourceType": "instance",
                "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            }
            launched = self._ec2().run_instances(
                ImageId="ami-00000000000000000", MinCount=1, MaxCount=1, TagSpecifications=[specification]
            )
            self._instance = launched["Instances"][0]["InstanceId"]

    def _send(self, params: Mapping[str, Any]) -> Answer:
        if params.get("InstanceIds") != [self._instance]:
            return _refusal("InvalidInstanceId", "Instances not in a valid state for account")
        if params.get("DocumentName") != _DOCUMENT:
            return _refusal("InvalidDocument", "Document with that name does not exist.")
        id_ = str(uuid4())
        command = _Command(self.run("\n".join(params["Parameters"]["commands"])))
        self._commands[id_] = command
        threading.Thread(target=_follow, args=(command,), daemon=True).start()
        return _json({"Command": {"CommandId": id_, "InstanceIds": [self._instance], "Status": "Pending"}})

    def _tell(self, params: Mapping[str, Any]) -> Answer:
        command = self._commands.get(params.get("CommandId", ""))
        if command is None or params.get("InstanceId") != self._instance:
            return _refusal("InvocationDoesNotExist", "Invocation not found")
        return _json(
            {
                "CommandId": params["CommandId"],
                "InstanceId": self._instance,
                "Status": command.status,
                "StatusDetails": command.status,
                "StandardOutputContent": command.output[:_LONGEST_OUTPUT],
                "StandardErrorContent": command.errors[:_LONGEST_OUTPUT],
            }
        )

    def _environment_of_scripts(self) -> dict[str, str]:
        return {
            **self._environment,
            "PATH": f"{self._bin}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.shared),
            "LOCALCLOUD_SLURM": str(self._slurm),
        }

    def _install(self) -> None:
        with self._lock:
            if not self._bin.exists():
                self._write_programs()

    def _write_programs(self) -> None:
        for folder in (self.shared, self._slurm, self._bin):
            folder.mkdir(parents=True, exist_ok=True)
        self._write("runuser", _RUNUSER)
        checkout = shlex.quote(str(Path(__file__).parents[2]))
        for name in PROGRAMS:
            run = f'exec {shlex.quote(sys.executable)} -m localcloud.slurm {name} "$@"'
            self._write(name, f"export LOCALCLOUD_PYTHONPATH=$PYTHONPATH PYTHONPATH={checkout}\n{run}\n")

    def _write(self, name: str, script: str) -> None:
        put_executable(self._bin / name, f"#!/bin/sh\n{script}")


def _is_about_clusters(request: Request) -> bool:
    return any(value.startswith("tag:parallelcluster:") for value in members(request).values())


def _follow(command: _Command) -> None:
    command.output, command.errors = command.process.communicate()
    time.sleep(_ANSWER_SECONDS)
    command.status = "Success" if command.process.returncode == 0 else "Failed"


def _json(body: Mapping[str, Any]) -> Answer:
    return 200, dict(_HEADERS), json.dumps(body).encode()


def _refusal(code: str, message: str) -> Answer:
    return 400, dict(_HEADERS), json.dumps({"__type": code, "message": message}).encode()
