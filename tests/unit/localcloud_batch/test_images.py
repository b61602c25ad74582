"""The programs of the stand-in image, called as a job would."""

import os
import shutil
import subprocess
import sys

import pytest

from genolaunch.local_stage.images import images, process_environment
from localcloud.images import ImageCatalog, UnknownImageError, environment
from localcloud.slurm import SlurmService
from tests.unit.localcloud_batch.support import CHECKOUT

BASE = "000000000000.dkr.ecr.eu-west-1.amazonaws.com/genolaunch-regenie:4.1.2"


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state with a space"


@pytest.fixture
def without_regenie(monkeypatch, tmp_path):
    monkeypatch.delenv("GENOLAUNCH_REGENIE", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))


def call(state, *command, **environment):
    image = ImageCatalog(images(), state).environment(BASE)
    program = f"{state}/bin/{command[0]}"
    answer = subprocess.run(
        [program, *command[1:]], env={**image, **environment}, capture_output=True, text=True, check=True
    )
    return answer.stdout.strip()


def test_the_runner_is_importable_and_fonts_are_listed_once(state):
    environment = ImageCatalog(images(), state).environment(BASE)
    assert environment["PYTHONPATH"] == str(CHECKOUT / "containers/regenie")
    assert environment["MPLCONFIGDIR"] == f"{state}/matplotlib"


def test_a_command_can_be_run_by_hand_in_an_images_environment(state):
    command = ["python3", "-c", "import regenie_runner; print('found')"]
    environment = process_environment(BASE, state)
    program = shutil.which(command[0], path=environment["PATH"])
    assert program == f"{state}/bin/python3"
    assert subprocess.check_output([program, *command[1:]], env=environment, text=True) == "found\n"


@pytest.mark.parametrize("uri", ["genolaunch-regenie", "other:1", "host:5000/x", "genolaunch-regenie/other:1"])
def test_other_images_are_unknown(state, uri):
    with pytest.raises(UnknownImageError, match="Docker"):
        ImageCatalog(images(), state).environment(uri)


def test_python3_is_this_interpreter_with_its_packages(state):
    assert call(state, "python3", "-c", "import sys, numpy; print(sys.prefix)") == sys.prefix


def test_regenie_of_the_developer_is_used(state, monkeypatch, tmp_path):
    real = tmp_path / "my regenie"
    real.write_text('#!/bin/sh\necho "real $1"\n')
    real.chmod(0o755)
    monkeypatch.setenv("GENOLAUNCH_REGENIE", str(real))
    assert call(state, "regenie", "--version") == "real --version"


def test_without_it_the_stand_in_is_used(state, without_regenie):
    ImageCatalog(images(), state)
    assert "-m regenie_stand_in" in (state / "bin/regenie").read_text()


@pytest.mark.parametrize("found", ["on PATH", "by its variable"])
def test_nodes_of_a_cluster_run_the_same_regenie(tmp_path, monkeypatch, found):
    """Their PATH is their own, and has no program of the developer's."""
    real = tmp_path / "programs" / "regenie"
    real.parent.mkdir()
    real.write_text('#!/bin/sh\necho "real $1"\n')
    real.chmod(0o755)
    monkeypatch.setenv("LOCALCLOUD_IMAGES", images.__module__)
    monkeypatch.delenv("GENOLAUNCH_REGENIE", raising=False)
    if found == "on PATH":
        monkeypatch.setenv("PATH", f"{real.parent}{os.pathsep}{os.environ['PATH']}")
    else:
        monkeypatch.setenv("GENOLAUNCH_REGENIE", str(real))
    node = SlurmService(folder=tmp_path / "cluster", cluster="test", ec2=lambda: None, environment=environment())

    script = f"apptainer pull image.sif docker://{BASE}; apptainer exec image.sif regenie --version"
    output, errors = node.run(script).communicate(timeout=60)

    assert (output, errors) == ("real --version\n", "")


def test_stand_in_file_systems_are_lustre_and_all_else_is_the_real_stats_to_say(state, tmp_path):
    file_system = tmp_path / "fs with space"
    (file_system / "work").mkdir(parents=True)
    (tmp_path / "fs with space 2").mkdir()
    folders = {"LOCALCLOUD_LUSTRE": f"/nowhere:{file_system}"}
    ask = ("stat", "--file-system", "--format=%T")
    assert call(state, *ask, str(file_system), **folders) == "lustre"
    assert call(state, *ask, str(file_system / "work"), **folders) == "lustre"
    assert call(state, *ask, str(tmp_path / "fs with space 2"), **folders) != "lustre"
    assert call(state, *ask, str(file_system)) != "lustre"
    assert call(state, "stat", "--format=%F", str(file_system), **folders) == "directory"


def test_programs_are_put_into_place_whole(tmp_path):
    """A job that began to run one while another was written over it read half of it, or failed with ETXTBSY."""
    ImageCatalog(images(), tmp_path)
    programs = {path.name: path.stat().st_ino for path in (tmp_path / "bin").iterdir()}
    with (tmp_path / "bin" / "python3").open() as running:
        ImageCatalog(images(), tmp_path)
        assert running.read() == (tmp_path / "bin" / "python3").read_text()

    assert {path.name for path in (tmp_path / "bin").iterdir()} == set(programs)
    assert (tmp_path / "bin" / "python3").stat().st_ino != programs["python3"]
