"""Lines of a bill for restores, and for clusters that are billed elsewhere."""

from collections.abc import Iterator
from datetime import datetime

from genolaunch.contract.compute import ComputeService
from lambdas.pricing.rates.money import Line
from lambdas.pricing.rates.restores import restore_lines
from lambdas.pricing.rates.services import cluster_line
from lambdas.pricing.time_spent import attempts_of_bill
from lambdas.pricing.usage_table import UsageTable
from lambdas.shared.clock import timestamp
from lambdas.shared.launch import Launch


def other_lines(table: UsageTable, launch: Launch, attempt: int, now: datetime) -> Iterator[Line]:
    """Those of an attempt's bill: a restore belongs to the attempt that it was made for."""
    for restore in table.restores(launch.launch_id, attempts_of_bill(launch, attempt)):
        yield from restore_lines(restore)
    if launch.compute_service == ComputeService.PARALLELCLUSTER:
        yield cluster_line(timestamp(now))
