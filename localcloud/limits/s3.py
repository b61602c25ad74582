"""Amazon S3 (User guide, "Naming Amazon S3 objects", "Working with object metadata", "Categorizing your objects")."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from localcloud.limits.sizes import KIB, bytes_in, refuse

MOST_KEY_BYTES: Final = KIB
"""Of a key in UTF-8."""

MOST_METADATA_BYTES: Final = 2 * KIB
"""Of an object's own metadata, names and values."""

MOST_DELETED: Final = 1000
"""Keys of one DeleteObjects."""

MOST_TAGS: Final = 10
"""Of an object."""


def _key(params: Mapping[str, Any]) -> None:
    size = bytes_in(params.get("Key"))
    if size > MOST_KEY_BYTES:
        refuse("KeyTooLongError", "Your key is too long")


def _metadata(params: Mapping[str, Any]) -> None:
    size = sum(bytes_in(name) + bytes_in(value) for name, value in (params.get("Metadata") or {}).items())
    if size > MOST_METADATA_BYTES:
        refuse("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")


def _tags(params: Mapping[str, Any]) -> None:
    written = params.get("Tagging") or ""
    count = len(parse_qsl(written)) if isinstance(written, str) else len(written.get("TagSet", []))
    if count > MOST_TAGS:
        refuse("BadRequest", f"Object tags cannot be greater than {MOST_TAGS}")


def _deleted(params: Mapping[str, Any]) -> None:
    objects = (params.get("Delete") or {}).get("Objects", [])
    if len(objects) > MOST_DELETED:
        refuse(
            "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema"
        )
    for one in objects:
        _key(one)


LIMITS: Final = {
    "PutObject": (_key, _metadata, _tags),
    "CopyObject": (_key, _metadata, _tags),
    "CreateMultipartUpload": (_key, _metadata, _tags),
    "PutObjectTagging": (_key, _tags),
    "DeleteObjects": (_deleted,),
    **dict.fromkeys(("GetObject", "HeadObject", "DeleteObject", "RestoreObject", "UploadPart"), (_key,)),
}
