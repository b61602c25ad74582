"""What is wrong with a launch config, in words for the person who wrote it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from genolaunch.shared.printable import printable


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend: where it is, what is wrong with it, what to do about it."""

    where: str
    """Dotted path of the key (`regenie.step2.datasets[0].sample`), or a place in the text (`line 3, column 7`)."""
    problem: str
    """Reads on from `where`: "must be at least 1; you gave -5"."""
    remedy: str
    """A sentence: what to do about it."""

    def __post_init__(self) -> None:
        """Make sure that the fault is text for tables, notices and terminals, even if it quotes a file."""
        for name in self.__slots__:
            object.__setattr__(self, name, printable(getattr(self, name)))

    def as_dict(self) -> dict[str, str]:
        """The fault as the launch table and the feedback object hold it."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}. {self.remedy}"


def listing(faults: Sequence[Fault]) -> str:
    """All faults, one a line."""
    return "\n".join(f"- {fault}" for fault in faults)
