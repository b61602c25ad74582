"""The command as people and scripts call it: what it prints, and how it exits."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from genolaunch import cli, submission, uploads
from genolaunch.contract.launch import Status
from genolaunch.progress import Progress
from tests.unit.genolaunch.conftest import CONFIG as ACCEPTED
from tests.unit.genolaunch.conftest import FakeBatch, FakeStepFunctions, History, job

ROOT = Path(__file__).parents[3]
CONFIG = """name: height
workflow: regenie
data: cohort/
regenie: {genotypes: cohort.bed, phenotypes: phenotypes.txt, traits: [height], trait_type: quantitative}
"""
FAULTS = [
    {"where": "regenie.traits", "problem": "is empty", "remedy": "name a trait"},
    {"where": "data", "problem": "is missing", "remedy": "say where the data is"},
]


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "height.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def cohort(tmp_path):
    """A folder with all that the launch config `config` names."""
    folder = tmp_path / "cohort"
    folder.mkdir()
    for name in ("cohort.bed", "cohort.bim", "cohort.fam"):
        (folder / name).write_bytes(b"1")
    (folder / "phenotypes.txt").write_text("FID IID height\n1 1 2\n")
    return folder


@pytest.fixture
def answers(platform, monkeypatch):
    """The platform's part: answers the next submission with the given fields."""

    def prepare(**fields):
        real_submit = submission.submit

        def submit(*arguments, **options):
            sent = real_submit(*arguments, **options)
            document = {"accepted": True, "launchId": "height-1", "status": "SUBMITTED", "faults": [], **fields}
            body = json.dumps({**document, "submissionId": sent.submission_id})
            platform.s3.put_object(Bucket=sent.bucket, Key=sent.feedback_key, Body=body)
            return sent

        monkeypatch.setattr(submission, "submit", submit)

    return prepare


# --- submit --------------------------------------------------------------------------------------------------------
def test_accepted_config_prints_the_launch_id_alone(genolaunch, config, answers):
    answers()

    result = genolaunch("submit", config)

    assert (result.exit_code, result.stdout) == (0, "height-1\n")


def test_a_project_of_another_place_uploads_no_data_unless_it_is_said_to_be_the_same(
    genolaunch, platform, tmp_path, answers
):
    answers()
    for place in ("ada", "grace"):
        for path in ("exome/Snakefile", "reads/r.fq"):
            (tmp_path / place / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / place / path).write_text(place)
    genolaunch("submit", tmp_path / "ada" / "exome" / "Snakefile")
    second = ("submit", tmp_path / "grace" / "exome" / "Snakefile", "--data-dir", tmp_path / "grace" / "reads")

    refused = genolaunch(*second)

    assert refused.exit_code != 0
    assert "A project called exome was submitted before" in refused.stderr
    assert "Contents" not in platform.s3.list_objects_v2(Bucket="data-bucket-1")
    assert genolaunch(*second, "--same-project").exit_code == 0
    (uploaded,) = platform.s3.list_objects_v2(Bucket="data-bucket-1")["Contents"]
    assert uploaded["Key"] == "exome/r.fq"


def test_rejection_lists_every_fault_and_exits_2(genolaunch, config, answers):
    answers(accepted=False, status="REJECTED", faults=FAULTS)

    result = genolaunch("submit", config)

    assert result.exit_code == 2
    for fault in FAULTS:
        assert all(text in result.stdout for text in fault.values())
    assert "2 faults" in result.stderr


def test_rejection_as_json_is_the_feedback_document(genolaunch, config, answers):
    answers(accepted=False, status="REJECTED", faults=FAULTS)

    result = genolaunch("submit", config, "--json")

    assert result.exit_code == 2
    assert json.loads(result.stdout)["faults"] == FAULTS


@pytest.mark.parametrize(
    ("status", "code"), [(Status.COMPLETE, 0), (Status.FAILED, 1), (Status.CANCELLED, 1), (Status.REJECTED, 2)]
)
def test_waiting_exits_by_how_the_launch_ended(genolaunch, config, answers, content, status, code):
    answers()
    content.launch(status=status.value)

    result = genolaunch("submit", config, "--wait")

    assert result.exit_code == code
    assert f"Launch height-1 is {status}" in result.stdout


def test_waiting_as_json_prints_one_document(genolaunch, config, answers, content):
    answers()
    content.launch(status="COMPLETE", reportUri={"S": "s3://results-bucket-1/results/height-1/report.html"})

    result = genolaunch("submit", config, "--wait", "--json")

    assert json.loads(result.stdout)["reportUri"].endswith("report.html")


def test_data_dir_is_uploaded_before_the_config(genolaunch, config, answers, platform, cohort):
    answers()

    result = genolaunch("submit", config, "--data-dir", cohort)

    assert result.exit_code == 0
    assert "Uploading cohort/cohort.bed" in result.stderr
    assert result.stdout == "height-1\n"
    assert platform.s3.head_object(Bucket="data-bucket-1", Key="cohort/cohort.bed")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("traits: [height]", "trait: [height]"), "regenie.trait"),
        (("trait_type: quantitative", "trait_type: ordinal"), "regenie.trait_type"),
        (("name: height", "name: [height"), "line"),
        (("workflow: regenie", "workflow: bowtie"), "workflow"),
    ],
)
def test_a_faulty_config_is_refused_before_anything_is_uploaded(genolaunch, config, platform, tmp_path, change, fault):
    config.write_text(CONFIG.replace(*change))
    (tmp_path / "cohort").mkdir()
    (tmp_path / "cohort" / "cohort.bed").write_bytes(b"1")

    shown = genolaunch("submit", config, "--data-dir", tmp_path / "cohort")
    document = json.loads(genolaunch("submit", config, "--data-dir", tmp_path / "cohort", "--json").stdout)

    assert shown.exit_code == 2
    assert fault in shown.stdout
    assert "was not submitted, and nothing was uploaded: " in shown.stderr
    assert document["accepted"] is False
    assert any(each["where"].startswith(fault) for each in document["faults"])
    for bucket in ("data-bucket-1", "launch-bucket-1"):
        assert "Contents" not in platform.s3.list_objects_v2(Bucket=bucket)


@pytest.mark.parametrize("name", ["height.txt", "height.yaml.bak"])
def test_a_file_of_another_name_is_refused_before_anything_is_uploaded(genolaunch, config, platform, tmp_path, name):
    other = config.rename(tmp_path / name)
    (tmp_path / "cohort").mkdir()
    (tmp_path / "cohort" / "cohort.bed").write_bytes(b"1")

    assert genolaunch("submit", other, "--data-dir", tmp_path / "cohort").exit_code == 2
    assert "Contents" not in platform.s3.list_objects_v2(Bucket="data-bucket-1")


def test_a_snakefile_in_a_folder_whose_name_is_none_of_a_launch_is_refused_before_its_data_is_uploaded(
    genolaunch, platform, tmp_path
):
    folder = tmp_path / "my project"
    (folder / "data").mkdir(parents=True)
    (folder / "Snakefile").write_text("rule all:\n")
    (folder / "data" / "reads.fq").write_bytes(b"1")

    shown = genolaunch("submit", folder / "Snakefile", "--data-dir", folder / "data")

    assert shown.exit_code == 2
    assert "name" in shown.stdout
    assert "Contents" not in platform.s3.list_objects_v2(Bucket="data-bucket-1")


# --- several files -------------------------------------------------------------------------------------------------
@pytest.fixture
def several(tmp_path):
    """Given: three configs, of which two are called alike, the second one faulty."""
    files = [tmp_path / "a.yaml", tmp_path / "b.yaml", tmp_path / "other" / "a.yaml"]
    files[2].parent.mkdir()
    for number, file in enumerate(files):
        file.write_text(CONFIG.replace("name: height", f"name: height{number}"))
    return files


@pytest.fixture
def answers_each(platform, monkeypatch):
    """The platform's part: rejects what is called b.yaml, and answers the others with ids in the order of the puts."""
    put: list[str] = []
    real_submit = submission.submit

    def submit(platform, file, *arguments, **options):
        sent = real_submit(platform, file, *arguments, **options)
        put.append(str(file))
        document = {"accepted": True, "launchId": f"height-{len(put)}", "status": "SUBMITTED", "faults": []}
        if file.name == "b.yaml":
            document |= {"accepted": False, "launchId": "b-1", "status": "REJECTED", "faults": FAULTS}
        if file.name != "silent.yaml":
            body = json.dumps({**document, "submissionId": sent.submission_id})
            platform.s3.put_object(Bucket=sent.bucket, Key=sent.feedback_key, Body=body)
        return sent

    monkeypatch.setattr(submission, "submit", submit)
    return put


def test_several_files_have_a_line_each_in_their_order(genolaunch, several, answers_each):
    result = genolaunch("submit", *several)

    assert result.exit_code == 2  # one was rejected
    first, second, third = result.stdout.splitlines()
    assert first == f"{several[0]}: height-1"
    assert second.startswith(f"{several[1]}: REJECTED regenie.traits: is empty. name a trait | data: is missing.")
    assert third == f"{several[2]}: height-3"
    assert answers_each == [str(file) for file in several]


def test_several_files_all_accepted_end_with_0_and_one_json_list(genolaunch, several, answers_each):
    result = genolaunch("submit", several[0], several[2], "--json")

    assert result.exit_code == 0
    assert [(each["file"], each["launchId"]) for each in json.loads(result.stdout)] == [
        (str(several[0]), "height-1"),
        (str(several[2]), "height-2"),
    ]


def test_one_without_an_answer_does_not_keep_the_others_from_theirs(genolaunch, several, answers_each, tmp_path):
    silent = tmp_path / "silent.yaml"
    silent.write_text(CONFIG)

    result = genolaunch("submit", several[0], silent, several[2], "--timeout", "0")

    assert result.exit_code == 3
    assert result.stdout.splitlines() == [f"{several[0]}: height-1", f"{several[2]}: height-3"]
    assert result.stderr.startswith(f"{silent}: s3://launch-bucket-1/launches/silent.yaml was uploaded, but")


def test_several_launches_are_waited_for_and_the_worst_ending_counts(genolaunch, several, answers_each, content):
    content.launch("height-1", "COMPLETE")
    content.launch("height-2", "FAILED")

    plain = genolaunch("submit", several[0], several[2], "--wait")
    answers_each.clear()
    listed = json.loads(genolaunch("submit", several[0], several[2], "--wait", "--json").stdout)

    assert plain.exit_code == 1
    assert [each["status"] for each in listed] == ["COMPLETE", "FAILED"]


def test_a_wrong_name_among_several_is_said_before_any_is_submitted(genolaunch, several, answers_each, tmp_path):
    wrong = tmp_path / "notes.txt"
    wrong.write_text("x")

    assert genolaunch("submit", *several, wrong).exit_code == 2
    assert answers_each == []


# --- sources of a workflow -----------------------------------------------------------------------------------------
SNAKEMAKE = """name: reads
workflow: snakemake
data: reads/
snakemake: {snakefile: workflows/reads/Snakefile}
"""


def sources_in(platform):
    listed = platform.s3.list_objects_v2(Bucket="launch-bucket-1", Prefix="workflows/").get("Contents", [])
    return sorted(item["Key"].removeprefix("workflows/") for item in listed)


def write(folder, *paths):
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("x")


@pytest.mark.parametrize("named", ["workflow", "workflow/Snakefile"])
def test_sources_go_where_the_config_names_its_snakefile(genolaunch, answers, platform, tmp_path, named):
    answers()
    config = tmp_path / "reads.yaml"
    config.write_text(SNAKEMAKE)
    write(tmp_path, "workflow/Snakefile", "workflow/scripts/a.py", "workflow/.snakemake/x")

    result = genolaunch("submit", config, "--sources", tmp_path / named)
    again = genolaunch("submit", config, "--sources", tmp_path / named)

    assert (result.exit_code, result.stdout) == (0, "height-1\n")
    assert sources_in(platform) == ["reads/Snakefile", "reads/scripts/a.py"]
    uploading = [line for line in result.stderr.splitlines() if line.startswith("Uploading")]
    assert "Uploading workflows/reads/Snakefile" in uploading[-1]  # the last one
    assert "Uploading" not in again.stderr  # they are there


def test_sources_beside_the_config_under_the_very_path_go_by_themselves(genolaunch, answers, platform, tmp_path):
    answers()
    config = tmp_path / "reads.yaml"
    config.write_text(SNAKEMAKE)
    write(tmp_path, "workflows/reads/Snakefile", "workflows/reads/a.smk")

    assert genolaunch("submit", config).exit_code == 0
    assert sources_in(platform) == ["reads/Snakefile", "reads/a.smk"]


def test_a_project_in_the_standard_layout_keeps_it(genolaunch, answers, platform, tmp_path):
    answers()
    config = tmp_path / "reads.yaml"
    config.write_text(SNAKEMAKE.replace("reads/Snakefile", "reads/workflow/Snakefile"))
    write(tmp_path, "p/workflow/Snakefile", "p/config/config.yaml", "p/samples.tsv", "p/results/x")

    assert genolaunch("submit", config, "--sources", tmp_path / "p").exit_code == 0
    assert sources_in(platform) == ["reads/config/config.yaml", "reads/samples.tsv", "reads/workflow/Snakefile"]


@pytest.mark.parametrize(
    ("snakefile", "words"),
    [
        ("snakefiles/reads/Snakefile", "names no Snakefile below workflows/"),
        ("s3://elsewhere/x/Snakefile", "names no Snakefile below workflows/"),
        ("workflows/reads/Snakefile", "must end in /workflow/Snakefile"),
    ],
)
def test_sources_that_have_no_place_are_refused(genolaunch, platform, tmp_path, snakefile, words):
    config = tmp_path / "reads.yaml"
    config.write_text(SNAKEMAKE.replace("workflows/reads/Snakefile", snakefile))
    write(tmp_path, "p/workflow/Snakefile", "p/config/config.yaml")

    result = genolaunch("submit", config, "--sources", tmp_path / "p")

    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
    assert "Contents" not in platform.s3.list_objects_v2(Bucket="launch-bucket-1")


def test_a_folder_without_a_snakefile_is_refused(genolaunch, platform, tmp_path):
    config = tmp_path / "reads.yaml"
    config.write_text(SNAKEMAKE)
    write(tmp_path, "p/rules/a.smk")

    result = genolaunch("submit", config, "--sources", tmp_path / "p")

    assert result.exit_code == 2
    assert "holds no Snakefile" in result.stderr


@pytest.mark.parametrize("more", [(), ("--data-dir", "data")])
@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("height.yaml", CONFIG, "height.yaml is a config for regenie, which has no sources. Leave --sources out."),
        ("p/workflow/Snakefile", "x", "Snakefile is submitted with all that lies beside it. Leave --sources out."),
    ],
)
def test_sources_of_what_has_none_are_a_wrong_command_line(genolaunch, platform, tmp_path, file, text, words, more):
    write(tmp_path, "p/workflow/Snakefile", "data/reads.fq")
    (tmp_path / file).write_text(text)
    (tmp_path / "reads.yaml").write_text(SNAKEMAKE)
    options = [tmp_path / word if word == "data" else word for word in more]

    for files in ([file], ["reads.yaml", file]):
        result = genolaunch(
            "submit", *(tmp_path / each for each in files), "--sources", tmp_path / "p" / "workflow", *options
        )

        assert result.exit_code == 2
        assert words in " ".join(result.stderr.split())
        for bucket in ("launch-bucket-1", "data-bucket-1"):
            assert "Contents" not in platform.s3.list_objects_v2(Bucket=bucket)


def test_data_that_belong_elsewhere_are_a_wrong_command_line(genolaunch, platform, tmp_path):
    (tmp_path / "reads.yaml").write_text(SNAKEMAKE.replace("data: reads/", "data: s3://elsewhere/reads/"))
    write(tmp_path, "data/reads.fq")

    result = genolaunch("submit", tmp_path / "reads.yaml", "--data-dir", tmp_path / "data")

    assert result.exit_code == 2
    assert "which is not in this stage's data bucket" in result.stderr


def test_missing_answer_is_one_sentence_and_exit_3(genolaunch, config):
    result = genolaunch("submit", config, "--timeout", "0")

    assert result.exit_code == 3
    assert result.stderr.startswith("genolaunch: s3://launch-bucket-1/launches/height.yaml was uploaded, but")
    assert result.stderr.count("\n") == 1


# --- list ----------------------------------------------------------------------------------------------------------
def test_list_shows_launches_newest_first(genolaunch, content):
    content.launch("old-1", "FAILED", "2026-11-21T01:00:00.000Z", requestedBy={"S": "ada"})
    content.launch("new-1", "RUNNING", "2026-11-21T02:00:00.000Z")

    result = genolaunch("list")

    assert result.exit_code == 0
    assert result.stdout.index("new-1") < result.stdout.index("old-1")
    assert "ada" in result.stdout


def test_list_as_json_filtered_by_status(genolaunch, content):
    content.launch("a", "FAILED")
    content.launch("b", "RUNNING")

    result = genolaunch("list", "--status", "failed", "--json")

    assert [entry["launchId"] for entry in json.loads(result.stdout)] == ["a"]


def test_list_of_one_person_since_a_day(genolaunch, content):
    ada, bob = {"requestedBy": {"S": "AWS:AROA:ada"}}, {"requestedBy": {"S": "AWS:AROA:bob"}}
    content.launch("old", submitted="2026-11-19T23:59:59.999Z", **ada)
    content.launch("new", submitted="2026-11-20T00:00:00.000Z", **ada)
    content.launch("other", submitted="2026-11-21T00:00:00.000Z", **bob)

    result = genolaunch("list", "--since", "2026-11-20T00:00:00+00:00", "--user", "ADA", "--json")

    assert [launch["launchId"] for launch in json.loads(result.stdout)] == ["new"]


def test_list_since_something_else_is_refused_in_one_sentence(genolaunch):
    result = genolaunch("list", "--since", "yesterday")

    assert result.exit_code == 2
    assert "90m, 12h, 2d, 1w" in result.stderr


def test_watching_a_list_tells_each_change_once(genolaunch, content, monkeypatch):
    content.launch("a", "RUNNING")
    looks = iter([lambda: None, lambda: content.launch("a", "COMPLETE")])

    def sleep(seconds):
        try:
            next(looks)()
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr("time.sleep", sleep)
    result = genolaunch("list", "--watch")

    assert result.exit_code == 130
    assert [line.split("  ")[1] for line in result.stdout.splitlines()] == ["a is RUNNING", "a is COMPLETE"]


def test_events_tell_the_whole_history_in_order(genolaunch, content, platform):
    def event(status, second, **more):
        return {"M": {"status": {"S": status}, "at": {"S": f"2026-11-21T04:00:{second:02}.000Z"}, **more}}

    error = {"M": {"type": {"S": "OutOfMemoryError"}, "message": {"S": "Step 2 ran out."}}}
    history = History()
    history.visit("Step 2: chunks")
    history.add("ExecutionFailed")
    platform.stepfunctions = FakeStepFunctions(history.events)
    events = [event("SUBMITTED", 0), event("RUNNING", 1), event("FAILED", 30, error=error)]
    content.launch(status="FAILED", events={"L": events}, workflowExecutionArn={"S": "arn:run:height-1-1"})
    content.failed_job("height-1-1-step2", 3)
    platform.dynamodb.update_item(
        TableName="launch_tasks",
        Key={"launchId": {"S": "height-1"}, "taskId": {"S": "job#height-1-1-step2#3"}},
        UpdateExpression="SET updatedAt = :at",
        ExpressionAttributeValues={":at": {"S": "2026-11-21T04:00:20.000Z"}},
    )

    told = json.loads(genolaunch("events", "height-1", "--json").stdout)

    assert [(each["kind"], each["name"]) for each in told] == [
        ("status", "SUBMITTED"),
        ("status", "RUNNING"),
        ("step", "Step 2"),
        ("step", "Step 2"),
        ("job", "1-step2#3"),
        ("status", "FAILED"),
    ]
    assert told[-1]["detail"] == "OutOfMemoryError: Step 2 ran out."
    assert "Step 2 ran out." in genolaunch("events", "height-1").stdout


def test_empty_list_is_valid_json(genolaunch):
    assert json.loads(genolaunch("list", "--json").stdout) == []


# --- status --------------------------------------------------------------------------------------------------------
def test_status_shows_steps_and_jobs(genolaunch, content, platform):
    # given
    history = History()
    history.visit("File system: create")
    history.enter("Step 2: chunks")
    platform.stepfunctions = FakeStepFunctions(history.events)
    array = job("2", "height-1-1-step2", "PENDING", size=12, statusSummary={"SUCCEEDED": 5, "RUNNING": 2})
    platform.batch = FakeBatch({"arn:queue/low": [array]})
    content.launch(workflowExecutionArn={"S": "arn:run:height-1-1"})

    # when
    text = genolaunch("status", "height").stdout
    document = json.loads(genolaunch("status", "latest", "--json").stdout)

    # then
    assert "✓ done" in text
    assert "5/12" in text
    assert [(step["name"], step["state"]) for step in document["steps"]] == [
        ("File system", "DONE"),
        ("Step 2", "RUNNING"),
    ]
    assert document["steps"][0]["elapsedSeconds"] == 2
    assert document["jobs"][0]["succeeded"] == 5


def test_status_of_a_failed_launch_names_the_failed_jobs(genolaunch, content):
    error = {"M": {"type": {"S": "ApplicationError"}, "message": {"S": "1 job failed."}}}
    content.launch(status="FAILED", error=error)
    content.failed_job("height-1-1-step2", 3, "j:3")

    result = genolaunch("status", "height-1")

    assert result.exit_code == 0
    assert "ApplicationError: 1 job failed." in result.stdout
    assert "step2[3]" in result.stdout


def test_watching_an_ended_launch_exits_by_its_status(genolaunch, content):
    content.launch(status="FAILED")

    assert genolaunch("status", "height-1", "--watch").exit_code == 1


def test_interrupted_watching_leaves_the_launch_alone(genolaunch, content, monkeypatch):
    content.launch()

    def interrupted(self, pause=0.0):
        yield self.look()
        raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "follow", interrupted)

    result = genolaunch("status", "height-1", "--watch")

    assert result.exit_code == 130
    assert "genolaunch status height-1 --watch" in result.stderr


# --- logs and results ----------------------------------------------------------------------------------------------
def test_logs_have_a_job_prefix(genolaunch, content, platform):
    content.launch(status="FAILED")
    content.failed_job("height-1-1-merge", stream="height-1-1/default/x", tail="no space left [sda1]")

    result = genolaunch("logs", "height-1", "--failed")
    as_json = genolaunch("logs", "height-1", "--failed", "--json")

    assert re.match(r"merge +no space left \[sda1\]", result.stdout)
    assert json.loads(as_json.stdout) == {"job": "merge", "at": None, "message": "no space left [sda1]"}


def test_no_log_lines_are_told(genolaunch, content):
    content.launch()

    result = genolaunch("logs", "height-1")

    assert result.exit_code == 0
    assert "has no such log lines" in result.stderr


def test_job_and_failed_exclude_each_other(genolaunch, content):
    content.launch()

    assert genolaunch("logs", "height-1", "--job", "merge", "--failed").exit_code == 2


def test_an_attempt_that_there_never_was_is_refused(genolaunch, content):
    content.launch(status="FAILED")
    result = genolaunch("logs", "height-1", "--attempt", "3")
    assert result.exit_code == 3
    assert "Launch height-1 has no attempt 3: its last is 1." in result.stderr


def test_results_are_listed_and_downloaded(genolaunch, content, tmp_path):
    content.launch(status="COMPLETE")
    content.result("report.html", b"<html>")

    listed = genolaunch("results", "height-1", "--json")
    result = genolaunch("results", "height-1", "--download", tmp_path)

    assert json.loads(listed.stdout)[0]["uri"] == "s3://results-bucket-1/results/height-1/report.html"
    assert result.exit_code == 0
    assert "1 object is in" in result.stdout
    assert (tmp_path / "report.html").read_bytes() == b"<html>"


def test_missing_results_are_told(genolaunch, content):
    content.launch()

    answer = genolaunch("results", "height-1")

    assert answer.exit_code == 3
    assert "is RUNNING and has no results" in answer.stderr


# --- errors and stages ---------------------------------------------------------------------------------------------
def test_cancel_and_retry_tell_what_they_asked_for(genolaunch, content):
    content.launch(status="RUNNING")
    assert genolaunch("cancel", "height-1").stdout == "Launch height-1 is being cancelled.\n"
    content.launch(status="FAILED", workflow={"S": "regenie"}, config={"S": ACCEPTED})
    assert genolaunch("retry", "latest").stdout == "Launch height-1 is tried again.\n"
    assert json.loads(genolaunch("cancel", "height-1", "--json").stdout) == {"launchId": "height-1"}


def test_retry_refuses_unreadable_resources_before_it_asks(genolaunch, content):
    content.launch(status="FAILED")
    answer = genolaunch("retry", "height-1", "--resources", "step2=much")
    assert answer.exit_code == 2
    assert "is not PHASE=VCPUS:GIB" in answer.stderr
    assert json.loads(genolaunch("status", "height-1", "--json").stdout)["status"] == "FAILED"


def test_stage_may_stand_before_or_after_the_command(genolaunch):
    for arguments in (["--stage", "prod", "list"], ["list", "--stage", "prod"]):
        result = genolaunch(*arguments)

        assert result.exit_code == 3
        assert result.stderr.startswith("genolaunch: Stage “prod” is not deployed in this account and region")
        assert result.stderr.count("\n") == 1


def test_stage_may_come_from_the_environment(genolaunch, monkeypatch):
    monkeypatch.setenv("GENOLAUNCH_STAGE", "prod")

    assert "“prod”" in genolaunch("list").stderr


def test_refusal_by_aws_is_one_sentence(genolaunch, platform):
    platform.dynamodb.delete_table(TableName="launches")

    result = genolaunch("list")

    assert result.exit_code == 3
    assert re.match(r"genolaunch: AWS refused Query: .*ResourceNotFoundException", result.stderr)
    assert "Traceback" not in result.stderr


def test_a_folder_that_cannot_be_written_is_one_sentence(genolaunch, content, tmp_path):
    content.launch(status="COMPLETE")
    content.result("gwas/height.regenie.gz", b"rows")
    in_the_way = tmp_path / "gwas"
    in_the_way.write_text("a file")

    result = genolaunch("results", "height-1", "--download", tmp_path)

    assert result.exit_code == 3
    assert result.stderr.splitlines()[-1] == f"genolaunch: {in_the_way} cannot be read or written: File exists."


def test_what_is_not_uploaded_again_is_named(genolaunch, answers, config, cohort, platform):
    answers()
    assert genolaunch("submit", config, "--data-dir", cohort).exit_code == 0
    table = cohort / "phenotypes.txt"
    table.write_text(table.read_text().replace("2", "3"))
    os.utime(table, (0, 0))

    shown = " ".join(genolaunch("submit", config, "--data-dir", cohort).stderr.split())

    assert "Not uploaded again, since the bucket has the same content: cohort.bed, cohort.bim, cohort.fam." in shown
    assert "without a SHA-256: phenotypes.txt." in shown
    stored = platform.s3.get_object(Bucket="data-bucket-1", Key="cohort/phenotypes.txt")["Body"].read()
    assert stored == table.read_bytes()


def uploads_of(platform):
    return platform.s3.list_objects_v2(Bucket="data-bucket-1").get("Contents", [])


def test_files_that_are_nowhere_are_named_before_anything_goes_up(genolaunch, config, cohort, platform):
    (cohort / "cohort.bim").unlink()
    (cohort / "phenotypes.txt").unlink()

    answer = genolaunch("submit", config, "--data-dir", cohort)

    assert answer.exit_code == 2
    assert "was not submitted, and nothing was uploaded: 2 faults." in answer.stderr
    shown = " ".join(answer.stdout.split())
    for where, name in (("regenie.genotypes", "cohort.bim"), ("regenie.phenotypes", "phenotypes.txt")):
        assert where in shown
        assert f"needs {name}, which is neither in" in shown
    assert "s3://data-bucket-1/cohort/" in shown
    assert uploads_of(platform) == []


def test_a_folder_without_files_is_no_data(genolaunch, config, platform, tmp_path):
    (tmp_path / "cohort" / "imputed").mkdir(parents=True)

    answer = genolaunch("submit", config, "--data-dir", tmp_path / "cohort")

    assert answer.exit_code == 2
    assert answer.stderr == f"genolaunch: {tmp_path / 'cohort'} holds no files.\n"


def test_what_the_bucket_has_need_not_be_in_the_folder(genolaunch, answers, config, cohort, platform):
    answers()
    (cohort / "cohort.bed").unlink()
    platform.s3.put_object(Bucket="data-bucket-1", Key="cohort/cohort.bed", Body=b"1")

    assert genolaunch("submit", config, "--data-dir", cohort).exit_code == 0


@pytest.mark.parametrize(
    ("table", "where", "problem"),
    [
        ("FID IID ldl\n", "regenie.traits", "names height, not in the header of the phenotype file"),
        ("FID,IID,height\n", "regenie.phenotypes", "whose columns are separated by ','"),
        ("\ufeffFID IID height\n", "regenie.phenotypes", "begins with an invisible byte-order mark"),
        ("FID IID height height\n", "regenie.phenotypes", "whose header has columns more than once: height"),
        ("IID height\n", "regenie.phenotypes", "whose header starts with IID height"),
        ("", "regenie.phenotypes", "which is empty"),
    ],
)
def test_a_header_is_looked_at_before_anything_goes_up(genolaunch, config, cohort, platform, table, where, problem):
    (cohort / "phenotypes.txt").write_text(table)

    answer = genolaunch("submit", config, "--data-dir", cohort, "--json")

    assert answer.exit_code == 2
    faults = json.loads(answer.stdout)["faults"]
    assert [fault["where"] for fault in faults] == [where]
    assert problem in faults[0]["problem"]
    assert uploads_of(platform) == []


def test_every_fault_of_every_config_is_told_at_once(genolaunch, config, cohort, platform):
    other = config.with_name("covariates.yaml")
    text = config.read_text().replace("traits:", "covariates: covs.txt, covariate_columns: [age], traits:")
    other.write_text(text)
    (cohort / "covs.txt").write_text("FID IID sex\n")
    (cohort / "cohort.fam").unlink()

    answer = genolaunch("submit", config, other, "--data-dir", cohort, "--json")

    assert answer.exit_code == 2
    told = {Path(each["file"]).name: [fault["where"] for fault in each["faults"]] for each in json.loads(answer.stdout)}
    assert told == {
        config.name: ["regenie.genotypes"],
        "covariates.yaml": ["regenie.genotypes", "regenie.covariate_columns"],
    }
    assert uploads_of(platform) == []


def test_a_refused_upload_is_one_sentence(genolaunch, config, cohort, platform, monkeypatch):
    place = uploads.place_of_data(platform, config, cohort)
    monkeypatch.setattr(uploads, "place_of_data", lambda *_: place)
    platform.s3.delete_bucket(Bucket="data-bucket-1")

    result = genolaunch("submit", config, "--data-dir", cohort)

    assert result.exit_code == 3
    *_, sentence = result.stderr.splitlines()
    assert sentence.startswith("genolaunch: Failed to upload")
    assert "Traceback" not in result.stderr


def test_missing_region_says_what_to_set(aws, monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.delenv("AWS_REGION")

    result = CliRunner().invoke(cli.app, ["list"])

    assert result.exit_code == 3
    assert "set AWS_REGION" in result.stderr


def test_debug_shows_the_error_itself(genolaunch):
    result = genolaunch("--debug", "--stage", "prod", "list")

    assert result.exit_code == 1
    assert type(result.exception).__name__ == "GenolaunchError"


# --- the command as a whole ----------------------------------------------------------------------------------------
def test_help_needs_no_slow_imports():
    code = (
        "import sys, genolaunch.cli; "
        "print([name for name in ('boto3', 'botocore', 'rich', 'yaml', 'localcloud') if name in sys.modules])"
    )

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    assert loaded.stdout.strip() == "[]"


def test_documentation_has_every_command_and_names_no_other():
    # given
    page = (ROOT / "docs" / "command-line.md").read_text()
    group = get_command(cli.app)
    commands = {name for name in group.commands if name != "local"}  # type: ignore[attr-defined]  # it is a group
    local = {f"local {name}" for name in group.commands["local"].commands}  # type: ignore[attr-defined]  # likewise

    # when
    described = set(re.findall(r"^## `((?:local )?[a-z-]+)", page, flags=re.MULTILINE))
    used = set(re.findall(r"genolaunch(?: --stage \w+)? (local [a-z]+|[a-z][a-z-]*)", page))

    # then
    assert described == commands | local
    assert used <= commands | local


def test_documented_options_exist():
    page = (ROOT / "docs" / "command-line.md").read_text()
    group = get_command(cli.app)
    leaves = [*group.commands.values(), *group.commands["local"].commands.values()]  # type: ignore[attr-defined]  # it is a group
    known = {option for command in [group, *leaves] for parameter in command.params for option in parameter.opts}

    assert set(re.findall(r"--[a-z][a-z-]+", page)) <= known | {"--help"}


def test_a_launch_that_is_tried_again_does_not_show_the_steps_of_the_attempt_before(genolaunch, content, platform):
    history = History()
    history.visit("Step 2: chunks")
    platform.stepfunctions = FakeStepFunctions(history.events)
    steps = {}
    for status, attempt in (("FAILED", "1"), ("RETRY", "1"), ("RUNNING", "2")):
        content.launch(status=status, attempt={"N": attempt}, workflowExecutionArn={"S": "arn:run:height-1-1"})
        steps[status] = json.loads(genolaunch("status", "height-1", "--json").stdout)["steps"]

    assert len(steps["FAILED"]) == 1
    assert steps["RETRY"] == steps["RUNNING"] == []
