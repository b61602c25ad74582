"""Who may speak to the embedded cloud: functions are processes of whoever started it, so nobody else may make one."""

import json
import os
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from localcloud import control
from localcloud.clients import KEY_HEADER, Keys, client

pytestmark = pytest.mark.local

SHELLS_OWN = "of-the-shell"

CALLS: list[tuple[str, str, dict[str, Any], set[str]]] = [
    ("s3", "create_bucket", {"Bucket": "mine"}, {"InvalidAccessKeyId"}),
    ("sts", "get_caller_identity", {}, {"InvalidClientTokenId"}),
    ("ec2", "describe_instances", {}, {"AuthFailure"}),
    ("dynamodb", "list_tables", {}, {"UnrecognizedClientException"}),
    ("lambda", "list_functions", {}, {"UnrecognizedClientException"}),
    ("batch", "describe_job_queues", {}, {"UnrecognizedClientException"}),
    ("fsx", "describe_file_systems", {}, {"UnrecognizedClientException"}),
    ("sqs", "list_queues", {}, {"UnrecognizedClientException"}),
    ("stepfunctions", "list_state_machines", {}, {"UnrecognizedClientException"}),
]


@pytest.fixture(scope="module", params=[False, True], ids=["", "iam"])
def cloud(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[control.Cloud]:
    """Given: a cloud, with nothing deployed, that somebody started from a shell of their own."""
    state_dir = tmp_path_factory.mktemp("door")
    with pytest.MonkeyPatch.context() as shell:
        shell.setenv("TOKEN_OF_ANOTHER_TOOL", SHELLS_OWN)
        shell.setenv("AWS_PROFILE", SHELLS_OWN)
        running = control.up(state_dir, port=control.free_port(), enforce_iam=request.param)
    try:
        yield running
    finally:
        control.down(state_dir)


def stranger(cloud: control.Cloud, service: str, *keys: str, **config: Any) -> Any:
    key, secret = keys or ("test", "test")
    return boto3.client(
        service,
        endpoint_url=cloud.endpoint,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}, **config),
    )


@pytest.mark.parametrize(("service", "call", "arguments", "codes"), CALLS, ids=[call[0] for call in CALLS])
def test_keys_that_anybody_knows_are_refused_in_the_services_words(cloud, service, call, arguments, codes):
    for key in ("test", "000000000000", "AKIA" + "A" * 16):
        with pytest.raises(ClientError) as refusal:
            getattr(stranger(cloud, service, key, "test"), call)(**arguments)
        assert refusal.value.response["Error"]["Code"] in codes


def test_a_call_that_nobody_signed_is_refused(cloud):
    owners = client("s3", cloud.endpoint, cloud.keys)
    owners.create_bucket(Bucket="unsigned")
    owners.put_object(Bucket="unsigned", Key="genotypes", Body=b"x")

    with pytest.raises(ClientError) as refusal:
        stranger(cloud, "s3", signature_version=UNSIGNED).get_object(Bucket="unsigned", Key="genotypes")

    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_the_owners_keys_and_presigned_addresses_open(cloud):
    owners = client("s3", cloud.endpoint, cloud.keys)
    owners.create_bucket(Bucket="presigned")
    owners.put_object(Bucket="presigned", Key="report", Body=b"report")
    address = owners.generate_presigned_url("get_object", Params={"Bucket": "presigned", "Key": "report"})

    assert fetch(address) == (200, b"report")


@pytest.mark.parametrize(
    "path",
    ["/_ministack/reset", "/_ministack/health", "/_localcloud/inject/batch", "/_localcloud/iam", "/health", "/"],
)
def test_what_aws_does_not_have_is_refused_without_a_key(cloud, path):
    for body in (None, b"{}"):
        status, answer = fetch(f"{cloud.endpoint}{path}", body)
        assert status == 403, answer


def test_a_page_is_refused_even_with_the_key(cloud):
    known = {KEY_HEADER: cloud.keys.access_key}

    assert fetch(f"{cloud.endpoint}/_ministack/health", headers=known)[0] == 200
    for header in ({"Origin": "https://example.org"}, {"Origin": "null"}, {"Host": f"example.org:{cloud.port}"}):
        assert fetch(f"{cloud.endpoint}/_ministack/health", headers={**known, **header})[0] == 403
        assert fetch(f"{cloud.endpoint}/_ministack/ready", headers=header)[0] == 403


def test_keys_are_new_at_each_start_and_for_the_owners_eyes(cloud, tmp_path):
    other = control.up(tmp_path / "other", port=control.free_port())
    try:
        assert len({cloud.keys.access_key, other.keys.access_key}) == 2
        with pytest.raises(ClientError):
            client("sts", cloud.endpoint, Keys(*other.keys[:2]), 1).get_caller_identity()
    finally:
        control.down(tmp_path / "other")
    for folder in (cloud.state_dir, other.state_dir):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((cloud.state_dir / "keys.json").stat().st_mode) == 0o600


def test_a_function_sees_nothing_of_the_shell_and_calls_as_its_role(cloud, tmp_path):
    owners = Owner(cloud)
    source = "import os, boto3\ndef handler(event, context):\n    return dict(os.environ)"
    environment = owners.answer_of(source, tmp_path)

    assert SHELLS_OWN not in environment.values()
    assert environment["AWS_ACCESS_KEY_ID"] != cloud.keys.access_key
    assert "HOME" not in environment
    source = "import boto3\ndef handler(event, context):\n    return boto3.client('sts').get_caller_identity()['Arn']"
    assert owners.answer_of(source, tmp_path).startswith("arn:aws:sts::000000000000:assumed-role/functions/")


class Owner:
    """Makes functions as the cloud's owner."""

    def __init__(self, cloud: control.Cloud) -> None:
        self._cloud = cloud

    def answer_of(self, source: str, folder: Path) -> Any:
        role = self._role()
        file = folder / "code.py"
        file.write_text(source)
        package = folder / "code.zip"
        subprocess.run([sys.executable, "-m", "zipfile", "-c", str(package), str(file)], check=True)
        functions = client("lambda", self._cloud.endpoint, self._cloud.keys)
        name = f"f{os.urandom(4).hex()}"
        functions.create_function(
            FunctionName=name,
            Runtime="python3.14",
            Role=role,
            Handler="code.handler",
            Code={"ZipFile": package.read_bytes()},
            Timeout=20,
        )
        answer = functions.invoke(FunctionName=name)
        payload = json.load(answer["Payload"])
        assert "FunctionError" not in answer, payload
        return payload

    def _role(self) -> str:
        iam = client("iam", self._cloud.endpoint, self._cloud.keys)
        principal = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [principal]})
        logs = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}
        try:
            role = iam.create_role(RoleName="functions", AssumeRolePolicyDocument=trust)["Role"]
        except iam.exceptions.EntityAlreadyExistsException:
            role = iam.get_role(RoleName="functions")["Role"]
        policy = json.dumps({"Version": "2012-10-17", "Statement": [logs]})
        iam.put_role_policy(RoleName="functions", PolicyName="logs", PolicyDocument=policy)
        return str(role["Arn"])


def fetch(address: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    request = urllib.request.Request(address, body, headers or {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read()
