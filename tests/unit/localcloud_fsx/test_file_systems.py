import time

import pytest

from localcloud.batch.mounts import MountError
from localcloud.service import ServiceError
from tests.unit.localcloud_fsx.support import refusal


def test_a_file_system_becomes_available_and_can_be_mounted(cloud):
    # given
    created = cloud.create(Tags=[{"Key": "launchId", "Value": "x"}])
    assert created["Lifecycle"] == "CREATING"
    # when
    described = cloud.until("DescribeFileSystems", "FileSystemIds", created["FileSystemId"], "AVAILABLE")
    # then
    assert described["Tags"] == [{"Key": "launchId", "Value": "x"}]
    assert described["LustreConfiguration"]["DeploymentType"] == "SCRATCH_2"
    assert described["FileSystemTypeVersion"] == "2.15"
    assert cloud.mount(created["FileSystemId"]).is_dir()


def test_a_launchs_next_file_system_has_the_same_path_in_containers(cloud):
    def made() -> str:
        created = str(cloud.create(Tags=[{"Key": "launchId", "Value": "height-1"}])["FileSystemId"])
        cloud.until("DescribeFileSystems", "FileSystemIds", created, "AVAILABLE")
        return created

    first, other = made(), made()
    path = cloud.mount(first)
    (path / "file").write_text("of the first")
    assert cloud.mount(first) == path
    assert cloud.mount(other) != path
    cloud.call("DeleteFileSystem", FileSystemId=first)
    eventually_gone(path / "file")

    assert cloud.mount(other) == path
    assert not (path / "file").exists()


def eventually_gone(path):
    while path.exists():
        time.sleep(0.01)


def test_what_is_not_available_cannot_be_mounted(cloud):
    file_system_id = cloud.create()["FileSystemId"]
    with pytest.raises(MountError, match="CREATING"):
        cloud.mount(file_system_id)
    with pytest.raises(MountError, match="no file system"):
        cloud.fsx.mount(file_system_id, "wrong")


def test_creation_is_idempotent_by_token(cloud):
    first = cloud.create(ClientRequestToken="launch-1")
    again = cloud.create(ClientRequestToken="launch-1")
    assert again["FileSystemId"] == first["FileSystemId"]
    assert len(cloud.call("DescribeFileSystems")["FileSystems"]) == 1
    assert refusal(cloud.create, ClientRequestToken="launch-1", StorageCapacity=2400) == "IncompatibleParameterError"


@pytest.mark.parametrize(
    "members",
    [
        {"StorageCapacity": 1000},
        {"StorageCapacity": 3600},
        {"SubnetIds": []},
        {"SubnetIds": ["subnet-1", "subnet-2"]},
        {"SecurityGroupIds": []},
        {"FileSystemType": "WINDOWS"},
        {"FileSystemTypeVersion": "2.99"},
        {"KmsKeyId": "key"},
        {"LustreConfiguration": {"DeploymentType": "PERSISTENT_2"}},
        {"LustreConfiguration": {"DeploymentType": "SCRATCH_9"}},
        {"ClientRequestToken": "x" * 64},
        {"ClientRequestToken": "with space"},
    ],
)
def test_what_aws_refuses_is_refused(cloud, members):
    assert refusal(cloud.create, **members) == "BadRequest"
    assert cloud.call("DescribeFileSystems")["FileSystems"] == []


@pytest.mark.parametrize("capacity", [1200, 2400, 4800, 7200])
def test_valid_capacities(cloud, capacity):
    assert cloud.create(StorageCapacity=capacity)["StorageCapacity"] == capacity


def test_a_file_system_that_is_made_to_fail_says_why(cloud):
    cloud.fsx.fail_next_file_system("no capacity")
    failed = cloud.until("DescribeFileSystems", "FileSystemIds", cloud.create()["FileSystemId"], "FAILED")
    assert failed["FailureDetails"] == {"Message": "no capacity"}
    assert cloud.file_system()  # only the next one


def test_deletion_removes_the_folder_and_the_associations(cloud):
    # given
    file_system_id = cloud.file_system()
    cloud.linked(file_system_id, "/data", "s3://data-bucket/")
    folder = cloud.mount(file_system_id)
    # when
    answer = cloud.call("DeleteFileSystem", FileSystemId=file_system_id)
    # then
    assert answer["Lifecycle"] == "DELETING"
    with pytest.raises(ServiceError, match="FileSystemNotFound"):
        cloud.until("DescribeFileSystems", "FileSystemIds", file_system_id, "never")
    assert not folder.exists()
    assert cloud.call("DescribeDataRepositoryAssociations")["Associations"] == []
    assert refusal(cloud.call, "DeleteFileSystem", FileSystemId=file_system_id) == "FileSystemNotFound"


def test_a_file_system_that_is_being_created_cannot_be_deleted_or_linked(cloud):
    file_system_id = cloud.create()["FileSystemId"]
    assert refusal(cloud.call, "DeleteFileSystem", FileSystemId=file_system_id) == "BadRequest"
    assert refusal(cloud.associate, file_system_id, "/data", "s3://data-bucket/") == "BadRequest"


def test_descriptions_come_in_pages(cloud):
    ids = [cloud.create()["FileSystemId"] for _ in range(3)]
    first = cloud.call("DescribeFileSystems", MaxResults=2)
    second = cloud.call("DescribeFileSystems", MaxResults=2, NextToken=first["NextToken"])
    assert [each["FileSystemId"] for each in first["FileSystems"] + second["FileSystems"]] == ids
    assert "NextToken" not in second
    assert refusal(cloud.call, "DescribeFileSystems", NextToken="!") == "BadRequest"


def test_tags_can_be_changed(cloud):
    arn = cloud.create(Tags=[{"Key": "a", "Value": "1"}])["ResourceARN"]
    cloud.call("TagResource", ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}])
    cloud.call("UntagResource", ResourceARN=arn, TagKeys=["a"])
    assert cloud.call("ListTagsForResource", ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    assert refusal(cloud.call, "ListTagsForResource", ResourceARN="arn:none") == "ResourceNotFound"


def test_an_operation_that_is_not_there_is_an_invalid_action(cloud):
    assert refusal(cloud.call, "CreateBackup") == "InvalidAction"
