"""The stage's Slurm cluster (AWS ParallelCluster), as the functions know it."""

import json
from dataclasses import dataclass
from typing import Final

from genolaunch.contract.compute import ComputeService
from genolaunch.shared.faults import Fault

NO_CLUSTER: Final = Fault(
    "compute",
    f"is {ComputeService.PARALLELCLUSTER}, but this stage has no Slurm cluster",
    f"Choose {ComputeService.BATCH_SPOT} or {ComputeService.BATCH_ON_DEMAND}.",
)


@dataclass(frozen=True, slots=True)
class SlurmCluster:
    """Where launches with `compute: parallelcluster` run."""

    shared_folder: str
    """On a file system that all nodes mount; launches' folders are made in it."""
    user: str
    """As whom scripts and jobs run on the cluster."""
    partition: str
    on_demand_partition: str
    """The same as `partition` where the cluster has no other."""
    container: str
    """`apptainer`, or `none`: the nodes have the image's programs."""
    most_array_jobs: int

    @classmethod
    def read(cls, text: str) -> "SlurmCluster | None":
        """The setting PARALLELCLUSTER (genolaunch.contract.settings.Setting); None where the stage has no cluster."""
        return cls(**json.loads(text)) if text else None
