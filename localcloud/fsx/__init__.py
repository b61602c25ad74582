"""Amazon FSx for Lustre as folders that are filled from S3 when a job first mounts them."""

from localcloud.fsx.service import FsxService

__all__ = ["FsxService"]
