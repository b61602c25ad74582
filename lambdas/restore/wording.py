"""Restores in words for people."""

from lambdas.restore.estimate import Amount, Estimate

_STEP = 1000
_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


def size(count: int) -> str:
    """1.3 TB."""
    value = float(count)
    for unit in _UNITS:
        if value < _STEP or unit == _UNITS[-1]:
            break
        value /= _STEP
    return f"{value:.0f} {unit}" if unit == _UNITS[0] or value >= 100 else f"{value:.1f} {unit}"


def amount(some: Amount) -> str:
    """42 objects, 1.3 TB."""
    return f"{some.objects:,} object{'' if some.objects == 1 else 's'}, {size(some.bytes)}"


def ready_in(hours: tuple[float, float]) -> str:
    """5 to 12 hours."""
    low, high = hours
    if high < 1:
        return f"ready in {low * 60:.0f} to {high * 60:.0f} minutes"
    return f"ready in {low:.0f} to {high:.0f} hours" if low else f"ready within {high:.0f} hours"


def waiting_for(some: Amount, tier: str, found: Estimate) -> str:
    """42 objects, 1.3 TB, Bulk: ready in 5 to 12 hours."""
    return f"{amount(some)}, {tier}: {ready_in(found.hours)}"


def held_for(some: Amount, tier: str, found: Estimate, limits: str) -> str:
    """What a person is asked to approve."""
    return (
        f"Archived inputs ({amount(some)}, {tier}, about {found.usd:,.2f} USD) are more than this stage restores "
        f"unasked ({limits}): approve the launch, or cancel it"
    )
