"""The prices that the embedded cloud knows: a Price List API and a Spot price history."""

from localcloud.pricing.price_list import PriceListService
from localcloud.pricing.recorded import InstanceType, RecordedPrices

__all__ = ["InstanceType", "PriceListService", "RecordedPrices"]
