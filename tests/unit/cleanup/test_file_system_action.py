"""What clean-up does next with a file system."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from genolaunch.contract.launch import Status
from lambdas.cleanup.file_system_action import Action, FileSystemState, next_action
from lambdas.cleanup.launch_resources import FileSystem, Owner
from lambdas.shared.launch import Launch

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def launch(
    status: Status = Status.FAILED,
    attempt: int = 1,
    ended: timedelta | None = timedelta(0),
    started: timedelta = timedelta(hours=5),
    file_system: str = "fs-1",
) -> Launch:
    ended_at = (NOW - ended).isoformat() if ended is not None else None
    started_at = (NOW - started).isoformat()
    return Launch(
        "launch-1",
        "n",
        status,
        submitted_at="2026-11-21T04:00:00.000Z",
        attempt=attempt,
        started_at=started_at,
        ended_at=ended_at,
        file_system_id=file_system,
    )


def state(
    lifecycle: str = "AVAILABLE",
    links: dict[str, str] | None = None,
    tasks: list[dict[str, Any]] | None = None,
    *,
    is_in_use: bool = False,
) -> FileSystemState:
    """A file system of attempt 1; by default linked with data and work, and idle."""
    given = {"/data": "AVAILABLE", "/work": "AVAILABLE"} if links is None else links
    associations: Any = [{"FileSystemPath": path, "Lifecycle": value} for path, value in given.items()]
    repository_tasks: Any = tasks or []
    file_system = FileSystem("fs-1", lifecycle, Owner("launch-1", 1), NOW - timedelta(hours=5), 1200)
    return FileSystemState(file_system, associations, repository_tasks, is_in_use)


def export(lifecycle: str, *paths: str) -> dict[str, Any]:
    return {"Type": "EXPORT_TO_REPOSITORY", "Lifecycle": lifecycle, "Paths": list(paths or ("work",))}


def test_a_failed_launchs_work_is_exported_then_unlinked_then_deleted():
    # Given what each step leaves behind
    steps = [
        state(),
        state(tasks=[export("EXECUTING")]),
        state(tasks=[export("SUCCEEDED")]),
        state(links={"/data": "DELETING", "/work": "DELETING"}, tasks=[export("SUCCEEDED")]),
        state(links={}, tasks=[export("SUCCEEDED")]),
    ]

    assert [next_action(step, launch(), NOW) for step in steps] == [
        Action.EXPORT,
        Action.WAIT,
        Action.UNLINK,
        Action.WAIT,
        Action.DELETE,
    ]


@pytest.mark.parametrize(
    "waiting",
    [
        state("CREATING", links={}),
        state("UPDATING"),
        state(is_in_use=True),
        state(links={"/work": "CREATING"}),
        state(tasks=[export("PENDING", "work/gwas")]),
        state(tasks=[export("CANCELING")]),
    ],
)
def test_what_is_still_changing_is_waited_for(waiting: FileSystemState):
    assert next_action(waiting, launch(), NOW) is Action.WAIT


@pytest.mark.parametrize("ended", ["FAILED", "CANCELED", "SUCCEEDED"])
def test_an_export_is_tried_once_whatever_came_of_it(ended: str):
    assert next_action(state(tasks=[export(ended, "/work/")]), launch(), NOW) is Action.UNLINK


def test_the_narrower_export_of_a_run_that_then_failed_does_not_count():
    ended = state(tasks=[export("FAILED", "work/gwas", "work/report.html")])

    assert next_action(ended, launch(), NOW) is Action.EXPORT


@pytest.mark.parametrize(
    "owner",
    [
        None,
        launch(Status.COMPLETE),
        launch(Status.FAILED, ended=timedelta(hours=7)),
        launch(Status.RUNNING, attempt=2, ended=None, started=timedelta(hours=7)),
        launch(Status.RUNNING, attempt=2, ended=None, file_system="fs-2"),
    ],
    ids=["unknown launch", "complete", "refused for hours", "newer attempt waits for hours", "newer file system"],
)
def test_work_that_no_retry_can_use_is_not_exported(owner: Launch | None):
    assert next_action(state(), owner, NOW) is Action.UNLINK


def test_work_is_exported_for_the_newer_attempt_that_waits_for_it():
    waiting = launch(Status.RUNNING, attempt=2, ended=None, started=timedelta(minutes=1))

    assert next_action(state(), waiting, NOW) is Action.EXPORT


@pytest.mark.parametrize("links", [{"/data": "AVAILABLE"}, {"/work": "MISCONFIGURED"}, {"/work": "FAILED"}])
def test_without_a_working_link_there_is_nothing_to_export(links: dict[str, str]):
    assert next_action(state(links=links), launch(), NOW) is Action.UNLINK


@pytest.mark.parametrize("lifecycle", ["AVAILABLE", "FAILED", "MISCONFIGURED"])
def test_a_file_system_without_links_is_deleted(lifecycle: str):
    assert next_action(state(lifecycle, links={}), launch(), NOW) is Action.DELETE
