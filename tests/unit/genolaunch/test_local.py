"""`genolaunch local` hands over to the embedded cloud's control, and says in one sentence what went wrong."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from genolaunch import cli
from genolaunch.local_stage import control

KILLED = 5001
"""Port of a cloud that follows one that was killed."""


@dataclass
class FakeCloud:
    endpoint: str = "http://127.0.0.1:4566"
    lost: str = ""

    def environment(self):
        return {"AWS_ENDPOINT_URL": self.endpoint, "AWS_SECRET_ACCESS_KEY": "te st"}


@pytest.fixture
def calls(monkeypatch):
    """A control that runs nothing and notes what it is asked for."""
    calls: list[tuple[object, ...]] = []
    state: dict[str, FakeCloud | None] = {"cloud": None}

    def up(state_dir, port=None):
        calls.append(("up", state_dir, port))
        state["cloud"] = FakeCloud(lost="The embedded cloud that ran here was killed." if port == KILLED else "")
        return state["cloud"]

    def down(state_dir):
        was_running = state["cloud"] is not None
        state["cloud"] = None
        return was_running

    def deploy(cloud, stage, progress):
        calls.append(("deploy", stage))
        progress("genolaunch-local-data: deployed")

    monkeypatch.setattr(control, "up", up)
    monkeypatch.setattr(control, "down", down)
    monkeypatch.setattr(control, "status", lambda state_dir: state["cloud"])
    monkeypatch.setattr(control, "deploy", deploy)
    return calls


def local(*arguments):
    return CliRunner().invoke(cli.app, ["local", *map(str, arguments)])


def test_what_a_killed_cloud_lost_is_told_beside_the_answer(calls, tmp_path):
    started = local("up", "--port", str(KILLED), "--state-dir", str(tmp_path), "--json")

    assert json.loads(started.stdout)["running"] is True
    assert started.stderr == "The embedded cloud that ran here was killed.\n"


def test_life_of_an_embedded_cloud(calls, tmp_path):
    assert local("status").exit_code == 1
    assert local("up", "--port", "5000", "--state-dir", str(tmp_path)).exit_code == 0
    assert json.loads(local("status", "--json").stdout) == {"running": True, "endpoint": "http://127.0.0.1:4566"}
    deployed = local("deploy", "--json")
    assert json.loads(deployed.stdout) == {"deployed": "local"}
    assert "genolaunch-local-data: deployed" in deployed.stderr
    assert local("down").stdout == "The embedded cloud was stopped.\n"
    assert local("down").stdout == "The embedded cloud was not running.\n"
    assert calls == [("up", tmp_path, 5000), ("deploy", "local")]


def test_environment_is_ready_for_eval(calls):
    local("up")

    assert local("env").stdout.splitlines() == [
        "export AWS_ENDPOINT_URL=http://127.0.0.1:4566",
        "export AWS_SECRET_ACCESS_KEY='te st'",
        "export GENOLAUNCH_STAGE=local",
    ]


def test_what_needs_a_running_cloud_says_how_to_start_it(calls):
    for command in ("env", "deploy"):
        result = local(command)

        assert result.exit_code == 3
        assert result.stderr.strip().endswith("start it with `genolaunch local up`.")


def test_trouble_of_the_cloud_is_told_without_a_traceback(calls, monkeypatch):
    def fail(state_dir, port):
        raise control.LocalCloudError("The embedded cloud ended at its start.")

    monkeypatch.setattr(control, "up", fail)

    result = local("up")

    assert (result.exit_code, result.stderr) == (3, "genolaunch: The embedded cloud ended at its start.\n")


def test_the_same_cloud_is_meant_from_wherever_the_command_is_called(monkeypatch, tmp_path):
    # Given: a checkout, and a folder outside of any
    checkout = tmp_path / "geno"
    (checkout / "localcloud").mkdir(parents=True)
    (checkout / "stacks").mkdir()
    for name in ("cdk.json", "pyproject.toml", "stacks/config.py"):
        (checkout / name).touch()
    (checkout / "docs" / "decisions").mkdir(parents=True)
    asked: list[Path] = []
    monkeypatch.setattr(control, "status", asked.append)
    monkeypatch.setattr(control, "down", asked.append)

    for folder in (checkout, checkout / "docs" / "decisions", tmp_path):
        monkeypatch.chdir(folder)
        for command in ("status", "env", "down"):
            local(command)

    here = checkout / ".localcloud"
    assert asked == [here] * 6 + [Path(cli.__file__).parents[1] / ".localcloud"] * 3


def test_what_to_type_names_a_folder_only_where_it_is_another(calls, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    assert 'eval "$(genolaunch local env)"' in local("up").stdout
    assert (
        f'eval "$(genolaunch local env --state-dir {tmp_path}/a)"' in local("up", "--state-dir", tmp_path / "a").stdout
    )
