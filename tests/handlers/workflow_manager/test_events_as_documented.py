"""The functions of the workflow manager on events as AWS documents them, and on what AWS says may differ."""

import base64
import gzip
import json
from urllib.parse import quote_plus

import boto3
import pytest

from genolaunch.contract.launch import Status
from genolaunch.contract.tasks import TaskField
from lambdas.workflow_manager import parse_log, publish_schema, register_launch, settle_launch
from tests.documented_events import documented
from tests.handlers.workflow_manager.conftest import CONTEXT, GOOD, LAUNCH_BUCKET, PRINCIPAL

EXECUTION = "arn:aws:states:us-east-1:111122223333:execution:genolaunch-test-launch:one"


# --- S3's notifications, by SQS ------------------------------------------------------------------------------------
def notification(key, *, version=None, event="ObjectCreated:Put", without=()):
    """S3's notification of a put, as AWS shows it; S3 encodes keys as in a form."""
    sample = documented(
        "s3-notification",
        Records__0__eventName=event,
        Records__0__userIdentity__principalId=PRINCIPAL,
        Records__0__s3__bucket__name=LAUNCH_BUCKET,
        Records__0__s3__object__key=quote_plus(key, safe="/"),
    )
    entity = sample["Records"][0]["s3"]["object"]
    entity["versionId"] = version
    for name in without:
        del entity[name]
    return sample


def register(*bodies):
    batch = documented("lambda-sqs-batch")
    (message,) = batch["Records"]
    batch["Records"] = [
        {**message, "messageId": f"m{number}", "body": json.dumps(body)} for number, body in enumerate(bodies)
    ]
    return register_launch.handler(batch, CONTEXT)


def created(key, **changes):
    """EventBridge's event of a put, as AWS shows it; here keys are not encoded."""
    return documented(
        "s3-object-created",
        detail__bucket__name=LAUNCH_BUCKET,
        detail__object__key=key,
        time="2026-11-21T04:00:00Z",
        **changes,
    )


def put(key, body=GOOD):
    return boto3.client("s3").put_object(Bucket=LAUNCH_BUCKET, Key=key, Body=body)


@pytest.mark.parametrize(
    "key",
    [
        "launches/height.yaml",
        "launches/ada's height + weight.yaml",
        "launches/100%25 größe (äöü) 身長=1&b.yaml",
        "launches/2026/11/21/a+b.json.yaml",
    ],
)
def test_a_dropped_file_is_registered_whatever_its_key(platform, key):
    version = put(key)["VersionId"]

    assert register(notification(key, version=version)) == {"batchItemFailures": []}

    (launch,) = platform.launches()
    assert (launch.status, launch.requested_by) == (Status.SUBMITTED, PRINCIPAL)
    assert launch.config_uri == f"s3://{LAUNCH_BUCKET}/{key}"


@pytest.mark.parametrize("without", [(), ("versionId",), ("versionId", "sequencer"), ("versionId", "size")])
def test_of_a_bucket_without_versions_each_put_is_a_launch_and_its_repetition_is_none(platform, without):
    # Given: "null or not present if the bucket isn't versioning-enabled" (Event message structure)
    s3 = boto3.client("s3")
    s3.put_bucket_versioning(Bucket=LAUNCH_BUCKET, VersioningConfiguration={"Status": "Suspended"})
    etag = put("launches/height.yaml")["ETag"].strip('"')
    event = notification("launches/height.yaml", without=without)
    event["Records"][0]["s3"]["object"]["eTag"] = etag

    assert register(event, event) == {"batchItemFailures": []}
    assert register(event) == {"batchItemFailures": []}

    assert len(platform.launches()) == 1


def test_a_test_message_and_what_is_no_put_are_nobodys_launch(platform):
    put("launches/height.yaml")
    others = ["ObjectRemoved:DeleteMarkerCreated", "ObjectRemoved:Delete", "ObjectRestore:Completed"]

    answer = register(
        documented("s3-test-notification"), *(notification("launches/height.yaml", event=other) for other in others)
    )

    assert answer == {"batchItemFailures": []}
    assert platform.launches() == []


def test_one_message_that_is_no_notification_does_not_hold_up_the_others(platform):
    version = put("launches/height.yaml")["VersionId"]

    answer = register({"something": "else"}, notification("launches/height.yaml", version=version))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert len(platform.launches()) == 1


# --- S3's events, by EventBridge and SQS ---------------------------------------------------------------------------
@pytest.mark.parametrize("key", ["gwas.yaml", "Launches/100%25 größe (äöü) 身長=1&b+c.yaml", "launch/a b.yaml"])
def test_a_file_where_nothing_belongs_is_told_where_it_does_whatever_its_key(platform, key):
    put(key)

    assert register(created(key)) == {"batchItemFailures": []}

    assert platform.launches() == []
    assert platform.feedback_keys() == [f"feedback/{key}.json"]
    answer = platform.feedback(f"feedback/{key}.json")
    (fault,) = answer["faults"]
    assert f"Put it to launches/{key.rpartition('/')[2]};" in fault["remedy"]
    assert (answer["launchId"], answer["accepted"], answer["status"]) == (None, False, Status.REJECTED)
    sample = documented("s3-object-created")["detail"]["object"]
    assert answer["object"] == {
        "bucket": LAUNCH_BUCKET,
        "key": key,
        "versionId": sample["version-id"],
        "etag": sample["etag"],
        "sequencer": sample["sequencer"],
    }


def test_a_stray_of_a_bucket_without_versions_is_answered_all_the_same(platform):
    # Given: "version-id" and "etag" are not in events of all buckets
    event = created("gwas.yaml")
    for name in ("version-id", "etag"):
        del event["detail"]["object"][name]

    assert register(event, event) == {"batchItemFailures": []}

    assert platform.feedback("feedback/gwas.yaml.json")["object"]["versionId"] is None


@pytest.mark.parametrize("key", ["feedback/gwas.yaml.json", "schema/launch.json", "inputs/a.json", "configs/"])
def test_what_belongs_where_it_is_and_a_folders_marker_are_not_answered(platform, key):
    assert register(created(key)) == {"batchItemFailures": []}

    assert platform.feedback_keys() == []
    assert platform.launches() == []


# --- Step Functions' ends of executions ----------------------------------------------------------------------------
@pytest.fixture
def running(platform):
    """Given: a launch that an execution works on."""
    version = put("launches/height.yaml")["VersionId"]
    register(notification("launches/height.yaml", version=version))
    (launch,) = platform.launches()
    platform.repository.claim(launch.launch_id, EXECUTION)
    return launch.launch_id


@pytest.mark.parametrize(
    ("ending", "status", "error"),
    [
        ("succeeded", Status.FAILED, "PlatformError"),  # it left the launch RUNNING
        ("failed", Status.FAILED, "PlatformError"),
        ("timed-out", Status.FAILED, "TimedOutError"),
        ("aborted", Status.FAILED, "StoppedError"),
    ],
)
def test_however_an_execution_ended_the_table_tells_it(platform, running, ending, status, error):
    event = documented(
        f"states-execution-{ending}",
        detail__executionArn=EXECUTION,
        detail__input=json.dumps([{"launchId": running, "status": "SUBMITTED"}]),
    )

    assert settle_launch.handler(event["detail"], CONTEXT) == {"launchId": running, "endedAttempt": 1}

    launch = platform.repository.get(running)
    assert launch.status is status
    assert launch.error["type"] == error
    assert "None" not in launch.error["message"]


def test_an_event_whose_input_was_too_large_to_be_in_it_settles_nothing(platform, running):
    # "the input will be excluded" (developer guide): lost_endings finds the launch
    event = documented("states-execution-failed", detail__executionArn=EXECUTION)
    event["detail"].update(input=None, inputDetails={"included": False})

    assert settle_launch.handler(event["detail"], CONTEXT) == {"launchId": None, "endedAttempt": 0}
    assert platform.repository.get(running).status is Status.RUNNING


# --- CloudWatch Logs -----------------------------------------------------------------------------------------------
def read_log(batch):
    parse_log.settings.cache_clear()
    data = base64.b64encode(gzip.compress(json.dumps(batch).encode())).decode()
    parse_log.handler({"awslogs": {"data": data}}, CONTEXT)


def test_a_line_that_names_an_error_is_kept(platform):
    stream = "height-20261121t040000-1a2b3c4d-1/default/0123abcd"
    read_log(
        documented(
            "logs-subscription",
            logGroup="/genolaunch/test/jobs",
            logStream=stream,
            logEvents__0__message="write: No space left on device",
        )
    )

    (task,) = platform.repository.tasks("height-20261121t040000-1a2b3c4d")
    assert task[TaskField.ERROR_TYPE] == "NoSpaceLeftError"
    assert (task[TaskField.LOG_GROUP], task[TaskField.LOG_STREAM]) == ("/genolaunch/test/jobs", stream)


def test_the_trial_of_a_subscription_leaves_nothing(platform):
    read_log(documented("logs-control-message"))

    assert boto3.resource("dynamodb").Table(platform.repository.task_table).scan()["Items"] == []


# --- CloudFormation and schedules ----------------------------------------------------------------------------------
@pytest.mark.parametrize("sample", ["cloudformation-stack-status-change", "events-scheduled"])
def test_the_schema_is_put_after_a_deployment_and_on_schedule(platform, monkeypatch, sample):
    monkeypatch.setenv("LAUNCH_BUCKET", LAUNCH_BUCKET)
    publish_schema.settings.cache_clear()

    publish_schema.handler(documented(sample), CONTEXT)

    answer = boto3.client("s3").get_object(Bucket=LAUNCH_BUCKET, Key="schema/launch.json")
    assert json.loads(answer["Body"].read())["title"] == "Genolaunch launch config"
