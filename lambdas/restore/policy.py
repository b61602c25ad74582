"""What a stage lets launches restore, and how."""

import json
import math
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from genolaunch.contract.restore import RetrievalTier
from lambdas.restore.estimate import Amount, Estimate
from lambdas.restore.wording import size


@dataclass(frozen=True, slots=True)
class Policy:
    """The setting RESTORE_POLICY."""

    mixed_tier: RetrievalTier
    """Where not all is Flexible Retrieval."""
    days: int
    most_bytes: int
    most_usd: Decimal
    """Above one of these a launch waits for a person."""

    @classmethod
    def read(cls, text: str) -> "Policy":
        """Read the setting."""
        given = json.loads(text)
        return cls(RetrievalTier(given["mixedTier"]), given["days"], given["mostBytes"], Decimal(str(given["mostUsd"])))

    def allows(self, some: Amount, found: Estimate) -> bool:
        """Whether it may be restored unasked."""
        return some.bytes <= self.most_bytes and found.usd <= self.most_usd

    @property
    def limits(self) -> str:
        """In words."""
        return f"{size(self.most_bytes)}, {self.most_usd:,.2f} USD"


def least_left(days: int) -> timedelta:
    """A restored copy that goes sooner is kept for longer before a launch relies on it: half of what it would get."""
    return timedelta(days=days) / 2


def least_days(hours: float) -> int:
    """How long copies have to be kept if the last object comes so many hours after the first one: the launch goes on
    only then, and must find half of the first one's time left. With less it would wait, and pay, for ever."""
    return math.ceil(2 * hours / 24)
