"""One module says how a launch's status changes: nobody else writes that attribute, state machines and commands too.

What people may write by hand in a console is validated when it is claimed (docs/decisions/107).
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

WRITER = "lambdas/shared/status_update.py"
USERS = {"lambdas/shared/launch_repository.py", "lambdas/workflow_manager/launch_queue.py"}
"""The repository of launches, and the queue, which changes a status and a place in one transaction."""

SETS_STATUS = re.compile(r"\bSET\b(?:(?!\b(?:REMOVE|ADD|DELETE)\b)[^\"'])*(?<![\w.])#?status\s*=(?!=)")
"""An update expression whose SET clause has the attribute; conditions are other texts."""


def production() -> Iterator[tuple[str, str]]:
    """Path below the repository, and text, of all that works on items."""
    for folder in ("genolaunch", "lambdas", "containers", "statemachines"):
        for pattern in ("*.py", "*.json"):
            for path in sorted((REPOSITORY / folder).rglob(pattern)):
                yield path.relative_to(REPOSITORY).as_posix(), path.read_text(encoding="utf-8")


def test_only_the_repository_and_the_queue_change_a_status():
    users = {path for path, text in production() if re.search(r"\bStatusUpdate\(", text)}

    assert users == USERS


def test_no_other_update_sets_it():
    assert [path for path, text in production() if path != WRITER and SETS_STATUS.search(text)] == []


@pytest.mark.parametrize(
    "expression",
    [
        "SET #status = :to",
        "SET #a = :a, #status = :to",
        "REMOVE #a SET status=:to",
        "SET status = if_not_exists(#a, :b)",
    ],
)
def test_an_update_that_sets_it_is_seen(expression: str):
    assert SETS_STATUS.search(f'"{expression}"')


@pytest.mark.parametrize(
    "expression", ["SET #costStatus = :s", "SET #a = :status", "#status = :running", "SET #a = :a REMOVE #status"]
)
def test_other_updates_are_not(expression: str):
    assert not SETS_STATUS.search(f'"{expression}"')
