"""The launcher with its engine tibanna on the deployed unicorn: Tibanna's own client and functions, and real jobs."""

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from contract import LAUNCHER_STOP_SECONDS, Parameter
from genolaunch.demo_snakemake import differences, plain_run
from localcloud.images import snakemake
from tests.local.platform_client import LAST_RESORT, PlatformClient, eventually
from tests.local.tibanna_launches import CHECKOUT, EXAMPLE, IMAGE, Launch, snakemake_environment

TROUBLES = CHECKOUT / "tests" / "data" / "snakemake7"
pytestmark = pytest.mark.local


@pytest.fixture(scope="module")
def launches(platform: PlatformClient, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Launch]:
    """When: launches run, all at once since they mostly wait; some of their Spot instances meet with misfortune."""
    _inject(platform, {"reclaimSpot": "*-rule-quality"})
    _inject(platform, {"refuseSpot": "*-rule-report"})
    _inject(platform, {"refuseFleet": "*-rule-trim", "code": "MaxSpotInstanceCountExceeded"})
    _inject(platform, {"refuseFleet": "*-rule-trim", "code": "VcpuLimitExceeded", "times": 4})
    nothing = tmp_path_factory.mktemp("nothing")
    (nothing / "README").write_text("The prefix must be there.")
    return {
        "lasts": Launch.start(platform, "lasts", TROUBLES, nothing, targets=["lasts"]),
        "breaks": Launch.start(platform, "breaks", TROUBLES, nothing, targets=["breaks"]),
        "reads": Launch.start(
            platform, "reads", EXAMPLE / "workflow", EXAMPLE / "data", retries=2, config={"min_length": 35}
        ),
    }


def _inject(platform: PlatformClient, body: dict[str, Any]) -> None:
    platform.inject("ec2", body)


def test_a_cancelled_launch_leaves_no_instance_and_no_execution(launches: dict[str, Launch], platform: PlatformClient):
    launch = launches["lasts"]
    job_id = launch.wait_for_job("lasts")

    launch.process.send_signal(signal.SIGTERM)
    asked = time.monotonic()
    code, log = launch.end()

    assert code == 130, log
    assert time.monotonic() - asked < LAUNCHER_STOP_SECONDS
    assert launch.outcome()["type"] == "StoppedError"
    assert launch.instances(job_id, "pending", "running") == []
    (job,) = launch.jobs()
    machine = platform.name(Parameter.TIBANNA_STATE_MACHINE)
    execution = f"{machine.replace(':stateMachine:', ':execution:')}:{job['name']}"
    assert platform.states.describe_execution(executionArn=execution)["status"] == "ABORTED"


def test_a_failing_rule_is_told_with_its_log(launches: dict[str, Launch]):
    code, log = launches["breaks"].end()

    assert code == 1, log
    outcome = launches["breaks"].outcome()
    assert outcome["type"] == "ApplicationError", outcome
    assert outcome["message"] == "The job breaks failed: no such reference genome"
    (item,) = launches["breaks"].failed_jobs()
    assert (item["status"], item["errorType"]) == ("FAILED", "ApplicationError")
    assert "no such reference genome" in item["logTail"]
    assert item["logStream"].endswith(f"/{item['jobId']}.log")


def test_outputs_are_those_of_a_plain_local_run(launches: dict[str, Launch]):
    code, log = launches["reads"].end()

    assert code == 0, log
    found = launches["reads"].files()
    assert differences(found, plain_run(snakemake(CHECKOUT) / "bin" / "python", {"min_length": 35})) == []
    assert found["report.tsv"].count(b"\n") == 4


def test_a_reclaimed_job_is_done_again(launches: dict[str, Launch]):
    launches["reads"].process.wait(150)

    jobs = [job for job in launches["reads"].jobs() if job["rule"] == "quality"]

    assert sorted(job["status"] for job in jobs) == ["DONE", "DONE", "DONE", "RESUBMITTED"]
    (item,) = launches["reads"].failed_jobs()
    assert (item["status"], item["errorType"]) == ("RESUBMITTED", "SpotReclaimedError")
    (reclaimed,) = [job["id"] for job in jobs if job["status"] == "RESUBMITTED"]
    for instance in launches["reads"].instances(reclaimed):  # EC2 forgets it after a while
        assert instance["StateReason"]["Code"] == "Server.SpotInstanceTermination"


def test_without_spot_capacity_a_job_gets_an_on_demand_instance(launches: dict[str, Launch], platform: PlatformClient):
    launches["reads"].process.wait(150)

    (job,) = [job for job in launches["reads"].jobs() if job["rule"] == "report"]

    assert (job["submission"], job["status"]) == (1, "DONE")
    logs = platform.name(Parameter.TIBANNA_LOG_BUCKET)
    ran = json.load(platform.s3.get_object(Bucket=logs, Key=f"{job['id']}.postrun.json")["Body"])
    assert ran["config"]["spot_instance"] is True  # as it was asked for, before EC2 refused
    output = _output(platform, job["name"])
    assert output["config"]["spot_instance"] is False
    assert output["config"]["genolaunch_run"] == "reads-1"


def test_a_used_up_quota_of_vcpus_is_waited_for_and_fails_no_job(launches: dict[str, Launch]):
    launches["reads"].process.wait(150)

    trims = [job for job in launches["reads"].jobs() if job["rule"] == "trim"]

    assert [(job["submission"], job["status"]) for job in trims] == [(1, "DONE")] * 3


def _output(platform: PlatformClient, execution: str) -> dict[str, Any]:
    machine = platform.name(Parameter.TIBANNA_STATE_MACHINE).replace(":stateMachine:", ":execution:")
    answer: dict[str, Any] = json.loads(
        platform.states.describe_execution(executionArn=f"{machine}:{execution}")["output"]
    )
    return answer


# --- Tibanna's own client, as its users know it ----------------------------------------------------------------------
def test_the_stock_client_runs_looks_at_and_kills_jobs(launches: dict[str, Launch], platform: PlatformClient, tmp_path):
    machine = platform.name(Parameter.TIBANNA_STATE_MACHINE).rpartition(":")[2]
    bucket = platform.name(Parameter.DATA_BUCKET)
    quick = _shell_job(platform, "stockquick12", "echo hello from $(hostname) > hello.txt; echo said hello", bucket)
    slow = _shell_job(platform, "stockslow123", "sleep 600", bucket)
    slow["args"]["dependency"] = {"job_id": ["stockquick12"]}

    def run(job: dict[str, Any]) -> None:
        (tmp_path / "job.json").write_text(json.dumps(job))
        _tibanna(platform, tmp_path, "run_workflow", "--input-json=job.json", f"--sfn={machine}", "-B", "--sleep=0")

    assert machine in _tibanna(platform, tmp_path, "list_sfns")
    run(quick)
    eventually(lambda: _status(platform, tmp_path, "stockquick12") == "SUCCEEDED", "the job has ended")
    assert "said hello" in _tibanna(platform, tmp_path, "log", "-j", "stockquick12")
    assert '"status": "0"' in _tibanna(platform, tmp_path, "log", "-j", "stockquick12", "--postrunjson")
    written = platform.s3.get_object(Bucket=bucket, Key="stock/stockquick12/hello.txt")["Body"].read()
    assert written.startswith(b"hello from ")
    run(slow)
    eventually(lambda: launches["lasts"].instances("stockslow123", "running"), "the job that waited for the other")
    _tibanna(platform, tmp_path, "kill", "-j", "stockslow123")
    assert _status(platform, tmp_path, "stockslow123") == "ABORTED"
    assert launches["lasts"].instances("stockslow123", "pending", "running") == []


def _shell_job(platform: PlatformClient, job_id: str, command: str, bucket: str) -> dict[str, Any]:
    return {
        "jobid": job_id,
        "args": {
            "language": "shell",
            "container_image": IMAGE,
            "command": command,
            "input_files": {},
            "output_S3_bucket": bucket,
            "output_target": {"file:///data1/shell/hello.txt": f"s3://{bucket}/stock/{job_id}/hello.txt"},
        },
        "config": {
            "mem": 1,
            "cpu": 1,
            "ebs_size": 10,
            "log_bucket": platform.name(Parameter.TIBANNA_LOG_BUCKET),
            "run_name": f"stock-{job_id}",
        },
    }


def _tibanna(platform: PlatformClient, folder: Path, *arguments: str) -> str:
    """What the unmodified command line says."""
    done = subprocess.run(
        ["tibanna", *arguments],
        env=snakemake_environment(platform),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=LAST_RESORT,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def _status(platform: PlatformClient, folder: Path, job_id: str) -> str:
    """By `tibanna stat`: a table of job id, status, name and times."""
    for line in _tibanna(platform, folder, "stat", "-j", job_id).splitlines():
        if line.startswith(f"{job_id}\t"):
            return line.split("\t")[1]
    return "unknown"
