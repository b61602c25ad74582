"""The claims of docs/verified.md: the report and the page are one list."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from genolaunch.errors import GenolaunchError

PAGE: Final = Path(__file__).parents[2] / "docs" / "verified.md"

CHECKED: Final = "checked"
_NOT_CHECKED: Final = "not checked: "
_COLUMNS: Final = ("id", "claim", "standing", "where", "on AWS")
_BETWEEN_CELLS: Final = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Claim:
    """A row of the page. `on_aws`: `checked`, why it is not (`not checked: …`), or nothing: local tests show it."""

    id: str
    text: str
    standing: str
    on_aws: str

    @property
    def is_checked(self) -> bool:
        """Whether a check asks AWS for it."""
        return self.on_aws == CHECKED

    @property
    def why_not(self) -> str:
        """Why none does, where only AWS could show it; else empty."""
        return self.on_aws.removeprefix(_NOT_CHECKED) if self.on_aws.startswith(_NOT_CHECKED) else ""


def read_claims(page: Path = PAGE) -> list[Claim]:
    """All of them, in the page's order; raises GenolaunchError when the page is not there, or not such a table."""
    if not page.is_file():
        raise GenolaunchError(f"{page} is not there: verify-stage is run from a checkout of Genolaunch.")
    rows = [_cells(line) for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    if not rows or tuple(rows[0]) != _COLUMNS:
        raise GenolaunchError(f"{page} has no table of {', '.join(_COLUMNS)}.")
    wrong = next((row for row in rows if len(row) != len(_COLUMNS)), None)
    if wrong:
        raise GenolaunchError(f"{page}: a row of {len(wrong)} cells instead of {len(_COLUMNS)}: {' | '.join(wrong)}")
    return [Claim(row[0].strip("`"), row[1], row[2], row[4]) for row in rows[2:]]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in _BETWEEN_CELLS.split(line.strip())[1:-1]]
