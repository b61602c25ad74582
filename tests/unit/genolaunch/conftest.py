"""A stage as its stacks would deploy it (moto), and stand-ins for what moto cannot play: Batch and Step Functions."""

import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from io import StringIO
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from genolaunch.cli import app
from genolaunch.commands import options
from genolaunch.contract.compute import ComputeService
from genolaunch.contract.launch import STATUS_INDEX
from genolaunch.contract.launch_bucket import REQUESTS_PREFIX
from genolaunch.contract.settings import Parameter, parameter_name
from genolaunch.contract.tasks import JOB_TASK_PREFIX
from genolaunch.launch_configs.config_reader import check_config
from genolaunch.platform import Platform
from genolaunch.shared import aws as function_clients
from lambdas.workflow_manager import answer_requests

CONTEXT: Any = SimpleNamespace(
    function_name="function",
    memory_limit_in_mb=256,
    invoked_function_arn="arn:aws:lambda:eu-west-1:123456789012:function:function",
    aws_request_id="request",
)

CONFIG = check_config(
    {
        "name": "height",
        "workflow": "regenie",
        "data": "cohort",
        "regenie": {
            "genotypes": "cohort.bed",
            "phenotypes": "phenotypes.txt",
            "traits": ["height"],
            "trait_type": "quantitative",
        },
    }
).as_json()
"""Of a launch that was accepted."""

STAGE = "dev"
NAMES = {
    Parameter.LAUNCH_BUCKET: "launch-bucket-1",
    Parameter.DATA_BUCKET: "data-bucket-1",
    Parameter.RESULTS_BUCKET: "results-bucket-1",
    Parameter.LAUNCH_TABLE: "launches",
    Parameter.TASK_TABLE: "launch_tasks",
    Parameter.LAUNCH_STATE_MACHINE: "arn:aws:states:eu-west-1:1:stateMachine:launch",
    Parameter.JOB_QUEUES: '["arn:queue/high", "arn:queue/low"]',
    Parameter.JOB_LOG_GROUP: "/genolaunch/dev/jobs",
    Parameter.BENCHMARK_STATE_MACHINE: "arn:aws:states:eu-west-1:1:stateMachine:benchmark",
    Parameter.EVENT_BUS: "genolaunch-dev",
}


class FakeBatch:
    """ListJobs and DescribeJobs over given job details; counts the calls by queue."""

    def __init__(self, jobs_of_queue: dict[str, list[dict[str, Any]]], children: list[dict[str, Any]] | None = None):
        self.jobs_of_queue = jobs_of_queue
        self.children = children or []
        self.asked_queues: list[str] = []
        self.described: list[int] = []

    def get_paginator(self, operation):
        assert operation == "list_jobs"
        return self

    def paginate(self, **request):
        if "arrayJobId" in request:
            found = [
                child
                for child in self.children
                if child["jobId"].startswith(f"{request['arrayJobId']}:") and child["status"] == request["jobStatus"]
            ]
        else:
            queue = request["jobQueue"]
            self.asked_queues.append(queue)
            prefix = request["filters"][0]["values"][0].removesuffix("*")
            found = [job for job in self.jobs_of_queue.get(queue, []) if job["jobName"].startswith(prefix)]
        # Newest first, and an empty page, as Batch may answer.
        yield {"jobSummaryList": []}
        yield {"jobSummaryList": list(reversed(found))}

    def describe_jobs(self, *, jobs):
        assert len(jobs) <= 100
        self.described.append(len(jobs))
        known = [job for each in self.jobs_of_queue.values() for job in each] + self.children
        return {"jobs": [job for job in known if job["jobId"] in jobs]}


class FakeStepFunctions:
    """GetExecutionHistory over given events, in pages of two."""

    class exceptions:  # noqa: N801 - botocore's name
        class ExecutionDoesNotExist(Exception):  # noqa: N818 - botocore's name
            pass

    def __init__(self, events: list[dict[str, Any]] | None):
        self.events = events

    def get_paginator(self, operation):
        assert operation == "get_execution_history"
        return self

    def paginate(self, **request):
        if self.events is None:
            raise self.exceptions.ExecutionDoesNotExist
        for start in range(0, len(self.events), 2):
            yield {"events": self.events[start : start + 2]}


class History:
    """Writes an execution history, one second between two events."""

    START = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)

    def __init__(self):
        self.events: list[dict[str, Any]] = []
        self.add("ExecutionStarted")

    def add(self, kind, after=None, **details):
        number = len(self.events) + 1
        self.events.append(
            {
                "id": number,
                "previousEventId": number - 1 if after is None else after,
                "type": kind,
                "timestamp": self.START + timedelta(seconds=number),
                **details,
            }
        )
        return number

    def enter(self, name, kind="Task", after=None):
        return self.add(f"{kind}StateEntered", after, stateEnteredEventDetails={"name": name})

    def leave(self, name, kind="Task", after=None):
        return self.add(f"{kind}StateExited", after, stateExitedEventDetails={"name": name})

    def visit(self, name):
        self.enter(name)
        self.add("TaskSucceeded")
        self.leave(name)


class StageContent:
    """Puts things where the platform would put them."""

    def __init__(self, platform: Platform):
        self.platform = platform

    def launch(self, launch_id="height-1", status="RUNNING", submitted="2026-11-21T04:00:00.000Z", **attributes):
        item = {
            "launchId": {"S": launch_id},
            "name": {"S": "height"},
            "status": {"S": status},
            "submittedAt": {"S": submitted},
            "attempt": {"N": "1"},
            **attributes,
        }
        self.platform.dynamodb.put_item(TableName="launches", Item=item)

    def failed_job(self, name, index=0, job_id="j-1", stream="", tail="", launch_id="height-1"):
        item = {
            "launchId": {"S": launch_id},
            "taskId": {"S": f"{JOB_TASK_PREFIX}{name}#{index}"},
            "jobName": {"S": name},
            "jobId": {"S": job_id},
            "errorType": {"S": "ApplicationError"},
            "reason": {"S": "Essential container in task exited"},
            "exitCode": {"N": "1"},
            "logStream": {"S": stream},
            "logTail": {"S": tail},
        }
        self.platform.dynamodb.put_item(TableName="launch_tasks", Item=item)

    def result(self, path, body=b"x", launch_id="height-1"):
        self.platform.s3.put_object(Bucket="results-bucket-1", Key=f"results/{launch_id}/{path}", Body=body)

    def log(self, stream, *lines, group="/genolaunch/dev/jobs"):
        """Each line is (milliseconds since 1970, text)."""
        logs = self.platform.logs
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        logs.put_log_events(
            logGroupName=group,
            logStreamName=stream,
            logEvents=[{"timestamp": at, "message": text} for at, text in lines],
        )


def job(job_id, name, status="RUNNING", created=0, stream=None, group="/genolaunch/dev/jobs", **array):
    """A job detail as DescribeJobs gives it."""
    detail = {"jobId": job_id, "jobName": name, "status": status, "createdAt": created}
    if stream:
        log = {"logDriver": "awslogs", "options": {"awslogs-group": group}}
        detail["container"] = {"logStreamName": stream, "logConfiguration": log}
    if array:
        detail["arrayProperties"] = array
    return detail


@pytest.fixture(scope="session")
def session() -> boto3.Session:
    """One session for all tests: it keeps the service models that it has read, which takes most of a client's time."""
    return boto3.Session("test", "test", region_name="eu-west-1")


@pytest.fixture
def aws(monkeypatch) -> Iterator[None]:
    """An empty account in one region."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "GENOLAUNCH_STAGE", "GENOLAUNCH_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    with mock_aws():
        yield


@pytest.fixture
def requests_function(aws, session, monkeypatch):
    """The platform's own function for requests, which S3 tells of what is put; its callers are called `principals`."""
    environment = {
        "LAUNCH_TABLE": "launches",
        "DATA_BUCKET": "data-bucket-1",
        "COMPUTE_SERVICES": ",".join(ComputeService),
        "POWERTOOLS_METRICS_NAMESPACE": "genolaunch",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for cached in (function_clients.client, answer_requests.settings):
        cached.cache_clear()
    yield RequestsFunction()
    function_clients.client.cache_clear()


class RequestsFunction:
    """Plays S3's notification of a put to the function that answers requests."""

    def __init__(self):
        self.principal = "AWS:AROAEXAMPLE:ada"

    def hear(self, http_response, parsed, model, context, **_):  # botocore's event `after-call`
        key = context.get("put")
        if key and key.startswith(REQUESTS_PREFIX):
            self.deliver(key, parsed["ETag"].strip('"'))

    def deliver(self, key, etag):
        entity = {"key": key, "eTag": etag, "sequencer": "1"}
        record = {
            "eventName": "ObjectCreated:Put",
            "eventTime": "2026-11-21T04:00:00.000Z",
            "userIdentity": {"principalId": self.principal},
            "s3": {"bucket": {"name": "launch-bucket-1"}, "object": entity},
        }
        message = {"messageId": "1", "body": json.dumps({"Records": [record]})}
        with redirect_stdout(StringIO()):  # its metrics are none of the command's
            answer = answer_requests.handler({"Records": [message]}, CONTEXT)
        assert answer == {"batchItemFailures": []}


def remember_key(params, context, **_):
    """Botocore's event `before-parameter-build`."""
    context["put"] = params["Key"]


@pytest.fixture
def platform(aws, session, requests_function) -> Platform:
    """A deployed stage without launches."""
    platform = Platform(STAGE, session)
    for bucket in ("launch-bucket-1", "data-bucket-1", "results-bucket-1"):
        platform.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    _create_tables(platform.dynamodb)
    platform.s3.meta.events.register("before-parameter-build.s3.PutObject", remember_key)
    platform.s3.meta.events.register("after-call.s3.PutObject", requests_function.hear)
    # AWS always interleaves the streams by time; moto does when asked.
    platform.logs.meta.events.register(
        "provide-client-params.logs.FilterLogEvents", lambda params, **_: params.update(interleaved=True)
    )
    platform.logs.create_log_group(logGroupName="/genolaunch/dev/jobs")
    ssm = session.client("ssm")
    for parameter, value in NAMES.items():
        ssm.put_parameter(Name=parameter_name(STAGE, parameter), Value=value, Type="String")
    platform.batch = FakeBatch({})  # type: ignore[assignment]  # a stand-in
    platform.stepfunctions = FakeStepFunctions([])  # type: ignore[assignment]  # a stand-in
    return platform


@pytest.fixture
def genolaunch(platform, session, monkeypatch):
    """Runs the command against the deployed stage; any other stage is not deployed. Nobody really waits."""
    stages = {STAGE: platform}
    monkeypatch.setattr(options, "Platform", lambda stage: stages.get(stage) or Platform(stage, session))
    monkeypatch.setattr("time.sleep", lambda seconds: None)

    def run(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="genolaunch")

    return run


@pytest.fixture
def content(platform) -> StageContent:
    return StageContent(platform)


def _create_tables(dynamodb):
    def attribute(name):
        return {"AttributeName": name, "AttributeType": "S"}

    def keys(*names):
        return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"), strict=False)]

    dynamodb.create_table(
        TableName="launches",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[attribute("launchId"), attribute("status"), attribute("submittedAt")],
        KeySchema=keys("launchId"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": STATUS_INDEX,
                "KeySchema": keys("status", "submittedAt"),
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    dynamodb.create_table(
        TableName="launch_tasks",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[attribute("launchId"), attribute("taskId")],
        KeySchema=keys("launchId", "taskId"),
    )
