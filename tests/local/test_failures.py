"""Whatever goes wrong is mended, or told in plain words; and a retry does only what is missing."""

import json
import time
import uuid
from typing import Any

import pytest

from genolaunch.contract.settings import Parameter
from regenie_stand_in.misbehaviour import EMPTY_OUTPUT, FORGET_TRAIT
from tests.local.platform_client import COHORT, PlatformClient, eventually, gwas_config

pytestmark = pytest.mark.local

MEMORY_KILL = "OutOfMemoryError: Container killed due to memory usage"


def quick(**changes: Any) -> dict[str, Any]:
    """A launch of few jobs, with a name of its own that failures can be aimed at."""
    config = gwas_config(**({"step1": {"block_size": 100, "jobs": 2}, "step2": {"variants_per_job": 300}} | changes))
    return config | {"name": f"fail-{uuid.uuid4().hex[:6]}"}


def start(platform: PlatformClient, config: dict[str, Any]) -> str:
    answer = platform.drop(config)
    assert answer["accepted"], answer
    return str(answer["launchId"])


def job_tasks(platform: PlatformClient, launch_id: str) -> list[dict[str, Any]]:
    return [task for task in platform.tasks(launch_id) if task["taskId"].startswith("job#")]


def memory(job: dict[str, Any]) -> int:
    (value,) = [each["value"] for each in job["container"]["resourceRequirements"] if each["type"] == "MEMORY"]
    return int(value)


def test_a_chunk_that_loses_its_spot_host_twice_goes_on_demand(platform):
    config = quick()
    platform.inject_batch(f"{config['name']}-*-step2:1", times=2)

    launch_id = start(platform, config)
    platform.complete(launch_id)

    first, again = platform.job(launch_id, "step2"), platform.job(launch_id, "step2-on-demand")
    lost = platform.batch.describe_jobs(jobs=[f"{first['jobId']}:1"])["jobs"][0]
    assert len(lost["attempts"]) == 2
    assert "batch-spot" in first["jobQueue"]
    assert "batch-on-demand" in again["jobQueue"]
    # Only the lost chunk is done again.
    assert {"name": "TASK_INDICES", "value": "1"} in again["container"]["environment"]
    assert [(t["status"], t["errorType"]) for t in job_tasks(platform, launch_id)] == [
        ("RESUBMITTED", "SpotReclaimedError")
    ]
    platform.assert_clean(launch_id)


def test_a_container_that_does_not_start_is_tried_on_another_host(platform):
    config = quick()
    late = "DockerTimeoutError: Could not transition to created; timed out after waiting 4m0s"
    platform.inject_batch(f"{config['name']}-*-step2:1", reason=late, times=2)

    launch_id = start(platform, config)
    platform.complete(launch_id)

    first, again = platform.job(launch_id, "step2"), platform.job(launch_id, "step2-again")
    lost = platform.batch.describe_jobs(jobs=[f"{first['jobId']}:1"])["jobs"][0]
    assert [attempt["statusReason"] for attempt in lost["attempts"]] == ["Task failed to start"] * 2
    assert "startedAt" not in lost["attempts"][0]
    assert again["jobQueue"] == first["jobQueue"]
    assert {"name": "TASK_INDICES", "value": "1"} in again["container"]["environment"]
    assert [(t["status"], t["errorType"]) for t in job_tasks(platform, launch_id)] == [
        ("RESUBMITTED", "ContainerStartError")
    ]


def test_a_job_that_runs_out_of_memory_gets_twice_as_much_once(platform):
    config = quick()
    platform.inject_batch(f"{config['name']}-*-level1:0", reason=MEMORY_KILL, exit_code=137, status_reason="x")

    launch_id = start(platform, config)
    platform.complete(launch_id)

    before, after = platform.job(launch_id, "level1"), platform.job(launch_id, "level1-more-memory")
    assert memory(after) == 2 * memory(before)
    assert after["jobQueue"] == before["jobQueue"]
    assert [t["errorType"] for t in job_tasks(platform, launch_id)] == ["OutOfMemoryError"]


def test_a_failed_level_1_is_told_and_a_retry_with_other_resources_does_only_what_is_missing(platform):
    # Given: one of two traits fails with an exit code of its own, which no other job would mend
    config = quick()
    platform.inject_batch(f"{config['name']}-*-level1:1", exit_code=9, status_reason="Essential container exited")
    launch_id = start(platform, config)
    failed = platform.wait_for(launch_id)
    assert failed["status"] == "FAILED"
    assert "1 of 2 jobs of level 1 failed; first: array index 1 (exit code 9)" in failed["error"]["message"]
    assert [(t["status"], int(t["exitCode"])) for t in job_tasks(platform, launch_id)] == [("FAILED", 9)]

    # When: a person gives step 1 more, and asks for another attempt before the clean-up is through
    edited = json.loads(failed["config"])
    edited["regenie"]["resources"] = {"level1": {"vcpus": 2, "memory_gib": 4}}
    platform.set_status(launch_id, "RETRY", config=json.dumps(edited))

    # Then: the trait that was done is not done again
    eventually(lambda: platform.launch(launch_id).get("attempt") == 2, "a second attempt")
    done = platform.complete(launch_id)
    for job in ("2-split", "2-level0", "2-level1"):
        assert "complete from an earlier attempt: nothing to do" in platform.job_log(launch_id, job), job
    assert done["fileSystemId"] != failed["fileSystemId"]
    platform.assert_clean(launch_id)


def test_data_that_is_at_fault_at_a_retry_can_be_mended_and_the_launch_still_resumes(platform):
    # Given: a launch that failed in level 1, and whose phenotypes were spoilt since
    data, key = platform.name(Parameter.DATA_BUCKET), "spoilt/phenotypes.txt"
    platform.upload_data(COHORT, "spoilt/")
    config = quick() | {"data": "spoilt/"}
    platform.inject_batch(f"{config['name']}-*-level1:1", exit_code=9, status_reason="Essential container exited")
    file = f"launches/{uuid.uuid4().hex}.yaml"
    launch_id = platform.drop(config, file)["launchId"]
    assert platform.wait_for(launch_id)["status"] == "FAILED"
    good = (COHORT / "phenotypes.txt").read_bytes()
    platform.s3.put_object(Bucket=data, Key=key, Body=good.replace(b"ldl", b"hdl"))

    # When: it is tried again
    platform.set_status(launch_id, "RETRY")

    # Then: it is rejected, also in the answer to its file
    assert platform.wait_for(launch_id, "REJECTED")["attempt"] == 2
    answer = eventually(lambda: platform.answer(file, accepted=False), "an amended answer")
    assert "ldl" in answer["faults"][0]["problem"]

    # And: when the data is mended, it resumes where it was
    platform.s3.put_object(Bucket=data, Key=key, Body=good)
    platform.set_status(launch_id, "RETRY")
    assert platform.wait_for(launch_id, "COMPLETE")["attempt"] == 3
    assert "complete from an earlier attempt: nothing to do" in platform.job_log(launch_id, "3-level1")
    assert platform.answer(file, accepted=True)
    platform.assert_clean(launch_id)


@pytest.mark.full
def test_a_retry_after_a_cancel_during_step_2_keeps_the_finished_chunks_and_step_1(platform):
    # Given: a launch that is cancelled when its first chunks are done
    launch_id = start(platform, quick(step2={"variants_per_job": 10}))
    first = platform.wait_for_job(launch_id, "step2")

    def some_done() -> bool:
        job = platform.batch.describe_jobs(jobs=[first["jobId"]])["jobs"][0]
        return bool(job["arrayProperties"]["statusSummary"].get("SUCCEEDED", 0) >= 3)

    eventually(some_done, "three finished chunks")
    platform.set_status(launch_id, "CANCEL_REQUESTED")
    platform.wait_for(launch_id, "CANCELLED")
    platform.assert_clean(launch_id)

    # When
    platform.set_status(launch_id, "RETRY")
    eventually(lambda: platform.launch(launch_id).get("attempt") == 2, "a second attempt")

    # Then
    platform.complete(launch_id)
    for job in ("2-split", "2-level0", "2-level1", "2-step2"):
        assert "complete from an earlier attempt: nothing to do" in platform.job_log(launch_id, job), job
    platform.assert_clean(launch_id)


def test_a_job_that_stays_runnable_ends_the_launch_in_plain_words(platform):
    config = quick()
    stuck = "Canceled by JobStateTimeLimit action due to reason: CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY"
    platform.inject_batch(f"{config['name']}-*-split", status_reason=stuck)

    launch = platform.wait_for(start(platform, config))

    assert launch["status"] == "FAILED"
    assert launch["error"]["type"] == "JobNeverStartedError"
    assert "it could not start: AWS had no instance for it" in launch["error"]["message"]


def test_a_job_for_which_no_instance_is_large_enough_is_given_up_and_the_launch_says_so(platform):
    # Given: step 2 asks for more vCPUs than the stage may use at a time; nothing is injected
    config = quick(resources={"step2": {"vcpus": 100, "memory_gib": 8}}, step2={"variants_per_job": 1000})

    launch_id = start(platform, config)
    launch = platform.wait_for(launch_id)

    assert launch["status"] == "FAILED"
    assert launch["error"]["type"] == "JobNeverStartedError"
    assert "it needs more than the stage may use at once; lower regenie.resources.step2" in (launch["error"]["message"])
    platform.assert_clean(launch_id)


def test_a_job_that_blocks_its_queue_is_explained_while_the_launch_runs(platform):
    # Given: a queue that no other test uses waits for ever, and step 2 asks for more vCPUs than it may have
    queue = next(name for name in json.loads(platform.name(Parameter.JOB_QUEUES)) if name.endswith("on-demand-high"))
    limits = platform.batch.describe_job_queues(jobQueues=[queue])["jobQueues"][0]["jobStateTimeLimitActions"]
    platform.batch.update_job_queue(jobQueue=queue, jobStateTimeLimitActions=[])
    config = quick(resources={"step2": {"vcpus": 100, "memory_gib": 8}}, step2={"variants_per_job": 1000})
    launch_id = start(platform, config | {"compute": "batch-on-demand", "priority": "high"})

    # When: Batch says so, by EventBridge
    told = eventually(lambda: platform.launch(launch_id).get("statusReason"), "why it cannot start")

    # Then
    assert "its job step2 could not start: it needs more than the stage may use at once" in told
    assert platform.launch(launch_id)["status"] == "RUNNING"
    platform.set_status(launch_id, "CANCEL_REQUESTED")
    assert platform.wait_for(launch_id)["status"] == "CANCELLED"
    assert "statusReason" not in platform.launch(launch_id)
    platform.batch.update_job_queue(jobQueue=queue, jobStateTimeLimitActions=limits)


@pytest.mark.parametrize(
    ("misbehaviour", "words"),
    [
        ({EMPTY_OUTPUT: "chunk_ldl.regenie"}, "ended without an error but left empty chunk_ldl.regenie"),
        # regenie only warns of it, and writes no results for the trait
        ({FORGET_TRAIT: "ldl"}, "ended without an error but did not write chunk_ldl.regenie"),
    ],
    ids=["an output that is empty", "a trait missing from the predictions"],
)
def test_what_regenie_does_wrong_with_exit_code_0_fails_the_chunk_by_name(platform, misbehaviour, words):
    config = quick(step1={"block_size": 1000, "jobs": 1})
    platform.inject_batch(f"{config['name']}-*-step2:2", environment=misbehaviour)

    launch_id = start(platform, config)
    launch = platform.wait_for(launch_id)

    assert launch["status"] == "FAILED"
    assert launch["error"]["type"] == "ApplicationError"
    assert "of step 2 failed; first: array index 2 (exit code 1)" in launch["error"]["message"]
    (task,) = job_tasks(platform, launch_id)
    assert words in task["logTail"]
    platform.assert_clean(launch_id)


def test_a_file_system_that_fails_is_told_and_leaves_nothing(platform):
    platform.inject_fsx(fail_next_file_system="There are not enough free addresses in the subnet.")

    launch_id = start(platform, quick())
    launch = platform.wait_for(launch_id)

    assert launch["status"] == "FAILED"
    assert launch["error"]["type"] == "FileSystemError"
    assert "not enough free addresses" in launch["error"]["message"]
    platform.assert_clean(launch_id)


def test_a_launch_waits_for_a_file_system_while_the_accounts_quota_is_used_up(platform):
    for _ in range(2):
        platform.inject_fsx(refuse_next_file_system="You have reached the limit of your file systems.")

    launch_id = start(platform, quick())

    platform.complete(launch_id)
    assert platform.visits(launch_id, "File system: wait until the account may have another") == 2


def test_an_export_with_failed_files_fails_the_launch_and_a_retry_only_merges_again(platform):
    platform.inject_fsx(fail_next_export="*gwas*")
    launch_id = start(platform, quick())
    launch = platform.wait_for(launch_id)
    assert launch["status"] == "FAILED"
    assert launch["error"]["type"] == "ExportError"
    platform.assert_clean(launch_id)

    platform.set_status(launch_id, "RETRY")
    eventually(lambda: platform.launch(launch_id).get("attempt") == 2, "a second attempt")
    platform.complete(launch_id)
    assert "nothing to do" in platform.job_log(launch_id, "2-step2")


def test_predictions_that_lack_a_trait_are_refused_by_name(platform):
    data = platform.name(Parameter.DATA_BUCKET)
    platform.upload_data(COHORT, "lacking/")
    platform.s3.put_object(Bucket=data, Key="lacking/pred.list", Body="height height.loco\n")
    platform.s3.put_object(Bucket=data, Key="lacking/height.loco", Body="FID_IID 1_1\n1 0.1\n")
    config = quick(step1={"enabled": False, "predictions": "pred.list"}) | {"data": "lacking/"}

    launch = platform.wait_for(platform.drop(config)["launchId"])

    assert launch["status"] == "REJECTED"  # before any file system exists
    assert "ldl" in str(launch["error"]["faults"])


def test_predictions_that_are_empty_are_refused_though_regenie_would_go_on(platform):
    data = platform.name(Parameter.DATA_BUCKET)
    platform.upload_data(COHORT, "empty/")
    for trait in ("height", "ldl"):
        platform.s3.put_object(Bucket=data, Key=f"empty/{trait}.loco", Body="")
    platform.s3.put_object(Bucket=data, Key="empty/pred.list", Body="height height.loco\nldl ldl.loco\n")
    config = quick(step1={"enabled": False, "predictions": "pred.list"}) | {"data": "empty/"}

    launch = platform.wait_for(start(platform, config))

    assert launch["status"] == "REJECTED"
    assert "height.loco, which is no file of LOCO predictions" in str(launch["error"]["faults"])
    assert "ldl.loco, which is no file of LOCO predictions" in str(launch["error"]["faults"])


def test_an_error_that_a_jobs_log_names_is_kept_as_soon_as_it_is_written(platform):
    launch_id, group = f"logged-{uuid.uuid4().hex[:6]}", platform.name(Parameter.JOB_LOG_GROUP)
    stream, logs = f"{launch_id}-1/default/task", platform.client("logs")
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    lines = ("chromosome 1", "write failed: No space left on device", "chromosome 2")
    now = int(time.time() * 1000)

    logs.put_log_events(
        logGroupName=group, logStreamName=stream, logEvents=[{"timestamp": now, "message": line} for line in lines]
    )

    (task,) = eventually(lambda: platform.tasks(launch_id), "the error in the task table")
    assert (task["errorType"], task["reason"], task["logStream"]) == ("NoSpaceLeftError", lines[1], stream)
