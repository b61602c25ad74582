"""`results`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genolaunch.commands.options import JsonOption, LaunchArgument, StageOption, platform_of
from genolaunch.commands.output import print_json, say
from genolaunch.errors import GenolaunchError
from genolaunch.launches import Launches
from genolaunch.platform import Platform

if TYPE_CHECKING:
    from genolaunch.results import ResultObject

commands = typer.Typer()


@commands.command(epilog="Example: genolaunch results latest --download results/")
def results(
    ctx: typer.Context,
    launch: LaunchArgument,
    download: Annotated[
        Path | None, typer.Option("--download", metavar="DIR", help="Download the results into this folder.")
    ] = None,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """List a launch's results (report and summary statistics), or download them."""
    from genolaunch.documents import document_of
    from genolaunch.never_ran import see_why
    from genolaunch.results import results_of

    in_the_way = _in_the_way(download) if download is not None else None
    if in_the_way is not None:
        raise typer.BadParameter(
            f"{in_the_way} is a file; name a folder, which is made if need be.", param_hint="--download"
        )
    platform = platform_of(ctx, stage)
    found = Launches(platform).resolve(launch)
    objects = results_of(platform, found)
    if download is not None and objects:
        _download(platform, objects, download, quiet=as_json)
    if as_json:
        print_json([{**document_of(entry), "uri": entry.uri} for entry in objects])
    elif objects and download is None:
        from genolaunch.render.screen import console
        from genolaunch.render.tables import results_table

        console().print(results_table(objects))
    if not objects:
        nothing = see_why(found, "no results") or f"Launch {found.launch_id} is {found.status} and has no results."
        raise GenolaunchError(nothing)


def _in_the_way(folder: Path) -> Path | None:
    """What is no folder, and keeps this one from being made."""
    there = next((path for path in (folder, *folder.parents) if path.exists()), None)
    return there if there is not None and not there.is_dir() else None


def _download(platform: Platform, objects: "Sequence[ResultObject]", folder: Path, *, quiet: bool) -> None:
    from genolaunch.render.screen import progress_console
    from genolaunch.render.transfers import byte_progress
    from genolaunch.results import download

    with byte_progress(progress_console(quiet=quiet), "Downloading") as begin:
        for entry in objects:
            download(platform, entry, folder, begin(entry.path, entry.size))
    if not quiet:
        say(f"{len(objects)} {'object is' if len(objects) == 1 else 'objects are'} in {folder}.")
