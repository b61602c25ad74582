"""Limits of AWS that no model has: what is at a limit is taken, one more is refused."""

import json
from contextlib import nullcontext
from typing import Any

import pytest

from localcloud import limits as limits_of
from localcloud.limits.cloudformation import check_template
from localcloud.limits.iam import check_attached
from localcloud.service import ServiceError
from localcloud.validation.gate import check_call

MIB = 1024 * 1024


def put_events(size: int) -> dict[str, Any]:
    """Entries of so many bytes: `source` and `type` count four each."""
    return {"Entries": [{"Source": "test", "DetailType": "test", "Detail": json.dumps("x" * (size - 8 - 2))}]}


def rule(wildcards: int) -> dict[str, Any]:
    faults = [{"wildcard": f"*:stack/{name}Stack/*"} for name in ("Api", "Data", "Shared", "Web")[:wildcards]]
    return {"Name": "r", "EventPattern": json.dumps({"detail": {"stack": faults}})}


def policy(size: int) -> str:
    document = {"Version": "2012-10-17", "Statement": [{"Sid": "", "Effect": "Allow", "Action": "*", "Resource": "*"}]}
    document["Statement"][0]["Sid"] = "a" * (size - len(json.dumps(document, separators=(",", ":"))))  # type: ignore[index]
    return json.dumps(document)


def inline(*sizes: int) -> list[dict[str, str]]:
    return [{"PolicyName": f"p{i}", "PolicyDocument": policy(size)} for i, size in enumerate(sizes)]


def filters(wildcards: int) -> dict[str, Any]:
    return {"FilterCriteria": {"Filters": [{"Pattern": rule(wildcards)["EventPattern"]}]}}


def put_item(key: int, size: int) -> dict[str, Any]:
    return {"Put": {"TableName": "limits", "Item": {"k": {"S": str(key)}, "v": {"S": "x" * size}}}}


def log_events(*sent: str, apart: int = 1) -> dict[str, Any]:
    events = [{"timestamp": 1 + i * apart, "message": message} for i, message in enumerate(sent)]
    return {"logGroupName": "limits", "logStreamName": "s", "logEvents": events}


def messages(count: int, size: int) -> dict[str, Any]:
    return {"QueueUrl": "q", "Entries": [{"Id": str(i), "MessageBody": "x" * size} for i in range(count)]}


LIMITS = {
    "EventBridge: complexity of a pattern": ("events", "PutRule", rule(3), rule(4), "InvalidEventPatternException"),
    "EventBridge: complexity of a pattern under test": (
        "events",
        "TestEventPattern",
        {"Event": "{}", "EventPattern": rule(3)["EventPattern"]},
        {"Event": "{}", "EventPattern": rule(4)["EventPattern"]},
        "InvalidEventPatternException",
    ),
    "EventBridge: size of entries": (
        "events",
        "PutEvents",
        put_events(MIB - 1),
        put_events(MIB),
        "ValidationException",
    ),
    "SQS: size of a message": (
        "sqs",
        "SendMessage",
        {"QueueUrl": "q", "MessageBody": "x" * MIB},
        {"QueueUrl": "q", "MessageBody": "x" * (MIB + 1)},
        "InvalidParameterValue",
    ),
    "SQS: entries of a batch": (
        "sqs",
        "SendMessageBatch",
        messages(10, 1),
        messages(11, 1),
        "TooManyEntriesInBatchRequest",
    ),
    "SQS: size of a batch": (
        "sqs",
        "SendMessageBatch",
        messages(8, MIB // 8),
        messages(8, MIB // 8 + 1),
        "BatchRequestTooLong",
    ),
    "SQS: delay": (
        "sqs",
        "SendMessage",
        {"QueueUrl": "q", "MessageBody": "x", "DelaySeconds": 900},
        {"QueueUrl": "q", "MessageBody": "x", "DelaySeconds": 901},
        "InvalidParameterValue",
    ),
    "SQS: retention": (
        "sqs",
        "CreateQueue",
        {"QueueName": "kept", "Attributes": {"MessageRetentionPeriod": "1209600"}},
        {"QueueName": "kept-longer", "Attributes": {"MessageRetentionPeriod": "1209601"}},
        "InvalidAttributeValue",
    ),
    "SNS: subject": (
        "sns",
        "Publish",
        {"TopicArn": "t", "Message": "x", "Subject": "s" * 100},
        {"TopicArn": "t", "Message": "x", "Subject": "s" * 101},
        "InvalidParameter",
    ),
    "SNS: size of a message": (
        "sns",
        "Publish",
        {"TopicArn": "t", "Message": "x" * 262_144},
        {"TopicArn": "t", "Message": "x" * 262_145},
        "InvalidParameter",
    ),
    "Lambda: time-out": (
        "lambda",
        "UpdateFunctionConfiguration",
        {"FunctionName": "f", "Timeout": 900},
        {"FunctionName": "f", "Timeout": 901},
        "ValidationException",
    ),
    "Lambda: ephemeral storage": (
        "lambda",
        "UpdateFunctionConfiguration",
        {"FunctionName": "f", "EphemeralStorage": {"Size": 10_240}},
        {"FunctionName": "f", "EphemeralStorage": {"Size": 10_241}},
        "ValidationException",
    ),
    "Lambda: environment": (
        "lambda",
        "UpdateFunctionConfiguration",
        {"FunctionName": "f", "Environment": {"Variables": {"AB": "x" * (4096 - 9)}}},
        {"FunctionName": "f", "Environment": {"Variables": {"AB": "x" * (4096 - 8)}}},
        "InvalidParameterValueException",
    ),
    "Lambda: synchronous payload": (
        "lambda",
        "Invoke",
        {"FunctionName": "f", "Payload": b'"' + b"x" * (6 * MIB - 2) + b'"'},
        {"FunctionName": "f", "Payload": b'"' + b"x" * (6 * MIB - 1) + b'"'},
        "RequestEntityTooLargeException",
    ),
    "Lambda: asynchronous payload": (
        "lambda",
        "Invoke",
        {"FunctionName": "f", "InvocationType": "Event", "Payload": b'"' + b"x" * (MIB - 2) + b'"'},
        {"FunctionName": "f", "InvocationType": "Event", "Payload": b'"' + b"x" * (MIB - 1) + b'"'},
        "RequestEntityTooLargeException",
    ),
    "Step Functions: name of an execution": (
        "stepfunctions",
        "StartExecution",
        {"stateMachineArn": "m", "name": "n" * 80},
        {"stateMachineArn": "m", "name": "n" * 81},
        "ValidationException",
    ),
    "Step Functions: letters of a name": (
        "stepfunctions",
        "StartExecution",
        {"stateMachineArn": "m", "name": "a-b_c.d"},
        {"stateMachineArn": "m", "name": "a b"},
        "InvalidName",
    ),
    "Step Functions: bytes of an input": (
        "stepfunctions",
        "StartExecution",
        {"stateMachineArn": "m", "input": json.dumps("é" * (131_072 - 1), ensure_ascii=False)},
        {"stateMachineArn": "m", "input": json.dumps("é" * 131_072, ensure_ascii=False)},
        "InvalidExecutionInput",
    ),
    "Batch: size of a job": (
        "batch",
        "SubmitJob",
        {"jobName": "succeed-1", "jobQueue": "q", "jobDefinition": "d", "parameters": {"p": "x" * 30_000}},
        {"jobName": "succeed-1", "jobQueue": "q", "jobDefinition": "d", "parameters": {"p": "x" * 31_000}},
        "ClientException",
    ),
    "Batch: tags": (
        "batch",
        "SubmitJob",
        {"jobName": "succeed-1", "jobQueue": "q", "jobDefinition": "d", "tags": {f"k{i}": "v" for i in range(50)}},
        {"jobName": "succeed-1", "jobQueue": "q", "jobDefinition": "d", "tags": {f"k{i}": "v" for i in range(51)}},
        "ClientException",
    ),
    "IAM: managed policy": (
        "iam",
        "CreatePolicy",
        {"PolicyName": "within", "PolicyDocument": policy(6_144)},
        {"PolicyName": "beyond", "PolicyDocument": policy(6_145)},
        "LimitExceeded",
    ),
    "IAM: inline policy": (
        "iam",
        "PutRolePolicy",
        {"RoleName": "roomy", "PolicyName": "p", "PolicyDocument": policy(10_240)},
        {"RoleName": "roomy", "PolicyName": "p", "PolicyDocument": policy(10_241)},
        "LimitExceeded",
    ),
    "CloudFormation: template in the request": (
        "cloudformation",
        "ValidateTemplate",
        {"TemplateBody": json.dumps({"Resources": {}}).ljust(51_200)},
        {"TemplateBody": json.dumps({"Resources": {}}).ljust(51_201)},
        "ValidationError",
    ),
    "S3: key": (
        "s3",
        "PutObject",
        {"Bucket": "limits", "Key": "é" * 512, "Body": b""},
        {"Bucket": "limits", "Key": "é" * 512 + "e", "Body": b""},
        "KeyTooLongError",
    ),
    "S3: metadata": (
        "s3",
        "PutObject",
        {"Bucket": "limits", "Key": "k", "Body": b"", "Metadata": {"m": "x" * 2047}},
        {"Bucket": "limits", "Key": "k", "Body": b"", "Metadata": {"m": "x" * 2048}},
        "MetadataTooLarge",
    ),
    "SSM: standard parameter": (
        "ssm",
        "PutParameter",
        {"Name": "p", "Type": "String", "Value": "x" * 4096, "Overwrite": True},
        {"Name": "p", "Type": "String", "Value": "x" * 4097, "Overwrite": True},
        "ValidationException",
    ),
    "ECS: overrides": (
        "ecs",
        "RunTask",
        {"taskDefinition": "d", "overrides": {"containerOverrides": [{"name": "c", "command": ["x" * 8_000]}]}},
        {"taskDefinition": "d", "overrides": {"containerOverrides": [{"name": "c", "command": ["x" * 8_192]}]}},
        "InvalidParameterException",
    ),
    "Logs: size of an event": (
        "logs",
        "PutLogEvents",
        {
            "logGroupName": "limits",
            "logStreamName": "s",
            "logEvents": [{"timestamp": 1, "message": "x" * (MIB - 26)}],
        },
        {
            "logGroupName": "limits",
            "logStreamName": "s",
            "logEvents": [{"timestamp": 1, "message": "x" * (MIB - 25)}],
        },
        "InvalidParameterException",
    ),
    "DynamoDB: keys of one BatchGetItem": (
        "dynamodb",
        "BatchGetItem",
        {"RequestItems": {"limits": {"Keys": [{"k": {"S": str(i)}} for i in range(100)]}}},
        {"RequestItems": {"limits": {"Keys": [{"k": {"S": str(i)}} for i in range(101)]}}},
        "ValidationException",
    ),
    "DynamoDB: writes of one BatchWriteItem": (
        "dynamodb",
        "BatchWriteItem",
        {"RequestItems": {"limits": [{"PutRequest": {"Item": {"k": {"S": str(i)}}}} for i in range(25)]}},
        {"RequestItems": {"limits": [{"PutRequest": {"Item": {"k": {"S": str(i)}}}} for i in range(26)]}},
        "ValidationException",
    ),
    "DynamoDB: size of a transaction": (
        "dynamodb",
        "TransactWriteItems",
        {"TransactItems": [put_item(i, 390 * 1024) for i in range(10)]},
        {"TransactItems": [put_item(i, 390 * 1024) for i in range(11)]},
        "ValidationException",
    ),
    "EventBridge: targets of a rule": (
        "events",
        "PutTargets",
        {"Rule": "r", "Targets": [{"Id": str(i), "Arn": "a"} for i in range(5)]},
        {"Rule": "r", "Targets": [{"Id": str(i), "Arn": "a"} for i in range(6)]},
        "LimitExceededException",
    ),
    "EventBridge: length of a pattern": (
        "events",
        "PutRule",
        {"Name": "r", "EventPattern": json.dumps({"source": ["x" * (2048 - 16)]})},
        {"Name": "r", "EventPattern": json.dumps({"source": ["x" * (2048 - 15)]})},
        "LimitExceededException",
    ),
    "Pipes: complexity of a filter": (
        "pipes",
        "UpdatePipe",
        {"Name": "p", "RoleArn": "arn:aws:iam::123456789012:role/r", "SourceParameters": filters(3)},
        {"Name": "p", "RoleArn": "arn:aws:iam::123456789012:role/r", "SourceParameters": filters(4)},
        "InvalidEventPatternException",
    ),
    "Step Functions: bytes of an output": (
        "stepfunctions",
        "SendTaskSuccess",
        {"taskToken": "t", "output": json.dumps("é" * (131_072 - 1), ensure_ascii=False)},
        {"taskToken": "t", "output": json.dumps("é" * 131_072, ensure_ascii=False)},
        "InvalidOutput",
    ),
    "SQS: name of a queue": (
        "sqs",
        "CreateQueue",
        {"QueueName": "q" * 80},
        {"QueueName": "q" * 81},
        "InvalidParameterValue",
    ),
    "SNS: size of a batch": (
        "sns",
        "PublishBatch",
        {"TopicArn": "t", "PublishBatchRequestEntries": [{"Id": str(i), "Message": "x" * 26_214} for i in range(10)]},
        {"TopicArn": "t", "PublishBatchRequestEntries": [{"Id": str(i), "Message": "x" * 26_215} for i in range(10)]},
        "BatchRequestTooLong",
    ),
    "IAM: trust policy": (
        "iam",
        "UpdateAssumeRolePolicy",
        {"RoleName": "r", "PolicyDocument": policy(2_048)},
        {"RoleName": "r", "PolicyDocument": policy(2_049)},
        "LimitExceeded",
    ),
    "IAM: inline policies of a new role": (
        "iam",
        "CreateRole",
        {"RoleName": "r", "AssumeRolePolicyDocument": policy(100), "Policies": inline(5_000, 5_240)},
        {"RoleName": "r", "AssumeRolePolicyDocument": policy(100), "Policies": inline(5_000, 5_241)},
        "LimitExceeded",
    ),
    "S3: tags of an object": (
        "s3",
        "PutObject",
        {"Bucket": "limits", "Key": "k", "Body": b"", "Tagging": "&".join(f"t{i}=v" for i in range(10))},
        {"Bucket": "limits", "Key": "k", "Body": b"", "Tagging": "&".join(f"t{i}=v" for i in range(11))},
        "BadRequest",
    ),
    "S3: keys of one deletion": (
        "s3",
        "DeleteObjects",
        {"Bucket": "limits", "Delete": {"Objects": [{"Key": str(i)} for i in range(1000)]}},
        {"Bucket": "limits", "Delete": {"Objects": [{"Key": str(i)} for i in range(1001)]}},
        "MalformedXML",
    ),
    "SSM: document": (
        "ssm",
        "CreateDocument",
        {"Name": "document", "Content": "x" * 65_536},
        {"Name": "document", "Content": "x" * 65_537},
        "MaxDocumentSizeExceeded",
    ),
    "SSM: advanced parameter": (
        "ssm",
        "PutParameter",
        {"Name": "p", "Type": "String", "Tier": "Advanced", "Value": "x" * 8192, "Overwrite": True},
        {"Name": "p", "Type": "String", "Tier": "Advanced", "Value": "x" * 8193, "Overwrite": True},
        "ValidationException",
    ),
    "ECS: tasks of one description": (
        "ecs",
        "DescribeTasks",
        {"tasks": [str(i) for i in range(100)]},
        {"tasks": [str(i) for i in range(101)]},
        "InvalidParameterException",
    ),
    "Logs: size of a batch": (
        "logs",
        "PutLogEvents",
        log_events(*["x" * (MIB // 4 - 26)] * 4),
        log_events(*["x" * (MIB // 4 - 26)] * 3, "x" * (MIB // 4 - 25)),
        "InvalidParameterException",
    ),
    "Logs: hours of a batch": (
        "logs",
        "PutLogEvents",
        log_events("first", "last", apart=24 * 3600 * 1000),
        log_events("first", "last", apart=24 * 3600 * 1000 + 1),
        "InvalidParameterException",
    ),
}


@pytest.mark.parametrize(("service", "operation", "within", "beyond", "code"), LIMITS.values(), ids=list(LIMITS))
def test_what_is_at_a_limit_is_taken_and_one_more_is_refused(
    service: str, operation: str, within: dict[str, Any], beyond: dict[str, Any], code: str
) -> None:
    check_call(service, operation, within)

    with pytest.raises(ServiceError) as refused:
        check_call(service, operation, beyond)

    assert refused.value.code == code


def test_every_limit_has_a_case_that_goes_one_over() -> None:
    """A new limit without one turns this red."""
    limits = {limit for operations in limits_of.LIMITS.values() for checks in operations.values() for limit in checks}

    refusing = {
        limit
        for service, operation, _, beyond, code in LIMITS.values()
        for limit in limits_of.LIMITS.get(service, {}).get(operation, ())
        if _refusal(limit, beyond) == code
    }

    assert {f"{limit.__module__}.{limit.__name__}" for limit in limits - refusing} == set()


def _refusal(limit: limits_of.Limit, params: dict[str, Any]) -> str | None:
    try:
        limit(params)
    except ServiceError as error:
        return error.code
    return None


@pytest.mark.parametrize(("part", "most"), [("Resources", 500), ("Outputs", 200), ("Parameters", 200)])
def test_a_template_has_so_many_parts_and_no_more(part: str, most: int) -> None:
    check_template("", {part: dict.fromkeys(map(str, range(most)))})

    with pytest.raises(ServiceError, match=f"greater than maximum allowed, {most}"):
        check_template("", {part: dict.fromkeys(map(str, range(most + 1)))})


def test_a_template_in_a_bucket_has_1_mb_and_no_more() -> None:
    check_template("x" * MIB, {})

    with pytest.raises(ServiceError, match="may not exceed 1048576 bytes"):
        check_template("x" * (MIB + 1), {})


@pytest.mark.parametrize(("count", "is_taken"), [(10, True), (11, False)])
def test_a_role_has_ten_managed_policies(count: int, is_taken: bool) -> None:
    with nullcontext() if is_taken else pytest.raises(ServiceError, match="PoliciesPerRole: 10"):
        check_attached(count)
