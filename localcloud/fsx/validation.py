"""What FSx refuses. Sources: the FSx API reference and the FSx for Lustre user guide."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NoReturn

from localcloud.fsx.model import Association, Document
from localcloud.fsx.transfer import Link
from localcloud.service import ServiceError

MAX_ASSOCIATIONS: Final = 8
"""Data repository associations of a file system."""

_DEPLOYMENT_TYPES: Final = ("SCRATCH_1", "SCRATCH_2", "PERSISTENT_1", "PERSISTENT_2")
_LINKABLE_VERSIONS: Final = ("2.12", "2.15")
"""Lustre versions whose file systems can have data repository associations."""

_VERSIONS: Final = ("2.10", *_LINKABLE_VERSIONS)
_CAPACITY_STEP: Final = {"SCRATCH_1": 3600}
"""GiB between the capacities above 2,400; 2,400 for the other deployment types on SSD."""

_TOKEN: Final = re.compile(r"^[A-Za-z0-9_.-]{1,63}$")
_S3_PATH: Final = re.compile(r"^s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>.*))?$")


def bad_request(message: str) -> NoReturn:
    """Refuse a request as FSx does."""
    raise ServiceError("BadRequest", message)


def require(params: Mapping[str, Any], *names: str) -> None:
    """Refuse a request that lacks a member."""
    for name in names:
        if params.get(name) in (None, "", []):
            bad_request(f"{name} is required.")


def check_token(params: Document) -> None:
    """Refuse a ClientRequestToken that FSx does not take."""
    token = params.get("ClientRequestToken")
    if token is not None and not _TOKEN.match(token):
        bad_request(f"ClientRequestToken {token!r} must be 1 to 63 letters, digits, '_', '.' or '-'.")


def check_file_system(params: Document) -> Document:
    """Check CreateFileSystem's parameters; answers them with FSx's defaults."""
    require(params, "FileSystemType", "StorageCapacity", "SubnetIds", "SecurityGroupIds")
    check_token(params)
    if params["FileSystemType"] != "LUSTRE":
        bad_request(f"FileSystemType {params['FileSystemType']}: the local cloud has LUSTRE only.")
    if len(params["SubnetIds"]) != 1:
        bad_request("A Lustre file system takes exactly one subnet.")
    deployment = params.get("LustreConfiguration", {}).get("DeploymentType", "SCRATCH_1")
    if deployment not in _DEPLOYMENT_TYPES:
        bad_request(f"DeploymentType {deployment} is not one of {', '.join(_DEPLOYMENT_TYPES)}.")
    if deployment.startswith("PERSISTENT") and "PerUnitStorageThroughput" not in params["LustreConfiguration"]:
        bad_request(f"PerUnitStorageThroughput is required for {deployment}.")
    if deployment == "SCRATCH_2" and "KmsKeyId" in params:
        bad_request("KmsKeyId is not supported for SCRATCH_2 file systems.")
    _check_capacity(params["StorageCapacity"], deployment)
    version = params.get("FileSystemTypeVersion", "2.12" if deployment == "PERSISTENT_2" else "2.10")
    if version not in _VERSIONS or (deployment == "PERSISTENT_2" and version not in _LINKABLE_VERSIONS):
        bad_request(f"FileSystemTypeVersion {version} is not supported for {deployment}.")
    configuration = {**params.get("LustreConfiguration", {}), "DeploymentType": deployment}
    return {**params, "FileSystemTypeVersion": version, "LustreConfiguration": configuration}


def _check_capacity(capacity: int, deployment: str) -> None:
    step = _CAPACITY_STEP.get(deployment, 2400)
    if capacity not in (1200, 2400) and (capacity <= 0 or capacity % step):
        bad_request(
            f"StorageCapacity {capacity} is not valid for {deployment}: it must be 1200 GiB, 2400 GiB, "
            f"or a multiple of {step} GiB."
        )


def check_association(params: Document, version: str, deployment: str, others: Iterable[Association]) -> Link:
    """Check CreateDataRepositoryAssociation's parameters against the file system; answers the link they describe."""
    require(params, "FileSystemPath", "DataRepositoryPath")
    check_token(params)
    if version not in _LINKABLE_VERSIONS or deployment == "SCRATCH_1":
        raise ServiceError(
            "UnsupportedOperation",
            f"Data repository associations are not supported on {deployment} file systems of version {version}.",
        )
    existing = list(others)
    if len(existing) >= MAX_ASSOCIATIONS:
        raise ServiceError(
            "ServiceLimitExceeded", f"A file system can have {MAX_ASSOCIATIONS} data repository associations."
        )
    link = parse_link(params["FileSystemPath"], params["DataRepositoryPath"])
    for other in existing:
        _check_overlap(link, other)
    return link


def parse_link(file_system_path: str, repository_path: str) -> Link:
    """Read an association's two paths."""
    if not file_system_path.startswith("/"):
        bad_request(f"FileSystemPath {file_system_path} must start with a slash.")
    folder = file_system_path.strip("/")
    if any(part in {"", ".", ".."} for part in folder.split("/")) and folder:
        bad_request(f"FileSystemPath {file_system_path} is not valid.")
    bucket, prefix = parse_s3_path(repository_path)
    return Link(folder, bucket, prefix)


def parse_s3_path(path: str) -> tuple[str, str]:
    """Bucket and prefix (empty, or with a slash at its end) of an s3:// path."""
    parts = _S3_PATH.match(path)
    if parts is None:
        bad_request(f"{path} is not a path of the form s3://bucket/prefix/.")
    prefix = (parts["prefix"] or "").strip("/")
    return parts["bucket"], f"{prefix}/" if prefix else ""


def _check_overlap(link: Link, other: Association) -> None:
    if link.holds(other.link.folder) or other.link.holds(link.folder):
        bad_request(
            f"FileSystemPath /{link.folder} overlaps {other.request['FileSystemPath']} of association {other.id}."
        )
    theirs = other.link.prefix
    if link.bucket == other.link.bucket and (theirs.startswith(link.prefix) or link.prefix.startswith(theirs)):
        bad_request(
            f"DataRepositoryPath s3://{link.bucket}/{link.prefix} overlaps "
            f"{other.request['DataRepositoryPath']} of association {other.id}."
        )


def check_task(params: Document, links: list[Link]) -> None:
    """Check CreateDataRepositoryTask's parameters against the file system's associations."""
    require(params, "Type", "Report")
    check_token(params)
    if params["Type"] not in {"EXPORT_TO_REPOSITORY", "IMPORT_METADATA_FROM_REPOSITORY"}:
        raise ServiceError(
            "UnsupportedOperation", f"The local cloud has no data repository tasks of type {params['Type']}."
        )
    if not links:
        bad_request("The file system has no data repository association.")
    report = params["Report"]
    if "Enabled" not in report:
        bad_request("Report.Enabled is required.")
    if not report["Enabled"]:
        return
    for member in ("Path", "Format", "Scope"):
        if not report.get(member):
            bad_request(f"Report.{member} is required when Report.Enabled is true.")
    bucket, prefix = parse_s3_path(report["Path"])
    if not any(link.bucket == bucket and prefix.startswith(link.prefix) for link in links):
        bad_request(f"Report.Path {report['Path']} must be within a linked data repository.")
