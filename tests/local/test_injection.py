"""Failures are injected from this process into the server's."""

import pytest

from tests.local.platform_client import PlatformClient, eventually

pytestmark = pytest.mark.local


def test_a_file_system_that_was_made_to_fail_fails(platform: PlatformClient):
    # given
    platform.inject_fsx(fail_next_file_system="no capacity left")
    # when
    made = platform.fsx.create_file_system(
        FileSystemType="LUSTRE",
        StorageCapacity=1200,
        SubnetIds=["subnet-12345678"],
        SecurityGroupIds=["sg-12345678"],
        LustreConfiguration={"DeploymentType": "SCRATCH_2"},
    )["FileSystem"]["FileSystemId"]

    # then
    def ended() -> dict[str, object]:
        (found,) = platform.fsx.describe_file_systems(FileSystemIds=[made])["FileSystems"]
        return found if found["Lifecycle"] != "CREATING" else {}

    failed = eventually(ended, "an end of the creation")
    assert failed["Lifecycle"] == "FAILED"
    assert "no capacity left" in str(failed["FailureDetails"])
    platform.fsx.delete_file_system(FileSystemId=made)


def test_a_bad_request_is_refused_with_a_sentence(platform: PlatformClient):
    with pytest.raises(ValueError, match="exactly one of"):
        platform.inject_fsx()
    with pytest.raises(ValueError, match="times must be at least 1"):
        platform.inject_batch("x", times=0)
