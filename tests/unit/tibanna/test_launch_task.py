"""The lines before Tibanna's own function: whose job it is, and that all that it names is that launch's."""

import hashlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

RUN = "exome-20261121t040000-1a2b3c4d-1"
PATH = "/genolaunch/dev/launches/exome-20261121t040000-1a2b3c4d/1/"
TAGS = {"dataBucket": "data", "dataFolder": "exome/", "tokenSha256": hashlib.sha256(b"token").hexdigest()}


class NoSuchEntityError(Exception):
    pass


class FakeIam:
    """One role, of the run's jobs."""

    exceptions = SimpleNamespace(NoSuchEntityException=NoSuchEntityError)
    path = PATH

    def get_role(self, RoleName: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        if RoleName != f"{RUN}-jobs":
            raise NoSuchEntityError
        return {"Role": {"Path": self.path, "Tags": [{"Key": key, "Value": value} for key, value in TAGS.items()]}}


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Given: the function's module, with Tibanna's package played and the stage `dev`."""
    tibanna, run_task = ModuleType("tibanna"), ModuleType("tibanna.run_task")
    started: list[Any] = []
    tibanna.ec2_utils = SimpleNamespace(S3_ACCESS_ARN="none")  # type: ignore[attr-defined]

    def start(given: Any) -> dict[str, bool]:
        started.append(given)
        return {"started": True}

    run_task.run_task = start  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tibanna", tibanna)
    monkeypatch.setitem(sys.modules, "tibanna.run_task", run_task)
    path = Path(__file__).parents[3] / "lambdas" / "tibanna" / "launch_task.py"
    spec = importlib.util.spec_from_file_location("launch_task", path)
    assert spec is not None
    assert spec.loader is not None
    loaded: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    iam = FakeIam()
    monkeypatch.setattr(loaded.boto3, "client", lambda _service: iam)
    for name, value in {
        "STAGE": "dev",
        "AWS_ACCOUNT_NUMBER": "111111111111",
        "LOG_BUCKET": "logs",
        "READABLE_BUCKETS": "shared,genomes",
    }.items():
        monkeypatch.setenv(name, value)
    loaded.started, loaded.iam = started, iam
    return loaded


def job(change: Callable[[dict[str, Any]], Any] = lambda _job: None) -> dict[str, Any]:
    """The launch's own job, with a change."""
    given: dict[str, Any] = {
        "jobid": f"{RUN}.abc",
        "config": {"genolaunch_run": RUN, "genolaunch_token": "token", "log_bucket": "logs", "mem": 1},
        "args": {
            "input_files": {
                "file:///data1/a": "s3://data/exome/a.txt",
                "file:///data1/b": {"bucket_name": "shared", "object_key": ["x", ["y"]]},
            },
            "output_target": {},
        },
    }
    change(given)
    return given


def test_the_launchs_own_job_gets_the_launchs_own_profile(module):
    assert module.handler(job(), None) == {"started": True}

    assert f"arn:aws:iam::111111111111:instance-profile{PATH}{RUN}-jobs" == module.ec2_utils.S3_ACCESS_ARN
    (started,) = module.started
    assert started["config"] == {"genolaunch_run": RUN, "log_bucket": "logs", "mem": 1}  # and not the token
    assert started["jobid"] == f"{RUN}.abc"


@pytest.mark.parametrize(
    "change",
    [
        lambda job: job.pop("config"),
        lambda job: job.update(args=[]),
        lambda job: job["config"].pop("genolaunch_token"),
        lambda job: job["config"].update(genolaunch_token="another"),
        lambda job: job["config"].update(genolaunch_token=TAGS["tokenSha256"]),
        lambda job: job["config"].update(genolaunch_run="other-20261121t040000-1a2b3c4d-1"),
        lambda job: job["config"].update(genolaunch_run=f"{RUN}/../x"),
        lambda job: job["config"].update(genolaunch_run=None),
        lambda job: job.update(jobid="other-20261121t040000-1a2b3c4d-1.abc"),
        lambda job: job.update(jobid=f"{RUN}1.abc"),
        lambda job: job.pop("jobid"),
        lambda job: job["config"].update(log_bucket="data"),
        lambda job: job["config"].update(dependency={"exec_arn": ["arn:of-another"]}),
        lambda job: job["args"].update(dependency={"job_id": ["x"]}),
        lambda job: job["args"]["input_files"].update(c="s3://data/other/a.txt"),
        lambda job: job["args"]["input_files"].update(c="s3://data/exome"),
        lambda job: job["args"]["input_files"].update(c=["s3://data/exome/a", "s3://results/x"]),
        lambda job: job["args"]["input_files"].update(c={"bucket_name": "results", "object_key": "exome/x"}),
        lambda job: job["args"].update(secondary_files={"c": {"bucket_name": "data", "object_key": [["other/a"]]}}),
        lambda job: job["args"].update(input_files=["s3://data/other/a.txt"]),
    ],
)
def test_what_is_not_the_launchs_is_refused_before_tibanna_reads_it(module, change):
    with pytest.raises(module.NotTheLaunchsJobError):
        module.handler(job(change), None)

    assert module.started == []


def test_a_role_of_another_stage_knows_nobody(module):
    module.iam.path = PATH.replace("/dev/", "/prod/")

    with pytest.raises(module.NotTheLaunchsJobError):
        module.handler(job(), None)
