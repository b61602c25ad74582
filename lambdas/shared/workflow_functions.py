"""The registry of workflows for the functions: what only they need to know about each workflow.

What the command line also needs is in `genolaunch/launch_configs/workflows.py`. As there, an attribute's default
suits a workflow that does nothing special, and the module that it names is imported when the attribute is used.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from genolaunch.contract.workflow import Workflow
from genolaunch.launch_configs.workflows import Later

_FOREIGN_DATA: "Final[Later[Any]]" = Later("lambdas.workflow_manager.teams:foreign_data")
_BY_DATA: "Final[Later[Any]]" = Later("lambdas.pricing.estimate.by_data:BY_DATA")
_NO_RECORDS: "Final[Later[Any]]" = Later("lambdas.provenance.records:read_nothing")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowFunctions:
    """What distinguishes a workflow from others for the functions.

    The attributes' types, teams.TeamRule, workload.FirstPrinciples and records.ReadsRecords, are in modules that not
    every bundle has.
    """

    team_faults: Later[Any] = _FOREIGN_DATA
    """Says why a launch does not belong to a team (in stages that separate teams)."""

    first_principles: Later[Any] = _BY_DATA
    """Estimates a launch's cost while no similar launch has a price."""

    run_records: Later[Any] = _NO_RECORDS
    """Reads what is known of a launch's last attempt, to describe it: inputs, outputs, images, software."""


WORKFLOWS: Final[Mapping[str, WorkflowFunctions]] = {
    Workflow.REGENIE: WorkflowFunctions(
        team_faults=Later("lambdas.workflow_manager.teams:foreign_data_or_predictions"),
        first_principles=Later("lambdas.pricing.estimate.of_regenie:OF_REGENIE"),
        run_records=Later("lambdas.provenance.of_regenie:read_records"),
    ),
    Workflow.SNAKEMAKE: WorkflowFunctions(
        team_faults=Later("lambdas.workflow_manager.teams:foreign_data_hosts_or_sources"),
        run_records=Later("lambdas.provenance.of_snakemake:read_records"),
    ),
}
"""By their names (genolaunch.contract.workflow.Workflow)."""

_UNKNOWN: Final = WorkflowFunctions()


def functions_for(workflow: str | None) -> WorkflowFunctions:
    """Return a workflow's entry; one with all defaults for a launch without a known workflow."""
    return WORKFLOWS.get(workflow or "", _UNKNOWN)
