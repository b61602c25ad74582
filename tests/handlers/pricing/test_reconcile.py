"""The stage's totals beside what AWS billed, as the setting `pricing: cost_explorer` asks for."""

from typing import Any

import boto3
import pytest

from lambdas.pricing import reconcile
from lambdas.pricing.rates.money import PriceError
from tests.handlers.pricing.conftest import CONTEXT, LAUNCH, register


class CostExplorer:
    """Answers a group a page."""

    def __init__(self, *groups: tuple[str, str], estimated: bool = False) -> None:
        self.requests: list[dict[str, Any]] = []
        self._pages = [
            {"ResultsByTime": [{"Estimated": estimated, "Groups": [_group(*group)]}], "NextPageToken": str(number)}
            for number, group in enumerate(groups)
        ]

    def get_cost_and_usage(self, **request: Any) -> Any:
        self.requests.append(request)
        return self._pages[len(self.requests) - 1] if len(self.requests) <= len(self._pages) else {"ResultsByTime": []}


def _group(usage_type: str, usd: str) -> dict[str, Any]:
    return {"Keys": [usage_type], "Metrics": {"UnblendedCost": {"Amount": usd, "Unit": "USD"}}}


@pytest.fixture
def explorer(account: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """When: called with groups, Cost Explorer answers with them."""
    reconcile.settings.cache_clear()

    def answers(*groups: tuple[str, str], **more: bool) -> CostExplorer:
        played = CostExplorer(*groups, **more)
        monkeypatch.setattr(reconcile, "cost_explorer", lambda: played)
        return played

    return answers


def launch(launch_id: str, start: str, end: str, *totals: str) -> None:
    """Given: a launch whose last attempt ran for that time; earlier ones were priced on 1 November."""
    priced = {"pricedAt": "2026-11-01T06:00:00.000Z"}
    register(
        attempt=len(totals),
        startedAt=start,
        endedAt=end,
        costHistory={str(number): {"totalCost": total, **priced} for number, total in enumerate(totals, 1)},
    )
    table = boto3.resource("dynamodb").Table("launches")
    item = table.get_item(Key={"launchId": LAUNCH})["Item"]
    table.put_item(Item={**item, "launchId": launch_id})


def reconciled() -> dict[str, Any]:
    answer: dict[str, Any] = reconcile.handler({"launchId": LAUNCH}, CONTEXT)
    return answer


def test_the_stages_totals_of_its_days_are_compared(explorer):
    # Given: on 1 November ours for 3 USD, and an attempt before it for 1; half of another launch's 8
    launch("other", "2026-10-31T12:00:00.000Z", "2026-11-01T12:00:00.000Z", "8.000000")
    launch("later", "2026-11-02T12:00:00.000Z", "2026-11-02T13:00:00.000Z", "5.000000")
    launch(LAUNCH, "2026-11-01T08:00:00.000Z", "2026-11-01T09:00:00.000Z", "1.000000", "3.000000")
    played = explorer(("BoxUsage:m6i.large", "6.5"), ("EBS:VolumeUsage.gp3", "0.25"), ("NatGateway-Hours", "1.08"))
    # Then: 3 + 1 + 4 by their bills, and 6.75 billed; the gateway is no launch's
    assert reconciled() == {
        "start": "2026-11-01",
        "end": "2026-11-02",
        "billed": "6.750000",
        "told": "8.000000",
        "difference": "-1.250000",
        "isFinal": "yes",
    }
    asked = played.requests[0]
    assert asked["TimePeriod"] == {"Start": "2026-11-01", "End": "2026-11-02"}
    (tagged,) = [each["Or"] for each in asked["Filter"]["And"] if "Or" in each]
    ours = [{"Key": "project", "Values": ["genolaunch"]}, {"Key": "stage", "Values": ["test"]}]
    assert tagged == [
        {"And": [{"Tags": each} for each in ours]},
        {"Tags": {"Key": "Type", "Values": ["awsem"]}},  # Tibanna's instances: their launches' bills have them
    ]


def test_what_aws_still_estimates_is_said_to_be_so(explorer):
    launch(LAUNCH, "2026-11-01T08:00:00.000Z", "2026-11-01T09:00:00.000Z", "3.000000")
    explorer(("BoxUsage:m6i.large", "3"), estimated=True)
    assert reconciled()["isFinal"] == "no"


def test_a_bill_without_the_tags_is_no_bill_of_zero(explorer):
    launch(LAUNCH, "2026-11-01T08:00:00.000Z", "2026-11-01T09:00:00.000Z", "3.000000")
    explorer()
    with pytest.raises(PriceError, match="are they activated"):
        reconciled()
