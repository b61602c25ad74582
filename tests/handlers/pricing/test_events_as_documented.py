"""record_usage on events of Batch, ECS and EC2 as AWS documents them."""

from datetime import UTC, datetime
from decimal import Decimal

from tests.documented_events import documented
from tests.handlers.pricing.conftest import CLUSTER, LAUNCH, at, deliver, job, milliseconds

TASK = "arn:aws:ecs:us-east-1:111122223333:task/cluster/0123"


def batch(status, **more):
    """The sample with the container's ids and times of JobDetail, which the sample's state has not come to yet."""
    event = documented("batch-job-state-change", detail__jobName=f"{LAUNCH}-1-step2", detail__status=status)
    event["detail"]["container"] |= {"containerInstanceArn": f"{CLUSTER}/i-1", "taskArn": TASK}
    event["detail"] |= more
    return event


def test_a_job_is_recorded_by_its_name_since_its_event_has_no_tags_of_it(account, table):
    account.add_instance("i-1", spot=True)
    running = batch("RUNNING", startedAt=milliseconds(2))
    (ended,) = job("job-1", ("i-1", 2, 50))["attempts"]
    ended["container"]["taskArn"] = TASK

    assert deliver(running, batch("SUCCEEDED", attempts=[ended])) == []

    (use,) = table.attempt(LAUNCH, 1).jobs
    assert (use.instance_id, use.started_at, use.stopped_at) == ("i-1", at(2), at(50))
    assert (use.vcpus, use.memory_mib) == (Decimal(2), Decimal(256))


def test_a_job_that_waits_and_one_of_somebody_else_leave_nothing(account, table):
    assert deliver(documented("batch-job-state-change"), documented("batch-job-queue-blocked")) == []

    assert table.attempt(LAUNCH, 1).jobs == []


def test_a_launchers_task_is_recorded_from_the_download_of_its_image_to_its_end(account, table):
    variables = [{"name": "LAUNCH_ID", "value": LAUNCH}, {"name": "ATTEMPT", "value": "1"}]
    changes = {"detail__overrides__containerOverrides__0__environment": variables}

    assert deliver(documented("ecs-task-started-by", **changes), documented("ecs-task-stopped", **changes)) == []

    (use,) = table.attempt(LAUNCH, 1).tasks
    assert use.started_at == datetime(2020, 1, 23, 17, 57, 52, 103000, UTC)
    assert use.stopped_at == datetime(2020, 1, 23, 18, 20, 24, 103000, UTC)
    assert (use.vcpus, use.memory_gib) == (Decimal("0.25"), Decimal("0.5"))


def test_what_ec2_tells_of_an_instance_is_recorded(account, table):
    account.add_instance("i-1", spot=True)
    deliver(batch("RUNNING", startedAt=milliseconds(2)))
    warning = documented("ec2-spot-interruption-warning", detail__instance_id="i-1", time="2026-11-01T09:00:00Z")
    gone = documented(
        "ec2-instance-state-change",
        detail__instance_id="i-1",
        detail__state="shutting-down",
        time="2026-11-01T09:02:00Z",
    )

    assert deliver(warning, gone) == []

    instance = table.instances(["i-1"])["i-1"]
    assert (instance.is_interrupted, instance.stopped_at) == (True, at(62))
