"""The CDK app: one Genolaunch for each configured stage.

Context (`cdk … -c key=value`):
    stage: build this stage only (default: all).
    pipeline: `true` builds the pipeline with its stages (`delivery` in the settings), and not the stages by themselves.
    settings-file: read the settings from this JSON file, and not from cdk.json: the stages, or
        `{"stages": {...}, "delivery": {...}, "governance": {...}}`.
    bundling: `lambda` (default) or `host`: for which machine the functions' dependencies are bundled.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk

from stacks import tibanna
from stacks.adoption import AdoptionStack
from stacks.adoption_member import AdoptionMemberStack
from stacks.config import InvalidSettingsError, StageSettings, read_delivery, read_governance, read_stages
from stacks.constructs import python_function
from stacks.constructs.bytecode import compiler_of
from stacks.constructs.python_function import BundlingTarget
from stacks.pipeline import PipelineStack
from stacks.product import ProductPortfolioStack
from stacks.settings_files import feature_flags, read_settings_file
from stacks.stage import GenolaunchStage


def build(app: cdk.App) -> None:
    """Add the stages, or the pipeline, that the app's context asks for.

    Raises:
        InvalidSettingsError: the settings have faults, or there is no such stage.
    """
    bundling = _bundling(app)
    settings = _settings(app)
    stages = read_stages(settings["stages"])
    if settings.get("governance") is not None and _context(app, "stage") is None:
        governance = read_governance(settings["governance"], stages)
        AdoptionStack(app, settings=governance)
        for account in governance.accounts:
            if account != governance.account:
                AdoptionMemberStack(app, account=account, settings=governance)
        if governance.product is not None:
            ProductPortfolioStack(app, governance=governance, product=governance.product, stages=stages)
    if _context(app, "pipeline") == "true":
        delivery = read_delivery(settings["delivery"], stages)
        PipelineStack(app, delivery=delivery, stages=stages, bundling=bundling)
        return
    for chosen in _chosen_stages(app, stages):
        GenolaunchStage(app, settings=chosen, bundling=bundling)


def _bundling(app: cdk.App) -> BundlingTarget:
    return BundlingTarget(_context(app, "bundling") or BundlingTarget.LAMBDA)


def missing_pythons(app: cdk.App) -> list[str]:
    """Versions of Lambda's Python whose bytecode cannot be made on this machine."""
    if _bundling(app) is BundlingTarget.HOST:
        return []
    return [version for version in (python_function.PYTHON, tibanna.PYTHON) if compiler_of(version) is None]


def _settings(app: cdk.App) -> Mapping[str, Any]:
    """Raw `stages` and `delivery`."""
    file = _context(app, "settings-file")
    if not file:
        return {key: _context(app, key) for key in ("stages", "delivery", "governance")}
    return read_settings_file(Path(file))


def _chosen_stages(app: cdk.App, stages: Mapping[str, StageSettings]) -> list[StageSettings]:
    name = _context(app, "stage")
    if name is None:
        return list(stages.values())
    if name not in stages:
        raise InvalidSettingsError(f"There is no stage {name}; configured are: {', '.join(stages)}")
    return [stages[name]]


def _context(app: cdk.App, key: str) -> Any:  # noqa: ANN401 - context is whatever JSON holds
    return app.node.try_get_context(key)


def main() -> int:
    """Synthesize; 1 if the settings are at fault."""
    app = cdk.App(context=feature_flags())
    try:
        build(app)
    except InvalidSettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the CDK command line shows this to the user
        return 1
    if missing := missing_pythons(app):
        print(  # noqa: T201 - as above
            f"Python {' and '.join(missing)} is not installed here: those functions go without bytecode, and compile at"
            " each cold start (docs/architecture/delivery.md)",
            file=sys.stderr,
        )
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
