"""`genolaunch cost` and `genolaunch costs`."""

import csv
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from genolaunch.costs import By, Cost, cost_of, csv_rows, price_again, sums
from genolaunch.launches import Launches
from genolaunch.platform import Platform


def show_cost(platform: Platform, launch: str, *, retry: bool, as_json: bool) -> None:
    """Print what a launch cost, or ask for its price again."""
    found = Launches(platform).resolve(launch)
    if retry:
        price_again(platform, found)
        typer.echo(f"Launch {found.launch_id} is priced again: see `genolaunch cost {found.launch_id}` in a minute.")
        return
    cost = cost_of(platform, found)
    if as_json:
        typer.echo(json.dumps(document(cost), indent=2, ensure_ascii=False))
        return
    from genolaunch import cost_render, render

    render.console().print(cost_render.cost_view(cost))


def show_costs(platform: Platform, by: By, *, as_json: bool, as_csv: bool, html: Path | None) -> None:
    """Print sums over launches, or write them all as a page."""
    if html is not None:
        from genolaunch.cost_report import report

        every = {each: sums(platform, each) for each in By}
        html.write_text(report(platform.stage, every, datetime.now(UTC)), encoding="utf-8")
        typer.echo(f"{html} shows the costs.")
        return
    found = sums(platform, by)
    if as_csv:
        csv.writer(sys.stdout, lineterminator="\n").writerows(csv_rows(found, by))
    elif as_json:
        rows = [
            {
                by.value: each.name,
                "launches": each.launches,
                "unpriced": each.unpriced,
                "totalUsd": str(each.total),
                "runSeconds": each.run_time.total_seconds(),
            }
            for each in found
        ]
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        from genolaunch import cost_render, render

        render.console().print(cost_render.sums_table(found, by))


def document(cost: Cost) -> dict[str, object]:
    """A cost as JSON; amounts are text, since they are exact."""
    from genolaunch.documents import document_of

    def text(amount: object) -> str | None:
        return None if amount is None else str(amount)

    return {
        "launchId": cost.launch_id,
        "status": cost.status,
        "costStatus": cost.cost_status,
        "reason": cost.reason,
        "currency": "USD",
        "total": text(cost.total),
        "instances": text(cost.instances),
        "volumes": text(cost.volumes),
        "fileSystems": text(cost.file_systems),
        "reconciliation": cost.reconciliation,
        "earlierAttempts": {str(attempt): str(total) for attempt, total in cost.earlier.items()},
        "lines": document_of(cost.lines),
        "statusSeconds": dict(cost.status_seconds),
        "stepSeconds": dict(cost.step_seconds),
    }


ByOption = Annotated[By, typer.Option("--by", help="What the sums are over.", case_sensitive=False)]
