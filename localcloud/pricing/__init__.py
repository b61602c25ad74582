"""The prices that the embedded cloud knows: a Price List API and a Spot price history."""

from localcloud.pricing.recorded import InstanceType, RecordedPrices
from localcloud.pricing.service import PricingService

__all__ = ["InstanceType", "PricingService", "RecordedPrices"]
