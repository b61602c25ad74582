"""The state machine that keeps bills of materials: the app's own, as they are deployed. Inspector is AWS's alone."""

import json
import uuid
from pathlib import Path

import pytest

from stacks.constructs.bill_of_materials import bill_of_lock
from statemachines.composition import text
from tests.local.platform_client import PlatformClient, eventually

pytestmark = pytest.mark.local

REPOSITORY = Path(__file__).parents[2]
PREFIX = "bills-of-materials/"


@pytest.fixture
def buckets(platform: PlatformClient) -> tuple[str, str]:
    """Given: two buckets, one with the assets of a deployment."""
    made = tuple(f"{kind}-{uuid.uuid4().hex[:8]}" for kind in ("assets", "bills"))
    for bucket in made:
        platform.s3.create_bucket(Bucket=bucket)
    return made[0], made[1]


def machine(platform: PlatformClient, assets: str, kept: str, bills: str) -> str:
    """Given: the machine as the stack fills it in, with a role that may do what the stack's may."""
    definition = text("inventory")
    values = {"Bills": bills, "AssetBucket": assets, "Bucket": kept, "Prefix": PREFIX, "Inspector": "off"}
    for name, value in values.items():
        definition = definition.replace(f"${{{name}}}", value)
    iam = platform.client("iam")
    name = f"inventory-{uuid.uuid4().hex[:8]}"
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]["Arn"]
    statements = [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{assets}/*"},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{kept}/{PREFIX}*"},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy)
    arn: str = platform.states.create_state_machine(name=name, definition=definition, roleArn=role)["stateMachineArn"]
    return arn


def test_the_bills_of_a_deployment_are_kept_under_their_content_as_rows_that_athena_reads(platform, buckets):
    assets, kept = buckets
    bill = bill_of_lock("genolaunch-lambda-layer", REPOSITORY / "lambdas" / "requirements.txt")
    for key in ("0a1b.json", "2c3d.json"):
        platform.s3.put_object(Bucket=assets, Key=key, Body=bill)
    arn = machine(platform, assets, kept, "lambda-layer=0a1b.json,regenie-image=2c3d.json")

    execution = platform.states.start_execution(stateMachineArn=arn)["executionArn"]

    def ended() -> str | None:
        status: str = platform.states.describe_execution(executionArn=execution)["status"]
        return None if status == "RUNNING" else status

    assert eventually(ended, "the end of the execution") == "SUCCEEDED"
    keys = [each["Key"] for each in platform.s3.list_objects_v2(Bucket=kept)["Contents"]]
    assert keys == [f"{PREFIX}build/lambda-layer/0a1b.json", f"{PREFIX}build/regenie-image/2c3d.json"]
    (row,) = platform.s3.get_object(Bucket=kept, Key=keys[0])["Body"].read().decode().splitlines()
    assert "pydantic" in [each["name"] for each in json.loads(row)["components"]]
