"""The newcomer's path: the whole platform on this machine, running a real GWAS. `make demo` calls it.

It does what a team does on AWS, one phase after another: start the (embedded) cloud, deploy, put the data where the
stage reads it, submit a launch, follow it, and fetch its results.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from genolaunch.commands.output import say
from genolaunch.contract.cost import CostStatus
from genolaunch.contract.launch import Status
from genolaunch.contract.results import WORK_REPORT, WORK_SUMSTATS
from genolaunch.costs import Cost, cost_of
from genolaunch.errors import GenolaunchError, sentence_for
from genolaunch.local import LOCAL_STAGE, StateDirOption, cloud_control, local_command
from genolaunch.platform import Platform
from genolaunch.progress import Progress, Snapshot
from genolaunch.render.costs import cost_view
from genolaunch.render.following import follow_launch
from genolaunch.render.screen import console
from genolaunch.render.words import duration
from genolaunch.results import download, results_of
from genolaunch.submission import submit, wait_for_answer
from genolaunch.uploads import planned_uploads, upload_file

if TYPE_CHECKING:
    from genolaunch.local_stage.control import Cloud

EXAMPLE = Path(__file__).parents[1] / "examples" / "gwas"

RESULTS_DIR = Path("demo-results")

_LOOK_EVERY = 0.5
"""Seconds: the demo is over in less than a minute, and its cloud is on this machine."""

_TOP_LOCI = 3

_MOST_LOOKS_FOR_COST = 120
"""A minute: instances that nobody uses go after seconds here."""


@dataclass
class Demo:
    """One run of the demo: where it shows things, and how long its parts took."""

    screen: Console
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str, doing: str) -> Iterator[Callable[[str], None]]:
        """Time a part and show that it goes on: a spinner on a terminal, else plain lines. Answers a teller of news."""
        started = time.monotonic()
        if self.screen.is_terminal:
            with self.screen.status(doing) as spinner:
                yield lambda news: spinner.update(f"{doing}: {news}")
        else:
            self.screen.print(f"{doing} …")
            yield lambda news: self.screen.print(Text(f"  {news}"))
        seconds = time.monotonic() - started
        self.seconds[name] = self.seconds.get(name, 0) + seconds
        self.screen.print(Text.assemble(("✓", "green"), f" {doing} ({_duration(seconds)})"))


def run(screen: Console, state_dir: Path, results_dir: Path) -> None:
    """Run the demo; raises GenolaunchError with the reason when it does not end with a COMPLETE launch."""
    demo = Demo(screen)
    start_cloud(demo, state_dir)
    platform = Platform(LOCAL_STAGE)
    launch_id = _submit_example(demo, platform)
    snapshot = follow(demo, platform, launch_id)
    folder = _fetch(demo, platform, snapshot, results_dir)
    cost = _wait_for_cost(demo, platform, snapshot)
    _show_ending(demo, snapshot, folder, state_dir, cost)


def start_cloud(demo: Demo, state_dir: Path) -> None:
    """Start and deploy the embedded cloud, and point this process's AWS clients at it."""
    with cloud_control() as control:
        with demo.phase("cloud", "Starting the embedded cloud"):
            cloud: Cloud = control.up(state_dir)
        if cloud.lost:
            demo.screen.print(cloud.lost)
        with demo.phase("deploy", "Deploying the app's stacks to it") as tell:
            control.deploy(cloud, LOCAL_STAGE, tell)
    # Whoever has a profile set is not to reach a real account by this.
    os.environ.pop("AWS_PROFILE", None)
    os.environ.pop("AWS_SESSION_TOKEN", None)
    os.environ.update(cloud.environment())


def _submit_example(demo: Demo, platform: Platform) -> str:
    config = EXAMPLE / "launch.yaml"
    with demo.phase("upload", "Putting the cohort into the data bucket") as tell:
        for upload in planned_uploads(platform, config, EXAMPLE / "cohort").uploads:
            tell(upload.key)
            upload_file(platform, upload, lambda _: None)
    return drop(demo, platform, config)


def drop(demo: Demo, platform: Platform, config: Path) -> str:
    """Submit a config; answers the launch's id, and raises GenolaunchError when it is rejected."""
    with demo.phase("submit", f"Dropping {config.name} into the launch bucket"):
        return submit_config(platform, config)


def submit_config(platform: Platform, config: Path) -> str:
    """Submit a config; the launch's id. Raises GenolaunchError with every fault when it is rejected."""
    answer = wait_for_answer(platform, submit(platform, config))
    if not answer.accepted or answer.launch_id is None:
        faults = "; ".join(f"{fault.where}: {fault.problem}" for fault in answer.faults)
        raise GenolaunchError(f"The demo's launch was rejected: {faults}.")
    return answer.launch_id


def follow(demo: Demo, platform: Platform, launch_id: str) -> Snapshot:
    """Show a launch until it is over; raises GenolaunchError with the reason when it is not COMPLETE then."""
    demo.screen.print(f"Launch {launch_id}:")
    started = time.monotonic()
    snapshot = follow_launch(demo.screen, Progress(platform, launch_id).follow(_LOOK_EVERY))
    demo.seconds["run"] = demo.seconds.get("run", 0) + time.monotonic() - started
    if snapshot.launch.status != Status.COMPLETE:
        error = snapshot.launch.error
        reason = f" ({error.type}: {error.message})" if error else ""
        raise GenolaunchError(f"The demo's launch ended {snapshot.launch.status}{reason}.")
    return snapshot


def _fetch(demo: Demo, platform: Platform, snapshot: Snapshot, results_dir: Path) -> Path:
    folder = results_dir / snapshot.launch.launch_id
    with demo.phase("download", "Downloading the results") as tell:
        for result in results_of(platform, snapshot.launch):
            tell(result.path)
            download(platform, result, folder, lambda _: None)
    if not (folder / WORK_REPORT).is_file():
        raise GenolaunchError(f"The launch is COMPLETE, but {snapshot.launch.results_uri} holds no {WORK_REPORT}.")
    return folder


def _wait_for_cost(demo: Demo, platform: Platform, snapshot: Snapshot) -> Cost:
    """What it cost, or as much as is known of that after a minute."""
    with demo.phase("cost", "Waiting until its instances and file system are gone, and it is priced"):
        for _ in range(_MOST_LOOKS_FOR_COST):
            cost = cost_of(platform, snapshot.launch)
            if cost.cost_status not in (None, CostStatus.PRICING):
                break
            time.sleep(_LOOK_EVERY)
    return cost


def _show_ending(demo: Demo, snapshot: Snapshot, folder: Path, state_dir: Path, cost: Cost) -> None:
    screen = demo.screen
    summaries = [json.loads(path.read_text()) for path in sorted((folder / WORK_SUMSTATS / "summary").glob("*.json"))]
    screen.print(heading("Top hits"), _top_hits(summaries), heading("Time"), times(demo.seconds), sep="\n")
    screen.print(heading("Cost", ", were it on AWS"), cost_view(cost), _about_prices(), sep="\n")
    screen.print(Text.assemble("\nStatus   ", (str(snapshot.launch.status), "bold green")))
    screen.print(Text(f"Results  {folder / WORK_SUMSTATS}"), soft_wrap=True)
    screen.print(Text(f"Report   {folder / WORK_REPORT}"), soft_wrap=True)
    screen.print(Text(how_to_go_on(state_dir)), soft_wrap=True)


def _about_prices() -> Text:
    with cloud_control():  # the demo needs localcloud anyway, and a wheel has it not
        from localcloud.pricing import RecordedPrices
    return Text(
        f"List prices of us-east-1 as recorded on {RecordedPrices().recorded}; the Spot prices are illustrative.", "dim"
    )


def _top_hits(summaries: Sequence[dict[str, Any]]) -> Table:
    table = Table("Trait", "Variant", "Position", "Beta", "-log10 p", box=None, pad_edge=False)
    for summary in summaries:
        for locus in summary["loci"][:_TOP_LOCI]:
            table.add_row(
                summary["trait"],
                locus["id"],
                f"{locus['chromosome']}:{locus['position']}",
                "–" if locus["beta"] is None else f"{locus['beta']:.3f}",
                f"{locus['log10p']:.1f}" + (" *" if locus["significant"] else ""),
            )
    table.caption = "* genome-wide significant (p < 5e-8)"
    table.caption_justify = "left"
    return table


def heading(title: str, rest: str = "") -> Text:
    """Above a part of what is shown."""
    return Text.assemble("\n", (title, "bold"), rest)


def times(seconds: dict[str, float]) -> Table:
    """How long the phases took, by Demo.seconds."""
    table = Table.grid(padding=(0, 2))
    for part, names in {
        "make environments": ("environment",),
        "start the cloud": ("cloud",),
        "deploy": ("deploy",),
        "upload and submit": ("upload", "submit"),
        "run": ("run",),
        "download": ("download",),
        "compare": ("compare",),
        "price": ("cost",),
    }.items():
        if any(name in seconds for name in names):
            table.add_row(part, _duration(sum(seconds.get(name, 0) for name in names)))
    table.add_row("together", _duration(sum(seconds.values())))
    table.columns[1].justify = "right"
    return table


def how_to_go_on(state_dir: Path) -> str:
    """What can be done with the cloud afterwards."""
    return f"""
The embedded cloud goes on running. Look around, with any AWS client too:
  source .venv/bin/activate
  eval "$({local_command("env", state_dir)})"
  genolaunch status latest
  genolaunch logs latest
Stop it with:
  {local_command("down", state_dir)}"""


def _duration(seconds: float) -> str:
    return duration(timedelta(seconds=seconds))


@contextmanager
def failures_told() -> Iterator[None]:
    """End a demo that fails with one sentence and exit code 1; what has no sentence is a fault of ours, and raised."""
    try:
        yield
    except Exception as error:
        sentence = sentence_for(error)
        if sentence is None:
            raise
        say(f"The demo failed: {sentence}", err=True)
        raise typer.Exit(1) from error


def demo(
    state_dir: StateDirOption,
    results_dir: Annotated[Path, typer.Option(help="Where the results go, in a folder a launch.")] = RESULTS_DIR,
) -> None:
    """Run a real GWAS on the whole platform on this machine. The embedded cloud goes on running afterwards."""
    with failures_told():
        run(console(), state_dir, results_dir)


if __name__ == "__main__":
    typer.run(demo)
