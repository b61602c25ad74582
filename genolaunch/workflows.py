"""The workflows that a stage runs: what the command line must know of each, described once.

What functions know as well is in `launch_configs/workflows.py`. What commands would have to ask for by
`if workflow == …` is an attribute of WorkflowCommands, and its default suits a workflow that does nothing special.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from genolaunch.contract.workflow import Workflow
from genolaunch.launch_configs.workflows import Later

if TYPE_CHECKING:
    from genolaunch.launch import FailedJob, Fault, Launch
    from genolaunch.platform import Platform
    from genolaunch.results import ResultObject
    from genolaunch.snakemake_jobs import SnakemakeLogs
    from genolaunch.uploads import Place

    InputFaults = Callable[[Any, Path, Place], tuple[Fault, ...]]
    NamesOfJobs = Callable[[Platform, Launch, Sequence[FailedJob]], list[FailedJob]]
    Results = Callable[[Platform, Launch], list[ResultObject]]


_EXPORTED: "Final[Later[Results]]" = Later("genolaunch.results:exported_results")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowCommands:
    """What distinguishes a workflow from others for the people who follow its launches."""

    input_faults: "Later[InputFaults] | None" = None
    """Launch config, folder and place of its upload -> what is wrong with its inputs, before they are uploaded."""

    log_reader: "Later[type[SnakemakeLogs]] | None" = None
    """Reads the logs of its jobs; by default those of Batch or of the Slurm cluster, wherever it ran."""

    names_of_failed_jobs: "Later[NamesOfJobs] | None" = None
    """Failed jobs -> the same, with the names by which their author knows them."""

    results: "Later[Results]" = _EXPORTED
    """What a launch leaves for its people."""

    instead_of_commands: str | None = None
    """What is said where planning writes no commands of jobs; `{launch_id}` stands for the launch's."""

    note_on_rerun: str | None = None
    """What somebody should know who runs a launch again."""

    names_its_files: bool = False
    """Its section names each file that a launch reads: those that are newer than the launch can be told."""

    has_phases: bool = False
    """A retry may give the jobs of a phase other resources (`resources` of its section)."""


WORKFLOWS: Final[Mapping[str, WorkflowCommands]] = {
    Workflow.REGENIE: WorkflowCommands(
        input_faults=Later("genolaunch.input_check:faults_of_regenies_inputs"),
        names_its_files=True,
        has_phases=True,
    ),
    Workflow.SNAKEMAKE: WorkflowCommands(
        log_reader=Later("genolaunch.snakemake_jobs:SnakemakeLogs"),
        names_of_failed_jobs=Later("genolaunch.snakemake_jobs:with_rules"),
        results=Later("genolaunch.results:report_and_written_results"),
        instead_of_commands="The commands of a Snakemake launch are its rules': `genolaunch logs {launch_id}` shows "
        "what ran.",
        note_on_rerun="It works in the same folder of the data bucket as before: what is complete there is not made "
        "again, unless its inputs are newer.",
    ),
}
"""By their names (genolaunch.contract.workflow.Workflow)."""

_UNKNOWN: Final = WorkflowCommands()


def commands_for(workflow: str | None) -> WorkflowCommands:
    """A workflow's entry; every default for a launch without one that is known here, such as a newer stage's."""
    return WORKFLOWS.get(workflow or "", _UNKNOWN)
