"""A bill as HTML: a section of the launch's report, and a page of its own."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from html import escape
from typing import Any, Final

from genolaunch.contract.cost import SCROLL_STYLE, CostLineField
from genolaunch.contract.results import COST_SECTION
from genolaunch.shared.printable import printable

_STYLE: Final = (
    "body{font:1rem/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#22303c}"
    "table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:left;padding:.3rem .6rem;"
    "border-bottom:1px solid #d5dde3}.number{text-align:right;white-space:nowrap}.note{color:#5b6b78;font-size:.85rem}"
    f"{SCROLL_STYLE}"
)

_SUMS: Final = {
    "Instances and Fargate": "instanceCost",
    "Volumes": "volumeCost",
    "File systems": "filesystemCost",
}


def cost_section(bill: Mapping[str, Any], lines: Iterable[Mapping[str, str]]) -> str:
    """The bill of an attempt: what it comes to, line by line, and where its time went.

    `bill` is the document in the results bucket, `lines` those to be shown: of a long bill, the merged ones. Its look
    is that of the report around it.
    """
    total, currency = bill["totalCost"], escape(bill["currency"])
    sums = {name: bill[key] for name, key in _SUMS.items()}
    other = Decimal(total) - sum((Decimal(amount) for amount in sums.values()), Decimal(0))
    if other:
        sums["Restores"] = str(other)
    return (
        f'<section id="cost">\n<h2>Cost</h2>\n<p>Attempt {bill["attempt"]} cost <strong>{total} {currency}</strong>: '
        + ", ".join(f"{name.lower()} {amount}" for name, amount in sums.items())
        + f'.</p>\n<p class="note">At list prices, told on {escape(bill["pricedAt"][:16].replace("T", " "))} UTC; no '
        "discounts, taxes, requests or data transfer.</p>\n"
        + _table(
            "The bill",
            ("For", "What", "Quantity", "Unit price", currency, "Price of"),
            map(_line, lines),
            numbers=(2, 3, 4),
        )
        + _times("Time in each status", bill["statusSeconds"])
        + _times("Time of each step", bill["stepSeconds"])
        + "</section>\n"
    )


def with_section(report: str, section: str) -> str | None:
    """The report with this section for the one between its marks; None when it has no marks."""
    start, end = COST_SECTION
    before, found, rest = report.partition(start)
    _, closed, after = rest.partition(end)
    return f"{before}{start}\n{section}{end}{after}" if found and closed else None


def page(launch_id: str, section: str) -> str:
    """The section as a page."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Cost of {escape(launch_id)}</title>"
        f"<style>{_STYLE}</style></head>\n<body><h1>{escape(launch_id)}</h1>\n{section}</body></html>\n"
    )


def _line(line: Mapping[str, str]) -> tuple[str, ...]:
    note = line.get(CostLineField.NOTE, "")
    return (
        line[CostLineField.KIND],
        line[CostLineField.DESCRIPTION],
        f"{Decimal(line[CostLineField.QUANTITY]):.6f} {line[CostLineField.UNIT]}",
        line[CostLineField.UNIT_PRICE],
        line[CostLineField.AMOUNT],
        f"{line[CostLineField.SOURCE]}, {line[CostLineField.PRICED_AT][:16]}" + (f" ({note})" if note else ""),
    )


def _times(title: str, seconds: Mapping[str, str]) -> str:
    rows = [(name, f"{Decimal(spent):.1f}") for name, spent in seconds.items()]
    return f"<h3>{title}</h3>\n{_table(title, ('', 'Seconds'), rows, numbers=(1,))}" if rows else ""


def _table(title: str, names: tuple[str, ...], rows: Iterable[tuple[str, ...]], numbers: tuple[int, ...]) -> str:
    def cell(tag: str, column: int, text: str) -> str:
        return f"<{tag}{' class=number' if column in numbers else ''}>{escape(printable(text))}</{tag}>"

    def row(tag: str, cells: tuple[str, ...]) -> str:
        return "<tr>" + "".join(cell(tag, column, text) for column, text in enumerate(cells)) + "</tr>\n"

    head, body = row("th", names), "".join(row("td", each) for each in rows)
    return (
        f'<div class="scroll" role="region" aria-label="{escape(title)}" tabindex="0"><table>\n<thead>{head}</thead>\n'
        f"<tbody>{body}</tbody>\n</table></div>\n"
    )
