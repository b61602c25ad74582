"""The runbook has a section for each alarm, and none for alarms that are gone."""

import re
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

RUNBOOK = Path(__file__).parents[2] / "docs" / "runbook.md"


@pytest.fixture(scope="module")
def sections() -> list[str]:
    """The patterns of alarms that the page speaks of."""
    lines = [line for line in RUNBOOK.read_text().splitlines() if line.startswith("Alarms:")]
    return [pattern for line in lines for pattern in re.findall(r"`([^`]+)`", line)]


@pytest.fixture(scope="module")
def alarms(stacks) -> list[str]:
    """Every alarm of the templates: `<stack>/<logical id without its hash>`."""
    return [
        f"{stack.name}/{id_[:-8]}"
        for stack in stacks.values()
        for type_ in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
        for id_ in stack.all(type_)
    ]


def test_every_alarm_has_one_section(alarms, sections):
    found = {alarm: [pattern for pattern in sections if fnmatchcase(alarm, pattern)] for alarm in alarms}

    assert {alarm: patterns for alarm, patterns in found.items() if len(patterns) != 1} == {}


def test_every_section_is_about_an_alarm(alarms, sections):
    assert [pattern for pattern in sections if not any(fnmatchcase(alarm, pattern) for alarm in alarms)] == []
    assert [pattern for pattern, times in Counter(sections).items() if times > 1] == []
