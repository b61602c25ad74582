"""Adds folders in S3 to the remote files of Snakemake 7, and their removal, which it does not support.

A launch may list its own data and not the whole bucket: whether something is there is told by its name, since S3
answers 403, and not 404, for what is missing (API reference, HeadObject).
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from snakemake.remote.S3 import RemoteObject, S3Helper

_PART: Final = 1024 * 1024
"""Bytes that are read at a time."""
_exists, _mtime, _size, _download, _upload = (
    getattr(RemoteObject, name) for name in ("exists", "mtime", "size", "_download", "_upload")
)


def install() -> None:
    """A rule's `directory()` is all objects below its key."""
    S3Helper.exists_in_bucket = exists_in_bucket
    S3Helper.bucket_exists = lambda _helper, _bucket: True  # the data's, or one that the stage may read
    RemoteObject.exists = exists
    RemoteObject.mtime = mtime
    RemoteObject.size = size
    RemoteObject._download = download
    RemoteObject._upload = upload
    RemoteObject.remove = remove


def exists_in_bucket(helper: Any, bucket: str, key: str) -> bool:  # noqa: ANN401
    """Whether there is an object of this name."""
    found = helper.s3.meta.client.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", [])
    return [item["Key"] for item in found] == [key]


def exists(file: Any) -> bool:  # noqa: ANN401 - Snakemake has no types here
    """Whether there is an object, or one below."""
    return bool(_exists(file)) or _is_folder(file)


def mtime(file: Any) -> float:  # noqa: ANN401
    """Of a folder, the newest object's."""
    if not _is_folder(file):
        return float(_mtime(file))
    newest: float = max(item["LastModified"].timestamp() for item in _objects(file))
    return newest


def size(file: Any) -> int:  # noqa: ANN401
    """Bytes. Snakemake 7 has KiB of an object, cut off, so a short output would be empty for `ensure(non_empty=True)`,
    and `input.size_mb` a thousandth."""
    if _is_folder(file):
        return sum(item["Size"] for item in _objects(file))
    if not _exists(file):
        return int(_size(file))
    return int(_client(file).head_object(Bucket=file.s3_bucket, Key=file.s3_key)["ContentLength"])


def download(file: Any) -> None:  # noqa: ANN401
    """To the launcher, for a local rule."""
    if not _is_folder(file):
        _download(file)
        return
    for item in _objects(file):
        target = Path(file.local_file()) / item["Key"].removeprefix(f"{file.s3_key}/")
        target.parent.mkdir(parents=True, exist_ok=True)
        _client(file).download_file(file.s3_bucket, item["Key"], str(target))


def upload(file: Any) -> None:  # noqa: ANN401
    """What a local rule made."""
    folder = Path(file.local_file())
    if not folder.is_dir():
        _upload(file)
        return
    for path in folder.rglob("*"):
        if path.is_file():
            _client(file).upload_file(str(path), file.s3_bucket, f"{file.s3_key}/{path.relative_to(folder)}")


def sha256(file: Any) -> str:  # noqa: ANN401
    """Of an object's content, in hexadecimal digits."""
    made = hashlib.sha256()
    for part in _client(file).get_object(Bucket=file.s3_bucket, Key=file.s3_key)["Body"].iter_chunks(_PART):
        made.update(part)
    return made.hexdigest()


def remove(file: Any) -> None:  # noqa: ANN401
    """Delete the object, or all of a folder."""
    for key in [*(item["Key"] for item in _objects(file)), file.s3_key]:
        _client(file).delete_object(Bucket=file.s3_bucket, Key=key)


def _is_folder(file: Any) -> bool:  # noqa: ANN401
    return next(_objects(file), None) is not None


def _objects(file: Any) -> Iterator[Any]:  # noqa: ANN401
    pages = _client(file).get_paginator("list_objects_v2").paginate(Bucket=file.s3_bucket, Prefix=f"{file.s3_key}/")
    return (item for page in pages for item in page.get("Contents", []))


def _client(file: Any) -> Any:  # noqa: ANN401
    return file._s3c.s3.meta.client
