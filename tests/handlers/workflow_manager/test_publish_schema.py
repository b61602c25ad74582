"""The launch config's JSON Schema is in the launch bucket, and CloudFormation hears of it, whatever happens."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import boto3
import pytest

from lambdas.workflow_manager import publish_schema
from tests.handlers.workflow_manager.conftest import CONTEXT, LAUNCH_BUCKET

SCHEMA = Path(__file__).parents[3] / "docs" / "launch-schema.json"


@pytest.fixture
def cloudformation():
    """Given: somebody who listens at a response URL; answers the URL and what was told."""
    told = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self):
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", told
    server.shutdown()


def request(url, kind):
    names = {"StackId": "stack", "RequestId": "request", "LogicalResourceId": "LaunchSchema"}
    return {"RequestType": kind, "ResponseURL": url, **names}


@pytest.fixture
def bucket(platform, monkeypatch):
    monkeypatch.setenv("LAUNCH_BUCKET", LAUNCH_BUCKET)
    publish_schema.settings.cache_clear()


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_the_schema_of_the_documentation_is_put(bucket, cloudformation, kind):
    url, told = cloudformation

    publish_schema.handler(request(url, kind), CONTEXT)

    content = boto3.client("s3").get_object(Bucket=LAUNCH_BUCKET, Key="schema/launch.json")["Body"].read()
    assert json.loads(content) == json.loads(SCHEMA.read_text())
    assert [(each["Status"], each["LogicalResourceId"]) for each in told] == [("SUCCESS", "LaunchSchema")]


def test_a_refused_put_fails_the_deployment_at_once_and_says_why(bucket, cloudformation, monkeypatch):
    url, told = cloudformation
    monkeypatch.setenv("LAUNCH_BUCKET", "nobodys-bucket")
    publish_schema.settings.cache_clear()

    publish_schema.handler(request(url, "Create"), CONTEXT)

    assert told[0]["Status"] == "FAILED"
    assert "NoSuchBucket" in told[0]["Reason"]


def test_deleting_the_stack_does_not_need_the_bucket(bucket, cloudformation):
    url, told = cloudformation

    publish_schema.handler(request(url, "Delete"), CONTEXT)

    assert told[0]["Status"] == "SUCCESS"
