"""A launch that is over is run again with changes, and what is another since is said."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from genolaunch import submission
from genolaunch.config_files import checked_values
from tests.unit.genolaunch.test_config_changes import REGENIE, SNAKEMAKE, stored

NEXT = "Follow it: genolaunch status height-2 --watch; what happened so far: genolaunch events height-2"


@pytest.fixture
def over(content):
    """Given: a launch of a team's folder that is over."""

    def prepare(config=REGENIE, status="COMPLETE", uri="s3://launch-bucket-1/launches/gwas/height.yaml", **more):
        content.launch(
            status=status,
            workflow={"S": config["workflow"]},
            config={"S": json.dumps(stored(config))},
            configUri={"S": uri},
            **more,
        )

    return prepare


@pytest.fixture
def dropped(platform, monkeypatch):
    """The platform's part: accepts what is dropped, and notes its key and content."""
    puts: list[tuple[str, dict[str, Any]]] = []
    real = submission.submit_content

    def submit_content(platform, key, content):
        sent = real(platform, key, content)
        puts.append((key, json.loads(content)))
        document = {"accepted": True, "launchId": "height-2", "status": "SUBMITTED", "faults": []}
        body = json.dumps({**document, "submissionId": sent.submission_id})
        platform.s3.put_object(Bucket=sent.bucket, Key=sent.feedback_key, Body=body)
        return sent

    monkeypatch.setattr(submission, "submit_content", submit_content)
    return puts


def test_the_same_again_is_another_launch_of_the_same_folder(genolaunch, over, dropped):
    over()

    result = genolaunch("rerun", "height-1")

    assert (result.exit_code, result.stdout, result.stderr) == (0, "height-2\n", f"{NEXT}\n")
    assert dropped == [("launches/gwas/height-1-rerun.json", stored(REGENIE))]


def test_changes_are_made_and_told(genolaunch, over, dropped):
    over()

    result = genolaunch("rerun", "height-1", "--set", "regenie.step1.jobs=40", "--set", "regenie.traits=bmi")

    assert (result.exit_code, result.stdout) == (0, "height-2\n")
    assert result.stderr.splitlines() == [
        "Changed: regenie.step1.jobs: 20 -> 40",
        'Changed: regenie.traits: ["height", "ldl"] -> ["bmi"]',
        NEXT,
    ]
    ((_, config),) = dropped
    assert config["regenie"]["traits"] == ["bmi"]
    checked_values(config, "")


def test_a_wrong_key_is_one_error_and_nothing_is_submitted(genolaunch, over, dropped):
    over()

    result = genolaunch("rerun", "height-1", "--set", "regenie.stpe1.jobs=40")
    document = json.loads(genolaunch("rerun", "height-1", "--set", "regenie.stpe1.jobs=40", "--json").stdout)

    assert result.exit_code == 2
    assert "1 fault" in result.stderr
    assert "Did you mean step1?" in result.stdout
    assert [fault["where"] for fault in document["faults"]] == ["regenie.stpe1"]
    assert dropped == []


def test_a_snakefile_that_was_dropped_is_run_again_by_its_place(genolaunch, over, dropped):
    over(SNAKEMAKE, uri="s3://launch-bucket-1/snakefiles/reads/Snakefile")

    result = genolaunch("rerun", "height-1", "--set", "snakemake.engine=aws-batch")

    assert result.exit_code == 0
    ((key, config),) = dropped
    assert key == "launches/height-1-rerun.json"
    assert config["snakemake"]["engine"] == "aws-batch"
    assert "works in the same folder of the data bucket" in result.stderr


def test_inputs_that_are_others_since_are_named_and_no_other(genolaunch, over, dropped, platform):
    # Of PLINK 2's files beside a .bed, and of a table's backup, the launch reads nothing.
    for name in ("a.bed", "a.bim", "a.pvar", "a.sample", "ab.bed", "p.txt", "p.txt.old", "other.txt"):
        platform.s3.put_object(Bucket="data-bucket-1", Key=f"cohort/{name}", Body=b"x")
    long_ago, later = (datetime.now(UTC) + timedelta(hours=hours) for hours in (-1, 1))

    over(submittedAt={"S": long_ago.isoformat()})
    told = genolaunch("rerun", "height-1").stderr
    document = json.loads(genolaunch("rerun", "height-1", "--json").stdout)
    over(submittedAt={"S": later.isoformat()})
    nothing = genolaunch("rerun", "height-1").stderr

    assert [line.split()[0] for line in told.splitlines() if line != NEXT] == [
        f"s3://data-bucket-1/cohort/{name}" for name in ("a.bed", "a.bim", "p.txt")
    ]
    assert "read as it is now" in told
    assert [each["uri"].rpartition("/")[2] for each in document["changedInputs"]] == ["a.bed", "a.bim", "p.txt"]
    assert nothing == f"{NEXT}\n"


def test_without_submitting_it_is_only_shown(genolaunch, over, dropped):
    over()

    result = genolaunch("rerun", "height-1", "--set", "name=again", "--dry-run")

    assert json.loads(result.stdout)["name"] == "again"
    assert dropped == []


@pytest.mark.parametrize("status", ["RUNNING", "QUEUED", "HELD"])
def test_what_is_not_over_is_not_run_again(genolaunch, over, dropped, status):
    over(status=status)

    result = genolaunch("rerun", "height-1")

    assert result.exit_code == 3
    assert f"is {status}: only a launch that is over is run again" in result.stderr


def test_what_was_never_accepted_has_no_config(genolaunch, content, dropped):
    content.launch(status="REJECTED")

    assert "was never accepted" in genolaunch("rerun", "height-1").stderr
