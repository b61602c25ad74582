"""What the embedded cloud adds to ministack, on a server of its own with fake Batch and FSx: no CDK, a few seconds."""

import getpass
import json
import time
import uuid
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from genolaunch import dead_letters
from genolaunch.contract.project import TAG_DEAD_LETTERS
from tests.documented_events import differences, documented
from tests.local.core_cloud import ROLE, Core, caught, soon, task

pytestmark = pytest.mark.local


# --- JSONata -------------------------------------------------------------------------------------------------------
def test_an_assign_is_evaluated_on_the_values_from_before_its_state(core: Core) -> None:
    swap = {"a": "{% $b %}", "b": "{% $a %}"}
    states = {
        "Set": {"Type": "Pass", "Assign": {"a": 1, "b": 2}, "Next": "Swap"},
        "Swap": {"Type": "Pass", "Assign": swap, "Next": "End"},
        "End": {"Type": "Succeed", "Output": "{% [$a, $b] %}"},
    }

    assert core.run(states) == [2, 1]


@pytest.mark.parametrize("expression", ["$states.input ?? 1", "$states.input ?: 1"])
def test_a_definition_in_newer_jsonata_is_refused(core: Core, expression: str) -> None:
    with pytest.raises(ClientError, match="INVALID_JSONATA_EXPRESSION"):
        core.machine({"S": {"Type": "Pass", "Output": f"{{% {expression} %}}", "End": True}})


def test_eval_fails_the_execution(core: Core) -> None:
    end = core.ended(core.start({"S": {"Type": "Pass", "Output": "{% $eval('1') %}", "End": True}}))

    assert (end["status"], end["error"]) == ("FAILED", "States.QueryEvaluationError")


# --- Services and aws-sdk tasks ------------------------------------------------------------------------------------
def test_sdk_task_of_a_service_that_ministack_lacks_answers_in_pascal_case(core: Core) -> None:
    answer = core.run({"Ask": task("aws-sdk:fsx:describeFileSystems", {})})

    assert answer["FileSystems"] == [
        {"FileSystemId": "fs-0123456789abcdef0", "DnsName": "fs.example", "Lifecycle": "AVAILABLE"}
    ]


def test_sdk_task_names_errors_as_step_functions_does(core: Core) -> None:
    answer = core.run(caught(task("aws-sdk:fsx:describeFileSystems", {"FileSystemIds": ["fs-ffffffffffffffff0"]})))

    assert answer["Error"] == "FSx.FileSystemNotFoundException"
    assert "does not exist" in answer["Cause"]


def test_sdk_task_takes_pascal_case_for_a_service_with_camel_case(core: Core) -> None:
    submit = {"JobName": "succeed-1", "JobQueue": "q", "JobDefinition": "d"}

    answer = core.run({"Submit": task("aws-sdk:batch:submitJob", submit)})

    assert set(answer) == {"JobId", "JobName"}


def test_sdk_task_with_a_member_that_does_not_exist_fails(core: Core) -> None:
    answer = core.run(caught(task("aws-sdk:batch:submitJob", {"JobNam": "x"})))

    assert answer["Error"] == "States.Runtime"
    assert "JobNam" in answer["Cause"]


def test_sdk_task_reaches_operations_of_s3(core: Core) -> None:
    core.client("s3").create_bucket(Bucket="sdk-task")

    core.run({"Put": task("aws-sdk:s3:putObject", {"Bucket": "sdk-task", "Key": "a", "Body": "text"})})

    assert core.client("s3").get_object(Bucket="sdk-task", Key="a")["Body"].read() == b"text"


# --- .sync tasks ---------------------------------------------------------------------------------------------------
def job(name: str, **more: Any) -> dict[str, Any]:
    return task("batch:submitJob.sync", {"JobName": name, "JobQueue": "q", "JobDefinition": "d"}, **more)


def test_batch_sync_returns_the_jobs_detail(core: Core) -> None:
    answer = core.run({"Job": job("succeed-1")})

    assert answer["Status"] == "SUCCEEDED"
    assert answer["JobName"] == "succeed-1"
    assert answer["StartedAt"] == 1_700_000_000_000


def test_batch_sync_fails_with_the_jobs_detail_as_cause(core: Core) -> None:
    answer = core.run(caught(job("fail-1")))

    assert answer["Error"] == "States.TaskFailed"
    assert json.loads(answer["Cause"])["StatusReason"] == "Essential container in task exited"


def test_task_timeout_ends_the_task_and_its_job(core: Core) -> None:
    answer = core.run(caught(job("endless-timeout", TimeoutSeconds=1)))

    assert answer["Error"] == "States.Timeout"
    assert soon(
        lambda: (
            core.client("batch").describe_jobs(jobs=[_job_id(core, "endless-timeout")])["jobs"][0]["status"] == "FAILED"
        )
    )


def test_stopping_an_execution_stops_its_job_and_nothing_is_retried(core: Core) -> None:
    execution = core.start({"Job": job("endless-stop", Retry=[{"ErrorEquals": ["States.ALL"]}])})
    job_id = soon(lambda: _job_id(core, "endless-stop"))

    core.client("stepfunctions").stop_execution(executionArn=execution)

    soon(lambda: core.client("batch").describe_jobs(jobs=[job_id])["jobs"][0]["status"] == "FAILED")
    assert core.ended(execution)["status"] == "ABORTED"
    assert len(core.client("batch").list_jobs(jobQueue="endless-stop")["jobSummaryList"]) == 1


def _job_id(core: Core, name: str) -> str | None:
    """The fake lists jobs by their name."""
    found = core.client("batch").list_jobs(jobQueue=name)["jobSummaryList"]
    return found[0]["jobId"] if found else None


def nested(machine: str, **arguments: Any) -> dict[str, Any]:
    return task("states:startExecution.sync:2", {"StateMachineArn": machine, **arguments})


def test_nested_execution_has_the_given_name_and_returns_its_output(core: Core) -> None:
    child = core.machine({"S": {"Type": "Succeed", "Output": {"answer": 42}}})

    answer = core.run({"Child": nested(child, Name="launch-1", Input={"launchId": "x"})})

    assert answer["ExecutionArn"].endswith(":launch-1")
    assert answer["Output"] == {"answer": 42}
    assert answer["Status"] == "SUCCEEDED"


def test_nested_failure_is_described_in_the_cause(core: Core) -> None:
    child = core.machine({"F": {"Type": "Fail", "Error": "LaunchInputError", "Cause": "no phenotypes"}})

    answer = core.run(caught(nested(child, Input={})))

    cause = json.loads(answer["Cause"])
    assert answer["Error"] == "States.TaskFailed"
    assert (cause["Error"], cause["Cause"], cause["Status"]) == ("LaunchInputError", "no phenotypes", "FAILED")


def test_stopping_a_parent_stops_the_nested_execution(core: Core) -> None:
    child = core.machine({"Wait": {"Type": "Wait", "Seconds": 3000, "End": True}})
    parent = core.start({"Child": nested(child, Name="stopped-with-parent", Input={})})
    executions = core.client("stepfunctions").list_executions
    soon(lambda: executions(stateMachineArn=child)["executions"])

    core.client("stepfunctions").stop_execution(executionArn=parent)

    soon(lambda: executions(stateMachineArn=child)["executions"][0]["status"] == "ABORTED")


def test_a_state_machines_own_timeout_ends_its_executions(core: Core) -> None:
    execution = core.start({"Job": job("endless-machine")}, TimeoutSeconds=1)

    assert core.ended(execution)["status"] == "TIMED_OUT"


# --- Status events -------------------------------------------------------------------------------------------------
def test_stopped_execution_is_announced_with_its_input(core: Core) -> None:
    url, arn = core.queue()
    events = core.client("events")
    events.put_rule(
        Name="stopped",
        EventPattern=json.dumps({"source": ["aws.states"], "detail": {"status": ["ABORTED"]}}),
    )
    events.put_targets(Rule="stopped", Targets=[{"Id": "queue", "Arn": arn}])
    execution = core.start({"Wait": {"Type": "Wait", "Seconds": 3000, "End": True}}, {"launchId": "x"})

    core.client("stepfunctions").stop_execution(executionArn=execution)

    detail = next(m["detail"] for m in soon(lambda: core.messages(url)) if m["detail"]["executionArn"] == execution)
    assert detail["status"] == "ABORTED"
    assert json.loads(detail["input"]) == {"launchId": "x"}
    assert detail["stateMachineArn"].startswith("arn:aws:states:us-east-1:000000000000:stateMachine:")


# --- Lambda --------------------------------------------------------------------------------------------------------
def test_exception_class_is_the_error_name_that_catch_sees(core: Core) -> None:
    function = core.function(
        "class StatusConflictError(Exception): pass\ndef handler(event, context): raise StatusConflictError('taken')\n"
    )

    answer = core.run(caught(task("lambda:invoke", {"FunctionName": function, "Payload": {}})))

    assert answer["Error"] == "StatusConflictError"
    assert json.loads(answer["Cause"])["errorMessage"] == "taken"


def test_function_sees_what_aws_gives_it_and_nothing_of_this_project(core: Core) -> None:
    function = core.function(
        "import importlib.util, os\n"
        "def handler(event, context):\n"
        "    names = ('boto3', 'pydantic', 'genolaunch', 'numpy')\n"
        "    found = {n: importlib.util.find_spec(n) is not None for n in names}\n"
        "    left = context.get_remaining_time_in_millis()\n"
        "    return {**found, 'endpoint': os.environ['AWS_ENDPOINT_URL'], 'left': left}\n"
    )

    answer = json.loads(core.client("lambda").invoke(FunctionName=function)["Payload"].read())

    assert {n: answer[n] for n in ("boto3", "pydantic", "genolaunch", "numpy")} == {
        "boto3": True,
        "pydantic": False,
        "genolaunch": False,
        "numpy": False,
    }
    assert answer["endpoint"].startswith("http://127.0.0.1:")
    assert 10_000 < answer["left"] <= 20_000


def test_dropped_objects_reach_the_function_and_what_fails_goes_to_the_dead_letters(core: Core) -> None:
    dead_url, dead_arn = core.queue()
    url, arn = core.queue(
        VisibilityTimeout="2", RedrivePolicy=json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1})
    )
    function = core.function(
        "import json\n"
        "def handler(event, context):\n"
        "    bad = [r['messageId'] for r in event['Records'] if 'bad.yaml' in r['body']]\n"
        "    return {'batchItemFailures': [{'itemIdentifier': i} for i in bad]}\n"
    )
    core.client("lambda").create_event_source_mapping(
        EventSourceArn=arn, FunctionName=function, FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    s3 = core.client("s3")
    s3.create_bucket(Bucket="dropped")
    notify = {
        "QueueArn": arn,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "launches/"}]}},
    }
    s3.put_bucket_notification_configuration(
        Bucket="dropped", NotificationConfiguration={"QueueConfigurations": [notify]}
    )

    for key in ("launches/good.yaml", "launches/bad.yaml", "elsewhere/bad.yaml"):
        s3.put_object(Bucket="dropped", Key=key, Body=b"name: x")

    dead = soon(lambda: core.messages(dead_url))
    records = [record for message in dead for record in message["Records"]]
    assert [record["s3"]["object"]["key"] for record in records] == ["launches/bad.yaml"]
    assert records[0]["userIdentity"]["principalId"] == f"AWS:{getpass.getuser()}"
    assert not core.messages(url)


def test_dead_letters_are_moved_back_also_those_that_were_put_there_directly(core: Core) -> None:
    sqs = core.client("sqs")
    name = f"genolaunch-moves{uuid.uuid4().hex[:6]}"
    dead_url = sqs.create_queue(QueueName=f"{name}-dead", tags={TAG_DEAD_LETTERS: "true"})["QueueUrl"]
    dead_arn = sqs.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    url, _ = core.queue(
        VisibilityTimeout="0", RedrivePolicy=json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1})
    )
    # Given: a message that its consumer gave up, and one that a rule or a function put there
    sqs.send_message(QueueUrl=url, MessageBody='"given up"')
    for _ in range(2):
        sqs.receive_message(QueueUrl=url)
    sqs.send_message(QueueUrl=dead_url, MessageBody='"put there"')
    platform: Any = SimpleNamespace(sqs=sqs, stage=name.removeprefix("genolaunch-"))

    # SQS does not know where the second one is from
    sqs.start_message_move_task(SourceArn=dead_arn)
    (failed,) = soon(lambda: _ended(sqs, dead_arn))
    assert failed["FailureReason"] == "CouldNotDetermineMessageSource"

    (told,) = dead_letters.redrive(platform)

    assert told.failure is None
    assert told.action == f"{2 - failed['ApproximateNumberOfMessagesMoved']} moved back to their queue"
    # Reading them counts as a delivery, and one is all that a message of this queue has
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": ""})
    assert sorted(core.messages(url)) == ["given up", "put there"]
    assert core.messages(dead_url) == []


def _ended(sqs: Any, source: str) -> list[dict[str, Any]]:
    tasks: list[dict[str, Any]] = sqs.list_message_move_tasks(SourceArn=source)["Results"]
    return [task for task in tasks if task["Status"] != "RUNNING"]


# --- Events --------------------------------------------------------------------------------------------------------
def of_service_model(service: str, shape: str) -> set[str]:
    model: Any = botocore.session.get_session().get_service_model(service)
    return set(model.shape_for(shape).members)


def heard(core: Core, **pattern: Any) -> str:
    """URL of a queue to which the default bus sends such events from now on."""
    url, arn = core.queue()
    events, name = core.client("events"), f"r{uuid.uuid4().hex}"
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    return url


def messages_of(core: Core, url: str, most: int) -> list[Any] | None:
    """Bodies of all messages, once there are so many."""
    kept = _kept.setdefault(url, [])
    kept += core.messages(url)
    return kept if len(kept) >= most else None


_kept: dict[str, list[Any]] = {}


@pytest.mark.parametrize(
    ("state", "samples"),
    [
        ({"Type": "Succeed"}, ("running", "succeeded")),
        ({"Type": "Fail", "Error": "Broken", "Cause": "It broke."}, ("running", "failed")),
    ],
)
def test_step_functions_tells_of_executions_as_aws_documents_it(core: Core, state: Any, samples: Any) -> None:
    url = heard(core, source=["aws.states"])
    execution = core.start({"Only": state}, {"a": 1})

    own = soon(
        lambda: [event for event in messages_of(core, url, 2) or [] if event["detail"]["executionArn"] == execution][:2]
    )

    # Besides AWS's samples: what DescribeExecution tells, of which the samples' page says that the event has its form
    added = {"detail": of_service_model("stepfunctions", "DescribeExecutionOutput")}
    for event, sample in zip(sorted(own, key=lambda each: each["detail"]["status"] != "RUNNING"), samples, strict=True):
        assert differences(event, documented(f"states-execution-{sample}"), added=added) == []


# --- Pipes ---------------------------------------------------------------------------------------------------------
def test_pipe_filters_transforms_and_starts_one_execution_a_record(core: Core) -> None:
    dynamodb, states = core.client("dynamodb"), core.client("stepfunctions")
    table = dynamodb.create_table(
        TableName="launches",
        KeySchema=[{"AttributeName": "launchId", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "launchId", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]
    machine = core.machine({"S": {"Type": "Succeed"}})
    pattern = {"dynamodb": {"NewImage": {"status": {"S": ["SUBMITTED"]}, "totalCost": {"S": [{"exists": False}]}}}}
    core.deploy(
        {
            "Pipe": {
                "Type": "AWS::Pipes::Pipe",
                "Properties": {
                    "RoleArn": ROLE,
                    "Source": table["LatestStreamArn"],
                    "Target": machine,
                    "SourceParameters": {
                        "FilterCriteria": {"Filters": [{"Pattern": json.dumps(pattern)}]},
                        "DynamoDBStreamParameters": {"StartingPosition": "TRIM_HORIZON", "BatchSize": 1},
                    },
                    "TargetParameters": {"InputTemplate": '{"launchId": "<$.dynamodb.NewImage.launchId.S>"}'},
                },
            }
        }
    )

    for launch, status in (("a", "SUBMITTED"), ("b", "RUNNING"), ("c", "SUBMITTED")):
        dynamodb.put_item(TableName="launches", Item={"launchId": {"S": launch}, "status": {"S": status}})

    executions = soon(lambda: _all_of(2, states.list_executions(stateMachineArn=machine)["executions"]))
    inputs = [states.describe_execution(executionArn=one["executionArn"])["input"] for one in executions]
    assert sorted(inputs) == ['[{"launchId": "a"}]', '[{"launchId": "c"}]']


def _all_of(count: int, found: list[Any]) -> list[Any] | None:
    return found if len(found) >= count else None


# --- Logs ----------------------------------------------------------------------------------------------------------
def test_a_search_of_streams_by_prefix_finds_no_others(core: Core) -> None:
    logs = core.client("logs")
    logs.create_log_group(logGroupName="/jobs")
    for stream in ("one/a", "one/b", "two/a"):
        logs.create_log_stream(logGroupName="/jobs", logStreamName=stream)
        event = {"timestamp": int(time.time() * 1000), "message": stream}
        logs.put_log_events(logGroupName="/jobs", logStreamName=stream, logEvents=[event])

    def found(prefix: str) -> list[str]:
        answer = logs.filter_log_events(logGroupName="/jobs", logStreamNamePrefix=prefix)
        return [event["message"] for event in answer["events"]]

    assert found("one/") == ["one/a", "one/b"]
    assert found("three/") == []


# --- CloudFormation ------------------------------------------------------------------------------------------------
def test_batch_resources_are_made_by_the_service(core: Core) -> None:
    stack = core.deploy(
        {"Queue": {"Type": "AWS::Batch::JobQueue", "Properties": {"JobQueueName": "high", "Priority": 1}}}
    )

    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert stack["Outputs"][0]["OutputValue"] == "arn:aws:batch:us-east-1:000000000000:job-queue/high"


def test_types_without_behaviour_are_recorded(core: Core) -> None:
    stack = core.deploy({"Address": {"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc"}}})

    assert stack["StackStatus"] == "CREATE_COMPLETE"


def test_unknown_type_fails_the_deployment_by_name(core: Core) -> None:
    cloudformation = core.client("cloudformation")

    with pytest.raises(cloudformation.exceptions.ClientError, match="AWS::Quantum::Computer"):
        core.deploy({"Wonder": {"Type": "AWS::Quantum::Computer", "Properties": {}}})
