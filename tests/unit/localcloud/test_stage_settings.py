"""The settings with which the app is deployed to the embedded cloud."""

import json
from pathlib import Path

import pytest

from genolaunch.local_stage import control
from genolaunch.local_stage.control import STAGE_SETTINGS, Cloud, stage_settings
from stacks.config import StageSettings


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    return Cloud(tmp_path, 1, 4566)


def test_a_stand_in_for_regenie_is_a_limit_of_the_stage(cloud: Cloud, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(control, "real_regenie", lambda: None)
    monkeypatch.setattr(control, "docker_answers", lambda: False)

    stages = json.loads(stage_settings(cloud).read_text())

    limits = StageSettings.model_validate({"name": "local", **stages["local"]}).regenie.limits
    assert limits is not None
    assert {"--qt", "--bed", "--apply-rint", "--catCovarList", "--split-l0"} <= set(limits.options)
    assert not {"--bt", "--pgen", "--bgen", "--par-region"} & set(limits.options)
    assert "install Docker, or regenie" in limits.remedy


@pytest.mark.parametrize(("program", "docker"), [("/usr/bin/regenie", False), (None, True)])
def test_the_real_program_has_none(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, program: str | None, docker: bool):
    monkeypatch.setattr(control, "real_regenie", lambda: program)
    monkeypatch.setattr(control, "docker_answers", lambda: docker)

    assert stage_settings(cloud) == STAGE_SETTINGS


@pytest.mark.parametrize(
    ("program", "docker", "words"),
    [
        ("/usr/bin/regenie", False, "Jobs of regenie run /usr/bin/regenie."),
        (None, False, "Jobs of regenie run the numpy stand-in, for there is no regenie on PATH."),
        (
            None,
            True,
            "Jobs of regenie run in Docker, and on a cluster the numpy stand-in, for there is no regenie on PATH.",
        ),
    ],
)
def test_deploying_says_what_runs_as_regenie(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, program: str | None, docker: bool, words: str
):
    monkeypatch.setattr(control, "real_regenie", lambda: program)
    monkeypatch.setattr(control, "docker_answers", lambda: docker)
    monkeypatch.setattr("localcloud.control.deploy", lambda *_arguments: None)
    said: list[str] = []

    control.deploy(cloud, progress=said.append)

    assert said == [words]
