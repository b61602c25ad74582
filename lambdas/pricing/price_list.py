"""Unit prices from the Price List API, kept in a table for a day, and Spot prices from EC2's history."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from genolaunch.shared import aws
from lambdas.pricing.rates.bill import LaunchUsage
from lambdas.pricing.rates.money import CURRENCY, PriceError, SpotPrice, UnitPrice
from lambdas.shared.attributes import from_item, to_item
from lambdas.shared.clock import timestamp

MAX_AGE: Final = timedelta(days=1)
"""Of a cached price. AWS announces changes of list prices, and publishes them at any hour."""

_ENDPOINTS: Final = {
    "eu": "eu-central-1",
    "af": "eu-central-1",
    "me": "eu-central-1",
    "il": "eu-central-1",
    "ap": "ap-south-1",
}
_DEFAULT_ENDPOINT: Final = "us-east-1"

_REGION_PREFIX: Final = re.compile(r"^[A-Z]{2,4}[0-9]?-")
"""Usage types begin with a region's short name (`EUC1-Storage`); EC2's of us-east-1 have none."""

_MIB_OF_GIB: Final = Decimal(1024)

_LUSTRE: Final = {"fileSystemType": "Lustre", "storageType": "SSD", "operation": "CreateFileSystem:Lustre"}


def endpoint_region(region: str) -> str:
    """The nearest region that has an endpoint of the Price List API: there are three (AWS general reference)."""
    return _ENDPOINTS.get(region.partition("-")[0], _DEFAULT_ENDPOINT)


def window_of(usage: LaunchUsage, now: datetime) -> tuple[datetime, datetime]:
    """The time for which Spot prices are needed: a minute more at the end, which is the least of an instance."""
    starts = [each.launched_at for each in usage.instances]
    ends = [each.stopped_at or now for each in usage.instances]
    return min(starts, default=now), max(ends, default=now) + timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Product:
    """What is looked for in the Price List."""

    service: str
    region: str
    attributes: Mapping[str, str]
    """Every one must be the product's."""
    usage_type: str
    """Without the region's prefix."""
    unit: str

    @property
    def key(self) -> str:
        """Of the cache."""
        return f"{self.service}/{self.region}/{self.usage_type}"


@dataclass
class PriceList:
    """Implements lambdas.pricing.rates.money.PriceBook for one bill."""

    table: str
    region: str
    window: tuple[datetime, datetime]
    """From the first launch of an instance of the bill to the last stop: Spot prices are read once for all."""
    calls: int = 0
    """Calls of the Price List and of the Spot price history, for the curious."""
    _known: dict[str, UnitPrice] = field(default_factory=dict)
    _spot: dict[tuple[str, str], list[SpotPrice]] = field(default_factory=dict)

    def on_demand(self, instance_type: str, region: str) -> UnitPrice:
        attributes = {
            "instanceType": instance_type,
            "operatingSystem": "Linux",
            "tenancy": "Shared",
            "capacitystatus": "Used",
            "preInstalledSw": "NA",
            "marketoption": "OnDemand",
        }
        return self._price(Product("AmazonEC2", region, attributes, f"BoxUsage:{instance_type}", "Hrs"))

    def volume_storage(self, volume_type: str, region: str) -> UnitPrice:
        return self._volume(volume_type, region, "Storage", f"EBS:VolumeUsage.{volume_type}", "GB-Mo")

    def volume_iops(self, volume_type: str, region: str) -> UnitPrice:
        return self._volume(volume_type, region, "System Operation", f"EBS:VolumeP-IOPS.{volume_type}", "IOPS-Mo")

    def volume_throughput(self, volume_type: str, region: str) -> UnitPrice:
        usage_type = f"EBS:VolumeP-Throughput.{volume_type}"
        price = self._volume(volume_type, region, "Provisioned Throughput", usage_type, "GiBps-mo")
        return UnitPrice(price.amount / _MIB_OF_GIB, "MiBps-Mo", price.source, price.as_of)

    def file_system(self, deployment_type: str, throughput: int | None, region: str) -> UnitPrice:
        # Scratch file systems are the plain usage type, persistent ones have their throughput in it.
        usage_type = f"Storage.SSD.{throughput}" if deployment_type == "PERSISTENT_2" else "Storage"
        return self._price(Product("AmazonFSx", region, _LUSTRE, usage_type, "GB-Mo"))

    def fargate_vcpu(self, region: str, *, is_arm: bool) -> UnitPrice:
        return self._fargate(region, f"Fargate-{'ARM-' if is_arm else ''}vCPU-Hours:perCPU")

    def fargate_memory(self, region: str, *, is_arm: bool) -> UnitPrice:
        return self._fargate(region, f"Fargate-{'ARM-' if is_arm else ''}GB-Hours")

    def fargate_storage(self, region: str) -> UnitPrice:
        return self._fargate(region, "Fargate-EphemeralStorage-GB-Hours")

    def spot(self, instance_type: str, zone: str, start: datetime, end: datetime) -> Sequence[SpotPrice]:
        key = (instance_type, zone)
        if key not in self._spot:
            self._spot[key] = self._spot_history(instance_type, zone)
        history = self._spot[key]
        if not history:
            raise PriceError(f"EC2 has no Spot price of {instance_type} in {zone} for that time.")
        first = max((number for number, each in enumerate(history) if each.since <= start), default=0)
        return [each for each in history[first:] if each.since <= end]

    def _volume(self, volume_type: str, region: str, family: str, usage_type: str, unit: str) -> UnitPrice:
        attributes = {"productFamily": family, "volumeApiName": volume_type}
        return self._price(Product("AmazonEC2", region, attributes, usage_type, unit))

    def _fargate(self, region: str, usage_type: str) -> UnitPrice:
        return self._price(Product("AmazonECS", region, {"productFamily": "Compute"}, usage_type, "hours"))

    def _price(self, product: Product) -> UnitPrice:
        if product.key not in self._known:
            self._known[product.key] = self._cached(product) or self._fetched(product)
        return self._known[product.key]

    def _cached(self, product: Product) -> UnitPrice | None:
        answer = aws.client("dynamodb").get_item(TableName=self.table, Key=to_item({"product": product.key}))
        item = from_item(answer.get("Item", {}))
        if not item or datetime.fromisoformat(item["readAt"]) < datetime.now(UTC) - MAX_AGE:
            return None
        return UnitPrice(Decimal(item["amount"]), item["unit"], item["source"], item["asOf"])

    def _fetched(self, product: Product) -> UnitPrice:
        found = [price for entry in self._products(product) for price in _prices_of(entry, product)]
        if not found:
            raise PriceError(f"The Price List has no price of {product.usage_type} in {product.region}.")
        if len({price.amount for price in found}) > 1:
            raise PriceError(f"The Price List has several prices of {product.usage_type} in {product.region}.")
        self._keep(product, found[0])
        return found[0]

    def _products(self, product: Product) -> Iterator[Mapping[str, Any]]:
        filters = [
            {"Type": "TERM_MATCH", "Field": name, "Value": value}
            for name, value in {"regionCode": product.region, **product.attributes}.items()
        ]
        pages = _pricing(self.region).get_paginator("get_products")
        try:
            for page in pages.paginate(ServiceCode=product.service, Filters=filters):
                self.calls += 1
                yield from map(json.loads, page["PriceList"])
        except (ClientError, BotoCoreError) as error:
            raise PriceError(f"The Price List could not be asked for {product.usage_type}: {error}") from error

    def _keep(self, product: Product, price: UnitPrice) -> None:
        now = datetime.now(UTC)
        item = {
            "product": product.key,
            "amount": str(price.amount),
            "unit": price.unit,
            "source": price.source,
            "asOf": price.as_of,
            "readAt": timestamp(now),
            "expiresAt": int((now + MAX_AGE).timestamp()),
        }
        aws.client("dynamodb").put_item(TableName=self.table, Item=to_item(item))

    def _spot_history(self, instance_type: str, zone: str) -> list[SpotPrice]:
        """From the last change before the window to its end, oldest first.

        EC2 answers with the change before StartTime too, which is the price in force then (Amazon EC2 API reference,
        DescribeSpotPriceHistory).
        """
        start, end = self.window
        pages = aws.client("ec2").get_paginator("describe_spot_price_history")
        prices: list[SpotPrice] = []
        try:
            for page in pages.paginate(
                InstanceTypes=[instance_type],
                AvailabilityZone=zone,
                ProductDescriptions=["Linux/UNIX"],
                StartTime=start,
                EndTime=end,
            ):
                self.calls += 1
                prices += [_spot_price(each) for each in page["SpotPriceHistory"]]
        except (ClientError, BotoCoreError) as error:
            raise PriceError(f"The Spot price history of {instance_type} could not be read: {error}") from error
        return sorted(prices, key=lambda each: each.since)


def _prices_of(entry: Mapping[str, Any], product: Product) -> Iterator[UnitPrice]:
    """The On-Demand prices of a product of the list, if it is the one that was looked for."""
    attributes = entry["product"]["attributes"]
    if _REGION_PREFIX.sub("", attributes.get("usagetype", "")) != product.usage_type:
        return
    for term in entry.get("terms", {}).get("OnDemand", {}).values():
        for dimension in term["priceDimensions"].values():
            amount = Decimal(dimension["pricePerUnit"].get(CURRENCY, "0"))
            if amount > 0 and dimension["unit"].lower() == product.unit.lower():
                source = f"AWS Price List, SKU {entry['product']['sku']}"
                yield UnitPrice(amount, dimension["unit"], source, term["effectiveDate"])


def _spot_price(each: Mapping[str, Any]) -> SpotPrice:
    since: datetime = each["Timestamp"]
    price = UnitPrice(Decimal(each["SpotPrice"]), "Hrs", "EC2 Spot price history", timestamp(since))
    return SpotPrice(since, price)


_clients: dict[str, Any] = {}


def _pricing(region: str) -> Any:  # noqa: ANN401 - its type is not among the development requirements
    """A client of the Price List's endpoint; its own region is seldom the stage's."""
    endpoint = endpoint_region(region)
    if endpoint not in _clients:
        config = Config(retries={"mode": "standard", "max_attempts": 6}, connect_timeout=5, read_timeout=20)
        _clients[endpoint] = boto3.client("pricing", region_name=endpoint, config=config)
    return _clients[endpoint]
