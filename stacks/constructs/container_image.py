"""Images of this project: built with the app and published by it, or taken from where the settings say."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_iam as iam

from stacks.config import BUILD
from stacks.constructs.stage_stack import REPOSITORY, StageStack

_PRIVATE_IMAGE: Final = re.compile(r"^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/([^:@]+)")


def image_uri(
    stack: StageStack,
    id_: str,
    image: str,
    *,
    folder: str,
    pullers: Sequence[iam.Role],
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
            build_args=dict(build_args or {}),
            target=target,
        )
        for puller in pullers:
            asset.repository.grant_pull(puller)
        return asset.image_uri
    if private := _PRIVATE_IMAGE.match(image):
        for puller in pullers:
            _grant_pull(stack, puller, *private.groups())
    return image


def _grant_pull(stack: StageStack, puller: iam.Role, account: str, region: str, repository: str) -> None:
    arn = stack.format_arn(
        service="ecr", account=account, region=region, resource="repository", resource_name=repository
    )
    puller.add_to_policy(
        iam.PolicyStatement(
            actions=["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"],
            resources=[arn],
        )
    )
    puller.add_to_policy(
        iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"])  # knows no resources
    )
