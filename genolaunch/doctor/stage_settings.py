"""The stage's settings, read from a checkout by the checkout's own code: there is no second copy of their defaults."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from genolaunch.checkout import around
from genolaunch.doctor.account import DEFAULT_QUALIFIER
from genolaunch.doctor.quotas import BUILDS_AT_ONCE, PARALLEL_BUILDS
from genolaunch.errors import GenolaunchError
from genolaunch.version import version, version_of

if TYPE_CHECKING:
    from stacks.config import StageSettings

_QUALIFIER = "@aws-cdk/core:bootstrapQualifier"


def read(stage: str, checkout: Path, settings_file: Path | None) -> tuple["StageSettings", str]:
    """Settings of a stage, and the qualifier of the CDK's bootstrap.

    Args:
        stage: its name in `context.stages` of cdk.json, or in `settings_file`.
        checkout: folder of a checkout of Genolaunch, or one below it.
        settings_file: as `cdk … -c settings-file=` takes it.

    Raises:
        GenolaunchError: there is no checkout, or one of another version, or no such stage, or its settings have faults.
    """
    root = _root(checkout.resolve())
    _require_same_version(root)
    sys.path.insert(0, str(root))
    try:
        from stacks.config import InvalidSettingsError, read_stages
        from stacks.settings_files import context_of_cdk_json, read_settings_file
    finally:
        sys.path.remove(str(root))
    context = context_of_cdk_json()
    try:
        stages = read_stages(read_settings_file(settings_file)["stages"] if settings_file else context["stages"])
    except InvalidSettingsError as error:
        raise GenolaunchError(str(error)) from error
    except ValueError as error:
        raise GenolaunchError(f"{settings_file} is not JSON: {error}.") from error
    if stage not in stages:
        raise GenolaunchError(f"There is no stage {stage}; configured are: {', '.join(stages)}.")
    return stages[stage], str(context.get(_QUALIFIER) or DEFAULT_QUALIFIER)


def builds_in_its_account(settings: "StageSettings", checkout: Path, settings_file: Path | None) -> int:
    """How many builds of CodeBuild run at once in the stage's account and region, if the pipeline or product is there.

    Raises:
        GenolaunchError: there is no checkout.
    """
    file = settings_file or _root(checkout.resolve()) / "cdk.json"
    given = json.loads(file.read_text(encoding="utf-8"))
    given = given if settings_file else given["context"]
    place = (settings.account, settings.region)
    delivery, governance = given.get("delivery") or {}, given.get("governance") or {}
    builds = 0
    if (delivery.get("account"), delivery.get("region")) == place:
        builds += PARALLEL_BUILDS if delivery.get("parallel_publishing") else BUILDS_AT_ONCE
    if governance.get("product") and (governance.get("account"), governance.get("region")) == place:
        builds += 1  # of whoever deploys the product just then
    return builds


def _require_same_version(root: Path) -> None:
    """The settings' code shares the contract with this command."""
    theirs, ours = version_of(root), version()
    if theirs != ours:
        raise GenolaunchError(
            f"The checkout {root} is Genolaunch {theirs}, and this command {ours}: use the command of that checkout, "
            ".venv/bin/genolaunch after `make setup`."
        )


def _root(folder: Path) -> Path:
    if root := around(folder):
        return root
    raise GenolaunchError(
        f"{folder} is in no checkout of Genolaunch, which has the stage's settings (cdk.json): run this in one, or "
        "name it with --checkout."
    )
