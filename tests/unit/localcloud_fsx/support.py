"""Short forms of what the tests of FSx do."""

import time

import pytest

from localcloud.fsx import FsxService
from localcloud.service import ServiceError


class Cloud:
    """The service, its S3 and short forms of what tests do with them."""

    def __init__(self, state, s3):
        self.s3 = s3
        self.fsx = FsxService(state=state, s3=s3, region="eu-west-1", account="000000000000", delay_seconds=0.01)

    def call(self, operation, **params):
        return self.fsx.call(operation, params)

    def put(self, bucket, **objects):
        for name, body in objects.items():
            self.s3.put_object(Bucket=bucket, Key=name.replace("__", "/"), Body=body)

    def read(self, bucket, key):
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def create(self, **members):
        return self.call("CreateFileSystem", **{**request(), **members})["FileSystem"]

    def file_system(self):
        created = self.create()
        self.until("DescribeFileSystems", "FileSystemIds", created["FileSystemId"], "AVAILABLE")
        return created["FileSystemId"]

    def mount(self, file_system_id):
        described = self.call("DescribeFileSystems", FileSystemIds=[file_system_id])["FileSystems"][0]
        return self.fsx.mount(file_system_id, described["LustreConfiguration"]["MountName"])

    def associate(self, file_system_id, path, repository, **members):
        return self.call(
            "CreateDataRepositoryAssociation",
            FileSystemId=file_system_id,
            FileSystemPath=path,
            DataRepositoryPath=repository,
            BatchImportMetaDataOnCreate=True,
            **members,
        )["Association"]["AssociationId"]

    def linked(self, file_system_id, path, repository):
        association_id = self.associate(file_system_id, path, repository)
        self.until("DescribeDataRepositoryAssociations", "AssociationIds", association_id, "AVAILABLE")
        return association_id

    def task(self, file_system_id, kind="EXPORT_TO_REPOSITORY", report=None, **members):
        report = report or {"Enabled": False}
        params = {"FileSystemId": file_system_id, "Type": kind, "Report": report, **members}
        return self.call("CreateDataRepositoryTask", **params)["DataRepositoryTask"]["TaskId"]

    def finished(self, task_id):
        ended = {"SUCCEEDED", "FAILED", "CANCELED"}
        return self.until("DescribeDataRepositoryTasks", "TaskIds", task_id, *ended)

    def until(self, operation, member, resource_id, *lifecycles):
        deadline = time.monotonic() + 240
        while True:
            answer = self.call(operation, **{member: [resource_id]})
            described = next(value for value in answer.values() if isinstance(value, list))[0]
            if described["Lifecycle"] in lifecycles:
                return described
            assert time.monotonic() < deadline, described
            time.sleep(0.005)


def request():
    return {
        "FileSystemType": "LUSTRE",
        "FileSystemTypeVersion": "2.15",
        "StorageCapacity": 1200,
        "SubnetIds": ["subnet-0123456789abcdef0"],
        "SecurityGroupIds": ["sg-0123456789abcdef0"],
        "LustreConfiguration": {"DeploymentType": "SCRATCH_2"},
    }


def refusal(call, *args, **kwargs):
    """The name of the error with which a call is refused."""
    with pytest.raises(ServiceError) as caught:
        call(*args, **kwargs)
    return caught.value.code
