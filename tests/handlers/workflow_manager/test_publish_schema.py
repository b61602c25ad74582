"""The launch config's JSON Schema is in the launch bucket."""

import json
from pathlib import Path

import boto3

from lambdas.workflow_manager import publish_schema
from tests.handlers.workflow_manager.conftest import CONTEXT, LAUNCH_BUCKET

SCHEMA = Path(__file__).parents[3] / "docs" / "launch-schema.json"


def test_the_schema_of_the_documentation_is_put(platform, monkeypatch):
    monkeypatch.setenv("LAUNCH_BUCKET", LAUNCH_BUCKET)
    publish_schema.settings.cache_clear()

    publish_schema.handler({}, CONTEXT)

    answer = boto3.client("s3").get_object(Bucket=LAUNCH_BUCKET, Key="schema/launch.json")
    assert json.loads(answer["Body"].read()) == json.loads(SCHEMA.read_text())
    assert answer["ContentType"] == "application/schema+json"
