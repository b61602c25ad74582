"""Puts the launch config's JSON Schema into the launch bucket when the stack is deployed: a CloudFormation resource.

It is made from the very models that check configs, so that what editors complete is what is accepted.
"""

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from contract import SCHEMA_KEY
from lambdas.shared import aws
from lambdas.shared.config_model import launch_schema
from lambdas.shared.observability import logger, tracer
from lambdas.shared.settings import read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from types_boto3_s3.client import S3Client

_ANSWER_SECONDS: Final = 20
_LONGEST_REASON: Final = 1000
"""Characters: an answer to CloudFormation may have 4,096 bytes (AWS CloudFormation user guide, custom resources)."""


@dataclass(frozen=True, slots=True)
class SchemaSettings:
    """Environment variables of the function."""

    launch_bucket: str


@cache
def settings() -> SchemaSettings:
    """Read once in the life of the process."""
    return read_settings(SchemaSettings)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: "LambdaContext") -> None:  # noqa: ARG001 - Lambda's signature
    """A custom resource's request; CloudFormation waits for the answer at the request's `ResponseURL`."""
    try:
        if event["RequestType"] != "Delete":  # the object goes with its bucket
            publish()
    except Exception as error:
        # Whatever it is: without an answer, CloudFormation would wait for it.
        logger.exception("The schema was not published")
        answer(event, "FAILED", f"{type(error).__name__}: {error}"[:_LONGEST_REASON])
    else:
        answer(event, "SUCCESS")


def publish() -> None:
    """Put the schema."""
    s3: S3Client = aws.client("s3")
    s3.put_object(
        Bucket=settings().launch_bucket,
        Key=SCHEMA_KEY,
        Body=json.dumps(launch_schema(), indent=2).encode(),
        ContentType="application/schema+json",
    )


def answer(event: Mapping[str, Any], status: str, reason: str = "") -> None:
    """Tell CloudFormation how it went."""
    body = {
        "Status": status,
        "Reason": reason,
        "PhysicalResourceId": SCHEMA_KEY,
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    # A URL that S3 signed, for a request without a content type.
    request = urllib.request.Request(  # noqa: S310 - CloudFormation's own URL
        event["ResponseURL"], json.dumps(body).encode(), {"Content-Type": ""}, method="PUT"
    )
    urllib.request.urlopen(request, timeout=_ANSWER_SECONDS).close()  # noqa: S310 - as above
