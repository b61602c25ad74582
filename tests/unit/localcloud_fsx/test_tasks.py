import pytest

from tests.unit.localcloud_fsx.support import refusal


@pytest.fixture
def launch(cloud):
    """A file system with data and earlier results, mounted."""
    cloud.put("data-bucket", cohort__a=b"genotypes")
    cloud.put("results-bucket", r1__plan=b"plan", r1__old=b"old result")
    file_system_id = cloud.file_system()
    cloud.linked(file_system_id, "/data", "s3://data-bucket/cohort/")
    cloud.linked(file_system_id, "/work", "s3://results-bucket/r1/")
    return file_system_id, cloud.mount(file_system_id)


def test_an_export_uploads_what_is_new_or_changed_below_its_paths(cloud, launch):
    # given
    file_system_id, folder = launch
    (folder / "work/step2").mkdir()
    (folder / "work/step2/new").write_text("new")
    (folder / "work/old").write_text("changed result")
    (folder / "data/scratch").write_text("not asked for")
    # when
    task = cloud.finished(cloud.task(file_system_id, Paths=["work"]))
    # then
    assert task["Lifecycle"] == "SUCCEEDED"
    assert (task["Status"]["TotalCount"], task["Status"]["FailedCount"]) == (2, 0)
    assert cloud.read("results-bucket", "r1/step2/new") == b"new"
    assert cloud.read("results-bucket", "r1/old") == b"changed result"
    keys = [each["Key"] for each in cloud.s3.list_objects_v2(Bucket="data-bucket")["Contents"]]
    assert keys == ["cohort/a"]
    # and a second export has nothing to do
    again = cloud.finished(cloud.task(file_system_id, Paths=["work"]))
    assert again["Status"]["TotalCount"] == 0


def test_an_export_of_one_file_and_of_everything(cloud, launch):
    file_system_id, folder = launch
    (folder / "work/report.html").write_text("report")
    (folder / "data/extra").write_text("extra")
    (folder / "unlinked").write_text("in no association")
    assert cloud.finished(cloud.task(file_system_id, Paths=["work/report.html"]))["Status"]["TotalCount"] == 1
    assert cloud.finished(cloud.task(file_system_id))["Status"]["TotalCount"] == 1
    assert cloud.read("data-bucket", "cohort/extra") == b"extra"


@pytest.mark.parametrize("path", ["work/no-such-folder", "../data", "work/../../x"])
def test_a_path_that_does_not_exist_fails_the_task(cloud, launch, path):
    file_system_id, folder = launch
    (folder / "work/new").write_text("new")
    task = cloud.finished(cloud.task(file_system_id, Paths=["work", path]))
    assert task["Lifecycle"] == "FAILED"
    assert path.strip("/") in task["FailureDetails"]["Message"]
    assert task["Status"]["TotalCount"] == 0


def test_files_that_are_made_to_fail_fail_the_task_and_are_in_its_report(cloud, launch):
    # given
    file_system_id, folder = launch
    (folder / "work/good").write_text("1")
    (folder / "work/bad").write_text("2")
    cloud.fsx.fail_next_export("*/bad")
    report = {
        "Enabled": True,
        "Path": "s3://results-bucket/r1/reports/",
        "Format": "REPORT_CSV_20191124",
        "Scope": "FAILED_FILES_ONLY",
    }
    # when
    task = cloud.finished(cloud.task(file_system_id, Paths=["work"], report=report))
    # then
    assert task["Lifecycle"] == "FAILED"
    assert (task["Status"]["SucceededCount"], task["Status"]["FailedCount"]) == (1, 1)
    assert b"/work/bad" in cloud.read("results-bucket", f"r1/reports/{task['TaskId']}/failures.csv")
    # and the next export repairs it
    assert cloud.finished(cloud.task(file_system_id, Paths=["work"]))["Status"]["SucceededCount"] == 1
    assert cloud.read("results-bucket", "r1/bad") == b"2"


def test_a_file_system_with_a_pending_task_is_not_deleted(cloud, launch):
    file_system_id, _ = launch
    task_id = cloud.task(file_system_id, Paths=["work"])
    assert refusal(cloud.call, "DeleteFileSystem", FileSystemId=file_system_id) == "BadRequest"
    assert refusal(cloud.task, file_system_id) == "DataRepositoryTaskExecuting"
    cloud.finished(task_id)
    assert cloud.call("DeleteFileSystem", FileSystemId=file_system_id)["Lifecycle"] == "DELETING"


def test_a_cancelled_task_exports_nothing(cloud, launch):
    file_system_id, folder = launch
    (folder / "work/new").write_text("new")
    task_id = cloud.task(file_system_id, Paths=["work"])
    assert cloud.call("CancelDataRepositoryTask", TaskId=task_id)["Lifecycle"] == "CANCELING"
    assert cloud.finished(task_id)["Lifecycle"] == "CANCELED"
    assert "new" not in str(cloud.s3.list_objects_v2(Bucket="results-bucket")["Contents"])
    assert refusal(cloud.call, "CancelDataRepositoryTask", TaskId=task_id) == "DataRepositoryTaskEnded"
    assert refusal(cloud.call, "CancelDataRepositoryTask", TaskId="task-0") == "DataRepositoryTaskNotFound"


def test_an_import_task_shows_new_objects(cloud, launch):
    file_system_id, _ = launch
    cloud.put("data-bucket", cohort__late=b"late", cohort__sub__later=b"later")
    paths = ["s3://data-bucket/cohort/sub/"]
    task = cloud.finished(cloud.task(file_system_id, "IMPORT_METADATA_FROM_REPOSITORY", Paths=paths))
    assert task["Lifecycle"] == "SUCCEEDED"
    folder = cloud.mount(file_system_id)
    assert (folder / "data/sub/later").read_bytes() == b"later"
    assert not (folder / "data/late").exists()


def test_an_import_of_several_folders_shows_theirs_and_no_others(cloud, launch):
    file_system_id, _ = launch
    cloud.put("data-bucket", cohort__one__a=b"1", cohort__two__b=b"2", cohort__onetwo__c=b"3")
    paths = ["s3://data-bucket/cohort/one", "s3://data-bucket/cohort/two"]

    assert cloud.finished(cloud.task(file_system_id, "IMPORT_METADATA_FROM_REPOSITORY", Paths=paths))["Lifecycle"] == (
        "SUCCEEDED"
    )

    folder = cloud.mount(file_system_id) / "data"
    assert ((folder / "one/a").read_bytes(), (folder / "two/b").read_bytes()) == (b"1", b"2")
    assert not (folder / "onetwo").exists()


@pytest.mark.parametrize("path", ["s3://other-bucket/cohort", "s3://data-bucket/elsewhere", "s3://data-bucket"])
def test_an_import_of_what_is_not_linked_fails(cloud, launch, path):
    file_system_id, _ = launch

    task = cloud.finished(cloud.task(file_system_id, "IMPORT_METADATA_FROM_REPOSITORY", Paths=[path]))

    assert task["Lifecycle"] == "FAILED"
    assert path in task["FailureDetails"]["Message"]


def test_tasks_are_idempotent_and_found_by_filter(cloud, launch):
    file_system_id, _ = launch
    task_id = cloud.task(file_system_id, Paths=["work"], ClientRequestToken="t")
    assert cloud.task(file_system_id, Paths=["work"], ClientRequestToken="t") == task_id
    cloud.finished(task_id)

    def found(*lifecycles):
        filters = [
            {"Name": "file-system-id", "Values": [file_system_id]},
            {"Name": "task-lifecycle", "Values": list(lifecycles)},
        ]
        return [
            each["TaskId"] for each in cloud.call("DescribeDataRepositoryTasks", Filters=filters)["DataRepositoryTasks"]
        ]

    assert found("SUCCEEDED", "FAILED") == [task_id]
    assert found("PENDING", "EXECUTING") == []


@pytest.mark.parametrize(
    "report",
    [
        {},
        {"Enabled": True},
        {
            "Enabled": True,
            "Path": "s3://elsewhere-bucket/",
            "Format": "REPORT_CSV_20191124",
            "Scope": "FAILED_FILES_ONLY",
        },
    ],
)
def test_a_report_must_be_complete_and_within_a_linked_prefix(cloud, launch, report):
    params = {"FileSystemId": launch[0], "Type": "EXPORT_TO_REPOSITORY", "Report": report}
    assert refusal(cloud.call, "CreateDataRepositoryTask", **params) == "BadRequest"


def test_a_file_system_without_links_has_nothing_to_export(cloud):
    assert refusal(cloud.task, cloud.file_system()) == "BadRequest"
