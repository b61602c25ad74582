"""What every stack of a stage shares: its name, its settings, and the way it publishes names."""

from pathlib import Path
from typing import Final

from aws_cdk import CfnOutput, DefaultStackSynthesizer, RemovalPolicy, Stack
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from genolaunch.contract.settings import Parameter, parameter_name
from stacks.config import StageSettings

REPOSITORY: Final = Path(__file__).parents[2]
"""Root of the checkout: what is packed for AWS lies below it."""


def images_repository(settings: StageSettings) -> str:
    """The stage's own repository, into which the CDK publishes the images that it builds (stacks/images.py)."""
    return f"{settings.prefix}/images"


class StageStack(Stack):
    """A stack named `genolaunch-<stage>-<name>`."""

    def __init__(
        self, scope: Construct, name: str, *, settings: StageSettings, description: str, is_stateful: bool = False
    ) -> None:
        """`is_stateful`: it cannot be deleted by mistake where the stage keeps its data."""
        super().__init__(
            scope,
            name,
            stack_name=f"{settings.prefix}-{name}",
            description=description,
            termination_protection=is_stateful and settings.removal_policy == "retain",
            synthesizer=DefaultStackSynthesizer(
                image_assets_repository_name=images_repository(settings), docker_tag_prefix=f"{name}-"
            )
            if settings.images
            else None,
        )
        self.settings = settings

    @property
    def removal(self) -> RemovalPolicy:
        """Removal policy of buckets, keys and logs.

        Where they are kept, those that a failed deployment has just made go all the same: they are empty, and what has
        a name would be in the way of the next deployment (docs/decisions/081).
        """
        return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if self.keeps_data else RemovalPolicy.DESTROY

    @property
    def keeps_data(self) -> bool:
        """Whether data outlives the stage."""
        return self.settings.removal_policy == "retain"

    def import_readable_buckets(self) -> tuple[s3.IBucket, ...]:
        """The buckets of others that launches may read."""
        return tuple(
            s3.Bucket.from_bucket_name(self, f"Readable{number}", name)
            for number, name in enumerate(self.settings.readable_buckets, start=1)
        )

    def publish(self, parameter: Parameter, value: str) -> None:
        """Make a name known to the command line and to people: an SSM parameter and a stack output."""
        title = "".join(word.capitalize() for word in parameter.split("-"))
        # Its name is given, since the command line asks for it by that name before it knows anything else.
        name = parameter_name(self.settings.name, parameter)
        ssm.StringParameter(self, f"{title}Parameter", parameter_name=name, string_value=value)
        CfnOutput(self, title, value=value, description=f"Also SSM parameter {name}")
