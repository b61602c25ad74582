"""How long the bill of a launch with ten thousand attempts of jobs takes, in memory and AWS calls.

`python -m benchmarks.pricing` prices with the function's own code from DynamoDB's items, which are handed over in pages
as DynamoDB does, but at once and parsed: 400 queries of some milliseconds, ten at a time, add less than a second, and
parsing their answers about two.
"""

import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

ATTEMPTS: Final = 10_000
INSTANCES: Final = 400
PAGE: Final = 2_500
"""Items of some 400 bytes in a page of a query, which has 1 MB (Amazon DynamoDB developer guide)."""
MOST_SECONDS: Final = 30
MOST_MIB: Final = 512
LAUNCH: Final = "large-20261101t080000-1a2b3c4d"
START: Final = datetime(2026, 11, 1, 8, tzinfo=UTC)


def main() -> None:
    """Run it and say whether it keeps what was promised."""
    table = Tables(_items())
    started, cpu = time.perf_counter(), time.process_time()
    bill = _price(table)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {
        "attempts": ATTEMPTS,
        "instances": INSTANCES,
        "lines": len(bill.lines),
        "totalUsd": str(bill.total),
        "seconds": round(seconds, 2),
        "cpuSeconds": round(cpu_seconds, 2),
        "peakMib": round(peak),
        "calls": dict(table.calls),
        "callsTogether": sum(table.calls.values()),
    }
    print(json.dumps(figures, indent=2))
    kept = seconds <= MOST_SECONDS and peak <= MOST_MIB
    sys.exit(0 if kept else f"promised: {MOST_SECONDS} s and {MOST_MIB} MiB")


class Tables:
    """The usage table and the price table, as a client of DynamoDB sees them."""

    def __init__(self, items: list[dict[str, Any]]) -> None:
        self.calls: Counter[str] = Counter()
        self._by_owner: dict[str, list[dict[str, Any]]] = {}
        self._by_instance: dict[str, list[dict[str, Any]]] = {}
        for item in items:
            self._by_owner.setdefault(item["owner"]["S"], []).append(item)
            if "instanceId" in item:
                self._by_instance.setdefault(item["instanceId"]["S"], []).append(item)

    def get_paginator(self, _operation: str) -> "Tables":
        return self

    def paginate(self, **query: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - as boto3 is called
        values = query["ExpressionAttributeValues"]
        found = (
            self._by_instance.get(values[":instance"]["S"], [])
            if "IndexName" in query
            else self._by_owner.get(values[":owner"]["S"], [])
        )
        for start in range(0, max(len(found), 1), PAGE):
            self.calls["Query"] += 1
            yield {"Items": found[start : start + PAGE]}

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self.calls["BatchGetItem"] += 1
        ((name, request),) = RequestItems.items()
        return {"Responses": {name: [self._by_owner[key["owner"]["S"]][0] for key in request["Keys"]]}}

    def get_item(self, **_: object) -> dict[str, Any]:
        self.calls["GetItem"] += 1
        return {}

    def put_item(self, **_: object) -> None:
        self.calls["PutItem"] += 1


def _price(table: Tables) -> Any:  # noqa: ANN401 - a Bill, whose module is imported when the clock runs
    from lambdas.pricing.price_list import PriceList
    from lambdas.pricing.rates.bill import make_bill
    from lambdas.pricing.usage_table import UsageTable
    from lambdas.pricing.whole_usage import read_usage
    from localcloud.pricing import PricingService, RecordedPrices

    prices = RecordedPrices()
    service = PricingService(prices)
    end = START + timedelta(days=2)
    book = PriceList("prices", "us-east-1", (START, end))
    _play_aws(service, prices, table)
    usage = read_usage(UsageTable("usage"), LAUNCH, 1, 100)
    return make_bill(usage, book, end)


def _play_aws(service: Any, prices: Any, table: Tables) -> None:  # noqa: ANN401 - the embedded cloud's
    """Let the Price List and EC2 be the embedded cloud's, and DynamoDB be `table`."""
    from types import SimpleNamespace

    from genolaunch.shared import aws
    from lambdas.pricing import price_list

    def products(**params: Any) -> Any:  # noqa: ANN401 - as boto3 is called
        table.calls["GetProducts"] += 1
        return [service.call("GetProducts", params)]

    def spot(**params: Any) -> Any:  # noqa: ANN401 - as above
        table.calls["DescribeSpotPriceHistory"] += 1
        found = prices.spot_history(
            params["InstanceTypes"], [params["AvailabilityZone"]], params["StartTime"], params["EndTime"]
        )
        return [{"SpotPriceHistory": [{"SpotPrice": str(each.usd), "Timestamp": each.at} for each in found]}]

    def paginator(pages: Any) -> Any:  # noqa: ANN401 - as above
        return SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=pages))

    clients = {"ec2": paginator(spot), "dynamodb": table}
    price_list._pricing = lambda _: paginator(products)  # type: ignore[assignment]
    aws.client = lambda name: clients[name]  # type: ignore[assignment]


def _items() -> list[dict[str, Any]]:
    from lambdas.shared.attributes import to_item
    from lambdas.shared.clock import timestamp

    per_instance = ATTEMPTS // INSTANCES
    items: list[dict[str, object]] = []
    for host in range(INSTANCES):
        life = timedelta(minutes=per_instance * 4 + 10)
        items.append(
            {
                "owner": f"instance#i-{host}",
                "usageId": "instance",
                "type": ("m6i.large", "c6a.xlarge", "r6i.2xlarge")[host % 3],
                "zone": "us-east-1a",
                "isSpot": host % 4 != 0,
                "vcpus": "8",
                "memoryMib": "30000",
                "startedAt": timestamp(START),
                "stoppedAt": timestamp(START + life),
                "volumes": [{"id": f"vol-{host}", "type": "gp3", "sizeGib": 100, "iops": 3000, "throughputMibps": 125}],
            }
        )
    for number in range(ATTEMPTS):
        host, turn = number % INSTANCES, number // INSTANCES
        start = START + timedelta(minutes=2 + 4 * turn)
        items.append(
            {
                "owner": LAUNCH,
                "usageId": f"job#{number:032d}",
                "attempt": 1,
                "jobName": f"{LAUNCH}-1-step2",
                "jobId": f"array:{number}",
                "vcpus": "2",
                "memoryMib": "4096",
                "startedAt": timestamp(start),
                "stoppedAt": timestamp(start + timedelta(minutes=5)),
                "instanceId": f"i-{host}",
            }
        )
    return [to_item(item) for item in items]


if __name__ == "__main__":
    main()
