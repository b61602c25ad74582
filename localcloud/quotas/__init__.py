"""Service Quotas: what an account may have."""

from localcloud.quotas.service import QuotasService

__all__ = ["QuotasService"]
