"""`cost` and `costs`."""

import csv
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from genolaunch.commands.options import JsonOption, LaunchArgument, StageOption, platform_of
from genolaunch.commands.output import print_json, say
from genolaunch.costs import By, Sum, all_sums, cost_of, csv_rows, price_again, sums
from genolaunch.launches import Launches
from genolaunch.platform import Platform

commands = typer.Typer()


@commands.command(epilog="Example: genolaunch cost latest")
def cost(
    ctx: typer.Context,
    launch: LaunchArgument,
    again: Annotated[bool, typer.Option("--retry", help="Price the launch again, if its price is UNKNOWN.")] = False,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Show the cost of a launch: one line for each resource, with its price and the price's source."""
    platform = platform_of(ctx, stage)
    found = Launches(platform).resolve(launch)
    if again:
        price_again(platform, found)
        if as_json:
            print_json({"launchId": found.launch_id})
            return
        say(f"Launch {found.launch_id} is priced again: see `genolaunch cost {found.launch_id}` in a minute.")
        return
    bill = cost_of(platform, found)
    if as_json:
        from genolaunch.documents import cost_document

        print_json(cost_document(bill))
        return
    from genolaunch.render.costs import cost_view
    from genolaunch.render.screen import console

    console().print(cost_view(bill))


@commands.command(epilog="Example: genolaunch costs --by user --csv")
def costs(
    ctx: typer.Context,
    by: Annotated[By, typer.Option("--by", help="What to sum by.", case_sensitive=False)] = By.WORKFLOW,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write an HTML page with plots of all sums.")
    ] = None,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Show the total cost of launches, all attempts included, by workflow, user, engine, kind of compute or month."""
    platform = platform_of(ctx, stage)
    if html is not None:
        _write_page(platform, html)
        print_json({"file": str(html)}) if as_json else say(f"{html} shows the costs.")
        return
    found = sums(platform, by)
    if as_csv:
        csv.writer(sys.stdout, lineterminator="\n").writerows(csv_rows(found, by))
    elif as_json:
        from genolaunch.documents import sums_document

        print_json(sums_document(found, by))
    else:
        _show_sums(found, by)


def _write_page(platform: Platform, html: Path) -> None:
    from genolaunch.cost_report import report

    html.write_text(report(platform.stage, all_sums(platform), datetime.now(UTC)), encoding="utf-8")


def _show_sums(found: Sequence[Sum], by: By) -> None:
    from genolaunch.render.costs import sums_table
    from genolaunch.render.screen import console

    console().print(sums_table(found, by))
