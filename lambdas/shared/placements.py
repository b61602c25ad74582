"""Places where jobs can run. For regenie: the stage's zones, each with a subnet for file systems. For Snakemake: any.

Each place has a queue for each kind of capacity. Only the start of their ARNs is a setting: an environment has 4 KB.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from genolaunch.contract.compute import SNAKEMAKE_JOBS, ComputeService, Priority, job_queue_name

_MOST_SHARE_IDENTIFIER_CHARACTERS: Final = 255
_ANONYMOUS: Final = "unknown"
_ON_BATCH: Final = (ComputeService.BATCH_SPOT, ComputeService.BATCH_ON_DEMAND)

Queues = Mapping[str, str]
"""`<compute service>/<priority>` -> ARN of the job queue."""


def queue_of(queues: Queues, compute: ComputeService, priority: Priority) -> str:
    """ARN of the queue for this kind of capacity; KeyError if there is none, as of a cluster."""
    return queues[f"{compute}/{priority}"]


@dataclass(frozen=True, slots=True)
class Placement:
    """A zone. A file system lives in one zone, and so must the jobs that mount it."""

    zone: str
    subnet_id: str
    queues: Queues

    def queue(self, compute: ComputeService, priority: Priority) -> str:
        """ARN of the queue for this kind of capacity; KeyError if there is none, as of a cluster."""
        return queue_of(self.queues, compute, priority)


@dataclass(frozen=True, slots=True)
class Places:
    """All of a stage."""

    zones: tuple[Placement, ...]
    """Where regenie's jobs run."""
    snakemake: Queues
    """Of jobs of Snakemake launches, on hosts of their own: they are their users' programs."""

    @property
    def queues(self) -> Sequence[str]:
        """ARNs of every queue a job of any launch can be in."""
        return sorted([*self.regenie_queues, *self.snakemake.values()])

    @property
    def regenie_queues(self) -> Sequence[str]:
        """ARNs of every queue a job of a regenie launch can be in."""
        return sorted(arn for placement in self.zones for arn in placement.queues.values())

    @property
    def queues_by_environment(self) -> Sequence[Sequence[str]]:
        """The queues that share each compute environment: those of one place and service, for every priority."""
        return [
            sorted({queue_of(queues, service, priority) for priority in Priority})
            for queues in self._all()
            for service in _ON_BATCH
        ]

    def _all(self) -> Sequence[Queues]:
        return [*(placement.queues for placement in self.zones), self.snakemake]


def read_places(text: str) -> Places:
    """The setting PLACEMENTS (genolaunch.contract.settings.Setting)."""
    given = json.loads(text)

    def queues(place: str) -> Queues:
        return {
            f"{service}/{priority}": job_queue_name(given["queues"], place, service, priority)
            for service in _ON_BATCH
            for priority in Priority
        }

    zones = tuple(Placement(zone, subnet, queues(zone)) for zone, subnet in given["zones"].items())
    return Places(zones, queues(SNAKEMAKE_JOBS))


def choose_placement(placements: Sequence[Placement], launch_id: str, attempt: int) -> Placement:
    """A zone by the launch's id, so that launches spread, and another one for the next attempt.

    Asked again for the same attempt it is the same: a file system's creation token must not meet another subnet.
    """
    digest = hashlib.sha256(launch_id.encode()).digest()
    return placements[(int.from_bytes(digest[:8]) + attempt - 1) % len(placements)]


def share_identifier(requested_by: str | None) -> str:
    """Whose share of a queue a launch's jobs take: who asked, in the letters and digits that AWS Batch allows."""
    return re.sub(r"[^A-Za-z0-9]", "", requested_by or "")[:_MOST_SHARE_IDENTIFIER_CHARACTERS] or _ANONYMOUS
