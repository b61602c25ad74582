"""What the launchers' policy allows is enough to launch with the command line, and no more."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
import yaml
from botocore.exceptions import ClientError

from contract import Parameter
from tests.local.conftest import needs_iam
from tests.local.platform_client import COHORT, LAST_RESORT, STAGE, PlatformClient, gwas_config

pytestmark = [needs_iam, pytest.mark.local]


@pytest.fixture(scope="module")
def launcher(platform: PlatformClient) -> Iterator[dict[str, str]]:
    """Given: somebody whose role has the launchers' policy alone; the environment of their tools."""
    iam = platform.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName="scientist",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]
    policy = f"arn:aws:iam::000000000000:policy/genolaunch-{STAGE}-launchers"
    iam.attach_role_policy(RoleName="scientist", PolicyArn=policy)
    keys = platform.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="ada")["Credentials"]
    yield {
        **os.environ,
        **platform.environment,
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }
    iam.detach_role_policy(RoleName="scientist", PolicyArn=policy)
    iam.delete_role(RoleName="scientist")


def genolaunch(environment: dict[str, str], *arguments: str) -> str:
    """The command's output; fails with what it said if it fails."""
    command = [str(Path(sys.executable).with_name("genolaunch")), "--stage", STAGE, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LAST_RESORT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_launcher_submits_follows_and_fetches(platform, launcher, tmp_path):
    config = tmp_path / "launch.yaml"
    config.write_text(yaml.safe_dump(gwas_config() | {"data": "ada/"}))

    said = genolaunch(launcher, "submit", str(config), "--data-dir", str(COHORT), "--wait")
    accepted = re.search(r"accepted as launch (\S+)\.", said)
    assert accepted, said
    launch_id = accepted[1]

    assert launch_id in genolaunch(launcher, "list")
    assert "level0" in genolaunch(launcher, "logs", launch_id)
    assert "report.html" in genolaunch(launcher, "results", launch_id)


def test_a_launcher_changes_nothing_else(platform, launcher):
    session = boto3.Session(
        aws_access_key_id=launcher["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=launcher["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=launcher["AWS_SESSION_TOKEN"],
        region_name=launcher["AWS_DEFAULT_REGION"],
    )
    s3 = session.client("s3", endpoint_url=launcher["AWS_ENDPOINT_URL"])
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=platform.name(Parameter.DATA_BUCKET), Key="cohort/cohort.bed")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=platform.name(Parameter.RESULTS_BUCKET), Key="results/x", Body=b"")

    refused = platform.forget_refusals()
    assert {one.split(" perform ")[1].split()[0] for one in refused} == {"s3:DeleteObject", "s3:PutObject"}
