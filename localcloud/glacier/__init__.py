"""S3's archives on the embedded cloud: what ministack's own restores lack."""

from localcloud.glacier.archives import Archives
from localcloud.glacier.injection import glacier_injector

__all__ = ["Archives", "glacier_injector"]
