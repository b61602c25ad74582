"""The Docker runner against a `docker` that writes down what it is asked."""

import pytest

from genolaunch.local_stage.images import images
from localcloud.batch import DockerRunner, HostFolders, docker_answers
from localcloud.batch.logs import LogWriter
from localcloud.batch.mounts import OF_A_TASK
from localcloud.batch.runner import ContainerRun, ContainerStartError, StopRequest, StopSignal
from localcloud.images import ImageCatalog
from tests.unit.localcloud_batch.support import IMAGE, MemoryLogs, OneFileSystem

DOCKER = """#!/bin/sh
echo "$@" >> {calls}
case "$1" in
info) exit {info} ;;
build) [ {build} = 0 ] || echo "no space left" >&2; exit {build} ;;
run) echo "from the container"; {run} ;;
esac
"""


@pytest.fixture
def docker(tmp_path, monkeypatch):
    def install(*, info=0, build=0, run="exit 0"):
        folder = tmp_path / "bin of docker"
        folder.mkdir(exist_ok=True)
        program = folder / "docker"
        program.write_text(DOCKER.format(calls=tmp_path / "calls", info=info, build=build, run=run))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    install()
    return install


class Containers:
    def __init__(self, folder):
        self.folder = folder
        self.logs = MemoryLogs()
        self.stop = StopSignal()
        file_system = OneFileSystem(folder / "fs-0123456789abcdef0")
        self.runner = DockerRunner(
            images=ImageCatalog(images(), folder),
            folders=HostFolders(folder / "host", file_system),
            scratch=folder / "scratch",
            cloud_environment={"AWS_DEFAULT_REGION": "eu-west-1"},
            grace_seconds=0.3,
        )

    def run(self, image=IMAGE, started=lambda: None, source="/mnt/fsx/fs-0123456789abcdef0_abcdefgh"):
        log = LogWriter(self.logs, "g", "s")
        run = ContainerRun(
            task_id="task1",
            image=image,
            command=["python3", "/fsx/x"],
            environment={"WORKSPACE": "/fsx"},
            volumes=[{"name": "v", "host": {"sourcePath": source}}],
            mount_points=[{"sourceVolume": "v", "containerPath": "/fsx", "readOnly": True}],
            vcpus=1,
            user="0:0",
        )
        try:
            return self.runner.run(run, self.stop, log, started)
        finally:
            log.close()

    def calls(self):
        return (self.folder / "calls").read_text().splitlines()


@pytest.fixture
def containers(tmp_path, docker):
    return Containers(tmp_path)


def test_the_image_is_built_once_and_run_with_mounts_and_environment(containers):
    # when
    outcomes = [containers.run() for _ in range(2)]
    # then
    assert [outcome.exit_code for outcome in outcomes] == [0, 0]
    assert containers.logs.streams["g", "s"] == ["from the container"] * 2
    build, run, _ = containers.calls()
    assert "--tag genolaunch-regenie:4.1.2 --build-arg REGENIE_VERSION=4.1.2" in build
    assert build.endswith("containers/regenie")
    assert f"--volume {containers.folder}/fs-0123456789abcdef0:/fsx:ro" in run
    assert f"--volume {containers.folder}/bin/stat:/usr/local/bin/stat:ro" in run
    for part in ("--env WORKSPACE=/fsx", "--env LOCALCLOUD_LUSTRE=/fsx", "--env AWS_DEFAULT_REGION=eu-west-1"):
        assert part in run
    assert "--user 0:0" in run
    # paths in the command are the container's own
    assert run.endswith("genolaunch-regenie:4.1.2 python3 /fsx/x")


def test_a_volume_of_a_task_belongs_to_whom_its_folder_in_the_image_does(containers):
    """As on Fargate: a folder of this machine, bound, would be the user's who runs the embedded cloud."""
    containers.run(source=f"{OF_A_TASK}0123/work")

    call = next(call for call in containers.calls() if call.startswith("run"))
    assert " --volume /fsx " in call


def test_other_images_are_docker_s_to_find(containers):
    containers.run(image="ubuntu:22.04")
    (run,) = containers.calls()
    assert "ubuntu:22.04 python3" in run


def test_an_image_that_does_not_build_cannot_be_pulled(containers, docker):
    docker(build=1)
    with pytest.raises(ContainerStartError, match=r"CannotPullContainerError: .*no space left"):
        containers.run()


def test_a_container_that_docker_cannot_run_says_so(containers, docker):
    docker(run="exit 125")
    outcome = containers.run()
    assert outcome.exit_code == 125
    assert outcome.reason.startswith("CannotStartContainerError")


def test_a_stopped_container_is_removed(containers, docker):
    docker(run="sleep 30")
    outcome = containers.run(started=lambda: containers.stop.request(StopRequest("enough")))
    assert outcome.exit_code == 143
    assert containers.calls()[-1] == "rm --force task1"


def test_what_was_stopped_before_is_not_started(containers):
    containers.stop.request(StopRequest("enough"))
    assert containers.run().exit_code is None
    assert not any(call.startswith("run") for call in containers.calls())


def test_whether_docker_answers(docker, monkeypatch):
    assert docker_answers()
    docker(info=1)
    assert not docker_answers()
    monkeypatch.setenv("PATH", "/nowhere")
    assert not docker_answers()
