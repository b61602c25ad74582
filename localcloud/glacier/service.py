"""Archive classes and tiers of S3, with restores that take their time and can be made to go wrong.

ministack restores GLACIER and DEEP_ARCHIVE after two seconds. Here a restore takes the time of its tier (scaled), lists
say how far it is, events carry what they do on AWS, and objects of Intelligent-Tiering can be in an archive tier.
"""

import re
import time
from typing import Final

from localcloud import ministack_adapter as ministack
from localcloud.glacier.faults import Faults, Send
from localcloud.glacier.listing import asks_for_restore_status, with_restore_status
from localcloud.glacier.timer import Timer
from localcloud.ministack_adapter import ARCHIVE_STATUS, Event
from localcloud.s3_events import as_aws_tells
from localcloud.wire import Answer, Request

TIERED_CLASS: Final = "INTELLIGENT_TIERING"
ARCHIVE_TIERS: Final = ("ARCHIVE_ACCESS", "DEEP_ARCHIVE_ACCESS")

SECONDS: Final = {"Expedited": 0.5, "Standard": 1.5, "Bulk": 3.0}
"""What a tier's minutes and hours are here."""

_DEEP_FACTOR: Final = 2.0
_DEEP: Final = ("DEEP_ARCHIVE", "DEEP_ARCHIVE_ACCESS")
_NEVER: Final = 253_402_300_799.0
"""The end of the year 9999: what is restored from a tier of Intelligent-Tiering stays."""

_TIER = re.compile(rb"<Tier>\s*(\w+)\s*</Tier>")
_DAYS = re.compile(rb"<Days>")


class GlacierService:
    """S3's archives of this cloud."""

    OPERATIONS: Final = frozenset({"ListObjectsV2", "RestoreObject"})
    """Of S3: those whose answers it changes."""

    def __init__(self) -> None:
        self.faults = Faults()
        self._timer = Timer()
        self._scale = 1.0

    def install(self) -> None:
        """Put this in front of ministack's S3 and EventBridge."""
        ministack.replace_restores(self._restore, self._timer.at)
        ministack.hold_back_archived_tiers()
        ministack.intercept("s3", asks_for_restore_status, self._listing)
        ministack.deliver_events_through(self._deliver)

    def take_times(self, scale: float) -> None:
        """Let restores from now on take `scale` times as long as SECONDS says."""
        self._scale = scale

    def archive(self, bucket: str, key: str, tier: str) -> bool:
        """Move an object of Intelligent-Tiering to an archive tier; False if there is no such object."""
        record = ministack.stored_object(bucket, key)
        if record is None or record.get("storage_class") != TIERED_CLASS:
            return False
        record[ARCHIVE_STATUS] = tier
        return True

    def _listing(self, request: Request, own: ministack.Own) -> Answer:
        return with_restore_status(request, own(), ministack.stored_object, time.time())

    def _restore(self, bucket: str, key: str, body: bytes, own: ministack.OwnRestore) -> Answer:
        if self.faults.is_throttled():
            return _refusal(503, "SlowDown", "Please reduce your request rate.")
        record = ministack.stored_object(bucket, key) or {}
        found = _TIER.search(body)
        tier = found[1].decode() if found else "Standard"
        place = record.get(ARCHIVE_STATUS) or record.get("storage_class")
        if tier not in SECONDS or (tier == "Expedited" and place in _DEEP):
            return _refusal(400, "InvalidArgument", f"Retrieval option {tier} is not supported by this storage class")
        seconds = SECONDS[tier] * self._scale * (_DEEP_FACTOR if place in _DEEP else 1)
        if ARCHIVE_STATUS not in record:
            return own(seconds)
        return self._restore_tiered(bucket, key, body, seconds)

    def _restore_tiered(self, bucket: str, key: str, body: bytes, seconds: float) -> Answer:
        record = ministack.stored_object(bucket, key) or {}
        if _DAYS.search(body):
            return _refusal(400, "InvalidArgument", "Days must not be given for objects of Intelligent-Tiering")
        if "restore" in record:
            return _refusal(409, "RestoreAlreadyInProgress", "Object restore is already in progress")
        now = time.time()
        times = {"requested_at": now, "available_at": now + seconds, "expires_at": _NEVER}
        ministack.begin_restore(bucket, key, {**times, "days": None, "tier": "", "completed_fired": False})
        return 202, {}, b""

    def _deliver(self, event: Event, own: Send) -> None:
        told = as_aws_tells(event, ministack.stored_object, ministack.restore_expiry)
        if event["DetailType"] == "Object Restore Completed":
            self.faults.deliver(told, own)
        else:
            own(told)


def _refusal(status: int, code: str, message: str) -> Answer:
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return status, {"Content-Type": "application/xml"}, body.encode()
