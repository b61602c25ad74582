"""A stand-in for an AWS ParallelCluster: a head node that Systems Manager reaches, and Slurm's commands on it.

The scripts that the platform sends are run as they are, as processes of this machine; `sbatch`, `squeue`, `scancel`,
`runuser`, `apptainer` and `aws` are programs of this package, as far as those scripts use them.
"""

from localcloud.slurm.service import CLUSTER, SlurmService

__all__ = ["CLUSTER", "SlurmService"]
