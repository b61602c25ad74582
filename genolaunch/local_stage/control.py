"""Start the embedded cloud with the app's images, and deploy the app to it: what `genolaunch local` does."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Final

from genolaunch.local_stage.images import CHECKOUT, images, real_regenie
from localcloud import control
from localcloud.batch import docker_answers
from localcloud.control import Cloud, LocalCloudError, Progress, down, free_port, status
from regenie_stand_in.cli import known_options
from regenie_stand_in.errors import INSTALL

__all__ = [
    "STAGE_SETTINGS",
    "Cloud",
    "LocalCloudError",
    "deploy",
    "down",
    "free_port",
    "stage_settings",
    "status",
    "up",
]

STAGE_SETTINGS: Final = Path(__file__).parent / "stage.json"

_HOW_TO_GO_ON: Final = "Deploy again (genolaunch local deploy), and launch again."


def up(state_dir: Path, port: int | None = None, *, enforce_iam: bool = False) -> Cloud:
    """Start the cloud as `localcloud.control.up` does, with the images of this checkout. Raises LocalCloudError."""
    cloud = control.up(state_dir, port, images=images.__module__, enforce_iam=enforce_iam)
    return replace(cloud, lost=f"{cloud.lost} {_HOW_TO_GO_ON}") if cloud.lost else cloud


def deploy(cloud: Cloud, stage: str = "local", progress: Progress = lambda _line: None) -> None:
    """Deploy the app's stacks; `progress` gets what runs as regenie, and one line for each stack that begins or ends.

    Raises LocalCloudError.
    """
    progress(f"Jobs of regenie run {_what_runs_as_regenie()}.")
    context = {"stage": stage, "settings-file": str(stage_settings(cloud)), "bundling": "host"}
    control.deploy(cloud, CHECKOUT, context, progress)


def _what_runs_as_regenie() -> str:
    program = real_regenie() or "the numpy stand-in, for there is no regenie on PATH"
    return f"in Docker, and on a cluster {program}" if docker_answers() else program


def stage_settings(cloud: Cloud) -> Path:
    """The stages' settings; where the numpy stand-in runs for regenie, with what it can do."""
    if real_regenie() or docker_answers():
        return STAGE_SETTINGS
    stages = json.loads(STAGE_SETTINGS.read_text())
    remedy = f"This embedded cloud runs a numpy stand-in for regenie: {INSTALL}"
    for settings in stages.values():
        settings["regenie"]["limits"] = {"options": known_options(), "remedy": remedy}
    path = cloud.state_dir / "stage.json"
    path.write_text(json.dumps(stages, indent=2) + "\n")
    return path
