"""Situations from the field in which an engine never came to work, each with the right value (`make test-cases`)."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from genolaunch.contract.errors import ErrorType
from lambdas.regenie.resubmission import SubmittedJob
from lambdas.regenie.slurm_failures import read_failures
from lambdas.regenie.slurm_scripts import Run, jobs_script
from lambdas.shared.slurm_cluster import SlurmCluster
from localcloud.slurm import SlurmService
from stacks.config import InvalidSettingsError, read_stages
from tests.handlers.conftest import cloud, repository
from tests.handlers.workflow_manager.conftest import platform

__all__ = ["cloud", "platform", "repository"]

CASES = Path(__file__).parents[1] / "data" / "cases" / "snakemake"
RUN = Run("height-1a2b", 1, "dev", "image", "s3://data/cohort/", "s3://results/results/height-1a2b/", ("work/gwas",))
CLUSTER = SlurmCluster("/shared/local", "ec2-user", "spot", "on-demand", "none", 1000)
ARRAY = SubmittedJob(name=f"{RUN.name}-step2", queue="spot", memory="2048", tasks="0-0", size=1, hasMoreMemory=False)


@pytest.fixture
def head_node(tmp_path: Path) -> SlurmService:
    """Given: the case's sbatch and squeue on a head node."""
    node = SlurmService(folder=tmp_path, cluster="test", ec2=lambda: None, environment={})
    node.run("true").wait(20)  # which installs the other programs
    for program in (CASES / "30-slurm-bad-constraints" / "bin").iterdir():
        shutil.copy(program, tmp_path / "bin" / program.name)
        (tmp_path / "bin" / program.name).chmod(0o755)
    (tmp_path / "bin" / "scancel").write_text("#!/bin/sh\n")
    return node


@pytest.mark.parametrize("_case", ["30-slurm-bad-constraints"])
def test_a_task_that_no_node_can_run_is_not_waited_for(
    _case, head_node: SlurmService, record_property: Callable[..., None]
):
    answer, errors = head_node.run(jobs_script(RUN, CLUSTER, "step2", [ARRAY], "1", 2)).communicate(timeout=20)

    assert errors == ""
    assert answer.startswith("left 0 failed 1\n")
    ((failed,),) = (failure.failed for failure in read_failures(answer, [ARRAY]))
    assert failed.error_type is ErrorType.NEVER_STARTED
    assert "BadConstraints" in failed.reason
    record_property("right", "JobNeverStartedError at the first look, with Slurm's reason")


@pytest.mark.parametrize("_case", ["30-slurm-restarts"])
def test_nodes_that_never_came_up_end_no_job(
    _case, head_node: SlurmService, tmp_path: Path, record_property: Callable[..., None]
):
    head_node.run(jobs_script(RUN, CLUSTER, "step2", [ARRAY], "1", 2)).wait(20)
    (tmp_path / "bin" / "python3").write_text("#!/bin/sh\necho ran\n")
    (tmp_path / "bin" / "python3").chmod(0o755)
    (job,) = (tmp_path / "shared").rglob("job.sh")
    environment = {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "FOLDER": str(job.parent),
        "LAUNCH_ID": "height-1a2b",
        "CONTAINER": "none",
        "SLURM_ARRAY_TASK_ID": "0",
        "SLURM_RESTART_COUNT": "2",
        "SLURM_JOB_NAME": ARRAY.name,
        "SLURM_CPUS_PER_TASK": "1",
    }

    done = subprocess.run(["sh", str(job), "step2", "0"], env=environment, capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (0, "ran\n"), done.stderr
    record_property("right", "the job runs when a node comes up at the third time")


@pytest.mark.parametrize("beside", ["units.tsv"], ids=["34-order-and-reupload"])
def test_a_reupload_with_other_sources_is_a_launch_of_its_own(
    platform, beside: str, record_property: Callable[..., None]
):
    key = "snakefiles/calls/Snakefile"
    platform.register(platform.put(key, "rule all:"))  # before its sources
    platform.put(f"snakefiles/calls/{beside}", "u1")

    platform.register(platform.put(key, "rule all:"))

    assert len(platform.launches()) == 2
    answer = platform.feedback(f"feedback/{key}.json")
    assert (answer["accepted"], "repeats" in answer) == (True, False)
    record_property("right", "two launches: what changed is not ignored")


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1"], ids=lambda region: f"36-partitions-{region}")
def test_a_stage_in_another_partition_is_refused(region: str, record_property: Callable[..., None]):
    settings = json.loads((CASES / "36-partitions" / f"stage2-{region}.json").read_text())["stages"]

    with pytest.raises(InvalidSettingsError) as refusal:
        read_stages(settings)

    assert f"{region} is not in the partition aws" in str(refusal.value)
    record_property("right", "refused before anything is synthesized")
