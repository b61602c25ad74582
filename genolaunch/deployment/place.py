"""The account, region and caller of a command that works on a stage, and their comparison with the stage's settings."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genolaunch.errors import GenolaunchError
from genolaunch.verify.account import Account

if TYPE_CHECKING:
    from stacks.config import StageSettings


@dataclass(frozen=True)
class Place:
    """An account, a region, and the caller."""

    account: str
    region: str
    caller: str
    """ARN of the user or role."""


def place_of(account: Account) -> Place:
    """Ask STS for the account and the caller of these credentials: everything is read and deleted there."""
    sts = account.client("sts")
    identity = sts.get_caller_identity()
    return Place(identity["Account"], str(sts.meta.region_name), identity["Arn"])


def settings_of(stage: str, checkout: Path, settings_file: Path | None) -> "StageSettings":
    """Return the stage's settings in a checkout, as a deployment reads them.

    Raises:
        GenolaunchError: there is no checkout, or no such stage, or its settings have faults.
    """
    from genolaunch.doctor.stage_settings import read

    return read(stage, checkout, settings_file)[0]


def difference(settings: "StageSettings", place: Place) -> str | None:
    """Return a sentence if the account or the region differs from that of the settings, and None otherwise."""
    if (settings.account, settings.region) == (place.account, place.region):
        return None
    return (
        f"The settings of {settings.name} say account {settings.account}, {settings.region}, but this is account "
        f"{place.account}, {place.region} ({place.caller}): set AWS_PROFILE to one of that account."
    )


def require_same(settings: "StageSettings", place: Place) -> None:
    """Require that a command works in the account and region that a deployment would change.

    Raises:
        GenolaunchError: the account or the region is another.
    """
    if reason := difference(settings, place):
        raise GenolaunchError(f"{reason} So it cannot be told whether the stage is idle.")
