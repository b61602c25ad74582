"""The registries of workflows: complete, each entry leads somewhere, and a look-up loads nothing else."""

import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import genolaunch.launch_configs.workflows
import genolaunch.workflows
import lambdas.shared.workflow_functions
from genolaunch.contract.workflow import Workflow
from genolaunch.launch_configs.config_base import LaunchSection
from genolaunch.launch_configs.workflows import Later, WorkflowType, engine_of, sources_named_by, workflow_type
from genolaunch.workflows import WorkflowCommands, commands_for
from lambdas.shared.workflow_functions import WorkflowFunctions, functions_for

ROOT = Path(__file__).parents[2]
REGISTRIES: dict[str, dict[str, Any]] = {
    "all": dict(genolaunch.launch_configs.workflows.WORKFLOWS),
    "functions": dict(lambdas.shared.workflow_functions.WORKFLOWS),
    "command line": dict(genolaunch.workflows.WORKFLOWS),
}
BUNDLES = {
    "config": "genolaunch.launch_configs.",
    "team_faults": "lambdas.workflow_manager.",
    "first_principles": "lambdas.pricing.",
    "run_records": "lambdas.provenance.",
}
"""Attribute -> the package that has what it names, in the bundle of the functions that ask for it."""


def laters(entry: WorkflowType | WorkflowFunctions | WorkflowCommands) -> dict[str, Later[Any]]:
    values = {field.name: getattr(entry, field.name) for field in fields(entry)}
    return {name: value for name, value in values.items() if isinstance(value, Later)}


@pytest.mark.parametrize("registry", list(REGISTRIES))
def test_every_workflow_is_described(registry: str) -> None:
    assert list(REGISTRIES[registry]) == list(Workflow)


@pytest.mark.parametrize("workflow", list(Workflow))
@pytest.mark.parametrize("registry", list(REGISTRIES))
def test_what_is_imported_later_is_there(registry: str, workflow: Workflow) -> None:
    for name, later in laters(REGISTRIES[registry][workflow]).items():
        assert later() is not None, name


@pytest.mark.parametrize("workflow", list(Workflow))
def test_what_functions_import_later_is_in_their_bundle(workflow: Workflow) -> None:
    entries = (workflow_type(workflow), functions_for(workflow))
    places = {name: later.place for entry in entries for name, later in laters(entry).items()}

    assert places.keys() == BUNDLES.keys()
    for name, place in places.items():
        assert place.startswith(BUNDLES[name])


@pytest.mark.parametrize("workflow", list(Workflow))
def test_a_launch_config_is_of_its_workflow_and_has_its_section(workflow: Workflow) -> None:
    model = workflow_type(workflow).config()

    assert issubclass(model, LaunchSection)
    assert {workflow.value, "workflow", "data", "name"} <= model.model_fields.keys()
    assert hasattr(model, "compute") or "compute" in model.model_fields


def test_a_look_up_loads_the_contract_and_nothing_else() -> None:
    """Many functions need a flag; the models, with pydantic, take longer to import than all that they do."""
    code = (
        "import sys; before = set(sys.modules); import genolaunch.launch_configs.workflows; "
        "print(sorted({name.partition('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)))"
    )

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    assert loaded.stdout.strip() == "['genolaunch']"


@pytest.mark.parametrize("unknown", [None, "", "nextflow"])
def test_a_launch_of_no_known_workflow_has_every_default(unknown: str | None) -> None:
    assert workflow_type(unknown).users_errors == frozenset()
    assert not workflow_type(unknown).runs_users_programs
    assert commands_for(unknown) == WorkflowCommands()
    assert functions_for(unknown) == WorkflowFunctions()
    assert engine_of(unknown, {"nextflow": {"engine": "awsbatch"}}) in (None, "awsbatch")


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"snakemake": {"snakefile": "workflows/exome/Snakefile"}}, "workflows/exome/Snakefile"),
        ({"snakemake": {"snakefile": 5}}, None),
        ({"snakemake": None, "regenie": {"snakefile": "x/Snakefile"}}, None),
        ({}, None),
    ],
)
def test_sources_are_named_by_the_key_of_a_workflow(config: dict[str, Any], named: str | None) -> None:
    assert sources_named_by(config) == named
