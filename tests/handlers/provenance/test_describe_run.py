"""A launch that is over is described: what ran, what was read and made, by whom, when, and for how much."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from genolaunch.contract.launch import Status
from genolaunch.contract.results import results_prefix
from genolaunch.shared import aws
from lambdas.provenance import describe_run, listing
from tests.handlers.provenance.conftest import (
    CONTEXT,
    DATA,
    IMAGE,
    LAUNCH,
    LAUNCHES,
    MACHINE,
    REGENIE,
    RESULTS,
    SUBMITTED,
    Stage,
)

End = Callable[..., Stage]
ACTION = "#attempt-1"


def ids(value: Any) -> set[str]:
    """References of a property, one or many."""
    return {each["@id"] for each in (value if isinstance(value, list) else [value] if value else [])}


def test_a_gwas_is_described_with_its_inputs_outputs_cost_and_person(gwas: End) -> None:
    entities = gwas().describe()

    action = entities[ACTION]
    assert action["@type"] == "CreateAction"
    assert action["actionStatus"] == "http://schema.org/CompletedActionStatus"
    assert "error" not in action
    assert (action["startTime"], action["endTime"]) == (
        "2026-12-01T08:00:01.000+00:00",
        "2026-12-01T09:00:00.000+00:00",
    )
    assert ids(action["result"]) == {"gwas/height.regenie.gz", "gwas/checksums.txt", "report.html"}
    assert f"s3://{DATA}/cohort/cohort.bed" in ids(action["object"])
    assert entities["#cost"]["value"] == "1.250000"
    (person,) = ids(action["agent"])
    assert entities[person]["name"] == "AWS:AROAEXAMPLE:alice"


def test_an_input_is_described_as_planning_recorded_it(gwas: End) -> None:
    bed = gwas().describe()[f"s3://{DATA}/cohort/cohort.bed"]

    assert (bed["contentSize"], bed["version"], bed["sha256"]) == ("9", "v1", "ab" * 32)
    assert bed["etag"] == hashlib.md5(b"genotypes").hexdigest()
    assert bed["dateModified"] == "2026-11-01T08:00:00+00:00"


def test_an_output_has_the_digest_that_the_merge_wrote_down_and_the_report_its_own(gwas: End) -> None:
    entities = gwas().describe()

    assert entities["gwas/height.regenie.gz"]["sha256"] == hashlib.sha256(b"statistics").hexdigest()
    assert entities["report.html"]["sha256"] == hashlib.sha256(b"<html>").hexdigest()
    assert "gwas/" not in entities, "a folder that a file system exported is no file"


def test_what_tells_of_the_run_says_so(gwas: End) -> None:
    entities = gwas().describe()

    assert entities["plan/step2.jsonl"]["about"] == {"@id": ACTION}
    assert entities["plan/step2.jsonl"]["description"].startswith("Commands")
    assert "about" not in entities["gwas/height.regenie.gz"]


def test_config_and_state_machine_lie_beside_it(gwas: End) -> None:
    stage = gwas()
    entities = stage.describe()

    assert stage.text("provenance/submitted/height.yaml") == SUBMITTED
    assert json.loads(stage.text("provenance/config.json"))["regenie"]["genotypes"] == "cohort.bed"
    assert json.loads(stage.text("provenance/workflow.asl.json")) == MACHINE
    assert entities["./"]["mainEntity"] == entities[ACTION]["instrument"] == {"@id": "provenance/workflow.asl.json"}
    assert {"provenance/config.json", "provenance/submitted/height.yaml"} <= ids(entities[ACTION]["object"])


@pytest.mark.parametrize("there", [b"edited since", None])
def test_a_dropped_file_that_is_another_one_now_is_left_out(gwas: End, there: bytes | None) -> None:
    stage = gwas()
    if there is None:
        stage.s3.delete_object(Bucket=LAUNCHES, Key="launches/height.yaml")
    else:
        stage.put(LAUNCHES, "launches/height.yaml", there)

    assert not [id_ for id_ in stage.describe() if id_.startswith("provenance/submitted/")]


def test_everything_named_is_described_and_every_file_is_part_of_the_crate(gwas: End, workflow: End) -> None:
    for entities in (gwas().describe(), workflow().describe()):
        for entity in entities.values():
            for name, value in entity.items():
                if not isinstance(value, dict | list) or name in ("conformsTo", "additionalType", "@type"):
                    continue
                assert ids(value) <= entities.keys(), (entity["@id"], name)
        files = {id_ for id_, entity in entities.items() if {"File", "Dataset"} & set(_types(entity))} - {"./"}
        assert ids(entities["./"]["hasPart"]) == files


def _types(entity: dict[str, Any]) -> list[str]:
    return entity["@type"] if isinstance(entity["@type"], list) else [entity["@type"]]


# --- Snakemake -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("engine", "version"), [("aws-batch", "9"), ("tibanna", "7")])
def test_a_snakefile_is_the_workflow_and_what_no_job_made_is_its_input(
    workflow: End, engine: str, version: str
) -> None:
    entities = workflow(engine).describe()

    snakefile = entities["launcher/sources-1/workflow/Snakefile"]
    assert entities["./"]["mainEntity"] == {"@id": snakefile["@id"]}
    assert set(snakefile["@type"]) == {"File", "SoftwareSourceCode", "ComputationalWorkflow"}
    assert entities["https://snakemake.readthedocs.io/"]["softwareVersion"] == version
    action = entities[ACTION]
    assert ids(action["result"]) == {
        "report.html",
        f"s3://{DATA}/cohort/calls.vcf",
        f"s3://{DATA}/cohort/parts/1.txt",
    }
    assert {id_ for id_ in ids(action["object"]) if id_.startswith("s3:")} == {f"s3://{DATA}/cohort/reads/a%20b.fastq"}
    assert "SoftwareSourceCode" in entities["provenance/workflow.asl.json"]["@type"]


def test_an_image_that_is_named_by_its_digest_is_described_by_it(workflow: End) -> None:
    (image,) = ids(workflow().describe()[ACTION]["containerImage"])
    described = workflow().describe()[image]

    assert described["registry"] == "quay.io"
    assert described["name"] == "biocontainers/samtools"
    assert described["sha256"] == "cd" * 32
    assert "tag" not in described


# --- Images --------------------------------------------------------------------------------------------------------
def _push(monkeypatch: pytest.MonkeyPatch, pushed_at: datetime) -> str:
    """Given: the image is in ECR since then; its digest."""
    digest = "sha256:" + "12" * 32
    details = {"imageDetails": [{"imageDigest": digest, "imagePushedAt": pushed_at}]}

    def describe_images(**request: Any) -> dict[str, Any]:
        assert request == {
            "registryId": "111111111111",
            "repositoryName": "mirror/regenie",
            "imageIds": [{"imageTag": "4.1.2"}],
        }
        return details

    monkeypatch.setattr(aws.client("ecr"), "describe_images", describe_images)
    return digest.removeprefix("sha256:")


def test_the_digest_behind_a_tag_is_ecrs(gwas: End, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = _push(monkeypatch, datetime(2026, 11, 1, tzinfo=UTC))

    entities = gwas().describe()
    (image,) = ids(entities[ACTION]["containerImage"])

    assert entities[image]["identifier"] == IMAGE
    assert (entities[image]["tag"], entities[image]["sha256"]) == ("4.1.2", digest)


def test_a_tag_that_was_pushed_since_the_launch_began_is_nobodys_digest(
    gwas: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    _push(monkeypatch, datetime(2026, 12, 1, 8, 30, tzinfo=UTC))

    entities = gwas().describe()
    (image,) = ids(entities[ACTION]["containerImage"])

    assert "sha256" not in entities[image]


def test_a_registry_that_does_not_tell_is_no_fault(gwas: End) -> None:
    """Moto's has no such repository."""
    entities = gwas().describe()
    (image,) = ids(entities[ACTION]["containerImage"])

    assert (entities[image]["tag"], "sha256" in entities[image]) == ("4.1.2", False)


# --- Launches that did not go well ---------------------------------------------------------------------------------
FAILED = {
    "status": Status.FAILED,
    "error": {"type": "OutOfMemoryError", "message": "Step 2 ran out of memory."},
    "events": [
        {"status": "SUBMITTED", "at": "2026-12-01T08:00:00.000Z"},
        {"status": "RUNNING", "at": "2026-12-01T08:00:01.000Z"},
        {"status": "FAILED", "at": "2026-12-01T09:00:00.000Z"},
    ],
}


def test_a_launch_that_failed_says_why(gwas: End) -> None:
    stage = gwas(**FAILED)
    entities = stage.describe()

    assert entities[ACTION]["actionStatus"] == "http://schema.org/FailedActionStatus"
    assert entities[ACTION]["error"] == "OutOfMemoryError: Step 2 ran out of memory."
    assert "sha256" not in entities["gwas/height.regenie.gz"], "the digests may be an earlier attempt's"


def test_what_failed_before_its_workflow_began_is_described_by_its_config(stage: Stage) -> None:
    stage.launch(REGENIE, **FAILED, workflowExecutionArn=None)
    entities = stage.describe()

    assert entities[ACTION]["@type"] == "ActivateAction"
    assert "result" not in entities[ACTION]
    assert entities["./"]["mainEntity"] == {"@id": "provenance/config.json"}


def test_inputs_and_images_of_an_earlier_attempt_are_not_this_ones(gwas: End) -> None:
    stage = gwas(**FAILED, attempt=2)
    entities = stage.describe(attempt=2)

    assert not [id_ for id_ in entities if id_.startswith(f"s3://{DATA}")]
    assert "containerImage" not in entities["#attempt-2"]


def test_who_cancelled_it_and_why_is_told(gwas: End) -> None:
    cancelled = {
        "status": Status.CANCELLED,
        "events": [
            {"status": "SUBMITTED", "at": "2026-12-01T08:00:00.000Z"},
            {"status": "RUNNING", "at": "2026-12-01T08:00:01.000Z"},
            {
                "status": "CANCEL_REQUESTED",
                "at": "2026-12-01T08:30:00.000Z",
                "action": "cancel",
                "by": "AWS:AROAEXAMPLE:bob",
                "reason": "wrong cohort",
            },
            {"status": "CANCELLED", "at": "2026-12-01T09:00:00.000Z"},
        ],
    }
    entities = gwas(**cancelled).describe()

    asked = entities["#request-2"]
    assert (asked["name"], asked["description"]) == ("cancel", "wrong cohort")
    (person,) = ids(asked["agent"])
    assert entities[person]["name"] == "AWS:AROAEXAMPLE:bob"
    assert "#request-2" in ids(entities["./"]["mentions"])


@pytest.mark.parametrize(
    ("changes", "attempt"),
    [
        ({"attempt": 0, "status": Status.CANCELLED}, 0),
        ({"attempt": 2}, 1),
        ({"status": Status.RETRY}, 1),
    ],
    ids=["it never ran", "a later attempt is the last", "it is to run again"],
)
def test_there_is_nothing_to_describe(gwas: End, changes: dict[str, Any], attempt: int) -> None:
    last = changes.get("status", Status.COMPLETE)
    events = [
        {"status": "SUBMITTED", "at": "2026-12-01T08:00:00.000Z"},
        {"status": last.value, "at": "2026-12-01T09:00:00.000Z"},
    ]
    stage = gwas(**changes, events=events)

    assert describe_run.handler({"launchId": LAUNCH, "attempt": attempt}, CONTEXT) == {"entities": 0}
    left = stage.s3.list_objects_v2(Bucket=RESULTS, Prefix=results_prefix(LAUNCH) + "provenance/")
    assert left["KeyCount"] == 0


def test_described_again_it_says_the_same(gwas: End) -> None:
    stage = gwas()
    first, second = stage.describe(), stage.describe()

    for crate in (first, second):
        del crate["./"]["datePublished"]
        for entity in crate.values():
            entity.pop("sdDatePublished", None)
            entity.pop("dateModified", None)
    assert first == second


# --- Many files ----------------------------------------------------------------------------------------------------
def test_a_folder_of_too_many_files_is_described_by_one_digest(gwas: End, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = gwas(**FAILED)
    etags = [stage.left(f"step2/{chunk:06}/chunk.log", str(chunk))["ETag"].strip('"') for chunk in range(30)]
    monkeypatch.setattr(listing.by_folder, "__defaults__", (20,))

    entities = stage.describe()

    lines = [f"{chunk:06}/chunk.log\t{len(str(chunk))}\t{etags[chunk]}\n" for chunk in range(30)]
    assert entities["step2/"]["sha256"] == hashlib.sha256("".join(lines).encode()).hexdigest()
    assert entities["step2/"]["@type"] == "Dataset"
    assert "gwas/height.regenie.gz" in entities
    assert not [id_ for id_ in entities if id_.startswith("step2/0")]
