"""The workflows that a stage runs: what the functions and the command line must know of each, described once.

Whatever several modules would have to ask for by `if workflow == …` is an attribute of WorkflowType; its default suits
a workflow that does nothing special, so an entry names only what differs. docs/decisions/110 lists the files that a new
workflow touches. The command line's own attributes are in `genolaunch/workflows.py`, the functions' own in
`lambdas/shared/workflow_functions.py`, the stacks' in `stacks/workflows.py`.

This module imports the contract and nothing else: what needs a model or a program's code is imported when it is asked
for (Later), so a function that looks up a flag stays quick to start.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from genolaunch.contract.errors import ErrorType
from genolaunch.contract.workflow import Workflow

if TYPE_CHECKING:
    from genolaunch.launch_configs.config_base import LaunchSection

_Wanted = TypeVar("_Wanted")


@dataclass(frozen=True, slots=True)
class Later(Generic[_Wanted]):
    """Something of another module, imported when it is called for. A test resolves every one of WORKFLOWS."""

    place: str
    """`module:name`."""

    def __call__(self) -> _Wanted:
        """Import the module, and return what it calls by that name."""
        module, _, name = self.place.partition(":")
        return cast(_Wanted, getattr(import_module(module), name))


USERS_ERRORS_OF_ANY: Final = frozenset(
    {
        ErrorType.MISSING_REQUIRED_PARAMETERS,
        ErrorType.LAUNCH_INPUT,
        ErrorType.INPUTS_CHANGED,
        ErrorType.APPLICATION_ERROR,
        ErrorType.OUT_OF_MEMORY,
        ErrorType.NO_SPACE_LEFT,
        ErrorType.SPOT_RECLAIMED,
        ErrorType.TIMED_OUT,
        ErrorType.STOPPED,
    }
)
"""What the author of any launch mends: its config, data, program, or the resources that it asks for."""


def _engine(section: Mapping[str, Any]) -> str | None:
    """What the section's key `engine` says."""
    engine: str | None = section.get("engine")
    return engine


def _regenie_with_version(section: Mapping[str, Any]) -> str:
    return f"regenie {section.get('version', '')}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowType:
    """What distinguishes a workflow from others. A launch config has its section under the workflow's name."""

    config: "Later[type[LaunchSection]]"
    """Model of its launch config."""

    sources_key: str | None = None
    """Key of its section that names a file in S3 with the workflow's sources beside it: other sources make another
    launch, though the config is the same."""

    engine: Callable[[Mapping[str, Any]], str | None] = _engine
    """Section -> what sums of costs and the analytics table call its engine."""

    users_errors: frozenset[ErrorType] = USERS_ERRORS_OF_ANY
    """What a launch's author mends. No alarm is raised for these; for all others one is, since the people who run the
    stage have to look (Metric.PLATFORM_FAULTS)."""

    writes_into_data: bool = False
    """Its launches work in their data folder, so two of them must not work in one another's."""

    runs_users_programs: bool = False
    """Its author's program runs in a launcher, which submits jobs of its own and has roles made for the launch:
    clean-up looks for these."""


WORKFLOWS: Final[Mapping[str, WorkflowType]] = {
    Workflow.REGENIE: WorkflowType(
        config=Later("genolaunch.launch_configs.regenie_config:RegenieLaunch"),
        engine=_regenie_with_version,
    ),
    Workflow.SNAKEMAKE: WorkflowType(
        config=Later("genolaunch.launch_configs.snakemake_config:SnakemakeLaunch"),
        sources_key="snakefile",
        # Its jobs run images and programs of its user's choice.
        users_errors=USERS_ERRORS_OF_ANY | {ErrorType.IMAGE_PULL, ErrorType.CONTAINER_START, ErrorType.ACCESS_DENIED},
        writes_into_data=True,
        runs_users_programs=True,
    ),
}
"""By their names (genolaunch.contract.workflow.Workflow), in the order in which people are told of them."""

_UNKNOWN: Final = WorkflowType(
    config=Later("genolaunch.launch_configs.config_base:LaunchSection"), users_errors=frozenset()
)


def workflow_type(workflow: str | None) -> WorkflowType:
    """A workflow's entry; for a launch without a known workflow one without any attribute, by which nothing that goes
    wrong is its author's fault.
    """
    return WORKFLOWS.get(workflow or "", _UNKNOWN)


def engine_of(workflow: str | None, config: Mapping[str, Any]) -> str | None:
    """What ran a launch with this config: Snakemake's engine, or regenie with its version."""
    return workflow_type(workflow).engine(config.get(workflow or "") or {})


def sources_named_by(config: Mapping[Any, Any]) -> str | None:
    """The file that a launch config names beside which its workflow's sources lie, as it is written there."""
    for workflow, type_ in WORKFLOWS.items():
        section = config.get(workflow)
        if type_.sources_key and isinstance(section, Mapping):
            named = section.get(type_.sources_key)
            if isinstance(named, str):
                return named
    return None
