"""Lists the files that a launch of regenie reads, so that archived ones are restored before anything is planned."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from lambdas.regenie.data_set import DataSet
from lambdas.regenie.input_files import input_files
from lambdas.regenie.predictions import read_predictions
from lambdas.shared.config_model import RegenieLaunch, RegenieParameters
from lambdas.shared.input_error import UnusableInputError
from lambdas.shared.launch_inputs import write_inputs_list
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import logger, metrics, tracer
from lambdas.shared.settings import read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function."""

    launch_table: str
    launch_bucket: str
    data_bucket: str


@cache
def settings() -> Settings:
    """The environment, read once."""
    return read_settings(Settings)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, str]:  # noqa: ARG001 - Lambda's signature
    """`{launchId}` -> `{inputs}`: key of the list in the launch bucket."""
    launch = LaunchRepository(settings().launch_table).get(event["launchId"])
    if launch is None:
        raise LookupError(f"There is no launch {event['launchId']}.")
    config = RegenieLaunch.model_validate(launch.config)
    data = DataSet.at(config.data_uri(settings().data_bucket))
    paths = (*input_files(config.regenie), *_predictions(data, config.regenie))
    return {"inputs": write_inputs_list(settings().launch_bucket, launch.launch_id, map(data.uri, paths))}


def _predictions(data: DataSet, parameters: RegenieParameters) -> Iterable[str]:
    """Files that a list of predictions names. While the list itself is archived or at fault, nobody knows them: after
    its restore the launch looks again, and planning says what is wrong with it."""
    if not parameters.step1.predictions:
        return ()
    try:
        return read_predictions(data, parameters.step1.predictions, parameters.traits).values()
    except UnusableInputError:
        return ()
