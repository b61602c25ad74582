"""Folders in S3, which the remote files of Snakemake 7 do not know, and their removal, which they lack altogether."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from snakemake.remote.S3 import RemoteObject

_exists, _mtime, _size, _download, _upload = (
    getattr(RemoteObject, name) for name in ("exists", "mtime", "size", "_download", "_upload")
)


def install() -> None:
    """A rule's `directory()` is all objects below its key."""
    RemoteObject.exists = exists
    RemoteObject.mtime = mtime
    RemoteObject.size = size
    RemoteObject._download = download
    RemoteObject._upload = upload
    RemoteObject.remove = remove


def exists(file: Any) -> bool:  # noqa: ANN401 - Snakemake has no types here
    """Whether there is an object, or one below."""
    return bool(_exists(file)) or _is_folder(file)


def mtime(file: Any) -> float:  # noqa: ANN401
    """Of a folder, the newest object's."""
    if not _is_folder(file):
        return float(_mtime(file))
    newest: float = max(item.last_modified.timestamp() for item in _objects(file))
    return newest


def size(file: Any) -> int:  # noqa: ANN401
    """Bytes."""
    return sum(item.size for item in _objects(file)) if _is_folder(file) else int(_size(file))


def download(file: Any) -> None:  # noqa: ANN401
    """To the launcher, for a local rule."""
    if not _is_folder(file):
        _download(file)
        return
    for item in _objects(file):
        target = Path(file.local_file()) / item.key.removeprefix(f"{file.s3_key}/")
        target.parent.mkdir(parents=True, exist_ok=True)
        item.Object().download_file(str(target))


def upload(file: Any) -> None:  # noqa: ANN401
    """What a local rule made."""
    folder = Path(file.local_file())
    if not folder.is_dir():
        _upload(file)
        return
    for path in folder.rglob("*"):
        if path.is_file():
            key = f"{file.s3_key}/{path.relative_to(folder)}"
            file._s3c.s3.Object(file.s3_bucket, key).upload_file(str(path))


def remove(file: Any) -> None:  # noqa: ANN401
    """Delete the object, or all of a folder."""
    for item in list(_objects(file)):
        item.delete()
    file._s3c.s3.Object(file.s3_bucket, file.s3_key).delete()


def _is_folder(file: Any) -> bool:  # noqa: ANN401
    return next(_objects(file), None) is not None


def _objects(file: Any) -> Iterator[Any]:  # noqa: ANN401
    return iter(file._s3c.s3.Bucket(file.s3_bucket).objects.filter(Prefix=f"{file.s3_key}/"))
