"""The jobs of a run are found by name, and counted by their arrays."""

from genolaunch.batch_jobs import RunJobs, label_of
from tests.unit.genolaunch.conftest import FakeBatch, job


def test_jobs_come_oldest_first_with_the_counts_of_arrays(platform):
    # given
    platform.batch = FakeBatch(
        {
            "arn:queue/low": [
                job("1", "r-1-level1", "SUCCEEDED", created=10),
                job(
                    "2", "r-1-step2", "PENDING", 20, size=12, statusSummary={"SUCCEEDED": 5, "FAILED": 1, "RUNNING": 2}
                ),
                job("3", "r-2-step2", "RUNNING", 30),
            ]
        }
    )

    # when
    level1, step2 = RunJobs(platform, "r-1").whole()

    # then
    assert (level1.label, level1.size, level1.succeeded, level1.has_ended) == ("level1", 1, 1, True)
    assert (step2.label, step2.size, step2.succeeded, step2.failed, step2.running) == ("step2", 12, 5, 1, 2)
    assert step2.is_array
    assert not step2.has_ended


def test_later_looks_ask_only_the_queue_that_has_the_jobs(platform):
    platform.batch = batch = FakeBatch({"arn:queue/low": [job("1", "r-1-merge")]})
    jobs = RunJobs(platform, "r-1")

    jobs.whole()
    jobs.whole()

    assert batch.asked_queues == ["arn:queue/high", "arn:queue/low", "arn:queue/low"]


def test_after_a_failure_jobs_in_other_queues_are_looked_for(platform):
    # given: an array that lost its Spot instances, and what was submitted for it to the On-Demand queue
    lost = job("1", "r-1-step2", "FAILED", 1, size=3, statusSummary={"SUCCEEDED": 2, "FAILED": 1})
    again = job("2", "r-1-step2-on-demand", "RUNNING", 2)
    platform.batch = FakeBatch({"arn:queue/high": [lost], "arn:queue/low": [again]})

    assert [each.label for each in RunJobs(platform, "r-1").whole()] == ["step2", "step2-on-demand"]


def test_run_without_jobs_has_none(platform):
    assert RunJobs(platform, "r-1").whole() == []


def test_children_of_every_status_are_listed_in_order_of_their_index(platform):
    # given: 250 children, more than one DescribeJobs call takes
    statuses = ("SUCCEEDED", "RUNNING", "FAILED")
    children = [job(f"2:{i}", "r-1-step2", statuses[i % 3], stream=f"s/{i}", index=i) for i in range(250)]
    parent = job("2", "r-1-step2", "PENDING", 5, size=250, statusSummary={})
    platform.batch = batch = FakeBatch({"arn:queue/high": [job("1", "r-1-level1"), parent]}, children)

    # when
    jobs = RunJobs(platform, "r-1").single()

    # then
    assert [each.label for each in jobs[:3]] == ["level1", "step2[0]", "step2[1]"]
    assert len(jobs) == 251
    assert jobs[-1].log_stream == "s/249"
    assert max(batch.described) == 100


def test_label_is_what_tells_a_job_from_its_siblings():
    assert label_of("height-1-2-step2", "height-1-2") == "step2"
    assert label_of("height-1-2-step2", "height-1-2", 0) == "step2[0]"
