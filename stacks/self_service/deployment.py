"""The function behind the product's custom resource: a build deploys the release, and its end is the resource's.

It is inline in the stack (stacks/product.py), so it knows nothing but boto3.
"""

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

import boto3

REQUEST = "CLOUDFORMATION_REQUEST"  # variable of the build: whom to tell of its end


def handler(event: dict[str, Any], _: object) -> None:
    """Take a request of CloudFormation, or news of EventBridge that a build has ended."""
    if "RequestType" in event:
        _start(event)
    else:
        # An ARN, of which the end is the id (AWS CodeBuild user guide, "Build notifications input format reference").
        _tell(event["detail"]["build-id"].rpartition("/")[2])


def _start(request: dict[str, Any]) -> None:
    if request["RequestType"] == "Delete":
        # What was deployed holds data and results: it is deleted by its owners, and not with the product.
        _answer(request, "SUCCESS", "the deployed stage is kept")
        return
    kept = ("ResponseURL", "StackId", "RequestId", "LogicalResourceId")
    variable = {"name": REQUEST, "value": json.dumps({key: request[key] for key in kept}), "type": "PLAINTEXT"}
    try:
        boto3.client("codebuild").start_build(
            projectName=request["ResourceProperties"]["Project"],
            environmentVariablesOverride=[variable],
            idempotencyToken=request["RequestId"],
        )
    except Exception as error:  # always answer: otherwise the stack would wait for an hour
        _answer(request, "FAILED", f"The deployment could not be started: {error}")


def _tell(build_id: str) -> None:
    (build,) = boto3.client("codebuild").batch_get_builds(ids=[build_id])["builds"]
    variables = {each["name"]: each["value"] for each in build["environment"]["environmentVariables"]}
    if REQUEST in variables:  # otherwise somebody started it by hand
        status = build["buildStatus"]
        log = build.get("logs", {}).get("deepLink", "its log")
        _answer(
            json.loads(variables[REQUEST]),
            "SUCCESS" if status == "SUCCEEDED" else "FAILED",
            f"The deployment ended {status}: {log}",
        )


def _answer(request: Mapping[str, str], status: str, reason: str) -> None:
    body = {
        "Status": status,
        "Reason": reason[:1000],
        "PhysicalResourceId": "deployment",  # the same for ever: a new release is an update
        **{key: request[key] for key in ("StackId", "RequestId", "LogicalResourceId")},
    }
    # S3 signed the URL without a type of content.
    answer = urllib.request.Request(  # noqa: S310 - CloudFormation's URL
        request["ResponseURL"], json.dumps(body).encode(), {"Content-Type": ""}, method="PUT"
    )
    urllib.request.urlopen(answer, timeout=10).close()  # noqa: S310
