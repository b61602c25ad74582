"""Where jobs can run: a stage's zones, each with a subnet for file systems and a queue for each kind of capacity."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from contract import ComputeService, Priority

_MOST_SHARE_IDENTIFIER_CHARACTERS: Final = 255
_ANONYMOUS: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Placement:
    """A zone. A file system lives in one zone, and so must the jobs that mount it."""

    zone: str
    subnet_id: str
    queues: Mapping[str, str]
    """`<compute service>/<priority>` -> ARN of the job queue."""

    def queue(self, compute: ComputeService, priority: Priority) -> str:
        """ARN of the queue for this kind of capacity; KeyError if the stage was deployed without it."""
        return self.queues[f"{compute}/{priority}"]


def read_placements(text: str) -> tuple[Placement, ...]:
    """The setting PLACEMENTS (contract.Setting)."""
    return tuple(
        Placement(zone=entry["zone"], subnet_id=entry["subnetId"], queues=entry["queues"]) for entry in json.loads(text)
    )


def all_queues(placements: Iterable[Placement]) -> Sequence[str]:
    """ARNs of every queue a job of any launch can be in."""
    return sorted({queue for placement in placements for queue in placement.queues.values()})


def queues_by_environment(placements: Iterable[Placement]) -> Sequence[Sequence[str]]:
    """The queues that share each compute environment: those of one zone and service, whatever their priority."""
    shared: dict[tuple[str, str], set[str]] = {}
    for placement in placements:
        for name, queue in placement.queues.items():
            shared.setdefault((placement.zone, name.rpartition("/")[0]), set()).add(queue)
    return [sorted(queues) for queues in shared.values()]


def choose_placement(placements: Sequence[Placement], launch_id: str, attempt: int) -> Placement:
    """A zone by the launch's id, so that launches spread, and another one for the next attempt.

    Asked again for the same attempt it is the same: a file system's creation token must not meet another subnet.
    """
    digest = hashlib.sha256(launch_id.encode()).digest()
    return placements[(int.from_bytes(digest[:8]) + attempt - 1) % len(placements)]


def share_identifier(requested_by: str | None) -> str:
    """Whose share of a queue a launch's jobs take: who asked, in the letters and digits that AWS Batch allows."""
    return re.sub(r"[^A-Za-z0-9]", "", requested_by or "")[:_MOST_SHARE_IDENTIFIER_CHARACTERS] or _ANONYMOUS
