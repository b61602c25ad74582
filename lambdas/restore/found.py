"""How much of which archive was found."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from lambdas.restore.archive import Archive, ArchivedObject
from lambdas.restore.estimate import Amount


@dataclass(slots=True)
class Found:
    """Archived objects by archive: those to be `retrieved`, and those whose restore somebody has asked for already.

    A restored copy that only has to be kept for longer counts with the latter: it costs no retrieval.
    """

    retrieved: dict[Archive, Amount] = field(default_factory=dict)
    joined: dict[Archive, Amount] = field(default_factory=dict)

    @classmethod
    def read(cls, given: Mapping[str, Any] | None) -> "Found":
        """From a state machine's variable."""
        return cls(*(_read(given[name]) for name in ("retrieved", "joined"))) if given else cls()

    def as_dict(self) -> dict[str, Any]:
        """For a state machine's variable."""
        return {
            name: {str(archive): [some.objects, some.bytes] for archive, some in amounts.items()}
            for name, amounts in (("retrieved", self.retrieved), ("joined", self.joined))
        }

    def add(self, objects: Iterable[ArchivedObject]) -> None:
        """Count objects."""
        for item in objects:
            amounts = self.joined if item.is_restoring or item.expires else self.retrieved
            amounts[item.archive] = amounts.get(item.archive, Amount()).plus(1, item.size)

    @property
    def archives(self) -> set[Archive]:
        """All archives that something is in."""
        return {*self.retrieved, *self.joined}

    @property
    def to_retrieve(self) -> Amount:
        """What is to be retrieved, together."""
        return _sum(self.retrieved.values())

    @property
    def total(self) -> Amount:
        """What is waited for, together."""
        return _sum([*self.retrieved.values(), *self.joined.values()])


def _read(given: Mapping[str, Any]) -> dict[Archive, Amount]:
    return {Archive(archive): Amount(*some) for archive, some in given.items()}


def _sum(amounts: Iterable[Amount]) -> Amount:
    return reduce(lambda one, other: one.plus(other.objects, other.bytes), amounts, Amount())
