"""AWS Systems Manager (API reference, PutParameter and CreateDocument)."""

from collections.abc import Mapping
from typing import Any, Final

from localcloud.limits.sizes import KIB, bytes_in, refuse

MOST_STANDARD: Final = 4 * KIB
"""Characters of a standard parameter (PutParameter, `Tier`)."""

MOST_ADVANCED: Final = 8 * KIB
"""Of an advanced one."""

MOST_DOCUMENT: Final = 64 * KIB
"""Bytes of a document (CreateDocument, MaxDocumentSizeExceeded)."""


def _parameter(params: Mapping[str, Any]) -> None:
    tier = params.get("Tier") or "Standard"
    most = MOST_STANDARD if tier == "Standard" else MOST_ADVANCED
    if len(params.get("Value") or "") > most:
        refuse(
            "ValidationException",
            f"{tier} tier parameters support a maximum parameter value of {most} characters.",
        )


def _document(params: Mapping[str, Any]) -> None:
    if bytes_in(params.get("Content")) > MOST_DOCUMENT:
        refuse("MaxDocumentSizeExceeded", "The size limit of a document is 64 KB.")


LIMITS: Final = {
    "PutParameter": (_parameter,),
    "CreateDocument": (_document,),
    "UpdateDocument": (_document,),
}
