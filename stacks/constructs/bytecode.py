"""Bytecode in what is uploaded for the functions, so that no start of a function compiles.

/var/task and /opt are read-only on Lambda: Python cannot keep there what it compiled, and would compile again at each
cold start. docs/decisions/113 has what that takes, and what AWS says of bytecode in packages.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

CODE_PLACE: Final = "/var/task"
"""Where Lambda puts a function's own code (developer guide, "Defined runtime environment variables")."""
LAYER_PLACE: Final = "/opt"
"""Where Lambda unpacks layers (developer guide, "Accessing layer content from your function")."""

_UNCHECKED: Final = "unchecked-hash"
"""Python then takes the bytecode as it is: times of files do not survive packing, and sources on Lambda never change
(PEP 552)."""

SELECT_PYTHONS: Final = "pyenv global $PYTHON_312_VERSION $PYTHON_314_VERSION || true"
"""In CodeBuild's image: `python3` stays 3.12, and the functions' 3.14 is found beside it. The image has both, and names
them in these variables (aws/aws-codebuild-docker-images, ubuntu/standard/7.0/Dockerfile); pyenv takes several versions.
An image without 3.14 deploys functions without bytecode."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """A Python whose bytecode goes with the sources."""

    python: str
    """Its program."""
    version: str
    """Its whole version, as "3.14.3": bytecode of two patch releases may differ."""

    @property
    def identity(self) -> str:
        """Text that differs between interpreters whose bytecode differs."""
        return f"bytecode of {self.version}, {_UNCHECKED}, for {CODE_PLACE} and {LAYER_PLACE}"

    def compile(self, folder: Path, place: str) -> None:
        """Write the bytecode of all modules below a folder; a module that does not compile stays without.

        The same sources and interpreter give the same bytes, wherever the folder is.

        Args:
            folder: What is uploaded.
            place: Where Lambda unpacks it: tracebacks name files there.

        Raises:
            RuntimeError: No module compiled: what is uploaded would be taken for compiled.
        """
        own = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        subprocess.run(
            [
                *(self.python, "-P", "-s", "-S", "-m", "compileall", "-q", "-f"),
                *("--invalidation-mode", _UNCHECKED, "-s", str(folder), "-p", place, str(folder)),
            ],
            env={**own, "PYTHONHASHSEED": "0"},  # the order of sets is part of the bytecode
            stdout=sys.stderr,
            check=False,
        )
        if any(folder.rglob("*.py")) and not any(folder.rglob("*.pyc")):
            raise RuntimeError(f"{self.python} (Python {self.version}) compiled none of the modules in {folder}.")


@cache
def compiler_of(version: str) -> Compiler | None:
    """The compiler for a runtime's version ("3.14"), if such a Python is installed here: uv finds those on PATH, and
    those of `uv python install`. None if not: the sources go without bytecode, and work as well.
    """
    found = subprocess.run(
        [
            *(sys.executable, "-m", "uv", "python", "find", "--no-project", "--system"),
            *("--no-python-downloads", f"cpython@{version}"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return _compiler(found.stdout.strip()) if found.returncode == 0 else None


def own_compiler() -> Compiler:
    """The compiler of the Python that runs this."""
    return Compiler(sys.executable, ".".join(map(str, sys.version_info[:3])))


def _compiler(python: str) -> Compiler:
    script = "import sys; print('.'.join(map(str, sys.version_info[:3])))"
    said = subprocess.run([python, "-I", "-S", "-c", script], capture_output=True, text=True, check=True)
    return Compiler(python, said.stdout.strip())
