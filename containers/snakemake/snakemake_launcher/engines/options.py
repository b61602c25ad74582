"""Options of the run, which the launcher passes to the engine's process in an environment variable."""

import json
import os
from dataclasses import asdict, dataclass
from typing import Final

from snakemake_launcher.run_sheet import RunSheet

VARIABLE: Final = "SNAKEMAKE_LAUNCHER_RUN"


@dataclass(frozen=True)
class Options:
    """Of one run."""

    engine: str
    prefix: str
    """bucket/prefix of the data."""
    image: str
    """Of the jobs."""
    own_image: bool
    """The launch names it, so it is said to hold what the rules need."""
    log_group: str = ""
    """Of the jobs on AWS Batch."""
    run_name: str = ""
    """Of the attempt."""

    @classmethod
    def of(cls, sheet: RunSheet) -> "Options":
        """As the run sheet has them."""
        group = str(sheet.engine_options.get("jobLogGroup", ""))
        return cls(sheet.engine, sheet.remote_prefix, sheet.container_image, sheet.own_image, group, sheet.run_name)

    @classmethod
    def read(cls) -> "Options":
        """In the engine's process."""
        return cls(**json.loads(os.environ[VARIABLE]))

    @property
    def environment(self) -> dict[str, str]:
        """For the engine's process."""
        return {VARIABLE: json.dumps(asdict(self))}
