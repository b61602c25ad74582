"""What launches cost, as people and scripts see it."""

import csv
import io
import json
import re

import pytest

from genolaunch.contract.cost import SCROLL_STYLE
from genolaunch.costs import By
from tests.pages import outside_boxes

LINE = {
    "kind": "instance",
    "resource": "i-1",
    "description": "m6i.large Spot in us-east-1a",
    "quantity": "1.5",
    "unit": "Hrs",
    "unitPrice": "0.04",
    "amount": "0.060000",
    "source": "EC2 Spot price history",
    "priceAsOf": "2026-11-21T04:00:00.000Z",
}


def text(value):
    return {"S": value}


def history(*totals):
    return {
        "costHistory": {"M": {str(number): {"M": {"totalCost": text(total)}} for number, total in enumerate(totals, 1)}}
    }


@pytest.fixture
def priced(content):
    content.launch(
        status="COMPLETE",
        attempt={"N": "2"},
        costStatus=text("PRICED"),
        totalCost=text("0.100000"),
        instanceCost=text("0.060000"),
        volumeCost=text("0.010000"),
        filesystemCost=text("0.030000"),
        costBreakdown={"L": [{"M": {name: text(value) for name, value in LINE.items()}}]},
        stepSeconds={"M": {"Step 2": text("90.5")}},
        **history("0.020000", "0.100000"),
    )


def test_a_bill_is_shown_line_by_line_with_where_its_prices_are_from(genolaunch, priced):
    answer = genolaunch("cost", "height-1")
    assert answer.exit_code == 0, answer.output
    for words in ("m6i.large Spot in us-east-1a", "0.04", "0.060000", "EC2 Spot price history, 2026-11-21T04:00"):
        assert words in answer.output
    assert "attempt 1" in answer.output
    assert "Step 2 1 min 30 s" in answer.output


def test_a_bill_for_scripts_has_exact_text(genolaunch, priced):
    document = json.loads(genolaunch("cost", "height-1", "--json").output)
    assert (document["total"], document["costStatus"]) == ("0.100000", "PRICED")
    assert document["earlierAttempts"] == {"1": "0.020000"}
    assert document["lines"][0]["unitPrice"] == "0.04"


def test_an_unknown_price_says_why(genolaunch, content):
    content.launch(status="FAILED", costStatus=text("UNKNOWN"), costReason=text("PriceError: no price of z9.large"))
    assert "no price of z9.large" in genolaunch("cost", "height-1").output


def test_what_aws_billed_the_stage_is_shown_beside_the_price(genolaunch, content):
    given = {"start": "2026-11-21", "end": "2026-11-22", "billed": "6.750000", "told": "8.000000"}
    told = {**given, "difference": "-1.250000", "isFinal": "no"}
    compared = {"M": {name: text(value) for name, value in told.items()}}
    content.launch(
        status="COMPLETE", costStatus=text("PRICED"), totalCost=text("3.000000"), costReconciliation=compared
    )
    shown = " ".join(genolaunch("cost", "height-1").output.split())
    assert "AWS billed 6.750000 USD, which AWS still estimates: -1.250000 USD of difference" in shown


def test_a_priced_launch_is_not_priced_again(genolaunch, priced):
    answer = genolaunch("cost", "height-1", "--retry")
    assert answer.exit_code == 3
    assert "PRICED" in answer.output


@pytest.fixture
def three(content):
    """Given: two launches of Ada, one of them without a price, and one of Ben."""
    times = {"startedAt": text("2026-11-21T04:00:00.000Z"), "endedAt": text("2026-11-21T05:00:00.000Z")}
    ada, ben = {"requestedBy": text("ada"), **times}, {"requestedBy": text("ben"), **times}
    content.launch("a-1", "COMPLETE", **ada, **history("0.100000", "0.020000"))
    content.launch("a-2", "FAILED", **ada)
    content.launch("b-1", "COMPLETE", submitted="2026-10-01T04:00:00.000Z", **ben, **history("0.500000"))


def test_sums_are_over_all_attempts_and_name_what_has_no_price(genolaunch, three):
    rows = list(csv.DictReader(io.StringIO(genolaunch("costs", "--by", "user", "--csv").output)))
    assert [(row["user"], row["launches"], row["unpriced"], row["total_usd"]) for row in rows] == [
        ("ben", "1", "0", "0.500000"),
        ("ada", "2", "1", "0.120000"),
    ]
    months = json.loads(genolaunch("costs", "--by", "month", "--json").output)
    assert [(row["month"], row["runSeconds"]) for row in months] == [("2026-10", 3600), ("2026-11", 7200)]
    assert "ada" in genolaunch("costs", "--by", "user").output


def test_all_sums_of_the_page_are_of_the_same_launches(genolaunch, three, content, platform, tmp_path):
    # Given a launch that ends and gets its price while launches are read
    content.launch("a-3", "RUNNING", startedAt=text("2026-11-21T04:00:00.000Z"))

    def end_it(params, **_):
        if b"COMPLETE" in params["body"]:  # after those that run were read
            content.launch("a-3", "COMPLETE", startedAt=text("2026-11-21T04:00:00.000Z"), **history("0.300000"))

    platform.dynamodb.meta.events.register("before-call.dynamodb.Query", end_it)
    page = tmp_path / "costs.html"

    assert genolaunch("costs", "--html", str(page)).exit_code == 0

    rows = re.findall(r"<tr><td>[^<]*<td>(\d+)<td>(\d+)<td>([\d.]+)", page.read_text())
    assert sum(int(launches) for launches, _, _ in rows) == 4 * len(By)
    assert sum(float(usd) for _, _, usd in rows) == pytest.approx(0.92 * len(By))


def test_a_launch_that_was_rejected_is_none_without_a_price(genolaunch, content):
    started = {"startedAt": text("2026-11-21T04:00:00.000Z"), "requestedBy": text("ada")}
    content.launch("a-1", "REJECTED", **started)
    content.launch("a-2", "REJECTED", attempt={"N": "2"}, **started, **history("0.300000"))  # its first attempt ran
    content.launch("a-3", "RUNNING", **started)

    (row,) = json.loads(genolaunch("costs", "--by", "user", "--json").output)

    assert (row["launches"], row["unpriced"], row["totalUsd"]) == (2, 1, "0.300000")


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"totalCost": text("0.006810"), "costStatus": text("PRICED")}, "0.0068 USD at list prices"),
        (
            {"attempt": {"N": "2"}, **history("0.5", "0.25"), "totalCost": text("0.25")},
            "0.7500 USD at list prices, 2 att",
        ),
        (
            {"attempt": {"N": "2"}, **history("0.5")},
            "0.5000 USD at list prices, of earlier attempts: the last one's is",
        ),
        ({"costStatus": text("UNKNOWN"), "costReason": text("no price of z9.large")}, "unknown: no price of z9.large"),
        ({"costStatus": text("PRICING")}, "not known yet"),
        ({}, "not known yet"),
    ],
)
def test_status_shows_the_price(genolaunch, content, attributes, words):
    content.launch(status="FAILED", startedAt=text("2026-11-21T04:00:00.000Z"), **attributes)

    shown = genolaunch("status", "height-1").output

    (price,) = [line for line in shown.splitlines() if line.startswith("Price")]
    assert price.removeprefix("Price").strip().startswith(words)


@pytest.mark.parametrize(("status", "started"), [("REJECTED", True), ("CANCELLED", False), ("RUNNING", True)])
def test_status_promises_no_price_where_there_is_none(genolaunch, content, status, started):
    times = {"startedAt": text("2026-11-21T04:00:00.000Z")} if started else {}
    content.launch(status=status, **times)

    assert "Price" not in genolaunch("status", "height-1").output
    assert json.loads(genolaunch("status", "height-1", "--json").output)["price"] is None


def test_the_page_shows_every_sum_and_needs_nothing_else(genolaunch, three, tmp_path):
    page = tmp_path / "costs.html"
    assert genolaunch("costs", "--html", str(page)).exit_code == 0
    shown = page.read_text()
    for words in ("By workflow", "By user", "By engine", "By compute", "By month", "ada", "0.5 USD", "<svg"):
        assert words in shown
    assert "<script" not in shown
    assert "http" not in shown
    assert outside_boxes(shown) == []
    assert SCROLL_STYLE in shown


def test_a_launch_that_is_held_for_its_budget_is_approved_up_to_the_end_of_its_range(genolaunch, content, platform):
    told = {"usd": "60.00", "low": "40.00", "high": "75.00", "basis": "history: 2 launches of regenie/batch-spot"}
    estimate = {"M": {name: text(value) for name, value in told.items()}}
    content.launch(status="HELD", attempt={"N": "1"}, heldFor=text("budget"), estimate=estimate)

    assert genolaunch("approve", "height-1").exit_code == 0

    item = platform.dynamodb.get_item(TableName=platform.names.launch_table, Key={"launchId": {"S": "height-1"}})[
        "Item"
    ]
    assert (item["status"], item["approvedBudget"]) == ({"S": "READY"}, {"S": "75.00"})
    assert "heldFor" not in item


def test_engines_are_told_apart(genolaunch, content):
    def launch(id_, workflow, part, total):
        config = json.dumps({"name": "x", workflow: part})
        times = {"startedAt": text("2026-11-21T04:00:00.000Z")}
        content.launch(id_, "COMPLETE", workflow=text(workflow), config=text(config), **times, **history(total))

    launch("g-1", "regenie", {"version": "4.1.2"}, "0.300000")
    launch("s-1", "snakemake", {"engine": "tibanna"}, "0.200000")
    launch("s-2", "snakemake", {"engine": "aws-batch"}, "0.100000")

    rows = json.loads(genolaunch("costs", "--by", "engine", "--json").output)

    assert [(row["engine"], row["totalUsd"]) for row in rows] == [
        ("regenie 4.1.2", "0.300000"),
        ("tibanna", "0.200000"),
        ("aws-batch", "0.100000"),
    ]
