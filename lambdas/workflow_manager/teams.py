"""Teams of a stage that keeps them apart: whose a dropped file is, and what a team's launch may name.

A team's launches are told by their ids, which start with the team's name: results, items, logs and executions are named
after the launch, so a policy with the caller's session tag finds them (stacks/access.py).
"""

from collections.abc import Collection
from typing import Final

from contract.launch_bucket import LAUNCH_PREFIX, SOURCES_PREFIX
from contract.workflow import SnakemakeEngine
from lambdas.shared.config_model import LaunchConfig, RegenieLaunch
from lambdas.shared.faults import Fault
from lambdas.shared.snakemake_config import SnakemakeLaunch

NOBODY: Final = "unassigned"
"""In place of a team in the ids of launches that are rejected because they are of none; no team may be called so."""


def team_of(key: str, teams: Collection[str]) -> str | None:
    """The team of launches/<team>/…; None for what is anywhere else."""
    team, slash, _ = key.removeprefix(LAUNCH_PREFIX).partition("/")
    return team if key.startswith(LAUNCH_PREFIX) and slash and team in teams else None


def faults_of(
    config: LaunchConfig,
    team: str | None,
    *,
    launch_bucket: str,
    data_bucket: str,
    readable_buckets: Collection[str] = (),
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
    if isinstance(config, SnakemakeLaunch):
        # It writes beside its inputs, so that its data is the team's own.
        sources = [f"s3://{launch_bucket}/{SOURCES_PREFIX}{team}/", f"s3://{data_bucket}/{team}/"]
        return [
            *_shared_hosts(config),
            *_foreign_data(config, team, data_bucket, ()),
            *_foreign_sources(config, team, launch_bucket, [*sources, *(f"s3://{each}/" for each in readable_buckets)]),
        ]
    return [*_foreign_data(config, team, data_bucket, readable_buckets), *_foreign_predictions(config, team)]


def _shared_hosts(config: SnakemakeLaunch) -> list[Fault]:
    """On one host of Batch a job can have what its neighbours have (docs/security.md, "Jobs of others on one host")."""
    if config.snakemake.engine is SnakemakeEngine.TIBANNA:
        return []
    return [
        Fault(
            "snakemake.engine",
            f"is {config.snakemake.engine}, whose jobs share hosts with those of other teams",
            f"Use the engine {SnakemakeEngine.TIBANNA}, which gives each job an instance of its own.",
        )
    ]


def _foreign_sources(config: SnakemakeLaunch, team: str, launch_bucket: str, allowed: Collection[str]) -> list[Fault]:
    """What is beside a Snakefile is copied to its launch, which may read it then."""
    given = config.snakemake.snakefile
    uri = given if given.startswith("s3://") else f"s3://{launch_bucket}/{given}"
    if uri.startswith(tuple(allowed)):
        return []
    return [
        Fault(
            "snakemake.snakefile",
            f"must be below {SOURCES_PREFIX}{team}/, the team's folder of sources; you gave {given!r}",
            f"Put the workflow there, or below {team}/ of the data bucket.",
        )
    ]


def _foreign_data(
    config: RegenieLaunch | SnakemakeLaunch, team: str, data_bucket: str, readable_buckets: Collection[str]
) -> list[Fault]:
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
