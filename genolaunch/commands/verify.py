"""`verify`."""

from typing import TYPE_CHECKING, Annotated

import typer

from genolaunch.commands.completion import launch_ids
from genolaunch.commands.exit_codes import ENDED_BADLY
from genolaunch.commands.options import JsonOption, StageOption, platform_of
from genolaunch.commands.output import print_json, say
from genolaunch.contract.launch import Status

if TYPE_CHECKING:
    from genolaunch.recheck import FileCheck, Recheck

commands = typer.Typer()

_MOST_SHOWN = 50
"""Files that are not as described, on a terminal; --json has all."""


@commands.command(
    epilog="Examples: genolaunch verify latest; genolaunch verify height-gwas-20261121t040000-1a2b3c4d --content; "
    "genolaunch verify latest --inputs --json. "
    "Exit codes: 0 everything is as described; 1 something is missing, changed or unreadable; 3 there is no "
    "description, or it cannot be read."
)
def verify(
    ctx: typer.Context,
    launch: Annotated[
        str | None,
        typer.Argument(
            metavar="ID",
            help="The launch's id, the unique beginning of it, or “latest”.",
            autocompletion=launch_ids((Status.COMPLETE, Status.FAILED, Status.CANCELLED)),
            show_default=False,
        ),
    ] = None,
    content: Annotated[
        bool, typer.Option("--content", help="Download files, and compare the SHA-256 of those that have one.")
    ] = False,
    inputs: Annotated[
        bool, typer.Option("--inputs", help="Also say which inputs are others now than those that the launch read.")
    ] = False,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Compare a launch's outputs with the description of its run (RO-Crate).

    Each file that the launch left must still be there with its size and its ETag, which S3 gives to each upload.
    """
    from genolaunch.documents import document_of
    from genolaunch.launches import Launches
    from genolaunch.recheck import recheck

    if launch is None:
        raise typer.BadParameter(
            "name a launch; a new deployment of a stage is verified by `genolaunch verify-stage`.", param_hint="ID"
        )
    platform = platform_of(ctx, stage)
    found = Launches(platform).resolve(launch)
    result = recheck(platform, found, with_inputs=inputs, by_content=content)
    if as_json:
        print_json({**document_of(result), "holds": result.holds})
    else:
        _tell(result, found.attempt)
    if not result.holds:
        raise typer.Exit(ENDED_BADLY)


def _tell(result: "Recheck", attempt: int) -> None:
    from genolaunch.recheck import Role, State

    if result.attempt != attempt:
        say(f"The description is of attempt {result.attempt}; the launch is at attempt {attempt}.")
    others = [file for file in result.files if file.state is not State.SAME]
    for role in Role:
        of_role = [file for file in result.files if file.role is role]
        if of_role:
            say(_sum(role, of_role))
    for file in others[:_MOST_SHOWN]:
        say(f"  {file.state}: {file.uri} ({file.difference})")
    if len(others) > _MOST_SHOWN:
        say(f"  … and {len(others) - _MOST_SHOWN:,} more: --json lists all.")


def _sum(role: str, files: "list[FileCheck]") -> str:
    from genolaunch.recheck import Checked, State
    from genolaunch.shared.counted import counted

    same = [file for file in files if file.state is State.SAME]
    by = {checked: sum(file.checked is checked for file in same) for checked in Checked}
    words = {
        Checked.SHA256: "by SHA-256",
        Checked.ETAG: "by size and ETag",
        Checked.SIZE: "by size",
    }
    how = ", ".join(f"{by[checked]:,} {said}" for checked, said in words.items() if by[checked])
    return f"{counted(len(files), role)}: {len(same):,} as described{f' ({how})' if how else ''}."
