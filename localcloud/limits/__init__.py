"""Limits of AWS that no service model has: sizes of whole requests, counts, and rules between members.

One module a service. Each has LIMITS: for an operation (botocore's name) the checks of its parameters, which raise
ServiceError as AWS answers. Each number has its source beside it: a page of AWS's documentation by its title, or the
operation of the API reference.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from localcloud.limits import (
    batch,
    cloudformation,
    dynamodb,
    ecs,
    events,
    iam,
    lambda_functions,
    logs,
    s3,
    sns,
    sqs,
    ssm,
    stepfunctions,
)

Limit = Callable[[Mapping[str, Any]], None]

LIMITS: Final[Mapping[str, Mapping[str, tuple[Limit, ...]]]] = {
    "batch": batch.LIMITS,
    "cloudformation": cloudformation.LIMITS,
    "dynamodb": dynamodb.LIMITS,
    "ecs": ecs.LIMITS,
    "events": events.LIMITS,
    "iam": iam.LIMITS,
    "lambda": lambda_functions.LIMITS,
    "logs": logs.LIMITS,
    "pipes": events.PIPE_LIMITS,
    "s3": s3.LIMITS,
    "sns": sns.LIMITS,
    "sqs": sqs.LIMITS,
    "ssm": ssm.LIMITS,
    "stepfunctions": stepfunctions.LIMITS,
}
"""By botocore's names of services and operations."""


def check(service: str, operation: str, params: Mapping[str, Any]) -> None:
    """Raise ServiceError for a call that passes one of its service's limits."""
    for limit in LIMITS.get(service, {}).get(operation, ()):
        limit(params)
