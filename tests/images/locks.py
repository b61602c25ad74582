"""What a lock says, and what an image has."""

import importlib.metadata
import json
import re
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.images.buildah import Container
from tests.images.stand_in_bases import CONTAINERS

LAUNCHER_LOCK: Final = CONTAINERS / "snakemake" / "requirements.txt"
SNAKEMAKE9_LOCK: Final = CONTAINERS / "snakemake" / "requirements-aws-batch.txt"

_PIN: Final = re.compile(r"^[A-Za-z0-9][^\\\n]*", re.MULTILINE)

_INSTALLED: Final = """
import importlib.metadata, json, platform, sys
found = importlib.metadata.distributions(path=sys.argv[1:])
print(json.dumps([platform.python_version(), sorted([each.metadata["Name"], each.version] for each in found)]))
"""


def locked(lock: Path, python: str = "3.12.0") -> dict[str, str]:
    """Package -> version, of those that a Python of this version on Linux needs."""
    environment = {
        "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]),
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
        "os_name": "posix",
    }
    pins = [Requirement(line.strip()) for line in _PIN.findall(lock.read_text())]
    return {
        canonicalize_name(pin.name): str(pin.specifier).removeprefix("==")
        for pin in pins
        if pin.marker is None or pin.marker.evaluate(environment)
    }


def lying_in(folder: Path) -> dict[str, str]:
    """Package -> version, of those that were installed into a folder, for whatever Python."""
    found = importlib.metadata.distributions(path=[str(folder)])
    return {canonicalize_name(each.metadata["Name"]): each.version for each in found}


def installed(container: Container, python: str, folder: str) -> tuple[str, dict[str, str]]:
    """The version of a container's Python, and package -> version of what lies in a folder."""
    version, packages = json.loads(container.output(python, "-c", _INSTALLED, folder))
    return version, {canonicalize_name(name): found for name, found in packages}
