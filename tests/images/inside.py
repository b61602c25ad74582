"""What is looked for in every image."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.images.buildah import Container

_IMPORT: Final = """
import importlib, json, sys
failed = {}
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except BaseException as error:
        failed[name] = repr(error)
print(json.dumps(failed))
"""

ANYBODYS: Final = frozenset({"/tmp", "/var/tmp", "/run/lock"})
"""Folders of Debian's that anybody may write to."""

_COMPILERS: Final = ("gcc", "g++", "cc", "c++", "clang", "as", "ld", "make", "cmake", "rustc", "cargo")

_WRITABLE: Final = r"find / -xdev \( -path /proc -o -path /sys -o -path /dev \) -prune -o -writable ! -type l -print"

_OTHERS_WRITE: Final = r"find /opt /usr /etc -xdev ! -type l \( -perm -o+w -o ! -user root \)"


def modules(package: Path) -> list[str]:
    """All modules of a package, by their names. `__main__` is no module to import: it runs."""
    names = []
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        if parts[-1] != "__main__":
            names.append(".".join(part for part in parts if part != "__init__"))
    return names


def failed_imports(
    container: Container, python: str, names: Sequence[str], user: str, environment: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Module -> why it cannot be imported in a container."""
    said = container.output(python, "-c", _IMPORT, *names, user=user, environment=environment)
    failed: dict[str, str] = json.loads(said.splitlines()[-1])
    return failed


def compilers(container: Container) -> list[str]:
    """Paths of compilers and what belongs to them."""
    return container.run("sh", "-c", "; ".join(f"command -v {name}" for name in _COMPILERS)).stdout.split()


def leftovers(container: Container) -> list[str]:
    """Paths of what package managers leave behind: lists, packages, caches."""
    look = "find /var/lib/apt/lists /var/cache/apt/archives /root/.cache /tmp -type f ! -name lock 2>/dev/null; true"
    return container.output("sh", "-c", look, user="0:0").split()


def writable(container: Container, user: str) -> set[str]:
    """Paths that a user may write to."""
    return set(container.run("sh", "-c", _WRITABLE, user=user).stdout.split())


def others_files(container: Container) -> list[str]:
    """Paths of programs and settings that somebody else than root owns or may write to."""
    return container.output("sh", "-c", _OTHERS_WRITE, user="0:0").split()
