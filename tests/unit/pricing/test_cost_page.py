"""A bill as a page, and as a section of another."""

from genolaunch.contract.cost import SCROLL_STYLE
from lambdas.pricing.cost_page import cost_section, page
from tests.pages import outside_boxes

BILL = {
    "attempt": 1,
    "totalCost": "0.060000",
    "currency": "USD",
    "instanceCost": "0.060000",
    "volumeCost": "0.000000",
    "filesystemCost": "0.000000",
    "pricedAt": "2026-11-21T04:00:00.000Z",
    "statusSeconds": {"RUNNING": "90.5"},
    "stepSeconds": {"Step 2": "80"},
}
LINE = {
    "kind": "instance",
    "description": "m6i.large Spot in us-east-1a",
    "quantity": "1.5",
    "unit": "Hrs",
    "unitPrice": "0.04",
    "amount": "0.060000",
    "source": "EC2 Spot price history",
    "priceAsOf": "2026-11-21T04:00:00.000Z",
}


def test_its_tables_scroll_in_boxes_of_their_own():
    section = cost_section(BILL, [LINE])
    whole = page("height-1", section)

    assert section.count("<table>") == 3
    assert outside_boxes(section) == []
    assert SCROLL_STYLE in whole
    assert "width=device-width" in whole
