"""Teams of a stage that keeps them apart: whose a dropped file is, and what a team's launch may name.

A team's launches are told by their ids, which start with the team's name: results, items, logs and executions are named
after the launch, so a policy with the caller's session tag finds them (stacks/access.py).
"""

from collections.abc import Collection
from typing import Final

from contract import LAUNCH_PREFIX
from lambdas.shared.config_model import LaunchConfig, RegenieLaunch
from lambdas.shared.faults import Fault

NOBODY: Final = "unassigned"
"""In place of a team in the ids of launches that are rejected because they are of none; no team may be called so."""


def team_of(key: str, teams: Collection[str]) -> str | None:
    """The team of launches/<team>/…; None for what is anywhere else."""
    team, slash, _ = key.removeprefix(LAUNCH_PREFIX).partition("/")
    return team if key.startswith(LAUNCH_PREFIX) and slash and team in teams else None


def faults_of(
    config: LaunchConfig, team: str | None, *, data_bucket: str, readable_buckets: Collection[str] = ()
) -> list[Fault]:
    """Why a launch is none of this team's: every fault. `readable_buckets`: of others, whose data is for all teams."""
    if team is None:
        return [
            Fault(
                "the file",
                f"is in the folder of no team; this stage keeps teams apart, each below {LAUNCH_PREFIX}<team>/",
                "Drop it there (`genolaunch submit --team <team>`).",
            )
        ]
    if not isinstance(config, RegenieLaunch):
        return [
            Fault(
                "workflow",
                f"is {config.workflow}: a workflow is a program, which could read what other teams have in this stage",
                "Run it in a stage of the team's own.",
            )
        ]
    return [*_foreign_data(config, team, data_bucket, readable_buckets), *_foreign_predictions(config, team)]


def _foreign_data(config: RegenieLaunch, team: str, data_bucket: str, readable_buckets: Collection[str]) -> list[Fault]:
    uri = config.data_uri(data_bucket)
    # By name, and not all but the data bucket: planning reads the stage's results, too, which are of all teams.
    if uri.startswith((f"s3://{data_bucket}/{team}/", *(f"s3://{bucket}/" for bucket in readable_buckets))):
        return []
    return [
        Fault(
            "data",
            f"must be below {team}/, the team's folder of the data bucket"
            f"{_or_in(readable_buckets)}; you gave {config.data!r}",
            f"Copy the data set to {team}/.",
        )
    ]


def _or_in(readable_buckets: Collection[str]) -> str:
    return f", or in {', '.join(readable_buckets)}" if readable_buckets else ""


def _foreign_predictions(config: RegenieLaunch, team: str) -> list[Fault]:
    earlier = config.regenie.step1.from_launch
    if earlier is None or earlier.startswith(f"{team}-"):
        return []
    return [Fault("regenie.step1.from_launch", f"names {earlier}, which is not the team's", "Name a launch of yours.")]
