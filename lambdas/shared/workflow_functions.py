"""The workflows that a stage runs: what the functions alone must know of each, described once.

What the command line knows as well is in `genolaunch/launch_configs/workflows.py`. As there, an attribute's default
suits a workflow that does nothing special, and what it names is imported when it is asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from genolaunch.contract.workflow import Workflow
from genolaunch.launch_configs.workflows import Later

_FOREIGN_DATA: "Final[Later[Any]]" = Later("lambdas.workflow_manager.teams:foreign_data")
_BY_DATA: "Final[Later[Any]]" = Later("lambdas.pricing.estimate.by_data:BY_DATA")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowFunctions:
    """What distinguishes a workflow from others for the functions.

    The types are of other capabilities, which not every bundle has: teams.TeamRule and workload.FirstPrinciples.
    """

    team_faults: Later[Any] = _FOREIGN_DATA
    """Says why a launch does not belong to a team (stages that keep teams apart)."""

    first_principles: Later[Any] = _BY_DATA
    """What a launch costs while none like it has a price."""


WORKFLOWS: Final[Mapping[str, WorkflowFunctions]] = {
    Workflow.REGENIE: WorkflowFunctions(
        team_faults=Later("lambdas.workflow_manager.teams:foreign_data_or_predictions"),
        first_principles=Later("lambdas.pricing.estimate.of_regenie:OF_REGENIE"),
    ),
    Workflow.SNAKEMAKE: WorkflowFunctions(
        team_faults=Later("lambdas.workflow_manager.teams:foreign_data_hosts_or_sources"),
    ),
}
"""By their names (genolaunch.contract.workflow.Workflow)."""

_UNKNOWN: Final = WorkflowFunctions()


def functions_for(workflow: str | None) -> WorkflowFunctions:
    """A workflow's entry; every default for a launch without a known workflow."""
    return WORKFLOWS.get(workflow or "", _UNKNOWN)
