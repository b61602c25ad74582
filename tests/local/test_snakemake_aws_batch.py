"""The launcher with its engine aws-batch on the embedded cloud: the real Snakemake 9, and jobs that really run."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from localcloud import control, images
from localcloud.clients import client
from tests.local.platform_client import eventually

CHECKOUT = Path(__file__).parents[2]
WORKFLOW = CHECKOUT / "tests" / "data" / "snakemake9"
READS = {"A": "ACGT\nNNNN\nTTAA\n", "B": "GGCC\n"}
pytestmark = [pytest.mark.local, pytest.mark.timeout(300)]

TAGS = {"project": "genolaunch", "stage": "test", "launchId": "", "attempt": "1"}
JOB_LOGS = "/genolaunch/test/jobs"


@pytest.fixture(scope="module")
def snakemake9() -> Path:
    """The interpreter of the environment in which the launcher and the jobs run Snakemake."""
    return images.snakemake9(CHECKOUT) / "bin" / "python"


@dataclass
class Stage:
    """An embedded cloud with what a deployed stage has for these launches, and no more."""

    environment: Mapping[str, str]
    python: Path
    queues: Mapping[str, str]

    def client(self, service: str) -> Any:
        return client(service, self.environment["AWS_ENDPOINT_URL"])

    def start(self, launch_id: str, *targets: str, retries: int = 0) -> "Launcher":
        """A launch's data, its job definition and run sheet, and the launcher as a process."""
        s3 = self.client("s3")
        for sample, lines in READS.items():
            s3.put_object(Bucket="data", Key=f"{launch_id}/reads/{sample}.txt", Body=lines)
        self._define(launch_id)
        folder = f"results/{launch_id}/launcher/"
        for path in WORKFLOW.rglob("*.*"):
            s3.upload_file(str(path), "results", f"{folder}sources-1/{path.relative_to(WORKFLOW)}")
        s3.upload_file(str(WORKFLOW / "Snakefile"), "results", f"{folder}sources-1/Snakefile")
        s3.put_object(
            Bucket="results", Key=f"{folder}run-1.json", Body=json.dumps(self._run_sheet(launch_id, targets, retries))
        )
        self.client("dynamodb").put_item(
            TableName="launches", Item={"launchId": {"S": launch_id}, "attempt": {"N": "1"}}
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "snakemake_launcher"],
            env={
                **self.environment,
                "PATH": os.environ["PATH"],
                "HOME": os.environ["HOME"],
                "PYTHONPATH": str(CHECKOUT / "containers" / "snakemake"),
                "SNAKEMAKE9_PYTHON": str(self.python),
                "STAGE": "test",
                "LAUNCH_ID": launch_id,
                "ATTEMPT": "1",
                "LAUNCH_TABLE": "launches",
                "TASK_TABLE": "tasks",
                "RUN_SHEET": f"s3://results/{folder}run-1.json",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return Launcher(self, launch_id, process)

    def _define(self, launch_id: str) -> None:
        """As snakemake.asl.json does before a launcher is started."""
        self.client("batch").register_job_definition(
            jobDefinitionName=f"{launch_id}-1",
            type="container",
            schedulingPriority=1,
            tags={**TAGS, "launchId": launch_id},
            containerProperties={
                "image": "localhost/genolaunch-snakemake9:9.27.1",
                "command": ["snakemake", "--version"],
                "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "2048"}],
                "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": JOB_LOGS}},
            },
        )

    def _run_sheet(self, launch_id: str, targets: tuple[str, ...], retries: int) -> Mapping[str, Any]:
        return {
            "launchId": launch_id,
            "attempt": 1,
            "engine": "aws-batch",
            "sources": f"s3://results/results/{launch_id}/launcher/sources-1/",
            "snakefile": "Snakefile",
            "targets": list(targets),
            "config": {"title": "counts of reads"},
            "spot": True,
            "retries": retries,
            "jobs": 10,
            "containerImage": "localhost/genolaunch-snakemake9:9.27.1",
            "remotePrefix": f"data/{launch_id}",
            "resultsUri": f"s3://results/results/{launch_id}/",
            "awsBatch": {
                "jobQueue": self.queues["spot"],
                "onDemandQueue": self.queues["on-demand"],
                "jobDefinition": f"{launch_id}-1",
                "shareIdentifier": "alice",
                "taskTimeoutSeconds": 3600,
                "jobLogGroup": JOB_LOGS,
                "tags": {**TAGS, "launchId": launch_id},
            },
        }


@dataclass
class Launcher:
    """A launcher's process, and what it leaves behind."""

    stage: Stage
    launch_id: str
    process: "subprocess.Popen[str]"

    def end(self) -> tuple[int, str]:
        """Exit code and log."""
        log, _ = self.process.communicate(timeout=150)
        return self.process.returncode, log

    def outcome(self) -> Mapping[str, Any]:
        key = f"results/{self.launch_id}/launcher/outcome-1.json"
        found: Mapping[str, Any] = json.load(self.stage.client("s3").get_object(Bucket="results", Key=key)["Body"])
        return found

    def jobs(self) -> list[dict[str, Any]]:
        """All jobs of the launch as DescribeJobs shows them, found by name as clean-up does."""
        batch = self.stage.client("batch")
        filters = [{"name": "JOB_NAME", "values": [f"{self.launch_id}-1-*"]}]
        ids = [
            job["jobId"]
            for queue in self.stage.queues.values()
            for job in batch.list_jobs(jobQueue=queue, filters=filters)["jobSummaryList"]
        ]
        described = batch.describe_jobs(jobs=ids)["jobs"] if ids else []
        return sorted(described, key=lambda job: int(job["createdAt"]))

    def files(self) -> dict[str, str]:
        """The data prefix."""
        s3 = self.stage.client("s3")
        found = s3.list_objects_v2(Bucket="data", Prefix=f"{self.launch_id}/")["Contents"]
        return {
            item["Key"].partition("/")[2]: s3.get_object(Bucket="data", Key=item["Key"])["Body"].read().decode()
            for item in found
        }

    def failed_jobs(self) -> list[dict[str, Any]]:
        """Items of the task table."""
        found = self.stage.client("dynamodb").query(
            TableName="tasks",
            KeyConditionExpression="launchId = :id",
            ExpressionAttributeValues={":id": {"S": self.launch_id}},
        )
        return [{name: next(iter(value.values())) for name, value in item.items()} for item in found["Items"]]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, snakemake9: Path) -> Iterator[Stage]:
    """Given: buckets, tables and fair-share queues."""
    state = tmp_path_factory.mktemp("localcloud")
    cloud = control.up(state, port=control.free_port())
    try:
        made = Stage(cloud.environment(), snakemake9, {})
        for bucket in ("data", "results"):
            made.client("s3").create_bucket(Bucket=bucket)
        for table, keys in {"launches": ["launchId"], "tasks": ["launchId", "taskId"]}.items():
            made.client("dynamodb").create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
                KeySchema=[
                    {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
                ],
            )
        made.queues = _queues(made)
        yield made
    finally:
        control.down(state)


def _queues(stage: Stage) -> dict[str, str]:
    batch = stage.client("batch")
    batch.create_compute_environment(
        computeEnvironmentName="instances",
        type="MANAGED",
        computeResources={
            "type": "SPOT",
            "maxvCpus": 16,
            "subnets": [stage.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]],
            "instanceRole": "role",
            "instanceTypes": ["optimal"],
        },
    )
    fair = batch.create_scheduling_policy(name="fair", fairsharePolicy={"shareDecaySeconds": 3600})["arn"]
    order = [{"order": 1, "computeEnvironment": "instances"}]
    make = batch.create_job_queue
    return {
        name: make(jobQueueName=name, priority=1, schedulingPolicyArn=fair, computeEnvironmentOrder=order)[
            "jobQueueArn"
        ]
        for name in ("spot", "on-demand")
    }


@pytest.fixture(scope="module")
def launchers(stage: Stage) -> dict[str, Launcher]:
    """When: launches are started, all at once since they mostly wait."""
    reclaim = {"jobNameGlob": "works-1-trim-*", "times": 1}
    _inject(stage, reclaim)
    return {
        "works": stage.start("works", retries=1),
        "fails": stage.start("fails", "breaks"),
        "lasts": stage.start("lasts", "lasts"),
    }


def _inject(stage: Stage, body: Mapping[str, Any]) -> None:
    from urllib.request import Request, urlopen

    url = f"{stage.environment['AWS_ENDPOINT_URL']}/_localcloud/inject/batch"
    urlopen(Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"}), timeout=10).close()


def test_a_cancelled_launch_leaves_no_job(launchers: dict[str, Launcher]):
    launcher = launchers["lasts"]
    eventually(lambda: [job["status"] for job in launcher.jobs()] == ["RUNNING"], 60, "the job runs")

    launcher.process.send_signal(signal.SIGTERM)
    asked = time.monotonic()
    code, log = launcher.end()

    assert code == 130, log
    assert time.monotonic() - asked < 30
    assert launcher.outcome()["type"] == "StoppedError"
    eventually(lambda: {job["status"] for job in launcher.jobs()} == {"FAILED"}, 15, "the job has ended")


def test_a_failing_rule_is_told_with_its_log(launchers: dict[str, Launcher]):
    code, log = launchers["fails"].end()

    assert code == 1, log
    outcome = launchers["fails"].outcome()
    assert outcome["type"] == "ApplicationError"
    assert outcome["message"] == "The job breaks failed: no such reference genome"
    (item,) = launchers["fails"].failed_jobs()
    assert item["taskId"].startswith("job#fails-1-breaks-")
    assert (item["status"], item["errorType"], item["logGroup"]) == ("FAILED", "ApplicationError", JOB_LOGS)
    assert "no such reference genome" in item["logTail"]


def test_outputs_are_those_of_a_plain_local_run(launchers: dict[str, Launcher], snakemake9: Path, tmp_path: Path):
    code, log = launchers["works"].end()

    assert code == 0, log
    assert launchers["works"].files() == _plain_run(snakemake9, tmp_path)


def test_a_reclaimed_job_is_done_again_on_demand(launchers: dict[str, Launcher], stage: Stage):
    launchers["works"].process.wait(150)

    jobs = launchers["works"].jobs()

    failed = [job for job in jobs if job["status"] == "FAILED"]
    assert [job["statusReason"].startswith("Host EC2") for job in failed] == [True]
    trims = [job["jobQueue"] for job in jobs if "-trim-" in job["jobName"]]
    assert sorted(trims) == sorted([stage.queues["spot"], stage.queues["spot"], stage.queues["on-demand"]])
    (item,) = launchers["works"].failed_jobs()
    assert (item["status"], item["errorType"]) == ("RESUBMITTED", "SpotReclaimedError")


def test_jobs_ask_for_what_their_rules_say_and_belong_to_the_launch(launchers: dict[str, Launcher]):
    launchers["works"].process.wait(150)

    jobs = {job["jobName"].rsplit("-", 1)[0]: job for job in launchers["works"].jobs()}

    assert set(jobs) == {"works-1-trim", "works-1-count", "works-1-summary"}
    needs = {
        name: {each["type"]: each["value"] for each in job["container"]["resourceRequirements"]}
        for name, job in jobs.items()
    }
    assert needs["works-1-trim"] == {"VCPU": "1", "MEMORY": "300"}
    assert needs["works-1-count"] == {"VCPU": "2", "MEMORY": "2048"}
    for job in jobs.values():
        assert job["tags"] == {**TAGS, "launchId": "works"}
        assert job["jobDefinition"].endswith("job-definition/works-1:1")
        assert job["timeout"] == {"attemptDurationSeconds": 3600}
        assert job["shareIdentifier"] == "alice"
        assert "pip install" not in job["container"]["command"][-1]


def _plain_run(python: Path, folder: Path) -> dict[str, str]:
    """The files of a local run of Snakemake 9 in a folder."""
    shutil.copytree(WORKFLOW, folder / "run")
    reads = folder / "run" / "reads"
    reads.mkdir()
    for sample, lines in READS.items():
        (reads / f"{sample}.txt").write_text(lines)
    command = [str(python), "-m", "snakemake", "--cores", "2", "--config", "title=counts of reads"]
    environment = {"PATH": f"{python.parent}:{os.environ['PATH']}", "HOME": str(folder)}
    subprocess.run(command, cwd=folder / "run", env=environment, check=True, capture_output=True)
    given = {path.relative_to(WORKFLOW) for path in WORKFLOW.rglob("*")}
    return {
        str(path.relative_to(folder / "run")): path.read_text()
        for path in (folder / "run").rglob("*")
        if path.is_file() and path.relative_to(folder / "run") not in given and ".snakemake" not in path.parts
    }
