"""The embedded cloud refuses what AWS refuses, over HTTP, in tasks, in templates and while an execution runs.

boto3's own checks are off here, so that the server's are seen.
"""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.local.core_cloud import Core, caught, task

pytestmark = pytest.mark.local

FILE_SYSTEM = {"FileSystemType": "LUSTRE", "SubnetIds": ["subnet-0123456789abcdef0"]}


def unchecked(core: Core, service: str) -> Any:
    """A client that sends whatever it is given."""
    return boto3.client(
        service,
        endpoint_url=core.endpoint,
        region_name="us-east-1",
        aws_access_key_id=core.keys.access_key,
        aws_secret_access_key=core.keys.secret_key,
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def refusal(call: Callable[[], Any]) -> tuple[str, str] | None:
    """Code and message by which a call is refused; None if it is taken."""
    try:
        call()
    except ClientError as refused:
        return refused.response["Error"]["Code"], refused.response["Error"].get("Message", "")
    return None


# --- The models, in every protocol ---------------------------------------------------------------------------------
def long_queue(name: str) -> dict[str, Any]:
    return {"jobQueueName": name, "priority": 1, "state": "ENABLED", "computeEnvironmentOrder": []}


@pytest.mark.parametrize(
    ("service", "operation", "params", "code", "message"),
    [
        pytest.param(
            "dynamodb",
            "get_item",
            {"TableName": "t", "Key": {}, "ReturnConsumedCapacity": "ALL"},
            "ValidationException",
            "Member must satisfy enum value set: [INDEXES, TOTAL, NONE]",
            id="json",
        ),
        pytest.param(
            "fsx",
            "create_file_system",
            {**FILE_SYSTEM, "ClientRequestToken": "a" * 64},
            "ValidationException",
            "Value '" + "a" * 64 + "' at 'clientRequestToken' failed to satisfy "
            "constraint: Member must have length less than or equal to 63",
            id="json of a stand-in",
        ),
        pytest.param(
            "lambda",
            "get_function",
            {"FunctionName": "a b"},
            "ValidationException",
            "at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern",
            id="rest-json",
        ),
        pytest.param(
            "batch",
            "create_job_queue",
            {**long_queue("q"), "state": "ON"},
            "ClientException",
            "enum value set: [ENABLED, DISABLED]",
            id="rest-json of a stand-in",
        ),
        pytest.param(
            "iam",
            "get_role",
            {"RoleName": "a" * 65},
            "ValidationError",
            "at 'roleName' failed to satisfy constraint: Member must have length less than or equal to 64",
            id="query",
        ),
        pytest.param("sts", "assume_role", {"RoleSessionName": "ab"}, "ValidationError", "Value null at 'roleArn'"),
        pytest.param(
            "ec2",
            "describe_instances",
            {"MaxResults": "many"},
            "InvalidParameterValue",
            "at 'maxResults' can not be converted to an Integer",
            id="ec2",
        ),
        pytest.param(
            "s3",
            "put_object",
            {"Bucket": "any", "Key": "k", "StorageClass": "CHEAP"},
            "InvalidArgument",
            "at 'storageClass' failed to satisfy constraint",
            id="rest-xml, in a header",
        ),
        pytest.param(
            "s3",
            "put_bucket_versioning",
            {"Bucket": "any", "VersioningConfiguration": {"Status": "On"}},
            "InvalidArgument",
            "at 'versioningConfiguration.status' failed to satisfy constraint",
            id="rest-xml, in the body",
        ),
        pytest.param(
            "cloudwatch",
            "put_metric_alarm",
            {"AlarmName": "a", "EvaluationPeriods": 0, "ComparisonOperator": "GreaterThanThreshold"},
            "ValidationException",
            "at 'evaluationPeriods' failed to satisfy constraint: Member must have value greater than or equal to 1",
            id="json, query-compatible",
        ),
    ],
)
def test_what_a_model_forbids_is_refused_in_the_services_protocol(
    core: Core, service: str, operation: str, params: dict[str, Any], code: str, message: str
) -> None:
    refused = refusal(lambda: getattr(unchecked(core, service), operation)(**params))

    assert refused is not None
    assert refused[0] == code
    assert message in refused[1]


# --- Limits that no model has --------------------------------------------------------------------------------------
def test_a_limit_is_kept_over_http(core: Core) -> None:
    wildcards = [{"wildcard": f"*:stack/{name}Stack/*"} for name in ("Api", "Data", "Shared", "Web")]
    put_rule = core.client("events").put_rule

    assert refusal(lambda: put_rule(Name="r", EventPattern=json.dumps({"source": wildcards[:3]}))) is None
    refused = refusal(lambda: put_rule(Name="r", EventPattern=json.dumps({"source": wildcards})))

    assert refused is not None
    assert refused[0] == "InvalidEventPatternException"
    assert "Rule is too complex" in refused[1]


def test_sqs_names_its_refusals_as_its_clients_know_them(core: Core) -> None:
    url, _ = core.queue()
    entries = [{"Id": str(number), "MessageBody": "x"} for number in range(11)]
    sqs = core.client("sqs")

    assert refusal(lambda: sqs.send_message_batch(QueueUrl=url, Entries=entries[:10])) is None
    with pytest.raises(sqs.exceptions.TooManyEntriesInBatchRequest):
        sqs.send_message_batch(QueueUrl=url, Entries=entries)


def put(number: int, size: int = 1) -> dict[str, Any]:
    item = {"k": {"S": f"{number:04}"}, "v": {"S": "x" * size}}
    return {"Put": {"TableName": "limits", "Item": item}}


def test_dynamodb_keeps_its_limits(core: Core) -> None:
    """These are ministack's own."""
    dynamodb = core.client("dynamodb")
    dynamodb.create_table(
        TableName="limits",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
    )
    full = 400 * 1024 - len("k") - 4 - len("v")

    def item(size: int, key: str = "long") -> Callable[[], Any]:
        return lambda: dynamodb.put_item(TableName="limits", Item={"k": {"S": key}, "v": {"S": "x" * size}})

    def transaction(actions: list[dict[str, Any]]) -> Callable[[], Any]:
        return lambda: dynamodb.transact_write_items(TransactItems=actions)

    within = [item(full), item(1, "k" * 2048), transaction([put(n) for n in range(100)])]
    beyond = [
        item(full + 1),
        item(1, "k" * 2049),
        transaction([put(n) for n in range(101)]),
        transaction([put(1), put(1)]),
        transaction([put(n, 399 * 1024) for n in range(11)]),
    ]
    assert [refusal(call) for call in within] == [None] * len(within)
    assert [(refusal(call) or ("taken", ""))[0] for call in beyond] == ["ValidationException"] * len(beyond)


# --- Tasks ---------------------------------------------------------------------------------------------------------
def test_an_aws_sdk_task_is_refused_as_the_call_is(core: Core) -> None:
    answer = core.run(caught(task("aws-sdk:fsx:createFileSystem", {**FILE_SYSTEM, "ClientRequestToken": "a" * 64})))

    assert answer["Error"] == "FSx.ValidationException"
    assert "at 'clientRequestToken' failed to satisfy constraint" in answer["Cause"]


@pytest.mark.parametrize(
    ("resource", "arguments", "error"),
    [
        ("sqs:sendMessage", {"QueueUrl": "q", "MessageBody": "x", "DelaySeconds": 901}, "SQS.AmazonSQSException"),
        ("sns:publish", {"TopicArn": "t", "Message": "x", "Subject": "s" * 101}, "SNS.InvalidParameterException"),
        (
            "dynamodb:putItem",
            {"TableName": "t", "Item": {}, "ReturnValues": "EVERYTHING"},
            "DynamoDB.AmazonDynamoDBException",
        ),
        ("ecs:runTask", {"TaskDefinition": "d", "Count": 11}, "ECS.InvalidParameterException"),
        ("events:putEvents", {"Entries": []}, "EventBridge.AmazonEventBridgeException"),
        ("sqs:sendMessage", {"QueueUrl": "q", "MessageBody": "x", "Delay": 1}, "States.Runtime"),
    ],
)
def test_an_optimised_task_is_refused_before_it_runs(
    core: Core, resource: str, arguments: dict[str, Any], error: str
) -> None:
    assert core.run(caught(task(resource, arguments)))["Error"] == error


def test_an_optimised_task_that_aws_takes_runs(core: Core) -> None:
    url, _ = core.queue()

    core.run({"Send": task("sqs:sendMessage", {"QueueUrl": url, "MessageBody": {"a": 1}})})

    assert core.messages(url) == [{"a": 1}]


# --- Executions ----------------------------------------------------------------------------------------------------
def test_a_state_may_pass_256_kib_and_no_more(core: Core) -> None:
    def grow(size: int) -> dict[str, Any]:
        return {"Grow": {"Type": "Pass", "Output": "{% $pad('', " + str(size) + ", 'x') %}", "End": True}}

    assert len(core.run(grow(262_144 - 2))) == 262_144 - 2
    ended = core.ended(core.start(grow(262_144 - 1)))

    assert (ended["status"], ended["error"]) == ("FAILED", "States.DataLimitExceeded")


def returning(core: Core, size: int) -> dict[str, Any]:
    function = core.function(f"def handler(event, context):\n    return 'x' * {size}\n")
    return task("lambda:invoke", {"FunctionName": function}, Output="{% $length($states.result.Payload) %}")


def test_a_task_may_return_256_kib_and_only_a_catch_by_name_sees_more(core: Core) -> None:
    by_name = {"ErrorEquals": ["States.DataLimitExceeded"], "Output": "caught", "Next": "End"}
    by_all = {**by_name, "ErrorEquals": ["States.ALL"]}
    too_much = returning(core, 262_144)

    assert core.run({"Call": returning(core, 262_000)}) == 262_000
    assert core.run({"Call": {**too_much, "Catch": [by_name]}, "End": {"Type": "Succeed"}}) == "caught"
    ended = core.ended(core.start({"Call": {**too_much, "Catch": [by_all]}, "End": {"Type": "Succeed"}}))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.DataLimitExceeded")


# --- Templates -----------------------------------------------------------------------------------------------------
def queue_properties(**properties: Any) -> dict[str, Any]:
    return {"Q": {"Type": "AWS::SQS::Queue", "Properties": properties}}


@pytest.mark.parametrize(
    ("within", "beyond", "reason"),
    [
        (
            queue_properties(VisibilityTimeout=43_200),
            queue_properties(VisibilityTimeout=43_201),
            "Invalid value for the parameter VisibilityTimeout",
        ),
        (
            {"P": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "x" * 4096}}},
            {"P": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "x" * 4097}}},
            "Standard tier parameters support a maximum",
        ),
        (
            {"R": {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {"a": [{"wildcard": "*a*"}]}}}},
            {"R": {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {"a": [{"wildcard": "*a" * 9}]}}}},
            "Rule is too complex",
        ),
    ],
)
def test_a_resource_that_its_service_refuses_fails_its_stack(
    core: Core, within: dict[str, Any], beyond: dict[str, Any], reason: str
) -> None:
    assert core.deploy(within)["StackStatus"] == "CREATE_COMPLETE"
    failed = core.deploy(beyond)

    assert failed["StackStatus"] == "ROLLBACK_COMPLETE"
    events = core.client("cloudformation").describe_stack_events(StackName=failed["StackName"])["StackEvents"]
    assert any(reason in event.get("ResourceStatusReason", "") for event in events)


def test_all_inline_policies_of_a_role_count_together(core: Core) -> None:
    def policy(name: str, size: int) -> dict[str, Any]:
        statement = {"Sid": "a" * size, "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        return {
            "Type": "AWS::IAM::Policy",
            "Properties": {"PolicyName": name, "Roles": [{"Ref": "Role"}], "PolicyDocument": document},
        }

    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}}

    assert core.deploy({"Role": role, "A": policy("a", 5_000), "B": policy("b", 4_900)})["StackStatus"] == (
        "CREATE_COMPLETE"
    )
    assert core.deploy({"Role": role, "A": policy("a", 5_000), "B": policy("b", 5_100)})["StackStatus"] == (
        "ROLLBACK_COMPLETE"
    )


def test_a_template_may_have_500_resources(core: Core) -> None:
    def template(count: int) -> str:
        resource = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
        return json.dumps({"Resources": {f"R{number}": resource for number in range(count)}}, separators=(",", ":"))

    validate = core.client("cloudformation").validate_template

    assert refusal(lambda: validate(TemplateBody=template(500))) is None
    refused = refusal(lambda: validate(TemplateBody=template(501)))
    assert refused is not None
    assert refused[0] == "ValidationError"
