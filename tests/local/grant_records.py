"""What each cloud of a test run saw of its roles' grants: written when a cloud goes down, read when all have.

Tests may run in several processes, each with a cloud of its own (`make test-iam`):
a grant is used if one of them used it.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from uuid import uuid4

from localcloud.iam.grants import Grant, grants_of, used_by
from tests.local.platform_client import STAGE, PlatformClient

FOLDER = Path(__file__).parents[2] / "build" / "iam"

Place = tuple[str, str, str, int]
"""Role, Sid, action, and which of those that are alike: clouds give other names to the resources of the same grant."""


def write_record(platform: PlatformClient) -> None:
    """Keeps every grant of the platform's roles, and whether a call needed it."""
    granted = grants_of(platform.client("iam"), platform.client("cloudformation"), f"genolaunch-{STAGE}-")
    seen = used_by(granted, platform.used())
    record = [asdict(grant) | {"used": used} for grant, used in seen]
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{uuid4().hex}.json").write_text(json.dumps(record))


@dataclass(frozen=True, slots=True)
class Records:
    """What all clouds of a run saw."""

    granted: list[Grant]
    unused: list[Grant]
    """Those that no call on any cloud needed."""


def read_records() -> Records:
    """Every record of the run."""
    granted: dict[Place, Grant] = {}
    used: set[Place] = set()
    for path in FOLDER.glob("*.json"):
        for place, grant, was_used in _read(path):
            granted[place] = grant
            used |= {place} if was_used else set()
    return Records(sorted(granted.values()), sorted(grant for place, grant in granted.items() if place not in used))


def _read(path: Path) -> Iterator[tuple[Place, Grant, bool]]:
    numbers: dict[tuple[str, str, str], Iterator[int]] = {}
    for entry in json.loads(path.read_text()):
        was_used = entry.pop("used")
        grant = Grant(**entry | {"resources": tuple(entry["resources"])})
        kind = (grant.role, grant.statement, grant.action)
        yield (*kind, next(numbers.setdefault(kind, count()))), grant, was_used
