"""The cost so far of a running launch."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from genolaunch.contract.launch import LaunchField
from genolaunch.shared import aws
from lambdas.pricing.collection import Collector
from lambdas.pricing.other_lines import other_lines
from lambdas.pricing.price_list import PriceList, window_of
from lambdas.pricing.rates.bill import make_bill
from lambdas.pricing.usage import FileSystemUse
from lambdas.pricing.usage_table import UsageTable
from lambdas.pricing.whole_usage import read_usage
from lambdas.shared.launch import Launch


def spent(
    launch: Launch, collector: Collector, table: UsageTable, price_table: str, job_volume_gib: int, now: datetime
) -> Decimal:
    """USD of all its attempts up to `now`: what runs is billed as if it stopped.

    Raises PriceError when a price cannot be told, or an instance is not known yet.
    """
    collector.collect(launch, launch.attempt)
    usage = read_usage(table, launch.launch_id, launch.attempt, job_volume_gib)
    if launch.file_system_id and launch.file_system_id not in {each.id for each in usage.file_systems}:
        usage = replace(usage, file_systems=(*usage.file_systems, *_file_systems(launch.file_system_id)))
    usage = replace(usage, other_lines=list(other_lines(table, launch, launch.attempt, now)))
    region = aws.client("dynamodb").meta.region_name
    bill = make_bill(usage, PriceList(price_table, region, window_of(usage, now)), now)
    earlier = (
        Decimal(entry[LaunchField.TOTAL_COST])
        for attempt, entry in (launch.cost_history or {}).items()
        if int(attempt) != launch.attempt
    )
    return bill.total + sum(earlier, Decimal(0))


def _file_systems(id_: str) -> list[FileSystemUse]:
    """The file system, if FSx still has it: its item is written only when it is deleted."""
    client = aws.client("fsx")
    try:
        found = client.describe_file_systems(FileSystemIds=[id_])["FileSystems"]
    except client.exceptions.FileSystemNotFound:
        return []
    return [
        FileSystemUse(
            id=each["FileSystemId"],
            region=each["ResourceARN"].split(":")[3],
            deployment_type=each["LustreConfiguration"]["DeploymentType"],
            throughput_mbps_per_tib=each["LustreConfiguration"].get("PerUnitStorageThroughput"),
            capacity_gib=each["StorageCapacity"],
            created_at=each["CreationTime"],
            deleted_at=None,
        )
        for each in found
    ]
