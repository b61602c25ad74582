"""The images that the Dockerfiles begin with, made here from Debian under the names that the Dockerfiles expect.

Not the real ones, so some things cannot be seen on them:
* regenie's is Debian 12 with Python 3.11 instead of Ubuntu 22.04 with Python 3.10, and its `regenie` is the numpy
  stand-in (regenie_stand_in/), which runs on the Python that the Dockerfile installs, with a numpy and a scipy of its
  own. The real program, its libraries and what it needs of the processor are not there.
* Python's is the same Debian 12, with Debian's Python 3.11 in place of Python 3.12, since Debian 12 has no other and
  PyPI has no interpreters. With GENOLAUNCH_PYTHON312=/path/to/python3.12 (one that was built on Debian 12, or an older
  system, as pyenv does) the stand-in has that one where the real image has it, in /usr/local.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.images.buildah import Buildah, Container
from tests.images.kept import fingerprint

ROOT: Final = Path(__file__).parents[2]
CONTAINERS: Final = ROOT / "containers"

REGENIE_VERSION: Final = "4.1.2"
REGENIE: Final = f"ghcr.io/rgcgithub/regenie/regenie:v{REGENIE_VERSION}.gz"
PYTHON: Final = "public.ecr.aws/docker/library/python:3.12-slim-bookworm"

PYTHON_OVERRIDE: Final = "GENOLAUNCH_PYTHON312"
"""Environment variable of the developer that names a Python 3.12."""

_MIRROR: Final = "http://deb.debian.org/debian"
_SOURCES: Final = f"""deb {_MIRROR} bookworm main
deb {_MIRROR} bookworm-updates main
deb {_MIRROR}-security bookworm-security main
"""

# Found by the Dockerfile of Docker's official image (docker-library/python, 3.12/slim-bookworm) with ldd.
_LIBRARIES_OF_PYTHON: Final = (
    *("libbz2-1.0", "libexpat1", "libffi8", "liblzma5", "libncursesw6", "libreadline8"),
    *("libsqlite3-0", "libssl3", "libuuid1", "zlib1g"),
)

# As a program has its libraries: whatever the runner has beside it.
_REGENIE_PROGRAM: Final = """#!/bin/sh
PYTHONPATH=/opt/stand-in:/opt/stand-in/packages exec python3 -m regenie_stand_in "$@"
"""
_REGENIE_STAND_IN: Final = ROOT / "regenie_stand_in"
_REGENIE_PACKAGES: Final = ("numpy", "scipy")
_LOCK: Final = ROOT / "requirements-dev.txt"
_PYTHON_OF_DEBIAN: Final = "3.11"

_DOCKER_CLEAN: Final = """DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
"""
"""Docker's official images of Debian and Ubuntu keep no packages that were installed (debuerreotype)."""

_BUNDLE: Final = "etc/ssl/certs/ca-certificates.crt"


def debian(folder: Path) -> Path:
    """The files of a small Debian 12, below `folder`; made anew when what is to be in it changed."""
    root, ready = folder / "bookworm", folder / "bookworm.ready"
    sources = _debian_sources()
    if not (ready.exists() and ready.read_text() == sources):
        ready.unlink(missing_ok=True)
        shutil.rmtree(root, ignore_errors=True)
        # What Docker's official images of Python have besides (docker-library/python), and Ubuntu's has not: no matter.
        packages = "--include=ca-certificates,netbase,tzdata"
        made = subprocess.run(
            ["debootstrap", "--variant=minbase", packages, "bookworm", str(root), _MIRROR],
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stdout[-3000:] + made.stderr[-1000:]
        _settle(root)
        ready.write_text(sources)
    return root


def _debian_sources() -> str:
    bundle, settings = _pip_settings()
    return fingerprint(Path(__file__), *([Path(bundle)] if bundle else []), *settings)


def regenie_sources() -> str:
    """Of what `make_regenie_base` puts together."""
    return fingerprint(_debian_sources(), _REGENIE_STAND_IN, _LOCK)


def python_sources() -> str:
    """Of what `make_python_base` puts together."""
    return fingerprint(_debian_sources(), os.environ.get(PYTHON_OVERRIDE, ""))


def make_regenie_base(buildah: Buildah, debian: Path, *configuration: str) -> None:
    """No Python, and `regenie` in /usr/local/bin, as regenie's own image has it. `configuration`: more of it."""

    def fill(root: Path) -> None:
        _copy_debian(debian, root)
        folder = root / "opt" / "stand-in"
        _copy_stand_in(folder / "regenie_stand_in")
        _install_packages(folder / "packages", *_REGENIE_PACKAGES)
        program = root / "usr" / "local" / "bin" / "regenie"
        program.write_text(_REGENIE_PROGRAM)
        program.chmod(0o755)

    with buildah.container("scratch") as container:
        container.change_root(fill)
        # An entry point of some kind, so that the Dockerfile is seen to take it away.
        command = ("--entrypoint", '["/usr/local/bin/regenie"]', "--cmd", "--help")
        buildah.commit(container, REGENIE, *command, *configuration)


def make_python_base(buildah: Buildah, debian: Path, *configuration: str) -> str:
    """`python`, `python3` and `pip` in /usr/local/bin, as Docker's official image has them; answers the version.

    `configuration`: more of the image's.
    """
    named = os.environ.get(PYTHON_OVERRIDE)
    with buildah.container("scratch") as container:
        container.change_root(lambda root: _copy_debian(debian, root))
        if named:
            _install(container, *_LIBRARIES_OF_PYTHON)
            container.change_root(lambda root: _copy_python(named, root / "usr" / "local"))
            container.output("sh", "-c", "ldconfig && python3.12 -m ensurepip")
            _link(container, python3="python3.12", python="python3", pip="pip3")
        else:
            _install(container, "python3", "python3-venv", "python3-pip", "python3-dev")
            _link(container, python3="/usr/bin/python3", python="python3", pip="/usr/bin/pip3")
        version = container.output("python", "-c", "import ssl, sqlite3, ctypes, bz2, lzma, sys; print(sys.version)")
        buildah.commit(container, PYTHON, "--env", "LANG=C.UTF-8", "--cmd", "python3", *configuration)
    return version.split()[0]


def _settle(root: Path) -> None:
    """As Docker's official images are, and besides what this machine needs to reach the registries."""
    (root / "etc" / "apt" / "apt.conf.d" / "docker-clean").write_text(_DOCKER_CLEAN)
    (root / "etc" / "apt" / "sources.list").write_text(_SOURCES)
    bundle, settings = _pip_settings()
    if bundle:
        shutil.copy(bundle, root / _BUNDLE)
    if settings:
        (root / "etc" / "pip.conf").write_text("\n".join(["[global]", *settings, ""]))
    for lists in (root / "var" / "lib" / "apt" / "lists", root / "var" / "cache" / "apt" / "archives"):
        shutil.rmtree(lists)
        (lists / "partial").mkdir(parents=True)


def _pip_settings() -> tuple[str, list[str]]:
    """This machine's certificates and index, if pip has been told of some."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    found = {}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        found[name.rpartition(".")[2]] = value.strip("'")
    kept: dict[str, str] = {
        name: found[name] for name in ("index-url", "trusted-host", "default-timeout") if name in found
    }
    if "cert" in found:
        kept["cert"] = f"/{_BUNDLE}"
    return found.get("cert", ""), [f"{name} = {value}" for name, value in kept.items()]


def _copy_debian(debian: Path, root: Path) -> None:
    # `cp` and not shutil: owners, hard links and devices are to stay.
    subprocess.run(["cp", "--archive", f"{debian}/.", f"{root}/"], check=True)


def _copy_stand_in(package: Path) -> None:
    shutil.copytree(_REGENIE_STAND_IN, package, ignore=shutil.ignore_patterns("__pycache__"))


def _install_packages(folder: Path, *names: str) -> None:
    """Of the versions in the developers' lock, for Debian's Python."""
    subprocess.run(
        [
            *(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--only-binary", ":all:"),
            *("--python-version", _PYTHON_OF_DEBIAN, "--python-platform", "x86_64-manylinux_2_35"),
            *("--constraint", str(_LOCK), "--target", str(folder), *names),
        ],
        check=True,
    )
    # uv's own, which anybody could write to.
    (folder / ".lock").unlink(missing_ok=True)


def _install(container: Container, *packages: str) -> None:
    install = f"apt-get install --yes --no-install-recommends {' '.join(packages)}"
    container.output("sh", "-c", f"apt-get update && {install} && rm -rf /var/lib/apt/lists/*")


def _link(container: Container, **links: str) -> None:
    for name, target in links.items():
        container.output("ln", "-sfT", target, f"/usr/local/bin/{name}")


def _copy_python(python: str, target: Path) -> None:
    """An interpreter finds its libraries from where it lies, so it can be moved."""
    code = "import sys; print(sys.base_prefix, '%d.%d' % sys.version_info[:2])"
    prefix, version = subprocess.run(
        [python, "-I", "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert version == "3.12", f"{PYTHON_OVERRIDE}: {python} is Python {version}, not 3.12"
    assert prefix != "/usr", f"{PYTHON_OVERRIDE}: {python} is the system's, which cannot be moved"
    # Packages that happen to be installed are not the image's.
    without = shutil.ignore_patterns("__pycache__", "site-packages", "test", "idlelib", "turtledemo", "*.a")
    for folder in ("lib/python3.12", "include/python3.12"):
        shutil.copytree(Path(prefix) / folder, target / folder, ignore=without, dirs_exist_ok=True)
    (target / "lib" / "python3.12" / "site-packages").mkdir(exist_ok=True)
    for library in (Path(prefix) / "lib").glob("libpython3*.so*"):
        shutil.copy(library, target / "lib", follow_symlinks=False)
    shutil.copy(Path(prefix) / "bin" / "python3.12", target / "bin")
