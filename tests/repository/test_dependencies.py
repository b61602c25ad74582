"""What is installed is locked with hashes, licensed for use, and known to whoever reads the locks."""

import json
import re
import subprocess
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
MADE_HERE = {".venv", "node_modules", "build", "cdk.out", ".localcloud"}
LOCKS = sorted(
    path for path in REPOSITORY.rglob("requirements*.txt") if not MADE_HERE & set(path.relative_to(REPOSITORY).parts)
)

# Licences that allow use, change and redistribution in a company without publishing its own sources.
PERMISSIVE = re.compile(
    r"\b(Apache|MIT|BSD|ISC|PSF|Python Software Foundation|MPL|Mozilla Public|Unlicense|Zlib|0BSD|HPND|CNRI|CC0|BSL)\b"
    r"|Permission is hereby granted, free of charge",  # the MIT licence's own words
    re.IGNORECASE,
)

# Package -> why its licence may be there all the same.
EXPLAINED = {
    "pgenlib": "LGPL: used as a library, unchanged, and only by tests",
}


def name_of(distribution: Distribution) -> str:
    return distribution.metadata["Name"].lower().replace("_", "-")


def licence_of(distribution: Distribution) -> str:
    fields: dict[str, str | list[str]] = distribution.metadata.json
    classifiers = [line for line in fields.get("classifier", []) if line.startswith("License ::")]
    return " ".join([str(fields.get("license_expression", "")), str(fields.get("license", ""))[:200], *classifiers])


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_requirement_is_pinned_with_hashes_and_names_no_index(lock):
    text = lock.read_text()
    pinned = re.findall(r"^([A-Za-z0-9][\w.\[\],-]*)==", text, re.MULTILINE)

    blocks = re.split(r"^(?=[A-Za-z0-9][\w.\[\],-]*==)", text, flags=re.MULTILINE)[1:]
    assert pinned
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert not re.search(r"^\s*--(extra-)?index-url|^\s*-i\s|https?://", text, re.MULTILINE)


def test_every_lock_is_audited():
    done = subprocess.run(
        ["make", "audit-python", "PIP_AUDIT=.venv/bin/pip-audit --disable-pip --dry-run"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )

    # requirements.txt has nothing that requirements-dev.txt has not.
    expected = {str(lock.relative_to(REPOSITORY)) for lock in LOCKS} - {"requirements.txt"}
    assert done.returncode == 0, done.stdout + done.stderr
    assert {line for line in done.stdout.splitlines() if line.endswith(".txt")} == expected
    assert len(re.findall(r"would have audited [1-9]\d* packages", done.stderr)) == len(expected)


def test_every_npm_package_has_an_integrity_and_names_no_registry():
    packages = json.loads((REPOSITORY / "package-lock.json").read_text())["packages"]
    named = {name: package for name, package in packages.items() if name}

    assert named
    assert [name for name, package in named.items() if not package.get("integrity")] == []
    assert [name for name, package in named.items() if package.get("resolved")] == []


def test_every_installed_package_has_a_licence_that_a_company_may_use():
    found = {
        name_of(distribution): licence_of(distribution)
        for distribution in distributions()
        if name_of(distribution) != "genolaunch"
    }

    assert len(found) > 50
    restricting = {name: licence for name, licence in found.items() if not PERMISSIVE.search(licence)}
    assert restricting.keys() == EXPLAINED.keys(), restricting


def test_every_npm_package_has_a_licence_that_a_company_may_use():
    packages = json.loads((REPOSITORY / "package-lock.json").read_text())["packages"]
    licences = {name: str(package.get("license", "")) for name, package in packages.items() if name}

    assert {name: licence for name, licence in licences.items() if not PERMISSIVE.search(licence)} == {}
