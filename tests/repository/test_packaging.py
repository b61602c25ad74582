"""The command line as a package of its own, without the checkout."""

import ast
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def test_every_package_of_the_command_line_is_in_its_wheel():
    listed = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]

    folders = [file.parent.relative_to(REPOSITORY) for file in (REPOSITORY / "genolaunch").rglob("__init__.py")]

    assert {".".join(folder.parts) for folder in folders} <= set(listed)


def test_what_the_command_line_uses_of_the_functions_is_in_its_wheel():
    """Transitively: a module of a package that is not installed is found in a checkout alone."""
    listed = set(tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    waiting = [*(REPOSITORY / "genolaunch").rglob("*.py")]
    seen: set[Path] = set()
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lambdas."):
                module = REPOSITORY / (node.module or "").replace(".", "/")
                if module.is_dir():
                    waiting += [module / f"{each.name}.py" for each in node.names]
                else:
                    waiting.append(module.with_suffix(".py"))

    used = {".".join(file.parent.relative_to(REPOSITORY).parts) for file in seen}
    assert {"lambdas.shared", "lambdas.regenie"} <= used
    assert used <= listed
