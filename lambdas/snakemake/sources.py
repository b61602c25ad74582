"""The sources of a Snakemake workflow: the folder of its Snakefile, or its project, copied for each attempt."""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from genolaunch.contract.launch_bucket import SNAKEFILES_PREFIX, SOURCES_PREFIX, STANDARD_CONFIG, STANDARD_FOLDER
from genolaunch.shared import aws
from genolaunch.shared.input_error import UnusableInputError

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import ObjectTypeDef

MOST_FILES: Final = 1_000
MOST_BYTES: Final = 100 * 1024 * 1024
"""Of all sources together. What is larger is data, and belongs into the launch's data."""

_COPIES_AT_ONCE: Final = 16
_ARCHIVES: Final = frozenset({"GLACIER", "DEEP_ARCHIVE"})
_NOT_TO_BE_READ: Final = frozenset({"NoSuchBucket", "AccessDenied", "AllAccessDisabled", "PermanentRedirect"})


@dataclass(frozen=True, slots=True)
class Source:
    """One file of the sources."""

    path: str
    """Below the folder."""
    size: int
    """Bytes."""
    etag: str


@dataclass(frozen=True, slots=True)
class Sources:
    """The folder of a Snakefile or, in Snakemake's own layout, its project, and its files."""

    bucket: str
    prefix: str
    """Ends with a slash."""
    snakefile: str
    """Path of the Snakefile in the folder."""
    files: Sequence[Source]

    def copy_to(self, bucket: str, prefix: str) -> list[dict[str, object]]:
        """Copy every file to a folder of another bucket, where the attempt reads it. Asked again, it copies again.

        Returns:
            What was copied: path, size, ETag and SHA-256 of each file, in their order.

        Raises:
            UnusableInputError: a file was replaced or deleted since it was found.
        """
        client: S3Client = aws.client("s3")

        def copy(file: Source) -> dict[str, object]:
            key = self.prefix + file.path
            with self._as_found(file):
                client.copy_object(
                    Bucket=bucket,
                    Key=prefix + file.path,
                    CopySource={"Bucket": self.bucket, "Key": key},
                    CopySourceIfMatch=file.etag,
                    TaggingDirective="REPLACE",  # to copy tags one needs more rights
                )
                content = client.get_object(Bucket=self.bucket, Key=key, IfMatch=file.etag)["Body"].read()
            digest = hashlib.sha256(content).hexdigest()
            return {"path": file.path, "size": file.size, "etag": file.etag, "sha256": digest}

        with ThreadPoolExecutor(_COPIES_AT_ONCE) as pool:
            return list(pool.map(copy, self.files))

    @contextmanager
    def _as_found(self, file: Source) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("PreconditionFailed", "412", "NoSuchKey"):
                raise
            raise UnusableInputError(
                f"lies beside {file.path}, which was replaced or deleted while the sources were copied",
                "Retry the launch when all sources are uploaded.",
            ) from error


def find_sources(snakefile_uri: str) -> Sources:
    """What lies beside and below a Snakefile; in Snakemake's own layout, all of its project that is no data.

    Raises:
        UnusableInputError: it is not there or not to be read, or there is more than sources may be.
    """
    bucket, _, key = snakefile_uri.removeprefix("s3://").partition("/")
    root, name = _root(bucket, key)
    files = []
    size = 0
    for file in _files_of(bucket, root, name):
        files.append(file)
        size += file.size
        if len(files) > MOST_FILES or size > MOST_BYTES:
            raise UnusableInputError(
                f"lies in a folder with more than {MOST_FILES:,} files or {MOST_BYTES >> 20} MiB, which are all taken"
                " for sources",
                "Give the workflow a folder of its own, and keep its data below `data`.",
            )
    if all(file.path != name for file in files):
        raise UnusableInputError(
            f"names {snakefile_uri}, which does not exist", "Upload it and the files beside it, or correct the name."
        )
    return Sources(bucket, root, name, files)


def _root(bucket: str, key: str) -> tuple[str, str]:
    """The folder of the sources, and the Snakefile's path there: <project>/workflow/Snakefile with something beside
    workflow/ is a project in Snakemake's own layout, whose rules work in <project>."""
    folder, _, name = key.rpartition("/")
    project, _, last = folder.rpartition("/")
    if last == STANDARD_FOLDER and f"{project}/" not in ("/", SOURCES_PREFIX, SNAKEFILES_PREFIX):
        beside = _listed(bucket, f"{project}/", "/")
        if beside.files or f"{project}/{STANDARD_CONFIG}/" in beside.folders:
            return f"{project}/", f"{last}/{name}"
    return f"{folder}/", name


def _files_of(bucket: str, root: str, snakefile: str) -> Iterator[Source]:
    if "/" not in snakefile:
        yield from _files(bucket, root)
        return
    # Not resources/ and results/, which the layout has for data.
    for file in _listed(bucket, root, "/").files:
        yield file
    for folder in (STANDARD_FOLDER, STANDARD_CONFIG):
        for file in _files(bucket, f"{root}{folder}/"):
            yield Source(f"{folder}/{file.path}", file.size, file.etag)


@dataclass(frozen=True, slots=True)
class _Listed:
    """One level of a bucket."""

    files: Sequence[Source]
    folders: frozenset[str]


def _listed(bucket: str, prefix: str, delimiter: str) -> _Listed:
    client: S3Client = aws.client("s3")
    with _readable(bucket):
        pages = list(
            client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter=delimiter)
        )
    found = [item for page in pages for item in page.get("Contents", []) if not item["Key"].endswith("/")]
    return _Listed(
        [Source(item["Key"].removeprefix(prefix), item["Size"], item["ETag"]) for item in found],
        frozenset(each["Prefix"] for page in pages for each in page.get("CommonPrefixes", [])),
    )


def _files(bucket: str, prefix: str) -> Iterator[Source]:
    client: S3Client = aws.client("s3")
    with _readable(bucket):
        pages = client.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=prefix, OptionalObjectAttributes=["RestoreStatus"]
        )
        for page in pages:
            for found in page.get("Contents", []):
                path = found["Key"].removeprefix(prefix)
                _refuse_archived(path, found)
                if path and not path.endswith("/"):  # the markers by which a console makes folders
                    yield Source(path, found["Size"], found["ETag"])


@contextmanager
def _readable(bucket: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in _NOT_TO_BE_READ:
            raise
        raise UnusableInputError(
            f"lies in the bucket {bucket}, which this stage may not read ({code})",
            "Copy the sources to workflows/ of the stage's launch bucket, or have the bucket added to the stage's"
            " readable_buckets.",
        ) from error


def _refuse_archived(path: str, found: "ObjectTypeDef") -> None:
    """Sources are read when the launch is prepared; only its data is restored for it."""
    is_restored = "RestoreExpiryDate" in found.get("RestoreStatus", {})
    if found.get("StorageClass") in _ARCHIVES and not is_restored:
        raise UnusableInputError(
            f"lies in a folder with {path}, which is archived ({found['StorageClass']}): a launch waits for archived"
            " data, and not for archived sources",
            "Restore the sources, or keep them in another storage class.",
        )
