"""What holds for the templates of every stage of every settings file: between stacks, and for what outlives them."""

import re
from collections.abc import Iterator, Mapping
from tempfile import TemporaryDirectory
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

import app
from localcloud.limits.cloudformation import NAMED as TAKEN_NAMES
from stacks.constructs.stage_stack import StageStack
from stacks.settings_files import context_of_cdk_json
from stacks.stage import GenolaunchStage
from tests.infrastructure.conftest import Stack

STAGES: list[tuple[dict[str, str], str]] = [
    *(({}, name) for name in ("dev", "test", "prod")),
    *(({"settings-file": "checks/three_accounts.json"}, name) for name in ("dev", "test", "prod")),
]

Stage = dict[str, Stack]


@pytest.fixture(scope="module", params=STAGES, ids=lambda each: "-".join([*each[0].values(), each[1]]))
def stage(request: pytest.FixtureRequest) -> Stage:
    """Given: the stacks of a stage, in the order in which they are deployed."""
    context, name = request.param
    with TemporaryDirectory() as folder:
        settings: Mapping[str, Any] = {**context_of_cdk_json(), "aws:cdk:bundling-stacks": [], **context, "stage": name}
        made = cdk.App(outdir=folder, context=settings)
        app.build(made)
        of_stage = made.node.find_child(f"genolaunch-{name}")
        assert isinstance(of_stage, GenolaunchStage)
        stacks = [each for each in of_stage.node.children if isinstance(each, StageStack)]
        templates = {each.stack_name: Template.from_stack(each).to_json() for each in stacks}
        needs = {each.stack_name: [needed.stack_name for needed in each.dependencies] for each in stacks}
    return {name: Stack(name, templates[name]) for name in _deployed(needs)}


def _deployed(needs: Mapping[str, list[str]]) -> list[str]:
    """The stacks' names, each after those that it needs."""
    order: list[str] = []
    while len(order) < len(needs):
        ready = [name for name, needed in needs.items() if name not in order and set(needed) <= set(order)]
        assert ready, f"stacks need each other: {sorted(needs.keys() - set(order))}"
        order += ready
    return order


def functions_in(value: Any, name: str) -> Iterator[Any]:
    """Arguments of all calls of an intrinsic function."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == name:
                yield inner
            yield from functions_in(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from functions_in(inner, name)


def exports_of(stack: Stack) -> set[str]:
    outputs = stack.template.get("Outputs", {}).values()
    return {output["Export"]["Name"] for output in outputs if "Export" in output}


# --- Between stacks ------------------------------------------------------------------------------------------------
def test_stacks_refer_to_each_other_by_exports_alone(stage):
    """A weak reference leaves its user as it was when the value changes (docs/decisions/080)."""
    weak = {name: list(functions_in(stack.template, "Fn::GetStackOutput")) for name, stack in stage.items()}

    assert {name: found for name, found in weak.items() if found} == {}


def test_what_a_stack_imports_was_exported_by_one_that_is_deployed_before(stage):
    known: set[str] = set()
    for name, stack in stage.items():
        imported = set(functions_in(stack.template, "Fn::ImportValue"))
        assert imported <= known, name
        exported = exports_of(stack)
        assert exported.isdisjoint(known), name
        known |= exported
    assert len(known) > 30


# --- What outlives its stack ---------------------------------------------------------------------------------------
NAMED = {
    "AWS::Backup::BackupVault": r"genolaunch-[a-z0-9]+-backups",  # CloudFormation names none
    "AWS::DynamoDB::Table": r"tibanna-master",  # Tibanna's programs know it by this name
    # The CDK publishes there by name, and a cache's repositories have the names of the images that they hold.
    "AWS::ECR::Repository": r"genolaunch-[a-z0-9]+/(images|(docker|ghcr|quay|public)/.+)",
    "AWS::Logs::LogGroup": r"/aws/vendedlogs/states/(genolaunch-[a-z0-9]+-[a-z]+|tibanna_unicorn_genolaunch_[a-z0-9]+)",
    "AWS::S3::Bucket": r"genolaunch-[a-z0-9]+-launch-\d{12}-[a-z0-9-]+",  # its queue's policy would be a circle
    "AWS::KMS::Key": None,
}
"""Types whose resources may outlive a stack, and the only names that they may have (docs/decisions/081)."""

NAME_OF = {
    "AWS::Backup::BackupVault": "BackupVaultName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::ECR::Repository": "RepositoryName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
}


def resources_of(stage: Stage) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, stack in stage.items():
        for id_, resource in stack.template["Resources"].items():
            yield f"{name}/{id_}", resource


def is_protected(resource: dict[str, Any]) -> bool:
    """A table that nobody can delete, CloudFormation's roll-back included."""
    return bool(resource["Properties"].get("DeletionProtectionEnabled", False))


def test_what_is_kept_is_not_kept_when_its_creation_rolls_back(stage):
    kept = {name: each for name, each in resources_of(stage) if each.get("DeletionPolicy", "Delete") != "Delete"}

    wrong = {
        name: resource["DeletionPolicy"]
        for name, resource in kept.items()
        if resource["DeletionPolicy"] != ("Retain" if is_protected(resource) else "RetainExceptOnCreate")
    }
    assert wrong == {}
    assert {resource["UpdateReplacePolicy"] for resource in kept.values()} <= {"Retain"}
    assert {resource["Type"] for resource in kept.values()} <= NAMED.keys()


def test_a_roll_back_can_delete_what_it_must(stage):
    """DynamoDB refuses to delete a protected table (developer guide, "Deletion protection")."""
    stuck = [
        name
        for name, resource in resources_of(stage)
        if resource.get("DeletionPolicy") != "Retain"
        if resource["Type"] == "AWS::DynamoDB::Table" and is_protected(resource)
    ]
    assert stuck == []


def test_what_may_outlive_its_stack_has_a_name_only_where_it_needs_one(stage):
    named = {
        name: (resource["Type"], resource["Properties"][NAME_OF[resource["Type"]]])
        for name, resource in resources_of(stage)
        if resource["Type"] in NAME_OF and NAME_OF[resource["Type"]] in resource["Properties"]
    }

    assert named
    assert [
        (name, given) for name, (type_, given) in named.items() if not re.fullmatch(NAMED[type_] or "", str(given))
    ] == []
    assert [name for name, each in resources_of(stage) if is_protected_by_name(each)] == []


REFUSED_BY_THEMSELVES = {
    "AWS::Athena::WorkGroup",
    "AWS::Batch::ComputeEnvironment",
    "AWS::Batch::JobQueue",
    "AWS::Events::EventBus",
    "AWS::IAM::InstanceProfile",
    "AWS::S3::Bucket",
}
"""Types of which the embedded cloud's own services make no second one of a name."""

PUT_OVER = {
    "AWS::CloudWatch::Dashboard",  # PutDashboard
    "AWS::ECS::Cluster",  # CreateCluster answers with the one that is there
    "AWS::IAM::Policy",  # inline: its role has the name
}
"""Types whose services make and change with one call: the embedded cloud takes over what is there."""


def test_the_embedded_cloud_refuses_every_name_that_is_taken(stage):
    """Else a deployment that AWS refuses passes its tests there (tests/local/test_stack_life.py has each type)."""
    named = {
        resource["Type"]
        for _, resource in resources_of(stage)
        for name in ("Name", f"{resource['Type'].rpartition(':')[2]}Name")
        if name in resource.get("Properties", {})
    }

    assert named
    assert named - TAKEN_NAMES.keys() - REFUSED_BY_THEMSELVES - PUT_OVER == set()


def is_protected_by_name(resource: dict[str, Any]) -> bool:
    """What stays after a roll-back must not have a name: the next deployment would fail on it."""
    return resource.get("DeletionPolicy") == "Retain" and NAME_OF.get(resource["Type"]) in resource["Properties"]
