"""Puts the launch config's JSON Schema into the launch bucket, whenever this stack was deployed.

It is made from the very models that check configs, so that what editors complete is what is accepted.
"""

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from contract.launch_bucket import SCHEMA_KEY
from lambdas.shared import aws
from lambdas.shared.launch_configs import launch_schema
from lambdas.shared.observability import logger, tracer
from lambdas.shared.public_errors import private_errors
from lambdas.shared.settings import read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from types_boto3_s3.client import S3Client


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
@private_errors
def handler(event: dict[str, Any], context: "LambdaContext") -> None:  # noqa: ARG001 - Lambda's signature
    """Anything: a CloudFormation Stack Status Change, or a schedule."""
    s3: S3Client = aws.client("s3")
    s3.put_object(
        Bucket=settings().launch_bucket,
        Key=SCHEMA_KEY,
        Body=json.dumps(launch_schema(), indent=2).encode(),
        ContentType="application/schema+json",
    )
