"""A job that cannot start is explained on its launch, in plain words, by the event as AWS documents it."""

import json

import pytest

from genolaunch.contract.launch import Status
from lambdas.shared.launch import Launch
from lambdas.workflow_manager import explain_blocked
from tests.documented_events import documented
from tests.handlers.workflow_manager.conftest import CONTEXT

LAUNCH_ID = "height-gwas-20261121t040000-1a2b3c4d"
QUEUE = "arn:aws:batch:us-east-1:111122223333:job-queue/genolaunch-test-us-east-1a-batch-spot-high"
PLACEMENTS = {"queues": QUEUE.removesuffix("-us-east-1a-batch-spot-high"), "zones": {"us-east-1a": "subnet-1"}}


@pytest.fixture
def launch(platform, monkeypatch) -> str:
    """Given: a launch in its first attempt."""
    monkeypatch.setenv("PLACEMENTS", json.dumps(PLACEMENTS))
    explain_blocked.settings.cache_clear()
    submitted = Launch(LAUNCH_ID, "height", Status.SUBMITTED, "2026-11-21T04:00:00.000Z", workflow="regenie")
    platform.repository.register(submitted, "bytes")
    platform.repository.claim(LAUNCH_ID, "arn:one")
    return LAUNCH_ID


def blocked(reason="MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT", job=f"{LAUNCH_ID}-1-step2", queue=QUEUE):
    event = documented(
        "batch-job-queue-blocked",
        time="2026-11-21T08:12:40Z",
        detail__jobName=job,
        detail__jobQueue=queue,
        detail__statusReason=reason,
    )
    explain_blocked.handler(event, CONTEXT)


def test_the_launch_says_which_job_cannot_start_and_what_to_do(platform, launch):
    blocked()

    reason = platform.repository.get(launch).status_reason
    assert reason.startswith("At 08:12 UTC on 2026-11-21 its job step2 could not start: none of the stage's instance")
    assert "lower the resources of its jobs" in reason


@pytest.mark.parametrize(
    ("job", "told"),
    [
        ("step2-on-demand", "step2-on-demand"),
        ("level0-more-memory", "level0-more-memory"),
        ("bwa_mem-17", "bwa_mem-17"),  # of Snakemake's engine aws-batch: <run name>-<rule>-<number>
        ("call-20250101t000000-deadbeef_9-3", "call-20250101t000000-deadbeef_9-3"),
    ],
)
def test_jobs_of_every_kind_are_told_by_their_name(platform, launch, job, told):
    blocked(job=f"{LAUNCH_ID}-1-{job}")

    assert f"its job {told} could not start" in platform.repository.get(launch).status_reason


def test_a_reason_that_is_not_known_is_told_in_batchs_own_words(platform, launch):
    blocked("MISCONFIGURATION:SOMETHING_NEW - something new")

    assert platform.repository.get(launch).status_reason.endswith("MISCONFIGURATION:SOMETHING_NEW - something new")


@pytest.mark.parametrize(
    "of_others",
    [
        {"job": f"{LAUNCH_ID}-2-step2"},
        {"job": "nowhere-20261121t040000-1a2b3c4d-1-step2"},
        {"job": "event-test"},
        {"job": LAUNCH_ID},
        # the same name in another stage of the account
        {"queue": QUEUE.replace("genolaunch-test-", "genolaunch-prod-")},
        {"queue": QUEUE + "-2"},
    ],
)
def test_jobs_of_others_and_of_other_attempts_are_passed_over(platform, launch, of_others):
    blocked(**of_others)

    assert platform.repository.get(launch).status_reason is None


def test_it_is_forgotten_when_the_launch_is_over(platform, launch):
    blocked()

    platform.repository.change_status(launch, Status.COMPLETE, execution_arn="arn:one")

    assert platform.repository.get(launch).status_reason is None


@pytest.mark.parametrize(("tagged", "is_told"), [(LAUNCH_ID, True), ("another-20261121t040000-1a2b3c4d", False)])
def test_the_name_of_a_users_job_is_believed_if_its_tags_say_the_same(platform, launch, monkeypatch, tagged, is_told):
    """A launcher, with its user's program, names its jobs as it likes; whose they are, IAM has it tag."""
    tags = {"launchId": tagged, "attempt": "1"}
    monkeypatch.setattr("lambdas.shared.batch_jobs.describe", lambda ids: iter([{"jobId": ids[0], "tags": tags}]))

    blocked(job=f"{LAUNCH_ID}-1-align-3", queue=QUEUE.replace("us-east-1a", "snakemake"))

    assert bool(platform.repository.get(launch).status_reason) is is_told
