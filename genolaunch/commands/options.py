"""What commands have in common: options, the argument that names a launch, and the stage that they talk to."""

from dataclasses import dataclass
from typing import Annotated

import typer

from genolaunch.platform import Platform

StageOption = Annotated[
    str | None,
    typer.Option("--stage", help="The stage to talk to, as before the command.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
WaitOption = Annotated[bool, typer.Option("--wait", help="Follow it until it is over.")]
LaunchArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The launch's id, the unique beginning of it, or “latest”.")
]


@dataclass(frozen=True)
class Settings:
    """What was said before the command."""

    stage: str
    debug: bool


def platform_of(ctx: typer.Context, stage: str | None) -> Platform:
    """The stage that the command's own --stage names, or else the one given before the command."""
    return Platform(stage or ctx.obj.stage)
