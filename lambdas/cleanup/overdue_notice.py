"""The sweep's notice by SNS: resources of launches that are over, since when, and their price."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from genolaunch.shared import aws
from lambdas.cleanup.overdue import Leftover
from lambdas.shared.launch import Launch

if TYPE_CHECKING:
    from types_boto3_sns.client import SNSClient

# A message has room for 256 KiB (Amazon SNS API reference, Publish); these are at most about 150.
_MOST_LAUNCHES: Final = 100
_MOST_LEFTOVERS: Final = 10


@dataclass(frozen=True, slots=True)
class Overdue:
    """A launch whose attempts up to one are over, and what they left."""

    launch_id: str
    launch: Launch | None
    """None if the launch table does not know it."""
    ended_attempt: int
    leftovers: Sequence[Leftover]

    @property
    def usd_per_hour(self) -> float:
        """What the leftovers cost, roughly."""
        return sum(leftover.usd_per_hour for leftover in self.leftovers)


def notify(found: Sequence[Overdue], *, topic_arn: str, stage: str) -> None:
    """Tell the topic's subscribers what a sweep found."""
    sns: SNSClient = aws.client("sns")
    launches = f"{len(found)} launches" if len(found) > 1 else "a launch"
    sns.publish(
        TopicArn=topic_arn, Subject=f"Genolaunch {stage}: {launches} left resources behind", Message=text(found)
    )


def text(found: Sequence[Overdue]) -> str:
    """The notice's body."""
    hourly = sum(overdue.usd_per_hour for overdue in found)
    parts = [
        f"The sweep found resources that launches left behind after their end ({_price(hourly)}), and has "
        "started its clean-up.\n"
        "Nothing needs to be done, unless the same launch is named again an hour later. Then look at the executions "
        "of the cleanup state machine.",
        *(_paragraph(overdue) for overdue in found[:_MOST_LAUNCHES]),
        *_rest(len(found) - _MOST_LAUNCHES, "launches"),
    ]
    return "\n\n".join(parts)


def _paragraph(overdue: Overdue) -> str:
    lines = [f"{overdue.launch_id}: {_story(overdue)}; {_price(overdue.usd_per_hour)}"]
    for leftover in overdue.leftovers[:_MOST_LEFTOVERS]:
        lines.append(f"- {leftover.what}{f', made {_time(leftover.created_at)}' if leftover.created_at else ''}")
    return "\n".join([*lines, *_rest(len(overdue.leftovers) - _MOST_LEFTOVERS, "things")])


def _story(overdue: Overdue) -> str:
    launch = overdue.launch
    if launch is None:
        return "unknown to the launch table"
    if not launch.is_final:
        return f"attempt {overdue.ended_attempt} is over; the launch is {launch.status}"
    return (
        f"{launch.status} since {_time(datetime.fromisoformat(launch.ended_at))}" if launch.ended_at else launch.status
    )


def _rest(count: int, things: str) -> list[str]:
    return [f"... and {count} more {things}."] if count > 0 else []


def _price(usd_per_hour: float) -> str:
    return f"about {usd_per_hour:.2f} USD an hour" if usd_per_hour >= 0.005 else "free of charge"


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
