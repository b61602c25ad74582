"""A launch that is over leaves its description: the public validator accepts it, `genolaunch verify` finds it true."""

import json
import os
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest

from genolaunch.contract.settings import Parameter
from tests.local.platform_client import STAGE, PlatformClient, eventually, gwas_config

pytestmark = pytest.mark.local

GENOLAUNCH = Path(__file__).parents[2] / ".venv" / "bin" / "genolaunch"


def described(platform: PlatformClient, launch_id: str) -> dict[str, dict[str, Any]]:
    """When: the launch is described. Answers its crate's entities by their @id."""

    def look() -> dict[str, dict[str, Any]] | None:
        try:
            crate = json.loads(platform.result(launch_id, "ro-crate-metadata.json"))
        except platform.s3.exceptions.NoSuchKey:
            return None
        return {entity["@id"]: entity for entity in crate["@graph"]}

    return eventually(look, f"{launch_id} is described")


def verify(platform: PlatformClient, launch_id: str, *options: str) -> tuple[int, dict[str, Any]]:
    """When: somebody verifies the launch. Answers exit code and JSON."""
    done = subprocess.run(
        [GENOLAUNCH, "--stage", STAGE, "verify", launch_id, "--json", *options],
        env={**os.environ, **platform.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.fixture(scope="module")
def gwas(platform: PlatformClient) -> str:
    """Given: a GWAS that ran to its end; its id."""
    launch_id = platform.drop(gwas_config())["launchId"]
    assert platform.wait_for(launch_id)["status"] == "COMPLETE"
    return str(launch_id)


def test_a_gwas_is_described(platform, gwas):
    entities = described(platform, gwas)

    action = entities["#attempt-1"]
    assert action["actionStatus"] == "http://schema.org/CompletedActionStatus"
    results = {each["@id"] for each in action["result"]}
    assert {"report.html", "gwas/height.regenie.gz", "gwas/ldl.regenie.gz"} <= results
    assert entities["gwas/height.regenie.gz"]["sha256"]
    data = platform.name(Parameter.DATA_BUCKET)
    bed = entities[f"s3://{data}/cohort/cohort.bed"]
    assert int(bed["contentSize"]) == (Path("examples/gwas/cohort/cohort.bed")).stat().st_size
    assert float(entities["#cost"]["value"]) > 0
    (image,) = [each for each in entities.values() if each["@type"] == "ContainerImage"]
    assert image["identifier"].endswith("genolaunch-regenie:4.1.2")
    assert json.loads(platform.result(gwas, "provenance/workflow.asl.json"))["StartAt"]


def test_what_it_left_is_as_described(platform, gwas):
    described(platform, gwas)

    code, told = verify(platform, gwas, "--content", "--inputs")

    assert (code, told["holds"]) == (0, True), [file for file in told["files"] if file["state"] != "same"]
    by = {file["uri"].rpartition("/")[2]: file["checked"] for file in told["files"]}
    assert by["height.regenie.gz"] == by["report.html"] == by["phenotypes.txt"] == "sha256"


def test_a_result_that_somebody_replaced_is_found(platform, gwas):
    described(platform, gwas)
    bucket, key = platform.name(Parameter.RESULTS_BUCKET), f"results/{gwas}/gwas/height.regenie.gz"
    platform.s3.put_object(Bucket=bucket, Key=key, Body=b"nothing is significant")

    code, told = verify(platform, gwas)

    assert code == 1
    assert [file["uri"] for file in told["files"] if file["state"] != "same"] == [f"s3://{bucket}/{key}"]


def test_a_launch_that_was_cancelled_says_who_did_it(platform):
    launch_id = platform.drop(gwas_config())["launchId"]
    eventually(lambda: platform.launch(launch_id).get("workflowExecutionArn"), "its workflow runs")
    command = [GENOLAUNCH, "--stage", STAGE, "cancel", launch_id]
    subprocess.run(command, env={**os.environ, **platform.environment}, capture_output=True, check=True)
    assert platform.wait_for(launch_id)["status"] == "CANCELLED"

    entities = described(platform, launch_id)

    assert entities["#attempt-1"]["actionStatus"] == "http://schema.org/FailedActionStatus"
    assert entities["#attempt-1"]["error"]
    assert "cancel" in {each["name"] for each in entities.values() if each["@type"] == "Action"}


@pytest.mark.parametrize("engine", ["aws-batch", "tibanna"])
def test_a_snakemake_launch_names_what_its_jobs_read_and_made(platform, engine):
    # Given
    name = f"copies-{uuid.uuid4().hex[:6]}"
    snakefile = "rule copy:\n    input: 'in.txt'\n    output: 'out.txt'\n    shell: 'cat {input} > {output}'\n"
    launches, data = platform.name(Parameter.LAUNCH_BUCKET), platform.name(Parameter.DATA_BUCKET)
    platform.s3.put_object(Bucket=launches, Key=f"workflows/{name}/Snakefile", Body=snakefile)
    platform.s3.put_object(Bucket=data, Key=f"{name}/in.txt", Body=b"read")
    section = {"snakefile": f"workflows/{name}/Snakefile", "engine": engine}
    config = {"name": name, "workflow": "snakemake", "data": name, "snakemake": section}
    launch_id = platform.complete(platform.drop(config)["launchId"])["launchId"]

    entities = described(platform, launch_id)

    action = entities["#attempt-1"]
    assert {"@id": f"s3://{data}/{name}/in.txt"} in action["object"]
    assert {"@id": f"s3://{data}/{name}/out.txt"} in action["result"]
    assert action["instrument"] == {"@id": "launcher/sources-1/Snakefile"}
    assert platform.result(launch_id, "launcher/sources-1/Snakefile").decode() == snakefile
    code, told = verify(platform, launch_id, "--content", "--inputs")
    assert (code, told["holds"]) == (0, True), [file for file in told["files"] if file["state"] != "same"]


@pytest.mark.full
def test_the_public_validator_accepts_it(platform, gwas, tmp_path):
    from tests.roc_validator import findings

    described(platform, gwas)
    bucket, prefix = platform.name(Parameter.RESULTS_BUCKET), f"results/{gwas}/"
    for page in platform.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page["Contents"]:
            if not found["Key"].endswith("/"):
                target = tmp_path / "crate" / found["Key"].removeprefix(prefix)
                target.parent.mkdir(parents=True, exist_ok=True)
                platform.s3.download_file(bucket, found["Key"], str(target))

    assert findings(tmp_path / "crate", "required") == []


def test_a_launch_that_cannot_be_described_is_priced_and_says_so(platform):
    # Given: the function is asked for what it does not find
    def of_no_launch(definition: str) -> str:
        machine = json.loads(definition)
        state = machine["States"]["Describe the run"]
        state["Arguments"]["Payload"] = {"launchId": "no-such-launch", "attempt": 1}
        for retrier in state["Retry"]:
            retrier["IntervalSeconds"] = 1
        return json.dumps(machine)

    with platform.changed_machine(platform.name(Parameter.BENCHMARK_STATE_MACHINE), of_no_launch):
        launch_id = platform.drop(gwas_config())["launchId"]
        assert platform.wait_for(launch_id)["status"] == "COMPLETE"

        # Then
        def warned() -> dict[str, Any] | None:
            launch = platform.launch(launch_id)
            return (
                launch
                if any("not described" in each and "LookupError" in each for each in launch.get("warnings", ()))
                else None
            )

        launch = eventually(warned, "its warnings say that it is not described")
    assert launch["totalCost"]
    assert launch["costStatus"] == "PRICED"
    with pytest.raises(platform.s3.exceptions.NoSuchKey):
        platform.result(launch_id, "ro-crate-metadata.json")
