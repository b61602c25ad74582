"""Archived inputs of a launch of regenie: which files are looked at, and what is loaded before it is read."""

import json
from typing import Any

import boto3
import pytest

from genolaunch.shared.input_error import LaunchInputError
from lambdas.regenie import list_inputs
from lambdas.regenie.plan_launch import handler
from lambdas.shared.launch_repository import LaunchRepository
from tests.handlers.kept import opened
from tests.handlers.regenie.conftest import CONTEXT, DATA_BUCKET
from tests.handlers.regenie.test_plan_launch import COHORT, buckets, register, written

__all__ = ["buckets"]

LAUNCH_BUCKET = "genolaunch-test-launches"


@pytest.fixture
def listed(buckets: Any, repository: LaunchRepository, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Given: a launch bucket. A function that lists a launch's inputs."""
    monkeypatch.setenv("LAUNCH_BUCKET", LAUNCH_BUCKET)
    list_inputs.settings.cache_clear()
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=LAUNCH_BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})

    def names() -> list[str]:
        key = list_inputs.handler({"launchId": "launch-1"}, CONTEXT)["inputs"]
        urls = json.loads(s3.get_object(Bucket=LAUNCH_BUCKET, Key=key)["Body"].read())
        return sorted(url.removeprefix(f"s3://{DATA_BUCKET}/cohort/") for url in urls)

    return names


def archive(s3: Any, name: str, *, restored: bool) -> None:
    """Given: the file is in Glacier; of a restored one there is a copy."""
    body = (COHORT / name).read_bytes()
    s3.put_object(Bucket=DATA_BUCKET, Key=f"cohort/{name}", Body=body, StorageClass="GLACIER")
    if restored:
        s3.restore_object(Bucket=DATA_BUCKET, Key=f"cohort/{name}", RestoreRequest={"Days": 5})


def test_a_launch_reads_the_files_of_its_config_and_their_companions(listed, repository):
    register(repository)

    assert listed() == ["cohort.bed", "cohort.bim", "cohort.fam", "covariates.txt", "phenotypes.txt"]


def test_predictions_are_known_once_their_list_can_be_read(listed, repository, buckets):
    register(repository, step1={"enabled": False, "predictions": "pred.list"})
    assert "pred.list" in listed()

    buckets.put_object(Bucket=DATA_BUCKET, Key="cohort/pred.list", Body=b"height a.loco\nldl b.loco\n")

    assert {"a.loco", "b.loco", "pred.list"} <= set(listed())


def test_restored_copies_are_preloaded_and_nothing_else(repository, buckets):
    register(repository)
    archive(buckets, "cohort.bed", restored=True)

    sheet = handler({"launchId": "launch-1", "attempt": 2}, CONTEXT)

    assert sheet["preloadJobs"] == 1
    (task,) = written(buckets)["results/launch-1/plan/preload.jsonl"].splitlines()
    assert json.loads(task)["files"] == ["cohort.bed"]


def test_without_restored_copies_there_is_nothing_to_preload(repository, buckets):
    register(repository)

    sheet = handler({"launchId": "launch-1", "attempt": 1}, CONTEXT)

    assert sheet["preloadJobs"] == 0
    assert not any("preload" in key for key in written(buckets))


def test_a_copy_that_went_too_soon_is_named(repository, buckets):
    register(repository)
    archive(buckets, "phenotypes.txt", restored=False)

    with pytest.raises(LaunchInputError) as caught:
        handler({"launchId": "launch-1", "attempt": 1}, CONTEXT)

    (fault,) = opened(caught.value)["faults"]
    assert "which is archived, and its restored copy has expired" in fault["problem"]


def test_a_launch_that_waits_hears_of_every_file_that_is_not_there_or_not_to_be_read(listed, repository, buckets):
    register(repository, covariates="covars.txt", phenotypes="phenos.txt")

    with pytest.raises(LaunchInputError) as refused:
        list_inputs.handler({"launchId": "launch-1", "check": True}, CONTEXT)

    faults = opened(refused.value)["faults"]
    assert {fault["where"] for fault in faults} == {"regenie.covariates", "regenie.phenotypes"}
    assert all("does not exist" in fault["problem"] and fault["remedy"] for fault in faults)


def test_a_launch_that_waits_with_all_of_its_files_goes_on_waiting(listed, repository):
    register(repository)

    assert list_inputs.handler({"launchId": "launch-1", "check": True}, CONTEXT)["inputs"]
