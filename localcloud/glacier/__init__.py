"""S3's archives on the embedded cloud: what ministack's own restores lack."""

from localcloud.glacier.injection import glacier_injector
from localcloud.glacier.service import GlacierService

__all__ = ["GlacierService", "glacier_injector"]
