"""The command line as a package of its own, and which parts of it are everybody's."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "genolaunch"

FOR_ALL = ("contract", "launch_configs", "shared")
"""Of the command line's package, in every function's bundle."""

MAY_IMPORT = {
    "genolaunch/contract": {"genolaunch.contract"},
    "genolaunch/shared": {"genolaunch.contract", "genolaunch.shared", "boto3", "botocore"},
    "genolaunch/launch_configs": {
        *("genolaunch.contract", "genolaunch.shared", "genolaunch.launch_configs"),
        *("pydantic", "pydantic_core", "yaml"),
    },
    "genolaunch/regenie": {
        *("genolaunch.contract", "genolaunch.shared", "genolaunch.launch_configs", "genolaunch.regenie"),
        *("boto3", "botocore"),
    },
}
"""Part of the package that functions have -> what else they must have then."""


OF_TYPES = {"_typeshed", "types_boto3_s3", "types_boto3_stepfunctions"}
"""Imported while types are checked, and never else."""


def imported(folder: Path) -> Iterator[tuple[str, str]]:
    """File and module of each import."""
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((str(file), each.name) for each in node.names)
            elif isinstance(node, ast.ImportFrom):
                module = node.module or ""
                # `from genolaunch import contract` is of genolaunch.contract.
                names = [f"{module}.{each.name}" for each in node.names] if module == "genolaunch" else [module]
                yield from ((str(file), name) for name in names)


def part_of(module: str) -> str:
    """`genolaunch.contract` of a module of the command line's package, the package of any other."""
    return ".".join(module.split(".")[: 2 if module.startswith("genolaunch.") else 1])


def test_every_folder_of_the_command_line_is_a_package():
    """Those without __init__.py are not in its wheel."""
    folders = {file.parent for file in PACKAGE.rglob("*.py")}

    assert [str(folder) for folder in folders if not (folder / "__init__.py").is_file()] == []


@pytest.mark.parametrize("part", list(MAY_IMPORT))
def test_what_functions_share_with_the_command_line_needs_no_command(part):
    found = {(file, part_of(module)) for file, module in imported(REPOSITORY / part)}

    assert found
    allowed = MAY_IMPORT[part] | OF_TYPES | set(sys.stdlib_module_names)
    assert {each for each in found if each[1] not in allowed} == set()


@pytest.mark.parametrize(
    "capability", sorted(path.name for path in (REPOSITORY / "lambdas").iterdir() if path.is_dir())
)
def test_functions_import_of_the_command_line_what_is_in_their_bundle(capability):
    bundled = {f"genolaunch.{name}" for name in (*FOR_ALL, *({capability} - {"shared"}))}
    found = {(file, part_of(module)) for file, module in imported(REPOSITORY / "lambdas" / capability)}

    assert {each for each in found if each[1].startswith("genolaunch") and each[1] not in bundled} == set()


@pytest.mark.parametrize("folder", ["stacks", "statemachines"])
def test_stacks_and_state_machines_import_of_the_command_line_the_contract_alone(folder):
    found = {(file, part_of(module)) for file, module in imported(REPOSITORY / folder)}

    assert {each for each in found if each[1].startswith("genolaunch") and each[1] != "genolaunch.contract"} == set()


def test_importing_the_package_imports_nothing():
    """Every function does, before its own modules."""
    statements = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8")).body

    assert [type(each) for each in statements] == [ast.Expr]
