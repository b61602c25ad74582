"""What the launch's jobs in AWS Batch look like, with a client that notes its calls."""

import base64
import json
import random
import shlex
import subprocess
import sys
from typing import Any

import pytest

from snakemake_launcher.engines.batch_jobs import LaunchJobs, Request, ends_the_same_again, lost_its_capacity

REQUEST = Request(rule="trim", queue="spot-queue", timeout_seconds=3600)
CONTAINER = {
    "image": "whatever the official plugin says",
    "privileged": True,
    "jobRoleArn": "any",
    "command": ["/bin/bash", "-c", "python -m snakemake"],
    "environment": [{"name": "TOKEN", "value": "x"}],
    "resourceRequirements": [{"type": "VCPU", "value": "3"}, {"type": "MEMORY", "value": "30000"}],
}


class FakeBatch:
    def __init__(self):
        self.submitted = []
        self.described = []
        self.terminated = []
        self.statuses = {}

    def submit_job(self, **request):
        self.submitted.append(request)
        return {"jobId": f"id-{len(self.submitted)}", "jobName": request["jobName"]}

    def describe_jobs(self, jobs):
        self.described.append(list(jobs))
        return {"jobs": [{"jobId": job, "status": self.statuses.get(job, "RUNNING")} for job in jobs]}

    def terminate_job(self, jobId, reason):  # noqa: N803  # boto3's names
        if jobId == "id-1":
            raise RuntimeError("throttled")
        self.terminated.append(jobId)


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def batch():
    return FakeBatch()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def jobs(batch, clock):
    return LaunchJobs(
        client=batch,
        run_name="calls-1",
        job_definition="calls-1",
        share_identifier="alice",
        region="eu-west-1",
        tags={"launchId": "calls"},
        clock=clock,
    )


def test_a_job_differs_from_its_launchs_definition_in_nothing_but_command_environment_and_size(jobs, batch):
    jobs.submit(REQUEST, CONTAINER)

    (request,) = batch.submitted
    assert request["jobDefinition"] == "calls-1"
    assert request["jobQueue"] == "spot-queue"
    assert request["shareIdentifier"] == "alice"
    assert request["tags"] == {"launchId": "calls"}
    assert request["timeout"] == {"attemptDurationSeconds": 3600}
    overrides = request["containerOverrides"]
    assert set(overrides) == {"command", "environment", "resourceRequirements"}
    assert overrides["resourceRequirements"] == CONTAINER["resourceRequirements"]
    assert {"name": "AWS_DEFAULT_REGION", "value": "eu-west-1"} in overrides["environment"]
    assert overrides["command"][-1].endswith('cd "$HOME" && python -m snakemake')


def test_the_official_builder_registers_nothing(jobs, batch):
    client = jobs.asking_for(REQUEST)

    definition = client.register_job_definition(jobDefinitionName="snakejob-def-trim-1", containerProperties=CONTAINER)
    submitted = client.submit_job(
        jobName="snakejob-trim", jobQueue="other", jobDefinition=definition["jobDefinitionName"]
    )

    assert submitted["jobName"] == "calls-1-trim-1"
    assert [request["jobQueue"] for request in batch.submitted] == ["spot-queue"]


def test_names_begin_with_the_runs_name_are_distinct_and_not_too_long_for_batch(jobs):
    long = Request(rule="a rule/with é and " + "x" * 200, queue="q", timeout_seconds=60)

    names = [jobs.submit(long, CONTAINER)["jobName"] for _ in range(11)]

    assert len(set(names)) == 11
    assert all(name.startswith("calls-1-a_rule_with___and_x") and len(name) <= 128 for name in names)


def test_a_long_command_is_packed_and_does_the_same(jobs, batch):
    temporary = " ".join(f"s3://data/run42/aligned/sample{number:04}.bam" for number in range(500))
    command = (
        f"python -c 'import sys; print(len(sys.argv), sys.argv[-1])' --unneeded-temp-files {temporary} && echo $((1+1))"
    )

    jobs.submit(REQUEST, {**CONTAINER, "command": ["/bin/bash", "-c", command]})

    overrides = batch.submitted[0]["containerOverrides"]
    assert len(json.dumps(overrides)) < 8_192
    said = subprocess.run(overrides["command"], capture_output=True, text=True, check=True).stdout
    assert said == "502 s3://data/run42/aligned/sample0499.bam\n2\n"


def test_a_job_has_a_users_name_in_any_image(jobs, batch):
    """Jobs run as user 1000, whom few images know by a name, and Snakemake 9 ends with KeyError without one."""
    nameless = "import getpass, pwd; pwd.getpwuid = {}.__getitem__; print(getpass.getuser())"
    command = f"{shlex.quote(sys.executable)} -c {shlex.quote(nameless)}"

    jobs.submit(REQUEST, {**CONTAINER, "command": ["/bin/bash", "-c", command]})

    said = subprocess.run(
        batch.submitted[0]["containerOverrides"]["command"],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.returncode, said.stdout) == (0, "genolaunch\n"), said.stderr


def test_a_command_that_is_too_long_in_spite_of_that_is_refused_with_a_remedy(jobs, batch):
    noise = base64.b64encode(random.Random(1).randbytes(20_000)).decode()

    with pytest.raises(ValueError, match="shorter wildcards"):
        jobs.submit(REQUEST, {**CONTAINER, "command": ["/bin/bash", "-c", f"echo {noise}"]})
    assert batch.submitted == []


def test_a_round_of_questions_costs_one_call_for_a_hundred_jobs(jobs, batch, clock):
    ids = [jobs.submit(REQUEST, CONTAINER)["jobId"] for _ in range(150)]

    found = [jobs.describe_jobs([job])["jobs"][0]["jobId"] for job in ids]

    assert found == ids
    assert [len(asked) for asked in batch.described] == [100, 50]


def test_what_has_ended_is_not_asked_about_again(jobs, batch, clock):
    ids = [jobs.submit(REQUEST, CONTAINER)["jobId"] for _ in range(2)]
    batch.statuses = {ids[0]: "SUCCEEDED"}
    jobs.describe(ids[0])
    clock.now = 5.0

    jobs.describe(ids[1])

    assert batch.described == [ids, [ids[1]]]
    assert jobs.describe(ids[0])["status"] == "SUCCEEDED"


def test_all_that_has_not_ended_is_terminated_even_when_one_cannot_be(jobs, batch):
    ids = [jobs.submit(REQUEST, CONTAINER)["jobId"] for _ in range(4)]
    batch.statuses = {ids[2]: "FAILED"}
    jobs.describe(ids[2])

    jobs.terminate_all()

    assert batch.terminated == [ids[1], ids[3]]


@pytest.mark.parametrize(
    ("reason", "lost"),
    [
        ("Host EC2 (instance i-1) terminated.", True),
        ("CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - No instances", True),
        ("Essential container in task exited", False),
    ],
)
def test_what_leaves_spot(reason, lost):
    detail: Any = {"statusReason": reason}
    assert lost_its_capacity(detail) is lost


def test_a_job_that_batch_does_not_know_yet_stays_where_it_is():
    assert lost_its_capacity(None) is False


NO_PIGZ = "/usr/bin/bash: line 1: pigz: command not found\n"


@pytest.mark.parametrize(
    ("reason", "exit_code", "log", "again"),
    [
        ("Essential container in task exited", 127, NO_PIGZ, True),
        ("Essential container in task exited", 1, "SyntaxError in file Snakefile, line 3:\n", True),
        ("Essential container in task exited", 137, NO_PIGZ, False),
        ("Host EC2 (instance i-1) terminated.", None, NO_PIGZ, False),
        ("Host EC2 (instance i-1) terminated.", 127, NO_PIGZ, False),
        ("MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - too large", None, "", True),
    ],
)
def test_what_is_not_tried_again(reason, exit_code, log, again):
    container = {} if exit_code is None else {"exitCode": exit_code}
    detail: Any = {"statusReason": reason, "container": container}

    assert ends_the_same_again(detail, log) is again


def test_a_job_that_batch_does_not_know_is_tried_again():
    assert ends_the_same_again(None, NO_PIGZ) is False
