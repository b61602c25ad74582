"""The launcher with its engine tibanna on the deployed unicorn: Tibanna's own client and functions, and real jobs."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from genolaunch.contract.launcher import LAUNCHER_STOP_SECONDS
from genolaunch.contract.settings import Parameter
from genolaunch.contract.tibanna import TIBANNA_RUN_NAME, TIBANNA_TOKEN, tibanna_jobs_start
from genolaunch.demo_snakemake import differences, plain_run
from genolaunch.local_stage.images import snakemake
from tests.local.platform_client import LAST_RESORT, PlatformClient, eventually
from tests.local.tibanna_launches import CHECKOUT, EXAMPLE, IMAGE, TOKEN, Launch, make_roles, snakemake_environment

TROUBLES = CHECKOUT / "tests" / "data" / "snakemake7"
pytestmark = pytest.mark.local


@pytest.fixture(scope="module")
def launches(platform: PlatformClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Launch]]:
    """When: launches run, all at once since they mostly wait; some of their Spot instances meet with misfortune."""
    _inject(platform, {"reclaimSpot": "*-rule-quality"})
    _inject(platform, {"refuseSpot": "*-rule-report"})
    _inject(platform, {"refuseFleet": "*-rule-trim", "code": "MaxSpotInstanceCountExceeded"})
    _inject(platform, {"refuseFleet": "*-rule-trim", "code": "VcpuLimitExceeded", "times": 4})
    nothing = tmp_path_factory.mktemp("nothing")
    (nothing / "README").write_text("The prefix must be there.")
    started = {
        "lasts": Launch.start(platform, "lasts", TROUBLES, nothing, targets=["lasts"]),
        "breaks": Launch.start(platform, "breaks", TROUBLES, nothing, targets=["breaks"]),
        "reads": Launch.start(
            platform, "reads", EXAMPLE / "workflow", EXAMPLE / "data", retries=2, config={"min_length": 35}
        ),
    }
    yield started
    for launch in started.values():
        launch.forget()  # else the stage would count it among those that run


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
    assert differences(found, plain_run(snakemake() / "bin" / "python", {"min_length": 35})) == []
    assert found["report.tsv"].count(b"\n") == 4


def test_a_reclaimed_job_is_done_again(launches: dict[str, Launch]):
    launches["reads"].process.wait(LAST_RESORT)

    jobs = [job for job in launches["reads"].jobs() if job["rule"] == "quality"]

    assert sorted(job["status"] for job in jobs) == ["DONE", "DONE", "DONE", "RESUBMITTED"]
    (item,) = launches["reads"].failed_jobs()
    assert (item["status"], item["errorType"]) == ("RESUBMITTED", "SpotReclaimedError")
    (reclaimed,) = [job["id"] for job in jobs if job["status"] == "RESUBMITTED"]
    for instance in launches["reads"].instances(reclaimed):  # EC2 forgets it after a while
        assert instance["StateReason"]["Code"] == "Server.SpotInstanceTermination"


def test_without_spot_capacity_a_job_gets_an_on_demand_instance(launches: dict[str, Launch], platform: PlatformClient):
    launches["reads"].process.wait(LAST_RESORT)

    (job,) = [job for job in launches["reads"].jobs() if job["rule"] == "report"]

    assert (job["submission"], job["status"]) == (1, "DONE")
    logs = platform.name(Parameter.TIBANNA_LOG_BUCKET)
    ran = json.load(platform.s3.get_object(Bucket=logs, Key=f"{job['id']}.postrun.json")["Body"])
    assert ran["config"]["spot_instance"] is True  # as it was asked for, before EC2 refused
    output = _output(platform, job["name"])
    assert output["config"]["spot_instance"] is False
    assert output["config"]["genolaunch_run"] == "reads-1"


def test_a_used_up_quota_of_vcpus_is_waited_for_and_fails_no_job(launches: dict[str, Launch]):
    launches["reads"].process.wait(LAST_RESORT)

    trims = [job for job in launches["reads"].jobs() if job["rule"] == "trim"]

    assert [(job["submission"], job["status"]) for job in trims] == [(1, "DONE")] * 3, launches["reads"].failed_jobs()


def _output(platform: PlatformClient, execution: str) -> dict[str, Any]:
    machine = platform.name(Parameter.TIBANNA_STATE_MACHINE).replace(":stateMachine:", ":execution:")
    answer: dict[str, Any] = json.loads(
        platform.states.describe_execution(executionArn=f"{machine}:{execution}")["output"]
    )
    return answer


# --- Tibanna's own client, as its users know it ----------------------------------------------------------------------
def test_the_stock_client_runs_looks_at_and_kills_jobs_of_a_launch(
    launches: dict[str, Launch], platform: PlatformClient, tmp_path
):
    machine = platform.name(Parameter.TIBANNA_STATE_MACHINE).rpartition(":")[2]
    bucket = platform.name(Parameter.DATA_BUCKET)
    make_roles(platform, "stock", bucket)
    quick, slow = f"{tibanna_jobs_start('stock-1')}quick", f"{tibanna_jobs_start('stock-1')}slow"

    def run(job_id: str, command: str) -> None:
        (tmp_path / "job.json").write_text(json.dumps(_shell_job(platform, job_id, command, bucket)))
        _tibanna(platform, tmp_path, "run_workflow", "--input-json=job.json", f"--sfn={machine}", "-B", "--sleep=0")

    assert machine in _tibanna(platform, tmp_path, "list_sfns")
    run(quick, "echo hello from $(hostname) > hello.txt; echo said hello")
    assert _ended(platform, tmp_path, quick) == "SUCCEEDED"
    assert "said hello" in _tibanna(platform, tmp_path, "log", "-j", quick)
    assert '"status": "0"' in _tibanna(platform, tmp_path, "log", "-j", quick, "--postrunjson")
    written = platform.s3.get_object(Bucket=bucket, Key=f"stock/{quick}/hello.txt")["Body"].read()
    assert written.startswith(b"hello from ")
    run(slow, "sleep 600")
    eventually(lambda: launches["lasts"].instances(slow, "running"), "an instance of the job that lasts")
    _tibanna(platform, tmp_path, "kill", "-j", slow)
    assert _status(platform, tmp_path, slow) == "ABORTED"
    assert launches["lasts"].instances(slow, "pending", "running") == []


def test_a_job_of_no_launch_gets_no_instance(launches: dict[str, Launch], platform: PlatformClient, tmp_path):
    machine = platform.name(Parameter.TIBANNA_STATE_MACHINE).rpartition(":")[2]
    job = _shell_job(platform, "ofnobody1234", "true", platform.name(Parameter.DATA_BUCKET))
    del job["config"][TIBANNA_TOKEN]
    (tmp_path / "job.json").write_text(json.dumps(job))

    _tibanna(platform, tmp_path, "run_workflow", "--input-json=job.json", f"--sfn={machine}", "-B", "--sleep=0")

    assert _ended(platform, tmp_path, "ofnobody1234") == "FAILED"
    assert launches["lasts"].instances("ofnobody1234") == []


def _shell_job(platform: PlatformClient, job_id: str, command: str, bucket: str) -> dict[str, Any]:
    """Of the launch `stock`, whose token it brings."""
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
            "run_name": job_id,
            TIBANNA_RUN_NAME: "stock-1",
            TIBANNA_TOKEN: TOKEN,
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


def _ended(platform: PlatformClient, folder: Path, job_id: str) -> str:
    """The status in which a job has ended."""

    def status() -> str | None:
        found = _status(platform, folder, job_id)
        return found if found in ("SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT") else None

    return eventually(status, f"an ending of the job {job_id}")
