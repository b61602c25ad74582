"""`doctor`."""

from pathlib import Path

import typer

from genolaunch.commands.exit_codes import TO_BE_MENDED
from genolaunch.commands.options import CheckoutOption, JsonOption, SettingsFileOption, StageOption
from genolaunch.commands.output import print_json, say

commands = typer.Typer()


@commands.command(
    epilog="Examples: genolaunch doctor --stage dev; genolaunch doctor --stage prod --json. "
    "Exit codes: 0 the account is ready; 1 something must be corrected; 3 the settings cannot be read."
)
def doctor(
    ctx: typer.Context,
    checkout: CheckoutOption = Path(),
    settings_file: SettingsFileOption = None,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Check whether an account is ready for a stage, and show the command that corrects each fault. Changes nothing."""
    from genolaunch.doctor.account import Account
    from genolaunch.doctor.examination import examine
    from genolaunch.doctor.finding import State
    from genolaunch.doctor.stage_settings import builds_in_its_account, read

    settings, qualifier = read(stage or ctx.obj.stage, checkout, settings_file)
    builds = builds_in_its_account(settings, checkout, settings_file)
    found = examine(Account(settings, qualifier=qualifier, builds=builds))
    if as_json:
        from genolaunch.documents import document_of

        print_json(document_of(found))
    else:
        for line in found:
            say(f"{line.state:<11}  {line.check}: {line.text}")
            if line.command:
                say(f"{'':<13}{line.command}")
    if any(line.state is State.MEND for line in found):
        raise typer.Exit(TO_BE_MENDED)
