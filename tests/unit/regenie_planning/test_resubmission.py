"""Which failed jobs are submitted again, and with what."""

from dataclasses import replace

import pytest

from genolaunch.contract.errors import ErrorType
from lambdas.regenie.failed_jobs import FailedJob, JobGroup
from lambdas.regenie.resubmission import Failure, SubmittedJob, resubmit
from lambdas.regenie.task_indices import compact, expand

SPOT, ON_DEMAND = "spot", "on-demand"
ARRAY = SubmittedJob("run-step2", SPOT, "2048", size=100, tasks="10000-10099", hasMoreMemory=False)


def failed(index: int, error_type: ErrorType) -> FailedJob:
    return FailedJob("id", JobGroup("run-step2", 100), index, error_type, "reason", 137, 1, None)


def failure(job: SubmittedJob, *errors: ErrorType) -> Failure:
    """The job's first tasks failed so."""
    return Failure(job, [failed(index, error) for index, error in enumerate(errors)])


def test_only_the_failed_tasks_are_done_again_each_with_what_it_lacked():
    jobs = resubmit(
        [failure(ARRAY, ErrorType.SPOT_RECLAIMED, ErrorType.OUT_OF_MEMORY, ErrorType.SPOT_RECLAIMED)], ON_DEMAND
    )

    assert jobs == [
        SubmittedJob("run-step2-on-demand", ON_DEMAND, "2048", 2, "10000,10002", hasMoreMemory=False),
        SubmittedJob("run-step2-more-memory", SPOT, "4096", 1, "10001", hasMoreMemory=True),
    ]


def test_a_task_gets_on_demand_capacity_once_and_more_memory_once():
    on_demand = resubmit([failure(ARRAY, ErrorType.SPOT_RECLAIMED)], ON_DEMAND)
    larger = resubmit([failure(on_demand[0], ErrorType.OUT_OF_MEMORY)], ON_DEMAND)

    assert larger == [
        SubmittedJob("run-step2-on-demand-more-memory", ON_DEMAND, "4096", 1, "10000", hasMoreMemory=True)
    ]
    assert resubmit([failure(larger[0], ErrorType.SPOT_RECLAIMED)], ON_DEMAND) == []
    assert resubmit([failure(larger[0], ErrorType.OUT_OF_MEMORY)], ON_DEMAND) == []


@pytest.mark.parametrize(
    ("error_type", "reason"),
    [
        (
            ErrorType.CONTAINER_START,
            "DockerTimeoutError: Could not transition to started; timed out after waiting 3m0s",
        ),
        (ErrorType.CONTAINER_START, "CannotStartContainerError: Error response from daemon: cannot mount"),
        (ErrorType.CONTAINER_START, "Task failed to start"),
        (ErrorType.IMAGE_PULL, "CannotPullContainerError: context canceled"),
    ],
)
def test_a_container_that_did_not_start_is_tried_on_other_hosts_once(error_type: ErrorType, reason: str):
    one = replace(failed(7, error_type), reason=reason)

    (again,) = resubmit([Failure(ARRAY, [one])], ON_DEMAND)

    assert again == replace(ARRAY, name="run-step2-again", size=1, tasks="10007", isStartedAgain=True)
    assert resubmit([Failure(again, [replace(one, index=0)])], ON_DEMAND) == []
    assert resubmit([failure(again, ErrorType.SPOT_RECLAIMED)], ON_DEMAND) != []


@pytest.mark.parametrize(
    "reason",
    [
        "CannotPullContainerError: manifest unknown: Requested image not found",
        "CannotPullContainerError: pull access denied for x, repository does not exist or may require 'docker login'",
        'CannotStartContainerError: exec: "python3": executable file not found in $PATH: unknown',
    ],
)
def test_an_image_that_no_host_can_start_ends_the_phase(reason: str):
    one = replace(failed(7, ErrorType.IMAGE_PULL), reason=reason)

    assert resubmit([Failure(ARRAY, [one])], ON_DEMAND) == []


def test_a_job_of_a_definition_from_before_may_still_be_decided_on():
    event = {key: value for key, value in ARRAY.as_event().items() if key != "isStartedAgain"}

    assert SubmittedJob.from_event(event) == ARRAY


@pytest.mark.parametrize("hopeless", [ErrorType.APPLICATION_ERROR, ErrorType.STOPPED, ErrorType.NEVER_STARTED])
def test_one_hopeless_task_ends_the_phase(hopeless: ErrorType):
    assert resubmit([failure(ARRAY, ErrorType.SPOT_RECLAIMED, hopeless)], ON_DEMAND) == []


def test_a_job_that_batch_does_not_know_ends_the_phase():
    assert resubmit([failure(ARRAY, ErrorType.SPOT_RECLAIMED), Failure(ARRAY, [])], ON_DEMAND) == []


def test_a_list_too_long_for_one_job_becomes_several():
    # Given an array of which every other task lost its host: no ranges to shorten the list with
    array = replace(ARRAY, size=10_000, tasks="0-9999")
    lost = Failure(array, [failed(index, ErrorType.SPOT_RECLAIMED) for index in range(0, 10_000, 2)])

    jobs = resubmit([lost], ON_DEMAND)

    assert len({job.name for job in jobs}) == len(jobs) == 5
    assert all(len(job.tasks) <= 6000 for job in jobs)
    assert [line for job in jobs for line in expand(job.tasks)] == list(range(0, 10_000, 2))
    assert sum(job.size for job in jobs) == 5000


@pytest.mark.parametrize(
    ("lines", "text"),
    [([3], "3"), ([0, 1, 2], "0-2"), ([25, 3, 17, 20, 21, 22, 23, 24], "3,17,20-25"), ([7, 8], "7-8")],
)
def test_lines_are_told_as_ranges(lines: list[int], text: str):
    assert list(compact(lines, 100)) == [text]
    assert expand(text) == sorted(lines)


def test_no_lines_are_no_text():
    assert list(compact([], 100)) == []
