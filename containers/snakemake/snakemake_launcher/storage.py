"""The launcher's files in S3."""

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import boto3

from snakemake_launcher.run_sheet import RunSheetError


def split(uri: str) -> tuple[str, str]:
    """Bucket and key (or prefix) of an s3:// URL."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


class Storage:
    """Reads and writes objects by their URLs. All methods raise botocore's ClientError and BotoCoreError."""

    def __init__(self) -> None:
        self._s3 = boto3.client("s3")

    def read(self, uri: str) -> str:
        """An object's text."""
        bucket, key = split(uri)
        text: str = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        return text

    def read_if_there(self, uri: str) -> bytes | None:
        """An object's bytes; None if there is no such object."""
        bucket, key = split(uri)
        # By its name: whoever may not list the whole bucket hears 403 of what is missing (S3 API reference, GetObject).
        named = self._s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", [])
        if [item["Key"] for item in named] != [key]:
            return None
        content: bytes = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return content

    def write_bytes(self, uri: str, content: bytes) -> None:
        """Put an object."""
        bucket, key = split(uri)
        self._s3.put_object(Bucket=bucket, Key=key, Body=content)

    def write_json(self, uri: str, value: Mapping[str, Any]) -> None:
        """Put an object."""
        bucket, key = split(uri)
        body = json.dumps(value, indent=1).encode()
        self._s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")

    def write_page(self, uri: str, page: str) -> None:
        """Put an HTML page."""
        bucket, key = split(uri)
        self._s3.put_object(Bucket=bucket, Key=key, Body=page.encode(), ContentType="text/html; charset=utf-8")

    def upload(self, file: Path, uri: str) -> None:
        """Put a text file."""
        bucket, key = split(uri)
        self._s3.upload_file(str(file), bucket, key, ExtraArgs={"ContentType": "text/plain; charset=utf-8"})

    def download_folder(self, uri: str, folder: Path) -> None:
        """Get all objects below a prefix. Raises RunSheetError when there are none, or one would lie elsewhere."""
        bucket, prefix = split(uri)
        found = False
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                path = PurePosixPath(item["Key"].removeprefix(prefix))
                if item["Key"].endswith("/"):
                    continue  # what consoles put to show a folder
                if path.is_absolute() or ".." in path.parts:
                    raise RunSheetError(f"The sources have an object that is no file below them: {item['Key']}.")
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                self._s3.download_file(bucket, item["Key"], str(target))
                found = True
        if not found:
            raise RunSheetError(f"There is nothing at {uri}.")
