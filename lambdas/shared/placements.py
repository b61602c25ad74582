"""Where jobs can run: a stage's zones, each with a subnet for file systems and a queue for each kind of capacity."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from contract import ComputeService, Priority


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
