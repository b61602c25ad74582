"""What a region has: instance types in its zones (EC2), and the regions of FSx for Lustre (Systems Manager)."""

import json
from collections.abc import Callable, Iterable
from typing import Any, Final

from localcloud.clients import REGION
from localcloud.ec2.query import element, listed, members, xml
from localcloud.pricing import RecordedPrices
from localcloud.wire import Answer, Request

Own = Callable[[], Answer]

_REGIONS_OF_LUSTRE: Final = "/aws/service/global-infrastructure/services/fsx-lustre/regions"


class Offers:
    """Every type that the price list knows is offered in every zone, and FSx for Lustre in this region and one more."""

    def __init__(self, prices: RecordedPrices) -> None:
        self._prices = prices
        self.lustre_regions: Iterable[str] = (REGION, "eu-west-1")

    def wants_ec2(self, request: Request) -> bool:
        """Whether it asks for instance types of zones."""
        return members(request).get("Action") == "DescribeInstanceTypeOfferings"

    def answer_ec2(self, request: Request, _own: Own) -> Answer:
        """Answer it, on one page."""
        zones = listed(members(request), "Filter.1.Value")
        items = "".join(
            "<item>"
            + element("instanceType", name)
            + element("locationType", "availability-zone")
            + element("location", zone)
            + "</item>"
            for zone in zones
            for name in self._prices.types
        )
        return xml("DescribeInstanceTypeOfferings", f"<instanceTypeOfferingSet>{items}</instanceTypeOfferingSet>")

    def wants_ssm(self, request: Request) -> bool:
        """Whether it asks for the public parameters of FSx for Lustre."""
        is_asked = request.headers.get("x-amz-target") == "AmazonSSM.GetParametersByPath"
        return is_asked and _REGIONS_OF_LUSTRE.encode() in request.body

    def answer_ssm(self, _request: Request, _own: Own) -> Answer:
        """Answer it, on one page."""
        found: list[dict[str, Any]] = [
            {"Name": f"{_REGIONS_OF_LUSTRE}/{region}", "Type": "String", "Value": region, "Version": 1}
            for region in self.lustre_regions
        ]
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps({"Parameters": found}).encode()
