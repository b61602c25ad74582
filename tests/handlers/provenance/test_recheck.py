"""`genolaunch verify` reads what the function describe_run wrote, and finds every difference."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from genolaunch.contract.launch import Status as LaunchStatus
from genolaunch.contract.results import results_prefix
from genolaunch.errors import GenolaunchError
from genolaunch.launch import Launch
from genolaunch.recheck import Checked, FileCheck, Recheck, Role, State, recheck
from lambdas.provenance import listing
from tests.handlers.provenance.conftest import DATA, LAUNCH, RESULTS, Stage
from tests.handlers.provenance.test_describe_run import FAILED

End = Callable[..., Stage]
STATISTICS = "gwas/height.regenie.gz"


def again(stage: Stage, *, with_inputs: bool = False, by_content: bool = False) -> Recheck:
    """When: the launch's files are compared with its crate."""
    platform: Any = SimpleNamespace(s3=stage.s3, names=SimpleNamespace(results_bucket=RESULTS))
    launch = Launch(LAUNCH, "height", LaunchStatus.COMPLETE)
    return recheck(platform, launch, with_inputs=with_inputs, by_content=by_content)


def others(result: Recheck) -> list[FileCheck]:
    return [file for file in result.files if file.state is not State.SAME]


@pytest.fixture
def described(gwas: End) -> Stage:
    """Given: a GWAS that is over and described."""
    stage = gwas()
    stage.describe()
    return stage


@pytest.mark.parametrize(("with_inputs", "by_content"), [(False, False), (True, False), (False, True)])
def test_nothing_changed(described: Stage, by_content: bool, with_inputs: bool) -> None:
    result = again(described, with_inputs=with_inputs, by_content=by_content)

    assert others(result) == []
    assert result.holds
    assert result.attempt == 1
    checked = {file.uri.rpartition("/")[2]: file.checked for file in result.files}
    assert checked["height.regenie.gz"] is (Checked.SHA256 if by_content else Checked.ETAG)
    assert ("cohort.bed" in checked) is with_inputs


def test_a_file_of_another_size_is_named(described: Stage) -> None:
    described.left(STATISTICS, b"fewer")

    (other,) = others(again(described))
    assert (other.state, other.checked) == (State.CHANGED, Checked.SIZE)
    assert other.difference == "size 10 → 5 bytes"
    assert other.uri.endswith(STATISTICS)


def test_a_file_that_was_put_again_is_told_by_its_etag(described: Stage) -> None:
    described.left(STATISTICS, b"STATISTICS")

    (other,) = others(again(described))
    assert (other.state, other.checked) == (State.CHANGED, Checked.ETAG)


def test_content_is_compared_by_digest(described: Stage) -> None:
    """The input's is not the one that planning recorded, as its ETag is."""
    described.left(STATISTICS, b"STATISTICS")

    results = again(described, with_inputs=True, by_content=True)
    found = {file.uri.rpartition("/")[2]: file for file in others(results)}
    assert found.keys() == {"height.regenie.gz", "cohort.bed"}
    assert all(file.checked is Checked.SHA256 for file in found.values())


def test_the_same_bytes_put_again_are_the_same_by_content(described: Stage) -> None:
    """An upload in parts has another ETag."""
    key = results_prefix(LAUNCH) + STATISTICS
    upload = described.s3.create_multipart_upload(Bucket=RESULTS, Key=key)["UploadId"]
    part = described.s3.upload_part(Bucket=RESULTS, Key=key, UploadId=upload, PartNumber=1, Body=b"statistics")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    described.s3.complete_multipart_upload(Bucket=RESULTS, Key=key, UploadId=upload, MultipartUpload=parts)

    assert [file.state for file in others(again(described))] == [State.CHANGED]
    assert again(described, by_content=True).holds


@pytest.mark.parametrize("by_content", [False, True])
def test_a_file_that_is_gone_is_missing(described: Stage, by_content: bool) -> None:
    described.s3.delete_object(Bucket=RESULTS, Key=results_prefix(LAUNCH) + STATISTICS)

    (other,) = others(again(described, by_content=by_content))
    assert other.state is State.MISSING


def test_files_that_came_since_are_nobodys_business(described: Stage) -> None:
    described.left("notes.txt", "a reader's")

    assert again(described).holds


def test_changed_inputs_are_told_only_if_asked_for(described: Stage) -> None:
    described.put(DATA, "cohort/cohort.bed", "GENOTYPES")

    assert again(described).holds
    (other,) = others(again(described, with_inputs=True))
    assert (other.role, other.state) == (Role.INPUT, State.CHANGED)
    assert "version v1 is the one described" in (other.difference or "")


def test_inputs_and_outputs_of_a_snakemake_launch_lie_in_one_folder(workflow: End) -> None:
    stage = workflow()
    stage.describe()
    stage.put(DATA, "cohort/reads/a b.fastq", "READS")
    stage.s3.delete_object(Bucket=DATA, Key="cohort/parts/1.txt")

    found = {(file.uri, file.role, file.state) for file in others(again(stage, with_inputs=True))}

    assert found == {
        (f"s3://{DATA}/cohort/reads/a b.fastq", Role.INPUT, State.CHANGED),
        (f"s3://{DATA}/cohort/parts/1.txt", Role.OUTPUT, State.MISSING),
    }


def test_a_folder_of_many_files_is_compared_by_its_digest(gwas: End, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = gwas(**FAILED)
    for chunk in range(30):
        stage.left(f"step2/{chunk:06}/chunk.log", str(chunk))
    monkeypatch.setattr(listing.by_folder, "__defaults__", (20,))
    stage.describe()
    assert again(stage).holds

    stage.left("step2/000007/chunk.log", "8")

    (other,) = others(again(stage))
    assert other.uri.endswith("/step2/")
    assert other.difference == "some of its files are others now (30 files)"


def test_a_folder_with_many_inputs_and_outputs_is_compared_as_a_whole(
    workflow: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever compares sees the folder, and not which of its files jobs made."""
    stage = workflow()
    for number in range(30):
        stage.put(DATA, f"cohort/parts-of/{number:02}.txt", str(number))
    stage.left("launcher/jobs-1.json", {"jobs": [], "made": ["calls.vcf", "parts-of/07.txt"]})
    monkeypatch.setattr(listing.by_folder, "__defaults__", (20,))
    entities = stage.describe()

    folder = f"s3://{DATA}/cohort/parts-of/"
    assert entities[folder]["contentSize"] == str(10 + 2 * 20)
    assert {"@id": folder} in entities["#attempt-1"]["result"]
    assert again(stage, with_inputs=True).holds

    stage.put(DATA, "cohort/parts-of/12.txt", "21")

    assert [file.uri for file in others(again(stage))] == [folder]


def test_a_launch_without_a_crate_is_told_so(gwas: End) -> None:
    with pytest.raises(GenolaunchError, match="has no description of its run"):
        again(gwas())


@pytest.mark.parametrize("content", [b"{}", b"no JSON", b'{"@graph": [{"@id": "./", "identifier": "another"}]}'])
def test_what_is_no_crate_of_the_launch_is_told_so(described: Stage, content: bytes) -> None:
    described.left("ro-crate-metadata.json", content)

    with pytest.raises(GenolaunchError, match="does not describe a run of launch"):
        again(described)
