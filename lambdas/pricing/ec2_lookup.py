"""Asks AWS about instances, container instances and volumes. EC2 describes a terminated instance for an hour."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

from botocore.exceptions import ClientError

from genolaunch.contract.project import PROJECT, TAG_PROJECT, TAG_STAGE
from genolaunch.contract.usage import USAGE_OF_TIBANNA_JOB
from genolaunch.shared import aws
from lambdas.pricing.usage import InstanceUse, Volume

_CONTAINER_INSTANCES: Final = 100
"""Of one DescribeContainerInstances call (Amazon ECS API reference)."""

_INSTANCES: Final = 100
"""Ids of one DescribeInstances call: it takes more, but one unknown id among them refuses the whole call."""

_TAKEN_BACK: Final = "Server.SpotInstanceTermination"
"""StateReason of a Spot instance that EC2 terminated (EC2 API reference, StateReason)."""

_STOPPED: Final = re.compile(r"\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:GMT|UTC)\)")
"""The time in StateTransitionReason, as in `User initiated (2026-11-21 04:00:00 GMT)`."""

_UNKNOWN_IDS: Final = re.compile(r"i-[0-9a-f]+")

TIBANNA_TYPE: Final = "awsem"
"""Tag `Type` of the instances that Tibanna starts; their Name is awsem-<job id>."""

_FILTER_VALUES: Final = 200
"""Of one filter of DescribeInstances (Amazon EC2 API reference)."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ContainerInstance:
    """What an ECS agent registered."""

    arn: str
    instance_id: str
    vcpus: Decimal
    memory_mib: Decimal


@dataclass(frozen=True, slots=True)
class FoundInstance:
    """An instance as EC2 describes it; `use.memory_mib` is 0, because EC2 does not report it."""

    use: InstanceUse
    tags: Mapping[str, str]

    def is_stages(self, stage: str) -> bool:
        """Whether this stage's Batch started it."""
        return self.tags.get(TAG_PROJECT) == PROJECT and self.tags.get(TAG_STAGE) == stage

    @property
    def tibanna_job(self) -> str | None:
        """Id of the job for which Tibanna started it; None if it did not."""
        name = self.tags.get("Name", "")
        is_tibannas = self.tags.get("Type") == TIBANNA_TYPE and name.startswith(USAGE_OF_TIBANNA_JOB)
        return name.removeprefix(USAGE_OF_TIBANNA_JOB) if is_tibannas else None


def container_instances(arns: Iterable[str]) -> Iterator[ContainerInstance]:
    """Those that their clusters still know. The ARN's path is `<cluster>/<id>` (ECS's long ARN format)."""
    clusters: dict[str, list[str]] = {}
    for arn in sorted(set(arns)):
        clusters.setdefault(arn.split("/")[1], []).append(arn)
    client = aws.client("ecs")
    for cluster, known in clusters.items():
        for some in _chunks(known, _CONTAINER_INSTANCES):
            try:
                answer = client.describe_container_instances(cluster=cluster, containerInstances=some)
            except client.exceptions.ClusterNotFoundException:
                continue
            yield from (_container_instance(found) for found in answer["containerInstances"])


def instances(ids: Iterable[str]) -> dict[str, FoundInstance]:
    """The instances that EC2 still describes, with the volumes that they still have."""
    return _with_volumes(each for some in _chunks(sorted(set(ids)), _INSTANCES) for each in _described(some))


def instances_of_tibanna(job_ids: Iterable[str]) -> dict[str, FoundInstance]:
    """The instances that Tibanna started for these jobs, by job id, as far as EC2 still describes them."""
    pages = aws.client("ec2").get_paginator("describe_instances")
    names = [USAGE_OF_TIBANNA_JOB + id_ for id_ in sorted(set(job_ids))]
    return _with_volumes(
        _found_instance(each)
        for some in _chunks(names, _FILTER_VALUES)
        for page in pages.paginate(Filters=[{"Name": "tag:Name", "Values": list(some)}])
        for reservation in page["Reservations"]
        for each in reservation["Instances"]
    )


def _with_volumes(described: Iterable[FoundInstance]) -> dict[str, FoundInstance]:
    found = {each.use.id: each for each in described}
    attached = _volumes([volume.id for each in found.values() for volume in each.use.volumes])
    return {
        id_: replace(each, use=replace(each.use, volumes=_known(each.use.volumes, attached)))
        for id_, each in found.items()
    }


def _described(ids: Sequence[str]) -> Iterator[FoundInstance]:
    """DescribeInstances, without the ids that it refuses."""
    client = aws.client("ec2")
    while ids:
        try:
            answer = client.describe_instances(InstanceIds=ids)
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidInstanceID.NotFound":
                raise
            unknown = set(_UNKNOWN_IDS.findall(error.response["Error"]["Message"]))
            left = [id_ for id_ in ids if id_ not in unknown]
            # A message that names none of them must not make this go on for ever.
            ids = left if len(left) < len(ids) else []
            continue
        for reservation in answer["Reservations"]:
            yield from (_found_instance(each) for each in reservation["Instances"])
        return


def _found_instance(each: Any) -> FoundInstance:  # noqa: ANN401 - EC2's InstanceTypeDef is for type checkers only
    options = each.get("CpuOptions", {})
    ended = each["State"]["Name"] in {"shutting-down", "terminated"}
    use = InstanceUse(
        id=each["InstanceId"],
        type=each["InstanceType"],
        zone=each["Placement"]["AvailabilityZone"],
        is_spot=each.get("InstanceLifecycle") == "spot",
        vcpus=Decimal(options.get("CoreCount", 1) * options.get("ThreadsPerCore", 2)),
        memory_mib=Decimal(0),
        launched_at=each["LaunchTime"],
        stopped_at=_stop(each.get("StateTransitionReason", "")) if ended else None,
        is_interrupted=each.get("StateReason", {}).get("Code") == _TAKEN_BACK,
        volumes=[
            Volume(mapping["Ebs"]["VolumeId"], "", 0)
            for mapping in each.get("BlockDeviceMappings", ())
            if "Ebs" in mapping
        ],
    )
    return FoundInstance(use, {tag["Key"]: tag["Value"] for tag in each.get("Tags", ())})


def _stop(reason: str) -> datetime | None:
    match = _STOPPED.search(reason)
    return datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) if match else None


def _volumes(ids: Sequence[str]) -> dict[str, Volume]:
    client = aws.client("ec2")
    found: dict[str, Volume] = {}
    for some in _chunks(ids, _INSTANCES):
        # As a filter, unknown ids are passed over.
        for page in client.get_paginator("describe_volumes").paginate(Filters=[{"Name": "volume-id", "Values": some}]):
            for each in page["Volumes"]:
                found[each["VolumeId"]] = Volume(
                    each["VolumeId"],
                    each["VolumeType"],
                    each["Size"],
                    each.get("Iops", 0),
                    each.get("Throughput", 0),
                )
    return found


def _known(volumes: Sequence[Volume], attached: Mapping[str, Volume]) -> tuple[Volume, ...]:
    return tuple(attached[volume.id] for volume in volumes if volume.id in attached)


def _container_instance(found: Any) -> ContainerInstance:  # noqa: ANN401 - as above
    registered = {each["name"]: each.get("integerValue", 0) for each in found.get("registeredResources", ())}
    return ContainerInstance(
        found["containerInstanceArn"],
        found["ec2InstanceId"],
        Decimal(registered.get("CPU", 0)) / 1024,
        Decimal(registered.get("MEMORY", 0)),
    )


def _chunks(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (values[start : start + size] for start in range(0, len(values), size))
