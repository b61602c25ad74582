"""What commands print with --json is what docs/command-line.md says."""

import json
import re
from pathlib import Path

import pytest

from tests.unit.genolaunch.test_restores import put_restore

PAGE = (Path(__file__).parents[3] / "docs" / "command-line.md").read_text()


SECTION = PAGE.partition("## JSON")[2].partition("```")[0]
ROWS = [line.split(" | ", 1) for line in SECTION.splitlines() if line.startswith("| `")]


def documented(command):
    """The names in the command's row, without what explains them in parentheses."""
    (answer,) = [answer for commands, answer in ROWS if f"`{command}`" in commands]
    return set(re.findall(r"`([a-zA-Z]+)`", re.sub(r"\([^()]*\)", "", answer))) - {"null"}


@pytest.fixture
def names(genolaunch):
    """Names of the printed document, or of the first of a list."""

    def printed(*words):
        result = genolaunch(*words, "--json")
        assert result.exit_code == 0, result.stderr
        document = json.loads(result.stdout)
        return set(document[0] if isinstance(document, list) else document)

    return printed


def test_launches(names, content):
    content.launch()

    assert names("list") == documented("list")
    assert names("status", "height-1") == documented("list") | {"steps", "jobs", "failedJobs"}
    assert names("cancel", "height-1") == documented("cancel") == {"launchId"}


def test_history_and_logs(names, content):
    events = [
        {"M": {"status": {"S": status}, "at": {"S": "2026-11-21T04:00:00.000Z"}}} for status in ("SUBMITTED", "FAILED")
    ]
    content.launch(status="FAILED", events={"L": events})
    content.failed_job("height-1-1-merge", tail="no space left")

    assert names("events", "height-1") == documented("events")
    assert names("logs", "height-1", "--failed") == documented("logs")


def test_results_costs_and_restores(names, content, platform, tmp_path):
    content.launch(status="COMPLETE", workflow={"S": "regenie"}, startedAt={"S": "2026-11-21T04:00:01.000Z"})
    content.result("report.html")
    put_restore(platform)

    assert names("results", "height-1") == documented("results")
    assert names("cost", "height-1") == documented("cost")
    assert names("costs") == documented("costs")
    assert names("costs", "--by", "user") == documented("costs") - {"workflow"} | {"user"}
    assert names("costs", "--html", tmp_path / "page.html") == {"file"}
    assert names("restores", "height-1") == documented("restores")


def test_every_command_has_it():
    commands = set(re.findall(r"^## `((?:local )?[a-z]+)", PAGE, flags=re.MULTILINE))

    assert commands == {name for row in ROWS for name in re.findall(r"`([a-z ]+)`", row[0])}
