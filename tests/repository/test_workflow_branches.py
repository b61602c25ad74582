"""No module asks which workflow a launch is of, but a workflow's own: others look an attribute up in the registries."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from genolaunch.contract.workflow import Workflow
from statemachines.composition import FOLDER, NAMES, text

ROOT = Path(__file__).parents[2]
PRODUCTION = ("app.py", "checks", "genolaunch", "lambdas", "stacks", "statemachines")
REGISTRIES = {
    "genolaunch/launch_configs/workflows.py",
    "genolaunch/workflows.py",
    "lambdas/shared/workflow_functions.py",
    "stacks/stage.py",
}
OF_A_WORKFLOW = {"genolaunch/launch_configs/regenie_config.py": Workflow.REGENIE}
"""A workflow's own modules whose paths do not name it."""

MEMBERS = {workflow.name for workflow in Workflow}
MODELS = {f"{workflow.capitalize()}{kind}" for workflow in Workflow for kind in ("Launch", "Parameters")}


def is_own(path: str) -> bool:
    """A workflow's, or a registry."""
    return path in REGISTRIES or path in OF_A_WORKFLOW or any(workflow in path for workflow in Workflow)


def files() -> Iterator[str]:
    for top in PRODUCTION:
        found = [ROOT / top] if top.endswith(".py") else (ROOT / top).rglob("*.py")
        yield from sorted(str(file.relative_to(ROOT)) for file in found)


def branches(source: str) -> Iterator[int]:
    """Lines that ask for a workflow by its name, its member or its model."""
    for node in ast.walk(ast.parse(source)):
        if (
            (isinstance(node, ast.Attribute) and node.attr in MEMBERS and _is_named(node.value, {"Workflow"}))
            or (isinstance(node, ast.Compare) and any(map(_has_name, (node.left, *node.comparators))))
            or (isinstance(node, ast.MatchValue) and _has_name(node.value))
            or (
                isinstance(node, ast.Call)
                and _is_named(node.func, {"isinstance", "issubclass"})
                and any(_is_named(each, MODELS) for each in ast.walk(node.args[1]))
            )
        ):
            yield node.lineno


def _is_named(node: ast.AST, names: set[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def _has_name(node: ast.AST) -> bool:
    """A workflow's name, or a set or list with one."""
    return any(isinstance(each, ast.Constant) and each.value in tuple(Workflow) for each in ast.walk(node))


def test_no_module_but_a_workflows_own_asks_which_workflow_it_is() -> None:
    asking = [
        f"{path}:{line}" for path in files() if not is_own(path) for line in branches((ROOT / path).read_text("utf-8"))
    ]

    assert asking == []


@pytest.mark.parametrize(
    "source",
    [
        "if launch.workflow == Workflow.REGENIE: pass",
        "if launch.workflow != 'snakemake': pass",
        "_WORKING = {Workflow.SNAKEMAKE}",
        "x = launch.workflow in ('regenie', 'other')",
        "if isinstance(config, (Other, RegenieLaunch)): pass",
        "match workflow:\n    case 'regenie': pass",
    ],
)
def test_a_branch_is_seen(source: str) -> None:
    assert list(branches(source))


@pytest.mark.parametrize("source", ["kinds = [each for each in Workflow]", "x = {'workflow': 'snakemake'}"])
def test_what_holds_for_every_workflow_is_none(source: str) -> None:
    assert not list(branches(source))


def test_what_is_taken_for_a_workflows_own_is_there() -> None:
    assert REGISTRIES | OF_A_WORKFLOW.keys() <= set(files())


@pytest.mark.parametrize("machine", sorted(set(NAMES) - set(Workflow)))
def test_no_state_machine_but_a_workflows_own_compares_with_a_workflows_name(machine: str) -> None:
    written = (FOLDER / f"{machine}.asl.json").read_text("utf-8")

    for workflow in Workflow:
        assert f"'{workflow}'" not in written
        assert f"'{workflow}'" not in text(machine)
