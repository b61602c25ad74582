"""Which actions on which resources a call needs, as AWS's Service Authorization Reference lists them.

ministack names one action and one resource of a request. Some calls need more: SubmitJob is checked on the definition
and on the queue, RegisterJobDefinition passes roles, reading an encrypted object decrypts with its key. Services that
ministack does not know (or knows without resources) have their rules here. A call without a rule needs what ministack
says.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from localcloud.clients import ACCOUNT, REGION
from localcloud.iam import (
    athena_rules,
    batch_rules,
    dynamodb_rules,
    ec2_rules,
    ecs_rules,
    fsx_rules,
    iam_rules,
    sqs_rules,
)
from localcloud.iam.key_rules import key_needs
from localcloud.iam.model import Call, Cloud, Need, Rule


def needs_of(call: Call, cloud: Cloud) -> list[Need]:
    """Everything that the call's principal must be allowed."""
    rule = RULES.get(call.action)
    if rule is not None:
        needs = rule(call, cloud)
    elif call.action.split(":")[0] in _OWN_SERVICES:
        needs = [Need(call.action, "*", call.context)]  # Describe and List know no resources
    else:
        needs = [Need(call.action, call.resource, call.context)]
    return [*needs, *key_needs(call.action, call.resource, cloud)]


def task_needs(resource: str, arguments: Mapping[str, Any], cloud: Cloud) -> list[Need]:
    """What a state machine's role needs for a task that runs inside Step Functions (optimised integrations).

    `.sync` tasks hear of the end by a managed rule, which the role must be allowed to keep.
    """
    service, _, operation = resource.removeprefix("arn:aws:states:::").partition(":")
    operation, _, pattern = operation.partition(".")
    needs: list[Need] = []
    if pattern.startswith("sync") and service in _MANAGED_RULES:
        rule = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{_MANAGED_RULES[service]}"
        needs += [Need(f"events:{action}", rule) for action in ("PutTargets", "PutRule", "DescribeRule")]
    if service == "batch" and pattern:
        needs.append(Need("batch:DescribeJobs", "*"))  # "IAM policies for integrated services"
    target = _TASK_TARGETS.get(service)
    if target is not None:
        action = "lambda:InvokeFunction" if service == "lambda" else f"{service}:{_capital(operation)}"
        call = Call(action, target(arguments), arguments, {})
        needs += needs_of(call, cloud)
    return needs


def stream_needs(stream: str, cloud: Cloud) -> list[Need]:
    """What reading a table's stream takes ("Permissions for Amazon EventBridge Pipes to access sources")."""
    needs = [Need(f"dynamodb:{action}", stream) for action in ("DescribeStream", "GetRecords", "GetShardIterator")]
    key = cloud.key_of(stream)
    return [*needs, Need("dynamodb:ListStreams", "*"), *([Need("kms:Decrypt", key)] if key else [])]


def _capital(operation: str) -> str:
    return operation[:1].upper() + operation[1:]


def _queue_arn(arguments: Mapping[str, Any]) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{arguments.get('QueueUrl', '').rpartition('/')[2]}"


def _table_arn(arguments: Mapping[str, Any]) -> str:
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{arguments.get('TableName', '')}"


def _function_arn(arguments: Mapping[str, Any]) -> str:
    name = str(arguments.get("FunctionName", ""))
    return name if name.startswith("arn:") else f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


_TASK_TARGETS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "lambda": _function_arn,
    "dynamodb": _table_arn,
    "sqs": _queue_arn,
    "sns": lambda arguments: str(arguments.get("TopicArn", "*")),
    "events": lambda _arguments: f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default",
    "ecs": lambda _arguments: "*",
}
"""Tasks that ministack runs without a request. All others are requests with the role's keys, checked as such."""

_MANAGED_RULES: Final = {
    "batch": "StepFunctionsGetEventsForBatchJobsRule",
    "ecs": "StepFunctionsGetEventsForECSTaskRule",
    "states": "StepFunctionsGetEventsForStepFunctionsExecutionRule",
}


# --- Step Functions ------------------------------------------------------------------------------------------------
def _answer_task(call: Call, cloud: Cloud) -> list[Need]:
    machine = cloud.machine_of_token(call.params.get("taskToken", ""))
    # Nobody waits with any other token: the call says so itself, and is about no resource.
    return [Need(call.action, machine, call.context)] if machine else []


# --- CloudWatch Logs -----------------------------------------------------------------------------------------------
def _log_stream(call: Call, cloud: Cloud) -> list[Need]:
    """Events are read and written on a stream (or all of a group); policies name it by its group and `:*`."""
    del cloud
    group, stream = call.params.get("logGroupName", ""), call.params.get("logStreamName", "")
    return [Need(call.action, f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:{stream}", call.context)]


# --- S3 ------------------------------------------------------------------------------------------------------------
def _get_object(call: Call, cloud: Cloud) -> list[Need]:
    """Of what is missing S3 tells those alone who may list the bucket; others hear that they may not (GetObject)."""
    missing = call.resource.startswith("arn:") and not cloud.has_object(call.resource)
    bucket = call.resource.partition("/")[0]
    return [Need(call.action, call.resource, call.context), *([Need("s3:ListBucket", bucket)] if missing else [])]


def _put_object(call: Call, cloud: Cloud) -> list[Need]:
    """Whoever names an ACL with what they put must be allowed to set it (Service Authorization Reference)."""
    del cloud
    acl = ["s3:PutObjectAcl"] if "s3:x-amz-acl" in call.context else []
    return [Need(action, call.resource, call.context) for action in (call.action, *acl)]


# --- Parameters ----------------------------------------------------------------------------------------------------
def _parameters_below(call: Call, cloud: Cloud) -> list[Need]:
    del cloud
    path = str(call.params.get("Path", "")).strip("/")
    return [Need(call.action, f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{path}", call.context)]


# --- Run Command ---------------------------------------------------------------------------------------------------
def _send_command(call: Call, cloud: Cloud) -> list[Need]:
    """On the document (one of AWS has no account in its ARN) and on each instance, whose tags have a key of ssm's."""
    document = f"arn:aws:ssm:{REGION}::document/{call.params.get('DocumentName', '')}"
    needs = [Need(call.action, document, call.context)]
    for id_ in call.params.get("InstanceIds", []):
        instance = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{id_}"
        tags = {f"ssm:resourcetag/{key}".lower(): value for key, value in cloud.tags(instance).items()}
        needs.append(Need(call.action, instance, {**call.context, **tags}))
    return needs


RULES: Final[Mapping[str, Rule]] = {
    **athena_rules.RULES,
    **batch_rules.RULES,
    **dynamodb_rules.RULES,
    **ec2_rules.RULES,
    **ecs_rules.RULES,
    **fsx_rules.RULES,
    **iam_rules.RULES,
    **sqs_rules.RULES,
    **{
        f"logs:{action}": _log_stream
        for action in ("CreateLogStream", "FilterLogEvents", "GetLogEvents", "PutLogEvents")
    },
    "s3:GetObject": _get_object,
    "s3:PutObject": _put_object,
    "ssm:GetParametersByPath": _parameters_below,
    "ssm:SendCommand": _send_command,
    "states:SendTaskSuccess": _answer_task,
    "states:SendTaskFailure": _answer_task,
    "states:SendTaskHeartbeat": _answer_task,
}

_OWN_SERVICES: Final = frozenset({"batch", "fsx", "ec2", "ecs", "pricing"})
"""Services of whose resources ministack knows nothing, or too little."""
