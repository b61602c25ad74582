"""What a region has: instance types in its zones (EC2), and the regions of FSx for Lustre (Systems Manager)."""

import json
from collections.abc import Iterable
from typing import Any, Final

from localcloud.clients import REGION
from localcloud.ec2_query import element, listed, members, xml
from localcloud.interceptor import Interceptor, Own
from localcloud.pricing import RecordedPrices
from localcloud.wire import Answer, Request

_REGIONS_OF_LUSTRE: Final = "/aws/service/global-infrastructure/services/fsx-lustre/regions"


class OffersService:
    """Every type that the price list knows is offered in every zone, and FSx for Lustre in this region and one more."""

    def __init__(self, prices: RecordedPrices) -> None:
        self._prices = prices
        self.lustre_regions: Iterable[str] = (REGION, "eu-west-1")

    @property
    def interceptors(self) -> tuple[Interceptor, ...]:
        """What is answered here of what ministack is asked for: each on one page."""
        return (
            Interceptor("ec2", frozenset({"DescribeInstanceTypeOfferings"}), self._answer_ec2),
            Interceptor("ssm", frozenset({"GetParametersByPath"}), self._answer_ssm, _is_about_lustre),
        )

    def _answer_ec2(self, request: Request, _own: Own) -> Answer:
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

    def _answer_ssm(self, _request: Request, _own: Own) -> Answer:
        found: list[dict[str, Any]] = [
            {"Name": f"{_REGIONS_OF_LUSTRE}/{region}", "Type": "String", "Value": region, "Version": 1}
            for region in self.lustre_regions
        ]
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps({"Parameters": found}).encode()


def _is_about_lustre(request: Request) -> bool:
    """Whether it asks for the public parameters of FSx for Lustre."""
    return _REGIONS_OF_LUSTRE.encode() in request.body
