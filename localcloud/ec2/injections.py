"""Misfortunes of instances, arranged beforehand by the names of Tibanna's jobs."""

import threading
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass
class _Arranged:
    glob: str
    times: int
    code: str = ""
    spot_only: bool = True


class Injections:
    """Each is for the next `times` instances of jobs whose run name (`<run>.<id>-rule-<rule>`) matches."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reclaims: list[_Arranged] = []
        self._refusals: list[_Arranged] = []

    def reclaim_spot(self, glob: str, times: int) -> None:
        """Let EC2 take Spot instances back while their job runs."""
        with self._lock:
            self._reclaims.append(_Arranged(glob, times))

    def refuse_spot(self, glob: str, times: int, code: str) -> None:
        """Let Spot fleets get no instance, for the reason `code` (`InsufficientInstanceCapacity`)."""
        with self._lock:
            self._refusals.append(_Arranged(glob, times, code))

    def refuse_fleet(self, glob: str, times: int, code: str) -> None:
        """Let fleets of any kind get no instance, for the reason `code` (`VcpuLimitExceeded`)."""
        with self._lock:
            self._refusals.append(_Arranged(glob, times, code, spot_only=False))

    def is_reclaimed(self, run_name: str) -> bool:
        """Whether a Spot instance that starts now is to be taken back."""
        return self._take(self._reclaims, run_name) is not None

    def refusal(self, run_name: str, *, is_spot: bool = True) -> str | None:
        """The error code for a fleet that is asked for now, if it is to get nothing."""
        arranged = self._take(self._refusals, run_name, is_spot=is_spot)
        return arranged.code if arranged else None

    def _take(self, all_arranged: list[_Arranged], run_name: str, *, is_spot: bool = True) -> _Arranged | None:
        with self._lock:
            for arranged in all_arranged:
                if arranged.times and (is_spot or not arranged.spot_only) and fnmatchcase(run_name, arranged.glob):
                    arranged.times -= 1
                    return arranged
        return None
