"""What AWS answered: the facts that the checks compare with the claims."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from genolaunch.costs import Cost
from genolaunch.launch import Fault, Launch


class Kind(StrEnum):
    """The tiny launches, by what each is to show."""

    REGENIE = "regenie"
    CANCELLED = "cancelled"
    TIBANNA = "tibanna"
    AWS_BATCH = "aws-batch"
    CLUSTER = "cluster"
    RESTORED = "restored"


class CannotTellError(Exception):
    """A fact is missing; the text says why."""


@dataclass(frozen=True)
class JobEnd:
    """A job of AWS Batch, as it ended."""

    label: str
    status: str


@dataclass(frozen=True)
class Trial:
    """One launch, once it is over, priced and cleaned up (or it was not waited for any longer)."""

    kind: Kind
    launch: Launch
    feedback: Mapping[str, Any]
    """The answer beside its config."""
    file_system_id: str | None = None
    cost: Cost | None = None
    bill: Mapping[str, Any] = field(default_factory=dict)
    """What is in S3 of it."""
    jobs: tuple[JobEnd, ...] = ()
    log_lines: int = 0
    retry_rules: tuple[Mapping[str, str], ...] = ()
    """`evaluateOnExit` of its job definition, as AWS Batch has it."""
    results: tuple[str, ...] = ()
    """Paths of its results in S3."""
    leftovers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Kind -> ids of what it made and what is still there."""
    clean_ups: tuple[str, ...] = ()
    """How its executions of **cleanup** ended."""


@dataclass(frozen=True)
class Rejection:
    """What became of a config with faults."""

    launch: Launch | None
    accepted: bool
    faults: tuple[Fault, ...]
    expected: tuple[str, ...]
    """Where the faults were put."""


@dataclass(frozen=True)
class Evidence:
    """Everything that was seen. `unreadable`: name of a fact -> why it could not be read."""

    trials: Mapping[Kind, Trial]
    absent: Mapping[Kind, str]
    """Launches that were not dropped, and why."""
    rejection: Rejection | None = None
    twin_id: str | None = None
    """Launch by which the second drop of the same bytes was answered."""
    notices: tuple[str, ...] | None = None
    stacks: Mapping[str, str] | None = None
    """Name of each of the stage's stacks -> its status."""
    new_dead_letters: Mapping[str, int] | None = None
    schema_at: datetime | None = None
    deployed_at: datetime | None = None
    stale_put: str | None = None
    """Code by which S3 refused a PutObject whose If-Match was wrong; empty if it took it."""
    log_error: str | None = None
    """`errorType` that the line of a log was kept as; empty if it was not."""
    unreadable: Mapping[str, str] = field(default_factory=dict)

    def trial(self, kind: Kind) -> Trial:
        """The launch of that kind; raises CannotTellError when there was none."""
        if kind not in self.trials:
            raise CannotTellError(self.absent.get(kind, "no such launch was dropped"))
        return self.trials[kind]

    def known(self, name: str) -> Any:  # noqa: ANN401 - the field's type
        """A fact; raises CannotTellError when it could not be read."""
        value = getattr(self, name)
        if value is None:
            raise CannotTellError(self.unreadable.get(name, f"{name} was not looked at"))
        return value
