"""`check`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genolaunch.commands.exit_codes import REJECTED
from genolaunch.commands.options import JsonOption
from genolaunch.commands.output import print_json, say
from genolaunch.commands.submission import show_faults

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genolaunch.launch import Fault

commands = typer.Typer()


@commands.command(
    epilog="Examples: genolaunch check launch.yaml; genolaunch check launches/*.yaml. "
    "Exit codes: 0 no faults; 2 a config has faults, or the command line is wrong; 3 a file cannot be read."
)
def check(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE…", help="Launch configs, YAML or JSON; or Snakefiles.", exists=True, dir_okay=False
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Check launch configs for faults, without AWS. What only data and stage can show is checked by a submission."""
    from genolaunch.config_files import require_config_name
    from genolaunch.documents import document_of

    for file in files:
        require_config_name(file)
    faults = {file: _faults(file) for file in files}
    if as_json:
        print_json([{"file": str(file), "faults": document_of(list(found))} for file, found in faults.items()])
    else:
        for file, found in faults.items():
            if found:
                show_faults(str(file), found)
            else:
                say(_no_faults(file))
    if any(faults.values()):
        raise typer.Exit(REJECTED)


def _no_faults(file: Path) -> str:
    from genolaunch.contract.launch_bucket import SNAKEFILE_NAMES

    if file.name not in SNAKEFILE_NAMES:
        return f"{file} has no faults."
    return (
        f"{file} can be read, and the launch config that is made for it has no faults; the Snakefile itself is parsed "
        "at launch."
    )


def _faults(file: Path) -> "Sequence[Fault]":
    from genolaunch.config_files import FaultyConfigError, checked

    try:
        checked(file)
    except FaultyConfigError as error:
        return error.faults
    return ()
