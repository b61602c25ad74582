"""What the instances of a compute environment could hold, and so which jobs can never start there.

The environments have no instances: jobs run on this machine. But a job that is larger than any instance of its queue's
environments waits for ever on AWS, and so it does here.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from localcloud.batch.job import JobSpec

TOO_MANY_VCPUS: Final = "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE"
TOO_LARGE: Final = "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT"
"""How the statusReason of a job begins that waits in vain (AWS Batch user guide, "Jobs stuck in a RUNNABLE status")."""

_WORDS: Final = {
    TOO_MANY_VCPUS: "The job requires more vCPUs than the compute environments of its queue may have.",
    TOO_LARGE: "The job requires more vCPUs or memory than any instance type of its queue's compute environments has.",
}

_GIB_A_VCPU: Final = {"c": 2, "m": 4, "r": 8}
"""By the letter with which a family of Intel's or AMD's instances begins (Amazon EC2 instance types)."""
_LARGEST_VCPUS: Final = {"m6i": 128, "c6i": 128, "r6i": 128, "m6a": 192, "c6a": 192, "r6a": 192, "m7i": 192}
"""Of the largest size of families of which a stage's settings name no single size."""
_TYPE: Final = re.compile(r"^(?P<letter>[cmr])\d[a-z]*(\.(?P<times>\d*)(?P<size>large|xlarge))?$")


def why_stuck(spec: JobSpec, environments: Sequence[Mapping[str, Any]]) -> str | None:
    """Why none of these compute environments will ever run the job, in the words of its statusReason; None if one may.

    Instance types that are not known here hold any job.
    """
    resources = [environment.get("computeResources", {}) for environment in environments]
    if all(spec.cores > each.get("maxvCpus", spec.cores) for each in resources):
        return _said(TOO_MANY_VCPUS)
    if not any(_holds(spec, each.get("instanceTypes", ())) for each in resources):
        return _said(TOO_LARGE)
    return None


def _said(reason: str) -> str:
    return f"{reason} - {_WORDS[reason]}"


def _holds(spec: JobSpec, instance_types: Iterable[str]) -> bool:
    sizes = [_size(each) for each in instance_types]
    return not sizes or any(size is None or (spec.cores <= size[0] and spec.memory_mib <= size[1]) for size in sizes)


def _size(instance_type: str) -> tuple[int, int] | None:
    """vCPUs and MiB of an instance type, or of a family's largest; None if it is not known."""
    parts = _TYPE.match(instance_type)
    if parts is None:
        return None
    if parts["size"]:
        vcpus = 4 * int(parts["times"] or 1) if parts["size"] == "xlarge" else 2
    elif instance_type in _LARGEST_VCPUS:
        vcpus = _LARGEST_VCPUS[instance_type]
    else:
        return None
    return vcpus, vcpus * _GIB_A_VCPU[parts["letter"]] * 1024
