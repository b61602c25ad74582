"""A phase of more tasks than an array may have runs as several arrays: here with a limit of 3 instead of 10,000."""

import uuid
from typing import Any

import pytest

from tests.local.platform_client import PlatformClient, gwas_config

pytestmark = pytest.mark.local


def finished(platform: PlatformClient, config: dict[str, Any]) -> str:
    """When: a launch of the config has run to its end."""
    launch_id = str(platform.drop(config)["launchId"])
    platform.complete(launch_id)
    return launch_id


def step2_jobs(platform: PlatformClient, launch_id: str) -> dict[str, tuple[int | None, str]]:
    """Name -> size (None: a plain job), and the lines of the plan that it does."""
    ids = [job["jobId"] for job in platform.jobs(launch_id) if "-step2" in job["jobName"]]
    return {
        job["jobName"].removeprefix(f"{launch_id}-1-"): (
            job.get("arrayProperties", {}).get("size"),
            next(each["value"] for each in job["container"]["environment"] if each["name"] == "TASK_INDICES"),
        )
        for job in platform.batch.describe_jobs(jobs=ids)["jobs"]
    }


@pytest.mark.full
def test_tasks_beyond_one_array_are_more_arrays_and_each_mends_its_own_failures(platform):
    # Given: 7 chunks, of which the fifth (the second array's second) loses its Spot instance twice
    config = gwas_config(step2={"variants_per_job": 170}) | {"name": f"arrays-{uuid.uuid4().hex[:6]}"}
    machines = platform.states.list_state_machines()["stateMachines"]
    (jobs,) = [machine["stateMachineArn"] for machine in machines if machine["name"].endswith("-jobs")]
    limit = "$number('10000')"  # as the deployed definition has it

    with platform.changed_machine(jobs, lambda definition: definition.replace(limit, "$number('3')")):
        platform.inject_batch(f"{config['name']}-*-step2-2:1", times=2)
        several = finished(platform, config)
    one = finished(platform, config)

    # Then: arrays of 3, a plain job for what is left, and one more for the lost chunk
    assert step2_jobs(platform, several) == {
        "step2": (3, "0-2"),
        "step2-2": (3, "3-5"),
        "step2-3": (None, "6-6"),
        "step2-2-on-demand": (None, "4"),
    }
    assert step2_jobs(platform, one) == {"step2": (7, "0-6")}
    # And: the results are the same bytes
    for path in ("gwas/height.regenie.gz", "gwas/ldl.gwas-ssf.tsv.gz"):
        assert platform.result(several, path) == platform.result(one, path)
