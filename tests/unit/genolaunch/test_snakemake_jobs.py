"""Logs, results and progress of Snakemake launches, and Snakefiles that are submitted."""

import json
import time
from datetime import UTC, datetime

import pytest

from genolaunch.contract.launch import Status
from genolaunch.errors import GenolaunchError
from genolaunch.job_logs import JobChoice
from genolaunch.launch import JobCounts, Launch
from genolaunch.launches import Launches
from genolaunch.progress import Progress, Snapshot
from genolaunch.render.launch_view import launch_view
from genolaunch.results import results_of
from genolaunch.snakemake_jobs import SnakemakeLogs
from genolaunch.submission import submit
from genolaunch.uploads import data_prefix
from tests.unit.genolaunch.conftest import FakeBatch, job
from tests.unit.genolaunch.test_render import shown

NOW = int(time.time() * 1000)
STREAM = "launcher/launcher/0123"


def listed(id_, rule, status="DONE", submission=1, **wildcards):
    return {
        "id": id_,
        "name": f"n-{id_}",
        "rule": rule,
        "wildcards": wildcards,
        "submission": submission,
        "status": status,
    }


@pytest.fixture
def launch(platform, content):
    """A failed launch on Tibanna: a job that was submitted twice, one that is done, and a local one without a log."""
    content.launch(
        status="FAILED",
        workflow={"S": "snakemake"},
        progress={"M": {"done": {"N": "3"}, "total": {"N": "7"}, "failed": {"N": "1"}}},
    )
    task = {"launchId": {"S": "height-1"}, "taskId": {"S": "launcher#1"}, "taskArn": {"S": "arn:task/launchers/0123"}}
    platform.dynamodb.put_item(TableName="launch_tasks", Item=task)
    content.log(STREAM, (NOW - 2000, "Building DAG of jobs..."), (NOW - 1000, "Exiting because a job failed."))
    content.result("launcher/run-1.json", json.dumps({"tibanna": {"logBucket": "data-bucket-1"}}))
    jobs = [
        listed("aaa", "align", "RESUBMITTED", sample="A"),
        listed("bbb", "align", "FAILED", 2, sample="A"),
        listed("ccc", "count", sample="B"),
        listed("", "all"),
    ]
    content.result("launcher/jobs-1.json", json.dumps({"jobs": jobs}))
    for id_, text in {"aaa": "no space left\n", "bbb": "no space left, again\n", "ccc": "counted\nall\n"}.items():
        platform.s3.put_object(Bucket="data-bucket-1", Key=f"{id_}.log", Body=text)
    return Launches(platform).get("height-1")


def lines(platform, launch, **choice):
    return [(line.job, line.message) for line in SnakemakeLogs(platform, launch, JobChoice(**choice)).lines()]


def test_the_launchers_log_comes_first_then_each_jobs(platform, launch):
    assert lines(platform, launch) == [
        ("launcher", "Building DAG of jobs..."),
        ("launcher", "Exiting because a job failed."),
        ("align[sample=A]", "no space left"),
        ("align[sample=A] (2)", "no space left, again"),
        ("count[sample=B]", "counted"),
        ("count[sample=B]", "all"),
    ]


@pytest.mark.parametrize(
    ("choice", "jobs"),
    [
        ({"name": "launcher"}, {"launcher"}),
        ({"name": "align"}, {"align[sample=A]", "align[sample=A] (2)"}),
        ({"name": "count[sample=B]"}, {"count[sample=B]"}),
        ({"name": "bbb"}, {"align[sample=A] (2)"}),
        ({"failed_only": True}, {"align[sample=A]", "align[sample=A] (2)"}),
    ],
)
def test_some_can_be_chosen(platform, launch, choice, jobs):
    assert {job for job, _ in lines(platform, launch, **choice)} == jobs


TIBANNA = """## job id: bbb
## Downloading data & reference files from S3
aws s3 cp s3://data-bucket-1/reads/b.txt /data1/snakemake/reads/b.txt

## Running CWL/WDL/Snakemake/Shell commands
running python genolaunch_job.py --snakefile 'Snakefile' in docker image x/snakemake:7.32.4...
rule align:
ERROR: bad reads in A
## The command ended with exit code 1

## Uploading files
"""


def test_failed_jobs_say_why_first_and_leave_out_what_tibanna_says(platform, content, launch):
    content.failed_job("height-1-1-align-bbb", job_id="bbb", tail="x")
    platform.s3.put_object(Bucket="data-bucket-1", Key="bbb.log", Body=TIBANNA)

    label = "align[sample=A] (2)"
    assert lines(platform, launch, failed_only=True) == [
        (label, "ApplicationError: Essential container in task exited"),
        (label, "rule align:"),
        (label, "ERROR: bad reads in A"),
        ("align[sample=A]", "no space left"),
    ]
    assert len(lines(platform, launch, name="bbb")) == len(TIBANNA.splitlines())


def test_a_job_whose_instance_came_not_so_far_has_all_its_lines(platform, launch):
    platform.s3.put_object(Bucket="data-bucket-1", Key="bbb.log", Body="## job id: bbb\nfatal error: Unable to locate")

    said = [message for job, message in lines(platform, launch, failed_only=True) if job.endswith("(2)")]
    assert said == ["## job id: bbb", "fatal error: Unable to locate"]


def test_status_names_a_failed_job_by_its_rule(platform, content, launch):
    content.failed_job("height-1-1-align-bbb", job_id="bbb")
    content.failed_job("height-1-1-count-zzz", job_id="zzz")

    failed = Progress(platform, "height-1").look().failed_jobs

    assert [job.label for job in failed] == ["align[sample=A] (2)", "count-zzz"]


def test_an_unknown_job_names_the_known_ones(platform, launch):
    with pytest.raises(GenolaunchError, match="has no job sort: it has align, all, count"):
        lines(platform, launch, name="sort")


def test_jobs_on_batch_log_where_batch_says(platform, content, launch):
    content.result("launcher/run-1.json", json.dumps({"awsBatch": {}}))
    group = "/genolaunch/dev/users-jobs"
    platform.logs.create_log_group(logGroupName=group)
    done = job("ccc", "height-1-1-count-1", "SUCCEEDED", stream="batch/ccc", group=group)
    platform.batch = FakeBatch({"arn:queue/low": [done]})
    content.log("batch/ccc", (NOW, "counted on Batch"), group=group)

    assert lines(platform, launch, name="count") == [("count[sample=B]", "counted on Batch")]


def test_following_tells_each_line_once(platform, launch):
    followed = list(SnakemakeLogs(platform, launch, JobChoice()).follow(pause=0))

    assert [line.message for line in followed] == [message for _, message in lines(platform, launch)]


def test_status_shows_how_many_jobs_are_done(launch):
    assert launch.progress == JobCounts(done=3, total=7, failed=1)
    assert "3 of 7 done, 1 failed" in shown(launch_view(Snapshot(datetime.now(UTC), launch)))

    running = Launch("height-1", "height", Status.RUNNING, progress=launch.progress)
    assert "3/7" in shown(launch_view(Snapshot(datetime.now(UTC), running)))


def test_results_are_what_jobs_wrote_and_not_what_people_uploaded_meanwhile(platform, content):
    for path in ("meanwhile.fq", "calls/a.vcf", "calls/mine.txt", "split/1/x", "logs/a.log", "again.txt", "old.txt"):
        platform.s3.put_object(Bucket="data-bucket-1", Key=f"exome/{path}", Body=b"x")
    first = {"jobs": [], "made": ["calls/a.vcf", "gone.tmp", "logs/a.log", "split"]}
    content.result("launcher/jobs-1.json", json.dumps(first), launch_id="e-1")
    content.result("launcher/jobs-3.json", json.dumps({"jobs": [], "made": ["again.txt"]}), launch_id="e-1")
    content.result("report.html", launch_id="e-1")
    launch = Launch(
        "e-1", "exome", Status.COMPLETE, attempt=3, workflow="snakemake", data_path="s3://data-bucket-1/exome/"
    )

    report, *made = results_of(platform, launch)

    assert (report.path, report.key) == ("launch-report.html", "results/e-1/report.html")
    assert [result.path for result in made] == ["again.txt", "calls/a.vcf", "logs/a.log", "split/1/x"]


def test_a_snakefile_is_submitted_after_what_lies_beside_it(platform, tmp_path):
    folder = tmp_path / "exome"
    for path in ("Snakefile", "rules/align.smk", ".snakemake/log", ".git"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)

    sent = submit(platform, folder / "Snakefile")

    stored = platform.s3.list_objects_v2(Bucket="launch-bucket-1")["Contents"]
    assert [entry["Key"] for entry in stored] == ["snakefiles/exome/Snakefile", "snakefiles/exome/rules/align.smk"]
    assert sent.feedback_key == "feedback/snakefiles/exome/Snakefile.json"
    assert data_prefix(folder / "Snakefile", "data-bucket-1") == "exome/"
