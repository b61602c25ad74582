"""A launch on a Slurm cluster: the same results as by Batch, and nothing left on the cluster, however it ends."""

import json
import uuid
from pathlib import Path

import pytest

from tests.local.platform_client import PlatformClient, eventually, gwas_config
from tests.local.test_end_to_end import EXPECTED, assert_same_statistics

pytestmark = [pytest.mark.local, pytest.mark.timeout(600)]


@pytest.fixture
def cluster(platform: PlatformClient) -> Path:
    """Folder of the stand-in cluster's shared file system and of Slurm's records."""
    return platform.state_dir / "cluster"


def folders_of(cluster: Path, launch_id: str) -> list[Path]:
    return list((cluster / "shared" / "genolaunch-local").glob(f"{launch_id}*"))


def arrays_of(cluster: Path, launch_id: str) -> dict[str, Path]:
    """Phase -> Slurm's folder of its array."""
    found = {}
    for file in (cluster / "slurm").glob("*/submission.json"):
        name = json.loads(file.read_text())["name"]
        if name.startswith(f"{launch_id}-1-"):
            found[name.removeprefix(f"{launch_id}-1-")] = file.parent
    return found


def test_a_launch_by_slurm_has_the_results_of_one_by_batch(platform, cluster):
    launch_id = platform.drop(gwas_config() | {"compute": "parallelcluster"})["launchId"]

    launch = platform.wait_for(launch_id)

    assert launch["status"] == "COMPLETE", launch
    for trait in ("height", "ldl"):
        actual = platform.result(launch_id, f"gwas/{trait}.regenie.gz")
        assert_same_statistics(actual, (EXPECTED / f"qt_step2_{trait}.regenie.gz").read_bytes())
    assert b"Manhattan plot of height" in platform.result(launch_id, "report.html")
    assert set(arrays_of(cluster, launch_id)) == {
        *("fetch", "split", "level0", "level1", "step2", "merge", "report", "store")
    }
    platform.assert_clean(launch_id)
    eventually(lambda: not folders_of(cluster, launch_id), 60, "the run's folder is gone")


def test_a_cancelled_launch_leaves_no_job_and_no_folder_on_the_cluster(platform, cluster):
    config = gwas_config() | {"compute": "parallelcluster", "name": f"stop-{uuid.uuid4().hex[:6]}"}
    launch_id = platform.drop(config)["launchId"]
    eventually(lambda: "level0" in arrays_of(cluster, launch_id), 120, "jobs on the cluster")

    platform.set_status(launch_id, "CANCEL_REQUESTED")

    assert platform.wait_for(launch_id)["status"] == "CANCELLED"
    eventually(lambda: not folders_of(cluster, launch_id), 120, "the run's folder is gone")
    platform.assert_clean(launch_id)
    over = {"CANCELLED", "COMPLETED", "FAILED"}
    for phase, array in arrays_of(cluster, launch_id).items():
        assert {file.read_text() for file in array.glob("*.state")} <= over, phase
    assert "step2" not in arrays_of(cluster, launch_id)
