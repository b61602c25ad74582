"""Reads settings from `context` of cdk.json, or from another JSON file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

CDK_JSON: Final = Path(__file__).parents[1] / "cdk.json"


_FEATURE_FLAGS: Final = Path(__file__).parent / "feature_flags.json"


def feature_flags() -> dict[str, Any]:
    """The CDK's feature flags (AWS CDK developer guide, "AWS CDK feature flags"), which are the same for all stages.

    They are the app's own context, which cdk.json's goes before.
    """
    flags: dict[str, Any] = json.loads(_FEATURE_FLAGS.read_text(encoding="utf-8"))
    return flags


def context_of_cdk_json() -> dict[str, Any]:
    """Feature flags and stages, as the CDK command line passes them to the app."""
    context: dict[str, Any] = json.loads(CDK_JSON.read_text(encoding="utf-8"))["context"]
    return feature_flags() | context


def read_settings_file(path: Path) -> Mapping[str, Any]:
    """`{"stages", "delivery", "governance"?}` of a file that has these keys, or the stages alone."""
    raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return {"delivery": None, **raw} if "stages" in raw else {"stages": raw, "delivery": None}
