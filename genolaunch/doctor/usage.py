"""What others than the stage have already of what quotas count."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from genolaunch.doctor.account import Account


def nothing_known(account: Account) -> float:
    """Where no call counts it."""
    del account
    return 0


def vpcs(account: Account) -> float:
    """In the region."""
    return _count(account, _items(account, "ec2", "describe_vpcs", "Vpcs"))


def internet_gateways(account: Account) -> float:
    """In the region."""
    return _count(account, _items(account, "ec2", "describe_internet_gateways", "InternetGateways"))


def addresses(account: Account) -> float:
    """Elastic IPs in the region; EC2 gives them in one answer."""
    return _count(account, account.client("ec2").describe_addresses()["Addresses"])


def nat_gateways(account: Account) -> float:
    """Of the stage's zone that has most."""
    zones = {
        subnet["SubnetId"]: subnet["AvailabilityZone"]
        for subnet in _items(account, "ec2", "describe_subnets", "Subnets")
    }
    count = Counter(
        zones.get(gateway.get("SubnetId", ""), "")
        for gateway in _items(account, "ec2", "describe_nat_gateways", "NatGateways")
        if gateway["State"] in ("pending", "available") and not account.is_own(gateway)
    )
    return max(count[zone] for zone in account.settings.zones)


def vcpus(account: Account, is_counted: Callable[[str], bool], *, is_spot: bool) -> float:
    """Of instances that run; `is_counted` by their type."""
    total = 0
    for reservation in _items(account, "ec2", "describe_instances", "Reservations"):
        for instance in reservation["Instances"]:
            runs = instance["State"]["Name"] in ("pending", "running")
            is_one = (instance.get("InstanceLifecycle") == "spot") is is_spot and is_counted(instance["InstanceType"])
            if runs and is_one and not account.is_own(instance):
                cpu = instance.get("CpuOptions", {})
                total += cpu.get("CoreCount", 1) * cpu.get("ThreadsPerCore", 1)
    return total


def file_systems(account: Account) -> tuple[float, float]:
    """Number and GiB of FSx for Lustre's of the stage's deployment type."""
    kind = str(account.settings.file_system)
    others = [
        each
        for each in _items(account, "fsx", "describe_file_systems", "FileSystems")
        if each["FileSystemType"] == "LUSTRE"
        and _counts_as(each.get("LustreConfiguration", {}).get("DeploymentType", ""), kind)
        and not account.is_own(each)
    ]
    return len(others), sum(each["StorageCapacity"] for each in others)


def _counts_as(found: str, kind: str) -> bool:
    """Both generations of scratch file systems share a quota."""
    return found == kind or (found.startswith("SCRATCH") and kind.startswith("SCRATCH"))


def reserved_concurrency(account: Account) -> float:
    """Of Lambda's functions: what is reserved for some of them."""
    limits = account.client("lambda").get_account_settings()["AccountLimit"]
    return float(limits["ConcurrentExecutions"] - limits["UnreservedConcurrentExecutions"])


def job_queues(account: Account) -> int:
    """Of Batch."""
    return _others(account, _items(account, "batch", "describe_job_queues", "jobQueues"), "jobQueueName")


def compute_environments(account: Account) -> int:
    """Of Batch; the stage's have no names of their own but a tag (stacks/compute.py)."""
    found = _items(account, "batch", "describe_compute_environments", "computeEnvironments")
    return sum(not account.is_own({"Tags": _tags(each)}) for each in found)


def is_deployed(account: Account) -> bool:
    """Whether the stage's first stack is there, and so what the stage needs is counted among what is used."""
    cloudformation = account.client("cloudformation")
    try:
        found = cloudformation.describe_stacks(StackName=f"{account.settings.prefix}-data")["Stacks"]
    except cloudformation.exceptions.ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":  # CloudFormation has no other code for "not there"
            return False
        raise
    return bool(found)


def _count(account: Account, found: Iterable[dict[str, Any]]) -> int:
    return sum(not account.is_own(each) for each in found)


def _others(account: Account, found: Iterator[dict[str, Any]], name: str) -> int:
    return sum(not each[name].startswith(f"{account.settings.prefix}-") for each in found)


def _tags(resource: dict[str, Any]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in resource.get("tags", {}).items()]


def _items(account: Account, service: str, method: str, key: str) -> Iterator[dict[str, Any]]:
    for page in account.client(service).get_paginator(method).paginate():
        yield from page[key]
