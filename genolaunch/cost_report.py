"""Costs as one self-contained page: cost and time of each consumer, workflow, engine, kind of compute and month."""

import html
from collections.abc import Mapping, Sequence
from datetime import datetime

from genolaunch.contract.cost import SCROLL_STYLE
from genolaunch.costs import By, Sum
from genolaunch.shared.printable import printable

_WIDTH = 480
_BAR = 22

_STYLE = """body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1b2733}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}text{font:13px system-ui,sans-serif;fill:#1b2733}
table{border-collapse:collapse}td,th{padding:.2rem .8rem .2rem 0;text-align:right}
td:first-child,th:first-child{text-align:left}"""


def report(stage: str, sums: Mapping[By, Sequence[Sum]], now: datetime) -> str:
    """The page."""
    sections = "".join(_section(by, found) for by, found in sums.items())
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Costs of {escape(stage)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}{SCROLL_STYLE}</style><h1>What launches of “{escape(stage)}” cost</h1>"
        f"<p>List prices in USD of all attempts, as of {now:%Y-%m-%d %H:%M} UTC.</p>{sections}</html>\n"
    )


def _section(by: By, found: Sequence[Sum]) -> str:
    rows = "".join(
        f"<tr><td>{escape(each.name)}<td>{each.launches}<td>{each.unpriced}<td>{each.total:.4f}"
        f"<td>{each.run_time.total_seconds() / 3600:.2f}"
        for each in found
    )
    table = f"<table><tr><th>{by.value}<th>launches<th>without a price<th>USD<th>hours{rows}</table>"
    return (
        f"<h2>By {by.value}</h2>{_plot('USD', [(each.name, float(each.total)) for each in found])}"
        f"{_plot('hours', [(each.name, each.run_time.total_seconds() / 3600) for each in found])}"
        f"{_box(f'Sums by {by.value}', table)}"
    )


def _plot(unit: str, bars: Sequence[tuple[str, float]]) -> str:
    """Horizontal bars, the longest of full width."""
    longest = max((value for _, value in bars), default=0) or 1
    height = _BAR * len(bars) + 6
    drawn = "".join(
        f'<text x="150" y="{_BAR * row + 16}" text-anchor="end">{escape(name[:22])}</text>'
        f'<rect x="158" y="{_BAR * row + 4}" width="{_WIDTH * value / longest:.1f}" height="{_BAR - 8}"'
        f' fill="#2a6f97"/>'
        f'<text x="{164 + _WIDTH * value / longest:.1f}" y="{_BAR * row + 16}">{value:.4g} {unit}</text>'
        for row, (name, value) in enumerate(bars)
    )
    return _box(unit, f'<svg role="img" aria-label="{unit}" width="{_WIDTH + 280}" height="{height}">{drawn}</svg>')


def _box(title: str, wide: str) -> str:
    """What is wider than a phone scrolls by itself."""
    return f'<div class="scroll" role="region" aria-label="{title}" tabindex="0">{wide}</div>'


def escape(text: str) -> str:
    """A text of others on the page."""
    return html.escape(printable(text))
