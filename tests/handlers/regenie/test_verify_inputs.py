"""What a launch is planned for is recorded, and anything else that lies there later ends it."""

import hashlib
import json
from typing import Any

import boto3
import pytest

from genolaunch.contract.plan import WORK_INPUTS
from genolaunch.contract.results import RESULTS_PREFIX
from genolaunch.regenie.data_set import DataSet, ObjectState
from genolaunch.shared.input_error import LaunchInputError
from lambdas.regenie import plan_launch, recorded_inputs
from lambdas.regenie.recorded_inputs import InputsChangedError, sentence
from lambdas.regenie.verify_inputs import handler
from lambdas.shared.launch_repository import LaunchRepository
from tests.handlers.kept import opened
from tests.handlers.regenie.conftest import CONTEXT, DATA_BUCKET, RESULTS_BUCKET
from tests.handlers.regenie.test_plan_launch import COHORT, buckets, register, written

__all__ = ["buckets"]  # the fixture

LAUNCH = "launch-1"
FILES = ["cohort.bed", "cohort.bim", "cohort.fam", "covariates.txt", "phenotypes.txt"]
RECORD = f"{RESULTS_PREFIX}{LAUNCH}/{WORK_INPUTS}"


def plan(repository: LaunchRepository, attempt: int = 1) -> dict[str, Any]:
    """When: the launch is planned. Then: the record of what it reads."""
    if attempt == 1:
        register(repository)
    plan_launch.handler({"launchId": LAUNCH, "attempt": attempt}, CONTEXT)
    record: dict[str, Any] = json.loads(written(boto3.client("s3"))[RECORD])
    return record


def verify(attempt: int = 1) -> int:
    files: int = handler({"launchId": LAUNCH, "attempt": attempt, "seen": "after step 2"}, CONTEXT)["files"]
    return files


def in_full(error: Exception) -> str:
    """What the launch's error says, in place of what the state machine hears."""
    return str(opened(error, LAUNCH)["message"])


def fingerprint(s3: Any) -> str:
    """Of the tasks of step 1, by which outputs of an earlier attempt are kept or not."""
    task: dict[str, Any] = json.loads(written(s3)[f"{RESULTS_PREFIX}{LAUNCH}/plan/level1.jsonl"].splitlines()[0])
    return str(task["inputs"])


def put(s3: Any, name: str, content: bytes) -> None:
    s3.put_object(Bucket=DATA_BUCKET, Key=f"cohort/{name}", Body=content)


def test_every_file_is_recorded_and_of_texts_the_content(repository: LaunchRepository, buckets: Any):
    record = plan(repository)

    assert record["attempt"] == 1
    assert [file["key"] for file in record["files"]] == [f"cohort/{name}" for name in FILES]
    head = buckets.head_object(Bucket=DATA_BUCKET, Key="cohort/cohort.bed")
    assert record["files"][0] == {
        "bucket": DATA_BUCKET,
        "key": "cohort/cohort.bed",
        "place": "data/cohort.bed",
        "size": head["ContentLength"],
        "etag": head["ETag"],
        "lastModified": head["LastModified"].isoformat(),
    }
    digests = {file["place"]: file["sha256"] for file in record["files"] if "sha256" in file}
    assert digests == {
        f"data/{name}": hashlib.sha256((COHORT / name).read_bytes()).hexdigest()
        for name in ("cohort.fam", "covariates.txt", "phenotypes.txt")
    }
    assert verify() == len(FILES)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("change", "said"),
    [("longer", "size "), ("same size", "ETag "), ("deleted", "does not exist"), ("emptied", "→ 0 bytes")],
)
def test_whatever_changes_of_whichever_file_is_told(
    repository: LaunchRepository, buckets: Any, name: str, change: str, said: str
):
    plan(repository)
    content = (COHORT / name).read_bytes()
    if change == "deleted":
        buckets.delete_object(Bucket=DATA_BUCKET, Key=f"cohort/{name}")
    else:
        put(buckets, name, {"longer": content + b"x", "same size": content[:-1] + b"x", "emptied": b""}[change])

    with pytest.raises(InputsChangedError) as told:
        verify()

    message = in_full(told.value)
    assert f"(seen after step 2): s3://{DATA_BUCKET}/cohort/{name}, which " in message
    assert said in message
    assert "retry the launch, which plans anew" in message


def test_all_files_that_changed_are_named_at_once(repository: LaunchRepository, buckets: Any):
    plan(repository)
    for name in FILES:
        put(buckets, name, b"x")

    with pytest.raises(InputsChangedError) as told:
        verify()

    assert all(f"cohort/{name}" in in_full(told.value) for name in FILES)


def test_a_thousand_files_fit_what_step_functions_takes():
    message = sentence([f"s3://bucket/cohort/chr{number}.bed, which changed" for number in range(1000)], "now")
    assert len(message) < 20_000
    assert " more files. Nothing of this attempt" in message


def test_what_was_replaced_and_put_back_is_told_too(repository: LaunchRepository, buckets: Any):
    # Given: the same bytes, put at another time than was recorded
    record = plan(repository)
    record["files"][0]["lastModified"] = "2026-11-21T04:00:00+00:00"
    buckets.put_object(Bucket=RESULTS_BUCKET, Key=RECORD, Body=json.dumps(record))

    with pytest.raises(InputsChangedError) as told:
        verify()

    assert "put 2026-11-21T04:00:00+00:00, and again" in in_full(told.value)


def test_in_a_versioned_bucket_the_version_counts(repository: LaunchRepository, buckets: Any):
    buckets.put_bucket_versioning(Bucket=DATA_BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for name in FILES:
        put(buckets, name, (COHORT / name).read_bytes())
    assert all(file["versionId"] for file in plan(repository)["files"])
    assert verify() == len(FILES)
    put(buckets, "cohort.bed", (COHORT / "cohort.bed").read_bytes())

    with pytest.raises(InputsChangedError) as told:
        verify()

    assert "version " in in_full(told.value)


def test_a_retry_keeps_nothing_of_an_attempt_whose_inputs_changed_also_if_they_look_as_before(
    repository: LaunchRepository, buckets: Any
):
    # Given: a version that is replaced and, when the launch has failed for it, comes back as it was
    buckets.put_bucket_versioning(Bucket=DATA_BUCKET, VersioningConfiguration={"Status": "Enabled"})
    before = plan(repository)["files"]
    first = fingerprint(buckets)
    put(buckets, "cohort.bed", b"x")
    with pytest.raises(InputsChangedError):
        verify()
    versions = buckets.list_object_versions(Bucket=DATA_BUCKET, Prefix="cohort/cohort.bed")["Versions"]
    newest = next(version["VersionId"] for version in versions if version["IsLatest"])
    buckets.delete_object(Bucket=DATA_BUCKET, Key="cohort/cohort.bed", VersionId=newest)

    # When, then
    assert plan(repository, 2)["files"] == before
    assert fingerprint(buckets) != first
    assert verify(2) == len(FILES)
    plan(repository, 2)
    plan(repository, 3)
    assert verify(3) == len(FILES)


def test_a_retry_with_the_same_files_keeps_what_was_made(repository: LaunchRepository, buckets: Any):
    plan(repository)
    first = fingerprint(buckets)
    plan(repository, 2)
    assert fingerprint(buckets) == first


def test_an_attempt_without_a_record_has_nothing_to_compare(repository: LaunchRepository, buckets: Any):
    assert verify() == 0  # planning failed
    plan(repository)
    assert verify(2) == 0  # planning of the second attempt failed


def test_what_is_replaced_while_it_is_planned_is_a_fault(
    repository: LaunchRepository, buckets: Any, monkeypatch: pytest.MonkeyPatch
):
    register(repository)

    def write(launch_id: str, path: str, lines: Any) -> None:
        put(buckets, "cohort.bed", b"x")

    monkeypatch.setattr(plan_launch, "_write", write)
    with pytest.raises(LaunchInputError) as told:
        plan_launch.handler({"launchId": LAUNCH, "attempt": 1}, CONTEXT)

    (fault,) = opened(told.value, LAUNCH)["faults"]
    assert "cohort.bed, which was replaced while the launch was planned" in fault["problem"]


def test_a_text_that_is_too_large_for_every_job_is_compared_by_size(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(recorded_inputs, "_MOST_DIGESTED_BYTES", 10)
    assert recorded_inputs.is_digested("phenotypes.txt", 10)
    assert not recorded_inputs.is_digested("phenotypes.txt", 11)
    assert not recorded_inputs.is_digested("cohort.bim", 1)


@pytest.fixture
def references(buckets: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given: a stage with reference files in a versioned bucket, one of them not there."""
    boto3.client("s3").put_bucket_versioning(Bucket=DATA_BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for name in ("genes.gff3.gz", "genes.gff3.gz.tbi", "readme.txt"):
        buckets.put_object(Bucket=DATA_BUCKET, Key=f"references/{name}", Body=b"four")
    files = {"folder": "references/", "genes": "genes.gff3.gz", "known": "known.tsv"}
    monkeypatch.setenv("REFERENCES", json.dumps({"GRCh38": files}))
    plan_launch.settings.cache_clear()


def plan_with_build(repository: LaunchRepository) -> dict[str, Any]:
    register(repository, genome_build="GRCh38")
    plan_launch.handler({"launchId": LAUNCH, "attempt": 1}, CONTEXT)
    return dict(json.loads(written(boto3.client("s3"))[RECORD]))


@pytest.mark.usefixtures("references")
def test_the_reference_files_that_are_used_are_recorded(repository: LaunchRepository, buckets: Any):
    record = plan_with_build(repository)

    assert [file["key"] for file in record["references"]] == [
        "references/genes.gff3.gz",
        "references/genes.gff3.gz.tbi",
    ]
    head = buckets.head_object(Bucket=DATA_BUCKET, Key="references/genes.gff3.gz")
    assert record["references"][0] == {
        "bucket": DATA_BUCKET,
        "key": "references/genes.gff3.gz",
        "size": 4,
        "etag": head["ETag"],
        "lastModified": head["LastModified"].isoformat(),
        "versionId": head["VersionId"],
    }


@pytest.mark.usefixtures("references")
def test_reference_files_that_change_stop_nothing(repository: LaunchRepository, buckets: Any):
    record = plan_with_build(repository)
    buckets.put_object(Bucket=DATA_BUCKET, Key="references/genes.gff3.gz", Body=b"others")
    buckets.delete_object(Bucket=DATA_BUCKET, Key="references/genes.gff3.gz.tbi")

    assert verify() == len(record["files"]) == len(FILES)


def test_without_reference_files_none_are_recorded(repository: LaunchRepository, buckets: Any):
    assert plan(repository)["references"] == []


@pytest.mark.usefixtures("buckets")
def test_reference_files_that_cannot_be_asked_for_are_recorded_as_they_were_listed():
    folder = DataSet(DATA_BUCKET, "references/")
    listed = ObjectState(4, '"etag"', last_modified="2026-11-01T08:00:00+00:00")

    (recorded,) = recorded_inputs.record_references(folder, {"gone.gz": listed})

    assert (recorded.uri, recorded.size, recorded.etag) == (folder.uri("gone.gz"), 4, '"etag"')
    assert (recorded.last_modified, recorded.version_id) == ("2026-11-01T08:00:00+00:00", None)


def test_a_copy_of_the_platforms_own_may_be_made_again_in_a_versioned_bucket(buckets: Any):
    buckets.put_bucket_versioning(Bucket=RESULTS_BUCKET, VersioningConfiguration={"Status": "Enabled"})
    results = DataSet(RESULTS_BUCKET, "results/x/")
    buckets.put_object(Bucket=RESULTS_BUCKET, Key="results/x/a.loco", Body=b"FID_IID 1")
    (copy,) = recorded_inputs.record_copies(results, ["a.loco"])

    buckets.put_object(Bucket=RESULTS_BUCKET, Key="results/x/a.loco", Body=b"FID_IID 1")
    assert copy.change() is None
    buckets.put_object(Bucket=RESULTS_BUCKET, Key="results/x/a.loco", Body=b"FID_IID 2")
    assert "ETag " in str(copy.change())
