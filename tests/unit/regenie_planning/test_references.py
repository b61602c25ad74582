"""Which of the stage's reference files a launch has, and why not."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from genolaunch.launch_configs.regenie_config import RegenieLaunch
from genolaunch.shared import aws
from lambdas.regenie.references import FoundReferences, StageReferences

FILES = {"folder": "references/GRCh38/", "genes": "genes.gff3.gz", "known": "known.tsv"}


@pytest.fixture(autouse=True)
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Given: a bucket with the files of GRCh38, but without known.tsv."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        aws.client.cache_clear()
        client = boto3.client("s3")
        client.create_bucket(Bucket="data")
        for name in ("genes.gff3.gz", "genes.gff3.gz.tbi", "readme.txt"):
            client.put_object(Bucket="data", Key=f"references/GRCh38/{name}", Body=b"four")
        yield
    aws.client.cache_clear()


def found(stage: dict[str, Any] | None = None, **given: Any) -> FoundReferences:
    """What a launch has."""
    regenie = {"genotypes": "c.bed", "phenotypes": "p.txt", "traits": ["height"], "trait_type": "quantitative"}
    regenie |= {"genome_build": given.pop("genome_build", "GRCh38")}
    config = {"name": "x", "workflow": "regenie", "data": "cohort/", "regenie": regenie, **given}
    by_build = {"GRCh38": FILES} if stage is None else stage
    return StageReferences(by_build).of(RegenieLaunch.model_validate(config), "data")


def test_files_that_are_there_are_linked_and_others_named():
    references = found()
    assert references.files == {"genes": "references/genes.gff3.gz"}
    assert references.uri == "s3://data/references/GRCh38/"
    assert references.why_not == "s3://data/references/GRCh38/ lacks known.tsv"
    assert references.size == 8  # with the index, without what is not used


def test_files_that_lie_below_the_data_are_read_there_and_so_imported():
    references = found(data="s3://data/")
    assert references.files == {"genes": "data/references/GRCh38/genes.gff3.gz"}
    assert references.uri == ""  # no link of their own
    assert references.below_data == ["references/GRCh38/genes.gff3.gz"]
    assert found().below_data == []


def test_a_replaced_file_changes_the_fingerprint():
    before = found().fingerprint
    assert found().fingerprint == before
    boto3.client("s3").put_object(Bucket="data", Key="references/GRCh38/genes.gff3.gz", Body=b"other")
    assert found().fingerprint != before


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"stage": {}}, "the stage names no reference files (setting references)"),
        ({"genome_build": None}, "the launch does not state its genome_build"),
        ({"genome_build": "GRCh37"}, "the stage names no reference files of GRCh37"),
        ({"compute": "parallelcluster"}, "launches on a cluster do not read the stage's reference files"),
        (
            {"data": "references/GRCh38/cohort/"},
            "the launch's data lies inside the folder of the reference files, s3://data/references/GRCh38/",
        ),
    ],
)
def test_without_any_the_reason_is_told(given, words):
    references = found(**given)
    assert (references.files, references.uri, references.why_not) == ({}, "", words)


def test_a_bucket_that_cannot_be_read_is_a_reason_too():
    references = found({"GRCh38": {**FILES, "folder": "s3://elsewhere-not-there/x/"}})
    assert references.files == {}
    assert references.why_not.startswith("s3://elsewhere-not-there/x/ cannot be read: ")


def test_files_inside_the_data_need_no_link_of_their_own():
    references = found(data="references/")
    assert (references.files, references.uri) == ({"genes": "data/GRCh38/genes.gff3.gz"}, "")
