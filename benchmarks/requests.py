"""What a launch asks of AWS besides its compute: state transitions, function calls, and requests, with their price.

    .venv/bin/python -m benchmarks.requests               # a launch without work, and with 1, 22 and 100 chunks
    .venv/bin/python -m benchmarks.requests --chunks 1 22

The launches run on an embedded cloud that enforces IAM, whose record of what was allowed is what is counted; the
transitions are those of the executions' histories. How often something is waited for depends on the moment, so the
transitions are shown without such rounds, too: each state of an execution once, none that waits. It ends with 1 if
these grow with the chunks: the jobs of an array cause none. Clean-up and the bill are part of a launch.

Prices: us-east-1, as of November 2026, without a free tier; functions' duration and the storage of logs are not in
them. https://aws.amazon.com/step-functions/pricing/ (Standard workflows), /lambda/pricing/ (requests),
/dynamodb/pricing/on-demand/ (a write of up to 1 KB, half a read of up to 4 KB), /s3/pricing/ (S3 Standard),
/kms/pricing/.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks.burst import let_regenie_do_nothing
from genolaunch.local_stage import control
from tests.local.platform_client import COHORT, PlatformClient, eventually, gwas_config

VARIANTS: Final = 1_000
"""Of the cohort of the examples."""
NO_WORK: Final = "no work"
TRANSITIONS: Final = "state transitions"
STATES: Final = "... without rounds of waiting"
CALLS: Final = "function calls"

ACTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "table writes": ("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"),
    "table reads": ("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan"),
    "S3 writes and lists": ("s3:Put*", "s3:ListBucket*"),
    "S3 reads": ("s3:Get*",),
    "KMS requests": ("kms:*",),
}
"""Kind of request -> the actions that it needs."""
USD_OF_A_MILLION: Final[Mapping[str, float]] = {
    TRANSITIONS: 25.0,
    CALLS: 0.2,
    "table writes": 0.625,
    "table reads": 0.0625,
    "S3 writes and lists": 5.0,
    "S3 reads": 0.4,
    "KMS requests": 3.0,
}

console = Console()


def main() -> int:
    """The exit code: 1 if the transitions grow with the chunks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, nargs="+", default=[1, 22, 100], help="jobs of step 2 (1 22 100)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="genolaunch-requests-") as scratch:
        counts = count(Path(scratch) / "state", chosen.chunks)
    report(counts)
    states = [found[STATES] for name, found in counts.items() if name != NO_WORK]
    if max(states) > min(states):
        console.print(f"[bold red]The transitions grow with the chunks: {states}")
        return 1
    return 0


def count(state_dir: Path, chunks: list[int]) -> dict[str, Counter[str]]:
    """Run a launch of each number of chunks, then one without work; what each asked for."""
    cloud = control.up(state_dir, port=control.free_port(), enforce_iam=True)
    try:
        control.deploy(cloud)
        platform = PlatformClient(cloud.environment())
        platform.upload_data(COHORT, "cohort/")
        found = {f"{number} chunk{'s' * (number > 1)}": count_launch(platform, number) for number in chunks}
        let_regenie_do_nothing(platform)
        return {NO_WORK: count_launch(platform, 1), **found}
    finally:
        control.down(state_dir)


def count_launch(platform: PlatformClient, chunks: int) -> Counter[str]:
    """What one launch asked for until nothing of it runs any more."""
    before, started = asked_so_far(platform), time.time()
    config = gwas_config()
    config["regenie"]["step2"] = {"variants_per_job": -(-VARIANTS // chunks)}
    launch_id = platform.drop(config)["launchId"]
    platform.complete(launch_id)
    eventually(lambda: "totalCost" in platform.launch(launch_id) or None, f"the bill of {launch_id}")
    eventually(lambda: not any(running(platform)) or None, "the last execution ends")
    found = asked_so_far(platform) - before
    for execution in executions(platform, started):
        entered = states_entered(platform, execution)
        found[TRANSITIONS] += len(entered)
        found[STATES] += len({name for name, waits in entered if not waits})
    return found


def asked_so_far(platform: PlatformClient) -> Counter[str]:
    """Kind of request -> how many there were. The clients of this benchmark are in no role, and so not among them."""
    found: Counter[str] = Counter()
    for asked in platform.used():
        for kind, actions in ACTIONS.items():
            if any(fnmatchcase(asked["action"], action) for action in actions):
                found[kind] += asked["times"]
    found[CALLS] = sum(1 for _ in function_reports(platform))
    return found


def function_reports(platform: PlatformClient) -> Iterator[str]:
    """A line of each call of a function, from the logs."""
    return (line for line in platform.all_logs().splitlines() if line.startswith("REPORT RequestId: "))


def executions(platform: PlatformClient, since: float) -> Iterator[str]:
    """ARNs of those that started since then (epoch seconds)."""
    for machine in platform.states.list_state_machines()["stateMachines"]:
        pages = platform.states.get_paginator("list_executions").paginate(stateMachineArn=machine["stateMachineArn"])
        for execution in (execution for page in pages for execution in page["executions"]):
            if execution["startDate"].timestamp() >= since:
                yield execution["executionArn"]


def running(platform: PlatformClient) -> Iterator[str]:
    """ARNs of executions that run."""
    for machine in platform.states.list_state_machines()["stateMachines"]:
        listed = platform.states.list_executions(
            stateMachineArn=machine["stateMachineArn"], statusFilter="RUNNING", maxResults=10
        )
        yield from (execution["executionArn"] for execution in listed["executions"])


def states_entered(platform: PlatformClient, execution: str) -> list[tuple[str, bool]]:
    """Names of the states that an execution entered, each as often as it did, and whether it only waits."""
    pages = platform.states.get_paginator("get_execution_history").paginate(executionArn=execution)
    return [
        (event["stateEnteredEventDetails"]["name"], event["type"] == "WaitStateEntered")
        for page in pages
        for event in page["events"]
        if "stateEnteredEventDetails" in event
    ]


def report(counts: Mapping[str, Counter[str]]) -> None:
    """Print a column for each launch."""
    table = Table("of one launch", *counts, title="What a launch asks of AWS besides its compute")
    for kind in (TRANSITIONS, STATES, *(kind for kind in USD_OF_A_MILLION if kind != TRANSITIONS)):
        table.add_row(kind, *(f"{found[kind]:,}" for found in counts.values()))
    table.add_row("USD together", *(f"{price(found):.4f}" for found in counts.values()), style="bold")
    console.print(table)


def price(found: Counter[str]) -> float:
    """In USD."""
    return sum(found[kind] * usd / 1e6 for kind, usd in USD_OF_A_MILLION.items())


if __name__ == "__main__":
    sys.exit(main())
