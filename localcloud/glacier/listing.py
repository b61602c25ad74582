"""RestoreStatus in the answer of ListObjectsV2, for those who ask for it."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote

from localcloud.wire import Answer, Request

_NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"
_OPTIONAL: Final = "x-amz-optional-object-attributes"

RecordOf = Callable[[str, str], Mapping[str, Any] | None]
"""ministack's record of an object, by bucket and key."""


def asks_for_restore_status(request: Request) -> bool:
    """Whether this is a ListObjectsV2 with the optional attribute."""
    return (
        request.method == "GET"
        and "list-type" in request.query
        and "RestoreStatus" in request.headers.get(_OPTIONAL, "")
    )


def with_restore_status(request: Request, answer: Answer, record_of: RecordOf, now: float) -> Answer:
    """The listing, each object that is or was restored with its status."""
    status, headers, body = answer
    if status != 200:
        return answer
    bucket = unquote(request.path.strip("/").partition("/")[0])
    listing = ElementTree.fromstring(body)  # noqa: S314 - ministack's own
    for entry in listing.iter(f"{{{_NAMESPACE}}}Contents"):
        key = unquote(entry.findtext(f"{{{_NAMESPACE}}}Key", ""))
        restore = (record_of(bucket, key) or {}).get("restore")
        if restore and now < restore["expires_at"]:
            _add_status(entry, restore, now)
    ElementTree.register_namespace("", _NAMESPACE)
    return status, headers, ElementTree.tostring(listing, encoding="UTF-8", xml_declaration=True)


def _add_status(entry: ElementTree.Element, restore: Mapping[str, Any], now: float) -> None:
    status = ElementTree.SubElement(entry, f"{{{_NAMESPACE}}}RestoreStatus")
    in_progress = now < restore["available_at"]
    ElementTree.SubElement(status, f"{{{_NAMESPACE}}}IsRestoreInProgress").text = str(in_progress).lower()
    if not in_progress:
        expiry = datetime.fromtimestamp(restore["expires_at"], UTC)
        ElementTree.SubElement(status, f"{{{_NAMESPACE}}}RestoreExpiryDate").text = f"{expiry:%Y-%m-%dT%H:%M:%S.000Z}"
