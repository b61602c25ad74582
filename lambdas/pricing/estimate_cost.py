"""Estimates what a launch will cost before anything is built for it, and holds one that is above its budget."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from genolaunch.contract.launch import BudgetAction, HeldFor, LaunchField, Status
from genolaunch.launch_configs.config_reader import read_config
from genolaunch.shared import aws
from genolaunch.shared.errors import MissingRequiredParametersError, StatusConflictError
from lambdas.pricing.estimate.budget import Budget, above_estimate
from lambdas.pricing.estimate.notice import tell_of_budget
from lambdas.pricing.estimate.past_launches import past_launches
from lambdas.pricing.estimate.reckoning import estimate
from lambdas.pricing.estimate.workload import measure
from lambdas.pricing.price_list import PriceList
from lambdas.pricing.rates.money import PriceError
from lambdas.shared.announcement import announce
from lambdas.shared.function import function
from lambdas.shared.launch import Launch
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.observability import logger
from lambdas.shared.placements import read_places
from lambdas.shared.settings import settings_of

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function."""

    stage: str
    launch_table: str
    price_table: str
    data_bucket: str
    placements: str
    notification_topic: str
    event_bus: str


settings = settings_of(Settings)


@function
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, Any]:
    """`{launchId, executionArn}` -> `{decision}`; `{config: text, isJson}` -> `{estimate}` or `{faults}`.

    The launch gets its `estimate`. The decision is START, HELD, or OVER if the launch no longer belongs to this
    execution. A launch that cannot be estimated is started, and its budget is watched while it runs.
    """
    if "config" in event:
        return _of_config(event["config"], is_json=event.get("isJson", False))
    repository = LaunchRepository(settings().launch_table)
    launch = repository.get(event["launchId"])
    if launch is None:
        raise LookupError(f"There is no launch {event['launchId']}.")
    try:
        told = _estimate(launch.config, launch.data_path or "", launch.compute_service or "")
    except PriceError as unknown:
        logger.warning("No estimate", extra={"launchId": launch.launch_id, "reason": str(unknown)})
        return {"decision": "START"}
    try:
        return {"decision": _decide(repository, launch, event["executionArn"], told)}
    except StatusConflictError as conflict:
        logger.info(
            "The launch no longer waits for the estimate", extra={"launchId": launch.launch_id, "reason": str(conflict)}
        )
        return {"decision": "OVER"}


def _of_config(text: str, *, is_json: bool) -> dict[str, Any]:
    try:
        checked = read_config(text.encode(), is_json=is_json)
    except MissingRequiredParametersError as error:
        return {"faults": [fault.as_dict() for fault in error.faults]}
    config = json.loads(checked.as_json())
    try:
        return {"estimate": _estimate(config, checked.data_uri(settings().data_bucket), str(checked.compute))}
    except PriceError as unknown:
        return {"estimate": None, "reason": str(unknown)}


def _estimate(config: Mapping[str, Any], data_uri: str, compute_service: str) -> dict[str, Any]:
    workload = measure(config, data_uri, compute_service)
    now = datetime.now(UTC)
    region = aws.client("dynamodb").meta.region_name
    prices = PriceList(settings().price_table, region, (now - timedelta(hours=1), now))
    zone = read_places(settings().placements).zones[0].zone
    past = past_launches(settings().launch_table, workload.kind)
    return estimate(workload, past, prices, zone, now).document(workload)


def _decide(repository: LaunchRepository, launch: Launch, execution_arn: str, told: dict[str, Any]) -> str:
    fields: dict[str, object] = {LaunchField.ESTIMATE: told}
    budget = Budget.of(launch.config)
    if budget is None or Decimal(told["usd"]) <= budget.agreed(launch):
        repository.note(launch.launch_id, launch.attempt, fields)
        return "START"
    reason = above_estimate(launch.launch_id, budget, told)
    if budget.action is BudgetAction.WARN:
        repository.note(launch.launch_id, launch.attempt, fields)
        tell_of_budget(repository, launch, reason, settings())
        return "START"
    held = repository.change_status(
        launch.launch_id,
        Status.HELD,
        execution_arn=execution_arn,
        attempt=launch.attempt,
        fields={**fields, LaunchField.STATUS_REASON: reason, LaunchField.HELD_FOR: HeldFor.BUDGET.value},
    )
    announce(held, settings())
    return str(held.status.value)
