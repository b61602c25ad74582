"""What a person may ask of a launch that is there: cancel, try again, approve. The platform reacts to the status."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from contract import ALLOWED_FROM, RESOURCE_PHASES, HeldFor, LaunchField, Status
from genolaunch.errors import GenolaunchError, WrongArgumentError
from genolaunch.launch import Launch
from genolaunch.launches import Launches

if TYPE_CHECKING:
    from genolaunch.platform import Platform

_RESOURCES: Final = re.compile(r"(?P<phase>\w+)=(?P<vcpus>[1-9]\d*):(?P<memory_gib>[1-9]\d*)")

_REFUSALS: Final = {
    Status.CANCEL_REQUESTED: "only a launch that is not over can be cancelled",
    Status.RETRY: "only a launch that is FAILED, CANCELLED or REJECTED can be tried again",
}


@dataclass(frozen=True)
class Resources:
    """What the jobs of a phase get from now on."""

    phase: str
    vcpus: int
    memory_gib: int

    @classmethod
    def parse(cls, text: str) -> "Resources":
        """From `PHASE=VCPUS:GIB`; raises WrongArgumentError saying what is wrong with it."""
        match = _RESOURCES.fullmatch(text)
        if match is None:
            raise WrongArgumentError(f"“{text}” is not PHASE=VCPUS:GIB, such as step2=4:16.")
        if match["phase"] not in RESOURCE_PHASES:
            raise WrongArgumentError(f"“{match['phase']}” is not one of {', '.join(RESOURCE_PHASES)}.")
        return cls(match["phase"], int(match["vcpus"]), int(match["memory_gib"]))


def cancel(platform: "Platform", launch: Launch) -> None:
    """Ask for the launch to be stopped and cleaned up, unless that was asked for; GenolaunchError when it is over."""
    if launch.status is not Status.CANCEL_REQUESTED:
        _ask(platform, launch, Status.CANCEL_REQUESTED, {})


def retry(platform: "Platform", launch: Launch, resources: Sequence[Resources] = ()) -> None:
    """Ask for what is missing of a failed, cancelled or rejected launch, with other `resources` for its jobs if given.

    Raises GenolaunchError when it is not over, or complete, or was refused as it was dropped.
    """
    if launch.status == Status.REJECTED and not launch.workflow:  # its config could not be read as one
        raise GenolaunchError(f"Launch {launch.launch_id} was never accepted: mend its config, and submit it again.")
    config = _config_with(platform, launch, resources) if resources else None
    _ask(platform, launch, Status.RETRY, {LaunchField.CONFIG: config} if config else {})


def approve(platform: "Platform", launch: Launch) -> None:
    """Agree to what the launch is HELD for, its restore or its cost, as estimated; raises GenolaunchError if it is not.

    Should it be more when the launch looks again, the launch asks again.
    """
    agreed = _agreed(launch)
    if launch.status is not Status.HELD or agreed is None:
        raise GenolaunchError(f"Launch {launch.launch_id} is {launch.status}: only a launch that is HELD is approved.")
    try:
        _write(
            platform,
            launch,
            Status.READY,
            agreed,
            only_from={Status.HELD},
            # The very estimate that was looked at: another attempt may ask for more.
            attempt=launch.attempt,
            removes=[LaunchField.STATUS_REASON, LaunchField.HELD_FOR],
        )
    except platform.dynamodb.exceptions.ConditionalCheckFailedException as error:
        raise GenolaunchError(f"Launch {launch.launch_id} is not HELD any more: look at its status.") from error


def _agreed(launch: Launch) -> dict[str, Any] | None:
    """Attributes that keep what a person agreed to; None if there is nothing to agree to."""
    if launch.held_for is HeldFor.BUDGET and launch.estimate is not None:
        # The upper end of its range: a launch that costs that much is not cancelled half way.
        return {LaunchField.APPROVED_BUDGET: {"S": launch.estimate.high}}
    if launch.restore is None:
        return None
    amounts = {"bytes": {"N": str(launch.restore.bytes)}, "usd": {"N": str(launch.restore.usd)}}
    return {LaunchField.APPROVED_RESTORE: {"M": amounts}}


def _ask(platform: "Platform", launch: Launch, to: Status, changes: Mapping[str, str]) -> None:
    values = {name: {"S": value} for name, value in changes.items()}
    try:
        _write(platform, launch, to, values, only_from=ALLOWED_FROM[to])
    except platform.dynamodb.exceptions.ConditionalCheckFailedException as error:
        # Its status may have changed since somebody looked.
        status = Launches(platform).get(launch.launch_id).status
        raise GenolaunchError(f"Launch {launch.launch_id} is {status}: {_REFUSALS[to]}.") from error


def _write(
    platform: "Platform",
    launch: Launch,
    to: Status,
    changes: Mapping[str, Any],
    *,
    only_from: Collection[Status],
    attempt: int | None = None,
    removes: Sequence[str] = (),
) -> None:
    """Set the status and `changes` (attribute values), and add to the launch's events; ConditionalCheckFailed if not.

    The launch must have a status of `only_from`, and be in that `attempt` if one is given.
    """
    now = _now()
    values = {LaunchField.STATUS: {"S": to.value}, LaunchField.UPDATED_AT: {"S": now}, **changes}
    origins = {f":from{number}": {"S": origin.value} for number, origin in enumerate(sorted(only_from))}
    condition = f"#{LaunchField.STATUS} IN ({', '.join(origins)})"
    names = {f"#{name}": name for name in (*values, LaunchField.EVENTS, *removes)}
    compared: dict[str, Any] = {}
    if attempt is not None:
        condition += " AND #asked = :asked"
        names["#asked"] = LaunchField.ATTEMPT
        compared[":asked"] = {"N": str(attempt)}
    platform.dynamodb.update_item(
        TableName=platform.names.launch_table,
        Key={LaunchField.LAUNCH_ID: {"S": launch.launch_id}},
        UpdateExpression="SET "
        + ", ".join(f"#{name} = :{name}" for name in values)
        + ", #events = list_append(if_not_exists(#events, :noEvents), :event)"
        + (f" REMOVE {', '.join(f'#{name}' for name in removes)}" if removes else ""),
        ConditionExpression=condition,
        ExpressionAttributeNames=names,
        ExpressionAttributeValues={
            **{f":{name}": value for name, value in values.items()},
            **origins,
            **compared,
            ":event": {"L": [{"M": {"status": {"S": to.value}, "at": {"S": now}}}]},
            ":noEvents": {"L": []},
        },
    )


def _config_with(platform: "Platform", launch: Launch, resources: Sequence[Resources]) -> str:
    item = platform.dynamodb.get_item(
        TableName=platform.names.launch_table,
        Key={LaunchField.LAUNCH_ID: {"S": launch.launch_id}},
        ConsistentRead=True,
    )["Item"]
    config = json.loads(item[LaunchField.CONFIG]["S"])
    if "regenie" not in config:
        raise GenolaunchError(f"Launch {launch.launch_id} is no launch of regenie: its jobs' resources are its own.")
    given = config["regenie"].get("resources") or {}
    changed = {each.phase: {"vcpus": each.vcpus, "memory_gib": each.memory_gib} for each in resources}
    config["regenie"]["resources"] = {**given, **changed}
    return json.dumps(config)


def _now() -> str:
    """As the platform writes times."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
