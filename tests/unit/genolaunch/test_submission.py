"""A config is put with an id of its own, and only the answer to that very put counts."""

import json
import os
import time

import pytest

from genolaunch.errors import GenolaunchError
from genolaunch.projects import Project
from genolaunch.submission import NoAnswerError, submit, wait_for_answer
from genolaunch.uploads import data_prefix, planned_uploads, upload_file

FAULT = {"where": "regenie.traits", "problem": "is empty", "remedy": "name a trait"}


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "height.yaml"
    path.write_text("name: height\ndata: cohort/\n")
    return path


def answer(platform, submission_id, **fields):
    document = {"accepted": True, "launchId": "height-1", "status": "SUBMITTED", "faults": [], **fields}
    platform.s3.put_object(
        Bucket="launch-bucket-1",
        Key="feedback/height.yaml.json",
        Body=json.dumps({**document, "submissionId": submission_id}),
    )


def test_config_is_put_with_its_submission_id(platform, config):
    sent = submit(platform, config)

    stored = platform.s3.get_object(Bucket="launch-bucket-1", Key="launches/height.yaml")
    assert stored["Body"].read() == config.read_bytes()
    assert stored["Metadata"] == {"submission-id": sent.submission_id}
    assert sent.feedback_key == "feedback/height.yaml.json"


def test_a_teams_config_is_put_into_its_folder_and_answered_there(platform, config):
    sent = submit(platform, config, team="gwas")

    assert sent.key == "launches/gwas/height.yaml"
    assert sent.feedback_key == "feedback/gwas/height.yaml.json"


def test_answer_to_this_put_is_waited_for(platform, config, monkeypatch):
    # given: the answer to an earlier put of the same name, and ours after two looks
    answer(platform, "an-earlier-one", launchId="height-0")
    sent = submit(platform, config)
    pauses = []

    def sleep(seconds):
        pauses.append(seconds)
        if len(pauses) == 2:
            answer(platform, sent.submission_id)

    monkeypatch.setattr("time.sleep", sleep)

    # when
    got = wait_for_answer(platform, sent)

    # then
    assert got.launch_id == "height-1"
    assert got.accepted
    assert pauses[0] < pauses[1]


def test_rejection_has_every_fault(platform, config):
    sent = submit(platform, config)
    answer(platform, sent.submission_id, accepted=False, status="REJECTED", faults=[FAULT, FAULT])

    got = wait_for_answer(platform, sent)

    assert not got.accepted
    assert [fault.where for fault in got.faults] == ["regenie.traits", "regenie.traits"]
    assert got.faults[0].remedy == "name a trait"


def test_no_answer_in_time_says_where_to_look(platform, config):
    sent = submit(platform, config)

    with pytest.raises(NoAnswerError, match=r"not answered within 0 seconds.*s3://launch-bucket-1/feedback/height"):
        wait_for_answer(platform, sent, timeout=0)


def test_file_of_another_kind_is_refused(platform, tmp_path):
    with pytest.raises(GenolaunchError, match=r"must end in \.yaml, \.yml, \.json"):
        submit(platform, tmp_path / "height.txt")


def test_file_that_is_not_there_is_told(platform, tmp_path):
    with pytest.raises(GenolaunchError, match="cannot be read: No such file"):
        submit(platform, tmp_path / "height.yaml")


def uploaded(platform, config, folder):
    """Upload what is planned; what was."""
    plan = planned_uploads(platform, config, folder)
    for upload in plan.uploads:
        upload_file(platform, upload, lambda _: None)
    return plan


def test_data_goes_where_the_config_reads_it_and_only_once(platform, config, tmp_path):
    # given
    folder = tmp_path / "cohort"
    (folder / "imputed").mkdir(parents=True)
    (folder / "cohort.bed").write_bytes(b"12345")
    (folder / "imputed" / "chr1.bgen").write_bytes(b"1")
    seen: list[int] = []

    # when
    for upload in planned_uploads(platform, config, folder).uploads:
        upload_file(platform, upload, seen.append)
    again = planned_uploads(platform, config, folder)

    # then
    listed = platform.s3.list_objects_v2(Bucket="data-bucket-1")["Contents"]
    assert [entry["Key"] for entry in listed] == ["cohort/cohort.bed", "cohort/imputed/chr1.bgen"]
    assert sum(seen) == 6
    assert again.uploads == ()
    assert again.kept == ("cohort.bed", "imputed/chr1.bgen")


@pytest.mark.parametrize("age", [-3600, 0, 3600], ids=["newer", "as old", "older"])
@pytest.mark.parametrize("content", [b"54321", b"123456", b""], ids=["of the same size", "longer", "empty"])
def test_another_content_goes_up_whatever_its_age_and_size(platform, config, tmp_path, content, age):
    folder = tmp_path / "cohort"
    folder.mkdir()
    (folder / "kept.txt").write_bytes(b"kept")
    table = folder / "phenotypes.txt"
    table.write_bytes(b"12345")
    uploaded(platform, config, folder)

    table.write_bytes(content)
    os.utime(table, (time.time() - age, time.time() - age))
    plan = uploaded(platform, config, folder)

    assert [upload.key for upload in plan.uploads] == ["cohort/phenotypes.txt"]
    assert plan.replaced == ("phenotypes.txt",)
    assert plan.kept == ("kept.txt",)
    stored = platform.s3.get_object(Bucket="data-bucket-1", Key="cohort/phenotypes.txt")["Body"].read()
    assert stored == content


def test_a_file_touched_is_no_other_file(platform, config, tmp_path):
    folder = tmp_path / "cohort"
    folder.mkdir()
    (folder / "cohort.bed").write_bytes(b"12345")
    uploaded(platform, config, folder)

    os.utime(folder / "cohort.bed", (time.time() + 3600, time.time() + 3600))

    assert planned_uploads(platform, config, folder).uploads == ()


def test_what_came_without_a_digest_is_uploaded_again(platform, config, tmp_path):
    """Nobody knows whether it is the same: an ETag is no digest under KMS, and sizes are alike by chance."""
    folder = tmp_path / "cohort"
    folder.mkdir()
    (folder / "cohort.bed").write_bytes(b"12345")
    platform.s3.put_object(Bucket="data-bucket-1", Key="cohort/cohort.bed", Body=b"12345", ChecksumAlgorithm="CRC32")

    assert uploaded(platform, config, folder).replaced == ("cohort.bed",)
    assert planned_uploads(platform, config, folder).kept == ("cohort.bed",)


@pytest.mark.parametrize("status", [403, 404], ids=["may not be read", "deleted meanwhile"])
def test_what_cannot_be_compared_is_uploaded(platform, config, tmp_path, monkeypatch, status):
    folder = tmp_path / "cohort"
    folder.mkdir()
    (folder / "cohort.bed").write_bytes(b"12345")
    uploaded(platform, config, folder)
    refusal = {"Error": {"Code": str(status)}, "ResponseMetadata": {"HTTPStatusCode": status}}

    def refuse(**_):
        raise platform.s3.exceptions.ClientError(refusal, "HeadObject")

    monkeypatch.setattr(platform.s3, "head_object", refuse)

    assert [upload.key for upload in planned_uploads(platform, config, folder).uploads] == ["cohort/cohort.bed"]


@pytest.mark.parametrize(
    ("data", "prefix"), [("cohort/", "cohort/"), ("a/b", "a/b/"), ("s3://data-bucket-1/cohort/", "cohort/")]
)
def test_data_may_be_a_path_or_a_url_of_the_data_bucket(config, data, prefix):
    config.write_text(f"data: {data}\n")

    assert data_prefix(config, "data-bucket-1") == prefix


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("data: s3://elsewhere/x/", "not in this stage's data bucket"),
        ("name: x", "does not say under `data`"),
        ("data: [", "not readable as YAML"),
        ("- data", "does not say under `data`"),
    ],
)
def test_config_without_a_place_in_the_data_bucket_is_refused(config, text, reason):
    config.write_text(text)

    with pytest.raises(GenolaunchError, match=reason):
        data_prefix(config, "data-bucket-1")


def keys(platform):
    listed = platform.s3.list_objects_v2(Bucket="launch-bucket-1", Prefix="snakefiles/").get("Contents", [])
    return sorted(item["Key"].removeprefix("snakefiles/") for item in listed)


def project(folder, *paths):
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("x")
    return folder


def test_projects_whose_folders_are_both_called_workflow_have_their_own_names(platform, tmp_path):
    for name in ("projA", "projB"):
        sent = submit(platform, project(tmp_path / name, "workflow/Snakefile", "workflow/a.smk") / "workflow/Snakefile")
        assert sent.key == f"snakefiles/{name}/Snakefile"
        assert data_prefix(tmp_path / name / "workflow/Snakefile", "data-bucket") == f"{name}/"

    assert keys(platform) == ["projA/Snakefile", "projA/a.smk", "projB/Snakefile", "projB/a.smk"]


@pytest.mark.parametrize("name", ["Snakefile", "snakefile"])
def test_a_project_in_snakemakes_own_layout_goes_with_its_config_and_without_its_data(platform, tmp_path, name):
    here = project(
        tmp_path / "rnaseq",
        f"workflow/{name}",
        "workflow/rules/a.smk",
        "config/config.yaml",
        "config/samples.tsv",
        "units.tsv",
        "resources/genome.fa",
        "results/old.bam",
        ".snakemake/x",
    )

    sent = submit(platform, here / "workflow" / name)

    assert sent.key == "snakefiles/rnaseq/workflow/Snakefile"
    assert keys(platform) == [
        "rnaseq/config/config.yaml",
        "rnaseq/config/samples.tsv",
        "rnaseq/units.tsv",
        "rnaseq/workflow/Snakefile",
        "rnaseq/workflow/rules/a.smk",
    ]


def test_a_project_called_workflow_is_named_by_the_folder_above(platform, tmp_path):
    here = project(tmp_path / "24" / "workflow", "workflow/Snakefile", "config/config.yaml")

    assert submit(platform, here / "workflow" / "Snakefile").key == "snakefiles/24/workflow/Snakefile"


@pytest.mark.parametrize("layout", ["", "workflow"])
def test_a_project_of_a_name_that_another_has_is_refused_before_anything_is_uploaded(platform, tmp_path, layout):
    first = project(tmp_path / "ada" / "exome", "Snakefile", "a.smk")
    other = {"": "Snakefile", "workflow": "workflow/Snakefile"}[layout]
    second = project(tmp_path / "grace" / "exome", other, "config/config.yaml")
    submit(platform, first / "Snakefile")

    with pytest.raises(GenolaunchError) as refusal:
        submit(platform, second / other)

    assert f"from {Project.of(first / 'Snakefile').origin}" in str(refusal.value)
    assert "--same-project" in str(refusal.value)
    assert keys(platform) == ["exome/Snakefile", "exome/a.smk"]


def test_a_project_is_submitted_again_from_its_place_and_from_another_that_is_said_to_be_the_same(platform, tmp_path):
    first = project(tmp_path / "år 1" / "exome", "Snakefile")
    moved = project(tmp_path / "moved" / "exome", "Snakefile", "b.smk")
    submit(platform, first / "Snakefile")

    submit(platform, first / "Snakefile")
    submit(platform, moved / "Snakefile", same_project=True)
    submit(platform, moved / "Snakefile")

    assert keys(platform) == ["exome/Snakefile", "exome/b.smk"]


def test_a_project_that_was_uploaded_by_other_means_is_taken_as_it_is(platform, tmp_path):
    platform.s3.put_object(Bucket="launch-bucket-1", Key="snakefiles/exome/Snakefile", Body=b"rule all:")

    assert submit(platform, project(tmp_path / "exome", "Snakefile") / "Snakefile").key == "snakefiles/exome/Snakefile"
