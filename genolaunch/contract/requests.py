"""What a person may ask of a launch that is there."""

from enum import StrEnum
from typing import Final


class RequestAction(StrEnum):
    """What a person may ask of a launch that is there (docs/command-line.md)."""

    CANCEL = "cancel"
    RETRY = "retry"
    APPROVE = "approve"
    EDIT = "edit"


class RequestField:
    """Members of a request (requests/<launchId>/<name>.json in the launch bucket)."""

    ACTION: Final = "action"
    REASON: Final = "reason"  # a sentence; needed to edit
    CONFIG: Final = "config"  # to retry and edit: a JSON merge patch (RFC 7396) of the launch's config
    ATTEMPT: Final = "attempt"  # the launch's, as it was looked at: another one is not meant
