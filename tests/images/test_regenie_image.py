"""The image in which regenie's jobs run: what its Dockerfile promises, and a planned run inside it."""

import gzip
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.images import inside
from tests.images.buildah import Buildah, BuildahError, Container
from tests.images.locks import installed, locked, lying_in
from tests.images.stand_in_bases import CONTAINERS
from tests.regenie.cohort_formats import make_cohort
from tests.regenie.planned_run import LAUNCH_ID, PlannedRun

FOLDER = CONTAINERS / "regenie"
RUNNER = inside.modules(FOLDER / "regenie_runner")
SOMEBODY = "4321:4321"
"""A user that the image does not know: a job definition may name any."""


def test_the_configuration_is_what_job_definitions_count_on(buildah: Buildah, regenie_image: str):
    configuration = buildah.configuration(regenie_image)

    assert configuration["architecture"] == "amd64"
    assert configuration["User"] == "root"
    assert configuration.get("Entrypoint") is None
    assert configuration["Cmd"] == ["python3", "-m", "regenie_runner"]
    assert configuration["WorkingDir"] == "/opt/runner"
    assert {"PYTHONPATH=/opt/runner:/opt/packages", "MPLCONFIGDIR=/var/cache/matplotlib"} <= set(configuration["Env"])


@pytest.mark.parametrize("user", ["0:0", SOMEBODY])
def test_every_module_of_the_runner_can_be_imported(regenie: Container, user: str):
    assert len(RUNNER) > 25
    assert inside.failed_imports(regenie, "python3", RUNNER, user) == {}


def test_the_runner_says_how_it_is_called(regenie: Container):
    done = regenie.run("python3", "-m", "regenie_runner")

    assert done.returncode == 2
    assert "Usage: python3 -m regenie_runner preload|split|" in done.stdout + done.stderr


def test_a_job_without_its_file_system_ends_with_three(regenie: Container):
    environment = {"WORKSPACE": "/tmp", "LAUNCH_ID": LAUNCH_ID, "AWS_BATCH_JOB_ID": "one"}

    assert regenie.run("python3", "-m", "regenie_runner", "step2", environment=environment).returncode == 3


def test_regenie_is_called_by_its_name(regenie: Container):
    assert regenie.output("regenie", "--version").strip().startswith("v4.1.2")


def test_packages_are_those_of_the_lock_and_nothing_else(regenie: Container):
    version, packages = installed(regenie, "python3", "/opt/packages")

    assert packages == locked(FOLDER / "requirements.txt", version)


def test_a_package_with_another_hash_is_refused(buildah: Buildah, regenie_base: str, tmp_path: Path):
    copy = tmp_path / "regenie"
    subprocess.run(["cp", "--archive", str(FOLDER), str(copy)], check=True)
    (copy / "requirements.txt").write_text(f"six==1.17.0 --hash=sha256:{'0' * 64}\n")

    with pytest.raises(BuildahError, match="DO NOT MATCH THE HASHES"):
        buildah.build("localhost/refused", copy, "--target", "packages")


def test_nothing_of_the_build_is_left(regenie: Container):
    assert inside.compilers(regenie) == []
    assert inside.leftovers(regenie) == []
    assert regenie.run("python3", "-m", "pip", "--version").returncode != 0
    assert regenie.run("sh", "-c", "command -v pip pip3").stdout == ""


def test_programs_are_roots_and_nobody_else_may_change_them(regenie: Container):
    assert inside.others_files(regenie) == []


def test_the_runner_is_compiled_so_that_nothing_is_checked_again(regenie: Container):
    """Byte 4 of a .pyc says how it is held against its source: 1 is by a hash, unchecked (PEP 552)."""
    flags = regenie.output(
        *("python3", "-c"),
        "import pathlib; print([p.read_bytes()[4] for p in pathlib.Path('/opt/runner').rglob('*.pyc')])",
    )

    assert flags.strip() == str([1] * (len(RUNNER) + 1))  # and __main__


def test_fonts_are_listed_already_and_anybody_may_list_them_anew(regenie: Container):
    listed = regenie.output("sh", "-c", "ls $MPLCONFIGDIR; stat --format %a $MPLCONFIGDIR").split()
    assert listed[-1] == "1777"
    assert any(name.startswith("fontlist") for name in listed)

    plot = "import matplotlib.font_manager as f; print(f.findfont('DejaVu Sans'))"
    done = regenie.run("sh", "-c", f"python3 -c {shlex.quote(plot)} && touch $MPLCONFIGDIR/new", user=SOMEBODY)

    assert done.returncode == 0, done.stderr
    assert "building the font cache" not in done.stderr


class RunInImage(PlannedRun):
    """A launch's file system in a folder, with its jobs in the image: as AWS Batch starts them."""

    def __init__(self, root: Path, container: Container) -> None:
        super().__init__(root, ["regenie"])
        self._container = container
        # In the image's own folder of programs, and not on a path of its own: found as in a container of Docker.
        self._stat = root / "bin" / "stat"

    def _execute(self, command: list[str], **environment: str) -> None:
        job = ["python3", *command[1:]] if command[0] != "regenie" else command
        volumes = [f"{self.root / 'fsx'}:/fsx", f"{self._stat}:/usr/local/bin/stat:ro"]
        environment |= {"WORKSPACE": "/fsx"}
        if command[0] == "regenie":
            job = ["sh", "-c", f"cd /fsx/data && {shlex.join(job)}"]
        self._container.output(*job, environment=environment, volumes=volumes)


PARAMETERS = {
    "genotypes": "cohort.bed",
    "phenotypes": "phenotypes.txt",
    "covariates": "covariates.txt",
    "traits": ["height", "ldl"],
    "trait_type": "quantitative",
    "step1": {"block_size": 100, "jobs": 2, "qc": False},  # the one regenie has none either
    "step2": {"variants_per_job": 400},
}


def test_a_planned_run_in_the_image_gives_what_one_regenie_gives(
    regenie: Container, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # Given
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    run = RunInImage(tmp_path, regenie)
    make_cohort(run.data, "bed")
    tasks = run.plan(PARAMETERS)
    # When
    for phase in ("split", "level0", "level1", "step2", "merge", "report"):
        run.run(phase, tasks[phase])
    given = "--bed cohort --phenoFile phenotypes.txt --covarFile covariates.txt --qt --bsize 100"
    run.regenie(f"--step 1 {given} --lowmem --out ../one1")
    run.regenie(f"--step 2 {given} --minMAC 5 --pred ../one1_pred.list --out ../one2")
    # Then
    for trait in ("height", "ldl"):
        merged = gzip.decompress((run.work / "gwas" / f"{trait}.regenie.gz").read_bytes())
        assert merged == (run.data.parent / f"one2_{trait}.regenie").read_bytes().replace(b" ", b"\t"), trait
    (report,) = run.work.rglob("report.html")
    assert "Manhattan plot of height" in report.read_text()


def test_the_lock_has_a_wheel_of_each_package_for_the_real_images_python(tmp_path: Path):
    """Ubuntu 22.04 has Python 3.10 and glibc 2.35, which the stand-in has not."""
    download = subprocess.run(
        [
            *(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:"),
            *("--python-version", "3.10", "--python-platform", "x86_64-manylinux_2_35"),
            *("--target", str(tmp_path), "--requirement", str(FOLDER / "requirements.txt")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert download.returncode == 0, download.stderr
    assert lying_in(tmp_path) == locked(FOLDER / "requirements.txt", "3.10.12")
