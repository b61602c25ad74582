"""Checks a launch's current config at each claim, and before a person's change of it is written.

A launch is registered once and may be edited since, by hand or by a request. So it never runs by copies of what its
config said before.
"""

import json
from typing import Final, Protocol

from genolaunch.contract.errors import ErrorType
from genolaunch.contract.launch import LaunchField
from genolaunch.launch_configs.config_reader import check_config
from genolaunch.shared.errors import MissingRequiredParametersError
from genolaunch.shared.faults import Fault
from genolaunch.shared.launch_item import LARGEST_HISTORY
from lambdas.shared.launch import Launch
from lambdas.shared.slurm_cluster import NO_CLUSTER
from lambdas.workflow_manager.teams import faults_of

_NO_ROOM: Final = Fault(
    "the launch",
    "was changed so often that its item has no room for what becomes of it next",
    "Submit its config again: that is another launch.",
)


class ClaimSettings(Protocol):
    """Settings of a function that checks a launch's config again."""

    @property
    def launch_bucket(self) -> str:
        """The stage's; needed where it keeps teams apart."""

    @property
    def data_bucket(self) -> str:
        """The stage's."""

    @property
    def compute_services(self) -> str:
        """Where its launches may run, separated by commas."""

    @property
    def teams(self) -> str:
        """That it keeps apart, separated by commas."""

    @property
    def readable_buckets(self) -> str:
        """Of others, whose data is for all teams, separated by commas."""


def told_by_config(launch: Launch, given: ClaimSettings, values: object = None) -> dict[str, object]:
    """Attributes of the launch table that its config tells, and the config itself with every default.

    Args:
        launch: Whose config it is; a team's reads that team's data only.
        given: Settings of the function.
        values: A config in place of the launch's own.

    Raises:
        MissingRequiredParametersError: it cannot run in this stage. Names every fault.
    """
    if len(json.dumps(list(launch.events or ()), default=str)) > LARGEST_HISTORY:
        raise MissingRequiredParametersError([_NO_ROOM])
    config = check_config(launch.config if values is None else values)
    faults = [] if config.compute in given.compute_services.split(",") else [NO_CLUSTER]
    if given.teams:
        team = launch.team if launch.team in given.teams.split(",") else None
        readable = [name for name in given.readable_buckets.split(",") if name]
        faults += faults_of(
            config,
            team,
            launch_bucket=given.launch_bucket,
            data_bucket=given.data_bucket,
            readable_buckets=readable,
        )
    if faults:
        raise MissingRequiredParametersError(faults)
    return {
        LaunchField.NAME: config.name,
        LaunchField.WORKFLOW: config.workflow,
        LaunchField.COMPUTE_SERVICE: config.compute,
        LaunchField.DATA_PATH: config.data_uri(given.data_bucket),
        LaunchField.CONFIG: config.as_json(),
    }


def check_registered(launch: Launch, given: ClaimSettings) -> dict[str, object]:
    """The same of a launch's own config; one that was never accepted has the fault that it has none."""
    if launch.config_json is None:
        fault = Fault("config", "is missing: the launch was never accepted", "Correct its file, and submit it again.")
        raise MissingRequiredParametersError([fault])
    return told_by_config(launch, given)


def error_of(faulty: MissingRequiredParametersError) -> dict[str, object]:
    """As a launch's `error` has it."""
    return {
        "type": ErrorType.MISSING_REQUIRED_PARAMETERS.value,
        "message": faulty.summary,
        "faults": [fault.as_dict() for fault in faulty.faults],
    }
