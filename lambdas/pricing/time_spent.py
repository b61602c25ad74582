"""Measures an attempt's time: seconds in each status of the launch, and in each step of its workflow."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Final

from genolaunch.contract.launch import FINAL_STATUSES, Status
from genolaunch.shared.steps import Step
from lambdas.pricing.usage import seconds_between
from lambdas.shared.launch import Launch

_FRACTION: Final = Decimal("0.001")


def status_seconds(launch: Launch) -> dict[str, str]:
    """Return the seconds in each status of the current attempt, up to its end, as text.

    An attempt begins with the launch, or with the RETRY that requested it.
    """
    changes = [(launch.submitted_at, Status.SUBMITTED.value)]
    for change in launch.events or ():
        if change["status"] in {Status.SUBMITTED, Status.RETRY}:
            changes = []
        changes.append((change["at"], change["status"]))
    spent: dict[str, Decimal] = {}
    for (since, status), (until, _) in pairwise(changes):
        seconds = seconds_between(datetime.fromisoformat(since), datetime.fromisoformat(until))
        spent[status] = spent.get(status, Decimal(0)) + seconds
    return _texts(spent.items())


def attempts_of_bill(launch: Launch, attempt: int) -> range:
    """Return the attempts that this attempt's bill covers: itself, and earlier ones that ended waiting for inputs.

    Each claim (RUNNING) is an attempt. An attempt that finds archived inputs ends and waits for them; the next attempt
    continues when they are restored.
    """
    first, claims = 1, 0
    for change in launch.events or ():
        claims += change["status"] == Status.RUNNING
        if change["status"] in FINAL_STATUSES and claims < attempt:
            first = claims + 1
    return range(first, attempt + 1)


def step_seconds(steps: Iterable[Step]) -> dict[str, str]:
    """Return the seconds of each step that has ended, as text, in the order in which the steps began."""
    return _texts(
        (step.name, seconds_between(step.started_at, step.ended_at)) for step in steps if step.ended_at is not None
    )


def _texts(spent: Iterable[tuple[str, Decimal]]) -> dict[str, str]:
    return {name: str(seconds.quantize(_FRACTION)) for name, seconds in spent}
