"""Launches of which no job ran: they have no log, no results and no cost."""

from genolaunch.contract.launch import Status
from genolaunch.launch import Launch


def nothing_ran(launch: Launch) -> str | None:
    """Why no job of the launch's current attempt ran, as the beginning of a sentence; None if jobs may have run."""
    attempt = f"attempt {launch.attempt} of launch" if launch.attempt > 1 else "launch"
    if launch.status is Status.REJECTED:
        what = "was rejected before any of its jobs ran"
    elif launch.attempt or launch.started_at:
        return None
    elif launch.is_final:
        what = f"is {launch.status}, and never started"
    else:
        what = f"is {launch.status}, and has not started yet"
    return f"{attempt.capitalize()} {launch.launch_id} {what}"


def costs_nothing(launch: Launch) -> str | None:
    """The same of a launch that is over, with what that costs."""
    why = nothing_ran(launch) if launch.is_final else None
    if why is None:
        return None
    restore = "; what was restored from an archive for it is not counted" if launch.restore else ""
    return f"{why}: nothing was built for it, so it costs nothing{restore}."


def see_why(launch: Launch, lacks: str) -> str | None:
    """What a launch of which nothing ran cannot have, and where the reason is told."""
    why = nothing_ran(launch)
    return why and f"{why}, so it has {lacks}: `genolaunch status {launch.launch_id}` says why."
