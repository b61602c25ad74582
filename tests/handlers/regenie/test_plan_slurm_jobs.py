"""What is run on a cluster's head node, at a phase's beginning and after failures."""

import json
from typing import Any

import pytest

from genolaunch.contract.tasks import TASK_FAILED, TASK_RESUBMITTED
from lambdas.regenie import plan_slurm_jobs
from lambdas.shared.launch_repository import LaunchRepository
from tests.handlers.kept import opened
from tests.handlers.regenie.conftest import CONTEXT

CLUSTER = {
    "shared_folder": "/fsx/genolaunch",
    "user": "genolaunch",
    "partition": "spot",
    "on_demand_partition": "on-demand",
    "container": "apptainer",
    "most_array_jobs": 1000,
}
REQUEST = {
    "launchId": "launch-1",
    "attempt": 1,
    "phase": "step2",
    "tasks": 3,
    "resources": {"vcpus": "2", "memory": "2048"},
    "jobQueue": "spot",
    "onDemandQueue": "on-demand",
    "image": "regenie:4.1.2",
    "dataUri": "s3://data/cohort/",
    "resultsUri": "s3://results/results/launch-1/",
    "exportPaths": ["work/gwas", "work/report.html"],
}


@pytest.fixture(autouse=True)
def cluster(environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given: a stage with a cluster."""
    monkeypatch.setenv("PARALLELCLUSTER", json.dumps(CLUSTER))
    monkeypatch.setenv("JOB_TIMEOUT_HOURS", "24")
    plan_slurm_jobs.settings.cache_clear()


def plan(jobs: list[dict[str, Any]] | None = None, answer: str = "", **request: Any) -> dict[str, Any]:
    event = {"request": REQUEST | request, "jobs": jobs or [], "answer": answer}
    planned: dict[str, Any] = plan_slurm_jobs.handler(event, CONTEXT)
    return planned


def test_a_phase_becomes_arrays_of_what_the_cluster_takes_at_once(repository: LaunchRepository):
    jobs = plan(tasks=2500)["jobs"]

    assert [(job["name"], job["size"], job["tasks"]) for job in jobs] == [
        ("launch-1-1-step2", 1000, "0-999"),
        ("launch-1-1-step2-2", 1000, "1000-1999"),
        ("launch-1-1-step2-3", 500, "2000-2499"),
    ]


def test_the_script_runs_as_the_clusters_user(repository: LaunchRepository):
    script = plan()["script"]

    assert script.startswith("exec runuser -u genolaunch -- /bin/sh -c ")
    assert "submit launch-1-1-step2 3 spot 2 2048 1440 step2 0-2" in script


def test_what_ran_out_of_memory_is_planned_with_twice_as_much_and_recorded(repository: LaunchRepository):
    jobs = plan()["jobs"]

    again = plan(jobs, "left 0 failed 1\nended launch-1-1-step2 137 OUT_OF_MEMORY 1\nlog launch-1-1-step2 1 \n")

    assert [(job["name"], job["memory"], job["tasks"]) for job in again["jobs"]] == [
        ("launch-1-1-step2-more-memory", "4096", "1")
    ]
    assert "submit launch-1-1-step2-more-memory 1 spot 2 4096 1440 step2 1" in again["script"]
    (task,) = repository.tasks("launch-1", "job#")
    assert (task["taskId"], task["status"]) == ("job#launch-1-1-step2#1", TASK_RESUBMITTED)


def test_what_cannot_be_mended_ends_the_phase_in_one_sentence(repository: LaunchRepository):
    jobs = plan()["jobs"]
    log = "RVJST1I6IG5vIHZhcmlhbnQgbGVmdA=="  # ERROR: no variant left

    ended = plan(jobs, f"left 0 failed 2\nended launch-1-1-step2 9 FAILED 0,2\nlog launch-1-1-step2 0 {log}\n")

    assert ended["jobs"] == []
    assert ended["error"]["Error"] == "ApplicationError"
    said = opened(ended["error"]["Cause"])["message"]
    assert said == "2 of 3 jobs of step 2 failed; first: array index 0 (exit code 9): ERROR: no variant left"
    assert {task["status"] for task in repository.tasks("launch-1", "job#")} == {TASK_FAILED}


def test_results_that_could_not_be_copied_from_the_cluster_are_the_platforms_fault(repository: LaunchRepository):
    jobs = plan(phase="store", tasks=1)["jobs"]

    ended = plan(jobs, "left 0 failed 1\nended launch-1-1-store 1 FAILED 0\n", phase="store")

    assert ended["error"]["Error"] == "PlatformError"
    assert [task["errorType"] for task in repository.tasks("launch-1", "job#")] == ["PlatformError"]


def test_the_end_of_a_run_has_no_jobs(repository: LaunchRepository):
    about = {key: REQUEST[key] for key in ("launchId", "attempt", "resultsUri")}
    event = {"request": about | {"phase": "end", "keepWork": True}, "jobs": [], "answer": ""}

    ended = plan_slurm_jobs.handler(event, CONTEXT)

    assert ended["jobs"] == []
    assert "end keep" in ended["script"]
    assert "sbatch" not in ended["script"]
