"""The AWS CLI, as far as jobs on a cluster use it: `aws s3 cp` of one object and `aws s3 sync` of a prefix."""

import fnmatch
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from localcloud.clients import Keys, client


def aws(arguments: Sequence[str]) -> int:
    """The exit code: 1 when an object is missing, as the CLI's."""
    from boto3.exceptions import S3UploadFailedError
    from botocore.exceptions import BotoCoreError, ClientError

    _, action, *rest = arguments
    exclude = [rest[number + 1] for number, word in enumerate(rest) if word == "--exclude"]
    words = [word for word in rest if not word.startswith("--") and word not in exclude]
    try:
        (_copy if action == "cp" else _sync)(_s3(), words[0], words[1], exclude)
    except (BotoCoreError, ClientError, S3UploadFailedError, OSError) as error:
        os.write(2, f"fatal error: {error}\n".encode())
        return 1
    return 0


def _s3() -> Any:  # noqa: ANN401 - made from the model, without a type
    environment = os.environ
    keys = Keys(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])
    return client("s3", environment["AWS_ENDPOINT_URL"], keys)


def _copy(s3: Any, source: str, target: str, _exclude: Sequence[str]) -> None:  # noqa: ANN401
    if source.startswith("s3://"):
        bucket, key = _place(source)
        _download(s3, bucket, key, Path(target))
    else:
        bucket, key = _place(target)
        s3.upload_file(source, bucket, key)


def _sync(s3: Any, source: str, target: str, exclude: Sequence[str]) -> None:  # noqa: ANN401
    if source.startswith("s3://"):
        bucket, prefix = _place(source)
        prefix = prefix.rstrip("/") + "/"
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for found in page.get("Contents", []):
                _download(s3, bucket, found["Key"], Path(target) / found["Key"].removeprefix(prefix))
        return
    bucket, prefix = _place(target)
    for file in sorted(Path(source).rglob("*")):
        name = str(file.relative_to(source))
        if file.is_file() and not any(fnmatch.fnmatch(name, pattern) for pattern in exclude):
            s3.upload_file(str(file), bucket, f"{prefix.rstrip('/')}/{name}")


def _download(s3: Any, bucket: str, key: str, target: Path) -> None:  # noqa: ANN401
    target.parent.mkdir(parents=True, exist_ok=True)
    s3.download_file(bucket, key, str(target))


def _place(url: str) -> tuple[str, str]:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return bucket, key
