"""`cancel`, `retry` and `approve`: what a person asks of a launch that is there."""

from typing import Annotated

import typer

from genolaunch.commands.exit_codes import EXIT_CODES
from genolaunch.commands.following import wait_for
from genolaunch.commands.options import (
    CancellableLaunchArgument,
    HeldLaunchArgument,
    JsonOption,
    RetryableLaunchArgument,
    StageOption,
    WaitOption,
    platform_of,
)
from genolaunch.commands.output import print_json, say
from genolaunch.launches import Launches
from genolaunch.platform import Platform

commands = typer.Typer()

ReasonOption = Annotated[
    str | None, typer.Option(metavar="TEXT", help="The reason, as a sentence. It is kept with the launch.")
]


@commands.command(epilog=f"Example: genolaunch cancel latest --wait. {EXIT_CODES}")
def cancel(
    ctx: typer.Context,
    launch: CancellableLaunchArgument,
    reason: ReasonOption = None,
    wait: WaitOption = False,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Stop a launch: end its jobs and delete its resources. Complete outputs are kept for a retry."""
    from genolaunch import requests

    platform = platform_of(ctx, stage)
    found = Launches(platform).resolve(launch)
    requests.cancel(platform, found, reason=reason)
    _after_request(platform, found.launch_id, "is being cancelled", wait=wait, as_json=as_json)


@commands.command(epilog=f"Example: genolaunch retry latest --resources step2=4:32. {EXIT_CODES}")
def retry(
    ctx: typer.Context,
    launch: RetryableLaunchArgument,
    resources: Annotated[
        list[str] | None,
        typer.Option(metavar="PHASE=VCPUS:GIB", help="Change the resources of a phase's jobs. May be repeated."),
    ] = None,
    reason: ReasonOption = None,
    wait: WaitOption = False,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Resume a launch that failed or was cancelled, or one that was rejected and whose data is corrected.

    Only jobs without a complete output run again.
    """
    from genolaunch import requests

    platform = platform_of(ctx, stage)
    changes = [requests.Resources.parse(text) for text in resources or ()]
    found = Launches(platform).resolve(launch)
    requests.retry(platform, found, changes, reason=reason)
    _after_request(platform, found.launch_id, "is tried again", wait=wait, as_json=as_json)


@commands.command(epilog=f"Example: genolaunch approve latest --wait. {EXIT_CODES}")
def approve(
    ctx: typer.Context,
    launch: HeldLaunchArgument,
    reason: ReasonOption = None,
    wait: WaitOption = False,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Approve the cost for which a launch is HELD. `status` shows the estimate (of its restore, or of the launch)."""
    from genolaunch import requests

    platform = platform_of(ctx, stage)
    found = Launches(platform).resolve(launch)
    requests.approve(platform, found, reason=reason)
    _after_request(platform, found.launch_id, "is approved", wait=wait, as_json=as_json)


def _after_request(platform: Platform, launch_id: str, what: str, *, wait: bool, as_json: bool) -> None:
    """Tell that a request was made, or follow what comes of it."""
    if wait:
        wait_for(platform, launch_id, as_json)
    if as_json:
        print_json({"launchId": launch_id})
    else:
        say(f"Launch {launch_id} {what}.")
