"""One job: its life, its container's world, its attempts and its end."""

import time
from typing import Any

import pytest

from localcloud.service import ServiceError
from tests.unit.localcloud_batch.support import IMAGE, python, shell

LUSTRE = {
    "volumes": [{"name": "fsx", "host": {"sourcePath": "/mnt/fsx/fs-0123456789abcdef0_abcdefgh"}}],
    "mountPoints": [{"sourceVolume": "fsx", "containerPath": "/fsx"}],
}


def test_a_job_that_exits_with_0_succeeds_and_has_its_log(cloud):
    # when
    job = cloud.run(shell("echo one; echo two >&2; printf three"))
    # then
    assert job["status"] == "SUCCEEDED"
    (attempt,) = job["attempts"]
    assert attempt["container"]["exitCode"] == 0
    assert attempt["container"]["logStreamName"].startswith("launch/default/")
    assert job["createdAt"] <= attempt["startedAt"] <= attempt["stoppedAt"]
    assert cloud.logs.of(job) == ["one", "two", "three"]


def test_the_log_goes_to_batchs_own_group_by_default(cloud):
    definition = cloud.define(container={"logConfiguration": {"logDriver": "awslogs"}})
    job = cloud.run(shell("echo here"), definition=definition)
    assert job["container"]["logStreamName"].startswith("definition/default/")
    assert cloud.logs.of(job, "/aws/batch/job") == ["here"]


def test_a_job_that_exits_with_another_code_fails(cloud):
    job = cloud.run(shell("exit 3"))
    assert (job["status"], job["statusReason"]) == ("FAILED", "Essential container in task exited")
    assert job["container"]["exitCode"] == 3


def test_a_process_that_dies_of_a_signal_exits_as_a_container_does(cloud):
    assert cloud.run(shell("kill -9 $$"))["container"]["exitCode"] == 137


def test_the_environment_is_the_containers_not_the_developers(cloud, monkeypatch):
    # given
    monkeypatch.setenv("SECRET_OF_THE_DEVELOPER", "x")
    environment = [{"name": "FROM_DEFINITION", "value": "d"}, {"name": "OVERRIDDEN", "value": "d"}]
    definition = cloud.define(command=shell("env"), container={"environment": environment})
    # when
    job_id = cloud.call(
        "SubmitJob",
        jobName="job",
        jobQueue="low",
        jobDefinition=definition,
        containerOverrides={"environment": [{"name": "OVERRIDDEN", "value": "o"}]},
    )["jobId"]
    job = cloud.batch.wait(job_id, 20)
    # then
    seen = dict(line.split("=", 1) for line in cloud.logs.of(job))
    assert (seen["FROM_DEFINITION"], seen["OVERRIDDEN"]) == ("d", "o")
    assert seen["AWS_BATCH_JOB_ID"] == job_id
    assert seen["AWS_BATCH_JOB_ATTEMPT"] == "1"
    assert (seen["AWS_BATCH_JQ_NAME"], seen["AWS_BATCH_CE_NAME"]) == ("low", "spot")
    assert seen["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert "AWS_BATCH_JOB_ARRAY_INDEX" not in seen
    assert "SECRET_OF_THE_DEVELOPER" not in seen
    assert "scratch" in seen["HOME"]


def test_a_mounted_file_system_is_seen_under_its_container_path_and_is_lustre(cloud):
    # given
    (cloud.file_system.folder / "data").mkdir()
    (cloud.file_system.folder / "data/in.txt").write_text("content")
    definition = cloud.define(container={**LUSTRE, "environment": [{"name": "WORKSPACE", "value": "/fsx"}]})
    script = 'cat "$0"; echo; stat --file-system --format=%T "$WORKSPACE"; stat --file-system --format=%T /; echo "$1"'
    # when
    job = cloud.run([*shell(script), "/fsx/data/in.txt", "/fsx2/data"], definition=definition)
    # then
    content, kind, kind_of_root, untouched = cloud.logs.of(job)
    assert (content, kind, untouched) == ("content", "lustre", "/fsx2/data")
    assert kind_of_root != "lustre"
    assert cloud.file_system.mounted == 1


def test_other_volumes_are_folders_of_the_stand_in_host(cloud, tmp_path):
    volumes = {
        "volumes": [{"name": "scratch", "host": {"sourcePath": "/var/scratch"}}],
        "mountPoints": [{"sourceVolume": "scratch", "containerPath": "/scratch"}],
    }
    job = cloud.run([*shell('echo kept > "$0"'), "/scratch/file"], definition=cloud.define(container=volumes))
    assert job["status"] == "SUCCEEDED"
    assert (tmp_path / "host/var/scratch/file").read_text() == "kept\n"


def test_a_file_system_that_cannot_be_mounted_fails_the_job_before_it_starts(cloud):
    volumes = [{"name": "fsx", "host": {"sourcePath": "/mnt/fsx/fs-00000000_zzzzzzzz"}}]
    job = cloud.run(definition=cloud.define(container={**LUSTRE, "volumes": volumes}))
    assert (job["status"], job["statusReason"]) == ("FAILED", "Task failed to start")
    assert "there is no such file system" in job["container"]["reason"]


@pytest.mark.parametrize("image", ["ubuntu:22.04", "genolaunch-regenie", "x/genolaunch-regenie-2:1"])
def test_an_unknown_image_cannot_be_pulled(cloud, image):
    job = cloud.run(definition=cloud.define(container={"image": image}))
    assert job["status"] == "FAILED"
    assert job["container"]["reason"].startswith("CannotPullContainerError:")
    assert "exitCode" not in job["container"]


def test_a_program_that_is_not_there_cannot_be_started(cloud):
    job = cloud.run(["no-such-program"])
    assert 'exec: "no-such-program"' in job["container"]["reason"]


def test_parameters_fill_in_the_command(cloud):
    definition = cloud.define(command=["echo", "Ref::who", "Ref::unknown"], parameters={"who": "default"})
    job_id = cloud.call("SubmitJob", jobName="j", jobQueue="low", jobDefinition=definition, parameters={"who": "you"})[
        "jobId"
    ]
    assert cloud.logs.of(cloud.batch.wait(job_id, 20)) == ["you Ref::unknown"]


# --- Attempts --------------------------------------------------------------------------------------------------------
def test_a_failed_attempt_is_followed_by_another_up_to_the_limit(cloud):
    job = cloud.run(shell('echo "attempt $AWS_BATCH_JOB_ATTEMPT"; exit 1'), retryStrategy={"attempts": 3})
    assert job["status"] == "FAILED"
    assert [attempt["container"]["exitCode"] for attempt in job["attempts"]] == [1, 1, 1]
    assert cloud.logs.of(job) == ["attempt 3"]


def test_a_rule_ends_a_job_whose_own_fault_it_is(cloud):
    strategy = {
        "attempts": 5,
        "evaluateOnExit": [
            {"onStatusReason": "Host EC2*", "action": "RETRY"},
            {"onReason": "*", "action": "EXIT"},
        ],
    }
    job = cloud.run(shell("exit 1"), retryStrategy=strategy)
    assert (job["status"], len(job["attempts"])) == ("FAILED", 1)


def test_a_reclaimed_spot_instance_is_another_attempt_by_rule(cloud):
    # given
    strategy = {
        "attempts": 2,
        "evaluateOnExit": [
            {"onStatusReason": "Host EC2*", "action": "retry"},
            {"onReason": "*", "action": "exit"},
        ],
    }
    cloud.batch.inject("reclaimed-*")
    # when
    job = cloud.run(["true"], name="reclaimed-job", retryStrategy=strategy)
    # then
    assert job["status"] == "SUCCEEDED"
    lost, completed = job["attempts"]
    assert lost["statusReason"].startswith("Host EC2 (instance i-")
    assert "exitCode" not in lost["container"]
    assert completed["container"]["exitCode"] == 0


def test_a_container_that_is_killed_for_its_memory_can_be_injected(cloud):
    cloud.batch.inject("j", reason="OutOfMemoryError: Container killed due to memory usage", exit_code=137, times=2)
    strategy = {"attempts": 3, "evaluateOnExit": [{"onExitCode": "13*", "action": "RETRY"}]}
    job = cloud.run(["true"], name="j", retryStrategy=strategy)
    assert [attempt["container"]["exitCode"] for attempt in job["attempts"]] == [137, 137, 0]
    assert job["attempts"][0]["container"]["reason"].startswith("OutOfMemoryError")


# --- Stopping --------------------------------------------------------------------------------------------------------
def test_a_job_that_takes_too_long_is_killed_with_its_children_and_not_tried_again(cloud, tmp_path):
    # given a job that ignores SIGTERM and has a child of its own
    marker = tmp_path / "marker"
    script = f"trap '' TERM; (sleep 3; touch {marker}) & sleep 30"
    started = time.monotonic()
    # when
    job = cloud.run(shell(script), timeout={"attemptDurationSeconds": 1}, retryStrategy={"attempts": 3})
    # then
    assert time.monotonic() - started < 3
    assert (job["status"], job["statusReason"]) == ("FAILED", "Job attempt duration exceeded timeout")
    assert len(job["attempts"]) == 1
    time.sleep(max(0, started + 3.3 - time.monotonic()))
    assert not marker.exists()


def test_a_running_job_is_terminated_with_the_reason_given(cloud):
    job_id = cloud.submit(["sleep", "30"], retryStrategy={"attempts": 3})
    cloud.until(job_id, "RUNNING")
    cloud.call("TerminateJob", jobId=job_id, reason="The launch is over")
    job = cloud.batch.wait(job_id, 10)
    assert (job["status"], job["statusReason"], job["isTerminated"]) == ("FAILED", "The launch is over", True)
    assert job["container"]["exitCode"] == 143
    assert len(job["attempts"]) == 1


def test_terminating_an_ended_job_changes_nothing(cloud):
    job = cloud.run(["true"])
    cloud.call("TerminateJob", jobId=job["jobId"], reason="late")
    assert cloud.describe(job["jobId"]) == [job]


def test_cancelling_ends_a_waiting_job_and_leaves_a_running_one(one_core):
    # given
    running = one_core.submit(shell("sleep 0.5"))
    one_core.until(running, "RUNNING")
    waiting = one_core.submit(["true"])
    # when
    for job_id in (running, waiting):
        one_core.call("CancelJob", jobId=job_id, reason="not wanted")
    # then
    cancelled = one_core.batch.wait(waiting, 10)
    assert (cancelled["status"], cancelled["statusReason"], cancelled["isCancelled"]) == ("FAILED", "not wanted", True)
    assert cancelled["attempts"] == []
    assert one_core.batch.wait(running, 10)["status"] == "SUCCEEDED"


def test_a_container_ends_with_its_first_process(cloud):
    started = time.monotonic()
    job = cloud.run(shell("sleep 30 & echo done"))
    assert (job["status"], cloud.logs.of(job)) == ("SUCCEEDED", ["done"])
    assert time.monotonic() - started < 5


def test_closing_stops_what_runs(tmp_path, cloud):
    job_id = cloud.submit(["sleep", "30"])
    cloud.until(job_id, "RUNNING")
    cloud.batch.close()
    assert cloud.describe(job_id)[0]["statusReason"] == "The local cloud was shut down"
    assert list((tmp_path / "scratch").iterdir()) == []


# --- Telling others --------------------------------------------------------------------------------------------------
def test_every_change_of_a_jobs_status_is_told_in_order(cloud):
    # given
    heard: list[dict[str, Any]] = []
    cloud.batch.subscribe(heard.append)
    # when
    job = cloud.run(["true"], tags={"launchId": "exome"})
    # then
    cloud.batch.close()
    told = [event["detail"]["status"] for event in heard]
    assert told == ["PENDING", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED"]
    last = heard[-1]
    assert (last["detail-type"], last["resources"]) == ("Batch Job State Change", [job["jobArn"]])
    # An event names only whose the tags are (AWS Batch user guide)
    assert last["detail"] == {**job, "tags": {"resourceArn": job["jobArn"]}}


def test_a_faulty_listener_does_not_keep_others_from_hearing(cloud):
    heard: list[dict[str, Any]] = []
    cloud.batch.subscribe(lambda detail: 1 / 0)
    cloud.batch.subscribe(heard.append)
    cloud.run(["true"])
    cloud.batch.close()
    assert heard


def test_the_end_of_a_job_is_told_once_also_to_those_who_ask_late(cloud):
    early: list[dict[str, Any]] = []
    late: list[dict[str, Any]] = []
    job_id = cloud.submit(shell("sleep 0.1"))
    cloud.batch.on_job_end(job_id, early.append)
    cloud.batch.wait(job_id, 10)
    cloud.batch.on_job_end(job_id, late.append)
    cloud.batch.close()
    assert [detail["status"] for detail in early + late] == ["SUCCEEDED", "SUCCEEDED"]


def test_waiting_for_a_job_has_an_end(cloud):
    with pytest.raises(TimeoutError):
        cloud.batch.wait(cloud.submit(["sleep", "5"]), 0.05)
    with pytest.raises(ServiceError, match="does not exist"):
        cloud.batch.wait("no-such-job", 1)


def test_a_fault_of_the_runner_fails_the_job(cloud, monkeypatch):
    def fail(*args):
        raise RuntimeError("bug")

    monkeypatch.setattr(cloud.runner, "run", fail)
    job = cloud.run(["true"])
    assert (job["status"], job["container"]["reason"]) == ("FAILED", "InternalError: bug")


def test_the_projects_interpreter_is_python3(cloud):
    job = cloud.run(["python3", "-c", "import numpy, sys; print(sys.version_info[0])"])
    assert cloud.logs.of(job) == ["3"]


def test_much_output_arrives_whole_and_in_order(cloud):
    job = cloud.run(python("for n in range(20_000): print(n)"))
    assert cloud.logs.of(job) == [str(n) for n in range(20_000)]


def test_the_image_is_part_of_the_description(cloud):
    assert cloud.run(["true"])["container"]["image"] == IMAGE


def test_a_job_that_finds_no_host_fails_and_the_next_one_runs(cloud, monkeypatch):
    prepare = cloud.batch._scheduler._attempt_runner.prepare
    hosts = iter([None])

    def once_without(job):
        if next(hosts, job) is None:
            raise RuntimeError("the subnet does not exist")
        return prepare(job)

    monkeypatch.setattr(cloud.batch._scheduler._attempt_runner, "prepare", once_without)
    first, second = cloud.run(["true"]), cloud.run(["true"])
    assert (first["status"], first["statusReason"]) == ("FAILED", "InternalError: the subnet does not exist")
    assert second["status"] == "SUCCEEDED"


@pytest.mark.parametrize(("length", "status"), [(6_000, "SUCCEEDED"), (8_192, "FAILED")])
def test_a_job_whose_overrides_are_longer_than_ecs_takes_fails_as_on_aws(cloud, length, status):
    job = cloud.run(shell("true"), overrides={"environment": [{"name": "LONG", "value": "x" * length}]})
    assert job["status"] == status
    if status == "FAILED":
        assert job["statusReason"] == "Container Overrides length must be at most 8192"
