"""Where images are kept: the stage's own repositories, and the caches through which those of others come."""

import compileall
import json
import re
import shutil
from pathlib import Path
from typing import Any

import aws_cdk
import pytest
import yaml
from aws_cdk import aws_ecr_assets as ecr_assets

from stacks.config import InvalidSettingsError
from stacks.constructs.container_image import BASE_IMAGES
from stacks.tibanna import VERSION
from tests.infrastructure.conftest import Stack, as_list, make_settings, synthesize

REPOSITORY = Path(__file__).parents[2]
CREDENTIAL = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:ecr-pullthroughcache/{}-AbCdEf"
CACHED = [
    {"registry": "docker.io", "credential_arn": CREDENTIAL.format("docker")},
    {"registry": "ghcr.io", "credential_arn": CREDENTIAL.format("ghcr")},
    {"registry": "quay.io"},
    {"registry": "public.ecr.aws"},
]
PRIVATE = "registry.example.org"
PUBLISHER = "role/cdk-hnb659fds-image-publishing-role-111111111111-eu-west-1"


@pytest.fixture(scope="module")
def built() -> dict[str, Stack]:
    """Given: a stage with repositories of its own and every cache, whose images are built with the app."""
    return synthesize(
        make_settings(
            images={"pull_through": CACHED, "registry_credentials": {PRIVATE: CREDENTIAL.format("own")}},
            regenie={
                "versions": {"4.1.2": "build", "4.0.0": f"{PRIVATE}/regenie:4.0.0"},
                "default_version": "4.1.2",
            },
            snakemake={},
            tibanna={},
        )
    )


@pytest.fixture(scope="module")
def images(built: dict[str, Stack]) -> Stack:
    return built["images"]


def repository(images: Stack, name: str) -> dict[str, Any]:
    (found,) = (one for one in images.all("AWS::ECR::Repository").values() if one["RepositoryName"] == name)
    return found


def test_tags_of_the_stages_images_never_change_and_each_is_scanned_when_it_is_pushed(images):
    own = repository(images, "genolaunch-unit/images")

    assert own["ImageTagMutability"] == "IMMUTABLE"
    assert own["ImageScanningConfiguration"] == {"ScanOnPush": True}


def test_every_repository_is_scanned_and_encrypted_with_the_stages_key(images):
    for name, one in images.all("AWS::ECR::Repository").items():
        assert one["ImageScanningConfiguration"] == {"ScanOnPush": True}, name
        assert one["EncryptionConfiguration"]["EncryptionType"] == "KMS", name
        assert "KmsKey" in one["EncryptionConfiguration"], name


def test_nothing_that_has_a_tag_expires(images):
    for one in images.all("AWS::ECR::Repository").values():
        rules = json.loads(one["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
        assert [rule["selection"]["tagStatus"] for rule in rules] == ["untagged"]


def test_the_bootstraps_role_may_publish_and_nobody_else(images):
    (statement,) = repository(images, "genolaunch-unit/images")["RepositoryPolicyText"]["Statement"]

    assert PUBLISHER in json.dumps(statement["Principal"])
    assert set(bootstrap_publishing_actions()) == set(statement["Action"])


def bootstrap_publishing_actions() -> list[str]:
    """What the CDK's own bootstrap lets that role do in the bootstrap's repository: publishing needs no more."""
    text = (REPOSITORY / "node_modules/aws-cdk/lib/api/bootstrap/bootstrap-template.yaml").read_text()
    template = yaml.load(text, Loader=yaml.BaseLoader)
    policy = template["Resources"]["ImagePublishingRoleDefaultPolicy"]["Properties"]["PolicyDocument"]
    actions: list[str] = policy["Statement"][0]["Action"]
    return actions


def test_built_images_are_published_there_under_their_stacks_names(built):
    definition = built["snakemake"].one("AWS::ECS::TaskDefinition")
    image = json.dumps(definition["ContainerDefinitions"][0]["Image"])

    assert "/genolaunch-unit/images:snakemake-" in image


@pytest.mark.parametrize(
    ("registry", "folder", "url"),
    [
        ("docker-hub", "docker", "registry-1.docker.io"),
        ("github-container-registry", "ghcr", "ghcr.io"),
        ("quay", "quay", "quay.io"),
        ("ecr-public", "public", "public.ecr.aws"),
    ],
)
def test_a_cache_has_its_upstream_and_a_prefix_that_ecr_takes(images, registry, folder, url):
    rules = images.all("AWS::ECR::PullThroughCacheRule").values()
    (rule,) = (one for one in rules if one["UpstreamRegistry"] == registry)

    assert rule["UpstreamRegistryUrl"] == url
    assert rule["EcrRepositoryPrefix"] == f"genolaunch-unit/{folder}"
    # The longest name of a stage has seven characters more; ECR takes 30.
    assert len(rule["EcrRepositoryPrefix"]) + len("twelveletter") - len("unit") <= 30
    assert ("CredentialArn" in rule) == (folder in {"docker", "ghcr"})


def test_repositories_that_a_cache_makes_by_itself_are_encrypted_with_the_stages_key(images):
    template = images.one("AWS::ECR::RepositoryCreationTemplate")

    assert template["AppliedFor"] == ["PULL_THROUGH_CACHE"]
    assert template["EncryptionConfiguration"]["EncryptionType"] == "KMS"
    actions = {action for _, each in images.statements("CacheRole") for action in as_list(each["Action"])}
    assert actions == {"ecr:CreateRepository", "kms:CreateGrant", "kms:RetireGrant", "kms:DescribeKey"}


@pytest.mark.parametrize("folder", sorted(BASE_IMAGES))
def test_dockerfiles_take_their_base_from_the_cache(images, folder):
    base = BASE_IMAGES[folder]
    dockerfile = (REPOSITORY / "containers" / folder / "Dockerfile").read_text()
    cached = repository(images, f"genolaunch-unit/{base.registry.folder}/{base.repository}")
    (statement,) = cached["RepositoryPolicyText"]["Statement"]

    assert f"ARG {base.argument}={base.registry}\n" in dockerfile
    assert f"${{{base.argument}}}/{base.repository}:" in dockerfile
    assert f"{base.registry}/" not in dockerfile
    assert PUBLISHER in json.dumps(statement["Principal"])
    assert "ecr:BatchImportUpstreamImage" in statement["Action"]


@pytest.mark.parametrize("folder", sorted(BASE_IMAGES))
def test_running_an_images_python_does_not_make_another_image_of_it(folder, tmp_path):
    """Otherwise whoever ran the tests publishes images anew, with files that Python left beside its sources."""
    source = tmp_path / folder
    shutil.copytree(REPOSITORY / "containers" / folder, source, ignore=shutil.ignore_patterns("__pycache__"))
    hashes = []
    for _ in range(2):
        asset = ecr_assets.DockerImageAsset(aws_cdk.Stack(), "Image", directory=str(source))
        hashes.append(asset.asset_hash)
        compileall.compile_dir(source, quiet=1)

    assert hashes[0] == hashes[1]


def test_nothing_that_runs_in_a_stage_pulls_from_docker_hub(built):
    """Docker Hub limits pulls without a login by address, and a stage's instances share that of a NAT gateway."""
    named = {
        "launcher": built["snakemake"].one("AWS::ECS::TaskDefinition")["ContainerDefinitions"][0]["Image"],
        "Tibanna": built["tibanna"].one("AWS::StepFunctions::StateMachine")["DefinitionSubstitutions"]["AwsfImage"],
    }
    for stack in built.values():
        for id_, function in stack.all("AWS::Lambda::Function").items():
            variables = function.get("Environment", {}).get("Variables", {})
            for name in ("ENGINES", "REGENIE_IMAGES"):
                if name in variables:
                    named[f"{id_} {name}"] = variables[name]

    assert len(named) >= 4
    for what, image in named.items():
        text = json.dumps(image)
        assert ".dkr.ecr." in text, what
        assert not re.search(r"docker\.io|4dndcic|\"(library/)?python:", text), what


def test_only_tibannas_own_image_is_copied_from_docker_hub_when_a_stage_is_deployed():
    """All others are built on registries that ask for no login and limit no address."""
    arguments = re.compile(r"^ARG (\w+)=(\S+)$", re.MULTILINE)
    bases = re.compile(r"^FROM (?:--platform=\S+ )?(\S+)(?: AS (\S+))?$", re.MULTILINE)
    pulled = {}
    for dockerfile in (REPOSITORY / "containers").glob("*/Dockerfile"):
        text = dockerfile.read_text()
        values = dict(arguments.findall(text))
        stages = {name for _, name in bases.findall(text)}
        for base, _ in bases.findall(text):
            image = re.sub(r"\$\{(\w+)\}", lambda match: values.get(match[1], ""), base)  # noqa: B023
            if image not in stages:
                pulled[image.rpartition(":")[0]] = dockerfile.parent.name

    assert {name: folder for name, folder in pulled.items() if name.partition("/")[0] == "docker.io"} == {
        "docker.io/4dndcic/tibanna-awsf": "tibanna"
    }
    assert {name.partition("/")[0] for name in pulled} == {"docker.io", "ghcr.io", "public.ecr.aws"}


def test_tibannas_image_is_of_the_version_of_its_functions():
    base = (REPOSITORY / "containers" / "tibanna" / "Dockerfile").read_text()

    assert f"/4dndcic/tibanna-awsf:{VERSION}\n" in base


def test_snakemakes_jobs_may_pull_what_a_cache_has_not_yet_and_only_there(built):
    statement = built["snakemake-batch"].statement("ExecutionRole", "PullThroughTheCaches")

    assert set(statement["Action"]) == {"ecr:BatchImportUpstreamImage", "ecr:CreateRepository"}
    folders = [json.dumps(each).partition("repository/")[2].rstrip('"]}') for each in as_list(statement["Resource"])]
    assert sorted(folders) == [f"genolaunch-unit/{name}/*" for name in ("docker", "ghcr", "public", "quay")]


@pytest.mark.parametrize("stack", ["regenie", "snakemake-batch"])
def test_jobs_images_may_be_in_a_private_registry_whose_credentials_the_execution_role_alone_reads(built, stack):
    found = [
        (id_, statement)
        for id_, statement in built[stack].statements()
        if "secretsmanager:GetSecretValue" in as_list(statement["Action"])
    ]

    ((id_, statement),) = found
    assert id_.startswith("ExecutionRole")
    assert as_list(statement["Resource"]) == [CREDENTIAL.format("own")]


@pytest.mark.parametrize(("stack", "variable"), [("regenie", "REGENIE_IMAGES"), ("snakemake", "ENGINES")])
def test_who_plans_jobs_knows_which_registries_are_private(built, stack, variable):
    functions = built[stack].all("AWS::Lambda::Function").values()
    settings = [one["Environment"]["Variables"].get(variable) for one in functions]

    assert any(PRIVATE in json.dumps(each) for each in settings if each)


def test_a_launchers_image_may_be_in_a_private_registry_too():
    known = {"registry_credentials": {PRIVATE: CREDENTIAL.format("own")}}
    made = synthesize(make_settings(images=known, snakemake={"image": f"{PRIVATE}/snakemake:7"}))["snakemake"]
    (container,) = made.one("AWS::ECS::TaskDefinition")["ContainerDefinitions"]

    assert container["RepositoryCredentials"] == {"CredentialsParameter": CREDENTIAL.format("own")}


def test_without_the_setting_nothing_is_made_and_images_go_to_the_bootstraps_repository(stacks):
    assert "images" not in stacks


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ({"registry": "docker.io"}, "only be cached with a credential_arn"),
        (
            {"registry": "quay.io", "credential_arn": CREDENTIAL.format("x").replace("ecr-pullthroughcache/", "")},
            "names start",
        ),
        ({"registry": "example.org"}, "images.pull_through.0.registry"),
    ],
)
def test_faults_of_a_cache_are_told(rule, fault):
    with pytest.raises(InvalidSettingsError, match=fault):
        make_settings(images={"pull_through": [rule]})
