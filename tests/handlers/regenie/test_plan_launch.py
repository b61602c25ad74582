"""Planning a launch from S3 to S3."""

import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from genolaunch.contract.launch import Status
from genolaunch.contract.workflow import Workflow
from genolaunch.launch_configs.regenie_config import RegenieLaunch
from genolaunch.regenie.data_set import DataSet
from genolaunch.shared import aws
from genolaunch.shared.input_error import LaunchInputError, UnusableInputError
from lambdas.regenie import sampling, surveying
from lambdas.regenie.plan_launch import handler
from lambdas.shared.launch import Launch
from lambdas.shared.launch_repository import LaunchRepository
from tests.handlers.kept import opened
from tests.handlers.regenie.conftest import CONTEXT, DATA_BUCKET, RESULTS_BUCKET

COHORT = Path(__file__).parents[3] / "examples" / "gwas" / "cohort"


def register(repository: LaunchRepository, launch_id: str = "launch-1", **regenie: Any) -> None:
    """Given: a launch of the demo cohort, changed by `regenie`."""
    config = RegenieLaunch.model_validate(
        {
            "name": "height-gwas",
            "workflow": "regenie",
            "data": "cohort",
            "regenie": {
                "genotypes": "cohort.bed",
                "phenotypes": "phenotypes.txt",
                "covariates": "covariates.txt",
                "traits": ["ldl", "height"],
                "trait_type": "quantitative",
                "step1": {"block_size": 100, "jobs": 3},
                "step2": {"variants_per_job": 200},
                **regenie,
            },
        }
    )
    launch = Launch(
        launch_id,
        "height-gwas",
        Status.SUBMITTED,
        "2026-11-21T04:00:00.000Z",
        workflow=Workflow.REGENIE,
        config_json=config.as_json(),
        requested_by="AWS:AROA:ada",
    )
    repository.register(launch, f"fingerprint of {launch_id}")


@pytest.fixture
def buckets(cloud: None) -> Any:
    """Given: the demo cohort below cohort/ in the data bucket, and an empty results bucket."""
    s3 = boto3.client("s3")
    for bucket in (DATA_BUCKET, RESULTS_BUCKET):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    for file in COHORT.iterdir():
        s3.upload_file(str(file), DATA_BUCKET, f"cohort/{file.name}")
    return s3


def written(s3: Any) -> dict[str, str]:
    """What is in the results bucket."""
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=RESULTS_BUCKET)["Contents"]]
    return {key: s3.get_object(Bucket=RESULTS_BUCKET, Key=key)["Body"].read().decode() for key in keys}


def test_a_plan_has_a_line_for_each_job_of_the_run_sheet(repository: LaunchRepository, buckets: Any):
    register(repository)

    sheet = handler({"launchId": "launch-1", "attempt": 2}, CONTEXT)

    assert sheet["runName"] == "launch-1-2"
    assert (sheet["step1"], sheet["level0Jobs"], sheet["traits"], sheet["step2Jobs"]) == ("split", 3, 2, 6)
    files = written(buckets)
    lines = {Path(key).stem: text.splitlines() for key, text in files.items() if "/plan/" in key}
    assert {phase: len(tasks) for phase, tasks in lines.items()} == {
        "analysed": 1,
        "step1": 0,  # emptied, since this is another attempt
        "split": 1,
        "level0": 3,
        "level1": 2,
        "step2": 6,
        "merge": 2,
        "report": 1,
    }
    assert sum(json.loads(task)["variants"] for task in lines["step2"]) == 1000
    sentinel = json.loads(files["results/launch-1/launch.json"])
    assert (sentinel["launchId"], sentinel["attempt"], sentinel["config"]["name"]) == ("launch-1", 2, "height-gwas")


def test_how_much_of_a_list_the_data_has_is_told(repository: LaunchRepository, buckets: Any):
    buckets.put_object(Bucket=DATA_BUCKET, Key="cohort/gone.txt", Body=b"S0001 S0001\nS0002 S0002\n0 S0003\n")
    register(repository, remove="gone.txt")
    repository.claim("launch-1", "arn:aws:states:eu-central-1:123456789012:execution:launch:1")

    handler({"launchId": "launch-1", "attempt": 1}, CONTEXT)

    table = repository.launch_table
    item = boto3.client("dynamodb").get_item(TableName=table, Key={"launchId": {"S": "launch-1"}})["Item"]

    assert [sentence["S"] for sentence in item["lists"]["L"]] == [
        "remove: 2 of 3 entries are in the data; not: 0_S0003",
        "covariates: the analysis adjusts for age, sex",
        "step1.qc: step 1 takes what passes maf 0.01, mac 100, geno 0.1, hwe 1e-15, mind 0.1 (qc: false takes all); "
        "the report counts the others",
    ]


def test_quality_control_gets_who_is_analysed(repository: LaunchRepository, buckets: Any):
    register(repository, step1={"block_size": 100, "jobs": 3})

    handler({"launchId": "launch-1", "attempt": 1}, CONTEXT)

    files = written(buckets)
    assert files["results/launch-1/plan/analysed.txt"] == "1" * 800
    quality = json.loads(files["results/launch-1/plan/split.jsonl"])["qc"]
    assert quality["analysed"] == "plan/analysed.txt"
    assert quality["analysedSha256"] == hashlib.sha256(b"1" * 800).hexdigest()


def test_a_long_list_of_variants_is_read_in_pieces_and_its_chunks_say_where_they_are(
    repository: LaunchRepository, buckets: Any, monkeypatch: pytest.MonkeyPatch
):
    # Given imputed genotypes whose list of variants counts as a long one, and 8 samples
    monkeypatch.setattr(surveying, "SHORT_LIST_BYTES", 1_000)
    lines = [b"%d\trs%d\t0\t%d\tA\tG\n" % (1 + n // 30_000, n, 1_000_000 + n) for n in range(60_000)]
    put = partial(buckets.put_object, Bucket=DATA_BUCKET)
    put(Key="cohort/imputed.bim", Body=b"".join(lines))
    put(Key="cohort/imputed.fam", Body=b"".join(b"S%04d S%04d 0 0 1 0\n" % (n, n) for n in range(8)))
    put(Key="cohort/imputed.bed", Body=b"\x6c\x1b\x01" + bytes(2 * len(lines)))
    register(repository, step2={"variants_per_job": 10_000, "datasets": [{"genotypes": "imputed.bed"}]})
    monkeypatch.setattr(sampling, "MOST_READ_SHARE", 1)

    sheet = handler({"launchId": "launch-1", "attempt": 1}, CONTEXT)

    plan = written(buckets)["results/launch-1/plan/step2.jsonl"].splitlines()
    pieces = [json.loads(line)["slice"] for line in plan]
    assert sheet["step2Jobs"] == len(pieces) == 6
    assert {piece["path"] for piece in pieces} == {"{data}/imputed.bim"}
    assert [piece["start"] for piece in pieces[1:]] == [piece["end"] for piece in pieces[:-1]]
    assert (pieces[0]["start"], pieces[-1]["end"]) == (0, len(b"".join(lines)))
    merge = json.loads(written(buckets)["results/launch-1/plan/merge.jsonl"].splitlines()[0])
    assert merge["variants"] == 60_000


def test_planning_again_changes_nothing(repository: LaunchRepository, buckets: Any):
    register(repository)

    first = handler({"launchId": "launch-1", "attempt": 1}, CONTEXT), written(buckets)
    second = handler({"launchId": "launch-1", "attempt": 1}, CONTEXT), written(buckets)

    assert first == second


def test_an_edited_configs_plan_has_nothing_of_the_earlier_one(repository: LaunchRepository, buckets: Any):
    # Given: a launch whose step 1 was split, and now is one job
    register(repository)
    handler({"launchId": "launch-1", "attempt": 1}, CONTEXT)
    config = repository.get("launch-1").config  # type: ignore[union-attr]  # it was just registered
    config["regenie"]["step1"]["jobs"] = 1
    boto3.client("dynamodb").update_item(
        TableName=repository.launch_table,
        Key={"launchId": {"S": "launch-1"}},
        UpdateExpression="SET config = :config",
        ExpressionAttributeValues={":config": {"S": json.dumps(config)}},
    )

    sheet = handler({"launchId": "launch-1", "attempt": 2}, CONTEXT)

    assert sheet["step1"] == "whole"
    lines = {key.rpartition("/")[2]: text.count("\n") for key, text in written(buckets).items()}
    assert lines["step1.jsonl"] == 1
    assert lines["split.jsonl"] == lines["level0.jsonl"] == lines["level1.jsonl"] == 0


def test_the_reference_split_has_the_jobs_that_regenie_made_of_it(repository: LaunchRepository, buckets: Any):
    # Given the master file that real regenie wrote for this cohort with blocks of 100 and 3 jobs
    master = Path(__file__).parents[2] / "data" / "gwas" / "expected" / "split_l0.master"
    jobs = master.read_text(encoding="utf-8").splitlines()[1:]
    register(repository)

    sheet = handler({"launchId": "launch-1", "attempt": 1}, CONTEXT)

    assert sheet["level0Jobs"] == len(jobs)


def test_faults_leave_no_plan_behind(repository: LaunchRepository, buckets: Any):
    register(repository, traits=["hight"], genotypes="absent.bed", version="9.9")

    with pytest.raises(LaunchInputError) as refusal:
        handler({"launchId": "launch-1", "attempt": 1}, CONTEXT)

    told = opened(refusal.value)
    assert {fault["where"] for fault in told["faults"]} == {"regenie.genotypes", "regenie.traits", "regenie.version"}
    assert "5 faults" in told["public"]
    assert "Contents" not in buckets.list_objects_v2(Bucket=RESULTS_BUCKET)


def test_a_bucket_that_does_not_exist_is_named(repository: LaunchRepository, buckets: Any):
    with pytest.raises(UnusableInputError, match=r"s3://elsewhere/cohort\.bed, but there is no bucket elsewhere"):
        DataSet.at("s3://elsewhere/").size("cohort.bed")


def test_a_file_that_may_not_be_read_is_told_from_one_that_is_absent(cloud: None):
    s3 = boto3.client("s3")
    with pytest.MonkeyPatch.context() as patch, Stubber(s3) as stubber:
        patch.setattr(aws, "client", lambda _service: s3)
        stubber.add_client_error("head_object", "403", http_status_code=403)

        with pytest.raises(UnusableInputError, match="access denied"):
            DataSet("data", "cohort/").size("cohort.bed")


def test_a_passing_fault_of_s3_is_not_blamed_on_the_input(cloud: None):
    s3 = boto3.client("s3")
    with pytest.MonkeyPatch.context() as patch, Stubber(s3) as stubber:
        patch.setattr(aws, "client", lambda _service: s3)
        stubber.add_client_error("head_object", "SlowDown", http_status_code=503)

        with pytest.raises(ClientError, match="SlowDown"):
            DataSet("data", "cohort/").size("cohort.bed")


@pytest.mark.parametrize("end", [b"\n", b""])
def test_lines_come_whole_from_an_object_of_many_blocks(buckets: Any, end: bytes):
    # Given 3 MB of lines, so that blocks end within lines
    lines = [b"%d some text that makes a line" % number for number in range(90_000)]
    buckets.put_object(Bucket=DATA_BUCKET, Key="long.txt", Body=b"\n".join(lines) + end)

    assert list(DataSet(DATA_BUCKET, "").lines("long.txt")) == lines


def test_the_head_of_an_empty_object_is_empty(buckets: Any):
    buckets.put_object(Bucket=DATA_BUCKET, Key="empty", Body=b"")

    assert DataSet(DATA_BUCKET, "").head("empty", 10) == b""
