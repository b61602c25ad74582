"""`where`: what a stage's places are called."""

import typer

from genolaunch.commands.options import JsonOption, StageOption, platform_of
from genolaunch.commands.output import print_json
from genolaunch.contract.launch_bucket import FEEDBACK_PREFIX, LAUNCH_PREFIX, SNAKEFILES_PREFIX, SOURCES_PREFIX
from genolaunch.contract.results import RESULTS_PREFIX
from genolaunch.platform import Platform

commands = typer.Typer()


@commands.command(
    epilog='Examples: genolaunch where; aws s3 sync cohort/ "$(genolaunch where --json | jq -r .data)cohort/"'
)
def where(ctx: typer.Context, as_json: JsonOption = False, stage: StageOption = None) -> None:
    """Show the names of the stage's buckets and tables, and what to put where."""
    platform = platform_of(ctx, stage)
    places = places_of(platform)
    if as_json:
        print_json({name: place for name, (place, _) in places.items()})
        return
    from rich.text import Text

    from genolaunch.render.screen import console
    from genolaunch.render.words import facts_grid

    grid = facts_grid()
    grid.add_column(style="dim")
    for name, (place, what) in places.items():
        grid.add_row(name, Text(place), Text(what))
    console().print(grid)


def places_of(platform: Platform) -> dict[str, tuple[str, str]]:
    """Name -> place, and what is there."""
    names = platform.names
    dropped = f"s3://{names.launch_bucket}/"
    return {
        "stage": (platform.stage, platform.region),
        "launches": (dropped + LAUNCH_PREFIX, "launch configs that are put here are launched"),
        "snakefiles": (dropped + SNAKEFILES_PREFIX, "NAME/Snakefile that is put here is launched, with the defaults"),
        "workflows": (dropped + SOURCES_PREFIX, "sources of workflows that launch configs name"),
        "feedback": (dropped + FEEDBACK_PREFIX, "the platform's answer to each file"),
        "data": (f"s3://{names.data_bucket}/", "data sets: `data` of a launch config is a folder here"),
        "results": (f"s3://{names.results_bucket}/{RESULTS_PREFIX}", "LAUNCHID/: results of launches"),
        "launchTable": (names.launch_table, "DynamoDB: an item for each launch"),
        "taskTable": (names.task_table, "DynamoDB: items of failed jobs and restored objects"),
        "jobLogs": (names.job_log_group, "CloudWatch Logs: of all jobs"),
    }
