"""What the launcher learns from the engine's events."""

from snakemake_launcher.jobs import Jobs, JobStatus


def submitted(job="3", engine_id="abc", rule="trim"):
    return {
        "event": "submitted",
        "at": 100.0,
        "job": job,
        "rule": rule,
        "wildcards": {"sample": "A"},
        "id": engine_id,
        "name": f"snakemake-job-{engine_id}-rule-{rule}",
    }


def test_progress_counts_what_is_done_of_all():
    jobs = Jobs()
    jobs.take({"event": "total", "total": 7})
    jobs.take({"event": "progress", "done": 2, "total": 7})

    assert jobs.counts == {"done": 2, "total": 7, "failed": 0}


def test_a_failed_submission_counts_until_the_job_is_submitted_again():
    jobs = Jobs()
    jobs.take(submitted())

    failed = jobs.take({"event": "failed", "at": 130.0, "job": "3", "rule": "trim"})
    assert [job.label for job in failed] == ["trim sample=A"]
    assert jobs.counts["failed"] == 1

    made_good = jobs.take(submitted(engine_id="def"))
    assert [(job.id, job.status) for job in made_good] == [("abc", JobStatus.RESUBMITTED)]
    assert jobs.counts["failed"] == 0
    assert [job.submission for job in jobs.submissions] == [1, 2]


def test_jobs_that_never_ended_are_those_to_be_stopped():
    jobs = Jobs()
    jobs.take(submitted("3", "abc"))
    jobs.take(submitted("4", "def"))
    jobs.take({"event": "finished", "at": 160.0, "job": "3"})

    assert [job.id for job in jobs.running] == ["def"]


def test_a_local_rule_fails_without_having_been_submitted():
    jobs = Jobs()

    (failed,) = jobs.take({"event": "failed", "at": 130.0, "job": "0", "rule": "all"})

    assert (failed.rule, failed.id) == ("all", "")
    assert jobs.counts["failed"] == 1


def test_a_failure_that_is_told_twice_counts_once():
    jobs = Jobs()
    jobs.take(submitted())
    jobs.take({"event": "failed", "at": 130.0, "job": "3", "rule": "trim"})

    assert jobs.take({"event": "failed", "at": 130.0, "job": "3", "rule": "trim"}) == []
    assert len(jobs.submissions) == 1
