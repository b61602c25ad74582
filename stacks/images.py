"""The repository of the stage's images, and caches of other registries."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.config import ImagesSettings, PullThroughSettings, StageSettings, UpstreamRegistry
from stacks.constructs.bootstrap import bootstrap_role_arn
from stacks.constructs.container_image import BASE_IMAGES, PULL, cache_prefix
from stacks.constructs.stage_stack import StageStack, images_repository
from stacks.data import DataStack

_PUSH: Final = (
    "ecr:DescribeRepositories",
    "ecr:DescribeImages",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
)
"""With PULL, what the bootstrap's publishing role may do in the bootstrap's own repository (its template)."""

_UPSTREAM: Final = {
    UpstreamRegistry.DOCKER_HUB: ("docker-hub", "registry-1.docker.io"),
    UpstreamRegistry.GITHUB: ("github-container-registry", "ghcr.io"),
    UpstreamRegistry.QUAY: ("quay", "quay.io"),
    UpstreamRegistry.ECR_PUBLIC: ("ecr-public", "public.ecr.aws"),
}
"""How ECR names them, and their URLs (AWS::ECR::PullThroughCacheRule)."""

_UNFINISHED: Final = Duration.days(1)
"""After which an image without a tag is taken for an upload that nobody finished."""


class ImagesStack(StageStack):
    """Repositories whose tags never change, scanned on push and encrypted with the stage's key.

    The stacks with images publish into `images_repository`; deploy this one before them.
    """

    def __init__(self, scope: Construct, *, settings: StageSettings, images: ImagesSettings, data: DataStack) -> None:
        super().__init__(
            scope, "images", settings=settings, description="Container images of Genolaunch", is_stateful=True
        )
        self._data = data
        self._publisher = self._find_publisher()
        own = self._make_repository("Images", images_repository(settings), mutability=ecr.TagMutability.IMMUTABLE)
        self._let_publisher(own, *PULL, *_PUSH)
        if images.pull_through:
            self._make_template()
        for rule in images.pull_through:
            self._make_cache(rule)

    def _find_publisher(self) -> iam.IPrincipal:
        """The role with which the CDK command line and its pipelines publish images: the bootstrap's own.

        The repositories' policies let it in, so the accounts that the bootstrap trusts may publish, and no others.
        """
        place = {"account": self.settings.account, "region": self.settings.region}
        return iam.ArnPrincipal(bootstrap_role_arn(self, "image-publishing-role", **place))

    def _make_repository(self, id_: str, name: str, *, mutability: ecr.TagMutability) -> ecr.Repository:
        return ecr.Repository(
            self,
            id_,
            repository_name=name,  # the CDK publishes there by this name, before anything could tell it another
            image_tag_mutability=mutability,
            image_scan_on_push=True,
            encryption=ecr.RepositoryEncryption.KMS,
            encryption_key=self._data.key,
            removal_policy=self.removal,
            empty_on_delete=not self.keeps_data,
            # What has a tag is kept: it tells with what a result was made, and a launch of then can be retried.
            lifecycle_rules=[ecr.LifecycleRule(tag_status=ecr.TagStatus.UNTAGGED, max_image_age=_UNFINISHED)],
        )

    def _let_publisher(self, repository: ecr.Repository, *actions: str) -> None:
        repository.add_to_resource_policy(
            iam.PolicyStatement(sid="Publishing", principals=[self._publisher], actions=list(actions))
        )

    def _make_cache(self, rule: PullThroughSettings) -> None:
        prefix = cache_prefix(self.settings, rule.registry)
        name, url = _UPSTREAM[rule.registry]
        cache = ecr.CfnPullThroughCacheRule(
            self,
            f"Cache{rule.registry.folder.capitalize()}",
            ecr_repository_prefix=prefix,
            upstream_registry=name,
            upstream_registry_url=url,
            credential_arn=rule.credential_arn,
        )
        for folder, base in BASE_IMAGES.items():
            if base.registry is rule.registry:
                # Made here and not by the first pull: that would need rights on the registry, which the bootstrap's
                # role has not. A cache follows its upstream: tags that cannot change would keep it from mended images.
                repository = self._make_repository(
                    f"BaseOf{folder.capitalize()}",
                    f"{prefix}/{base.repository}",
                    mutability=ecr.TagMutability.MUTABLE,
                )
                self._let_publisher(repository, *PULL, "ecr:BatchImportUpstreamImage")
                repository.node.add_dependency(cache)

    def _make_template(self) -> None:
        """How ECR makes the other repositories of the caches, at the first pull of an image."""
        role = iam.Role(
            self,
            "CacheRole",
            assumed_by=iam.ServicePrincipal("ecr.amazonaws.com"),
            description=f"ECR itself, for the repositories of the image caches of {self.settings.prefix}",
        )
        # User guide, "Create a custom policy for repository creation templates", without replication and tags.
        role.add_to_policy(
            iam.PolicyStatement(
                sid="MakeCaches",
                actions=["ecr:CreateRepository"],
                resources=[
                    self.format_arn(service="ecr", resource="repository", resource_name=f"{self.settings.prefix}/*")
                ],
            )
        )
        self._data.key.grant(role, "kms:CreateGrant", "kms:RetireGrant", "kms:DescribeKey")
        template = ecr.CfnRepositoryCreationTemplate(
            self,
            "Caches",
            prefix=self.settings.prefix,
            applied_for=["PULL_THROUGH_CACHE"],
            description=f"Caches of other registries' images for {self.settings.prefix}",
            image_tag_mutability="MUTABLE",
            encryption_configuration=ecr.CfnRepositoryCreationTemplate.EncryptionConfigurationProperty(
                encryption_type="KMS", kms_key=self._data.key.key_arn
            ),
            custom_role_arn=role.role_arn,
        )
        template.node.add_dependency(role)
