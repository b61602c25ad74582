"""Chooses the container image of a launch."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from genolaunch.shared.input_error import UnusableInputError


@dataclass(frozen=True, slots=True)
class Limits:
    """The options of the stage's regenie, if it is not the complete program."""

    options: frozenset[str]
    """Names of those that it has."""
    remedy: str


@dataclass(frozen=True, slots=True)
class Images:
    """The stage's images by regenie's version (setting REGENIE_IMAGES)."""

    versions: Mapping[str, str]
    default: str
    credentials: Mapping[str, str] = field(default_factory=dict)
    """Private registry -> ARN of the secret with which Batch logs in."""

    limits: Limits | None = None

    @classmethod
    def read(cls, text: str) -> "Images":
        """Parse the setting."""
        values = json.loads(text)
        limits = values.get("limits")
        return cls(
            values["versions"],
            values["default"],
            values.get("credentials", {}),
            Limits(frozenset(limits["options"]), limits["remedy"]) if limits else None,
        )

    def of(self, version: str | None) -> str:
        """Image of a version, or of the default one; UnusableInputError naming the known versions."""
        wanted = version or self.default
        if wanted not in self.versions:
            known = ", ".join(sorted(self.versions))
            raise UnusableInputError(
                f"must be one of {known}; you gave {wanted}", f"Leave it out to take the default, {self.default}."
            )
        return self.versions[wanted]
