"""`genolaunch verify-stage` on the embedded cloud: everything holds that it can show, and nothing of it is left."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from genolaunch.contract.settings import Parameter
from genolaunch.local_stage.images import snakemake, snakemake9
from tests.local.platform_client import LAST_RESORT, STAGE, PlatformClient

pytestmark = pytest.mark.local

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def outcome(
    platform: PlatformClient, tmp_path_factory: pytest.TempPathFactory
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any], str]:
    """When: the stage is verified, with a restore. Answers how the command ended, its JSON and its report."""
    snakemake()
    snakemake9()
    # Given: what the event of a deployment does, which this cloud does not send
    platform.client("lambda").invoke(FunctionName=f"genolaunch-{STAGE}-workflow-manager-publish-schema", Payload=b"{}")
    report = tmp_path_factory.mktemp("verify") / "reports" / "verify.md"
    program = str(CHECKOUT / ".venv" / "bin" / "genolaunch")
    done = subprocess.run(
        [program, "--stage", STAGE, "verify-stage", "--json", "--restore", "--report", str(report)],
        env={**os.environ, **platform.environment},
        capture_output=True,
        text=True,
        timeout=LAST_RESORT,
        check=False,
    )
    assert done.stdout, done.stderr
    return done, json.loads(done.stdout), report.read_text()


def test_everything_that_is_asked_holds(outcome):
    done, found, _ = outcome

    told = {each["id"]: (each["outcome"], each["seen"]) for each in found["findings"]}
    asked = {id_: result for id_, result in told.items() if result[0] != "not checked"}
    assert asked == dict.fromkeys(asked, ("held", "")), done.stderr
    assert len(asked) > 30
    assert (done.returncode, found["held"]) == (0, True)


def test_the_report_names_each_claim_and_the_price(outcome):
    _, found, report = outcome

    assert all(f"| `{each['id']}` |" in report for each in found["findings"])
    assert "not checked: " not in report  # the reason alone stands there
    launches = {each["kind"]: each for each in found["launches"]}
    assert {kind: each["status"] for kind, each in launches.items()} == {
        "regenie": "COMPLETE",
        "cancelled": "CANCELLED",
        "tibanna": "COMPLETE",
        "aws-batch": "COMPLETE",
        "cluster": "COMPLETE",
        "restored": "COMPLETE",
    }
    assert float(found["costUsd"]) > 0
    assert f"{float(found['costUsd']):.6f} USD" in report


def test_nothing_that_it_put_is_left(outcome, platform):
    _, found, _ = outcome
    ids = [each["launchId"] for each in found["launches"]]
    name = ids[0].split("-regenie-")[0]

    for bucket in (Parameter.LAUNCH_BUCKET, Parameter.DATA_BUCKET, Parameter.RESULTS_BUCKET):
        pages = platform.s3.get_paginator("list_objects_v2").paginate(Bucket=platform.name(bucket))
        left = [each["Key"] for page in pages for each in page.get("Contents", []) if name in each["Key"]]
        assert left == []
    assert [url for url in platform.client("sqs").list_queues()["QueueUrls"] if name in url] == []
    subscriptions = platform.client("sns").list_subscriptions()["Subscriptions"]
    assert [each for each in subscriptions if name in each["Endpoint"]] == []
    assert all(platform.leftovers(id_) == {} for id_ in ids)
