"""The shell offers launches and stages, quickly or not at all."""

from typing import Any

import pytest
from typer.testing import CliRunner

from genolaunch.cli import app
from genolaunch.commands import completion


@pytest.fixture
def offered(platform, session, monkeypatch):
    """What bash is offered for the last of some words; its session is the stage's, as fast as it is."""
    monkeypatch.setattr(completion, "_session", lambda: session)

    def complete(words):
        environment = {
            "_GENOLAUNCH_COMPLETE": "complete_bash",
            "COMP_WORDS": f"genolaunch {words}",
            "COMP_CWORD": str(len(f"{words}.".split())),
        }
        result = CliRunner().invoke(app, [], env=environment, prog_name="genolaunch")
        assert result.exit_code == 0
        assert result.stderr == ""
        return result.stdout.split()

    return complete


@pytest.fixture
def launches(content):
    """One launch of each of some statuses, named after it."""
    for status in ("RUNNING", "FAILED", "HELD", "COMPLETE"):
        content.launch(f"{status.lower()}-1", status)


def test_a_launch_is_offered_by_its_beginning(offered, launches):
    assert offered("status ru") == ["running-1"]


def test_only_launches_that_a_command_can_take_are_offered(offered, launches):
    assert offered("approve ") == ["held-1"]
    assert offered("retry ") == ["failed-1"]
    assert set(offered("cancel ")) == {"held-1", "running-1"}
    assert set(offered("status ")) == {"complete-1", "failed-1", "held-1", "running-1"}


@pytest.mark.parametrize("words", ["--stage prod status ", "status --stage prod ", "status --stage prod ru"])
def test_launches_of_the_stage_that_was_named_are_offered(offered, launches, words):
    assert offered(words) == []


def test_the_stages_of_the_account_are_offered(offered):
    assert offered("--stage d") == ["dev"]
    assert offered("list --stage ") == ["dev"]
    assert offered("list --stage x") == []


def test_commands_and_statuses_are_offered(offered):
    assert offered("sta") == ["status"]
    assert offered("list --status fa") == ["FAILED"]


def test_nothing_is_said_when_aws_cannot_be_asked(offered, monkeypatch):
    def no_session():
        raise OSError("no network")

    monkeypatch.setattr(completion, "_session", no_session)

    assert offered("status ") == []
    assert offered("--stage ") == []


def test_nobody_waits_long_for_an_offer(aws):
    client = completion._session().client("ssm", region_name="eu-west-1")

    config: Any = client.meta.config
    assert config.connect_timeout + config.read_timeout <= 5
    assert config.retries["total_max_attempts"] == 1
