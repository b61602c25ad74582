"""Launches that are over, in moto: their items, and what they left in the buckets."""

import hashlib
import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from genolaunch.contract.launch import LaunchField, Status
from genolaunch.contract.results import results_prefix
from lambdas.provenance import describe_run
from lambdas.shared.attributes import to_item
from lambdas.shared.launch import Launch
from tests.handlers.conftest import LAUNCH_TABLE, REGION

LAUNCH = "height-20261201t080000-1a2b3c4d"
RESULTS, DATA, LAUNCHES = "results-bucket", "data-bucket", "launch-bucket"
MACHINE = {"StartAt": "Plan", "States": {"Plan": {"Type": "Succeed"}}}
SUBMITTED = b"name: height\nworkflow: regenie\n"
IMAGE = "111111111111.dkr.ecr.eu-central-1.amazonaws.com/mirror/regenie:4.1.2"
CONTEXT: Any = SimpleNamespace(
    function_name="describe-run",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:describe-run",
    aws_request_id="request",
)
Crate = dict[str, dict[str, Any]]
"""@id -> entity."""


class Stage:
    """Its buckets and its launch table, which tests fill."""

    def __init__(self) -> None:
        self.s3 = boto3.client("s3")
        for bucket in (RESULTS, DATA, LAUNCHES):
            self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.execution = self._execution()

    def _execution(self) -> str:
        """ARN of an execution of MACHINE."""
        states = boto3.client("stepfunctions")
        role = "arn:aws:iam::123456789012:role/states"
        machine = states.create_state_machine(name="regenie", definition=json.dumps(MACHINE), roleArn=role)
        return str(states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"])

    def launch(self, config: dict[str, Any], **changes: Any) -> None:
        """Given: a launch that is over; `changes` are attributes of its item."""
        launch = Launch(
            launch_id=LAUNCH,
            name="height",
            status=Status.COMPLETE,
            submitted_at="2026-12-01T08:00:00.000Z",
            attempt=1,
            workflow=config["workflow"],
            compute_service="batch-spot",
            data_path=f"s3://{DATA}/cohort/",
            config_uri=f"s3://{LAUNCHES}/launches/height.yaml",
            config_json=json.dumps(config),
            config_sha256=hashlib.sha256(SUBMITTED).hexdigest(),
            requested_by="AWS:AROAEXAMPLE:alice",
            started_at="2026-12-01T08:00:01.000Z",
            ended_at="2026-12-01T09:00:00.000Z",
            workflow_execution_arn=self.execution,
            events=[
                {"status": "SUBMITTED", "at": "2026-12-01T08:00:00.000Z"},
                {"status": "RUNNING", "at": "2026-12-01T08:00:01.000Z"},
                {"status": "COMPLETE", "at": "2026-12-01T09:00:00.000Z"},
            ],
            cost_history={"1": {"totalCost": "1.250000", "costUri": "s3://…", "pricedAt": "2026-12-01T09:05:00.000Z"}},
        )
        item = {**launch.item(), **changes}
        boto3.client("dynamodb").put_item(TableName=LAUNCH_TABLE, Item=to_item(item))

    def left(self, path: str, content: bytes | str | dict[str, Any] = "x") -> dict[str, Any]:
        """Given: a file in the launch's folder of results; answers its object."""
        return self.put(RESULTS, results_prefix(LAUNCH) + path, content)

    def put(self, bucket: str, key: str, content: bytes | str | dict[str, Any] = "x") -> dict[str, Any]:
        body = json.dumps(content) if isinstance(content, dict) else content
        self.s3.put_object(Bucket=bucket, Key=key, Body=body)
        return dict(self.s3.head_object(Bucket=bucket, Key=key))

    def describe(self, attempt: int = 1) -> Crate:
        """When: the launch is described. Answers what its crate then says."""
        answer = describe_run.handler({"launchId": LAUNCH, "attempt": attempt}, CONTEXT)
        crate = self.crate()
        assert answer == {"entities": len(crate["@graph"])}
        entities = {entity["@id"]: entity for entity in crate["@graph"]}
        assert len(entities) == len(crate["@graph"]), "an entity is described twice"
        return entities

    def crate(self) -> dict[str, Any]:
        key = results_prefix(LAUNCH) + "ro-crate-metadata.json"
        return dict(json.loads(self.s3.get_object(Bucket=RESULTS, Key=key)["Body"].read()))

    def text(self, path: str) -> bytes:
        return bytes(self.s3.get_object(Bucket=RESULTS, Key=results_prefix(LAUNCH) + path)["Body"].read())


@pytest.fixture
def stage(repository: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Given: a stage without launches."""
    assert LaunchField.LAUNCH_ID
    monkeypatch.setenv("RESULTS_BUCKET", RESULTS)
    monkeypatch.setenv("LAUNCH_BUCKET", LAUNCHES)
    describe_run.settings.cache_clear()
    yield Stage()
    describe_run.settings.cache_clear()


REGENIE = {
    "name": "height",
    "workflow": "regenie",
    "data": "cohort/",
    "regenie": {"genotypes": "cohort.bed", "version": "4.1.2"},
}
SNAKEMAKE = {
    "name": "exome",
    "workflow": "snakemake",
    "data": "cohort/",
    "snakemake": {"snakefile": "s3://x/Snakefile"},
}


@pytest.fixture
def gwas(stage: Stage) -> Callable[..., Stage]:
    """Given: a GWAS that is over, with all that it leaves."""

    def end(**changes: Any) -> Stage:
        stage.launch(REGENIE, **changes)
        stage.put(LAUNCHES, "launches/height.yaml", SUBMITTED)
        bed = stage.put(DATA, "cohort/cohort.bed", b"genotypes")
        stage.left("launch.json", {"launchId": LAUNCH, "attempt": 1, "analysed": {"image": IMAGE}})
        stage.left(
            "inputs.json",
            {
                "attempt": 1,
                "files": [
                    {
                        "bucket": DATA,
                        "key": "cohort/cohort.bed",
                        "place": "data/cohort.bed",
                        "size": 9,
                        "etag": bed["ETag"],
                        "lastModified": "2026-11-01T08:00:00+00:00",
                        "versionId": "v1",
                        "sha256": "ab" * 32,
                    }
                ],
            },
        )
        stage.left("plan/step2.jsonl", '{"command": ["regenie"]}\n')
        stage.left("gwas/")
        stage.left("gwas/height.regenie.gz", b"statistics")
        digest = hashlib.sha256(b"statistics").hexdigest()
        stage.left("gwas/checksums.txt", f"{digest}  gwas/height.regenie.gz\n")
        stage.left("report.html", "<html>")
        stage.left("cost/attempt-1.json", {"totalCost": "1.250000"})
        return stage

    return end


@pytest.fixture
def workflow(stage: Stage) -> Callable[..., Stage]:
    """Given: a Snakemake launch that is over."""

    def end(engine: str = "aws-batch", **changes: Any) -> Stage:
        stage.launch(SNAKEMAKE, name="exome", **changes)
        stage.put(LAUNCHES, "launches/height.yaml", SUBMITTED)
        snakefile = b"rule all: output: 'calls.vcf'"
        digest = hashlib.sha256(snakefile).hexdigest()
        stage.left("launcher/sources-1/workflow/Snakefile", snakefile)
        stage.left(
            "launcher/sources-1.json",
            {"from": "s3://x/", "files": [{"path": "workflow/Snakefile", "size": 1, "etag": "e", "sha256": digest}]},
        )
        image = "quay.io/biocontainers/samtools@sha256:" + "cd" * 32
        sheet = {"engine": engine, "snakefile": "workflow/Snakefile", "containerImage": image}
        stage.left("launcher/run-1.json", sheet)
        stage.left("launcher/jobs-1.json", {"jobs": [], "made": ["calls.vcf", "parts"]})
        stage.left("launcher/snakemake-1.log", "rule all")
        stage.left("report.html", "<html>")
        stage.put(DATA, "cohort/reads/a b.fastq", "reads")
        stage.put(DATA, "cohort/calls.vcf", "calls")
        stage.put(DATA, "cohort/parts/1.txt", "part")
        stage.put(DATA, "cohort/.snakemake/metadata-aws-batch.tar.gz", "notes")
        stage.put(DATA, "cohort-2/other.txt", "another launch's")
        return stage

    return end
