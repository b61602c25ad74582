"""A job that cannot start is explained on its launch, in plain words."""

import pytest

from contract import Status
from lambdas.shared.launch import Launch
from lambdas.workflow_manager import explain_blocked
from tests.handlers.workflow_manager.conftest import CONTEXT

LAUNCH_ID = "height-gwas-20261121t040000-1a2b3c4d"
TAGS = {"project": "genolaunch", "stage": "test", "launchId": LAUNCH_ID, "attempt": "1"}


@pytest.fixture
def launch(platform) -> str:
    """Given: a launch in its first attempt."""
    explain_blocked.settings.cache_clear()
    submitted = Launch(LAUNCH_ID, "height", Status.SUBMITTED, "2026-11-21T04:00:00.000Z", workflow="regenie")
    platform.repository.register(submitted, "bytes")
    platform.repository.claim(LAUNCH_ID, "arn:one")
    return LAUNCH_ID


def blocked(reason="MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT", **tags):
    """The event, as AWS Batch's user guide shows it."""
    detail = {
        "jobArn": "arn:aws:batch:eu-central-1:123456789012:job/4c7599ae",
        "jobName": f"{LAUNCH_ID}-1-step2",
        "jobId": "4c7599ae",
        "status": "RUNNABLE",
        "statusReason": reason,
        "tags": {**TAGS, **tags},
    }
    event = {"detail-type": "Batch Job Queue Blocked", "source": "aws.batch", "time": "2026-11-21T08:12:40Z"}
    explain_blocked.handler({**event, "detail": detail}, CONTEXT)


def test_the_launch_says_which_job_cannot_start_and_what_to_do(platform, launch):
    blocked()

    reason = platform.repository.get(launch).status_reason
    assert reason.startswith("At 08:12 UTC on 2026-11-21 its job step2 could not start: none of the stage's instance")
    assert "lower the resources of its jobs" in reason


def test_a_reason_that_is_not_known_is_told_in_batchs_own_words(platform, launch):
    blocked("UNDETERMINED - something new")

    assert platform.repository.get(launch).status_reason.endswith("UNDETERMINED - something new")


@pytest.mark.parametrize("tags", [{"attempt": "2"}, {"stage": "other"}, {"project": "x"}, {"launchId": "nowhere"}])
def test_jobs_of_others_and_of_other_attempts_are_passed_over(platform, launch, tags):
    blocked(**tags)

    assert platform.repository.get(launch).status_reason is None


def test_it_is_forgotten_when_the_launch_is_over(platform, launch):
    blocked()

    platform.repository.change_status(launch, Status.COMPLETE, execution_arn="arn:one")

    assert platform.repository.get(launch).status_reason is None
