"""Puts the launch config's JSON Schema into the launch bucket, after each deployment of this stack.

The schema is made from the models that check configs, so editors complete only what the platform accepts.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genolaunch.contract.launch_bucket import SCHEMA_KEY
from genolaunch.launch_configs.models import launch_schema
from genolaunch.shared import aws
from lambdas.shared.function import function
from lambdas.shared.settings import settings_of

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from types_boto3_s3.client import S3Client


@dataclass(frozen=True, slots=True)
class SchemaSettings:
    """Environment variables of the function."""

    launch_bucket: str


settings = settings_of(SchemaSettings)


@function
def handler(_event: dict[str, Any], _context: "LambdaContext") -> None:
    """Publish the schema after any event: a CloudFormation Stack Status Change, or a schedule's."""
    s3: S3Client = aws.client("s3")
    s3.put_object(
        Bucket=settings().launch_bucket,
        Key=SCHEMA_KEY,
        Body=json.dumps(launch_schema(), indent=2).encode(),
        ContentType="application/schema+json",
    )
