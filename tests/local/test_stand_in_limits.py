"""A cloud without regenie and Docker refuses, before any job, what its numpy stand-in for regenie cannot do."""

import pytest

from genolaunch.local_stage.images import real_regenie
from localcloud.batch import docker_answers
from tests.local.platform_client import PlatformClient, gwas_config

pytestmark = [
    pytest.mark.local,
    pytest.mark.skipif(
        bool(real_regenie() or docker_answers()),
        reason="the real regenie runs here",
    ),
]


def test_what_the_stand_in_cannot_do_is_refused_with_what_to_install(platform: PlatformClient):
    config = gwas_config(trait_type="binary", step1={"block_size": 100, "extra": ["--loocv"]})

    launch = platform.wait_for(platform.drop(config)["launchId"])

    assert launch["status"] == "REJECTED"  # before any file system exists
    faults = {fault["where"]: fault for fault in launch["error"]["faults"]}
    lacks = "which the regenie of this stage does not have"
    assert faults["regenie.trait_type"]["problem"] == f"needs regenie's --bt, {lacks}"
    assert faults["regenie.step1.extra"]["problem"] == f"needs regenie's --loocv, {lacks}"
    assert "install Docker, or regenie" in faults["regenie.trait_type"]["remedy"]
