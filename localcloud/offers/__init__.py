"""What a region has: instance types in its zones, and services."""

from localcloud.offers.service import OffersService

__all__ = ["OffersService"]
