"""Turns a SubmitJob request into what the scheduler takes, with the checks that Batch makes."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from localcloud.batch.definitions import JobDefinitions, check_environment, parse_retry, parse_timeout, resource
from localcloud.batch.job import Job, JobSpec, Submission
from localcloud.batch.resources import ENABLED, Document, JobQueues, check_name, refuse, require

MIN_ARRAY: Final = 2
MAX_ARRAY: Final = 10_000
MAX_DEPENDENCIES: Final = 20

_REFUSED: Final = ("nodeOverrides", "eksPropertiesOverride", "ecsPropertiesOverride")
"""Kinds of jobs that the local cloud does not run."""

FindJob = Callable[[str], Job | None]


def parse_submission(
    params: Document,
    *,
    queues: JobQueues,
    definitions: JobDefinitions,
    find_job: FindJob,
    min_timeout_seconds: int,
) -> Submission:
    """Read and check a SubmitJob request. Raises ServiceError."""
    require(params, "jobName", "jobQueue", "jobDefinition")
    check_name("jobName", params["jobName"])
    for member in _REFUSED:
        if member in params:
            refuse(f"{member} is not supported by the local cloud.")
    queue = _queue(params, queues)
    definition = definitions.active(params["jobDefinition"])
    _check_share(params, queue, definition)
    array_size = _array_size(params)
    dependencies = params.get("dependsOn", [])
    after, after_same_index = _dependencies(dependencies, array_size, find_job)
    return Submission(
        spec=_spec(params, queue, definition, min_timeout_seconds),
        tags=params.get("tags", {}),
        array_size=array_size,
        after=after,
        after_same_index=after_same_index,
        sequential=any(each.get("type") == "SEQUENTIAL" for each in dependencies),
    )


def _queue(params: Document, queues: JobQueues) -> Document:
    queue = queues.registry.get(params["jobQueue"])
    if queue["state"] != ENABLED:
        refuse(f"Job queue {params['jobQueue']} is not in state {ENABLED}.")
    return queue


def _check_share(params: Document, queue: Document, definition: Document) -> None:
    """A fair-share queue needs to know whose share a job takes, and its priority within it; a FIFO queue neither."""
    is_fair_share = "schedulingPolicyArn" in queue
    if is_fair_share and not params.get("shareIdentifier"):
        refuse("ShareIdentifier must be specified for a job queue with a scheduling policy.")
    if not is_fair_share and params.get("shareIdentifier"):
        refuse("ShareIdentifier must not be specified for a job queue without a scheduling policy.")
    if is_fair_share and "schedulingPriorityOverride" not in params and "schedulingPriority" not in definition:
        refuse("Either schedulingPriority in the job definition or schedulingPriorityOverride is required.")


def _array_size(params: Document) -> int | None:
    size: int | None = params.get("arrayProperties", {}).get("size")
    if size is not None and not MIN_ARRAY <= size <= MAX_ARRAY:
        refuse(f"Array size must be between {MIN_ARRAY} and {MAX_ARRAY}, not {size}.")
    return size


def _dependencies(
    dependencies: list[Document], array_size: int | None, find_job: FindJob
) -> tuple[list[Job], list[Job]]:
    """Jobs to wait for as a whole, and arrays to wait for index by index."""
    if len(dependencies) > MAX_DEPENDENCIES:
        refuse(f"A job can depend upon a maximum of {MAX_DEPENDENCIES} jobs.")
    after, after_same_index = [], []
    for dependency in dependencies:
        kind, job_id = dependency.get("type"), dependency.get("jobId")
        if kind is not None and array_size is None:
            refuse(f"Dependency type {kind} is for array jobs.")
        if kind == "SEQUENTIAL":
            if job_id is not None:
                refuse("A SEQUENTIAL dependency does not take a jobId.")
            continue
        before = find_job(job_id) if job_id else None
        if before is None:
            refuse(f"Job {job_id}, which this job depends on, does not exist.")
        if kind == "N_TO_N":
            if len(before.children) != array_size:
                refuse(f"An N_TO_N dependency needs two arrays of the same size; {job_id} has {len(before.children)}.")
            after_same_index.append(before)
        else:
            after.append(before)
    return after, after_same_index


def _spec(params: Document, queue: Document, definition: Document, min_timeout_seconds: int) -> JobSpec:
    container = _container(definition["containerProperties"], params.get("containerOverrides", {}))
    return JobSpec(
        name=params["jobName"],
        queue_arn=queue["jobQueueArn"],
        definition_arn=definition["jobDefinitionArn"],
        definition_name=definition["jobDefinitionName"],
        container=container,
        cores=_cores(container),
        memory_mib=int(resource(container, "MEMORY") or container.get("memory", 0)),
        retry=parse_retry(params.get("retryStrategy") or definition.get("retryStrategy", {})),
        timeout_seconds=parse_timeout(params.get("timeout") or definition.get("timeout"), min_timeout_seconds),
        depends_on=params.get("dependsOn", []),
        parameters={**definition.get("parameters", {}), **params.get("parameters", {})},
        share_identifier=params.get("shareIdentifier"),
        propagate_tags=bool(params.get("propagateTags", definition.get("propagateTags"))),
        platform_capabilities=definition.get("platformCapabilities", ["EC2"]),
        overrides=params.get("containerOverrides", {}),
    )


def _container(properties: Mapping[str, Any], overrides: Document) -> Document:
    """The container's properties with overrides: variables and resources replaced by name, the command as a whole."""
    check_environment(overrides.get("environment", []))
    environment = _merge(properties.get("environment", []), overrides.get("environment", []), "name")
    requirements = _merge(properties.get("resourceRequirements", []), overrides.get("resourceRequirements", []), "type")
    replaced: Document = {
        name: overrides[name] for name in ("command", "vcpus", "memory", "instanceType") if name in overrides
    }
    # The lists that DescribeJobs always shows, before what was asked for.
    return {
        "command": [],
        "volumes": [],
        "mountPoints": [],
        "ulimits": [],
        "secrets": [],
        "networkInterfaces": [],
        **properties,
        **replaced,
        "environment": environment,
        "resourceRequirements": requirements,
    }


def _merge(own: list[Document], overrides: list[Document], key: str) -> list[Document]:
    return list({each[key]: each for each in (*own, *overrides)}.values())


def _cores(container: Document) -> int:
    """Whole cores for the vCPUs asked for; at least one, as on EC2."""
    try:
        vcpus = float(resource(container, "VCPU") or container.get("vcpus", 1))
    except ValueError:
        refuse(f"VCPU {resource(container, 'VCPU')!r} is not a number.")
    return max(1, math.ceil(vcpus))
