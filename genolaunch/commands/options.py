"""Common parts of commands: options, the argument that names a launch, and the stage."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from genolaunch.commands.completion import launch_ids, stages
from genolaunch.contract.launch import ALLOWED_FROM, FINAL_STATUSES, Status
from genolaunch.platform import Platform

StageOption = Annotated[
    str | None,
    typer.Option(
        "--stage", help="The stage to talk to, as before the command.", show_default=False, autocompletion=stages
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
WaitOption = Annotated[bool, typer.Option("--wait", help="Follow it until it is over.")]


def _launch(offered: Collection[Status]) -> Any:  # noqa: ANN401 - what typer.Argument answers
    return typer.Argument(
        metavar="ID",
        help="The launch's id, the unique beginning of it, or “latest”.",
        autocompletion=launch_ids(offered),
    )


LaunchArgument = Annotated[str, _launch(tuple(Status))]
CancellableLaunchArgument = Annotated[str, _launch(ALLOWED_FROM[Status.CANCEL_REQUESTED])]
RetryableLaunchArgument = Annotated[str, _launch(ALLOWED_FROM[Status.RETRY])]
FinishedLaunchArgument = Annotated[str, _launch(tuple(FINAL_STATUSES))]
HeldLaunchArgument = Annotated[str, _launch([Status.HELD])]


@dataclass(frozen=True)
class Settings:
    """What was said before the command."""

    stage: str
    debug: bool


def platform_of(ctx: typer.Context, stage: str | None) -> Platform:
    """The stage that the command's own --stage names, or else the one given before the command."""
    return Platform(stage or ctx.obj.stage)


CheckoutOption = Annotated[
    Path, typer.Option("--checkout", help="Checkout of Genolaunch whose cdk.json has the stage's settings.")
]

SettingsFileOption = Annotated[
    Path | None,
    typer.Option("--settings-file", metavar="FILE", help="JSON file with stages, used instead of cdk.json."),
]
