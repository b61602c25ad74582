"""Archived cohorts on the embedded cloud: launches wait for them and go on by themselves. `make demo-restore` calls it.

Three copies of the demo's cohort are put where a team's cold data lies: in Glacier, in a mix of storage classes, and in
the archive tiers of Intelligent-Tiering. Nobody touches the three launches any more once they are submitted. What takes
S3 hours takes the embedded cloud seconds.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import typer
import yaml
from rich.console import Console
from rich.table import Table

from genolaunch.contract.launch import Status
from genolaunch.demo import EXAMPLE, Demo, failures_told, follow, heading, start_cloud, submit_config
from genolaunch.errors import GenolaunchError
from genolaunch.launch import Launch
from genolaunch.launches import Launches
from genolaunch.local import LOCAL_STAGE, StateDirOption, cloud_control, local_command
from genolaunch.platform import Platform
from genolaunch.render.screen import console
from genolaunch.restores import Restore, restore_of

_WAY: Final = (Status.WAITING, Status.READY, Status.RUNNING, Status.COMPLETE)

_TIERED: Final = "INTELLIGENT_TIERING"


@dataclass(frozen=True, eq=False)
class Cohort:
    """A copy of the demo's cohort."""

    name: str
    lies_in: str
    """In words."""
    classes: Mapping[str, str]
    """Suffix of a file -> its storage class; others are in S3 Standard."""
    tiers: Mapping[str, str]
    """Suffix -> archive tier of Intelligent-Tiering."""

    @property
    def prefix(self) -> str:
        """Where it is in the data bucket."""
        return f"demo-restore/{self.name}/"


COHORTS: Final = (
    Cohort(
        "glacier", "Glacier Flexible Retrieval", dict.fromkeys((".bed", ".bim", ".fam", ".txt"), "GLACIER"), tiers={}
    ),
    Cohort(
        "mixed",
        "Deep Archive, Flexible Retrieval, Instant Retrieval, Standard",
        {".bed": "DEEP_ARCHIVE", ".bim": "GLACIER", ".fam": "GLACIER_IR"},
        tiers={},
    ),
    Cohort(
        "tiered",
        "archive tiers of Intelligent-Tiering",
        dict.fromkeys((".bed", ".bim", ".fam"), _TIERED),
        tiers={".bed": "ARCHIVE_ACCESS", ".bim": "DEEP_ARCHIVE_ACCESS"},
    ),
)


def run(screen: Console, state_dir: Path) -> None:
    """Run the demo; raises GenolaunchError with the reason when a launch did not wait, or is not COMPLETE."""
    demo = Demo(screen)
    start_cloud(demo, state_dir)
    platform = Platform(LOCAL_STAGE)
    with demo.phase("upload", "Putting three cohorts into archives") as tell:
        for cohort in COHORTS:
            tell(f"{cohort.name}: {cohort.lies_in}")
            _archive(platform, cohort)
    with demo.phase("submit", "Dropping a launch for each into the launch bucket"):
        launch_ids = {cohort: _submit(platform, cohort) for cohort in COHORTS}
    restores = {}
    for cohort, launch_id in launch_ids.items():
        screen.print(heading(cohort.name, f": {cohort.lies_in}"))
        follow(demo, platform, launch_id)
        restores[cohort] = _restored(platform, launch_id)
    screen.print(heading("What became of them, with nobody touching them"))
    for cohort, launch_id in launch_ids.items():
        screen.print(f"{cohort.name:<8} {_way(Launches(platform).get(launch_id))}", soft_wrap=True)
    screen.print(heading("Restored"), _table(restores), sep="\n")
    screen.print(f"\nSee one of them:  genolaunch restores {launch_ids[COHORTS[0]]}", soft_wrap=True)
    screen.print(f"Stop the cloud:   {local_command('down', state_dir)}", soft_wrap=True)


def _archive(platform: Platform, cohort: Cohort) -> None:
    bucket = platform.names.data_bucket
    for path in sorted((EXAMPLE / "cohort").iterdir()):
        key = cohort.prefix + path.name
        storage_class = cohort.classes.get(path.suffix, "STANDARD")
        platform.s3.upload_file(str(path), bucket, key, ExtraArgs={"StorageClass": storage_class})
        if path.suffix in cohort.tiers:
            _age(platform, key, cohort.tiers[path.suffix])


def _age(platform: Platform, key: str, tier: str) -> None:
    """Let an object move to an archive tier, as it does when nobody reads it for months."""
    body = {"archive": {"bucket": platform.names.data_bucket, "key": key, "tier": tier}}
    with cloud_control():  # as in the demo: a wheel has no embedded cloud
        from localcloud.clients import ask, owner
    ask(platform.s3.meta.endpoint_url, "/_localcloud/inject/glacier", owner(), body).close()


def _submit(platform: Platform, cohort: Cohort) -> str:
    config = yaml.safe_load((EXAMPLE / "launch.yaml").read_text())
    config |= {"name": f"restore-{cohort.name}", "data": cohort.prefix.removesuffix("/")}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, f"restore-{cohort.name}.yaml")
        file.write_text(yaml.safe_dump(config))
        return submit_config(platform, file)


def _restored(platform: Platform, launch_id: str) -> Restore:
    launch = Launches(platform).get(launch_id)
    restore = restore_of(platform, launch)
    statuses = tuple(change.status for change in launch.events)
    if restore is None or restore.restored != restore.objects or statuses[-len(_WAY) :] != _WAY:
        raise GenolaunchError(f"Launch {launch_id} did not wait for all of its archived inputs: {_way(launch)}.")
    return restore


def _way(launch: Launch) -> str:
    """The statuses that a launch had, each with the seconds until the next."""
    changes = launch.events
    stays = [
        f"{change.status} {(following.at - change.at).total_seconds():.0f} s" for change, following in pairwise(changes)
    ]
    return " → ".join([*stays, changes[-1].status])


def _table(restores: Mapping[Cohort, Restore]) -> Table:
    table = Table("Cohort", "Lay in", "Objects", "Tier", "Launch", box=None, pad_edge=False)
    for cohort, restore in restores.items():
        table.add_row(
            cohort.name, cohort.lies_in, f"{restore.restored} of {restore.objects}", restore.tier, restore.launch_id
        )
    return table


def demo(
    state_dir: StateDirOption,
) -> None:
    """Run GWASs on archived cohorts on this machine. The embedded cloud goes on running afterwards."""
    with failures_told():
        run(console(), state_dir)


if __name__ == "__main__":
    typer.run(demo)
