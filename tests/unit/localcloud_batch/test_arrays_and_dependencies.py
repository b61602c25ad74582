import itertools
import time

import pytest

from localcloud.service import ServiceError
from tests.unit.localcloud_batch.support import queue, shell


def test_an_arrays_children_run_with_their_index_and_the_parent_follows(cloud, tmp_path):
    # when
    parent = cloud.run(
        [*shell('echo "$AWS_BATCH_JOB_ARRAY_INDEX of $AWS_BATCH_JOB_ARRAY_SIZE"')], arrayProperties={"size": 3}
    )
    # then
    assert parent["status"] == "SUCCEEDED"
    assert parent["arrayProperties"]["size"] == 3
    assert parent["arrayProperties"]["statusSummary"]["SUCCEEDED"] == 3
    assert parent["attempts"] == []
    children = cloud.describe(*(f"{parent['jobId']}:{index}" for index in range(3)))
    assert [child["arrayProperties"]["index"] for child in children] == [0, 1, 2]
    assert [cloud.logs.of(child) for child in children] == [["0 of 3"], ["1 of 3"], ["2 of 3"]]


def test_an_array_with_a_failed_child_fails_after_all_have_ended(cloud):
    parent = cloud.run(shell("exit $AWS_BATCH_JOB_ARRAY_INDEX"), arrayProperties={"size": 4})
    assert (parent["status"], parent["statusReason"]) == ("FAILED", "Array Child Job failed")
    summary = parent["arrayProperties"]["statusSummary"]
    assert (summary["SUCCEEDED"], summary["FAILED"]) == (1, 3)


def test_each_child_has_its_own_attempts(cloud):
    cloud.batch.inject("array:1")
    parent = cloud.run(["true"], name="array", arrayProperties={"size": 3}, retryStrategy={"attempts": 2})
    assert parent["status"] == "SUCCEEDED"
    children = cloud.describe(*(f"{parent['jobId']}:{index}" for index in range(3)))
    assert [len(child["attempts"]) for child in children] == [1, 2, 1]


def test_terminating_an_array_ends_all_its_children(one_core):
    # given an array of which one child runs
    parent_id = one_core.submit(["sleep", "30"], arrayProperties={"size": 50})
    one_core.until(f"{parent_id}:0", "RUNNING")
    # when
    one_core.call("TerminateJob", jobId=parent_id, reason="enough")
    # then
    parent = one_core.batch.wait(parent_id, 10)
    assert (parent["status"], parent["statusReason"], parent["isTerminated"]) == ("FAILED", "enough", True)
    assert parent["arrayProperties"]["statusSummary"]["FAILED"] == 50
    (last,) = one_core.describe(f"{parent_id}:49")
    assert (last["statusReason"], last["attempts"]) == ("enough", [])


def test_cancelling_an_array_lets_running_children_end(one_core):
    parent_id = one_core.submit(shell("sleep 0.3"), arrayProperties={"size": 3})
    one_core.until(f"{parent_id}:0", "RUNNING")
    one_core.call("CancelJob", jobId=parent_id, reason="enough")
    parent = one_core.batch.wait(parent_id, 10)
    summary = parent["arrayProperties"]["statusSummary"]
    assert (summary["SUCCEEDED"], summary["FAILED"]) == (1, 2)
    assert parent["statusReason"] == "enough"


def test_a_thousand_children_need_few_threads_and_linear_time(cloud):
    started = time.monotonic()
    parent = cloud.run(["true"], arrayProperties={"size": 1000})
    assert parent["arrayProperties"]["statusSummary"]["SUCCEEDED"] == 1000
    assert time.monotonic() - started < 30  # about 2 s on an idle machine


def test_ten_thousand_children_are_taken_in_and_ended_at_once(one_core):
    started = time.process_time()
    parent_id = one_core.submit(["sleep", "30"], arrayProperties={"size": 10_000})
    one_core.call("TerminateJob", jobId=parent_id, reason="enough")
    parent = one_core.batch.wait(parent_id, 60)
    assert parent["arrayProperties"]["statusSummary"]["FAILED"] == 10_000
    assert time.process_time() - started < 5  # about 0.3 s; processor time, since the machine may be busy with others


# --- Dependencies ----------------------------------------------------------------------------------------------------
def test_a_job_waits_for_those_it_depends_on(cloud):
    first = cloud.submit(shell("sleep 0.2"))
    array = cloud.submit(shell("sleep 0.1"), arrayProperties={"size": 2})
    last = cloud.submit(["true"], dependsOn=[{"jobId": first}, {"jobId": array}])
    assert cloud.describe(last)[0]["status"] == "PENDING"
    done = cloud.batch.wait(last, 10)
    assert done["status"] == "SUCCEEDED"
    assert done["startedAt"] >= max(each["stoppedAt"] for each in cloud.describe(first, array))
    assert done["dependsOn"] == [{"jobId": first}, {"jobId": array}]


def test_dependants_of_a_failed_job_fail_down_the_chain(cloud):
    first = cloud.submit(shell("sleep 0.1; exit 1"))
    array = cloud.submit(["true"], arrayProperties={"size": 2}, dependsOn=[{"jobId": first}])
    last = cloud.submit(["true"], dependsOn=[{"jobId": array}])
    cloud.batch.wait(last, 10)
    for job in cloud.describe(array, f"{array}:1", last):
        assert (job["status"], job["statusReason"], job["attempts"]) == ("FAILED", "Dependent Job failed", [])


def test_depending_on_what_has_ended(cloud):
    good, bad = cloud.run(["true"])["jobId"], cloud.run(["false"])["jobId"]
    assert cloud.run(["true"], dependsOn=[{"jobId": good}])["status"] == "SUCCEEDED"
    assert cloud.run(["true"], dependsOn=[{"jobId": bad}])["statusReason"] == "Dependent Job failed"


def test_a_sequential_array_runs_one_child_after_the_other(cloud):
    parent = cloud.run(shell("sleep 0.05"), arrayProperties={"size": 3}, dependsOn=[{"type": "SEQUENTIAL"}])
    children = cloud.describe(*(f"{parent['jobId']}:{index}" for index in range(3)))
    for before, after in itertools.pairwise(children):
        assert after["startedAt"] >= before["stoppedAt"]


def test_a_long_sequential_array_fails_as_a_whole_with_its_first_child(cloud):
    parent = cloud.run(["false"], arrayProperties={"size": 3000}, dependsOn=[{"type": "SEQUENTIAL"}])
    assert parent["arrayProperties"]["statusSummary"]["FAILED"] == 3000
    assert cloud.describe(f"{parent['jobId']}:2999")[0]["statusReason"] == "Dependent Job failed"


def test_n_to_n_children_wait_for_the_child_of_their_index(cloud):
    # given an array whose child 1 fails
    before = cloud.submit(shell("sleep 0.1; exit $AWS_BATCH_JOB_ARRAY_INDEX"), arrayProperties={"size": 2})
    # when
    after = cloud.run(["true"], arrayProperties={"size": 2}, dependsOn=[{"jobId": before, "type": "N_TO_N"}])
    # then
    first, second = cloud.describe(f"{after['jobId']}:0", f"{after['jobId']}:1")
    assert first["status"] == "SUCCEEDED"
    assert (second["status"], second["statusReason"]) == ("FAILED", "Dependent Job failed")
    assert after["status"] == "FAILED"
    # and the same when that array has ended already
    late = cloud.run(["true"], arrayProperties={"size": 2}, dependsOn=[{"jobId": before, "type": "N_TO_N"}])
    assert late["arrayProperties"]["statusSummary"]["SUCCEEDED"] == 1


@pytest.mark.parametrize(
    "members",
    [
        {"dependsOn": [{"jobId": "no-such-job"}]},
        {"dependsOn": [{}]},
        {"dependsOn": [{"type": "SEQUENTIAL"}]},
        {"dependsOn": [{"type": "SEQUENTIAL", "jobId": "x"}], "arrayProperties": {"size": 2}},
        {"dependsOn": [{"jobId": "x"}] * 21},
        {"arrayProperties": {"size": 1}},
        {"arrayProperties": {"size": 10_001}},
    ],
)
def test_what_aws_refuses_is_refused(cloud, members):
    with pytest.raises(ServiceError) as caught:
        cloud.submit(["true"], **members)
    assert caught.value.code == "ClientException"


def test_n_to_n_needs_arrays_of_one_size(cloud):
    before = cloud.submit(["true"], arrayProperties={"size": 2})
    with pytest.raises(ServiceError, match="same size"):
        cloud.submit(["true"], arrayProperties={"size": 3}, dependsOn=[{"jobId": before, "type": "N_TO_N"}])


# --- Cores and priorities --------------------------------------------------------------------------------------------
def overlap(cloud, *job_ids):
    """Whether the two jobs ran at the same time."""
    first, second = (cloud.batch.wait(job_id, 10) for job_id in job_ids)
    return first["startedAt"] < second["stoppedAt"] and second["startedAt"] < first["stoppedAt"]


def test_jobs_run_side_by_side_while_they_fit_the_cores(cloud):
    assert overlap(cloud, cloud.submit(shell("sleep 0.3")), cloud.submit(shell("sleep 0.3")))
    assert not overlap(cloud, cloud.submit(shell("sleep 0.2"), cores=2), cloud.submit(shell("sleep 0.2")))


def test_a_job_that_asks_for_more_cores_than_there_are_gets_them_all(cloud):
    job_id = cloud.submit(shell("sleep 0.2"), cores=64)
    assert not overlap(cloud, job_id, cloud.submit(["true"]))
    assert cloud.describe(job_id)[0]["status"] == "SUCCEEDED"


def order_of_start(cloud, job_ids):
    return sorted(job_ids, key=lambda job_id: cloud.batch.wait(job_id, 10)["attempts"][0]["startedAt"])


def test_high_priority_goes_first_and_within_a_queue_who_came_first(one_core):
    # given a busy core
    one_core.call("CreateJobQueue", **queue("high", priority=10))
    busy = one_core.submit(shell("sleep 0.3"))
    one_core.until(busy, "RUNNING")
    # when
    low = [one_core.submit(shell("sleep 0.01"), queue="low") for _ in range(2)]
    high = [one_core.submit(shell("sleep 0.01"), queue="high") for _ in range(2)]
    # then
    assert order_of_start(one_core, [*low, *high]) == [*high, *low]


def test_a_queues_new_priority_counts_for_waiting_jobs(one_core):
    one_core.call("CreateJobQueue", **queue("other", priority=0))
    busy = one_core.submit(shell("sleep 0.3"))
    one_core.until(busy, "RUNNING")
    low, other = one_core.submit(shell("sleep 0.01")), one_core.submit(shell("sleep 0.01"), queue="other")
    one_core.call("UpdateJobQueue", jobQueue="other", priority=5)
    assert order_of_start(one_core, [low, other]) == [other, low]


def test_jobs_wait_while_their_compute_environments_are_disabled(cloud):
    cloud.call("UpdateComputeEnvironment", computeEnvironment="spot", state="DISABLED")
    job_id = cloud.submit(["true"])
    assert cloud.describe(job_id)[0]["status"] == "RUNNABLE"
    cloud.call("UpdateComputeEnvironment", computeEnvironment="spot", state="ENABLED")
    assert cloud.batch.wait(job_id, 10)["status"] == "SUCCEEDED"
