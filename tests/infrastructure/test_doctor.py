"""What the account check knows of a stage is what its templates say."""

import json

import aws_cdk as cdk
import pytest

import app
from genolaunch.doctor import access, leftovers, quotas
from stacks.constructs.python_function import BundlingTarget
from stacks.constructs.stage_stack import REPOSITORY
from stacks.settings_files import context_of_cdk_json
from stacks.stage import GenolaunchStage
from tests.infrastructure.conftest import make_settings, synthesize

REGISTRY_LOGINS = "arn:aws:secretsmanager:eu-west-1:111111111111:secret"
MOST_QUEUES = 50
"""In an account and region (AWS Batch user guide, "Service quotas")."""


@pytest.fixture(scope="module")
def settings():
    """Given: a stage with everything that gets a name."""
    cluster = {"cluster": "c", "shared_folder": "/shared", "user": "u", "partition": "p"}
    cache = {"registry": "docker.io", "credential_arn": f"{REGISTRY_LOGINS}:ecr-pullthroughcache/docker-AbCdEf"}
    return make_settings(images={"pull_through": [cache]}, backup_days=5, parallelcluster=cluster)


@pytest.fixture(scope="module")
def resources(settings):
    """(type, properties) of every resource."""
    return [
        (resource["Type"], resource.get("Properties", {}))
        for stack in synthesize(settings).values()
        for resource in stack.template["Resources"].values()
    ]


def named(resources, type_, key):
    return [properties[key] for each, properties in resources if each == type_ and isinstance(properties.get(key), str)]


def test_log_groups_have_names_that_are_looked_for(resources, settings):
    names = named(resources, "AWS::Logs::LogGroup", "LogGroupName")

    assert len(names) > 8
    rest = [name for name in names if not name.startswith(leftovers.log_group_prefix(settings))]
    assert rest == [leftovers.unicorn_log_group(settings)]


def test_what_outlives_a_stack_and_has_a_name_is_looked_for(resources, settings):
    assert named(resources, "AWS::S3::Bucket", "BucketName") == [leftovers.launch_bucket(settings)]
    assert named(resources, "AWS::DynamoDB::Table", "TableName") == [leftovers.TIBANNA_TABLE]
    repositories = named(resources, "AWS::ECR::Repository", "RepositoryName")
    assert len(repositories) > 1
    assert [name for name in repositories if not name.startswith(leftovers.repository_prefix(settings))] == []
    assert named(resources, "AWS::Backup::BackupVault", "BackupVaultName") == [leftovers.backup_vault(settings)]


def test_quotas_are_for_what_the_stage_makes(resources, settings):
    types = [type_ for type_, _ in resources]
    consumers = sum(
        properties["ScalingConfig"]["MaximumConcurrency"]
        for type_, properties in resources
        if type_ == "AWS::Lambda::EventSourceMapping"
    )

    assert consumers == quotas.CONSUMERS
    assert types.count("AWS::IAM::Role") <= quotas.ROLES
    assert types.count("AWS::Batch::JobQueue") == 4 * (len(settings.zones) + 1)
    assert types.count("AWS::Batch::ComputeEnvironment") == 2 * (len(settings.zones) + 1)
    assert types.count("AWS::EC2::EIP") == types.count("AWS::EC2::NatGateway") == settings.network.nat_gateways
    assert types.count("AWS::EC2::VPC") == types.count("AWS::EC2::InternetGateway") == 1
    assert not any("ReservedConcurrentExecutions" in properties for _, properties in resources)


def test_the_readme_says_how_many_stages_an_account_has_room_for(resources, settings):
    in_words = dict(
        enumerate(
            ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
        )
    )
    queues = [type_ for type_, _ in resources].count("AWS::Batch::JobQueue")
    each = queues // (len(settings.zones) + 1)  # the zones', and those of users' own programs
    room = {zones: in_words[MOST_QUEUES // (each * (zones + 1))] for zones in (2, 3)}
    readme = " ".join((REPOSITORY / "README.md").read_text().split())

    assert f"stage takes {in_words[each]} for each of its zones and {in_words[each]} more: " in readme
    assert f"{room[2]} stages of two zones, or {room[3]} of three" in readme


def test_builds_count_against_the_quota_that_is_looked_at_and_are_no_more(tmp_path):
    given = json.loads((REPOSITORY / "checks" / "three_accounts.json").read_text())
    given["delivery"] |= {"parallel_publishing": True, "stages": ["dev"], "smoke_tested": [], "approved": []}
    file = tmp_path / "settings.json"
    file.write_text(json.dumps(given))
    made = cdk.App(
        outdir=str(tmp_path / "out"),
        context={
            **context_of_cdk_json(),
            "aws:cdk:bundling-stacks": [],
            "pipeline": "true",
            "settings-file": str(file),
        },
    )
    app.build(made)
    made.synth()
    projects = {
        id_: resource["Properties"]["Environment"]
        for template in (tmp_path / "out").glob("*.template.json")
        for id_, resource in json.loads(template.read_text())["Resources"].items()
        if resource["Type"] == "AWS::CodeBuild::Project"
    }

    assert {(each["Type"], each["ComputeType"]) for each in projects.values()} == {
        ("LINUX_CONTAINER", "BUILD_GENERAL1_LARGE")
    }
    publishing = [id_ for id_ in projects if "Assets" in id_]
    assert 2 < len(publishing) <= quotas.PARALLEL_BUILDS


def test_the_bootstrap_is_the_one_that_the_assembly_asks_for(settings, tmp_path):
    app = cdk.App(outdir=str(tmp_path), context={**context_of_cdk_json(), "aws:cdk:bundling-stacks": []})
    GenolaunchStage(app, settings=settings, bundling=BundlingTarget.LAMBDA)
    app.synth()

    asked = set()
    for manifest in tmp_path.rglob("manifest.json"):
        for artifact in json.loads(manifest.read_text())["artifacts"].values():
            asked.add(artifact.get("properties", {}).get("requiresBootstrapStackVersion", 0))
    assert max(asked) == access.BOOTSTRAP_VERSION
