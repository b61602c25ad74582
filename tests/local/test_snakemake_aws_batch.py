"""Snakemake launches with the engine aws-batch, from the drop to the end: the real Snakemake 9, and jobs that run."""

import os
import shutil
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest

from genolaunch.contract.settings import Parameter
from genolaunch.local_stage import images
from tests.local.platform_client import PlatformClient, eventually

pytestmark = pytest.mark.local

CHECKOUT = Path(__file__).parents[2]
WORKFLOW = CHECKOUT / "tests" / "data" / "snakemake9"
READS = {"A": "ACGT\nNNNN\nTTAA\n", "B": "GGCC\n"}
CONFIG = {"title": "counts of reads"}


@pytest.fixture(scope="module")
def launches(platform: PlatformClient) -> dict[str, str]:
    """When: three launches are dropped, at once since they mostly wait. Answers their ids."""
    for path in WORKFLOW.rglob("*"):
        if path.is_file():
            key = f"workflows/counts/{path.relative_to(WORKFLOW)}"
            platform.s3.upload_file(str(path), platform.name(Parameter.LAUNCH_BUCKET), key)
    platform.inject_batch("works-*-1-trim-1", times=2)  # the first job loses its Spot instance, and another one at once
    return {
        "works": _drop(platform, "works", retries=1),
        "fails": _drop(platform, "fails", targets=["breaks"], retries=0),
        "lasts": _drop(platform, "lasts", targets=["lasts"], retries=0),
    }


def _drop(platform: PlatformClient, name: str, **section: Any) -> str:
    name = f"{name}-{uuid.uuid4().hex[:6]}"
    for sample, lines in READS.items():
        platform.s3.put_object(
            Bucket=platform.name(Parameter.DATA_BUCKET), Key=f"{name}/reads/{sample}.txt", Body=lines
        )
    snakemake = {"snakefile": "workflows/counts/Snakefile", "engine": "aws-batch", "config": CONFIG, **section}
    answer = platform.drop({"name": name, "workflow": "snakemake", "data": name, "snakemake": snakemake})
    assert answer["accepted"], answer
    return str(answer["launchId"])


def test_a_cancelled_launch_leaves_no_job_and_no_job_definition(platform: PlatformClient, launches: dict[str, str]):
    launch_id = launches["lasts"]
    eventually(lambda: [job["status"] for job in platform.jobs(launch_id)] == ["RUNNING"], "the job runs")

    (definition,) = platform.leftovers(launch_id)["job definitions"]
    platform.set_status(launch_id, "CANCEL_REQUESTED")

    assert platform.wait_for(launch_id)["status"] == "CANCELLED"
    platform.assert_clean(launch_id)
    assert {job["status"] for job in platform.jobs(launch_id)} == {"FAILED"}
    (kept,) = platform.batch.describe_job_definitions(jobDefinitions=[definition])["jobDefinitions"]
    assert kept["status"] == "INACTIVE"


def test_a_failing_rule_is_told_with_its_log(platform: PlatformClient, launches: dict[str, str]):
    launch = platform.wait_for(launches["fails"])

    assert launch["status"] == "FAILED"
    assert launch["error"]["type"] == "ApplicationError"
    assert launch["error"]["message"] == "The job breaks failed: no such reference genome"
    (item,) = eventually(lambda: _failed_jobs(platform, launches["fails"]), "its failed job")
    assert (item["status"], item["errorType"]) == ("FAILED", "ApplicationError")
    (job,) = _described(platform, launches["fails"])
    assert item["logGroup"] == job["container"]["logConfiguration"]["options"]["awslogs-group"]
    assert item["logGroup"] != platform.name(Parameter.JOB_LOG_GROUP)  # which is regenie's and the launchers'
    assert "no such reference genome" in item["logTail"]
    platform.assert_clean(launches["fails"])


def test_outputs_are_those_of_a_plain_local_run(platform: PlatformClient, launches: dict[str, str], tmp_path: Path):
    launch = platform.complete(launches["works"])

    assert launch["computeService"] == "batch-spot"
    told = eventually(lambda: _has_done(platform, launch, 7), "its progress")
    assert told["progress"] == {"done": 7, "total": 7, "failed": 0}
    assert _files(platform, launch["dataPath"]) == _plain_run(tmp_path)
    assert launch["reportUri"] == f"{launch['resultsUri']}report.html"
    assert "SpotReclaimedError" in platform.result(launch["launchId"], "report.html").decode()  # of the lost job
    platform.assert_clean(launches["works"])


def test_a_job_that_lost_its_instance_twice_is_done_again_on_demand(platform: PlatformClient, launches: dict[str, str]):
    platform.wait_for(launches["works"])

    jobs = _described(platform, launches["works"])

    (lost,) = [job for job in jobs if job["status"] == "FAILED"]
    assert len(lost["attempts"]) == 2
    assert lost["statusReason"].startswith("Host EC2")
    queues = sorted(_kind(job) for job in jobs if "-trim-" in job["jobName"])
    assert queues == ["batch-on-demand", "batch-spot", "batch-spot"]
    (item,) = eventually(lambda: _failed_jobs(platform, launches["works"]), "its lost job")
    assert (item["status"], item["errorType"]) == ("RESUBMITTED", "SpotReclaimedError")


def test_jobs_ask_for_what_their_rules_say_and_are_not_privileged(platform: PlatformClient, launches: dict[str, str]):
    launch_id = launches["works"]
    platform.wait_for(launch_id)

    described = _described(platform, launch_id)
    jobs = {job["jobName"].removeprefix(f"{launch_id}-1-").partition("-")[0]: job for job in described}

    assert set(jobs) == {"trim", "count", "summary", "title"}  # of title, a local rule, too (decision 116)
    assert _needs(jobs["trim"]) == {"VCPU": "1", "MEMORY": "300"}
    assert _needs(jobs["count"]) == {"VCPU": "2", "MEMORY": "2048"}
    for job in jobs.values():
        assert job["jobDefinition"].endswith(f":job-definition/{launch_id}-1:1")
        assert job["container"]["privileged"] is False
        assert job["container"]["user"] == "1000:1000"
        assert job["tags"]["launchId"] == launch_id
        assert job["timeout"] == {"attemptDurationSeconds": 86400}


def _described(platform: PlatformClient, launch_id: str) -> list[dict[str, Any]]:
    """The launch's jobs as DescribeJobs shows them."""
    found: list[dict[str, Any]] = platform.batch.describe_jobs(jobs=[job["jobId"] for job in platform.jobs(launch_id)])[
        "jobs"
    ]
    return found


def _kind(job: dict[str, Any]) -> str:
    """Of the job's queue: genolaunch-local-<zone>-<kind>-<priority>."""
    return "batch-on-demand" if "on-demand" in job["jobQueue"] else "batch-spot"


def _needs(job: dict[str, Any]) -> dict[str, str]:
    return {each["type"]: each["value"] for each in job["container"]["resourceRequirements"]}


def _files(platform: PlatformClient, uri: str) -> dict[str, str]:
    """What lies below an s3:// URL."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    return {
        item["Key"].removeprefix(prefix): platform.s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read().decode()
        for item in platform.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
        if not item["Key"].startswith(f"{prefix}.snakemake/")
    }


def _plain_run(folder: Path) -> dict[str, str]:
    """The files of a local run of Snakemake 9."""
    shutil.copytree(WORKFLOW, folder / "run")
    reads = folder / "run" / "reads"
    reads.mkdir()
    for sample, lines in READS.items():
        (reads / f"{sample}.txt").write_text(lines)
    programs = images.snakemake9() / "bin"
    command = [str(programs / "snakemake"), "--cores", "2", "--config", f"title={CONFIG['title']}"]
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(folder)}
    subprocess.run(command, cwd=folder / "run", env=environment, check=True, capture_output=True)
    given = {path.relative_to(WORKFLOW) for path in WORKFLOW.rglob("*")}
    found = [path for path in (folder / "run").rglob("*") if path.is_file() and ".snakemake" not in path.parts]
    names = {path: path.relative_to(folder / "run") for path in found}
    return {str(name): path.read_text() for path, name in names.items() if name not in given}


def _failed_jobs(platform: PlatformClient, launch_id: str) -> list[dict[str, Any]]:
    """Items of failed jobs: they come by a queue, seconds later."""
    return [task for task in platform.tasks(launch_id) if task["taskId"].startswith("job#")]


def _has_done(platform: PlatformClient, launch: dict[str, Any], jobs: int) -> dict[str, Any] | None:
    """The launch, once it says that so many jobs are done."""
    told = platform.launch(launch["launchId"])
    return told if told.get("progress", {}).get("done") == jobs else None
