"""Images of this project: built with the app and published by it, or taken from where the settings say."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_iam as iam

from stacks.config import BUILD, StageSettings, UpstreamRegistry
from stacks.constructs.stage_stack import REPOSITORY, StageStack

PULL: Final = ("ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage")
"""Getting an image's layers (Amazon ECR user guide, "Private repository policies")."""

PULL_THROUGH: Final = ("ecr:BatchImportUpstreamImage", "ecr:CreateRepository")
"""Besides, where the image may be a registry's of others that the cache has not yet (user guide, "IAM permissions
required to sync an upstream registry")."""


@dataclass(frozen=True, slots=True)
class BaseImage:
    """What an image of this project is built from."""

    registry: UpstreamRegistry
    repository: str
    argument: str
    """Of the Dockerfile: the registry's host, or the cache of it."""


BASE_IMAGES: Final = {
    "regenie": BaseImage(UpstreamRegistry.GITHUB, "rgcgithub/regenie/regenie", "GHCR"),
    "snakemake": BaseImage(UpstreamRegistry.ECR_PUBLIC, "docker/library/python", "ECR_PUBLIC"),
    "tibanna": BaseImage(UpstreamRegistry.DOCKER_HUB, "4dndcic/tibanna-awsf", "DOCKER_HUB"),
}
"""Folder of containers/ -> its Dockerfile's base."""

_PRIVATE_IMAGE: Final = re.compile(r"^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/([^:@]+)")


def image_uri(
    stack: StageStack,
    id_: str,
    image: str,
    *,
    folder: str,
    pullers: Sequence[iam.IGrantable],
    build_args: Mapping[str, str] | None = None,
    target: str | None = None,
) -> str:
    """URI of an image that `pullers` may pull from then on.

    `image` is a setting: "build" for containers/<folder> (its Dockerfile's stage `target`, or the last one), built for
    x86-64, or the URI of an image.
    """
    if image == BUILD:
        asset = ecr_assets.DockerImageAsset(
            stack,
            id_,
            directory=str(REPOSITORY / "containers" / folder),
            platform=ecr_assets.Platform.LINUX_AMD64,  # regenie's official image and Tibanna's instances are x86-64
            build_args={**(build_args or {}), **_cached_base(stack, folder)},
            target=target,
        )
        for puller in pullers:
            asset.repository.grant_pull(puller)
        return asset.image_uri
    if private := _PRIVATE_IMAGE.match(image):
        for puller in pullers:
            _grant_pull(stack, puller, *private.groups())
    return image


def cache_prefix(settings: StageSettings, registry: UpstreamRegistry) -> str:
    """Start of the names of the repositories in which a registry's images are cached."""
    return f"{settings.prefix}/{registry.folder}"


def cache_repositories(stack: StageStack) -> list[str]:
    """ARN patterns of all repositories of the stage's caches."""
    registries = sorted(stack.settings.images.cached) if stack.settings.images else []
    return [
        stack.format_arn(
            service="ecr", resource="repository", resource_name=f"{cache_prefix(stack.settings, registry)}/*"
        )
        for registry in registries
    ]


def private_registries(stack: StageStack, *users: iam.Role) -> dict[str, str]:
    """Private registry -> ARN of its secret, which `users` (execution roles) may read from then on."""
    secrets = dict(stack.settings.images.registry_credentials) if stack.settings.images else {}
    if secrets:
        for user in users:
            user.add_to_policy(
                iam.PolicyStatement(
                    sid="LogInToPrivateRegistries",
                    actions=["secretsmanager:GetSecretValue"],
                    resources=sorted(set(secrets.values())),
                )
            )
    return secrets


def _cached_base(stack: StageStack, folder: str) -> dict[str, str]:
    """Build argument by which a Dockerfile takes its base image from the stage's cache.

    The CDK command line logs in to the stage's registry before it builds.
    """
    base, settings = BASE_IMAGES[folder], stack.settings
    if settings.images is None or base.registry not in settings.images.cached:
        return {}
    host = f"{settings.account}.dkr.ecr.{settings.region}.amazonaws.com"
    return {base.argument: f"{host}/{cache_prefix(settings, base.registry)}"}


def _grant_pull(stack: StageStack, puller: iam.IGrantable, account: str, region: str, repository: str) -> None:
    arn = stack.format_arn(
        service="ecr", account=account, region=region, resource="repository", resource_name=repository
    )
    puller.grant_principal.add_to_principal_policy(
        iam.PolicyStatement(
            actions=[*PULL, *(PULL_THROUGH if repository.startswith(f"{stack.settings.prefix}/") else ())],
            resources=[arn],
        )
    )
    puller.grant_principal.add_to_principal_policy(
        iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"])  # knows no resources
    )
