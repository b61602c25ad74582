"""What this machine needs to deploy the stage."""

import os
import subprocess
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from genolaunch.doctor.account import Account
from genolaunch.doctor.finding import Check, Finding, mend, ok

if TYPE_CHECKING:
    from stacks.config import StageSettings

_DOCKER: Final = "Docker"
_SECONDS: Final = 20


def checks(settings: "StageSettings") -> list[Check]:
    """Of a stage that builds an image."""
    return [Check(_DOCKER, _docker)] if _built(settings) else []


def _built(settings: "StageSettings") -> list[str]:
    """The settings of images that the deployment builds (`stacks.config.BUILD`)."""
    from stacks.config import BUILD  # of the checkout, from which the settings were read

    images = {
        **{f"regenie.versions.{version}": image for version, image in settings.regenie.versions.items()},
        "snakemake.image": settings.snakemake.image,
        "snakemake.batch_image": settings.snakemake.batch_image,
    }
    return [name for name, image in images.items() if image == BUILD]


def _docker(account: Account) -> Sequence[Finding]:
    """The CDK command line builds with the program that CDK_DOCKER names."""
    program = os.environ.get("CDK_DOCKER") or "docker"
    wanted = ", ".join(_built(account.settings))
    try:
        done = subprocess.run([program, "info"], capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        answers = False
    else:
        answers = done.returncode == 0
    if answers:
        return [ok(_DOCKER, f"{program} answers; it builds {wanted}")]
    text = f"`{program} info` does not answer, and the stage builds {wanted}"
    return [mend(_DOCKER, text, "install and start Docker, or name images that are built already in cdk.json")]
