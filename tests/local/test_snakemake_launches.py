"""Snakemake launches from the drop to the end: queue, broker, ECS and notifier; what runs in the task is elsewhere."""

import json
import uuid
from typing import Any

import pytest

from genolaunch.contract.settings import Parameter
from tests.local.notices import notices_queue
from tests.local.platform_client import PlatformClient, eventually

pytestmark = pytest.mark.local

SNAKEFILE = "rule all:\n    output: 'done.txt'\n    shell: 'echo done > {output}'\n"
NO_INTERFACE = "Timeout waiting for network interface provisioning to complete."


def drop(platform: PlatformClient, name: str) -> None:
    """When: a Snakefile of that name is dropped, with nothing beside it."""
    platform.s3.put_object(
        Bucket=platform.name(Parameter.LAUNCH_BUCKET), Key=f"snakefiles/{name}/Snakefile", Body=SNAKEFILE
    )


def new_name() -> str:
    return f"s{uuid.uuid4().hex[:8]}"


def launch_of(platform: PlatformClient, name: str) -> str:
    """The id in the answer to a dropped Snakefile that was accepted."""
    found = answer_to(platform, name)
    assert found["accepted"], found
    launch_id: str = found["launchId"]
    return launch_id


def answer_to(platform: PlatformClient, name: str) -> dict[str, Any]:
    """To a dropped Snakefile. It is amended when the launch is rejected later, which may be very soon."""

    def answer() -> dict[str, Any] | None:
        key = f"feedback/snakefiles/{name}/Snakefile.json"
        try:
            body = platform.s3.get_object(Bucket=platform.name(Parameter.LAUNCH_BUCKET), Key=key)["Body"].read()
        except platform.s3.exceptions.NoSuchKey:
            return None
        found: dict[str, Any] = json.loads(body)
        return found

    return eventually(answer, f"an answer to {name}")


def tasks_of(platform: PlatformClient, launch_id: str) -> list[dict[str, Any]]:
    """ECS's tasks of the launch's first attempt, oldest first."""
    ecs = platform.client("ecs")
    arns = [
        arn
        for desired in ("RUNNING", "STOPPED")
        for arn in ecs.list_tasks(
            cluster="genolaunch-local-launchers", startedBy=f"{launch_id}-1", desiredStatus=desired
        )["taskArns"]
    ]
    if not arns:
        return []
    found: list[dict[str, Any]] = ecs.describe_tasks(cluster="genolaunch-local-launchers", tasks=arns)["tasks"]
    return sorted(found, key=lambda task: task["createdAt"])


def queue_url(platform: PlatformClient, *words: str) -> str:
    """URL of the only queue of the snakemake stack whose name has these words."""
    urls = platform.client("sqs").list_queues()["QueueUrls"]
    (url,) = [url for url in urls if "snakemake" in url and all(word in url for word in words)]
    return str(url)


def received(platform: PlatformClient, url: str, text: str) -> dict[str, Any]:
    """Then: a message with that text comes to the queue."""

    def look() -> dict[str, Any] | None:
        answer = platform.client("sqs").receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=1
        )
        return next((m for m in answer.get("Messages", []) if text in m["Body"]), None)

    return eventually(look, f"a message with {text!r}")


def test_a_dropped_snakefile_runs_to_its_end(platform: PlatformClient):
    name = new_name()
    platform.inject_ecs(f"{name}-*", exit_code=0)

    drop(platform, name)
    launch_id = launch_of(platform, name)
    launch = platform.complete(launch_id)

    assert (launch["workflow"], launch["computeService"]) == ("snakemake", "ec2-spot")
    (task,) = tasks_of(platform, launch_id)
    # The event by which this is known may come after that of the task's end.
    eventually(lambda: "launcherTaskArn" in platform.launch(launch_id), "where its launcher ran")
    launch = platform.launch(launch_id)
    assert launch["launcherTaskArn"] == task["taskArn"]
    assert launch["logStream"] == f"launcher/launcher/{task['taskArn'].rpartition('/')[2]}"
    sheet = json.loads(platform.result(launch_id, "launcher/run-1.json"))
    data = platform.name(Parameter.DATA_BUCKET)
    assert (sheet["remotePrefix"], sheet["snakefile"]) == (f"{data}/{name}", "Snakefile")
    assert platform.result(launch_id, "launcher/sources-1/Snakefile").decode() == SNAKEFILE
    platform.assert_clean(launch_id)


def test_where_volumes_are_not_encrypted_the_launch_is_rejected_before_anything_is_made(platform: PlatformClient):
    name = new_name()
    ec2 = platform.client("ec2")
    ec2.disable_ebs_encryption_by_default()
    try:
        drop(platform, name)
        launch_id = answer_to(platform, name)["launchId"]
        launch = platform.wait_for(launch_id)
    finally:
        ec2.enable_ebs_encryption_by_default()

    assert launch["status"] == "REJECTED", launch
    assert "aws ec2 enable-ebs-encryption-by-default --region us-east-1" in json.dumps(launch["error"])
    assert tasks_of(platform, launch_id) == []
    platform.assert_clean(launch_id)


def test_run_task_is_throttled_twenty_times_and_the_launch_runs(platform: PlatformClient):
    name = new_name()
    platform.inject_ecs(f"{name}-*", exit_code=0)
    platform.refuse_tasks("Rate exceeded", code="ThrottlingException", times=20)

    drop(platform, name)

    platform.complete(launch_of(platform, name))


@pytest.mark.parametrize("reason", ["RESOURCE:ENI", "Capacity is unavailable at this time. Please try again later"])
def test_a_lack_of_capacity_is_waited_out(platform: PlatformClient, reason: str):
    name = new_name()
    platform.inject_ecs(f"{name}-*", exit_code=0)
    platform.refuse_tasks(reason, times=7)

    drop(platform, name)

    platform.complete(launch_of(platform, name))


def test_a_message_that_cannot_be_mended_is_kept_and_told_of(platform: PlatformClient):
    heard = notices_queue(platform)
    launch_id = new_name()
    message = {"launchId": launch_id, "attempt": 1, "taskToken": "t", "subnets": ["subnet-?"], "container": "other"}

    platform.client("sqs").send_message(QueueUrl=queue_url(platform, "LaunchesQueue"), MessageBody=json.dumps(message))

    kept = received(platform, queue_url(platform, "LaunchesDeadLetters"), launch_id)
    reason = kept["MessageAttributes"]["reason"]["StringValue"]
    assert reason.startswith("InvalidArguments: ")
    assert "subnets must be 1 to 16 ids of subnets" in reason
    assert "container must be launcher" in reason
    assert "securityGroups" in reason
    assert "InvalidArguments" in received(platform, heard, "was not started")["Body"]


def test_what_ecs_refuses_for_good_fails_the_launch_at_once_with_the_reason(platform: PlatformClient):
    name = new_name()
    platform.refuse_tasks("The subnet ID 'subnet-1' does not exist", code="InvalidParameterException")

    drop(platform, name)

    launch = platform.wait_for(launch_of(platform, name))
    assert launch["status"] == "FAILED"
    assert launch["error"]["type"] == "InvalidArguments"
    assert "does not exist" in launch["error"]["message"]


def test_a_task_without_network_is_started_again(platform: PlatformClient):
    name = new_name()
    platform.inject_ecs(f"{name}-*", stopped_reason=NO_INTERFACE)
    platform.inject_ecs(f"{name}-*", exit_code=0)

    drop(platform, name)
    launch_id = launch_of(platform, name)
    launch = platform.complete(launch_id)

    first, second = tasks_of(platform, launch_id)
    assert first["stoppedReason"] == NO_INTERFACE
    assert launch["launcherTaskArn"] == second["taskArn"]


def test_a_launcher_that_dies_fails_its_launch_and_a_retry_starts_another(platform: PlatformClient):
    name = new_name()
    platform.inject_ecs(f"{name}-*-1", exit_code=137)
    drop(platform, name)
    launch_id = launch_of(platform, name)
    failed = platform.wait_for(launch_id)
    assert (failed["status"], failed["error"]["type"]) == ("FAILED", "StoppedError")
    platform.assert_clean(launch_id)

    platform.inject_ecs(f"{name}-*-2", exit_code=0)
    platform.set_status(launch_id, "RETRY")

    eventually(lambda: platform.launch(launch_id).get("attempt") == 2, "a second attempt")
    platform.complete(launch_id)


def test_a_cancelled_launch_stops_its_launcher(platform: PlatformClient):
    name = new_name()
    platform.inject_ecs(f"{name}-*", exit_code=0, seconds=300.0)
    drop(platform, name)
    launch_id = launch_of(platform, name)
    eventually(lambda: platform.launch(launch_id).get("launcherTaskArn"), "a launcher")

    platform.set_status(launch_id, "CANCEL_REQUESTED")

    assert platform.wait_for(launch_id, "CANCELLED")
    eventually(lambda: all(t["lastStatus"] == "STOPPED" for t in tasks_of(platform, launch_id)), "a stopped task")
    platform.assert_clean(launch_id)


def test_a_launcher_that_vanishes_without_an_event_is_found_out(platform: PlatformClient):
    name = new_name()
    platform.inject_ecs(f"{name}-*", exit_code=1, vanishes=True)
    drop(platform, name)
    launch_id = launch_of(platform, name)
    eventually(lambda: platform.launch(launch_id).get("launcherTaskArn"), "a launcher")
    eventually(lambda: not tasks_of(platform, launch_id), "a task that is gone")
    platform.set_fields(launch_id, startedAt="2026-01-01T00:00:00.000Z")  # the look leaves newer ones alone

    platform.client("lambda").invoke(FunctionName="genolaunch-local-snakemake-watch-launchers", Payload=b"{}")

    launch = platform.wait_for(launch_id)
    assert (launch["status"], launch["error"]["type"]) == ("FAILED", "StoppedError")


@pytest.mark.parametrize("count", [40, pytest.param(200, marks=pytest.mark.full)])
def test_of_many_snakefiles_dropped_at_once_none_is_lost(platform: PlatformClient, count: int):
    burst = f"b{uuid.uuid4().hex[:6]}"
    platform.inject_ecs(f"{burst}*", exit_code=0, times=count)
    platform.refuse_tasks("Rate exceeded", code="ThrottlingException", times=count // 4)

    for number in range(count):
        drop(platform, f"{burst}x{number}")

    def over() -> list[dict[str, Any]]:
        launches = [each for each in platform.all_launches() if each.get("name", "").startswith(burst)]
        return launches if len(launches) == count and all("endedAt" in each for each in launches) else []

    # Of functions that a busy machine keeps from answering in time, the messages come again minutes later.
    launches = eventually(over, f"{count} launches that are over", pause=2)
    assert {each["status"] for each in launches} == {"COMPLETE"}
    assert len({each["launcherTaskArn"] for each in launches}) == count
