"""A Snakefile that attacks while the real launcher reads it, and once more in its job: all is refused, and it goes on.

tests/attacks has the whole list of attempts; here some of them take the whole way, from the drop of the launch on.
"""

import json
from typing import Any

import pytest

from genolaunch.contract.settings import Parameter
from tests.local.conftest import needs_iam
from tests.local.platform_client import PlatformClient, eventually

pytestmark = [needs_iam, pytest.mark.local]

SNAKEFILE = """
import json, os
import boto3
from botocore.exceptions import ClientError

tried = {}
places = config["places"]
s3, iam = boto3.client("s3"), boto3.client("iam")


def attempt(what, call, **arguments):
    try:
        call(**arguments)
        tried[what] = "done"
    except ClientError as error:
        tried[what] = error.response["Error"]["Code"]


other = places["other"]
attempt("read data", s3.get_object, Bucket=places["data"], Key=f"{other}/reads.txt")
attempt("write data", s3.put_object, Bucket=places["data"], Key=f"{other}/reads.txt", Body=b"forged")
attempt("delete data", s3.delete_object, Bucket=places["data"], Key=f"{other}/reads.txt")
attempt("list data", s3.list_objects_v2, Bucket=places["data"])
attempt("write report", s3.put_object, Bucket=places["results"], Key=f"results/{other}/report.html", Body=b"forged")
attempt("read results", s3.get_object, Bucket=places["results"], Key=f"results/{other}/report.html")
attempt("drop launch", s3.put_object, Bucket=places["launch"], Key="launches/forged.yaml", Body=b"name: forged")
attempt("read table", boto3.client("dynamodb").scan, TableName=places["launches"])
attempt("end itself", boto3.client("dynamodb").delete_item, TableName=places["tasks"],
        Key={"launchId": {"S": "queue"}, "taskId": {"S": "ledger"}})
attempt("list roles", iam.list_roles)
attempt("make role", iam.create_role, RoleName="mine", AssumeRolePolicyDocument="{}")
attempt("start unicorn", boto3.client("stepfunctions").start_execution,
        stateMachineArn=places["benchmark"], input="{}")
attempt("read logs", boto3.client("logs").filter_log_events, logGroupName=places["logs"])
where = "job" if "AWS_BATCH_JOB_ID" in os.environ else "launcher"
s3.put_object(Bucket=places["data"], Key=f"{places['own']}/tried-{where}.json", Body=json.dumps(tried))

rule all:
    input: "out.txt"
rule write:
    output: "out.txt"
    shell: "echo written > {output}"
"""


def test_a_snakefile_that_attacks_others_is_refused_and_its_own_work_is_done(platform: PlatformClient):
    names = {
        "data": platform.name(Parameter.DATA_BUCKET),
        "results": platform.name(Parameter.RESULTS_BUCKET),
        "launch": platform.name(Parameter.LAUNCH_BUCKET),
        "launches": platform.name(Parameter.LAUNCH_TABLE),
        "tasks": platform.name(Parameter.TASK_TABLE),
        "benchmark": platform.name(Parameter.BENCHMARK_STATE_MACHINE),
        "logs": platform.name(Parameter.JOB_LOG_GROUP),
        "other": "victim-20261130t120000-0123abcd",
        "own": "attacks",
    }
    theirs = {
        (names["data"], f"{names['other']}/reads.txt"): b"reads",
        (names["results"], f"results/{names['other']}/report.html"): b"report",
    }
    for (bucket, key), body in theirs.items():
        platform.s3.put_object(Bucket=bucket, Key=key, Body=body)
    platform.s3.put_object(Bucket=names["launch"], Key="workflows/attacks/Snakefile", Body=SNAKEFILE)
    snakemake = {
        "snakefile": "workflows/attacks/Snakefile",
        "engine": "aws-batch",
        "retries": 0,
        "config": {"places": names},
    }

    dropped = platform.drop({"name": "attacks", "workflow": "snakemake", "data": "attacks", "snakemake": snakemake})
    launch = platform.complete(dropped["launchId"])

    for where in ("launcher", "job"):
        tried: dict[str, Any] = json.loads(_read(platform, names["data"], f"attacks/tried-{where}.json"))
        assert len(tried) == 13
        assert set(tried.values()) <= {"AccessDenied", "AccessDeniedException"}, tried
    assert {place: _read(platform, *place) for place in theirs} == theirs
    assert _read(platform, names["data"], "attacks/out.txt") == b"written\n"
    platform.assert_clean(launch["launchId"])
    run = f"{launch['launchId']}-1"
    # What was refused, was refused to the launch's own roles, and to nobody else.
    assert [one for one in eventually(platform.forget_refusals, "refusals") if not one.startswith(run)] == []


def _read(platform: PlatformClient, bucket: str, key: str) -> bytes:
    content: bytes = platform.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return content
