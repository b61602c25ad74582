"""A launch on a Slurm cluster: the same results as by Batch, and nothing left on the cluster, however it ends."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Mapping

import pytest

from tests.local.platform_client import PlatformClient, eventually, gwas_config
from tests.local.test_end_to_end import EXPECTED, assert_same_statistics

pytestmark = pytest.mark.local


EVERY_VARIANT = {"block_size": 100, "jobs": 3, "qc": {"maf": 0, "mac": 0, "geno": 1, "hwe": 0, "mind": 1}}
"""A step 1 with a quality control that leaves nothing out: the expected results are those of all variants."""


class HeadNode:
    """What a person on the cluster's head node sees."""

    def __init__(self, platform: PlatformClient) -> None:
        self._ssm = platform.client("ssm")
        tags = {"parallelcluster:cluster-name": "local", "parallelcluster:node-type": "HeadNode"}
        filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in tags.items()]
        (reservation,) = platform.client("ec2").describe_instances(Filters=filters)["Reservations"]
        self._instance = reservation["Instances"][0]["InstanceId"]

    def states(self, launch_id: str) -> dict[str, set[str]]:
        """Phase -> states of its tasks."""
        found: dict[str, set[str]] = {}
        for line in self._run("squeue --noheader --states=all --format='%j %T'").splitlines():
            name, state = line.split()
            if name.startswith(f"{launch_id}-1-"):
                found.setdefault(name.removeprefix(f"{launch_id}-1-"), set()).add(state)
        return found

    def has_folder(self, launch_id: str, attempt: int = 1) -> bool:
        return f"{launch_id}-{attempt}" in self._run("ls /shared/local/genolaunch-local").split()

    def inject(self, ends: Mapping[str, list[str]]) -> None:
        """Lets Slurm end tasks so: `<job>:<index>` -> states of its attempts."""
        self._run(f"echo '{json.dumps(ends)}' > $LOCALCLOUD_SLURM/injections.json")

    def _run(self, command: str) -> str:
        sent = self._ssm.send_command(
            DocumentName="AWS-RunShellScript", InstanceIds=[self._instance], Parameters={"commands": [command]}
        )
        about = {"CommandId": sent["Command"]["CommandId"], "InstanceId": self._instance}
        is_over = lambda: self._ssm.get_command_invocation(**about)["Status"] != "InProgress"  # noqa: E731
        eventually(is_over, command)
        return str(self._ssm.get_command_invocation(**about)["StandardOutputContent"])


@pytest.fixture
def head_node(platform: PlatformClient) -> HeadNode:
    return HeadNode(platform)


def test_a_launch_by_slurm_has_the_results_of_one_by_batch(platform, head_node):
    launch_id = platform.drop(gwas_config(step1=EVERY_VARIANT) | {"compute": "parallelcluster"})["launchId"]

    platform.complete(launch_id)

    for trait in ("height", "ldl"):
        actual = platform.result(launch_id, f"gwas/{trait}.regenie.gz")
        assert_same_statistics(actual, (EXPECTED / f"qt_step2_{trait}.regenie.gz").read_bytes())
    assert b"Manhattan plot of height" in platform.result(launch_id, "report.html")
    phases = ("fetch", "split", "level0", "level1", "step2", "merge", "report", "store")
    assert head_node.states(launch_id) == {phase: {"COMPLETED"} for phase in phases}
    platform.assert_clean(launch_id)
    eventually(lambda: not head_node.has_folder(launch_id), "the run's folder is gone")


def genolaunch(platform, *words):
    """What a person types."""
    environment = {**os.environ, **platform.environment, "GENOLAUNCH_STAGE": "local"}
    code = "from genolaunch.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *words], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.full
def test_a_retry_runs_what_is_missing_and_leaves_nothing_on_the_cluster(platform, head_node):
    # Given: a launch of which Slurm ended one chunk for its time
    name = f"again-{uuid.uuid4().hex[:6]}"
    config = gwas_config(step1=EVERY_VARIANT) | {"compute": "parallelcluster", "name": name}
    launch_id = platform.drop(config)["launchId"]
    head_node.inject({f"{launch_id}-1-step2:1": ["TIMEOUT"]})
    failed = platform.wait_for(launch_id)
    assert failed["status"] == "FAILED"
    assert "array index 1 (no exit code): it exceeded the time limit of a job" in failed["error"]["message"]
    assert "step2[1]" in genolaunch(platform, "status", launch_id).stdout

    # When: a person tries it again
    retried = genolaunch(platform, "retry", launch_id, "--wait", "--json")

    # Then: it is complete, and all that was good before was kept
    assert retried.returncode == 0, retried.stderr
    assert (json.loads(retried.stdout)["status"], json.loads(retried.stdout)["attempt"]) == ("COMPLETE", 2)
    for trait in ("height", "ldl"):
        actual = platform.result(launch_id, f"gwas/{trait}.regenie.gz")
        assert_same_statistics(actual, (EXPECTED / f"qt_step2_{trait}.regenie.gz").read_bytes())
    lines = [json.loads(line) for line in genolaunch(platform, "logs", launch_id, "--json").stdout.splitlines()]
    kept = {line["job"] for line in lines if "complete from an earlier attempt: nothing to do" in line["message"]}
    ran = {line["job"] for line in lines if line["job"] not in kept}
    assert ran == {"step2[1]", "merge[0]", "merge[1]", "report[0]"}
    assert {"split[0]", "level0[0]", "level1[0]", "level1[1]", "step2[0]"} <= kept
    platform.assert_clean(launch_id)
    left = lambda: any(head_node.has_folder(launch_id, attempt) for attempt in (1, 2))  # noqa: E731
    eventually(lambda: not left(), "the runs' folders are gone")


def test_a_cancelled_launch_leaves_no_job_and_no_folder_on_the_cluster(platform, head_node):
    config = gwas_config() | {"compute": "parallelcluster", "name": f"stop-{uuid.uuid4().hex[:6]}"}
    launch_id = platform.drop(config)["launchId"]
    eventually(lambda: "level0" in head_node.states(launch_id), "jobs on the cluster")

    platform.set_status(launch_id, "CANCEL_REQUESTED")

    assert platform.wait_for(launch_id)["status"] == "CANCELLED"
    eventually(lambda: not head_node.has_folder(launch_id), "the run's folder is gone")
    platform.assert_clean(launch_id)
    states = head_node.states(launch_id)
    assert set().union(*states.values()) <= {"CANCELLED", "COMPLETED", "FAILED"}
    assert "step2" not in states
