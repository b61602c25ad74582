"""Bills of materials (CycloneDX) of what the app installs from its locks."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot5
from packageurl import PackageURL

_PACKAGE: Final = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)(?P<rest>(?:.*\\\n)*.*)$", re.MULTILINE
)
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def bill_of_lock(name: str, lock: Path) -> str:
    """A lock's packages as one line of CycloneDX 1.5, as Athena reads JSON; the same lock gives the same line.

    The subject is called `name`; its version is the start of the lock's SHA-256. Of every package the hashes are those
    that the lock admits.
    """
    text = lock.read_text(encoding="utf-8")
    digest = hashlib.sha256(text.encode()).hexdigest()
    bill = Bom(serial_number=uuid5(NAMESPACE_URL, f"{name}/{digest}"))
    bill.metadata.component = Component(
        name=name, version=digest[:12], type=ComponentType.APPLICATION, bom_ref=f"{name}@{digest[:12]}"
    )
    for package in _PACKAGE.finditer(text):
        bill.components.add(_component(package))
    bill.register_dependency(bill.metadata.component, bill.components)
    made: dict[str, Any] = json.loads(JsonV1Dot5(bill).output_as_string())
    # When it was synthesized says nothing of it, and would make every deployment's another.
    del made["metadata"]["timestamp"]
    return json.dumps(made, separators=(",", ":")) + "\n"


def _component(package: re.Match[str]) -> Component:
    url = PackageURL("pypi", None, package["name"], package["version"])
    return Component(
        name=package["name"],
        version=package["version"],
        type=ComponentType.LIBRARY,
        purl=url,
        bom_ref=url.to_string(),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=each) for each in _HASH.findall(package["rest"])],
    )
