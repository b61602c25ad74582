"""An execution of **benchmark**, played by the writes that its definition makes in the launch table."""

from typing import Any, Final

from botocore.exceptions import ClientError

from genolaunch.contract.cost import PRICED_STATUSES, CostStatus
from genolaunch.contract.launch import LaunchField
from statemachines.composition import definition

_STATES: Final[dict[str, Any]] = definition("benchmark")["States"]


def passes_the_filter(image: dict[str, Any]) -> bool:
    """Of the pipe to **benchmark** (stacks/pricing.py, ENDED_AND_NOT_PRICED)."""
    known = {LaunchField.TOTAL_COST, LaunchField.COST_STATUS} & image.keys()
    return image[LaunchField.STATUS]["S"] in PRICED_STATUSES and not known


def advance(client: Any, table: str, execution: Any, *, has_price: bool) -> None:
    """The next state; `has_price`: usage and prices are known. An ended one has the step "done"."""
    if execution.step == "begin":
        is_won = _write(client, table, execution, "Claim the launch")
        execution.step = "price" if is_won else "done"
    elif not has_price:
        _write(client, table, execution, "Say why it is unknown")
        execution.step = "done"
    else:
        if not _write(client, table, execution, "Write the cost"):
            _write(client, table, execution, "Write the history")
        execution.step = "done"


def is_settled(image: dict[str, Any]) -> bool:
    """A launch of that item has a price, or says that it has none, and why; one that used nothing needs neither."""
    if image[LaunchField.STATUS]["S"] not in PRICED_STATUSES:
        return LaunchField.TOTAL_COST not in image
    cost = image.get(LaunchField.COST_STATUS, {}).get("S")
    has_price = LaunchField.TOTAL_COST in image and image[LaunchField.ATTEMPT]["N"] in image["costHistory"]["M"]
    if cost == CostStatus.PRICED:
        return has_price
    return cost == CostStatus.UNKNOWN and LaunchField.COST_REASON in image and LaunchField.TOTAL_COST not in image


def _write(client: Any, table: str, execution: Any, state: str) -> bool:
    """The state's UpdateItem; False if its condition does not hold."""
    request = execution.request[0]
    meant = {
        "{% $launchId %}": request["launchId"],
        "{% $states.context.Execution.Id %}": execution.arn,
        "{% $string($attempt) %}": request["attempt"],
        "${LaunchTableName}": table,
        "${PricedStatus}": CostStatus.PRICED.value,
    }
    try:
        client.update_item(**_filled(_STATES[state]["Arguments"], meant))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True


def _told(expression: str) -> str:
    """What the bill says, in its form."""
    if "Cost " in expression:
        return "1.25"
    return "2026-11-21T06:00:00.000Z" if "pricedAt" in expression or "$now()" in expression else "played"


def _filled(value: Any, meant: dict[str, str], key: str = "") -> Any:
    """Arguments with what their expressions mean; what the bill says does not matter here."""
    match value:
        case dict():
            return {name: _filled(inner, meant, name) for name, inner in value.items()}
        case str() if value in meant:
            return meant[value]
        case str() if value.startswith("{%"):
            return {"M": {}} if key.startswith(":") else _told(value)
    return value
