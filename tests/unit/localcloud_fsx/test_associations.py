import pytest

from localcloud.fsx import manifest
from localcloud.service import ServiceError
from tests.unit.localcloud_fsx.support import refusal, request


def test_a_links_objects_are_visible_at_once_and_fetched_at_the_first_mount(cloud, monkeypatch):
    # given
    cloud.put("data-bucket", cohort__a_bed=b"genotypes", cohort__sub__b_txt=b"phenotypes", other=b"x")
    file_system_id = cloud.file_system()
    fetched = []
    fetch = cloud.s3.download_file

    def fetch_and_note(bucket, key, file):
        fetched.append(key)
        fetch(bucket, key, file)

    monkeypatch.setattr(cloud.s3, "download_file", fetch_and_note)
    # when
    cloud.linked(file_system_id, "/data", "s3://data-bucket/cohort/")
    # then: placeholders of the right size, nothing fetched
    folder = cloud.fsx._folder / file_system_id  # before any mount there is no public way in
    assert (folder / "data/a_bed").stat().st_size == len(b"genotypes")
    assert (folder / "data/a_bed").read_bytes() == bytes(len(b"genotypes"))
    assert fetched == []
    # when
    mounted = cloud.mount(file_system_id)
    # then
    assert (mounted / "data/a_bed").read_bytes() == b"genotypes"
    assert (mounted / "data/sub/b_txt").read_bytes() == b"phenotypes"
    assert not (mounted / "data/other").exists()
    # and only once
    cloud.mount(file_system_id)
    assert sorted(fetched) == ["cohort/a_bed", "cohort/sub/b_txt"]


def test_many_objects_come_in_pages(cloud, monkeypatch):
    # given more objects than a page of a listing and a batch of downloads hold
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")
    monkeypatch.setattr(manifest, "_BATCH", 4)
    cloud.put("data-bucket", **{f"many__{number}": b"%d" % number for number in range(10)})
    file_system_id = cloud.file_system()
    # when
    cloud.linked(file_system_id, "/data", "s3://data-bucket/many")
    folder = cloud.mount(file_system_id)
    # then
    assert {file.name: file.read_bytes() for file in (folder / "data").iterdir()} == {
        str(number): b"%d" % number for number in range(10)
    }


def test_folder_markers_become_folders_and_impossible_names_are_left_out(cloud):
    cloud.put("data-bucket", cohort__empty__=b"", cohort__a=b"1")
    cloud.s3.put_object(Bucket="data-bucket", Key="cohort/../../escape", Body=b"x")
    cloud.s3.put_object(Bucket="data-bucket", Key="cohort/a/below-a-file", Body=b"x")
    file_system_id = cloud.file_system()
    cloud.linked(file_system_id, "/data", "s3://data-bucket/cohort/")
    folder = cloud.mount(file_system_id)
    assert sorted(path.name for path in (folder / "data").iterdir()) == ["a", "empty"]
    assert (folder / "data/empty").is_dir()


def test_an_archived_object_cannot_be_read_before_it_is_restored(cloud):
    # given
    cloud.s3.put_object(Bucket="data-bucket", Key="c/cold", Body=b"cold", StorageClass="DEEP_ARCHIVE")
    cloud.put("data-bucket", c__warm=b"warm")
    file_system_id = cloud.file_system()
    cloud.linked(file_system_id, "/data", "s3://data-bucket/c/")
    # when
    folder = cloud.mount(file_system_id)
    # then
    assert (folder / "data/warm").read_bytes() == b"warm"
    with pytest.raises(OSError, match="No such file"):
        (folder / "data/cold").read_bytes()
    assert "restore-the-object" in str((folder / "data/cold").readlink())
    # and when it is restored, the next mount has it
    cloud.s3.restore_object(Bucket="data-bucket", Key="c/cold", RestoreRequest={"Days": 1})
    cloud.mount(file_system_id)
    assert (folder / "data/cold").read_bytes() == b"cold"


def test_an_object_that_is_replaced_before_it_is_read_is_read_with_its_new_content_until_nothing_imports_it(cloud):
    # given a list of files that was imported
    cloud.put("data-bucket", c__first=b"one", c__second=b"one")
    file_system_id = cloud.file_system()
    cloud.linked(file_system_id, "/data", "s3://data-bucket/c/")
    imported = (cloud.fsx._folder / file_system_id / "data/first").stat().st_mtime_ns
    # when an object is replaced before its file is read, and one after
    cloud.put("data-bucket", c__first=b"other")
    folder = cloud.mount(file_system_id)
    cloud.put("data-bucket", c__second=b"two")
    cloud.mount(file_system_id)
    # then
    assert ((folder / "data/first").read_bytes(), (folder / "data/second").read_bytes()) == (b"other", b"one")
    assert (folder / "data/first").stat().st_mtime_ns == imported
    # and an import makes what changed new, also what has the same size and was put in the same second
    cloud.finished(cloud.task(file_system_id, "IMPORT_METADATA_FROM_REPOSITORY"))
    folder = cloud.mount(file_system_id)
    assert ((folder / "data/first").read_bytes(), (folder / "data/second").read_bytes()) == (b"other", b"two")


def test_an_object_that_is_deleted_before_it_is_read_fails_its_own_file_only(cloud):
    cloud.put("data-bucket", c__gone=b"one", c__here=b"two")
    file_system_id = cloud.file_system()
    cloud.linked(file_system_id, "/data", "s3://data-bucket/c/")
    cloud.s3.delete_object(Bucket="data-bucket", Key="c/gone")
    folder = cloud.mount(file_system_id)
    assert (folder / "data/here").read_bytes() == b"two"
    with pytest.raises(OSError, match="No such file"):
        (folder / "data/gone").read_bytes()
    assert "DELETED" in str((folder / "data/gone").readlink())


def test_a_bucket_that_is_not_there_makes_the_association_misconfigured(cloud):
    file_system_id = cloud.file_system()
    association_id = cloud.associate(file_system_id, "/data", "s3://no-such-bucket/")
    described = cloud.until("DescribeDataRepositoryAssociations", "AssociationIds", association_id, "MISCONFIGURED")
    assert "no-such-bucket" in described["FailureDetails"]["Message"]


@pytest.mark.parametrize(
    ("path", "repository"),
    [
        ("/data", "s3://results-bucket/"),
        ("/data/sub", "s3://results-bucket/"),
        ("/", "s3://results-bucket/"),
        ("/work", "s3://data-bucket/cohort/"),
        ("/work", "s3://data-bucket/cohort/sub/"),
        ("/work", "s3://data-bucket/"),
        ("work", "s3://results-bucket/"),
        ("/work/../x", "s3://results-bucket/"),
        ("/work", "results-bucket/"),
    ],
)
def test_overlaps_and_bad_paths_are_refused(cloud, path, repository):
    file_system_id = cloud.file_system()
    cloud.linked(file_system_id, "/data", "s3://data-bucket/cohort/")
    assert refusal(cloud.associate, file_system_id, path, repository) == "BadRequest"


def test_names_that_only_start_alike_do_not_overlap(cloud):
    file_system_id = cloud.file_system()
    cloud.linked(file_system_id, "/data", "s3://data-bucket/cohort/")
    assert cloud.linked(file_system_id, "/data2", "s3://data-bucket/cohort2/")


def test_a_file_system_takes_eight_associations(cloud):
    file_system_id = cloud.file_system()
    for number in range(8):
        cloud.associate(file_system_id, f"/d{number}", f"s3://data-bucket/d{number}/")
    assert refusal(cloud.associate, file_system_id, "/d8", "s3://data-bucket/d8/") == "ServiceLimitExceeded"


def test_the_default_version_of_scratch_2_cannot_be_linked(cloud):
    without_version = request()
    del without_version["FileSystemTypeVersion"]
    created = cloud.call("CreateFileSystem", **without_version)["FileSystem"]
    cloud.until("DescribeFileSystems", "FileSystemIds", created["FileSystemId"], "AVAILABLE")
    assert refusal(cloud.associate, created["FileSystemId"], "/d", "s3://data-bucket/") == "UnsupportedOperation"


def test_associations_are_idempotent_and_found_by_file_system(cloud):
    first, second = cloud.file_system(), cloud.file_system()
    made = cloud.associate(first, "/data", "s3://data-bucket/", ClientRequestToken="t")
    assert cloud.associate(first, "/data", "s3://data-bucket/", ClientRequestToken="t") == made
    other = cloud.associate(second, "/data", "s3://data-bucket/")
    found = cloud.call("DescribeDataRepositoryAssociations", Filters=[{"Name": "file-system-id", "Values": [second]}])
    assert [each["AssociationId"] for each in found["Associations"]] == [other]
    assert refusal(cloud.associate, first, "/x", "s3://data-bucket/", ClientRequestToken="t") == (
        "IncompatibleParameterError"
    )


@pytest.mark.parametrize("delete_files", [True, False])
def test_unlinking_keeps_or_deletes_the_files(cloud, delete_files):
    cloud.put("data-bucket", a=b"1")
    file_system_id = cloud.file_system()
    association_id = cloud.linked(file_system_id, "/data", "s3://data-bucket/")
    folder = cloud.mount(file_system_id)
    cloud.call("DeleteDataRepositoryAssociation", AssociationId=association_id, DeleteDataInFileSystem=delete_files)
    with pytest.raises(ServiceError, match="DataRepositoryAssociationNotFound"):
        cloud.until("DescribeDataRepositoryAssociations", "AssociationIds", association_id, "never")
    assert (folder / "data/a").exists() is not delete_files
