"""The command line as a package of its own, without the checkout."""

import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def test_every_package_of_the_command_line_is_in_its_wheel():
    listed = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]

    folders = [file.parent.relative_to(REPOSITORY) for file in (REPOSITORY / "genolaunch").rglob("__init__.py")]

    assert {".".join(folder.parts) for folder in folders} <= set(listed)
