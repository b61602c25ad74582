"""A Snakemake launch priced as a whole, by each engine; every figure was computed by hand.

m6i.large costs 0.096 USD an hour On-Demand, 100 GiB of gp3 1/90 USD an hour (0.08 a month of 720 hours), Fargate
0.04048 a vCPU-hour and 0.004445 a GB-hour.
"""

import json
import re
from datetime import timedelta
from typing import Any

import boto3
import pytest

from genolaunch.contract.compute import ComputeService
from genolaunch.contract.launch import Status
from lambdas.pricing.rates.money import PriceError
from tests.handlers.pricing.conftest import (
    LAUNCH,
    START,
    Account,
    at,
    batch_event,
    deliver,
    instance_event,
    job,
    register,
)
from tests.handlers.pricing.test_pricing import collect, lines, price

LAUNCHER = "arn:aws:ecs:us-east-1:123456789012:task/genolaunch-test-launchers/0123"


def launcher(stop: float | None, start: float = 0) -> dict[str, Any]:
    """The launcher's task as ECS tells of it: half a vCPU and 2 GB, the image pulled from `start` on."""
    names = {"LAUNCH_ID": LAUNCH, "ATTEMPT": "1"}
    environment = [{"name": name, "value": value} for name, value in names.items()]
    ended = {} if stop is None else {"stoppedAt": at(stop).isoformat()}
    return {
        "taskArn": LAUNCHER,
        "launchType": "FARGATE",
        "group": "family:launcher",
        "cpu": "512",
        "memory": "2048",
        "pullStartedAt": at(start).isoformat(),
        "overrides": {"containerOverrides": [{"environment": environment}]},
        **ended,
    }


def task_event(stop: float | None) -> dict[str, Any]:
    return {"detail-type": "ECS Task State Change", "detail": launcher(stop)}


def submitted(**status: str) -> None:
    """Given: the launcher's list of the jobs that it submitted, by the ends of their ids."""
    jobs = [{"id": f"{OWN}{id_}", "name": f"{OWN}{id_}-rule-a", "status": each} for id_, each in status.items()]
    # And: one of another launch, whose instance its own launch pays.
    body = json.dumps({"jobs": [*jobs, {"id": OTHERS, "name": OTHERS, "status": "DONE"}]})
    boto3.client("s3").put_object(Bucket="results", Key=f"results/{LAUNCH}/launcher/jobs-1.json", Body=body.encode())


OWN = f"{LAUNCH}-1."
OTHERS = "other-20261101t080000-1a2b3c4d-1.abc"


def started_by_tibanna(account: Account, id_: str, job_id: str, *, spot: bool = False, **changes: Any) -> None:
    """Given: an instance with the tags of Tibanna's launch template, which tell of no launch."""
    tags = [{"Key": "Name", "Value": f"awsem-{job_id}"}, {"Key": "Type", "Value": "awsem"}]
    account.add_instance(id_, spot=spot, Tags=tags, **changes)


def of_tibanna(status: Status = Status.COMPLETE) -> None:
    register(status, computeService=str(ComputeService.EC2_SPOT), launcherTaskArn=LAUNCHER)


def test_tibannas_instances_are_the_launchs_whose_jobs_they_ran(account):
    # Given: a job on Spot; one that EC2 took back after half an hour and that ran again On-Demand; one without capacity
    of_tibanna()
    submitted(abc="DONE", lost="RESUBMITTED", again="DONE", none="FAILED")
    account.spot = [{"SpotPrice": "0.06", "Timestamp": START - timedelta(hours=1)}]
    started_by_tibanna(account, "i-a", f"{OWN}abc", spot=True)
    started_by_tibanna(account, "i-b", f"{OWN}lost", spot=True)
    started_by_tibanna(account, "i-c", f"{OWN}again", LaunchTime=at(35))
    # And: somebody else's job
    started_by_tibanna(account, "i-z", OTHERS)
    taken_back = {"detail-type": "EC2 Spot Instance Interruption Warning", "time": "2026-11-01T08:28:00Z"}
    deliver(
        task_event(None),
        *(instance_event(id_, "running", 0) for id_ in ("i-a", "i-b", "i-z")),
        instance_event("i-c", "running", 35),
        {**taken_back, "detail": {"instance-id": "i-b", "instance-action": "terminate"}},
        instance_event("i-b", "shutting-down", 30),
        instance_event("i-a", "shutting-down", 40),
        instance_event("i-z", "shutting-down", 90),
        instance_event("i-c", "shutting-down", 95),
        task_event(90),
    )
    account.instances.clear()  # EC2 has forgotten them all

    assert collect() == {"complete": True, "waitsFor": []}
    bill = price()

    # Then: 40 min of 0.06, 30 min that are free, 60 min of 0.096; 90 min of 0.5 × 0.04048 and of 2 × 0.004445
    # (0.040000 + 0.000000 + 0.096000) + (0.030360 + 0.013335)
    assert bill["instanceCost"] == "0.179695"
    # And: the volumes of all three, 40, 30 and 60 min of 1/90 USD an hour
    assert bill["volumeCost"] == "0.024074"  # 0.007407 + 0.005556 + 0.011111
    assert bill["filesystemCost"] == "0.000000"
    assert bill["totalCost"] == "0.203769"
    assert {line["resource"] for line in lines() if line["kind"] == "instance"} == {"i-a", "i-b", "i-c"}
    assert [line["note"] for line in lines() if "note" in line] == [
        "free: EC2 took the Spot instance back within its first hour"
    ]


def test_what_no_event_told_of_is_asked_of_ec2_and_ecs(account):
    of_tibanna(Status.FAILED)
    submitted(abc="FAILED")
    started_by_tibanna(account, "i-a", f"{OWN}abc")
    account.tasks["0123"] = launcher(None)
    assert set(collect()["waitsFor"]) == {"instance i-a", "task 0123"}
    account.tasks["0123"] = launcher(90)
    stopped = "User initiated (2026-11-01 09:00:00 GMT)"
    account.instances["i-a"] |= {"State": {"Name": "terminated"}, "StateTransitionReason": stopped}

    assert collect()["complete"]
    assert price()["totalCost"] == "0.150806"  # 0.096000 + 0.011111 + 0.030360 + 0.013335


def test_a_launcher_that_ecs_forgot_stopped_with_its_launch(account):
    register(computeService=str(ComputeService.EC2_SPOT), launcherTaskArn=LAUNCHER, endedAt="2026-11-01T09:30:00.000Z")
    deliver(task_event(None))
    assert collect()["complete"]
    assert price()["totalCost"] == "0.043695"


def test_a_job_that_succeeded_on_an_instance_that_nobody_saw_is_no_price(account):
    of_tibanna()
    submitted(abc="DONE")
    deliver(task_event(90))
    with pytest.raises(PriceError, match=rf"1 jobs of Tibanna's \({re.escape(OWN)}abc"):
        collect()


def test_jobs_of_the_engine_aws_batch_share_instances_as_regenies_do(account):
    # Given: two rules' jobs, of one vCPU each, at once on one instance, and the launcher beside them
    register(computeService=str(ComputeService.BATCH_ON_DEMAND), launcherTaskArn=LAUNCHER)
    submitted(**{"job-1": "DONE", "job-2": "DONE"})
    account.add_instance("i-1")
    other = "other-20261101t080000-1a2b3c4d"
    deliver(
        task_event(90),
        batch_event({**job("job-1", ("i-1", 0, 60), vcpus=1), "jobName": f"{LAUNCH}-1-align-1"}),
        batch_event({**job("job-2", ("i-1", 0, 60), vcpus=1), "jobName": f"{LAUNCH}-1-sort-2"}),
        batch_event(job("job-3", ("i-1", 30, 60), launch=other, vcpus=2)),
        instance_event("i-1", "shutting-down", 70),
    )
    assert collect()["complete"]
    bill = price()

    # Then: of 7,680 MiB and 2 vCPUs each job asks for 4,096 MiB (0.5333) or 1 vCPU (0.5): the larger part counts, so
    # job-3 (2 vCPUs: 1.0) has 1 / (2 × 0.5333 + 1) of half an hour, and by the same parts of the idle ten minutes.
    # Ours: 30 + 30 × 0.516129 + 10 × 0.516129 = 50.645161 min
    work, idle = (line for line in lines() if line["resource"] == "i-1")
    assert (work["amount"], idle["amount"]) == ("0.072774", "0.008258")
    assert bill["volumeCost"] == "0.009379"  # 50.645161 min of 1/90 USD an hour
    assert bill["totalCost"] == "0.134106"  # and the launcher's 0.030360 + 0.013335
