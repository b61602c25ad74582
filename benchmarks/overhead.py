"""What the platform adds to a GWAS, and how long a newcomer waits: one run, figures as ratios where they can be.

    make benchmark                                     # the demo's launch against the same commands by hand
    .venv/bin/python -m benchmarks.overhead --clean-clone  # also `make demo` from a clean clone with an empty HOME

The platform's own share is the time from the S3 put to COMPLETE in which no job's command ran: events, functions,
state transitions, and the stand-ins for file system and scheduler. By hand means the planned commands, one after
another, in one folder. The launch has no quality control, which is a job of the platform's own. What a launch asks of
AWS, and its price: benchmarks.requests.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from rich.console import Console
from rich.table import Table

from genolaunch.local_stage import control
from genolaunch.local_stage.images import process_environment
from tests.local.platform_client import COHORT, PlatformClient

ROOT = Path(__file__).parents[1]
REGENIE_PHASES = ("split", "level0", "level1", "step1", "step2")
console = Console()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--clean-clone", action="store_true", help="also time `make demo` from a clean clone")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="genolaunch-overhead-") as scratch:
        measure_launch(Path(scratch))
        if chosen.clean_clone:
            measure_clean_clone(Path(scratch))


def measure_launch(scratch: Path) -> None:
    """Runs the demo's launch twice (the second one on warm functions), then its commands by hand."""
    started = time.monotonic()
    cloud = control.up(scratch / "state", port=control.free_port())
    try:
        booted = time.monotonic()
        control.deploy(cloud)
        console.print(f"embedded cloud up in {booted - started:.1f} s, deployed in {time.monotonic() - booted:.1f} s")
        platform = PlatformClient(cloud.environment())
        platform.upload_data(COHORT, "cohort/")
        config = yaml.safe_load((ROOT / "examples" / "gwas" / "launch.yaml").read_text())
        config["regenie"]["step1"]["qc"] = False
        for label in ("first launch (cold functions)", "second launch (warm functions)"):
            before = time.time()
            launch_id = platform.drop(config)["launchId"]
            launch = platform.wait_for(launch_id)
            if launch["status"] != "COMPLETE":
                sys.exit(f"the launch ended {launch['status']}: {launch.get('error')}")
            report(label, platform, launch, before)
        by_hand = run_by_hand(platform, launch["launchId"], scratch / "by-hand")
        total = epoch(launch["endedAt"]) - before
        console.print(f"\nthe same regenie commands by hand, one after another: {by_hand:.1f} s")
        console.print(f"second launch / by hand: {total:.1f} / {by_hand:.1f} = {total / by_hand:.2f}")
    finally:
        control.down(scratch / "state")


def report(label: str, platform: PlatformClient, launch: dict[str, Any], put_at: float) -> None:
    """Prints where the time of one launch went."""
    ended = epoch(launch["endedAt"])
    spans = job_spans(platform, launch["launchId"])
    busy = covered([span for job_spans_ in spans.values() for span in job_spans_])
    table = Table("part", "seconds", title=f"{label}: {ended - put_at:.1f} s from put to COMPLETE")
    steps = list(step_spans(platform, launch["workflowExecutionArn"]))
    claimed = epoch(launch["startedAt"])
    table.add_row("put → registered, streamed, claimed", f"{claimed - put_at:.2f}")
    table.add_row("claimed → first step", f"{steps[0].start - claimed:.2f}")
    for step in steps:
        table.add_row(f"step: {step.name}", f"{step.end - step.start:.2f}")
    table.add_row("last step → COMPLETE", f"{ended - steps[-1].end:.2f}")
    for phase, phase_spans in spans.items():
        table.add_row(f"jobs of {phase}, running", f"{covered(phase_spans):.2f}")
    table.add_row("a job's command running", f"{busy:.2f}")
    table.add_row("the platform's own share", f"{ended - put_at - busy:.2f}", style="bold")
    console.print(table)


def job_spans(platform: PlatformClient, launch_id: str) -> dict[str, list[tuple[float, float]]]:
    """phase -> [start, stop] of each of its jobs, epoch seconds."""
    spans: dict[str, list[tuple[float, float]]] = {}
    for job in platform.jobs(launch_id):
        for child in children(platform, job["jobId"]):
            spans.setdefault(job["jobName"].rsplit("-", 1)[1], []).append(
                (child["startedAt"] / 1000, child["stoppedAt"] / 1000)
            )
    return spans


def children(platform: PlatformClient, job_id: str) -> Iterator[dict[str, Any]]:
    """The job itself, or the children of an array, as ListJobs gives them."""
    (job,) = platform.batch.describe_jobs(jobs=[job_id])["jobs"]
    if "size" not in job.get("arrayProperties", {}):
        yield job
        return
    for page in platform.batch.get_paginator("list_jobs").paginate(arrayJobId=job_id, jobStatus="SUCCEEDED"):
        yield from page["jobSummaryList"]


class Step(NamedTuple):
    """A step of the workflow: a state name's part before the colon; epoch seconds."""

    name: str
    start: float
    end: float


def step_spans(platform: PlatformClient, execution: str) -> Iterator[Step]:
    """The execution's steps in order, from its history."""
    first: dict[str, float] = {}
    last: dict[str, float] = {}
    pages = platform.states.get_paginator("get_execution_history").paginate(executionArn=execution)
    for event in (event for page in pages for event in page["events"]):
        details = event.get("stateEnteredEventDetails") or event.get("stateExitedEventDetails")
        if details and ":" in details["name"]:
            step, moment = details["name"].split(":")[0], event["timestamp"].timestamp()
            first.setdefault(step, moment)
            last[step] = moment
    return (Step(name, first[name], last[name]) for name in first)


def covered(spans: list[tuple[float, float]]) -> float:
    """Seconds covered by at least one span."""
    total, reached = 0.0, float("-inf")
    for start, stop in sorted(spans):
        total += max(0.0, stop - max(start, reached))
        reached = max(reached, stop)
    return total


def run_by_hand(platform: PlatformClient, launch_id: str, folder: Path) -> float:
    """Seconds for the launch's own regenie commands, one after another, in one folder."""
    shutil.copytree(COHORT, folder / "data")
    environment = process_environment("genolaunch-regenie:4.1.2", folder / "bin")
    seconds = 0.0
    for phase in REGENIE_PHASES:
        for task in planned(platform, launch_id, phase):
            output = folder / "work" / task.get("output", "")
            output.mkdir(parents=True, exist_ok=True)
            (folder / "work" / "step1" / "split").mkdir(parents=True, exist_ok=True)
            fill = {"{data}": str(folder / "data"), "{work}": str(folder / "work"), "{output}": str(output)}
            if task.get("predictions"):
                lines = [f"{trait} {expand(path, fill)}\n" for trait, path in task["predictions"].items()]
                (output / "pred.list").write_text("".join(lines))
            before = time.monotonic()
            subprocess.run(
                [expand(word, fill) for word in task["command"]],
                env=environment,
                stdout=subprocess.DEVNULL,
                check=True,
            )
            seconds += time.monotonic() - before
    return seconds


def planned(platform: PlatformClient, launch_id: str, phase: str) -> list[dict[str, Any]]:
    """The lines of one phase of the launch's plan."""
    try:
        lines = platform.result(launch_id, f"plan/{phase}.jsonl").decode().splitlines()
    except platform.s3.exceptions.NoSuchKey:
        return []
    return [json.loads(line) for line in lines]


def expand(word: str, fill: dict[str, str]) -> str:
    """`word` with the plan's placeholders filled in."""
    for placeholder, value in fill.items():
        word = word.replace(placeholder, value)
    return word


def epoch(moment: str) -> float:
    """ISO 8601 to epoch seconds."""
    return datetime.fromisoformat(moment).timestamp()


def measure_clean_clone(scratch: Path) -> None:
    """Times `make setup` and `make demo` in a clean clone with an empty HOME."""
    clone, home = scratch / "clone", scratch / "home"
    home.mkdir()
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("VIRTUAL_ENV", "AWS_", "UV_CACHE"))}
    environment = kept | {"HOME": str(home), "PATH": os.pathsep.join(outside_the_virtual_environment())}
    seconds = {}
    for target in ("setup", "demo"):
        before = time.monotonic()
        subprocess.run(["make", target], cwd=clone, env=environment, check=True)
        seconds[target] = time.monotonic() - before
    subprocess.run([".venv/bin/genolaunch", "local", "down"], cwd=clone, env=environment, check=True)
    console.print(
        f"\nclean clone: set-up {seconds['setup']:.0f} s, `make demo` after it {seconds['demo']:.0f} s "
        f"(its own table above splits deploy and run), together {sum(seconds.values()):.0f} s"
    )


def outside_the_virtual_environment() -> list[str]:
    """PATH without this project's own virtual environment."""
    return [part for part in os.environ["PATH"].split(os.pathsep) if not part.startswith(str(ROOT / ".venv"))]


if __name__ == "__main__":
    main()
