"""Limits of AWS that no model has: what is at a limit is taken, one more is refused."""

import json
from typing import Any

import pytest

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
}


@pytest.mark.parametrize(("service", "operation", "within", "beyond", "code"), LIMITS.values(), ids=list(LIMITS))
def test_what_is_at_a_limit_is_taken_and_one_more_is_refused(
    service: str, operation: str, within: dict[str, Any], beyond: dict[str, Any], code: str
) -> None:
    check_call(service, operation, within)

    with pytest.raises(ServiceError) as refused:
        check_call(service, operation, beyond)

    assert refused.value.code == code
