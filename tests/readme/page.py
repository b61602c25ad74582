"""The README, and the tutorials, as their readers use them: shell commands to type, and files to write first."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).parents[2]
README: Final = (REPOSITORY / "README.md").read_text(encoding="utf-8")
TUTORIALS: Final = {
    path.stem: path.read_text(encoding="utf-8") for path in sorted((REPOSITORY / "docs" / "tutorials").glob("*.md"))
}
"""Role -> its page."""


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, and its text as it stands there."""

    section: str
    language: str
    text: str


def blocks(page: str = README) -> list[Block]:
    """Every fenced block in the order of the page, each with the heading that it stands under ("" above the first)."""
    found = []
    for part in re.split(r"^## ", f"\n{page}", flags=re.MULTILINE):
        section = part.partition("\n")[0].strip()
        for language, text in re.findall(r"^```(\w+)\n(.*?)^```", part, re.MULTILINE | re.DOTALL):
            found.append(Block(section, language, text))
    return found


def commands(section: str | None = None, page: str = README) -> list[str]:
    """Lines of the shell blocks, of one section or of all, without their comments."""
    chosen = [block for block in blocks(page) if block.language == "bash" and section in (None, block.section)]
    lines = [line.partition(" # ")[0].strip() for block in chosen for line in block.text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def files(section: str | None = None, page: str = README) -> dict[str, str]:
    """What a section tells its reader to write: blocks whose first line is a comment with the file's name."""
    found = {}
    for block in blocks(page):
        name = re.match(r"# (\S+\.ya?ml)\n", block.text)
        if section in (None, block.section) and name:
            found[name.group(1)] = block.text
    return found
