"""The launcher's environment variables."""

import os
from dataclasses import dataclass

NAMES = ("STAGE", "LAUNCH_ID", "ATTEMPT", "RECORD_QUEUE", "RUN_SHEET")


class SettingsError(Exception):
    """The environment lacks something. The message is a sentence that names all of it."""


@dataclass(frozen=True)
class Settings:
    """What the task's definition and the broker say about this run."""

    stage: str
    launch_id: str
    attempt: int
    record_queue: str
    """URL."""
    run_sheet: str
    """s3:// URL."""

    @classmethod
    def read(cls) -> "Settings":
        """From the environment. Raises SettingsError."""
        missing = [name for name in NAMES if not os.environ.get(name)]
        if missing:
            raise SettingsError(f"Missing in the environment: {', '.join(missing)}.")
        if not os.environ["ATTEMPT"].isdecimal():
            raise SettingsError(f"ATTEMPT must be a whole number, not {os.environ['ATTEMPT']!r}.")
        return cls(
            stage=os.environ["STAGE"],
            launch_id=os.environ["LAUNCH_ID"],
            attempt=int(os.environ["ATTEMPT"]),
            record_queue=os.environ["RECORD_QUEUE"],
            run_sheet=os.environ["RUN_SHEET"],
        )

    @property
    def run_name(self) -> str:
        """What everything that this attempt creates is named by (as by genolaunch.contract.project.run_name)."""
        return f"{self.launch_id}-{self.attempt}"
