"""Workflows played by the real launcher and the real Snakemake of an engine, on S3 of the embedded cloud's kind.

Tibanna's state machine and AWS Batch are stand-ins (stand_ins/sitecustomize.py) that run each job as a process.
"""

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest

from genolaunch.local_stage import images
from snakemake_launcher.child import Child
from snakemake_launcher.engines import make_engine
from snakemake_launcher.records import Records
from snakemake_launcher.run import Outcome, Run
from snakemake_launcher.run_sheet import RunSheet
from snakemake_launcher.storage import Storage

CHECKOUT = Path(__file__).parents[2]
CASES = CHECKOUT / "tests" / "data" / "cases" / "snakemake"
STAND_INS = Path(__file__).parent / "stand_ins"
REGION = "us-east-1"
ENGINES = ("tibanna", "aws-batch")
MOSTLY_TIBANNA = ("tibanna", pytest.param("aws-batch", marks=pytest.mark.full))
"""For what is the same on both: the second takes half a minute each, and comes with `make test-full`."""
MACHINE = f"arn:aws:states:{REGION}:000000000000:stateMachine:tibanna_unicorn_genolaunch_dev"


@dataclass
class Played:
    """What became of a workflow."""

    outcome: Outcome
    files: dict[str, str]
    """Below the data prefix, by path."""
    log: str
    """Snakemake's, in the launcher."""
    failures: list[tuple[str, str, str]]
    """Name of the rule, status and reason of each failed submission."""
    inputs: list[dict[str, Any]] = field(default_factory=list)
    """What each job was submitted with."""
    listed: list[dict[str, Any]] = field(default_factory=list)
    """The launch's list of jobs."""
    made: list[str] = field(default_factory=list)
    """The launch's list of files that its jobs wrote."""

    def expect_done(self) -> "Played":
        """It, if the workflow is done."""
        assert self.outcome.type is None, f"{self.outcome}\n{self.log}"
        return self


class KeptRecords(Records):
    """Keeps what would be told to the platform."""

    def __init__(self) -> None:
        self.failures: list[tuple[str, str, str]] = []

    def progress(self, jobs: Any) -> None:
        """Nobody looks."""

    def failed(self, job: Any, failure: Any) -> None:
        """Keep it."""
        self.failures.append((job.rule, str(job.status), failure.reason))


class Stage:
    """Buckets on a server, and the launcher."""

    def __init__(self, endpoint: str, folder: Path) -> None:
        self._endpoint = endpoint
        self._folder = folder
        self.environment = {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "SNAKEMAKE9_PYTHON": str(images.snakemake9() / "bin" / "python"),
            "CI": "true",  # Snakemake 7 asks for Tibanna's jobs each second
        }

    def play(
        self,
        engine: str,
        workflow: Path,
        data: Path | Mapping[str, str] | None = None,
        *,
        name: str | None = None,
        prefix: str | None = None,
        older: Mapping[str, str] | None = None,
        monkeypatch: pytest.MonkeyPatch,
        **sheet: Any,
    ) -> Played:
        """Run the workflow in that folder over the data (`older` of it is older than the rest), to its end."""
        for key, value in self.environment.items():
            monkeypatch.setenv(key, value)
        name = name or f"w{uuid.uuid4().hex[:8]}"
        folder = self._folder / f"{name}-{uuid.uuid4().hex[:4]}"
        jobs = folder / "jobs"
        jobs.mkdir(parents=True)
        _stand_in(monkeypatch, jobs)
        s3 = boto3.client("s3")
        for bucket in ("data", "results", "logs", *(() if prefix is None else (prefix.split("/")[0],))):
            s3.create_bucket(Bucket=bucket)
        remote = prefix or f"data/{name}"
        bucket, _, below = remote.partition("/")
        below = f"{below}/" if below else ""
        for path, text in (older or {}).items():
            s3.put_object(Bucket=bucket, Key=f"{below}{path}", Body=text.encode())
        if older:
            time.sleep(1.1)  # S3 tells the second
        for path, text in texts_of(data).items():
            s3.put_object(Bucket=bucket, Key=f"{below}{path}", Body=text.encode())
        for source in sorted(workflow.rglob("*")):
            if source.is_file():
                s3.upload_file(str(source), "results", f"{folder.name}/sources-1/{source.relative_to(workflow)}")
        parsed = RunSheet.parse(json.dumps(_sheet(engine, folder.name, remote) | sheet))
        storage, records = Storage(), KeptRecords()
        work = folder / "work"
        work.mkdir()
        outcome = Run(
            parsed, _with_stand_ins(make_engine(parsed), engine, jobs), records, storage, Child(), work
        ).to_end()
        told = storage.read_if_there(f"s3://results/{folder.name}/launcher/jobs-1.json")
        listed = json.loads(told) if told else {"jobs": [], "made": []}
        return Played(
            outcome,
            {
                item["Key"].removeprefix(below): s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read().decode()
                for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=below)
                for item in page.get("Contents", [])
                if not item["Key"].endswith(".tar.xz") and "/.snakemake/" not in f"/{item['Key']}"
            },
            (work / "snakemake.log").read_text(),
            records.failures,
            [json.loads((each / "input.json").read_text()) for each in sorted(jobs.iterdir(), key=_made_at)],
            listed["jobs"],
            listed["made"],
        )


def plain_run(
    engine: str, workflow: Path, data: Path | Mapping[str, str] | None, folder: Path, *more: str
) -> dict[str, str]:
    """The files that a local run of the engine's Snakemake leaves in a folder with sources and data.

    Called again with the same folder, it runs on what the run before left.
    """
    shutil.copytree(workflow, folder / "plain", dirs_exist_ok=True)
    texts = texts_of(data)
    for path, text in texts.items():
        (folder / "plain" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "plain" / path).write_text(text)
    programs = _programs(engine)
    done = subprocess.run(
        [str(programs / "snakemake"), "--cores", "2", *more],
        cwd=folder / "plain",
        env={"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(folder)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    given = {str(path.relative_to(workflow)) for path in workflow.rglob("*")} - set(texts)
    found = [path for path in (folder / "plain").rglob("*") if path.is_file()]
    names = {path: str(path.relative_to(folder / "plain")) for path in found}
    made = {path: name for path, name in names.items() if name not in given}
    hidden = (".snakemake/", "__pycache__/")
    return {name: path.read_text() for path, name in made.items() if not any(word in name for word in hidden)}


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """S3 for as long as the context lasts; its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "false",
        "SFTP_ENABLED": "false",
        "MINISTACK_REGION": REGION,
        "LOG_LEVEL": "ERROR",
        "TMPDIR": str(folder),
    }
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"], cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/_ministack/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(url: str) -> None:
    until = time.monotonic() + 120
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return


def _sheet(engine: str, name: str, remote: str) -> dict[str, Any]:
    return {
        "launchId": name,
        "attempt": 1,
        "engine": engine,
        "sources": f"s3://results/{name}/sources-1/",
        "snakefile": "Snakefile",
        "remotePrefix": remote,
        "resultsUri": f"s3://results/{name}/",
        "containerImage": "repo/genolaunch-snakemake:1",
        "retries": 0,
        "tibanna": {"stateMachineArn": MACHINE, "logBucket": "logs", "behaviorOnCapacityLimit": "fail", "token": "t"},
        "awsBatch": {
            "jobQueue": f"arn:aws:batch:{REGION}:000000000000:job-queue/spot",
            "jobDefinition": f"arn:aws:batch:{REGION}:000000000000:job-definition/{name}-1:1",
            "shareIdentifier": "someone",
            "taskTimeoutSeconds": 3600,
            "jobLogGroup": "/genolaunch/jobs",
            "tags": {"project": "genolaunch"},
        },
    }


def _with_stand_ins(engine: Any, name: str, jobs: Path) -> Any:
    """The engine, whose process finds the stand-ins."""
    command, environment = engine.command, engine.environment

    def command_with() -> list[str]:
        return [str(_programs(name) / "python"), *list(command())[1:]]

    def environment_with() -> dict[str, str]:
        known = dict(environment())
        return {
            **known,
            "PATH": f"{_programs(name)}:{os.environ['PATH']}",
            "PYTHONPATH": f"{STAND_INS}:{CHECKOUT / 'containers' / 'snakemake'}",
            "STAND_IN_FOLDER": str(jobs),
            "STAND_IN_PROGRAMS": str(_programs(name)),
        }

    engine.command, engine.environment = command_with, environment_with
    return engine


def _stand_in(monkeypatch: pytest.MonkeyPatch, jobs: Path) -> None:
    """The same stand-ins in this process, for what the launcher asks of jobs that failed."""
    spec = importlib.util.spec_from_file_location("stand_ins_of_services", STAND_INS / "sitecustomize.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "FOLDER", jobs)
    monkeypatch.setattr(boto3, "client", boto3.client)  # undone at the end
    module.install()


def _programs(engine: str) -> Path:
    return (images.snakemake() if engine == "tibanna" else images.snakemake9()) / "bin"


def texts_of(data: Path | Mapping[str, str] | None) -> dict[str, str]:
    """Files of a folder, by their paths below it; a mapping as it is."""
    if isinstance(data, Path):
        return {str(path.relative_to(data)): path.read_text() for path in sorted(data.rglob("*")) if path.is_file()}
    return dict(data or {})


def _made_at(folder: Path) -> float:
    return (folder / "input.json").stat().st_mtime
