"""Teams of a stage that separates them: the team of a dropped file, and what its launch may name.

A team's launches are told by their ids, which start with the team's name: results, items, logs and executions are named
after the launch, so a policy with the caller's session tag finds them (stacks/access.py).
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from genolaunch.contract.launch_bucket import LAUNCH_PREFIX, SOURCES_PREFIX
from genolaunch.contract.workflow import SnakemakeEngine
from genolaunch.launch_configs.config_base import LaunchSection
from genolaunch.shared.faults import Fault
from lambdas.shared.workflow_functions import functions_for

if TYPE_CHECKING:
    from genolaunch.launch_configs.regenie_config import RegenieLaunch
    from genolaunch.launch_configs.snakemake_config import SnakemakeLaunch

NOBODY: Final = "unassigned"
"""In place of a team in the ids of launches that are rejected because they are of none; no team may be called so."""


def team_of(key: str, teams: Collection[str]) -> str | None:
    """The team of launches/<team>/…; None for what is anywhere else."""
    team, slash, _ = key.removeprefix(LAUNCH_PREFIX).partition("/")
    return team if key.startswith(LAUNCH_PREFIX) and slash and team in teams else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets:
    """Where a stage's launches may have their files."""

    launch: str
    data: str
    readable: Collection[str] = ()
    """Of others, whose data is for all teams."""


TeamRule = Callable[[Any, str, Buckets], list[Fault]]
"""Of a launch config of the workflow, a team and the stage's buckets (WorkflowFunctions.team_faults)."""


def faults_of(
    config: LaunchSection,
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
                f"is not in the folder of a team; this stage separates teams, each below {LAUNCH_PREFIX}<team>/",
                "Drop it there (`genolaunch submit --team <team>`).",
            )
        ]
    buckets = Buckets(launch=launch_bucket, data=data_bucket, readable=readable_buckets)
    rule: TeamRule = functions_for(config.workflow).team_faults()
    return rule(config, team, buckets)


def foreign_data(config: LaunchSection, team: str, buckets: Buckets) -> list[Fault]:
    """Of a launch that reads its data only, and writes into its results."""
    uri = config.data_uri(buckets.data)
    # By name, and not all but the data bucket: planning reads the stage's results, too, which are of all teams.
    if uri.startswith((f"s3://{buckets.data}/{team}/", *(f"s3://{bucket}/" for bucket in buckets.readable))):
        return []
    return [
        Fault(
            "data",
            f"must be below {team}/, the team's folder of the data bucket"
            f"{_or_in(buckets.readable)}; you gave {config.data!r}",
            f"Copy the data set to {team}/.",
        )
    ]


def foreign_data_or_predictions(config: "RegenieLaunch", team: str, buckets: Buckets) -> list[Fault]:
    """Of a launch of regenie."""
    return [*foreign_data(config, team, buckets), *_foreign_predictions(config, team)]


def foreign_data_hosts_or_sources(config: "SnakemakeLaunch", team: str, buckets: Buckets) -> list[Fault]:
    """Of a Snakemake launch. It writes beside its inputs, so that its data is the team's own."""
    return [
        *_shared_hosts(config),
        *foreign_data(config, team, replace(buckets, readable=())),
        *_foreign_sources(config, team, buckets),
    ]


def _shared_hosts(config: "SnakemakeLaunch") -> list[Fault]:
    """On one host of Batch a job can have what its neighbours have (docs/security.md, "Jobs of others on one host")."""
    if config.snakemake.engine is SnakemakeEngine.TIBANNA:
        return []
    return [
        Fault(
            "snakemake.engine",
            f"is {config.snakemake.engine}, whose jobs share hosts with jobs of other teams",
            f"Use the engine {SnakemakeEngine.TIBANNA}, which gives each job an instance of its own.",
        )
    ]


def _foreign_sources(config: "SnakemakeLaunch", team: str, buckets: Buckets) -> list[Fault]:
    """What is beside a Snakefile is copied to its launch, which may read it then."""
    given = config.snakemake.snakefile
    uri = given if given.startswith("s3://") else f"s3://{buckets.launch}/{given}"
    sources = [f"s3://{buckets.launch}/{SOURCES_PREFIX}{team}/", f"s3://{buckets.data}/{team}/"]
    if uri.startswith((*sources, *(f"s3://{each}/" for each in buckets.readable))):
        return []
    return [
        Fault(
            "snakemake.snakefile",
            f"must be below {SOURCES_PREFIX}{team}/, the team's folder of sources; you gave {given!r}",
            f"Put the workflow there, or below {team}/ of the data bucket.",
        )
    ]


def _or_in(readable_buckets: Collection[str]) -> str:
    return f", or in {', '.join(readable_buckets)}" if readable_buckets else ""


def _foreign_predictions(config: "RegenieLaunch", team: str) -> list[Fault]:
    earlier = config.regenie.step1.from_launch
    if earlier is None or earlier.startswith(f"{team}-"):
        return []
    return [
        Fault("regenie.step1.from_launch", f"names {earlier}, which is not the team's", "Name a launch of your team.")
    ]
