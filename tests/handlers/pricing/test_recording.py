"""What is recorded while launches run, whatever the order of the events."""

import itertools
import json
from decimal import Decimal

import pytest

from tests.handlers.pricing.conftest import LAUNCH, at, batch_event, deliver, instance_event, job


def test_a_jobs_attempt_its_instance_and_volume_are_recorded(account, table):
    account.add_instance("i-1", spot=True)
    assert deliver(batch_event(job("job-1", running=("i-1", 2)))) == []

    (use,) = table.attempt(LAUNCH, 1).jobs
    assert (use.instance_id, use.started_at, use.stopped_at) == ("i-1", at(2), None)
    assert (use.vcpus, use.memory_mib) == (Decimal(2), Decimal(4096))
    instance = table.instances(["i-1"])["i-1"]
    assert (instance.type, instance.zone, instance.is_spot) == ("m6i.large", "us-east-1a", True)
    assert (instance.vcpus, instance.memory_mib) == (Decimal(2), Decimal(7680))
    assert [(volume.type, volume.size_gib) for volume in instance.volumes] == [("gp3", 100)]


def test_any_order_and_any_repetition_give_the_same_record(account, table):
    account.add_instance("i-1")
    events = [
        batch_event(job("job-1", running=("i-1", 2))),
        batch_event(job("job-1", ("i-1", 2, 50))),
        instance_event("i-1", "shutting-down", 60),
        instance_event("i-1", "terminated", 61),
    ]
    seen = set()
    for order in itertools.permutations([*events, events[1]]):
        for event in order:
            assert deliver(event) == []
        usage = table.attempt(LAUNCH, 1)
        seen.add(json.dumps([repr(usage), repr(table.instances(["i-1"]))]))
    assert len(seen) == 1
    instance = table.instances(["i-1"])["i-1"]
    assert instance.stopped_at == at(60), "billing ends when it begins to shut down"
    (use,) = usage.jobs
    assert (use.started_at, use.stopped_at) == (at(2), at(50))


def test_each_attempt_of_a_job_is_an_item_of_its_own(account, table):
    account.add_instance("i-1", spot=True)
    account.add_instance("i-2", spot=True)
    deliver(batch_event(job("job-1", ("i-1", 2, 30), ("i-2", 40, 70))))

    assert [(use.instance_id, use.stopped_at) for use in table.attempt(LAUNCH, 1).jobs] == [
        ("i-1", at(30)),
        ("i-2", at(70)),
    ]


def test_a_spot_instance_that_was_taken_back_is_known_as_such(account, table):
    account.add_instance("i-1", spot=True)
    deliver(batch_event(job("job-1", running=("i-1", 2))))
    warning = {
        "detail-type": "EC2 Spot Instance Interruption Warning",
        "time": "2026-11-01T08:20:00Z",
        "detail": {"instance-id": "i-1", "instance-action": "terminate"},
    }
    deliver(warning, instance_event("i-1", "shutting-down", 22))

    instance = table.instances(["i-1"])["i-1"]
    assert instance.is_interrupted
    assert instance.stopped_at == at(22)


def test_instances_that_are_nobodys_launch_are_passed_over(account, table):
    account.add_instance("i-1", Tags=[{"Key": "project", "Value": "web"}])
    assert deliver(instance_event("i-1", "running", 1), instance_event("i-2", "terminated", 2)) == []
    assert table.instances(["i-1", "i-2"]) == {}


def test_an_instance_of_tibanna_is_recorded_by_the_job_that_its_name_tells(account, table):
    tags = [{"Key": "Type", "Value": "awsem"}, {"Key": "Name", "Value": "awsem-abc"}]
    account.add_instance("i-9", "m6i.xlarge", Tags=tags)
    deliver(instance_event("i-9", "running", 1))
    assert table.instances_of_tibanna(["abc", "def"]) == {"abc": "i-9"}
    assert table.instances(["i-9"])["i-9"].type == "m6i.xlarge"


def test_a_fargate_launcher_is_recorded_from_its_overrides(account, table):
    task = {
        "taskArn": "arn:aws:ecs:us-east-1:123456789012:task/genolaunch-test/0123",
        "launchType": "FARGATE",
        "group": "family:launcher",
        "cpu": "512",
        "memory": "2048",
        "pullStartedAt": "2026-11-01T08:00:00.000Z",
        "startedAt": "2026-11-01T08:01:00.000Z",
        "overrides": {
            "containerOverrides": [
                {"environment": [{"name": "LAUNCH_ID", "value": LAUNCH}, {"name": "ATTEMPT", "value": "1"}]}
            ]
        },
    }
    ended = {**task, "stoppedAt": "2026-11-01T09:00:00.000Z"}
    for detail in (ended, task):
        deliver({"detail-type": "ECS Task State Change", "detail": detail})
    (use,) = table.attempt(LAUNCH, 1).tasks
    assert (use.vcpus, use.memory_gib, use.started_at, use.stopped_at) == (
        Decimal("0.5"),
        Decimal(2),
        at(0),
        at(60),
    )


def test_one_bad_event_does_not_hold_up_the_others(account, table):
    account.add_instance("i-1")
    bad = {"detail-type": "Batch Job State Change", "detail": {"jobName": "x"}}
    broken = batch_event({**job("job-2", ("i-1", 1, 2)), "attempts": [{"container": {"taskArn": "a/b"}}]})
    assert deliver(bad, broken, batch_event(job("job-1", ("i-1", 2, 50)))) == ["1"]
    assert [use.job_id for use in table.attempt(LAUNCH, 1).jobs] == ["job-1"]


@pytest.mark.parametrize("count", [100])
def test_a_hundred_events_cost_a_handful_of_look_ups(account, table, count):
    account.add_instance("i-1")
    deliver(*(batch_event(job(f"job-{number}", running=("i-1", number))) for number in range(count)))
    assert sorted(account.calls) == ["DescribeContainerInstances", "DescribeInstances", "DescribeVolumes"]
