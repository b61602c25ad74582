"""What is uploaded for the functions: complete, and nothing else in it."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import botocore
import pytest

import app
from stacks.constructs.bytecode import Compiler, own_compiler
from stacks.constructs.python_function import BundlingTarget, sources_of
from stacks.settings_files import context_of_cdk_json
from stacks.stage import GenolaunchStage
from tests.infrastructure.conftest import make_settings

# What Lambda's Python runtime brings: boto3 and what that needs.
RUNTIME_PACKAGES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six.py", "urllib3")

# What Lambda sets; Tibanna's functions ask for these when they are imported.
RUNTIME_VARIABLES = {
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_ACCOUNT_NUMBER": "111111111111",
}

SHARED = {"__init__.py", "contract", "launch_configs", "shared"}
"""Of the package `genolaunch`: no command."""

MOST_UNZIPPED = 250 * 2**20
"""Bytes of a function with its layers (Lambda developer guide, "Lambda quotas")."""

IMPORT = """
import importlib, sys
sys.path[:0] = sys.argv[2:]
print(callable(importlib.import_module(sys.argv[1]).handler))
"""


IMPORT_LATE = """
import sys
sys.path[:0] = sys.argv[1:]
import lambdas.regenie.plan_launch
early = "numpy" in sys.modules
import lambdas.regenie.preflight.check
print(early, "numpy" in sys.modules)
"""


@pytest.fixture(scope="module")
def assembly(tmp_path_factory):
    """Folder of an app that was synthesized for this machine, bundles included."""
    synthesized = cdk.App(outdir=str(tmp_path_factory.mktemp("assembly")), context=context_of_cdk_json())
    GenolaunchStage(synthesized, settings=make_settings(), bundling=BundlingTarget.HOST)
    return Path(synthesized.synth().directory)


@pytest.fixture(scope="module")
def runtime(tmp_path_factory):
    """Folder with what the runtime brings, and nothing else of this environment."""
    folder = tmp_path_factory.mktemp("runtime")
    site_packages = Path(botocore.__file__).parents[1]
    for name in RUNTIME_PACKAGES:
        (folder / name).symlink_to(site_packages / name)
    return folder


def resources(assembly: Path, type_: str) -> Iterator[dict[str, Any]]:
    """Properties of the resources of a type, in all of the assembly's templates."""
    for template in assembly.rglob("*.template.json"):
        for resource in json.loads(template.read_text())["Resources"].values():
            if resource["Type"] == type_:
                yield resource["Properties"]


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def folder_of(assembly: Path, code: dict[str, str]) -> Path:
    """Where the assembly keeps what a function or layer is made of."""
    return assembly / f"asset.{code['S3Key'].removesuffix('.zip')}"


def layers_of(assembly: Path, function: dict[str, Any]) -> list[Path]:
    """Folders of a function's layers. Those of other stacks with the same id have the same packages."""
    layers = {
        id_: folder_of(assembly, resource["Properties"]["Content"])
        for template in assembly.rglob("*.template.json")
        for id_, resource in json.loads(template.read_text())["Resources"].items()
        if resource["Type"] == "AWS::Lambda::LayerVersion"
    }
    return [layers[layer["Ref"]] for layer in function.get("Layers", ())]


def run_with_packages_of(assembly: Path, function: dict[str, Any], runtime: Path, *given: str) -> str:
    """When a script runs with a function's bundle, its layers and the runtime alone: what it prints."""
    layers = [str(layer / "python") for layer in layers_of(assembly, function)]
    paths = [str(folder_of(assembly, function["Code"])), *layers, str(runtime)]
    # -I and -S: no site-packages, no current folder, no PYTHONPATH. -B: nothing is written into the bundle.
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", *given, *paths],
        env={**RUNTIME_VARIABLES, "TIBANNA_VERSION": "6.1.0"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or done.stderr


def test_every_function_can_be_imported_from_its_bundle_its_layer_and_the_runtime_alone(assembly, runtime):
    functions = list(resources(assembly, "AWS::Lambda::Function"))

    assert functions
    for function in functions:
        module = function["Handler"].removesuffix(".handler")
        assert run_with_packages_of(assembly, function, runtime, IMPORT, module) == "True", module


def test_planning_has_what_it_imports_late_and_its_start_does_without(assembly, runtime):
    (plan_launch,) = [
        function
        for function in resources(assembly, "AWS::Lambda::Function")
        if function["Handler"] == "lambdas.regenie.plan_launch.handler"
    ]

    assert run_with_packages_of(assembly, plan_launch, runtime, IMPORT_LATE) == "False True"


def test_the_layer_leaves_out_what_the_runtime_has(assembly):
    layer = next(resources(assembly, "AWS::Lambda::LayerVersion"))

    packages = {path.name for path in (folder_of(assembly, layer["Content"]) / "python").iterdir()}
    assert "aws_lambda_powertools" in packages
    assert packages.isdisjoint(RUNTIME_PACKAGES)


@pytest.mark.parametrize("folder", ["workflow_manager", "regenie", "snakemake", "cleanup"])
def test_a_bundle_holds_the_contract_the_shared_code_and_one_capability(assembly, folder):
    (bundle,) = [path for path in assembly.glob("asset.*") if (path / "lambdas" / folder).is_dir()]

    assert sorted(path.name for path in bundle.iterdir()) == ["genolaunch", "lambdas"]
    assert {path.name for path in (bundle / "genolaunch").iterdir()} - {folder, "__pycache__"} == SHARED
    assert {path.name for path in (bundle / "lambdas").iterdir()} - {"__pycache__"} == {"__init__.py", "shared", folder}
    sources = {path for path in bundle.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    compiled = {Path(importlib.util.cache_from_source(str(path))) for path in sources if path.suffix == ".py"}
    assert set(bundle.rglob("*.pyc")) == compiled, "bytecode of this machine's Python, which runs them, and no other"


def test_functions_and_layer_stay_below_lambdas_limit(assembly):
    for function in resources(assembly, "AWS::Lambda::Function"):
        code, *further = [folder_of(assembly, function["Code"]), *layers_of(assembly, function)]
        most = MOST_UNZIPPED / 4 if len(further) < 2 else MOST_UNZIPPED / 2  # numpy has some 50 MB
        assert sum(map(size_of, (code, *further))) < most, function["Handler"]


@pytest.mark.parametrize(
    ("context", "installed", "missing"),
    [
        ({}, {"3.12"}, ["3.14"]),
        ({}, {"3.12", "3.14"}, []),
        ({"bundling": "host"}, set(), []),
    ],
)
def test_a_python_that_cannot_make_bytecode_here_is_named(monkeypatch, context, installed, missing):
    monkeypatch.setattr(app, "compiler_of", lambda version: own_compiler() if version in installed else None)

    assert app.missing_pythons(cdk.App(context=context)) == missing


def test_without_bytecode_the_sources_go_alone_and_with_it_they_are_another_asset(tmp_path):
    """By the interpreter's release: what it made is uploaded again after an update of Python."""
    hashes = set()
    for number, compiler in enumerate([None, Compiler(sys.executable, "3.14.3"), Compiler(sys.executable, "3.14.4")]):
        stack = cdk.Stack(cdk.App(outdir=str(tmp_path / str(number))), "Stack")
        code = sources_of("cleanup", compiler, display_name="functions").bind(stack)
        assert code.s3_location is not None
        hashes.add(code.s3_location.object_key)
        (bundle,) = (tmp_path / str(number)).glob("asset.*")
        assert bool(list(bundle.rglob("*.pyc"))) is (compiler is not None)

    assert len(hashes) == 3
