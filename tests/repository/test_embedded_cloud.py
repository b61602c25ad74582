"""The embedded cloud is a package of its own: it knows AWS, and nothing of the app that runs on it."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from checks import embedded_cloud_reference
from localcloud import injection

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "localcloud"
MODULES = sorted(PACKAGE.rglob("*.py"))

KNOWS_THE_APP = {
    "clean_environment.py": "GENOLAUNCH_* reaches the module that knows the app's images",
}
"""Where the app's name stands, and why."""

NO_SERVICES = {"iam", "limits", "validation"}
"""Packages about every service."""


def imported(module: Path) -> Iterator[str]:
    """First names of what a module imports, also inside functions."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import"
            yield str(node.module).partition(".")[0]


def test_it_imports_nothing_of_the_repository_but_itself():
    of_the_repository = {path.stem for path in REPOSITORY.iterdir() if path.is_dir() or path.suffix == ".py"}
    of_the_repository |= {path.name for path in (REPOSITORY / "containers").glob("*/*") if path.is_dir()}

    found = {name for module in MODULES for name in imported(module)} & of_the_repository

    assert {"genolaunch", "lambdas", "stacks", "regenie_stand_in", "regenie_runner"} <= of_the_repository
    assert found == {"localcloud"}


def test_it_names_the_app_only_where_that_is_explained():
    found = {str(path.relative_to(PACKAGE)) for path in MODULES if "genolaunch" in path.read_text().lower()}

    assert found == KNOWS_THE_APP.keys()


def test_every_service_has_its_entry_under_the_same_name():
    packages = [folder.parent for folder in PACKAGE.glob("*/__init__.py") if folder.parent.name not in NO_SERVICES]

    assert len(packages) > 10
    for package in packages:
        entry = f"{package.name.title()}Service"
        module = ast.parse((package / "service.py").read_text())
        assert entry in {node.name for node in module.body if isinstance(node, ast.ClassDef)}, entry
        assert f'"{entry}"' in (package / "__init__.py").read_text(), f"{entry} is not in __all__"


def test_the_page_of_what_it_covers_is_current():
    page = embedded_cloud_reference.page()

    assert embedded_cloud_reference.PAGE.read_text(encoding="utf-8") == page, "make reference"
    for part in ("### `batch`", "| answers itself | `CancelJob`", "| intercepts | `CreateFleet`", "`kinesis`"):
        assert part in page


def test_every_fault_on_request_is_described():
    described = set(re.findall(r"^- `([\w-]+)`:", f"{injection.__doc__}", re.MULTILINE))

    assert described == {*embedded_cloud_reference.made().injectors, "glacier"}


def test_its_own_project_file_has_every_package_and_what_it_imports():
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())
    folders = {".".join(file.parent.relative_to(REPOSITORY).parts) for file in PACKAGE.rglob("__init__.py")}
    others = {name for module in MODULES for name in imported(module)} - sys.stdlib_module_names - {"localcloud"}
    needed = {re.split("[^a-z0-9-]", line)[0] for line in project["project"]["dependencies"]}

    assert set(project["tool"]["setuptools"]["packages"]) == folders
    # botocore comes with boto3; types_* are for mypy alone.
    assert {name for name in others if not name.startswith("types_")} - {"botocore"} == {
        name.removesuffix("-python") for name in needed
    }
    assert f"ministack=={version('ministack')}" in project["project"]["dependencies"]
