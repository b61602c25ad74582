"""Every function's environment fits into what Lambda takes, with the longest names, on the largest stage.

Lambda measures the variables as one JSON object ("... exceeded the 4KB limit. String measured: {...}"), in which the
quotes of a value that is JSON itself are escaped, and count twice.
"""

import json
import re
from typing import Any

import pytest

from localcloud.service import ServiceError
from localcloud.validation.gate import check_call
from stacks.config import InvalidSettingsError, StageSettings
from tests.infrastructure.conftest import Stack, make_settings, synthesize

MOST = 4096
"""Bytes (Lambda developer guide, "Lambda quotas": environment variables 4 KB, aggregate size)."""

ACCOUNT, REGION = "111111111111", "ap-southeast-1"  # no region has a longer name, outside of the secret ones
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret"
RANDOM = "ABCDEFGHIJKLM"
"""As many characters as CloudFormation puts after the names that it generates."""

LONGEST_ID = "0123456789abcdef0"
ID_OF = {
    "AWS::EC2::SecurityGroup": f"sg-{LONGEST_ID}",
    "AWS::EC2::Subnet": f"subnet-{LONGEST_ID}",
    "AWS::EC2::VPC": f"vpc-{LONGEST_ID}",
    "AWS::KMS::Key": "01234567-89ab-cdef-0123-456789abcdef",
}

ARNS = {
    "AWS::Batch::JobQueue": ("batch", "job-queue/"),
    "AWS::DynamoDB::Table": ("dynamodb", "table/"),
    "AWS::ECS::Cluster": ("ecs", "cluster/"),
    "AWS::ECS::TaskDefinition": ("ecs", "task-definition/"),
    "AWS::Events::EventBus": ("events", "event-bus/"),
    "AWS::IAM::Role": ("iam", "role/"),
    "AWS::KMS::Key": ("kms", "key/"),
    "AWS::Lambda::Function": ("lambda", "function:"),
    "AWS::S3::Bucket": ("s3", ""),
    "AWS::SNS::Topic": ("sns", ""),
    "AWS::SQS::Queue": ("sqs", ""),
    "AWS::StepFunctions::StateMachine": ("states", "stateMachine:"),
}

NAME_PROPERTIES = ("BucketName", "ClusterName", "FunctionName", "JobQueueName", "Name", "StateMachineName", "TableName")
MOST_OF_A_NAME = {"AWS::S3::Bucket": 63, "AWS::IAM::Role": 64, "AWS::SQS::Queue": 80}
REF_IS_ARN = ("AWS::SNS::Topic", "AWS::StepFunctions::StateMachine", "AWS::ECS::TaskDefinition")


class Deployed:
    """The templates of a stage with every reference filled in by what AWS would make at the longest."""

    def __init__(self, stacks: dict[str, Stack], prefix: str) -> None:
        self._resources = {f"{prefix}-{name}": stack.template["Resources"] for name, stack in stacks.items()}
        self._exports = {
            output["Export"]["Name"]: (f"{prefix}-{name}", output["Value"])
            for name, stack in stacks.items()
            for output in stack.template.get("Outputs", {}).values()
            if "Export" in output
        }

    def environments(self) -> dict[str, dict[str, str]]:
        """Function -> its variables."""
        return {
            resource["Properties"].get("FunctionName", id_): {
                name: self.text(stack, value)
                for name, value in resource["Properties"].get("Environment", {}).get("Variables", {}).items()
            }
            for stack, resources in self._resources.items()
            for id_, resource in resources.items()
            if resource["Type"] == "AWS::Lambda::Function"
        }

    def text(self, stack: str, value: Any) -> str:
        match value:
            case {"Fn::Join": [separator, parts]}:
                return str(separator.join(self.text(stack, part) for part in parts))
            case {"Fn::ImportValue": name}:
                return self.text(*self._exports[name])
            case {"Fn::Sub": str(template)}:
                return re.sub(r"\$\{(.*?)\}", lambda found: self.text(stack, {"Ref": found[1]}), template)
            case {"Ref": str(name)}:
                return self._ref(stack, name)
            case {"Fn::GetAtt": [id_, "GroupId" | "KeyId"]}:
                return self._ref(stack, id_)
            case {"Fn::GetAtt": [id_, attribute]} if attribute.endswith("Arn"):
                return self._arn(stack, id_)
            case str():
                return value
        raise AssertionError(f"not known how long this gets: {value}")

    def _ref(self, stack: str, name: str) -> str:
        pseudo = {
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::Region": REGION,
            "AWS::URLSuffix": "amazonaws.com",
        }
        if name in pseudo:
            return pseudo[name]
        type_ = self._resources[stack][name]["Type"]
        if type_ in REF_IS_ARN:
            return self._arn(stack, name)
        if type_ == "AWS::SQS::Queue":
            return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self._name(stack, name)}"
        return ID_OF.get(type_) or self._name(stack, name)

    def _arn(self, stack: str, id_: str) -> str:
        type_ = self._resources[stack][id_]["Type"]
        service, kind = ARNS[type_]
        revision = ":1000" if type_ == "AWS::ECS::TaskDefinition" else ""
        place = "" if service == "s3" else f"{REGION}:{ACCOUNT}"
        return f"arn:aws:{service}:{place}:{kind}{ID_OF.get(type_) or self._name(stack, id_)}{revision}"

    def _name(self, stack: str, id_: str) -> str:
        resource = self._resources[stack][id_]
        for key in NAME_PROPERTIES:
            if key in resource["Properties"]:
                return self.text(stack, resource["Properties"][key])
        return f"{stack}-{id_}-{RANDOM}"[: MOST_OF_A_NAME.get(resource["Type"], 255)]


def largest() -> StageSettings:
    """Given: a stage with the longest name, and as much of everything as the settings take."""
    image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{'mirror-of-the-company/' * 4}regenie@sha256:{'0' * 64}"
    secret = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:registries/company-registry-AbCdEf"
    return make_settings(
        region=REGION,
        account=ACCOUNT,
        zones=[f"{REGION}{letter}" for letter in "abcd"],
        regenie={"versions": {f"4.1.{number}": image for number in range(8)}, "default_version": "4.1.0"},
        snakemake={"image": "build", "batch_image": "build"},
        tibanna={},
        backup_days=35,
        teams=[f"team{number:08d}" for number in range(50)],
        readable_buckets=["r" * 61 + f"{number:02d}" for number in range(20)],
        writable_buckets=["w" * 61 + f"{number:02d}" for number in range(20)],
        pricing="cost_explorer",
        images={
            "inspector": True,
            "registry_credentials": {f"registry-{number}.example.org": secret for number in range(4)},
        },
        parallelcluster={
            "cluster": "c" * 60,
            "shared_folder": "/shared/" + "f" * 40,
            "user": "genolaunch",
            "partition": "spot-partition",
            "on_demand_partition": "on-demand-partition",
        },
    ).model_copy(update={"name": "abcdefghijkl"})


@pytest.fixture(scope="module")
def environments() -> dict[str, dict[str, str]]:
    settings = largest()
    return Deployed(synthesize(settings), settings.prefix).environments()


def measured(variables: dict[str, str]) -> int:
    return len(json.dumps(variables, separators=(",", ":")).encode())


def test_every_environment_fits(environments):
    sizes = {name: measured(variables) for name, variables in environments.items()}

    assert len(sizes) > 30
    for name, variables in environments.items():  # refused as Lambda refuses it
        check_call("lambda", "UpdateFunctionConfiguration", _with(name, variables))
    assert {name: size for name, size in sizes.items() if size > MOST} == {}


def _with(name: str, variables: dict[str, str]) -> dict[str, Any]:
    return {"FunctionName": name, "Environment": {"Variables": variables}}


def test_one_byte_more_is_refused_in_lambdas_own_words():
    variables = {"NAME": "x" * (MOST - len('{"NAME":""}'))}
    check_call("lambda", "UpdateFunctionConfiguration", _with("f", variables))

    with pytest.raises(ServiceError, match="exceeded the 4KB limit"):
        check_call("lambda", "UpdateFunctionConfiguration", _with("f", variables | {"NAME": variables["NAME"] + "x"}))


@pytest.mark.parametrize(
    "changes",
    [
        {"zones": [f"eu-west-1{letter}" for letter in "abcde"]},
        {"readable_buckets": [f"bucket-{number}" for number in range(21)]},
        {"writable_buckets": [f"bucket-{number}" for number in range(21)]},
        {"teams": [f"team{number}" for number in range(51)]},
        {"regenie": {"versions": dict.fromkeys("123456789", "image:1"), "default_version": "1"}},
        {"images": {"registry_credentials": {f"r{number}.org": f"{SECRET}:s-AbCdEf" for number in range(5)}}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_makes_environments_longer_has_a_most(changes):
    with pytest.raises(InvalidSettingsError, match="at most"):
        make_settings(**changes)
