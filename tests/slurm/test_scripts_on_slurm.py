"""The head node's scripts on Slurm itself: what the stand-in plays elsewhere is what Slurm does."""

import os
import subprocess
import time

import pytest

from genolaunch.contract.errors import ErrorType
from lambdas.regenie.slurm_failures import read_failures
from lambdas.regenie.slurm_scripts import end_script, jobs_script
from localcloud.slurm import SlurmService
from tests.slurm import daemons
from tests.unit.regenie_cluster.test_slurm_scripts import CLUSTER, RUN, Cluster, array

pytestmark = [
    pytest.mark.full,
    pytest.mark.timeout(300),
    pytest.mark.skipif(bool(daemons.missing()), reason=f"needs Slurm: apt-get install {daemons.PACKAGES}"),
    pytest.mark.skipif(os.geteuid() != 0, reason="Slurm's daemons run as root"),
]


class SlurmCluster(Cluster):
    """The same head node, with Slurm's own commands."""

    def __init__(self, folder, configuration):
        self.environment = {**os.environ, "SLURM_CONF": str(configuration)}
        super().__init__(folder)
        for name in ("sbatch", "squeue", "scancel"):
            (folder / "bin" / name).unlink()

    def _make_node(self, folder):
        return SlurmService(folder=folder, cluster="test", ec2=lambda: None, environment=self.environment)

    def slurm_does(self, *command):
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True).stdout

    def states(self, name):
        lines = self.slurm_does("squeue", "--noheader", "--array", "--states=all", f"--name={name}", "--format=%K %T")
        return dict(line.split() for line in lines.splitlines())

    def wait_for(self, name, index, state):
        deadline = time.monotonic() + 60
        while self.states(name).get(index) != state:
            assert time.monotonic() < deadline, self.states(name)
            time.sleep(0.2)


@pytest.fixture(scope="module")
def configuration(tmp_path_factory):
    with daemons.slurm(tmp_path_factory.mktemp("slurm")) as found:
        yield found


@pytest.fixture
def cluster(tmp_path, configuration):
    made = SlurmCluster(tmp_path, configuration)
    yield made
    made.run(end_script(RUN, CLUSTER, keep_work=False))
    made.node.close()


def job(name):
    """An array of its own: Slurm remembers those of other tests by their names."""
    return array(name=f"{RUN.name}-{name}")


def test_an_array_is_submitted_once_and_its_tasks_know_their_lines(cluster):
    cluster.task('echo "$3 $TASK_INDICES $AWS_BATCH_JOB_ARRAY_INDEX $AWS_BATCH_JOB_ATTEMPT $OMP_NUM_THREADS"')
    once = job("once")

    for _ in range(3):
        cluster.ask(once)

    assert cluster.answer(once) == "left 0 failed 0\n"
    assert cluster.states(once.name) == {"0": "COMPLETED", "1": "COMPLETED", "2": "COMPLETED"}
    assert (cluster.folder / "logs" / f"{once.name}_2.log").read_text() == "step2 0-2 2 1 1\n"


def test_a_failure_is_told_with_its_exit_code_and_log(cluster):
    cluster.task('echo "ERROR: no variant left"; [ "$AWS_BATCH_JOB_ARRAY_INDEX" = 1 ] || exit 9')
    failing = job("failing")

    (failure,) = read_failures(cluster.answer(failing), [failing])

    assert [(each.index, each.exit_code, each.error_type) for each in failure.failed] == [
        (0, 9, ErrorType.APPLICATION_ERROR),
        (2, 9, ErrorType.APPLICATION_ERROR),
    ]
    assert failure.failed[0].log_tail == "ERROR: no variant left\n"


def test_a_task_that_somebody_cancelled_was_stopped(cluster):
    cluster.task('[ "$AWS_BATCH_JOB_ARRAY_INDEX" != 0 ] || exec sleep 100')
    stopped = job("stopped")
    cluster.ask(stopped)
    cluster.wait_for(stopped.name, "0", "RUNNING")
    number = cluster.slurm_does("squeue", "--noheader", f"--name={stopped.name}", "--states=RUNNING", "--format=%F")

    cluster.slurm_does("scancel", f"{number.split()[0]}_0")

    (failure,) = read_failures(cluster.answer(stopped), [stopped])
    assert [(each.index, each.error_type, each.reason) for each in failure.failed] == [
        (0, ErrorType.STOPPED, "Slurm: CANCELLED")
    ]


def test_what_asks_for_more_than_a_node_has_is_not_waited_for(cluster):
    large = job("large")
    script = jobs_script(RUN, CLUSTER, "step2", [large], "100", 2)

    (failure,) = read_failures(cluster.last_answer(script), [large])

    assert {(each.error_type, each.reason) for each in failure.failed} == {
        (ErrorType.NEVER_STARTED, "Slurm: no node of its partition can run it: PENDING (PartitionConfig)")
    }


def test_what_somebody_holds_is_told_and_no_longer_waited_for(cluster):
    cluster.task("exec sleep 100")
    blocking, held = job("blocking"), job("held")
    cluster.ask(blocking)
    cluster.wait_for(blocking.name, "0", "RUNNING")
    cluster.ask(held)
    number = cluster.slurm_does("squeue", "--noheader", f"--name={held.name}", "--format=%F").split()[0]

    cluster.slurm_does("scontrol", "hold", number)

    (failure,) = read_failures(cluster.answer(held), [held])
    assert {(each.index, each.error_type) for each in failure.failed} == {
        (index, ErrorType.NEVER_STARTED) for index in range(3)
    }
    assert "JobHeld" in failure.failed[0].reason


def test_what_is_killed_ran_out_of_memory(cluster):
    # All of the job at once, so that nobody writes how it ended: as Slurm does with what exceeds its memory
    cluster.task("kill -9 0")
    killed = job("killed")

    (failure,) = read_failures(cluster.answer(killed), [killed])

    assert {(each.exit_code, each.error_type) for each in failure.failed} == {(None, ErrorType.OUT_OF_MEMORY)}


def test_a_task_whose_log_cannot_be_opened_is_told_so(cluster):
    unlogged = job("unlogged")
    script = jobs_script(RUN, CLUSTER, "step2", [unlogged], "1", 2).replace("/logs/%x_%a.log", "/none/%x_%a.log")

    (failure,) = read_failures(cluster.last_answer(script), [unlogged])

    assert {each.error_type for each in failure.failed} == {ErrorType.PLATFORM}
    assert "could not open the task's log" in failure.failed[0].reason


def test_the_end_of_a_run_cancels_its_jobs_and_removes_its_folder(cluster):
    cluster.task("exec sleep 100")
    running = job("running")
    cluster.ask(running)
    cluster.wait_for(running.name, "0", "RUNNING")
    over = end_script(RUN, CLUSTER, keep_work=False)

    assert cluster.run(over) == "left 1 failed 0\n"
    deadline = time.monotonic() + 60
    while cluster.run(over) != "left 0 failed 0\n":  # until Slurm has ended them
        assert time.monotonic() < deadline
        time.sleep(0.5)

    assert not cluster.folder.exists()
    assert set(cluster.states(running.name).values()) == {"CANCELLED"}
