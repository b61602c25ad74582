"""What ran is what is recorded: changed inputs end a launch, and changed outputs are made again."""

import hashlib
import json
import uuid
from typing import Any

import pytest

from genolaunch.contract.settings import Parameter
from tests.local.platform_client import COHORT, PlatformClient, gwas_config

pytestmark = pytest.mark.local

SWAP = "Test: replace an input"


def swapping(data: str, key: str, source: str, *, before: str) -> Any:
    """Gives the workflow a state in front of another one, in which an input is replaced by another object."""

    def change(definition: str) -> str:
        machine = json.loads(definition)
        for state in machine["States"].values():
            if state.get("Next") == before:
                state["Next"] = SWAP
        machine["States"][SWAP] = {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:s3:copyObject",
            "Arguments": {"Bucket": data, "Key": key, "CopySource": f"{data}/{source}"},
            "Next": before,
        }
        return json.dumps(machine)

    return change


def regenie_machine(platform: PlatformClient) -> str:
    machines = platform.states.list_state_machines()["stateMachines"]
    (arn,) = (m["stateMachineArn"] for m in machines if m["name"].endswith("-regenie"))
    return str(arn)


def small(prefix: str, **changes: Any) -> dict[str, Any]:
    config = gwas_config(**({"step1": {"block_size": 100, "jobs": 2}, "step2": {"variants_per_job": 400}} | changes))
    return config | {"name": f"swap-{uuid.uuid4().hex[:6]}", "data": prefix}


def results_of(platform: PlatformClient, launch_id: str) -> dict[str, bytes]:
    """Every object below the launch's results, by its path."""
    bucket, prefix = platform.name(Parameter.RESULTS_BUCKET), f"results/{launch_id}/"
    pages = platform.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    paths = [entry["Key"].removeprefix(prefix) for page in pages for entry in page.get("Contents", [])]
    return {path: platform.result(launch_id, path) for path in paths}


def test_an_input_that_is_replaced_between_planning_and_step_2_ends_the_launch(platform):
    # Given: genotypes of the same size, in which one genotype is another one
    data, prefix = platform.name(Parameter.DATA_BUCKET), "swapped/"
    platform.upload_data(COHORT, prefix)
    good = (COHORT / "cohort.bed").read_bytes()
    platform.s3.put_object(Bucket=data, Key="other/cohort.bed", Body=good[:-1] + bytes([good[-1] ^ 0b11]))
    change = swapping(data, f"{prefix}cohort.bed", "other/cohort.bed", before="Step 2: are the inputs as planned?")

    # When
    with platform.changed_machine(regenie_machine(platform), change):
        launch_id = platform.drop(small(prefix))["launchId"]
        failed = platform.wait_for(launch_id, "FAILED")

    # Then: it is told which file, what changed and when, and no job of step 2 ran
    assert failed["error"]["type"] == "InputsChangedError"
    message = failed["error"]["message"]
    assert f"(seen after step 1): s3://{data}/{prefix}cohort.bed, which was put anew at 20" in message
    assert "ETag " in message
    assert "retry the launch, which plans anew" in message
    assert not [job for job in platform.jobs(launch_id) if "step2" in job["jobName"]]
    platform.assert_clean(launch_id)
    assert "verified.json" not in results_of(platform, launch_id)

    # And: when the right file is back, a retry makes everything again, and others may trust its predictions
    platform.s3.put_object(Bucket=data, Key=f"{prefix}cohort.bed", Body=good)
    platform.set_status(launch_id, "RETRY")
    assert platform.wait_for(launch_id, "COMPLETE")["attempt"] == 2
    for job in ("2-split", "2-level0", "2-level1"):
        assert "nothing to do" not in platform.job_log(launch_id, job), job
    results = results_of(platform, launch_id)
    verified = json.loads(results["verified.json"])
    assert (verified["attempt"], len(verified["predictions"]) > 1) == (2, True)
    lines = [line.partition("  ") for line in results["gwas/checksums.txt"].decode().splitlines()]
    listed = {path: digest for digest, _, path in lines}
    assert listed.keys() >= {"gwas/height.regenie.gz", "gwas/ldl.gwas-ssf.tsv.gz", "step1/qc/variants.txt"}
    assert {path: hashlib.sha256(results[path]).hexdigest() for path in listed} == listed


@pytest.mark.full  # each kind of output is tested by itself in tests/unit/regenie_runner/test_receipts.py
def test_outputs_that_were_cut_or_altered_are_made_again_by_a_retry(platform):
    # Given: a launch that fails in its last job, and of each kind of its outputs one that is not what it was
    config = small("cohort/")
    platform.inject_batch(f"{config['name']}-*-report", exit_code=9, status_reason="Essential container exited")
    launch_id = platform.drop(config)["launchId"]
    platform.wait_for(launch_id, "FAILED")
    platform.assert_clean(launch_id)
    before = results_of(platform, launch_id)
    spoilt = [
        "step1/qc/variants.txt",
        "step1/split/l0_job1.snplist",
        "step1/split/l0_job2_l0_Y1",
        "step1/predictions/height/step1_1.loco",
        "step2/000001/chunk_ldl.regenie",
        "gwas/ldl.regenie.gz",
        "gwas/height.gwas-ssf.tsv.gz",
    ]
    for number, path in enumerate(spoilt):
        content = before[path]
        cut, altered = content[: len(content) // 2], content[:-2] + bytes([content[-2] ^ 1]) + content[-1:]
        platform.s3.put_object(
            Bucket=platform.name(Parameter.RESULTS_BUCKET),
            Key=f"results/{launch_id}/{path}",
            Body=altered if number % 2 else cut,
        )

    # When
    platform.set_status(launch_id, "RETRY")

    # Then: the results are what they were, and what was whole was not made again
    assert platform.wait_for(launch_id, "COMPLETE")["attempt"] == 2
    after = results_of(platform, launch_id)
    for path in (path for path in spoilt if path.startswith(("gwas/", "step1/qc/", "step1/predictions/"))):
        assert after[path] == before[path], path
    assert "complete from an earlier attempt: nothing to do" in platform.job_log(launch_id, "2-step2")
