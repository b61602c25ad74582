"""Dead letters of a deployed stage, tried again by `genolaunch redrive`: each kind does what was missed, once."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genolaunch.contract.settings import Parameter
from tests.local.platform_client import PlatformClient, eventually

pytestmark = pytest.mark.local

FAULTY = "name: redriven\n"


@pytest.fixture
def redrive(platform: PlatformClient) -> Callable[..., list[dict[str, Any]]]:
    """`genolaunch redrive`, with what it tells programs; the dead letters that other tests made are gone."""
    for url in platform.client("sqs").list_queues()["QueueUrls"]:
        if "DeadLetters" in url or "LostEndings" in url:
            platform.client("sqs").purge_queue(QueueUrl=url)

    def call(*options: str) -> list[dict[str, Any]]:
        done = subprocess.run(
            [str(Path(sys.executable).with_name("genolaunch")), "--stage", "local", "redrive", "--json", *options],
            env={**os.environ, **platform.environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        told: list[dict[str, Any]] = json.loads(done.stdout)
        return told

    return call


def the_one(told: list[dict[str, Any]]) -> dict[str, Any]:
    """The one kind of dead letter that there is: another test's would be redriven, too."""
    assert len(told) == 1, told
    return told[0]


def missed(platform: PlatformClient, queue: str, body: object, **target: str) -> None:
    """Given: a dead letter."""
    attributes = {name: {"DataType": "String", "StringValue": value} for name, value in target.items()}
    platform.client("sqs").send_message(
        QueueUrl=platform.queue_url(queue), MessageBody=json.dumps(body), MessageAttributes=attributes
    )


def test_a_file_whose_registration_was_given_up_is_answered(platform: PlatformClient, redrive):
    # Given: a file whose notification nobody could handle, and its answer is not there
    key = f"launches/{uuid.uuid4().hex}.yaml"
    answered = platform.drop(FAULTY, key)["object"]
    bucket = platform.name(Parameter.LAUNCH_BUCKET)
    platform.s3.delete_object(Bucket=bucket, Key=f"feedback/{key.removeprefix('launches/')}.json")
    entity = {
        "key": key,
        "eTag": answered["etag"],
        "versionId": answered["versionId"],
        "sequencer": answered["sequencer"],
    }
    record = {
        "eventName": "ObjectCreated:Put",
        "eventTime": "2026-11-21T04:00:00.000Z",
        "userIdentity": {"principalId": "AWS:ada"},
        "s3": {"bucket": {"name": bucket}, "object": entity},
    }
    missed(platform, "RegistrationsDeadLetters", {"Records": [record]})

    told = the_one(redrive("--dry-run"))
    assert (told["count"], told["action"]) == (1, "moved back to their queue")
    told = the_one(redrive())

    assert (told["count"], told["failure"]) == (1, None)
    answer = eventually(lambda: platform.answer(key, accepted=False), f"an answer to {key}")
    assert answer["object"]["sequencer"] == answered["sequencer"]
    assert redrive() == []


def test_an_ending_that_clean_up_missed_is_cleaned_up(platform: PlatformClient, redrive):
    cleanup = next(
        machine["stateMachineArn"]
        for machine in platform.states.list_state_machines()["stateMachines"]
        if machine["name"].endswith("-cleanup")
    )
    launch_id = f"nobody-20261121t040000-{uuid.uuid4().hex[:8]}"
    detail = {
        "executionArn": "arn:aws:states:none",
        "status": "ABORTED",
        "input": json.dumps([{"launchId": launch_id}]),
    }
    missed(platform, "LostEndings", {"detail": detail}, TARGET_ARN=cleanup)

    told = the_one(redrive())

    assert told["action"] == "1 tried again"

    def cleaned() -> bool:
        found = platform.states.list_executions(stateMachineArn=cleanup)["executions"]
        given = [platform.states.describe_execution(executionArn=each["executionArn"]) for each in found]
        return any(launch_id in each["input"] and each["status"] == "SUCCEEDED" for each in given)

    eventually(cleaned, "clean-up of the ending")
    assert redrive() == []


def test_a_request_that_the_pipe_gave_up_is_started_from_the_table(platform: PlatformClient, redrive):
    pointer = {"DDBStreamBatchInfo": {"shardId": "shard", "startSequenceNumber": "1", "endSequenceNumber": "1"}}
    missed(platform, "workflow-manager-RequestsDeadLetters", pointer)

    told = redrive()

    assert "1 tried again" in [each["action"] for each in told]
    assert redrive() == []


def test_of_three_quick_puts_the_last_ones_answer_stays(platform: PlatformClient):
    key = f"launches/{uuid.uuid4().hex}.yaml"
    bucket = platform.name(Parameter.LAUNCH_BUCKET)
    puts = [
        platform.s3.put_object(Bucket=bucket, Key=key, Body=f"name: quick-{number}\n".encode()) for number in range(3)
    ]

    def all_are_registered() -> bool:
        uris = [launch.get("configUri") for launch in platform.all_launches()]
        return uris.count(f"s3://{bucket}/{key}") == len(puts)

    eventually(all_are_registered, "a rejected launch of each put")

    answer = eventually(lambda: platform.answer(key, accepted=False), f"an answer to {key}")
    assert answer["object"]["versionId"] == puts[-1]["VersionId"]
