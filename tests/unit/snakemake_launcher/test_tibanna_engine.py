"""How Snakemake is called for Tibanna, and what is read from a job's log."""

import io
import json

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from urllib3 import HTTPResponse

from snakemake_launcher.engines.job_log import telling_line
from snakemake_launcher.engines.tibanna import Tibanna, make
from snakemake_launcher.run_sheet import RunSheet
from tests.unit.snakemake_launcher.sheets import MACHINE, sheet


def engine(**changes) -> Tibanna:
    return make(RunSheet.parse(json.dumps(sheet(**changes))))


def values(command, option):
    """What follows an option up to the next one."""
    start = command.index(option) + 1
    rest = command[start:]
    return rest[: next((n for n, word in enumerate(rest) if word.startswith("--")), len(rest))]


def test_snakemake_gets_the_unicorn_the_prefix_and_the_fallback_to_on_demand():
    command = list(engine().command())

    assert "--tibanna" in command
    assert values(command, "--tibanna-sfn") == ["tibanna_unicorn_genolaunch_dev"]
    assert values(command, "--tibanna-config") == [
        "spot_instance=true",
        "behavior_on_capacity_limit=retry_without_spot",
        "log_bucket=logs",
        "genolaunch_run=calls-1",
        "genolaunch_token=the-launchs-own",
    ]
    assert values(command, "--default-remote-prefix") == ["data/run42"]
    assert values(command, "--container-image") == ["repo/genolaunch-snakemake:1"]
    assert values(command, "--retries") == ["3"]
    assert command[-2:] == ["--", "all"]


def test_on_demand_launches_ask_for_no_spot_instance():
    options = {
        "stateMachineArn": MACHINE,
        "logBucket": "logs",
        "behaviorOnCapacityLimit": "wait_and_retry",
        "token": "t",
    }
    config = values(list(engine(spot=False, tibanna=options).command()), "--tibanna-config")

    assert config[:2] == ["spot_instance=false", "behavior_on_capacity_limit=wait_and_retry"]


def test_tibannas_client_is_told_region_and_account():
    environment = engine().environment()

    assert environment["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert environment["AWS_ACCOUNT_NUMBER"] == "111111111111"


def test_a_look_at_a_job_outlasts_the_throttling_of_many_launchers(monkeypatch):
    for name, value in engine().environment().items():
        monkeypatch.setenv(name, value)
    client = boto3.client("stepfunctions", aws_access_key_id="x", aws_secret_access_key="x")
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    answers = iter([(400, {"__type": "ThrottlingException"})] * 20 + [(200, {"status": "RUNNING"})])

    def answer(request, **_):
        status, body = next(answers)
        return AWSResponse(
            request.url,
            status,
            HTTPHeaders(),
            HTTPResponse(io.BytesIO(json.dumps(body).encode()), preload_content=False),
        )

    client.meta.events.register("before-send.stepfunctions.DescribeExecution", answer)

    assert client.describe_execution(executionArn="arn:aws:states:::execution:a:b")["status"] == "RUNNING"


def test_the_telling_line_is_what_the_rules_program_said():
    log = """
[Sat Nov 21 07:10:11 2026]
rule trim:
    input: reads/A.fq
gzip: reads/A.fq: not in gzip format
[Sat Nov 21 07:10:12 2026]
Error in rule trim:
    jobid: 0
    output: trimmed/A.fq
"""
    assert telling_line(log) == "gzip: reads/A.fq: not in gzip format"


def test_without_a_word_of_the_program_the_rule_is_named():
    said = telling_line("\nError in rule trim:\n    jobid: 0\n")

    assert said.startswith("Error in rule trim: its command ended with an error, and wrote no message.")
