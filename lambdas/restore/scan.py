"""Finds the archived objects among keys and prefixes, a page at a time: a prefix may hold millions."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from genolaunch.shared import aws
from genolaunch.shared.faults import Fault
from genolaunch.shared.input_error import LaunchInputError
from lambdas.restore.archive import SMALLEST_TIERED, TIERED_CLASS, ArchivedObject, of_head, of_listing

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

_AT_A_TIME: Final = 10
"""HeadObjects: as many as botocore keeps connections."""

_KEYS_A_PAGE: Final = 1000
"""As in a page of ListObjectsV2."""

_NOT_THERE: Final = ("404", "NoSuchKey", "403", "AccessDenied")
"""A single key that is absent or refused is the workflow's own check to name, with all other faults of the inputs."""

_UNREADABLE: Final = {
    "AccessDenied": (
        "which this stage may not list (access denied)",
        "Ask the owner of the bucket to let this stage list and read it.",
    ),
    "NoSuchBucket": ("whose bucket does not exist", "Correct the name of the bucket."),
}


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a scan goes on: behind `after` among the objects of the URL of that number."""

    url: int = 0
    after: str = ""

    @classmethod
    def read(cls, given: Mapping[str, Any] | None) -> "Cursor":
        """From a state machine's variable."""
        return cls(given["url"], given["after"]) if given else cls()

    def as_dict(self) -> dict[str, Any]:
        """For a state machine's variable."""
        return {"url": self.url, "after": self.after}


@dataclass(frozen=True, slots=True)
class Page:
    """Archived objects, and where to go on (None: that was all)."""

    objects: Sequence[ArchivedObject]
    next: Cursor | None


def scan(urls: Sequence[str], cursor: Cursor) -> Iterator[Page]:
    """The archived objects of s3:// URLs from the cursor on. A URL that ends with a slash is a prefix, else a key.

    Raises:
        LaunchInputError: a prefix cannot be listed.
    """
    at: Cursor | None = cursor
    while at is not None and at.url < len(urls):
        page = _listed(urls, at) if urls[at.url].endswith("/") else _single(urls, at)
        yield page
        at = page.next


def head(bucket: str, key: str) -> ArchivedObject | None:
    """The object, if it is archived (restored or not). Raises ClientError."""
    client: S3Client = aws.client("s3")
    return of_head(bucket, key, client.head_object(Bucket=bucket, Key=key))


def _single(urls: Sequence[str], at: Cursor) -> Page:
    """The keys from here to the next prefix."""
    keys: list[tuple[str, str]] = []
    for url in urls[at.url : at.url + _KEYS_A_PAGE]:
        if url.endswith("/"):
            break
        keys.append(_parts(url))
    return Page(_ask(keys), _after(urls, at.url + len(keys)))


def _listed(urls: Sequence[str], at: Cursor) -> Page:
    bucket, prefix = _parts(urls[at.url])
    client: S3Client = aws.client("s3")
    try:
        listing = client.list_objects_v2(
            Bucket=bucket, Prefix=prefix, StartAfter=at.after, OptionalObjectAttributes=["RestoreStatus"]
        )
    except ClientError as error:
        raise _input_error(urls[at.url], error) from error
    entries = listing.get("Contents", [])
    found = [item for entry in entries if (item := of_listing(bucket, entry))]
    found += _ask([(bucket, entry["Key"]) for entry in entries if _may_be_tiered(entry)])
    truncated = bool(listing.get("IsTruncated")) and bool(entries)
    return Page(found, Cursor(at.url, entries[-1]["Key"]) if truncated else _after(urls, at.url + 1))


def _may_be_tiered(entry: Mapping[str, Any]) -> bool:
    return entry.get("StorageClass") == TIERED_CLASS and entry["Size"] >= SMALLEST_TIERED


def _after(urls: Sequence[str], number: int) -> Cursor | None:
    return Cursor(number) if number < len(urls) else None


def _ask(keys: Sequence[tuple[str, str]]) -> list[ArchivedObject]:
    if not keys:
        return []
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        return [item for item in pool.map(_head_if_there, keys) if item]


def _head_if_there(name: tuple[str, str]) -> ArchivedObject | None:
    try:
        return head(*name)
    except ClientError as error:
        if error.response["Error"]["Code"] in _NOT_THERE:
            return None
        raise


def _parts(url: str) -> tuple[str, str]:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return bucket, key


def _input_error(url: str, error: ClientError) -> Exception:
    """What the launch's author can mend; anything else as it is."""
    known = _UNREADABLE.get(error.response["Error"]["Code"])
    return LaunchInputError([Fault("data", f"names {url}, {known[0]}", known[1])]) if known else error
