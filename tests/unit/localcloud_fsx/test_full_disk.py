"""A file system of the embedded cloud on a full disk: each operation says so, nothing is missing without a word, and
with room it goes on."""

import errno
import os

import pytest

from localcloud.batch.mounts import MountError
from localcloud.fsx import transfer
from localcloud.service import ServiceError
from tests.unit.localcloud.disks import fill, small_disk
from tests.unit.localcloud_fsx.conftest import BUCKETS
from tests.unit.localcloud_fsx.support import Cloud

NO_SPACE = os.strerror(errno.ENOSPC)


class SmallCloud(Cloud):
    """On a disk of its own."""

    def __init__(self, disk, s3):
        super().__init__(disk / "state", s3)
        self.disk = disk


@pytest.fixture
def small_cloud(tmp_path, s3):
    """Given: a file system service on a disk of four MiB."""
    with small_disk(tmp_path / "disk", kib=4096) as disk:
        cloud = SmallCloud(disk, s3)
        yield cloud
        cloud.fsx.close()
        for bucket in BUCKETS:
            for each in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
                s3.delete_object(Bucket=bucket, Key=each["Key"])


def association(cloud, association_id, *lifecycles):
    return cloud.until("DescribeDataRepositoryAssociations", "AssociationIds", association_id, *lifecycles)


def test_an_import_without_room_is_misconfigured_and_says_why(small_cloud):
    small_cloud.put("data-bucket", **{f"cohort__{number:04}": b"x" * 10 for number in range(900)})
    file_system_id = small_cloud.file_system()
    filled = fill(small_cloud.disk)

    failed = association(
        small_cloud,
        small_cloud.associate(file_system_id, "/data", "s3://data-bucket/cohort/"),
        "MISCONFIGURED",
        "AVAILABLE",
    )

    assert failed["Lifecycle"] == "MISCONFIGURED"
    assert NO_SPACE in failed["FailureDetails"]["Message"]
    # When there is room again
    filled.unlink()
    other = small_cloud.file_system()
    small_cloud.linked(other, "/data", "s3://data-bucket/cohort/")
    assert len(list((small_cloud.mount(other) / "data").iterdir())) == 900


def test_a_mount_whose_files_have_no_room_is_refused_and_made_later(small_cloud):
    small_cloud.put("data-bucket", cohort__a_bed=b"x" * 2_000_000)
    file_system_id = small_cloud.file_system()
    small_cloud.linked(file_system_id, "/data", "s3://data-bucket/cohort/")
    filled = fill(small_cloud.disk)

    with pytest.raises(MountError, match=NO_SPACE):
        small_cloud.mount(file_system_id)

    filled.unlink()
    assert (small_cloud.mount(file_system_id) / "data/a_bed").read_bytes() == b"x" * 2_000_000


def test_a_file_system_that_cannot_be_made_is_an_error_and_another_is_made_later(small_cloud):
    filled = fill(small_cloud.disk)

    with pytest.raises((OSError, ServiceError), match="No space left"):
        small_cloud.create()

    filled.unlink()
    assert small_cloud.mount(small_cloud.file_system()).is_dir()


@pytest.mark.parametrize(
    ("code", "is_left_out"),
    [
        (errno.ENAMETOOLONG, True),
        (errno.ENOTDIR, True),
        (errno.ENOSPC, False),
        (errno.EIO, False),
        (errno.EACCES, False),
    ],
)
def test_only_what_can_be_no_path_is_left_out_of_an_import(cloud, monkeypatch, code, is_left_out):
    real = transfer._make_placeholder

    def place(file, size, mtime_ns):
        if file.name == "odd":
            raise OSError(code, os.strerror(code))
        real(file, size, mtime_ns)

    monkeypatch.setattr(transfer, "_make_placeholder", place)
    cloud.put("data-bucket", cohort__a=b"1", cohort__odd=b"2", cohort__z=b"3")
    file_system_id = cloud.file_system()

    found = association(
        cloud, cloud.associate(file_system_id, "/data", "s3://data-bucket/cohort/"), "MISCONFIGURED", "AVAILABLE"
    )

    assert (found["Lifecycle"] == "AVAILABLE") is is_left_out
