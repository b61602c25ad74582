"""A burst of launches: configs dropped into S3 all at once, on the embedded cloud, until every launch is over.

    .venv/bin/python -m benchmarks.burst                  # 1,000 launches
    .venv/bin/python -m benchmarks.burst --launches 100

It demands that each config became exactly one launch, that every launch is COMPLETE, that clean-up ended well after
each, and that no dead-letter queue holds anything; else it exits with 1. Everything but the workflow is the
platform's own: the state machine **regenie** is given a definition that does nothing (UpdateStateMachine), so that a
launch is what the workflow manager makes of it. Figures are of this machine, where one process plays all of AWS.
"""

import argparse
import json
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from genolaunch.contract.settings import Parameter
from genolaunch.local_stage import control
from tests.local.platform_client import COHORT, PlatformClient, gwas_config

_PUTTERS = 16
"""Threads that put configs: enough to be faster than whatever registers them."""
_LOOK_EVERY = 5.0
"""Reading a thousand launches costs the cloud time that it would have for them."""
_TELL_EVERY = 30.0
_NO_PROGRESS_SECONDS = 120.0
"""A launch that takes longer than this to follow the one before it is lost."""
_MEBIBYTE = 1024 * 1024

console = Console()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--launches", type=int, default=1000, help="configs that are dropped (1,000)")
    options.add_argument("--log", type=Path, help="keep the embedded cloud's log here")
    chosen = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # the cloud must not outlive this
    with tempfile.TemporaryDirectory(prefix="genolaunch-burst-") as scratch:
        faults = measure(Path(scratch) / "state", chosen.launches, chosen.log)
    for fault in faults:
        console.print(f"[bold red]{fault}")
    sys.exit(1 if faults else 0)


def measure(state_dir: Path, launches: int, log: Path | None) -> list[str]:
    """Runs the burst and prints its figures; what was not as it must be."""
    cloud = control.up(state_dir, port=control.free_port())
    try:
        control.deploy(cloud)
        platform = PlatformClient(cloud.environment())
        # What waits for a slot is looked for at once: launches of files that are not there would be rejected.
        platform.upload_data(COHORT, "cohort/")
        let_regenie_do_nothing(platform)
        with PeakMemory(cloud.pid) as memory:
            burst = Burst(platform, launches)
            burst.drop()
            burst.wait()
        report(burst, memory)
        return burst.faults()
    finally:
        if log:
            log.write_bytes(cloud.server_log.read_bytes())
        control.down(state_dir)


def let_regenie_do_nothing(platform: PlatformClient) -> None:
    """Given: a workflow that succeeds at once, with an answer of the workflow's shape."""
    machines = platform.states.list_state_machines()["stateMachines"]
    regenie = next(m["stateMachineArn"] for m in machines if m["name"].endswith("-regenie"))
    answer = {"resultsUri": "s3://nowhere/results/", "reportUri": "s3://nowhere/results/report.html"}
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "Nothing",
        "States": {"Nothing": {"Type": "Pass", "Output": answer, "End": True}},
    }
    platform.states.update_state_machine(stateMachineArn=regenie, definition=json.dumps(definition))


@dataclass
class Burst:
    """The configs that were put, and what became of them."""

    platform: PlatformClient
    launches: int
    put_at: dict[str, float] = field(default_factory=dict)
    """Key -> epoch second at which its put began."""
    put_seconds: float = 0.0
    complete_at: float = 0.0
    clean_at: float = 0.0

    def drop(self) -> None:
        """Puts all configs as fast as this machine can."""
        began = time.monotonic()
        with ThreadPoolExecutor(_PUTTERS) as pool:
            list(pool.map(self._put, range(self.launches)))
        self.put_seconds = time.monotonic() - began

    def wait(self) -> None:
        """Waits until every launch is over and nothing runs any more, or nothing moves."""
        progress, moved_at, began, told_at = (-1, -1, -1), time.monotonic(), time.monotonic(), 0.0
        while True:
            now = self._progress()
            if now != progress:
                progress, moved_at = now, time.monotonic()
            registered, over, running = now
            if time.monotonic() - told_at > _TELL_EVERY:
                told_at = time.monotonic()
                console.print(f"{told_at - began:4.0f} s: {registered} registered, {over} over")
            if over >= self.launches and not self.complete_at:
                self.complete_at = time.time()
            if over >= self.launches and running == 0:
                self.clean_at = time.time()
                return
            if time.monotonic() - moved_at > _NO_PROGRESS_SECONDS:
                console.print(f"nothing moves: {registered} registered, {over} over, {running} executions running")
                return
            time.sleep(_LOOK_EVERY)

    def faults(self) -> list[str]:
        """What is not as the burst must end."""
        launches = self.platform.all_launches()
        copies = Counter(launch["configUri"] for launch in launches)
        statuses = Counter(launch["status"] for launch in launches)
        ended_badly = Counter(execution["status"] for execution in self._executions() if is_bad(execution))
        dead = {name: count for name, count in self.dead_letters().items() if count}
        found = {
            "configs without a launch": self.launches - len(copies),
            "configs with several launches": sum(count > 1 for count in copies.values()),
            "launches that are not COMPLETE": dict(statuses - Counter({"COMPLETE": statuses["COMPLETE"]})),
            "executions that did not succeed": dict(ended_badly),
            "dead letters": dead,
        }
        return [f"{what}: {count}" for what, count in found.items() if count]

    def seconds_to_answer(self) -> list[float]:
        """For each config, from its put to the answer beside it (which is written when it is registered)."""
        with ThreadPoolExecutor(_PUTTERS) as pool:
            return sorted(pool.map(self._seconds_to_answer, self.put_at))

    def answered_span(self) -> float:
        """Seconds from the first put to the last answer."""
        return max(start + seconds for start, seconds in self._answers()) - min(self.put_at.values())

    def dead_letters(self) -> dict[str, int]:
        """Messages in each dead-letter queue."""
        sqs = self.platform.client("sqs")
        urls = [url for url in sqs.list_queues()["QueueUrls"] if is_for_dead_letters(url)]
        name = "ApproximateNumberOfMessages"
        return {
            url.rsplit("/", 1)[1]: int(
                sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name]
            )
            for url in urls
        }

    def _answers(self) -> list[tuple[float, float]]:
        return [(start, self._seconds_to_answer(key)) for key, start in self.put_at.items()]

    def _put(self, number: int) -> None:
        key = f"launches/burst/{number:05}.yaml"
        self.put_at[key] = time.time()
        config = gwas_config() | {"name": f"burst-{number:05}"}
        self.platform.s3.put_object(
            Bucket=self.platform.name(Parameter.LAUNCH_BUCKET), Key=key, Body=yaml.safe_dump(config)
        )

    def _seconds_to_answer(self, key: str) -> float:
        feedback = f"feedback/{key.removeprefix('launches/')}.json"
        body = self.platform.s3.get_object(Bucket=self.platform.name(Parameter.LAUNCH_BUCKET), Key=feedback)["Body"]
        return datetime.fromisoformat(json.load(body)["at"]).timestamp() - self.put_at[key]

    def _progress(self) -> tuple[int, int, int]:
        """Launches registered, launches over, executions that run."""
        launches = self.platform.all_launches()
        over = sum("endedAt" in launch for launch in launches)
        # Executions are looked at only when the last ones are expected: listing them costs the cloud time.
        running = sum(1 for _ in self._executions("RUNNING")) if over >= self.launches else -1
        return len(launches), over, running

    def _executions(self, status: str | None = None) -> Iterator[dict[str, Any]]:
        states = self.platform.states
        filters = {"statusFilter": status} if status else {}
        for machine in states.list_state_machines()["stateMachines"]:
            pages = states.get_paginator("list_executions")
            for page in pages.paginate(stateMachineArn=machine["stateMachineArn"], **filters):
                yield from page["executions"]


def is_bad(execution: dict[str, Any]) -> bool:
    """The execution failed, was stopped, or still runs."""
    return bool(execution["status"] != "SUCCEEDED")


def is_for_dead_letters(queue_url: str) -> bool:
    """Every queue of the stacks whose construct is called so is one."""
    name = queue_url.rsplit("/", 1)[1].lower()
    return "deadletters" in name or "lostendings" in name


class PeakMemory:
    """The most memory that the embedded cloud and its functions' processes had at one moment, in bytes."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.total = 0
        self.server = 0

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(1.0):
            sizes = {pid: memory_bytes(pid) for pid in family(self._pid)}
            self.total = max(self.total, sum(sizes.values()))
            self.server = max(self.server, sizes[self._pid])


def family(pid: int) -> list[int]:
    """A process and its descendants, by Linux's /proc."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it ended meanwhile
            continue
        children.setdefault(parent, []).append(int(status.parent.name))
    found = [pid]
    for each in found:
        found.extend(children.get(each, []))
    return found


def memory_bytes(pid: int) -> int:
    """Of a process, pages that several share counted in parts (proc(5), Pss); 0 once it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def report(burst: Burst, memory: PeakMemory) -> None:
    """Prints the figures."""
    seconds = burst.seconds_to_answer()
    first_put = min(burst.put_at.values())
    table = Table("figure", "value", title=f"{burst.launches} configs dropped at once")
    rows = {
        "puts a second": f"{burst.launches / burst.put_seconds:.0f}",
        "registrations a second": f"{burst.launches / burst.answered_span():.0f}",
        "from put to registered, median": f"{median(seconds):.1f} s",
        "from put to registered, 99th percentile": f"{quantiles(seconds, n=100)[98]:.1f} s",
        "from the first put to the last COMPLETE": f"{burst.complete_at - first_put:.0f} s",
        "... and to the last clean-up": f"{burst.clean_at - first_put:.0f} s",
        "peak memory, the whole embedded cloud": f"{memory.total / _MEBIBYTE:.0f} MiB",
        "... of its server alone": f"{memory.server / _MEBIBYTE:.0f} MiB",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    console.print(table)


if __name__ == "__main__":
    main()
