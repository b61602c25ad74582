"""Lists the files that a launch of regenie reads, so that archived ones are restored before anything is planned."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from genolaunch.launch_configs.regenie_config import RegenieLaunch, RegenieParameters
from genolaunch.regenie.data_set import DataSet
from genolaunch.regenie.input_files import input_files, state_of
from genolaunch.regenie.predictions import read_predictions
from genolaunch.shared.input_error import FaultCollector, UnusableInputError
from lambdas.shared.function import function
from lambdas.shared.kept_errors import keeping_faults
from lambdas.shared.launch_inputs import write_inputs_list
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.settings import settings_of

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_AT_A_TIME: Final = 10
"""HeadObjects: as many as botocore keeps connections."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function."""

    launch_table: str
    task_table: str
    launch_bucket: str
    data_bucket: str


settings = settings_of(Settings)


@function
@keeping_faults(lambda: settings().task_table)
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, str]:
    """`{launchId, check?}` -> `{inputs}`: key of the list in the launch bucket.

    With `check`, raises LaunchInputError that names every file of the config that is not there, or may not be read.
    """
    launch = LaunchRepository(settings().launch_table).get(event["launchId"])
    if launch is None:
        raise LookupError(f"There is no launch {event['launchId']}.")
    config = RegenieLaunch.model_validate(launch.config)
    data = DataSet.at(config.data_uri(settings().data_bucket))
    if event.get("check"):
        _check(data, input_files(config.regenie))
    paths = (*input_files(config.regenie), *_predictions(data, config.regenie))
    return {"inputs": write_inputs_list(settings().launch_bucket, launch.launch_id, map(data.uri, paths))}


def _check(data: DataSet, files: Mapping[str, str]) -> None:
    """`files`: path -> the config key that names it."""

    def fault(path: str) -> UnusableInputError | None:
        try:
            state_of(data, path)
        except UnusableInputError as error:
            return error
        return None

    faults = FaultCollector()
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        for where, found in zip(files.values(), pool.map(fault, files), strict=True):
            if found:
                faults.add(where, found.problem, found.remedy)
    faults.raise_if_any()


def _predictions(data: DataSet, parameters: RegenieParameters) -> Iterable[str]:
    """Files that a list of predictions names. While the list itself is archived or at fault, nobody knows them: after
    its restore the launch looks again, and planning says what is wrong with it."""
    if not parameters.step1.predictions:
        return ()
    try:
        return read_predictions(data, parameters.step1.predictions, parameters.traits).values()
    except UnusableInputError:
        return ()
