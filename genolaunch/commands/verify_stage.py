"""`verify-stage`."""

from pathlib import Path
from typing import Annotated

import typer

from genolaunch.commands.exit_codes import ENDED_BADLY
from genolaunch.commands.options import JsonOption, StageOption
from genolaunch.commands.output import print_json, say, say_text

commands = typer.Typer()


@commands.command(
    "verify-stage",
    epilog="Example: genolaunch --stage dev verify-stage --report verify.md. "
    "Exit codes: 0 all checked claims hold; 1 a claim does not hold.",
)
def verify_stage(
    ctx: typer.Context,
    report: Annotated[
        Path | None, typer.Option(help="File for the report, in Markdown.", dir_okay=False, show_default=False)
    ] = None,
    restore: Annotated[
        bool, typer.Option("--restore", help="Also restore a tiny object from S3 Glacier (Expedited: minutes).")
    ] = False,
    team: Annotated[
        str | None, typer.Option(help="Your team, if the stage separates teams.", envvar="GENOLAUNCH_TEAM")
    ] = None,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Verify a new deployment: run tiny launches, and check the claims of docs/verified.md that only AWS can show.

    Takes up to an hour and costs some dollars. It deletes what it uploaded.
    """
    from genolaunch import checkout
    from genolaunch.verify.account import Account
    from genolaunch.verify.claims import read_claims
    from genolaunch.verify.report import document, markdown, summary
    from genolaunch.verify.run import verify as run

    checkout.required("`verify-stage`, which reads docs/verified.md and uploads the cohort of examples/gwas,")
    claims = read_claims()
    account = Account(stage or ctx.obj.stage)
    verdict = run(account, claims, with_restore=restore, team=team, tell=lambda text: say(text, err=True))
    if report is not None:
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(markdown(verdict), encoding="utf-8")
    if as_json:
        print_json(document(verdict))
    else:
        say_text(summary(verdict) if report else markdown(verdict))
    if not verdict.has_held:
        raise typer.Exit(ENDED_BADLY)
