"""What the launchers' policy allows is enough to launch with the command line, and no more."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
import yaml
from botocore.exceptions import ClientError

from genolaunch.contract.settings import Parameter
from genolaunch.platform import Platform as Stage
from genolaunch.uploads import Plan, planned_sources, planned_uploads, upload_file
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


def session_of(launcher: dict[str, str]) -> boto3.Session:
    return boto3.Session(
        aws_access_key_id=launcher["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=launcher["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=launcher["AWS_SESSION_TOKEN"],
        region_name=launcher["AWS_DEFAULT_REGION"],
    )


@pytest.fixture
def stage(launcher, monkeypatch) -> Stage:
    """The stage as the command line sees it with the launcher's keys."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", launcher["AWS_ENDPOINT_URL"])
    return Stage(STAGE, session_of(launcher))


def uploaded(stage: Stage, plan: Plan) -> list[str]:
    for upload in plan.uploads:
        upload_file(stage, upload, lambda _: None)
    return [upload.path.name for upload in plan.uploads]


def test_a_launcher_sees_by_content_what_data_is_there(stage, tmp_path):
    data, config = tmp_path / "data", tmp_path / "launch.yaml"
    shutil.copytree(COHORT, data)
    (data / "in-parts.txt").write_bytes(b"x" * (20 << 20))
    config.write_text("data: ada-again/\n")

    assert len(uploaded(stage, planned_uploads(stage, config, data))) == len(list(data.iterdir()))
    assert uploaded(stage, planned_uploads(stage, config, data)) == []
    (data / "in-parts.txt").write_bytes(b"x" * ((20 << 20) - 1) + b"y")
    table = data / "phenotypes.txt"
    table.write_bytes(table.read_bytes()[::-1])
    os.utime(table, (0, 0))
    assert uploaded(stage, planned_uploads(stage, config, data)) == ["in-parts.txt", "phenotypes.txt"]


def test_a_launcher_sees_by_content_what_sources_are_there(stage, tmp_path):
    config, snakefile = tmp_path / "launch.yaml", tmp_path / "ada" / "Snakefile"
    config.write_text("snakemake: {snakefile: workflows/ada/Snakefile}\n")
    snakefile.parent.mkdir()
    snakefile.write_text("rule all:\n")

    assert uploaded(stage, planned_sources(stage, config, snakefile)) == ["Snakefile"]
    assert uploaded(stage, planned_sources(stage, config, snakefile)) == []


def test_a_launcher_sees_whose_project_a_snakefile_is(platform, stage):
    place = {"Bucket": stage.names.launch_bucket, "Key": "snakefiles/exome/beside-the-Snakefile"}
    platform.client("s3").put_object(**place, Metadata={"origin": "grace@there:/exome"})

    assert stage.s3.head_object(**place)["Metadata"] == {"origin": "grace@there:/exome"}


def test_what_a_launcher_may_not_read_is_uploaded(platform, stage, tmp_path):
    """Nobody can tell then whether it is the same."""
    folder, config = tmp_path / "data", tmp_path / "launch.yaml"
    folder.mkdir()
    (folder / "table.txt").write_text("FID IID height\n")
    config.write_text("data: ada-unread/\n")
    uploaded(stage, planned_uploads(stage, config, folder))

    iam = platform.client("iam")
    statement = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName="scientist", PolicyName="blind", PolicyDocument=document)
    try:
        plan = planned_uploads(stage, config, folder)
    finally:
        iam.delete_role_policy(RoleName="scientist", PolicyName="blind")

    assert [upload.path.name for upload in plan.uploads] == ["table.txt"]
    assert {one.split(" perform ")[1].split()[0] for one in platform.forget_refusals()} == {"s3:GetObject"}


def test_a_launcher_changes_nothing_else(platform, launcher):
    session = session_of(launcher)
    s3 = session.client("s3", endpoint_url=launcher["AWS_ENDPOINT_URL"])
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=platform.name(Parameter.DATA_BUCKET), Key="cohort/cohort.bed")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=platform.name(Parameter.RESULTS_BUCKET), Key="results/x", Body=b"")

    refused = platform.forget_refusals()
    assert {one.split(" perform ")[1].split()[0] for one in refused} == {"s3:DeleteObject", "s3:PutObject"}
