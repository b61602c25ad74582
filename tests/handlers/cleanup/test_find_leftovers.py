"""What is found of ended attempts."""

import json
import os
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from genolaunch.contract.launch import Status
from lambdas.cleanup.find_leftovers import handler
from lambdas.shared.launch_repository import LaunchRepository
from tests.handlers.cleanup.conftest import (
    CONTEXT,
    DEFINITION,
    QUEUE,
    QUEUES,
    RESULTS_BUCKET,
    ROLE,
    file_system,
    instance,
    launch_template,
    register,
    role,
    tags_of,
)

EVENT = {"launchId": "launch-1", "endedAttempt": 1}


def batch_holds(stubs: SimpleNamespace, jobs: list[dict[str, Any]], definitions: list[list[str]]) -> None:
    """Jobs in the queue, and for each ended attempt its ACTIVE job definitions."""
    job_filter = [{"name": "JOB_NAME", "values": ["launch-1-*"]}]
    for queue in QUEUES:
        held = jobs if queue == QUEUE else []
        stubs.batch.add_response("list_jobs", {"jobSummaryList": held}, {"jobQueue": queue, "filters": job_filter})
    for attempt, arns in enumerate(definitions, start=1):
        found = [
            {"jobDefinitionName": "x", "jobDefinitionArn": arn, "revision": 1, "type": "container"} for arn in arns
        ]
        stubs.batch.add_response(
            "describe_job_definitions",
            {"jobDefinitions": found},
            {"jobDefinitionName": f"launch-1-{attempt}", "status": "ACTIVE"},
        )


def file_system_has(stubs: SimpleNamespace, id_: str, associations: list[dict[str, Any]], tasks: list[Any]) -> None:
    """In the order in which they are asked for."""
    by_file_system = {"Filters": [{"Name": "file-system-id", "Values": [id_]}]}
    stubs.fsx.add_response("describe_data_repository_associations", {"Associations": associations}, by_file_system)
    stubs.fsx.add_response("describe_data_repository_tasks", {"DataRepositoryTasks": tasks}, by_file_system)


def association(id_: str, path: str) -> dict[str, Any]:
    return {"AssociationId": id_, "FileSystemPath": path, "Lifecycle": "AVAILABLE"}


def test_nothing_is_left_of_a_clean_launch(repository: LaunchRepository, stubs: SimpleNamespace):
    register(repository, Status.COMPLETE)
    # Given jobs that have ended, and file systems that are going or are somebody else's
    ended = [
        {"jobId": str(n), "jobName": "launch-1-1-step2", "status": s} for n, s in enumerate(["SUCCEEDED", "FAILED"])
    ]
    batch_holds(stubs, ended, [[]])
    others = [
        file_system("fs-000000000000going", "DELETING"),
        file_system("fs-000000otherlaunch", launchId="launch-12"),
        file_system("fs-0000000otherstage", stage="prod"),
        file_system("fs-00000otherproject", project="archive"),
        file_system("fs-00000newerattempt", attempt="2"),
    ]
    stubs.fsx.add_response("describe_file_systems", {"FileSystems": others[:2], "NextToken": "more"}, {})
    stubs.fsx.add_response("describe_file_systems", {"FileSystems": others[2:]}, {"NextToken": "more"})

    assert handler(EVENT, CONTEXT) == {
        "executions": [],
        "tasks": [],
        "instances": [],
        "jobs": [],
        "fileSystems": [],
        "jobDefinitions": [],
        "launchTemplates": [],
        "roles": [],
        "instanceProfiles": [],
        "left": 0,
        "clusterMachine": "",
        "clusterRun": {},
    }


def test_everything_of_a_stopped_launch_is_found_and_its_file_system_waits_for_its_jobs(
    repository: LaunchRepository, stubs: SimpleNamespace
):
    register(repository, Status.CANCELLED)
    # Given running executions, a waiting array, and jobs of the next attempt
    machines = boto3.client("stepfunctions")
    running = [
        machines.start_execution(stateMachineArn=machine, name=name)["executionArn"]
        for machine, name in (
            (json.loads(os.environ["WORKFLOW_STATE_MACHINES"])["regenie"], "launch-1-1"),
            (os.environ["JOBS_STATE_MACHINE"], "launch-1-1-step2"),
        )
    ]
    for other in ("launch-1-2-split", "launch-12-1-step2"):
        machines.start_execution(stateMachineArn=os.environ["JOBS_STATE_MACHINE"], name=other)
    jobs = [
        {"jobId": "array", "jobName": "launch-1-1-step2", "status": "PENDING"},
        {"jobId": "next", "jobName": "launch-1-2-step2", "status": "RUNNING"},
        {"jobId": "longer", "jobName": "launch-1-11-step2", "status": "RUNNING"},
    ]
    batch_holds(stubs, jobs, [["arn:definition:1"]])
    stubs.fsx.add_response("describe_file_systems", {"FileSystems": [file_system("fs-00000000000000001")]})
    file_system_has(
        stubs,
        "fs-00000000000000001",
        [association("dra-00000000000000001", "/data"), association("dra-00000000000000002", "/work")],
        [],
    )

    found = handler(EVENT, CONTEXT)

    assert found == {
        "executions": running,
        "tasks": [],
        "instances": [],
        "jobs": ["array"],
        "fileSystems": [
            {
                "fileSystemId": "fs-00000000000000001",
                "action": "WAIT",
                "associationIds": ["dra-00000000000000001", "dra-00000000000000002"],
            }
        ],
        "jobDefinitions": ["arn:definition:1"],
        "launchTemplates": [],
        "roles": [],
        "instanceProfiles": [],
        "left": 5,
        "clusterMachine": "",
        "clusterRun": {},
    }


def test_each_file_system_of_the_ended_attempts_gets_its_own_action(
    repository: LaunchRepository, stubs: SimpleNamespace
):
    # Given attempt 2 failed, and a file system of attempt 1 that slipped through
    register(repository, Status.FAILED, attempt=2)
    batch_holds(stubs, [], [["arn:definition:1"], []])
    systems = [file_system("fs-00000000000000001", attempt="1"), file_system("fs-00000000000000002", attempt="2")]
    stubs.fsx.add_response("describe_file_systems", {"FileSystems": systems})
    file_system_has(stubs, "fs-00000000000000001", [association("dra-00000000000000001", "/work")], [])
    file_system_has(stubs, "fs-00000000000000002", [association("dra-00000000000000002", "/work")], [])

    found = handler({"launchId": "launch-1", "endedAttempt": 2}, CONTEXT)

    assert {system["fileSystemId"]: system["action"] for system in found["fileSystems"]} == {
        "fs-00000000000000001": "UNLINK",
        "fs-00000000000000002": "EXPORT",
    }
    assert found["left"] == 3


def test_launch_templates_of_the_ended_attempts_are_found(repository: LaunchRepository, stubs: SimpleNamespace):
    register(repository, Status.FAILED)
    batch_holds(stubs, [], [[]])
    stubs.fsx.add_response("describe_file_systems", {"FileSystems": []})
    # Given a template of the attempt, of the next one, of another launch, and the stage's own
    made = launch_template("ours")
    launch_template("next", attempt="2")
    launch_template("theirs", launchId="launch-12")
    launch_template("the stage's", launchId=None, attempt=None)

    found = handler(EVENT, CONTEXT)

    assert (found["launchTemplates"], found["left"]) == ([made], 1)


def test_what_hangs_on_a_file_system_is_read_to_the_last_page(repository: LaunchRepository, stubs: SimpleNamespace):
    register(repository, Status.FAILED)
    batch_holds(stubs, [], [[]])
    stubs.fsx.add_response("describe_file_systems", {"FileSystems": [file_system("fs-00000000000000001")]})
    filters = {"Filters": [{"Name": "file-system-id", "Values": ["fs-00000000000000001"]}]}
    for call, key, pages in (
        (
            "describe_data_repository_associations",
            "Associations",
            [[association("dra-00000000000000001", "/data")], [association("dra-00000000000000002", "/work")]],
        ),
        ("describe_data_repository_tasks", "DataRepositoryTasks", [[], [export_of_work("SUCCEEDED")]]),
    ):
        stubs.fsx.add_response(call, {key: pages[0], "NextToken": "more"}, filters)
        stubs.fsx.add_response(call, {key: pages[1]}, {**filters, "NextToken": "more"})

    (found,) = handler(EVENT, CONTEXT)["fileSystems"]

    assert found == {
        "fileSystemId": "fs-00000000000000001",
        "action": "UNLINK",
        "associationIds": ["dra-00000000000000001", "dra-00000000000000002"],
    }


def export_of_work(lifecycle: str) -> dict[str, Any]:
    return {
        "TaskId": "task-00000000000000001",
        "Type": "EXPORT_TO_REPOSITORY",
        "Lifecycle": lifecycle,
        "Paths": ["work"],
        "CreationTime": datetime(2026, 11, 21, 4, tzinfo=UTC),
    }


def test_a_file_system_that_vanishes_meanwhile_is_no_error(repository: LaunchRepository, stubs: SimpleNamespace):
    register(repository, Status.FAILED)
    batch_holds(stubs, [], [[]])
    stubs.fsx.add_response("describe_file_systems", {"FileSystems": [file_system("fs-00000000000000001")]})
    stubs.fsx.add_client_error("describe_data_repository_associations", "FileSystemNotFound")
    stubs.fsx.add_client_error("describe_data_repository_tasks", "FileSystemNotFound")

    (found,) = handler(EVENT, CONTEXT)["fileSystems"]

    assert found["action"] == "DELETE"


def users_jobs_are(stubs: SimpleNamespace, jobs: list[dict[str, Any]]) -> None:
    """Given: jobs that launchers submitted and that run, and nothing that is found by its name."""
    job_filter = [{"name": "JOB_NAME", "values": ["launch-1-*"]}]
    for queue in QUEUES:
        stubs.batch.add_response("list_jobs", {"jobSummaryList": []}, {"jobQueue": queue, "filters": job_filter})
    for queue in QUEUES:
        for status in ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING"):
            found = jobs if (queue, status) == (QUEUE, "RUNNING") else []
            summaries = [{"jobId": job["jobId"], "jobName": job["jobName"]} for job in found]
            stubs.batch.add_response(
                "list_jobs", {"jobSummaryList": summaries}, {"jobQueue": queue, "jobStatus": status}
            )
    if jobs:
        stubs.batch.add_response("describe_jobs", {"jobs": jobs}, {"jobs": [job["jobId"] for job in jobs]})
    stubs.batch.add_response(
        "describe_job_definitions", {"jobDefinitions": []}, {"jobDefinitionName": "launch-1-1", "status": "ACTIVE"}
    )


def of_snakemake(
    repository: LaunchRepository, stubs: SimpleNamespace, jobs: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """What is found of a cancelled Snakemake launch that has no file system."""
    register(repository, Status.CANCELLED, workflow="snakemake")
    users_jobs_are(stubs, jobs or [])
    stubs.fsx.add_response("describe_file_systems", {"FileSystems": []}, {})
    found: dict[str, Any] = handler(EVENT, CONTEXT)
    return found


def starts(name: str) -> None:
    """Given: a running execution of the unicorn."""
    boto3.client("stepfunctions").start_execution(stateMachineArn=os.environ["TIBANNA_STATE_MACHINE"], name=name)


def test_a_launcher_is_left_until_it_has_stopped_and_its_jobs_are_its_own_until_then(
    repository: LaunchRepository, stubs: SimpleNamespace
):
    stubs.ecs.add("task-running")
    stubs.ecs.add("task-stopping", desired="STOPPED")
    stubs.ecs.add("task-stopped", desired="STOPPED", last="STOPPED")
    stubs.ecs.add("task-of-the-retry", started_by="launch-1-2")
    starts("launch-1-1.abc-rule-a")
    role("launch-1-1")

    found = of_snakemake(repository, stubs)

    assert (found["tasks"], found["left"]) == (["task-running", "task-stopping"], 2)


def test_what_a_launcher_left_at_tibanna_is_found_by_its_name_and_profile(
    repository: LaunchRepository, stubs: SimpleNamespace
):
    mine = instance("launch-1-1.abc", "launch-1-1")
    for job_id, run in (("launch-1-2.abc", "launch-1-2"), ("launch-1-1.def", "launch-2-1"), ("somebody-elses", None)):
        instance(job_id, run)
    for name in ("launch-1-1.abc-rule-a", "launch-1-11.abc-rule-a", "launch-1-2.abc-rule-a", "somebody-elses"):
        starts(name)

    found = of_snakemake(repository, stubs)

    assert found["instances"] == [mine]
    assert [arn.rpartition(":")[2] for arn in found["executions"]] == ["launch-1-1.abc-rule-a"]
    assert found["roles"] == []  # the instance has its role still


def test_a_job_that_a_launcher_gave_another_name_is_found_by_its_tags(
    repository: LaunchRepository, stubs: SimpleNamespace
):
    jobs = [
        {
            "jobId": id_,
            "jobName": name,
            "jobQueue": QUEUE,
            "status": "RUNNING",
            "createdAt": 0,
            "startedAt": 0,
            "jobDefinition": "d",
            "tags": tags_of(launchId=launch_id),
        }
        for id_, name, launch_id in (("mine", "launch-2-1-a", "launch-1"), ("other", "launch-2-1-b", "launch-2"))
    ]

    assert of_snakemake(repository, stubs, jobs)["jobs"] == ["mine"]


def test_roles_go_last_and_say_what_is_in_their_way(repository: LaunchRepository, stubs: SimpleNamespace):
    mine = role("launch-1-1")
    for run in ("launch-1-2", "launch-12-1"):
        role(run)
    role("launch-1-3", stage="prod")

    found = of_snakemake(repository, stubs)

    policies = [{"role": mine, "policy": "arn:aws:iam::123456789012:policy/of-launch-1-1"}]
    assert found["roles"] == [{"name": mine, "policies": policies, "isInProfile": True}]
    assert (found["instanceProfiles"], found["left"]) == ([mine], 2)


def test_instances_of_a_launch_that_the_table_does_not_know_are_found(
    repository: LaunchRepository, stubs: SimpleNamespace
):
    forgotten = instance("launch-1-1.def", "launch-1-1")
    users_jobs_are(stubs, [])
    stubs.fsx.add_response("describe_file_systems", {"FileSystems": []}, {})

    assert handler(EVENT, CONTEXT)["instances"] == [forgotten]


def test_a_run_on_a_cluster_is_to_be_ended_there_and_its_work_is_kept_for_a_retry(
    repository: LaunchRepository, stubs: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
):
    register(repository, Status.FAILED, compute_service="parallelcluster")
    machines = boto3.client("stepfunctions")
    slurm = machines.create_state_machine(name="slurm", definition=DEFINITION, roleArn=ROLE)["stateMachineArn"]
    monkeypatch.setenv("SLURM_STATE_MACHINE", slurm)
    running = machines.start_execution(stateMachineArn=slurm, name="launch-1-1-step2")["executionArn"]
    batch_holds(stubs, [], [[]])
    stubs.fsx.add_response("describe_file_systems", {"FileSystems": []}, {})

    found = handler(EVENT, CONTEXT)

    assert (found["executions"], found["left"]) == ([running], 1)
    assert found["clusterMachine"] == slurm
    assert found["clusterRun"] == {
        "launchId": "launch-1",
        "attempt": 1,
        "phase": "end",
        "resultsUri": f"s3://{RESULTS_BUCKET}/results/launch-1/",
        "keepWork": True,
    }
