"""The Price List API's GetProducts, with filters and pages."""

import hashlib
import json
from typing import Any, Final

from localcloud.paging import BadTokenError, page
from localcloud.pricing.recorded import Product, RecordedPrices
from localcloud.service import ServiceError, operation_of

Document = dict[str, Any]

LARGEST_PAGE: Final = 100
"""MaxResults of GetProducts, which is also its default (AWS Price List API reference)."""

_SERVICES: Final = ("AmazonEC2", "AmazonECS", "AmazonFSx")


class PricingService:
    """Implements localcloud.service.Service."""

    name = "pricing"

    def __init__(self, prices: RecordedPrices) -> None:
        self._prices = prices
        self._failures: list[str] = []
        self._empty = 0
        self.operations = {"GetProducts": self._get_products}

    def call(self, operation: str, params: Document) -> Document:
        """Answer one operation. Raises ServiceError."""
        return operation_of("Price List", self.operations, operation)(params)

    def fail(self, code: str, times: int) -> None:
        """Let the next `times` calls be refused with this error."""
        self._failures += [code] * times

    def answer_nothing(self, times: int) -> None:
        """Let the next `times` calls find no product."""
        self._empty += times

    def _get_products(self, params: Document) -> Document:
        if self._failures:
            code = self._failures.pop()
            raise ServiceError(code, "Injected.")
        if self._empty:
            self._empty -= 1
            return {"FormatVersion": "aws_v1", "PriceList": []}
        if params.get("ServiceCode") not in _SERVICES:
            raise ServiceError("InvalidParameterException", f"Invalid ServiceCode {params.get('ServiceCode')}.")
        found = [
            each
            for each in self._prices.products()
            if each.service == params["ServiceCode"] and all(_passes(each, one) for one in params.get("Filters", ()))
        ]
        try:
            chosen, token = page(
                found, min(params.get("MaxResults", LARGEST_PAGE), LARGEST_PAGE), params.get("NextToken")
            )
        except BadTokenError:
            raise ServiceError("InvalidNextTokenException", "Invalid NextToken.") from None
        answer: Document = {
            "FormatVersion": "aws_v1",
            "PriceList": [json.dumps(self._document(each)) for each in chosen],
        }
        return {**answer, "NextToken": token} if token else answer

    def _document(self, product: Product) -> Document:
        """A product as the API shows it: a JSON text with its only On-Demand term."""
        sku = (
            hashlib.sha256(json.dumps([product.service, *product.attributes.values()]).encode())
            .hexdigest()[:16]
            .upper()
        )
        term, dimension = f"{sku}.JRTCKXETXF", f"{sku}.JRTCKXETXF.6YS6EN2CT7"
        return {
            "serviceCode": product.service,
            "product": {"sku": sku, "productFamily": product.family, "attributes": dict(product.attributes)},
            "terms": {
                "OnDemand": {
                    term: {
                        "sku": sku,
                        "effectiveDate": f"{self._prices.recorded}T00:00:00Z",
                        "priceDimensions": {
                            dimension: {
                                "rateCode": dimension,
                                "unit": product.unit,
                                "pricePerUnit": {"USD": product.usd},
                            }
                        },
                    }
                }
            },
            "publicationDate": f"{self._prices.recorded}T00:00:00Z",
        }


def _passes(product: Product, one: Document) -> bool:
    if one["Type"] != "TERM_MATCH":
        raise ServiceError("InvalidParameterException", f"The local cloud knows TERM_MATCH, not {one['Type']}.")
    return bool(product.attributes.get(one["Field"]) == one["Value"])
