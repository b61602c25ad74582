"""Whole launches on the embedded cloud, whose jobs and launchers run in the built images.

The embedded cloud starts containers by `docker`; here that is a program that runs them with buildah.
"""

import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from genolaunch.contract.settings import Parameter
from genolaunch.local_stage import control
from tests.images import docker
from tests.images.stand_in_bases import ROOT
from tests.local.platform_client import COHORT, PlatformClient, gwas_config

WORKFLOW = ROOT / "examples" / "snakemake"


@pytest.fixture(scope="module")
def platform(
    tmp_path_factory: pytest.TempPathFactory,
    storage: Path,
    regenie_image: str,
    snakemake9_image: str,
    launcher_image: str,
) -> Iterator[PlatformClient]:
    """Given: the app's templates, deployed to an embedded cloud that has the images and runs them."""
    folder = tmp_path_factory.mktemp("docker")
    program = folder / "docker"
    command = shlex.join([sys.executable, "-m", docker.__name__])
    program.write_text(f'#!/bin/sh\nexport PYTHONPATH={shlex.quote(str(ROOT))}\nexec {command} "$@"\n')
    program.chmod(0o755)
    state = tmp_path_factory.mktemp("localcloud")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        patch.setenv(docker.STORAGE, str(storage))
        cloud = control.up(state, port=control.free_port())
        try:
            control.deploy(cloud)
            client = PlatformClient(cloud.environment())
            client.upload_data(COHORT, "cohort/")
            yield client
        finally:
            control.down(state)


def test_a_gwas(platform: PlatformClient):
    answer = platform.drop(gwas_config())

    launch = platform.complete(answer["launchId"])

    assert platform.result(launch["launchId"], "gwas/height.regenie.gz")
    assert b"Manhattan plot of height" in platform.result(launch["launchId"], "report.html")


def test_a_workflow_on_batch(platform: PlatformClient):
    for path in (WORKFLOW / "workflow").rglob("*"):
        if path.is_file():
            key = f"workflows/reads/{path.relative_to(WORKFLOW / 'workflow')}"
            platform.s3.upload_file(str(path), platform.name(Parameter.LAUNCH_BUCKET), key)
    platform.upload_data(WORKFLOW / "data" / "reads", "run/reads/")
    section = {"snakefile": "workflows/reads/Snakefile", "engine": "aws-batch"}
    answer = platform.drop({"name": "reads", "workflow": "snakemake", "data": "run/", "snakemake": section})

    launch = platform.complete(answer["launchId"])

    found = platform.s3.get_object(Bucket=platform.name(Parameter.DATA_BUCKET), Key="run/report.tsv")
    assert len(found["Body"].read().splitlines()) == 1 + 3, launch
