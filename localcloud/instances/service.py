"""Single operations of EC2 and ECS that describe Batch's instances, and Spot prices."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from xml.sax.saxutils import escape

from botocore.model import ListShape, Shape, StructureShape

from localcloud.ec2_query import listed, members, xml
from localcloud.instances.fleet import Fleet, Instance
from localcloud.interceptor import Interceptor, Own
from localcloud.paging import page
from localcloud.pricing import RecordedPrices
from localcloud.sdk_names import Value, service_model
from localcloud.wire import Answer, Request

Document = dict[str, Any]

_STATE_CODES: Final = {"running": 16, "terminated": 48}
_LARGEST_PAGE: Final = 1000


class InstancesService:
    """Answers requests about the fleet's instances; requests about others go to the service itself."""

    def __init__(self, fleet: Fleet, prices: RecordedPrices) -> None:
        self._fleet = fleet
        self._prices = prices
        self._ec2: Mapping[str, Callable[[Mapping[str, str], Own], Answer]] = {
            "DescribeInstances": self._describe_instances,
            "DescribeVolumes": self._describe_volumes,
            "DescribeSpotPriceHistory": self._describe_spot_price_history,
        }

    @property
    def interceptors(self) -> tuple[Interceptor, ...]:
        """Return what answers requests that may be about these instances."""
        return (
            Interceptor("ec2", frozenset(self._ec2), self._answer_ec2),
            Interceptor("ecs", frozenset({"DescribeContainerInstances"}), self._answer_ecs),
        )

    def _answer_ec2(self, request: Request, own: Own) -> Answer:
        given = members(request)
        return self._ec2[given["Action"]](given, own)

    def _answer_ecs(self, request: Request, own: Own) -> Answer:
        """Answer the request if all instances that it names are the fleet's."""
        asked = json.loads(request.body or b"{}").get("containerInstances", [])
        by_arn = {name: each for each in self._fleet.visible() for name in (each.arn, each.arn.rpartition("/")[2])}
        found = [by_arn[name] for name in asked if name in by_arn]
        if not found:
            return own()
        missing = [{"arn": name, "reason": "MISSING"} for name in asked if name not in by_arn]
        body = {"containerInstances": [_container_instance(each) for each in found], "failures": missing}
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(body).encode()

    def _describe_instances(self, given: Mapping[str, str], own: Own) -> Answer:
        ids = listed(given, "InstanceId")
        filters = _filters(given)
        found = [each for each in self._fleet.visible(ids or None) if _passes(each, filters)]
        if ids and not found:
            return own()
        reservations = [{"ReservationId": f"r-{each.id[2:]}", "Instances": [_instance(each)]} for each in found]
        mine = _xml("DescribeInstances", {"Reservations": reservations})
        return mine if ids else _joined(mine, own(), "reservationSet")

    def _describe_volumes(self, given: Mapping[str, str], own: Own) -> Answer:
        ids = listed(given, "VolumeId")
        attached = _filters(given).get("attachment.instance-id", [])
        found = [
            each
            for each in self._fleet.visible()
            if each.state == "running" and (not ids or each.volume_id in ids) and (not attached or each.id in attached)
        ]
        if (ids or attached) and not found:
            return own()
        mine = _xml("DescribeVolumes", {"Volumes": [_volume(each) for each in found]})
        return mine if ids or attached else _joined(mine, own(), "volumeSet")

    def _describe_spot_price_history(self, given: Mapping[str, str], own: Own) -> Answer:  # noqa: ARG002 - EC2's own has none
        now = datetime.now(UTC)
        start, end = (
            datetime.fromisoformat(given[name]) if name in given else now for name in ("StartTime", "EndTime")
        )
        zones = [given["AvailabilityZone"]] if "AvailabilityZone" in given else []
        entries = self._prices.spot_history(listed(given, "InstanceType"), zones, start, end)
        size = min(int(given.get("MaxResults", _LARGEST_PAGE)), _LARGEST_PAGE)
        chosen, token = page(entries, size, given.get("NextToken") or None)
        history = [
            {
                "AvailabilityZone": each.zone,
                "InstanceType": each.instance_type,
                "ProductDescription": "Linux/UNIX",
                "SpotPrice": str(each.usd),
                "Timestamp": each.at,
            }
            for each in chosen
        ]
        return _xml("DescribeSpotPriceHistory", {"SpotPriceHistory": history, "NextToken": token or ""})


def _container_instance(instance: Instance) -> Document:
    resources = {"CPU": 1024 * instance.type.vcpus, "MEMORY": instance.memory_mib}
    return {
        "containerInstanceArn": instance.arn,
        "ec2InstanceId": instance.id,
        "status": "ACTIVE" if instance.state == "running" else "INACTIVE",
        "registeredResources": [
            {"name": name, "type": "INTEGER", "integerValue": value} for name, value in resources.items()
        ],
        "attributes": [
            {"name": "ecs.instance-type", "value": instance.type.name},
            {"name": "ecs.availability-zone", "value": instance.settings.zone},
        ],
    }


def _instance(instance: Instance) -> Document:
    name = "running" if instance.state == "running" else "terminated"
    stopped = f"User initiated ({instance.stopped_at:%Y-%m-%d %H:%M:%S} GMT)" if instance.stopped_at else ""
    ebs = {"VolumeId": instance.volume_id, "Status": "attached", "DeleteOnTermination": True}
    return {
        "InstanceId": instance.id,
        "InstanceType": instance.type.name,
        "State": {"Code": _STATE_CODES[name], "Name": name},
        "StateTransitionReason": stopped,
        **({"StateReason": {"Code": instance.reason, "Message": instance.reason}} if instance.reason else {}),
        "LaunchTime": instance.launched_at,
        "Placement": {"AvailabilityZone": instance.settings.zone, "Tenancy": "default"},
        **({"InstanceLifecycle": "spot"} if instance.settings.is_spot else {}),
        "CpuOptions": {"CoreCount": instance.type.vcpus // 2, "ThreadsPerCore": 2},
        "Architecture": "x86_64",
        "Tags": [{"Key": key, "Value": value} for key, value in instance.settings.tags.items()],
        # A terminated instance has no volumes any more.
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": ebs}] if name == "running" else [],
    }


def _volume(instance: Instance) -> Document:
    return {
        "VolumeId": instance.volume_id,
        "Size": instance.settings.volume_gib,
        "VolumeType": "gp3",
        "Iops": 3000,
        "Throughput": 125,
        "State": "in-use",
        "AvailabilityZone": instance.settings.zone,
        "Attachments": [{"InstanceId": instance.id, "VolumeId": instance.volume_id, "State": "attached"}],
    }


def _passes(instance: Instance, filters: Mapping[str, list[str]]) -> bool:
    values = {
        "instance-state-name": instance.state,
        "instance-type": instance.type.name,
        **{f"tag:{key}": value for key, value in instance.settings.tags.items()},
    }
    keys = list(instance.settings.tags)
    return all(
        any(key in wanted for key in keys) if name == "tag-key" else values.get(name) in wanted
        for name, wanted in filters.items()
    )


# --- EC2's protocol: form in, XML out ------------------------------------------------------------------------------
def _filters(given: Mapping[str, str]) -> dict[str, list[str]]:
    names = {
        key.split(".")[1]: value for key, value in given.items() if key.startswith("Filter.") and key.endswith(".Name")
    }
    return {
        name: [value for key, value in given.items() if key.startswith(f"Filter.{number}.Value.")]
        for number, name in names.items()
    }


def _xml(operation: str, answer: Document) -> Answer:
    return xml(operation, _content(answer, service_model("ec2").operation_model(operation).output_shape))


def _content(value: Value, shape: Shape | None) -> str:
    if isinstance(shape, StructureShape):
        return "".join(
            f"<{name}>{_content(item, member)}</{name}>"
            for key, item in value.items()
            for member in (shape.members[key],)
            for name in (member.serialization.get("name", key),)
        )
    if isinstance(shape, ListShape):
        return "".join(f"<item>{_content(item, shape.member)}</item>" for item in value)
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03}Z"
    return escape(str(value).lower() if isinstance(value, bool) else str(value))


def _joined(mine: Answer, others: Answer, list_name: str) -> Answer:
    """The items of both answers' lists in one."""
    start, end = f"<{list_name}>", f"</{list_name}>"
    text, other = mine[2].decode(), others[2].decode()
    items = text.partition(start)[2].partition(end)[0]
    joined = other.replace(f"<{list_name}/>", start + end).replace(start, start + items, 1)
    return others[0], others[1], joined.encode()
