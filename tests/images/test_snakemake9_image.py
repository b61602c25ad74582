"""The image in which the jobs of engine aws-batch run: Snakemake 9, and nothing of the launcher."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.images import inside
from tests.images.buildah import Buildah, BuildahError, Container
from tests.images.locks import SNAKEMAKE9_LOCK, installed, locked
from tests.images.stand_in_bases import CONTAINERS, ROOT

WORKFLOW = ROOT / "examples" / "snakemake"
BUILDERS = {"pip", "setuptools", "wheel"}
"""Each environment has pip of itself; the others are in the lock too."""


def test_the_configuration_is_what_job_definitions_count_on(buildah: Buildah, snakemake9_image: str):
    configuration = buildah.configuration(snakemake9_image)

    assert configuration["architecture"] == "amd64"
    assert configuration["User"] == "1000:1000"
    assert configuration.get("Entrypoint") is None
    assert configuration["WorkingDir"] == "/tmp"
    assert any(each.startswith("PATH=/opt/snakemake9/bin:") for each in configuration["Env"])


def test_its_programs_are_of_the_versions_in_the_lock(snakemake9: Container):
    pins = locked(SNAKEMAKE9_LOCK)

    for program in ("snakemake", "cutadapt"):
        assert snakemake9.output(program, "--version").strip() == pins[program]
    # As the executor calls it in a job.
    assert snakemake9.output("bash", "-c", "python -m snakemake --version").strip() == pins["snakemake"]


def test_packages_are_those_of_the_lock(snakemake9: Container):
    version, packages = installed(snakemake9, "python", site_packages(snakemake9, "/opt/snakemake9"))

    assert without_builders(packages) == without_builders(locked(SNAKEMAKE9_LOCK, version))


def test_it_runs_as_nobody_in_particular_who_may_write_only_where_anybody_may(snakemake9: Container):
    assert snakemake9.output("id", "-u").strip() == "1000"
    assert inside.writable(snakemake9, "1000:1000") <= inside.ANYBODYS
    assert inside.others_files(snakemake9) == []


def test_nothing_of_the_build_or_of_the_launcher_is_there(snakemake9: Container):
    assert inside.compilers(snakemake9) == []
    assert inside.leftovers(snakemake9) == []
    assert snakemake9.run("python", "-c", "import snakemake_launcher").returncode != 0


def test_a_workflow_runs_in_a_fresh_folder_as_jobs_have_it(snakemake9: Container, tmp_path: Path):
    run_the_example(snakemake9, tmp_path, user=None)


def test_a_package_with_another_hash_is_refused(buildah: Buildah, python_base: str, tmp_path: Path):
    copy = tmp_path / "snakemake"
    shutil.copytree(CONTAINERS / "snakemake", copy)
    lock = copy / "requirements.txt"
    # The first that is installed, with a hash that it has not.
    lock.write_text(f"wheel==0.45.1 --hash=sha256:{'0' * 64}\n")

    with pytest.raises(BuildahError, match="DO NOT MATCH THE HASHES"):
        buildah.build("localhost/refused", copy, "--target", "packages")


def site_packages(container: Container, environment: str) -> str:
    """Where an environment of a container has its packages."""
    return container.output("sh", "-c", f"echo {environment}/lib/python3.*/site-packages").strip()


def without_builders(packages: dict[str, str]) -> dict[str, str]:
    """Without what an environment has of itself."""
    return {name: version for name, version in packages.items() if name not in BUILDERS}


def run_the_example(container: Container, folder: Path, user: str | None) -> None:
    """Then: the workflow of the demo ends well in a container, and its table has a line for each sample."""
    shutil.copytree(WORKFLOW / "workflow", folder / "run")
    shutil.copytree(WORKFLOW / "data" / "reads", folder / "run" / "reads")
    subprocess.run(["chmod", "-R", "a+rwX", str(folder)], check=True)
    # /run of the container may not be written to by users; a job's files are below /tmp.
    fresh = 'HOME="$(mktemp -d)" && export HOME && cd /tmp/run && python -m snakemake --cores 2'
    container.output("bash", "-c", fresh, user=user, volumes=[f"{folder / 'run'}:/tmp/run"])

    rows = (folder / "run" / "report.tsv").read_text().splitlines()
    assert sorted(row.split("\t")[0] for row in rows[1:]) == ["brain", "heart", "liver"]
