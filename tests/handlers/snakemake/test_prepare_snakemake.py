"""Preparing a launch: its sources are copied and its run sheet written, or every fault is named."""

import hashlib
import json
from dataclasses import replace

import boto3
import pytest

from genolaunch.contract.launch import Status
from genolaunch.shared.input_error import LaunchInputError
from lambdas.shared.launch import Launch
from lambdas.snakemake import prepare_snakemake, sources
from lambdas.snakemake.prepare_snakemake import check, prepare, settings
from tests.handlers.snakemake.conftest import DATA_BUCKET, LAUNCH_BUCKET, LAUNCH_ID, RESULTS_BUCKET, Platform

PREFIX = f"results/{LAUNCH_ID}/launcher/"


def put(key, body="x", bucket=LAUNCH_BUCKET):
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=body)


def stored(key):
    return boto3.client("s3").get_object(Bucket=RESULTS_BUCKET, Key=key)["Body"].read().decode()


def set_config(data="exome", **section):
    values = {"snakefile": "workflows/exome/Snakefile", **section}
    config = {"name": "exome", "workflow": "snakemake", "data": data, "snakemake": values}
    boto3.resource("dynamodb").Table("launches").update_item(
        Key={"launchId": LAUNCH_ID},
        UpdateExpression="SET config = :config",
        ExpressionAttributeValues={":config": json.dumps(config)},
    )


def faults():
    with pytest.raises(LaunchInputError) as refusal:
        prepare(LAUNCH_ID, 1)
    return [(fault.where, fault.problem) for fault in refusal.value.faults]


@pytest.fixture
def uploaded(platform: Platform) -> Platform:
    """Given: sources beside the Snakefile, some of them in folders."""
    put("workflows/exome/Snakefile", "rule all:")
    put("workflows/exome/rules/align.smk", "rule align:")
    put("workflows/exome/rules/", "")
    put("workflows/other/Snakefile")
    return platform


def test_the_run_sheet_says_everything_and_the_sources_are_the_attempts_own(uploaded: Platform):
    answer = prepare(LAUNCH_ID, 1)

    assert answer["runSheet"] == f"s3://{RESULTS_BUCKET}/{PREFIX}run-1.json"
    sheet = json.loads(stored(f"{PREFIX}run-1.json"))
    sheet["tibanna"].pop("token")
    assert sheet == {
        "launchId": LAUNCH_ID,
        "attempt": 1,
        "engine": "tibanna",
        "sources": f"s3://{RESULTS_BUCKET}/{PREFIX}sources-1/",
        "snakefile": "Snakefile",
        "targets": [],
        "config": {},
        "spot": True,
        "retries": 3,
        "jobs": 100,
        "containerImage": "image:1",
        "ownImage": False,
        "remotePrefix": f"{DATA_BUCKET}/exome",
        "resultsUri": f"s3://{RESULTS_BUCKET}/results/{LAUNCH_ID}/",
        "tibanna": {"logBucket": "logs", "behaviorOnCapacityLimit": "retry_without_spot"},
    }
    assert stored(f"{PREFIX}sources-1/rules/align.smk") == "rule align:"
    listed = boto3.client("s3").list_objects_v2(Bucket=RESULTS_BUCKET, Prefix=f"{PREFIX}sources-1/")["Contents"]
    assert len(listed) == 2


def test_a_later_attempt_takes_the_sources_as_they_are_then(uploaded: Platform):
    prepare(LAUNCH_ID, 1)
    put("workflows/exome/Snakefile", "rule mended:")
    prepare(LAUNCH_ID, 2)

    assert stored(f"{PREFIX}sources-1/Snakefile") == "rule all:"
    assert stored(f"{PREFIX}sources-2/Snakefile") == "rule mended:"


def test_what_a_launch_says_goes_before_what_the_stage_says(uploaded: Platform, monkeypatch):
    set_config(container_image="lab/exome:1", targets=["calls.vcf"], data="s3://lab-data/run42")
    prepare(LAUNCH_ID, 1)

    sheet = json.loads(stored(f"{PREFIX}run-1.json"))
    assert (sheet["containerImage"], sheet["targets"]) == ("lab/exome:1", ["calls.vcf"])
    assert sheet["remotePrefix"] == "lab-data/run42"
    assert sheet["ownImage"] is True


def test_a_project_in_snakemakes_own_layout_is_taken_with_its_config(platform: Platform):
    for path in ("workflow/Snakefile", "workflow/rules/a.smk", "config/config.yaml", "samples.tsv", "results/big.bam"):
        put(f"workflows/exome/{path}")
    set_config(snakefile="workflows/exome/workflow/Snakefile")

    prepare(LAUNCH_ID, 1)

    sheet = json.loads(stored(f"{PREFIX}run-1.json"))
    assert sheet["snakefile"] == "workflow/Snakefile"
    listed = boto3.client("s3").list_objects_v2(Bucket=RESULTS_BUCKET, Prefix=f"{PREFIX}sources-1/")["Contents"]
    assert sorted(item["Key"].removeprefix(f"{PREFIX}sources-1/") for item in listed) == [
        "config/config.yaml",
        "samples.tsv",
        "workflow/Snakefile",
        "workflow/rules/a.smk",
    ]


@pytest.mark.parametrize("folder", ["workflows/exome/workflow", "workflows/workflow", "snakefiles/workflow"])
def test_a_folder_called_workflow_with_nothing_beside_it_is_all_the_sources(platform: Platform, folder):
    put(f"{folder}/Snakefile")
    put("workflows/other/config/config.yaml")
    set_config(snakefile=f"{folder}/Snakefile")

    prepare(LAUNCH_ID, 1)

    assert json.loads(stored(f"{PREFIX}run-1.json"))["snakefile"] == "Snakefile"


def test_tibannas_token_is_in_the_run_sheet_alone_and_what_is_answered_is_its_digest(uploaded: Platform):
    answer = prepare(LAUNCH_ID, 1)

    token = json.loads(stored(f"{PREFIX}run-1.json"))["tibanna"]["token"]
    assert len(token) >= 43  # 256 bits
    assert answer["rights"] == {
        "engine": "tibanna",
        "tags": {
            "dataBucket": DATA_BUCKET,
            "dataFolder": "exome/",
            "tokenSha256": hashlib.sha256(token.encode()).hexdigest(),
        },
    }
    assert token not in json.dumps(answer)


@pytest.mark.parametrize("data", ["s3://lab-data/", "exome,wgs", "exome~1", "x" * 257])
def test_data_that_no_role_can_be_tagged_with_is_a_fault(uploaded: Platform, data: str):
    set_config(data=data)

    ((where, problem),) = faults()

    assert where == "data"
    assert "whole bucket" in problem or "no role of a launch can be tagged with" in problem


def test_the_cores_and_triggers_of_a_workflow_are_in_the_run_sheet(uploaded: Platform):
    set_config(cores=16, rerun_triggers=["mtime"])
    prepare(LAUNCH_ID, 1)

    sheet = json.loads(stored(f"{PREFIX}run-1.json"))
    assert (sheet["cores"], sheet["rerunTriggers"]) == (16, ["mtime"])


def test_with_aws_batch_the_run_sheet_names_a_job_definition_to_register(uploaded: Platform, monkeypatch):
    engine = {"containerImage": "jobs:1", "executionRoleArn": "agent", "jobLogGroup": "/jobs"}
    batch = "arn:aws:batch:eu-west-1:111111111111"
    start = f"{batch}:job-queue/genolaunch-dev"
    monkeypatch.setenv("ENGINES", json.dumps({"aws-batch": engine}))
    monkeypatch.setenv("PLACEMENTS", json.dumps({"queues": start, "zones": {"a": "subnet-1"}}))
    set_config(engine="aws-batch")

    answer = prepare(LAUNCH_ID, 1)

    definition = answer["jobDefinition"]
    assert (definition["name"], definition["image"]) == (f"{LAUNCH_ID}-1", "jobs:1")
    given = json.loads(stored(f"{PREFIX}run-1.json"))["awsBatch"]
    assert given["jobDefinition"] == f"{batch}:job-definition/{definition['name']}:1"
    assert answer["rights"]["tags"] == {
        "dataBucket": DATA_BUCKET,
        "dataFolder": "exome/",
        "queue": "genolaunch-dev-snakemake-batch-spot-low",
        "onDemandQueue": "genolaunch-dev-snakemake-batch-on-demand-low",
        "share": given["shareIdentifier"],
    }
    # Never those of a zone: their hosts are of regenie's jobs.
    assert given["jobQueue"] == f"{start}-snakemake-batch-spot-low"
    assert given["onDemandQueue"] == f"{start}-snakemake-batch-on-demand-low"


def test_with_tibanna_there_is_nothing_to_register(uploaded: Platform):
    assert "jobDefinition" not in prepare(LAUNCH_ID, 1)


def test_every_fault_is_named_at_once(platform: Platform):
    set_config(data="s3://elsewhere/x", engine="aws-batch", snakefile="workflows/none/Snakefile")

    assert [where for where, _ in faults()] == ["snakemake.engine", "data", "snakemake.snakefile"]


def test_a_bucket_that_is_not_to_be_read_is_a_fault(platform: Platform):
    set_config(snakefile="s3://not-there/a/Snakefile")

    ((where, problem),) = faults()
    assert where == "snakemake.snakefile"
    assert "may not read" in problem


def test_archived_sources_are_a_fault(uploaded: Platform):
    boto3.client("s3").put_object(
        Bucket=LAUNCH_BUCKET, Key="workflows/exome/scripts/old.py", Body="x", StorageClass="GLACIER"
    )

    ((where, problem),) = faults()

    assert where == "snakemake.snakefile"
    assert "scripts/old.py, which is archived (GLACIER)" in problem


def test_data_among_the_sources_is_a_fault(uploaded: Platform, monkeypatch):
    monkeypatch.setattr(sources, "MOST_BYTES", 10)

    ((_, problem),) = faults()
    assert "which are all taken for sources" in problem


def test_two_launches_do_not_work_in_one_folder(uploaded: Platform):
    repository = uploaded.repository
    mine = repository.get(LAUNCH_ID)
    assert mine is not None
    repository.register(
        replace(mine, launch_id="later-1", attempt=0, status=Status.SUBMITTED, execution_arn=None), "other"
    )
    repository.claim("later-1", "other-execution")

    prepare(LAUNCH_ID, 1)  # it was first
    with pytest.raises(LaunchInputError) as refusal:
        prepare("later-1", 1)
    assert LAUNCH_ID in str(refusal.value.faults)


def test_a_launch_that_waits_hears_what_is_wrong_with_its_sources_and_nothing_is_copied(uploaded: Platform):
    check(LAUNCH_ID)
    set_config(snakefile="workflows/exom/Snakefile", data="s3://elsewhere/exome")

    with pytest.raises(LaunchInputError) as refusal:
        check(LAUNCH_ID)

    assert {fault.where for fault in refusal.value.faults} == {"snakemake.snakefile", "data"}
    assert "Contents" not in boto3.client("s3").list_objects_v2(Bucket=RESULTS_BUCKET)


@pytest.fixture
def encryption_wanted(monkeypatch) -> None:
    """Given: a stage that wants the volumes of Tibanna's instances encrypted."""
    monkeypatch.setenv("ENCRYPTED_VOLUMES", "required")
    settings.cache_clear()


@pytest.mark.parametrize("ask", [lambda: prepare(LAUNCH_ID, 1), lambda: check(LAUNCH_ID)])
def test_where_volumes_are_not_encrypted_by_default_the_launch_hears_so_before_anything_is_made(
    uploaded: Platform, encryption_wanted, ask
):
    boto3.client("ec2").disable_ebs_encryption_by_default()

    with pytest.raises(LaunchInputError) as refusal:
        ask()

    (fault,) = refusal.value.faults
    assert fault.where == "snakemake.engine"
    assert "does not encrypt EBS volumes by default in eu-central-1" in fault.problem
    assert "aws ec2 enable-ebs-encryption-by-default --region eu-central-1" in fault.remedy
    assert "Contents" not in boto3.client("s3").list_objects_v2(Bucket=RESULTS_BUCKET)


def test_where_volumes_are_encrypted_by_default_the_launch_is_prepared(uploaded: Platform, encryption_wanted):
    boto3.client("ec2").enable_ebs_encryption_by_default()

    assert prepare(LAUNCH_ID, 1)["runSheet"]


def test_a_stage_that_does_without_encryption_does_not_ask(uploaded: Platform):
    boto3.client("ec2").disable_ebs_encryption_by_default()

    assert prepare(LAUNCH_ID, 1)["runSheet"]


def test_another_engine_does_without(uploaded: Platform, encryption_wanted, monkeypatch):
    boto3.client("ec2").disable_ebs_encryption_by_default()
    monkeypatch.setenv("ENGINES", json.dumps({"aws-batch": {}}))
    settings.cache_clear()
    set_config(engine="aws-batch")

    check(LAUNCH_ID)


def test_what_was_copied_is_recorded_with_digests(uploaded: Platform):
    prepare(LAUNCH_ID, 1)

    record = json.loads(stored(f"{PREFIX}sources-1.json"))
    assert record["from"] == f"s3://{LAUNCH_BUCKET}/workflows/exome/"
    assert [(file["path"], file["size"], file["sha256"]) for file in record["files"]] == [
        (path, len(text), hashlib.sha256(text.encode()).hexdigest())
        for path, text in (("Snakefile", "rule all:"), ("rules/align.smk", "rule align:"))
    ]


def test_sources_that_are_replaced_while_they_are_copied_are_a_fault(uploaded: Platform, monkeypatch):
    find = sources.find_sources

    def find_and_replace(uri):
        found = find(uri)
        put("workflows/exome/rules/align.smk", "rule other:")
        return found

    monkeypatch.setattr(prepare_snakemake, "find_sources", find_and_replace)
    assert faults() == [
        (
            "snakemake.snakefile",
            "lies beside rules/align.smk, which was replaced or deleted while the sources were copied",
        )
    ]


def running(platform: Platform, folder: str) -> None:
    """Given: another launch that was claimed before, and works in a folder."""
    other = Launch(
        "other", "other", Status.SUBMITTED, "2026-01-01T04:00:00.000Z", workflow="snakemake", data_path=folder
    )
    platform.repository.register(other, "another fingerprint")
    platform.repository.claim("other", "another execution")
    boto3.resource("dynamodb").Table("launches").update_item(
        Key={"launchId": "other"},
        UpdateExpression="SET startedAt = :at",
        ExpressionAttributeValues={":at": "2026-01-01T04:00:00.000Z"},
    )


@pytest.mark.parametrize("folder", ["exome/", "exome/part/", ""])
def test_a_launch_gives_way_to_one_that_works_in_its_folder_or_around_it(uploaded: Platform, folder):
    running(uploaded, f"s3://{DATA_BUCKET}/{folder}")
    assert [where for where, _ in faults()] == ["data"]


def test_a_launch_beside_is_not_in_the_way(uploaded: Platform):
    running(uploaded, f"s3://{DATA_BUCKET}/exome2/")
    prepare(LAUNCH_ID, 1)
