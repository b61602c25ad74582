"""The scripts for a Slurm cluster's head node, run on the stand-in for one."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from genolaunch.contract.errors import ErrorType
from lambdas.regenie.resubmission import SubmittedJob, resubmit
from lambdas.regenie.slurm_failures import read_failures
from lambdas.regenie.slurm_scripts import Run, end_script, jobs_script
from lambdas.shared.slurm_cluster import SlurmCluster
from localcloud.slurm import SlurmService

CLUSTER = SlurmCluster("/shared/local", "ec2-user", "spot", "on-demand", "none", 1000)
RUN = Run("height-1a2b", 1, "dev", "image", "s3://data/cohort/", "s3://results/results/height-1a2b/", ("work/gwas",))


class Cluster:
    """A head node, whose jobs run `task`: a line of sh in place of the runner."""

    def __init__(self, folder: Path) -> None:
        self.node = self._make_node(folder)
        self.folder = folder / "shared" / "genolaunch-dev" / RUN.name
        self.slurm = folder / "slurm"
        self.program = folder / "bin" / "python3"
        self.run("true")  # which installs the programs
        self.task("exit 0")

    def _make_node(self, folder: Path) -> SlurmService:
        return SlurmService(folder=folder, cluster="test", ec2=lambda: None, environment={})

    def task(self, line: str) -> None:
        self.program.write_text(f"#!/bin/sh\n{line}\n")
        self.program.chmod(0o755)

    def run(self, script: str) -> str:
        output, errors = self.node.run(script).communicate(timeout=20)
        assert not errors, errors
        return output

    def ask(self, *jobs: SubmittedJob, run: Run = RUN) -> str:
        return self.run(jobs_script(run, CLUSTER, "step2", jobs, "1", 2))

    def answer(self, *jobs: SubmittedJob) -> str:
        """The answer once nothing is left."""
        return self.last_answer(jobs_script(RUN, CLUSTER, "step2", jobs, "1", 2))

    def last_answer(self, script: str) -> str:
        """The same of any script that submits and tells."""
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline:
            answer = self.run(script)
            if answer.startswith("left 0 "):
                return answer
            time.sleep(0.05)
        raise AssertionError("the jobs do not end")

    def becomes(self, name: str, index: int, *states: str) -> None:
        """Given: what Slurm makes of a task's attempts before one runs."""
        (self.slurm / "injections.json").write_text(json.dumps({f"{name}:{index}": states}))

    def submissions(self) -> list[dict[str, object]]:
        return [json.loads(file.read_text()) for file in sorted(self.slurm.glob("*/submission.json"))]


@pytest.fixture
def cluster(tmp_path):
    made = Cluster(tmp_path)
    yield made
    made.node.close()


def array(size: int = 3, **changes: Any) -> SubmittedJob:
    values: dict[str, Any] = {"name": f"{RUN.name}-step2", "queue": "spot", "memory": "2048", "tasks": f"0-{size - 1}"}
    return SubmittedJob(**values | {"size": size, "hasMoreMemory": False} | changes)


def test_an_array_is_submitted_once_however_often_its_script_comes(cluster):
    answers = [cluster.ask(array()) for _ in range(3)]

    assert all(answer.startswith("left ") for answer in answers)
    assert cluster.answer(array()) == "left 0 failed 0\n"
    (submission,) = cluster.submissions()
    assert (submission["size"], submission["partition"], submission["memory"]) == (3, "spot", "2048M")


def test_a_submission_whose_id_was_never_noted_is_not_repeated(cluster):
    cluster.answer(array())
    (cluster.folder / "jobs" / array().name / "id").unlink()

    cluster.ask(array())

    assert len(cluster.submissions()) == 1


def test_a_task_knows_its_line_of_the_plan_and_its_folder(cluster):
    cluster.task('echo "$3 $TASK_INDICES $AWS_BATCH_JOB_ARRAY_INDEX $WORKSPACE $FILE_SYSTEM_TYPE $LAUNCH_ID"')

    cluster.answer(array(2, tasks="4,7"))

    log = (cluster.folder / "logs" / f"{array().name}_1.log").read_text()
    assert log == f"step2 4,7 1 {cluster.folder} any height-1a2b\n"


def test_failures_are_told_with_exit_code_and_log(cluster):
    cluster.task('echo "ERROR: no variant left"; [ "$AWS_BATCH_JOB_ARRAY_INDEX" = 1 ] || exit 9')

    (failure,) = read_failures(cluster.answer(array()), [array()])

    assert [(f.index, f.exit_code, f.error_type) for f in failure.failed] == [
        (0, 9, ErrorType.APPLICATION_ERROR),
        (2, 9, ErrorType.APPLICATION_ERROR),
    ]
    assert failure.failed[0].log_tail == "ERROR: no variant left\n"
    assert resubmit([failure], "on-demand") == []


@pytest.mark.parametrize(
    ("states", "changed"),
    [
        (["OUT_OF_MEMORY"], {"memory": "4096", "queue": "spot"}),
        (["NODE_FAIL", "NODE_FAIL"], {"memory": "2048", "queue": "on-demand"}),
    ],
)
def test_what_lacked_memory_or_lost_its_node_twice_is_submitted_with_what_it_lacked(cluster, states, changed):
    cluster.becomes(array().name, 1, *states)
    failures = read_failures(cluster.answer(array()), [array()])

    (again,) = resubmit(failures, "on-demand")

    assert (again.tasks, again.size) == ("1", 1)
    assert {key: getattr(again, key) for key in changed} == changed
    assert cluster.answer(again) == "left 0 failed 0\n"


def test_a_node_that_is_lost_once_costs_nothing_but_time(cluster):
    cluster.becomes(array().name, 0, "NODE_FAIL")

    assert cluster.answer(array()) == "left 0 failed 0\n"


def test_nodes_that_never_came_up_cost_nothing_but_time(cluster):
    cluster.becomes(array().name, 0, "BOOT_FAIL", "BOOT_FAIL", "BOOT_FAIL")

    assert cluster.answer(array()) == "left 0 failed 0\n"


@pytest.mark.parametrize(
    ("state", "error_type", "words", "again"),
    [
        (
            "PENDING:BadConstraints",
            ErrorType.NEVER_STARTED,
            "no node of its partition can run it",
            {"queue": "on-demand"},
        ),
        ("PENDING:PartitionConfig", ErrorType.NEVER_STARTED, "PENDING (PartitionConfig)", {"queue": "on-demand"}),
        ("FAILED:BadConstraints", ErrorType.NEVER_STARTED, "FAILED (BadConstraints)", {"queue": "on-demand"}),
        ("PENDING:JobHeldUser", ErrorType.NEVER_STARTED, "a user or administrator holds it", None),
        ("PENDING:JobHeldAdmin", ErrorType.NEVER_STARTED, "a user or administrator holds it", None),
        ("PENDING:JobHoldMaxRequeue", ErrorType.NEVER_STARTED, "PENDING (JobHoldMaxRequeue)", {"queue": "on-demand"}),
        ("PENDING:QOSMaxWallDurationPerJobLimit", ErrorType.NEVER_STARTED, "ask the people who run it", None),
        ("PENDING:AssocMaxMemPerNode", ErrorType.NEVER_STARTED, "a limit of the cluster", None),
        ("PENDING:QOSMinCpuNotSatisfied", ErrorType.NEVER_STARTED, "a limit of the cluster", None),
        ("PENDING:InvalidQOS", ErrorType.NEVER_STARTED, "PENDING (InvalidQOS)", None),
        ("FAILED:JobLaunchFailure:9", ErrorType.OUT_OF_MEMORY, "Slurm: FAILED", {"memory": "4096"}),
        ("FAILED:JobLaunchFailure:53", ErrorType.PLATFORM, "could not open the task's log", None),
        ("CANCELLED", ErrorType.STOPPED, "Slurm: CANCELLED", None),
    ],
)
def test_what_will_never_run_is_not_waited_for_and_says_why(cluster, state, error_type, words, again):
    cluster.becomes(array().name, 1, state)

    failures = read_failures(cluster.answer(array()), [array()])

    ((failed,),) = (failure.failed for failure in failures)
    assert (failed.index, failed.exit_code, failed.error_type) == (1, None, error_type)
    assert words in failed.reason
    jobs = resubmit(failures, "on-demand")
    if again is None:
        assert jobs == []
    else:
        (job,) = jobs
        assert {key: getattr(job, key) for key in again} == again
        assert cluster.answer(job) == "left 0 failed 0\n"


@pytest.mark.parametrize("reason", ["Resources", "QOSMaxJobsPerUserLimit", "AssocGrpCpuLimit", "BeginTime"])
def test_what_waits_for_a_node_is_waited_for(cluster, reason):
    cluster.becomes(array().name, 1, f"PENDING:{reason}")

    answers = {cluster.ask(array()) for _ in range(20)}

    assert all(not answer.startswith("left 0") for answer in answers)


def test_on_demand_too_nothing_is_tried_for_ever(cluster):
    job = array(queue="on-demand", name=f"{RUN.name}-step2-on-demand")
    cluster.becomes(job.name, 1, "PENDING:BadConstraints")

    assert resubmit(read_failures(cluster.answer(job), [job]), "on-demand") == []


def test_what_ran_out_of_time_is_not_tried_again(cluster):
    cluster.becomes(array().name, 0, "TIMEOUT")

    failures = read_failures(cluster.answer(array()), [array()])

    assert failures[0].failed[0].error_type is ErrorType.TIMED_OUT
    assert resubmit(failures, "on-demand") == []


def test_an_answer_that_was_cut_short_mends_nothing(cluster):
    cluster.task("exit 9")
    answer = cluster.answer(array())

    failures = read_failures("\n".join(answer.splitlines()[:1]), [array()])

    assert [failure.failed for failure in failures] == [[]]


def test_an_answer_that_is_too_long_loses_last_words_and_no_ending(cluster):
    cluster.task('head -c 1500 /dev/zero | tr "\\0" x; exit 9')
    arrays = [array(), array(name=f"{RUN.name}-step2-2"), array(name=f"{RUN.name}-step2-3")]
    answer = cluster.answer(*arrays)

    for length in range(9_000, 9_005):  # wherever in a task's last words Systems Manager cuts
        failures = read_failures(answer[:length] + "\n---Output truncated---", arrays)

        assert [[job.index for job in failure.failed] for failure in failures] == [[0, 1, 2]] * 3
        assert failures[0].failed[0].log_tail == "x" * 1500


@pytest.mark.parametrize("cut", ["ended height-1a2b-1-st", "ended height-1a2b-1-step2 9 FAILED 0,"])
def test_an_answer_that_was_cut_in_an_ending_mends_nothing(cut):
    (failure,) = read_failures(f"left 0 failed 3\n{cut}", [array()])

    assert list(failure.failed) == []


def test_the_end_of_a_run_cancels_its_jobs_removes_its_folder_and_lets_nothing_begin_again(cluster):
    cluster.task("exec sleep 60")
    cluster.ask(array())
    over = end_script(RUN, CLUSTER, keep_work=False)

    assert cluster.run(over) == "left 1 failed 0\n"
    assert cluster.run(over) == "left 0 failed 0\n"

    assert not cluster.folder.exists()
    assert list(cluster.folder.parent.iterdir()) == [cluster.folder.parent / "ended"]
    output, errors = cluster.node.run(jobs_script(RUN, CLUSTER, "step2", [array()], "1", 2)).communicate(timeout=20)
    assert (output, "over" in errors) == ("", True)
    assert len(cluster.submissions()) == 1
    assert cluster.run(over) == "left 0 failed 0\n"


def test_jobs_of_other_launches_are_left_alone(cluster):
    other = Run(**{field: getattr(RUN, field) for field in Run.__dataclass_fields__} | {"launch_id": "height-1a2b-x"})
    cluster.task("exec sleep 60")
    cluster.ask(array(name=f"{other.name}-step2"), run=other)

    assert cluster.run(end_script(RUN, CLUSTER, keep_work=False)) == "left 0 failed 0\n"


def test_an_attempt_waits_until_the_one_before_is_cleaned_up(cluster):
    cluster.ask(array())
    second = Run(**{field: getattr(RUN, field) for field in Run.__dataclass_fields__} | {"attempt": 2})

    assert cluster.ask(array(name=f"{second.name}-step2"), run=second) == "left 1 failed 0\n"
    assert len(cluster.submissions()) == 1
