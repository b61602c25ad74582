"""Restores in a launch's bill: each figure was computed by hand from the list prices of us-east-1."""

import json
from decimal import Decimal
from functools import partial
from typing import Any

import boto3

from genolaunch.contract.launch import Status
from genolaunch.contract.restore import RetrievalTier
from lambdas.pricing import price_launch
from lambdas.restore.archive import Archive
from lambdas.restore.charges import Charge, record_charges
from lambdas.restore.restore_model import OpenRestore
from tests.handlers.pricing.conftest import CONTEXT, LAUNCH, register

GIB = 1 << 30


def restore(attempt: int, *charges: Charge, days: int = 12) -> None:
    """Given: S3 took these requests for an attempt."""
    record_charges("usage", OpenRestore(LAUNCH, attempt, "", ""), days, charges)


def price(attempt: int) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The bill of an attempt, and its lines."""
    bill = price_launch.handler({"launchId": LAUNCH, "attempt": attempt}, CONTEXT)
    key = f"results/{LAUNCH}/cost/attempt-{attempt}.json"
    body = boto3.client("s3").get_object(Bucket="results", Key=key)["Body"].read()
    return bill, json.loads(body)["lines"]


def history(*statuses: str) -> list[dict[str, str]]:
    return [{"status": status, "at": f"2026-11-01T08:{n:02}:00.000Z"} for n, status in enumerate(statuses)]


def test_data_requests_and_copies_are_lines_of_the_bill(account):
    # Given: the first attempt waited for its inputs, and the second ran
    register(attempt=2, events=history("RUNNING", "WAITING", "READY", "RUNNING", "COMPLETE"))
    standard = [Charge(Archive.FLEXIBLE, RetrievalTier.STANDARD, GIB // 2, is_retrieved=True) for _ in range(100)]
    restore(1, *standard[:60])
    restore(1, *standard[60:], Charge(Archive.TIERED, RetrievalTier.EXPEDITED, 4 * GIB, is_retrieved=True))

    bill, lines = price(2)

    about = {line["description"]: (line["quantity"], line["unitPrice"], line["amount"]) for line in lines}
    assert about == {
        "Standard restore from GLACIER: data": ("50", "0.01", "0.500000"),
        "Standard restore from GLACIER: requests": ("100", "0.00005", "0.005000"),
        # 50 GiB for 12 of 30 days at 0.023
        "Standard restore from GLACIER: copies for 12 days": ("20", "0.023", "0.460000"),
        "Expedited restore from ARCHIVE_ACCESS: data": ("4", "0.03", "0.120000"),
        "Expedited restore from ARCHIVE_ACCESS: requests": ("1", "0.01", "0.010000"),
    }
    assert bill["totalCost"] == "1.095000"
    assert (bill["instanceCost"], bill["volumeCost"], bill["filesystemCost"]) == ("0.000000",) * 3
    assert {line["kind"] for line in lines} == {"restore"}
    assert all("us-east-1" in line["source"] and line["priceAsOf"] == "2026-11-21" for line in lines)


def test_bulk_from_flexible_retrieval_is_free_but_for_the_copies(account):
    register(attempt=2, events=history("RUNNING", "WAITING", "READY", "RUNNING", "COMPLETE"))
    bulk = partial(Charge, Archive.FLEXIBLE, RetrievalTier.BULK)
    restore(1, bulk(3 * GIB, is_retrieved=True), bulk(GIB, is_retrieved=False), days=30)

    bill, (data, copies) = price(2)

    assert (data["quantity"], data["amount"]) == ("3", "0.000000")
    # Somebody else's copy of 1 GiB is kept for longer: a month at most
    assert (copies["quantity"], copies["amount"]) == ("4", "0.092000")
    assert "at most" in copies["note"]
    assert bill["totalCost"] == "0.092000"


def test_each_restore_is_in_the_bill_of_the_attempt_that_came_of_it(account):
    # Given: a launch waited, failed, and waited again when it was tried again
    first = history("RUNNING", "WAITING", "READY", "RUNNING", "FAILED")
    deep = Charge(Archive.DEEP, RetrievalTier.BULK, 8 * GIB, is_retrieved=True)
    register(Status.FAILED, attempt=2, events=first)
    restore(1, deep)
    failed, _ = price(2)
    register(attempt=4, events=[*first, *history("RETRY", "RUNNING", "WAITING", "READY", "RUNNING", "COMPLETE")])
    restore(3, deep, deep)

    done, _ = price(4)

    # Then: 8 GiB at 0.0025, a request at 0.000025, a copy of 8 GiB for 12 days; and twice that
    assert Decimal(failed["totalCost"]) == Decimal("0.093625")
    assert Decimal(done["totalCost"]) == Decimal("0.187250")


def test_a_launch_that_was_cancelled_while_it_waited_pays_for_what_it_asked_for(account):
    register(Status.CANCELLED, attempt=1, events=history("RUNNING", "WAITING", "CANCEL_REQUESTED", "CANCELLED"))
    restore(1, Charge(Archive.FLEXIBLE, RetrievalTier.STANDARD, 10 * GIB, is_retrieved=True), days=30)

    bill, _ = price(1)

    assert bill["totalCost"] == "0.330050"  # 0.1 + 0.00005 + 0.23
