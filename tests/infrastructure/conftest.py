"""One stage, synthesized once, with two zones and nothing bundled."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template

from stacks.config import StageSettings, read_stages
from stacks.constructs.monitoring import Monitoring
from stacks.constructs.python_function import BundlingTarget
from stacks.constructs.stage_stack import StageStack
from stacks.network import NetworkStack
from stacks.settings_files import context_of_cdk_json
from stacks.stage import GenolaunchStage

IMAGE = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/mirror/regenie:4.1.2"

RAW_SETTINGS: dict[str, Any] = {
    "account": "111111111111",
    "region": "eu-west-1",
    "zones": ["eu-west-1a", "eu-west-1b"],
    "regenie": {"versions": {"4.1.2": IMAGE}, "default_version": "4.1.2"},
    "log_retention_days": 14,
    "notification_emails": ["lab@example.org"],
    "readable_buckets": ["shared-cohorts"],
    "writable_buckets": ["lab-runs"],
    "snakemake": {"image": "111111111111.dkr.ecr.eu-west-1.amazonaws.com/mirror/snakemake:7.32.4"},
    "tibanna": {"awsf_image": "111111111111.dkr.ecr.eu-west-1.amazonaws.com/mirror/tibanna-awsf:6.1.0"},
}

Resource = dict[str, Any]


@dataclass(frozen=True)
class Stack:
    """A stack's template, and questions that tests ask of it."""

    name: str
    template: Mapping[str, Any]

    def all(self, type_: str) -> dict[str, Resource]:
        """Logical id -> properties of the resources of a type."""
        return {
            id_: resource.get("Properties", {})
            for id_, resource in self.template["Resources"].items()
            if resource["Type"] == type_
        }

    def one(self, type_: str, id_prefix: str = "") -> Resource:
        """Properties of the only resource of a type whose logical id starts so."""
        found = [properties for id_, properties in self.all(type_).items() if id_.startswith(id_prefix)]
        assert len(found) == 1, f"{type_} {id_prefix}* in {self.name}: {len(found)}"
        return found[0]

    def statements(self, id_prefix: str = "") -> Iterator[tuple[str, Resource]]:
        """(logical id, statement) of each role policy whose id starts so."""
        for id_, properties in self.all("AWS::IAM::Policy").items():
            if id_.startswith(id_prefix):
                for statement in properties["PolicyDocument"]["Statement"]:
                    yield id_, statement

    def managed(self, id_prefix: str) -> list[Resource]:
        """The statements of the managed policy whose id starts so."""
        statements: list[Resource] = self.one("AWS::IAM::ManagedPolicy", id_prefix)["PolicyDocument"]["Statement"]
        return statements

    def statement(self, id_prefix: str, sid: str) -> Resource:
        """The statement of that name."""
        found = [statement for _, statement in self.statements(id_prefix) if statement.get("Sid") == sid]
        assert len(found) == 1, f"{sid} in {id_prefix}*: {len(found)}"
        return found[0]


def as_list(value: Any) -> list[Any]:
    """IAM writes a list of one as its element."""
    return value if isinstance(value, list) else [value]


def make_settings(**changes: Any) -> StageSettings:
    """The tests' stage, with changes."""
    return read_stages({"unit": {**RAW_SETTINGS, **changes}})["unit"]


def synthesize(settings: StageSettings) -> dict[str, Stack]:
    """Templates of a stage by the stacks' short names."""
    with TemporaryDirectory() as folder:
        app = cdk.App(outdir=folder, context={**context_of_cdk_json(), "aws:cdk:bundling-stacks": []})
        stage = GenolaunchStage(app, settings=settings, bundling=BundlingTarget.LAMBDA)
        return {
            stack.node.id: Stack(stack.node.id, Template.from_stack(stack).to_json())
            for stack in stage.node.children
            if isinstance(stack, StageStack)
        }


def network_alone(settings: StageSettings, outdir: str) -> cdk.App:
    """An app with a stage's network (stack `<stage>/network`) and what it needs: a tenth of the whole stage's work."""
    app = cdk.App(outdir=outdir, context=context_of_cdk_json())
    stage = cdk.Stage(app, settings.name, env=cdk.Environment(account=settings.account, region=settings.region))
    base = cdk.Stack(stage, "base")
    monitoring = Monitoring(key=kms.Key(base, "Key"), topic=sns.Topic(base, "Topic"))
    NetworkStack(stage, settings=settings, monitoring=monitoring)
    return app


def synthesize_network(settings: StageSettings) -> Stack:
    """The network's template."""
    with TemporaryDirectory() as folder:
        network = network_alone(settings, folder).node.find_child(settings.name).node.find_child("network")
        assert isinstance(network, NetworkStack)
        return Stack("network", Template.from_stack(network).to_json())


@pytest.fixture(scope="session")
def stacks() -> dict[str, Stack]:
    return synthesize(make_settings())
