"""The index of decisions lists each of them, by its own title, with a status and a date."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "decisions"
LINE = re.compile(
    r"\| \[(?P<number>\d{3})\]\((?P<file>[^)]+)\) \| (?P<title>.+) "
    r"\| (?:accepted|replaced by \d{3}) \| \d{4}-\d{2}-\d{2} \|"
)

INDEX = {
    line["file"]: line
    for line in map(LINE.fullmatch, (FOLDER / "README.md").read_text("utf-8").splitlines())
    if line is not None
}
DECISIONS = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")


def test_each_line_of_the_index_is_a_decision() -> None:
    assert set(INDEX) == {path.name for path in DECISIONS}


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name)
def test_a_decision_is_listed_by_its_number_and_title(path: Path) -> None:
    title = re.sub(r"^# 0*\d+[.:]? *", "", path.read_text("utf-8").splitlines()[0])

    assert INDEX[path.name]["number"] == path.name[:3]
    assert INDEX[path.name]["title"].lower() == title.lower()
