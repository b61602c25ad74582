"""Finds launches that must not run at the same time, because one works in a folder of the other."""

from collections.abc import Iterable, Iterator

from genolaunch.launch_configs.workflows import workflow_type
from lambdas.shared.launch import Launch


def overlap(one: str, other: str) -> bool:
    """Whether one of two prefixes (s3:// URLs) lies in the other, or is the other."""
    first, second = (f"{url.rstrip('/')}/" for url in (one, other))
    return first.startswith(second) or second.startswith(first)


def in_the_way(launch: Launch, folder: str, running: Iterable[Launch]) -> Iterator[Launch]:
    """Running launches in whose working folder, or around it, the launch would work; the one claimed later gives way.

    Args:
        launch: with the time of its claim as `started_at`; one without a time was not claimed, and gives way to all.
        folder: where it works (s3:// URL), by its config of now.
        running: launches that are RUNNING; itself may be among them.

    Yields:
        Those that were claimed before it.
    """
    for other in running:
        if other.launch_id == launch.launch_id or other.data_path is None:
            continue
        # regenie writes into its own results only, and compares what it reads.
        if not workflow_type(other.workflow).writes_into_data:
            continue
        claimed_earlier = not launch.started_at or _order(other) < _order(launch)
        if claimed_earlier and overlap(folder, other.data_path):
            yield other


def _order(launch: Launch) -> tuple[str, str]:
    return (launch.started_at or "", launch.launch_id)
