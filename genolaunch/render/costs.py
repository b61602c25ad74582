"""Costs in the terminal."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from genolaunch.contract.cost import CostStatus
from genolaunch.contract.launch import FINAL_STATUSES
from genolaunch.costs import By, Cost, CostLine, Sum
from genolaunch.render.words import duration

_WAITED_FOR = (
    "Not priced yet: that takes until its instances and file system have ended, some minutes after the launch."
)
_RUNS = "Not priced yet, since it is {status}: a launch has its price some minutes after its end."


def cost_view(cost: Cost) -> RenderableType:
    """A launch's bill line by line, or why there is none."""
    if cost.total is None or not (cost.lines or cost.total):
        return Group(Text(_no_price(cost)), *([_earlier(cost)] if cost.earlier else []))
    parts: list[RenderableType] = [lines_table(cost.lines), _sums(cost)]
    if note := _compared(cost):
        parts.append(Text(note, "dim"))
    if cost.step_seconds:
        parts.append(_times(cost))
    return Group(*parts)


def _no_price(cost: Cost) -> str:
    if cost.reason:
        return f"{cost.cost_status}: {cost.reason}" if cost.cost_status else cost.reason
    if cost.total is not None:
        return f"{cost.total} USD: nothing ran that costs money."
    return _WAITED_FOR if cost.status in FINAL_STATUSES else _RUNS.format(status=cost.status)


def _earlier(cost: Cost) -> Table:
    table = Table.grid(padding=(0, 2))
    for attempt, amount in cost.earlier.items():
        table.add_row(f"attempt {attempt}", f"{amount} USD")
    return table


def lines_table(lines: Sequence[CostLine]) -> Table:
    """A bill's lines."""
    table = Table("For", "What", "Quantity", "Unit price", "USD", "Price of", box=None, pad_edge=False)
    for column in (2, 3, 4):
        table.columns[column].justify = "right"
    for line in lines:
        quantity = f"{Decimal(line.quantity):.6f} {line.unit}"
        about = f"{line.source}, {line.price_as_of[:16]}" + (f" ({line.note})" if line.note else "")
        table.add_row(line.kind, line.description, quantity, line.unit_price, line.amount, Text(about, "dim"))
    return table


def _sums(cost: Cost) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    for name, amount in {
        "instances": cost.instances,
        "volumes": cost.volumes,
        "file systems": cost.file_systems,
    }.items():
        table.add_row(name, f"{amount} USD")
    table.add_row(Text("together", "bold"), Text(f"{cost.total} USD", "bold"))
    for attempt, amount in cost.earlier.items():
        table.add_row(f"attempt {attempt}", f"{amount} USD")
    return table


def _compared(cost: Cost) -> str | None:
    """What AWS billed the stage, where the stage has that compared."""
    if cost.cost_status is CostStatus.PENDING:
        return "At list prices; AWS's bill for the stage is waited for."
    if cost.reconciliation is None:
        return f"Not compared with AWS's bill: {cost.reason}" if cost.reason else None
    given = cost.reconciliation
    final = "" if given["isFinal"] == "yes" else ", which AWS still estimates"
    return (
        f"From {given['start']} until {given['end']} the stage's launches cost {given['told']} USD by their bills, and "
        f"AWS billed {given['billed']} USD{final}: {given['difference']} USD of difference."
    )


def _times(cost: Cost) -> Text:
    steps = ", ".join(f"{name} {duration(timedelta(seconds=each))}" for name, each in cost.step_seconds.items())
    return Text(f"Steps: {steps}", "dim")


def sums_table(found: Sequence[Sum], by: By) -> Table:
    """Sums over launches."""
    table = Table(by.value.capitalize(), "Launches", "Without a price", "USD", "Run time", box=None, pad_edge=False)
    for column in range(1, 5):
        table.columns[column].justify = "right"
    for each in found:
        unpriced = str(each.unpriced) if each.unpriced else ""
        table.add_row(each.name, str(each.launches), unpriced, f"{each.total:.4f}", duration(each.run_time))
    return table
