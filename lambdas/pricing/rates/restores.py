"""Lines of a bill for the restore of archived inputs: retrieval, requests, and the copies that are kept for a while."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from genolaunch.contract.restore import RetrievalTier
from lambdas.pricing.rates.money import Kind, Line, UnitPrice
from lambdas.pricing.usage import RestoreUse
from lambdas.shared.restore_fees import COPY_GIB_MONTH, GIB, RECORDED, SOURCE, copy_gib_months, fee

_KEPT_FOR_LONGER: Final = "some copies were there already: at most"


def restore_lines(use: RestoreUse) -> Iterator[Line]:
    """What S3 charges one restore for, from one archive at one tier. What is free has no line, but for the retrieval.

    The copies are billed for all the days for which they were asked, since nothing ends them sooner.
    """
    price = fee(use.archive, RetrievalTier(use.tier))
    about = f"{use.tier} restore from {use.archive}"
    resource = f"restore of attempt {use.attempt}"
    if use.retrieved_bytes:
        retrieved = UnitPrice(price.gib, "GB", SOURCE, RECORDED)
        yield Line(Kind.RESTORE, resource, f"{about}: data", use.retrieved_bytes / GIB, retrieved)
    if price.request:
        requests = UnitPrice(price.request, "Requests", SOURCE, RECORDED)
        yield Line(Kind.RESTORE, resource, f"{about}: requests", Decimal(use.requests), requests)
    if use.copied_bytes:
        storage = UnitPrice(COPY_GIB_MONTH, "GB-Mo", SOURCE, RECORDED)
        months = copy_gib_months(use.copied_bytes, use.days)
        note = _KEPT_FOR_LONGER if use.copied_bytes > use.retrieved_bytes else ""
        yield Line(Kind.RESTORE, resource, f"{about}: copies for {use.days} days", months, storage, note)
