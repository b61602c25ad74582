"""Where a stage is looked at or deleted, and by whom; and where its settings say that it is."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genolaunch.errors import GenolaunchError
from genolaunch.verify.account import Account

if TYPE_CHECKING:
    from stacks.config import StageSettings


@dataclass(frozen=True)
class Place:
    """An account and region, and who speaks to it."""

    account: str
    region: str
    caller: str
    """ARN of the user or role."""


def place_of(account: Account) -> Place:
    """As STS tells it: the account in which everything is looked at and deleted."""
    sts = account.client("sts")
    identity = sts.get_caller_identity()
    return Place(identity["Account"], str(sts.meta.region_name), identity["Arn"])


def settings_of(stage: str, checkout: Path, settings_file: Path | None) -> "StageSettings":
    """The stage's settings in a checkout, as a deployment takes them.

    Raises:
        GenolaunchError: there is no checkout, or no such stage, or its settings have faults.
    """
    from genolaunch.doctor.stage_settings import read

    return read(stage, checkout, settings_file)[0]


def difference(settings: "StageSettings", place: Place) -> str | None:
    """One sentence if the credentials are of another account, or the region another, than the settings say."""
    if (settings.account, settings.region) == (place.account, place.region):
        return None
    return (
        f"The settings of {settings.name} say account {settings.account}, {settings.region}, but this is account "
        f"{place.account}, {place.region} ({place.caller}): set AWS_PROFILE to one of that account."
    )


def require_same(settings: "StageSettings", place: Place) -> None:
    """What is looked at is what a deployment would change.

    Raises:
        GenolaunchError: it is not.
    """
    if reason := difference(settings, place):
        raise GenolaunchError(f"{reason} So it cannot be told whether the stage is idle.")
