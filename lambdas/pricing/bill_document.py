"""Converts a bill to the forms of the launch table and of the results bucket."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from genolaunch.contract.cost import CostLineField
from lambdas.pricing.rates.money import QUANTITY_FRACTION, Line

MOST_LINES: Final = 150
"""In the launch's item, which may have 400 KB; the whole bill is in the results bucket."""


def line_documents(lines: Iterable[Line]) -> list[dict[str, str]]:
    """The lines with every figure as exact text."""
    return [_document(line) for line in lines]


def _document(line: Line) -> dict[str, str]:
    document = {
        CostLineField.KIND: line.kind.value,
        CostLineField.RESOURCE: line.resource,
        CostLineField.DESCRIPTION: line.description,
        CostLineField.QUANTITY: _plain(line.quantity.quantize(QUANTITY_FRACTION)),
        CostLineField.UNIT: line.price.unit,
        CostLineField.UNIT_PRICE: _plain(line.price.amount),
        CostLineField.AMOUNT: str(line.amount),
        CostLineField.SOURCE: line.price.source,
        CostLineField.PRICED_AT: line.price.as_of,
    }
    return {**document, CostLineField.NOTE: line.note} if line.note else document


def _plain(value: Decimal) -> str:
    """Without an exponent, and without zeros at the end."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
