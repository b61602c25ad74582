"""A Lambda function whose code is a published package."""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.constructs.monitoring import Monitoring
from stacks.constructs.stage_stack import StageStack


def stock_function(
    scope: Construct,
    id_: str,
    *,
    name: str,
    description: str,
    code: lambda_.Code,
    handler: str,
    runtime: lambda_.Runtime,
    environment: Mapping[str, str],
    timeout: Duration,
    memory_mib: int,
    monitoring: Monitoring,
) -> lambda_.Function:
    """A function with a role of its own that may write its log group and its traces, and nothing else.

    Its state machine handles its errors, so the alarm is on throttled invocations.
    """
    stack = StageStack.of(scope)
    assert isinstance(stack, StageStack)  # it is part of a stage
    full_name = f"{stack.settings.prefix}-{name}"
    group = monitoring.log_group(scope, f"{id_}Logs")
    role = iam.Role(
        scope,
        f"{id_}Role",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        description=f"Function {full_name}",
    )
    group.grant_write(role)
    function = lambda_.Function(
        scope,
        id_,
        function_name=full_name,
        description=description,
        code=code,
        handler=handler,
        runtime=runtime,
        architecture=lambda_.Architecture.ARM_64,
        role=role,
        log_group=group,
        tracing=lambda_.Tracing.ACTIVE,
        timeout=timeout,
        memory_size=memory_mib,
        environment=dict(environment),
    )
    monitoring.alarm_of_throttled(scope, f"{id_}Throttled", function)
    return function
