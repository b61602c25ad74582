"""What people ask of launches, and who it was: retry with a change, cancel, approve."""

import getpass
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from genolaunch.contract.settings import Parameter
from tests.local.platform_client import LAST_RESORT, STAGE, PlatformClient, eventually, gwas_config

pytestmark = pytest.mark.local


def command_line(platform: PlatformClient, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs genolaunch as a person does."""
    program = Path(sys.executable).with_name("genolaunch")
    environment = {**os.environ, **platform.environment}
    return subprocess.run(
        [program, *arguments, "--stage", STAGE], env=environment, capture_output=True, text=True, timeout=LAST_RESORT
    )


def as_somebody_else(platform: PlatformClient):
    """Given: the session `bob` of a role that is allowed everything; an S3 client of it, and what S3 calls it."""
    iam = platform.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    try:
        role = iam.create_role(RoleName="requests-test", AssumeRolePolicyDocument=_policy(trust))["Role"]
        iam.put_role_policy(RoleName="requests-test", PolicyName="own", PolicyDocument=_policy(everything))
    except iam.exceptions.EntityAlreadyExistsException:
        role = iam.get_role(RoleName="requests-test")["Role"]
    session = platform.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="bob")
    keys = session["Credentials"]
    s3 = boto3.client(
        "s3",
        endpoint_url=platform.environment["AWS_ENDPOINT_URL"],
        region_name=platform.environment["AWS_DEFAULT_REGION"],
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    return s3, f"AWS:{session['AssumedRoleUser']['AssumedRoleId']}"


def _policy(statement: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_who_approves_retries_and_cancels_stays_with_the_launch(platform):
    # Given: a launch above its budget, which the owner of the cloud asked for
    budget = {"limit": 0.000001, "action": "hold"}
    launch_id = platform.drop(gwas_config() | {"budget": budget})["launchId"]
    held = platform.wait_for(launch_id, "HELD")
    bucket = platform.name(Parameter.LAUNCH_BUCKET)
    s3, bob = as_somebody_else(platform)

    # When: it is cancelled, tried again with a change, and approved by somebody else
    assert command_line(platform, "cancel", launch_id, "--reason", "not now").returncode == 0
    platform.wait_for(launch_id, "CANCELLED")
    changed = command_line(platform, "retry", launch_id, "--resources", "step2=1:2")
    assert changed.returncode == 0, changed.stderr
    platform.wait_for(launch_id, "HELD")
    key = f"requests/{launch_id}/bobs.json"
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps({"action": "approve", "reason": "worth it"}))

    # Then
    done = platform.complete(launch_id)
    asked = [event for event in done["events"] if "action" in event]
    assert [(each["action"], each["status"], each.get("reason")) for each in asked] == [
        ("cancel", "CANCEL_REQUESTED", "not now"),
        ("retry", "RETRY", None),
        ("approve", "READY", "worth it"),
    ]
    assert [each["by"] for each in asked] == [held["requestedBy"], held["requestedBy"], bob]
    assert held["requestedBy"] == f"AWS:{getpass.getuser()}"
    assert json.loads(done["config"])["regenie"]["resources"]["step2"] == {"vcpus": 1, "memory_gib": 2}
    answer = json.loads(s3.get_object(Bucket=bucket, Key=f"feedback/{key}.json")["Body"].read())
    assert (answer["accepted"], answer["status"]) == (True, "READY")


def test_an_item_that_somebody_broke_is_rejected_in_words_and_others_go_on(platform):
    # Given: a launch that was cancelled, whose config is no JSON any more
    budget = {"limit": 0.000001, "action": "hold"}
    sick = platform.drop(gwas_config() | {"budget": budget})["launchId"]
    platform.wait_for(sick, "HELD")
    assert command_line(platform, "cancel", sick).returncode == 0
    platform.wait_for(sick, "CANCELLED")

    # When
    platform.set_fields(sick, status="RETRY", config="no json")

    # Then
    launch = eventually(lambda: _with_status(platform, sick, "REJECTED"), "the rejection")
    assert [fault["where"] for fault in launch["error"]["faults"]] == ["config"]
    listed = command_line(platform, "list")
    assert listed.returncode == 0
    assert f"The item of launch {sick} cannot be read: config must be" in listed.stderr
    refused = command_line(platform, "status", sick)
    assert refused.returncode != 0
    assert "Traceback" not in refused.stderr
    platform.complete(platform.drop(gwas_config())["launchId"])


def _with_status(platform: PlatformClient, launch_id: str, status: str) -> dict[str, Any] | None:
    item = platform.launch(launch_id)
    return item if item["status"] == status else None
