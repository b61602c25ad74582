"""docs/architecture/tables.md describes every attribute of a launch, and every kind of item of the other tables."""

import importlib
import pkgutil
from pathlib import Path
from typing import Any

import pytest

from genolaunch import contract

PAGE = (Path(__file__).parents[2] / "docs" / "architecture" / "tables.md").read_text(encoding="utf-8")


def names() -> dict[str, Any]:
    """Every name of the contract, whether it is a module or a package."""
    modules = [contract]
    for found in pkgutil.iter_modules(contract.__path__):
        modules.append(importlib.import_module(f"{contract.__name__}.{found.name}"))
    return {name: value for module in modules for name, value in vars(module).items()}


def attributes(fields: type) -> list[str]:
    return [value for name, value in vars(fields).items() if name.isupper()]


@pytest.mark.parametrize("fields", ["LaunchField", "TaskField", "RestoreField", "LauncherField"])
def test_every_attribute_is_described(fields):
    assert [each for each in attributes(names()[fields]) if f"`{each}`" not in PAGE] == []


def test_every_kind_of_item_is_listed():
    prefixes = {
        name: value
        for name, value in names().items()
        if name.endswith("_TASK_PREFIX") or (name.startswith("USAGE_") and name.endswith("_PREFIX"))
    }
    others = [
        names()[name] for name in ("GUARD_KEY_PREFIX", "OPEN_RESTORES", "USAGE_OF_INSTANCE", "USAGE_OF_TIBANNA_JOB")
    ]

    assert {"JOB_TASK_PREFIX", "RESTORE_TASK_PREFIX", "USAGE_JOB_PREFIX"} <= set(prefixes)
    assert [each for each in [*prefixes.values(), *others] if f"`{each}" not in PAGE] == []
