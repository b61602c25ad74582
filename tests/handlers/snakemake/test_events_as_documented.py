"""The notifier and the broker on ECS's events as AWS documents them."""

import json

import pytest

from tests.documented_events import documented
from tests.handlers.snakemake.conftest import CLUSTER, LAUNCH_ID, RESULTS_BUCKET, Platform, message

TASK = f"arn:task/{LAUNCH_ID}-1-1"
NETWORK = "Timeout waiting for network interface provisioning to complete."


def of_launcher(sample, arn=TASK, **changes):
    return documented(
        sample,
        resources=[arn],
        detail__taskArn=arn,
        detail__clusterArn=CLUSTER,
        detail__startedBy=f"{LAUNCH_ID}-1",
        detail__containers__0__name="launcher",
        **{f"detail__{name}": value for name, value in changes.items()},
    )


@pytest.fixture
def started(platform: Platform) -> Platform:
    """Given: its task was started."""
    platform.broker(message())
    return platform


def test_a_running_launcher_shows_its_log(started: Platform):
    assert started.notifier(of_launcher("ecs-task-started-by")) == []

    assert started.launch()["launcherTaskArn"] == TASK
    assert started.states.answers == []


def test_a_launcher_that_ended_answers_its_launch(started: Platform):
    started.wrote(None)

    assert started.notifier(of_launcher("ecs-task-stopped")) == []

    ((token, outcome, output),) = started.states.answers
    assert (token, outcome) == ("token", "done")
    assert json.loads(output) == {"resultsUri": f"s3://{RESULTS_BUCKET}/results/{LAUNCH_ID}/"}


def test_a_launcher_that_ran_out_of_memory_says_so(started: Platform):
    started.notifier(of_launcher("ecs-task-stopped", containers__0__exitCode=137))

    ((_, error, _),) = started.states.answers
    assert error == "OutOfMemoryError"


def test_a_launcher_without_a_network_is_started_again(started: Platform):
    event = of_launcher("ecs-task-stopped", stopCode="TaskFailedToStart", stoppedReason=NETWORK)
    for name in ("exitCode", "reason"):  # of a container that never ran there are none
        del event["detail"]["containers"][0][name]

    assert started.broker(event) in ([], ["0"])
    assert started.broker(event, delivery=2) == []

    assert len(started.ecs.requests) == 2
    assert started.states.answers == []


def test_a_task_that_nobody_started_for_a_launch_is_passed_over(started: Platform):
    # Of the sample itself; `startedBy` is there only if it was given
    assert started.notifier(documented("ecs-task-running")) == []

    assert "launcherTaskArn" not in started.launch()
    assert started.states.answers == []
