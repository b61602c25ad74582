"""Which container image runs a launch."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from lambdas.shared.input_error import UnusableInputError


@dataclass(frozen=True, slots=True)
class Images:
    """The stage's images by regenie's version (setting REGENIE_IMAGES)."""

    versions: Mapping[str, str]
    default: str

    @classmethod
    def read(cls, text: str) -> "Images":
        """Parse the setting."""
        values = json.loads(text)
        return cls(versions=values["versions"], default=values["default"])

    def of(self, version: str | None) -> str:
        """Image of a version, or of the default one; UnusableInputError naming the known versions."""
        wanted = version or self.default
        if wanted not in self.versions:
            known = ", ".join(sorted(self.versions))
            raise UnusableInputError(
                f"must be one of {known}; you gave {wanted}", f"Leave it out to take the default, {self.default}."
            )
        return self.versions[wanted]
