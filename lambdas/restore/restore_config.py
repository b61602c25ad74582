"""The restore config: what a launch waits for, as an object in S3 whose event starts the restore."""

import json
from dataclasses import dataclass

from genolaunch.contract.launch_bucket import RESTORES_PREFIX
from genolaunch.contract.project import run_name
from genolaunch.contract.restore import RetrievalTier


@dataclass(frozen=True, slots=True)
class RestoreConfig:
    """What to restore for one attempt of a launch."""

    launch_id: str
    attempt: int
    urls: tuple[str, ...]
    """s3:// URLs: prefixes end with a slash, anything else is a key."""
    tier: RetrievalTier
    days: int
    """Days for which restored copies are kept."""
    hours: float
    """Hours after which the last object is usually restored."""

    @property
    def run(self) -> str:
        """Name of the attempt."""
        return run_name(self.launch_id, self.attempt)

    @property
    def key(self) -> str:
        """Where it is in the launch bucket."""
        return restore_config_key(self.launch_id, self.attempt)

    def as_json(self) -> str:
        """The object's content."""
        return json.dumps(
            {
                "launchId": self.launch_id,
                "attempt": self.attempt,
                "urls": list(self.urls),
                "tier": str(self.tier),
                "days": self.days,
                "hours": self.hours,
            },
            indent=1,
        )

    @classmethod
    def read(cls, text: str | bytes) -> "RestoreConfig":
        """Read the object's content; raises KeyError or ValueError if it is no restore config."""
        given = json.loads(text)
        return cls(
            given["launchId"],
            int(given["attempt"]),
            tuple(given["urls"]),
            RetrievalTier(given["tier"]),
            int(given["days"]),
            float(given["hours"]),
        )


def restore_config_key(launch_id: str, attempt: int) -> str:
    """Key of an attempt's restore config in the launch bucket."""
    return f"{RESTORES_PREFIX}{launch_id}/{attempt}.json"


def parts_of_key(key: str) -> tuple[str, int]:
    """Launch and attempt of a restore config's key. Raises ValueError."""
    launch_id, _, name = key.removeprefix(RESTORES_PREFIX).partition("/")
    return launch_id, int(name.removesuffix(".json"))
