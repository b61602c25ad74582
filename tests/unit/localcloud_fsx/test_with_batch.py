"""Both stand-ins together: a job reads what is in S3 and its result is exported."""

from genolaunch.local_stage.images import images
from localcloud.batch import BatchService, HostFolders, ProcessRunner
from localcloud.images import ImageCatalog
from tests.unit.localcloud_batch.support import IMAGE, MemoryLogs, environment, queue


def test_a_job_reads_its_data_from_s3_and_its_result_gets_there(cloud, tmp_path):
    # given
    cloud.put("data-bucket", cohort__genotypes=b"ACGT")
    file_system_id = cloud.file_system()
    cloud.linked(file_system_id, "/data", "s3://data-bucket/cohort/")
    cloud.linked(file_system_id, "/work", "s3://results-bucket/results/x/")
    described = cloud.call("DescribeFileSystems", FileSystemIds=[file_system_id])["FileSystems"][0]
    batch = BatchService(
        runner=ProcessRunner(
            images=ImageCatalog(images(), tmp_path),
            folders=HostFolders(tmp_path / "host", cloud.fsx),
            scratch=tmp_path / "scratch",
            cloud_environment={},
        ),
        logs=MemoryLogs(),
        region="eu-west-1",
        account="000000000000",
    )
    batch.call("CreateComputeEnvironment", environment("spot"))
    batch.call("CreateJobQueue", queue("q", priority=1))
    source = f"/mnt/fsx/{file_system_id}_{described['LustreConfiguration']['MountName']}"
    container = {
        "image": IMAGE,
        "command": ["sh", "-c", 'tr A-Z a-z < "$0/data/genotypes" > "$0/work/result"', "/fsx"],
        "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "1"}],
        "volumes": [{"name": "fsx", "host": {"sourcePath": source}}],
        "mountPoints": [{"sourceVolume": "fsx", "containerPath": "/fsx"}],
    }
    definition = {"jobDefinitionName": "d", "type": "container", "containerProperties": container}
    batch.call("RegisterJobDefinition", definition)
    # when
    job_id = batch.call("SubmitJob", {"jobName": "j", "jobQueue": "q", "jobDefinition": "d"})["jobId"]
    job = batch.wait(job_id, 20)
    batch.close()
    task = cloud.finished(cloud.task(file_system_id, Paths=["work"]))
    # then
    assert (job["status"], task["Lifecycle"]) == ("SUCCEEDED", "SUCCEEDED")
    assert cloud.read("results-bucket", "results/x/result") == b"acgt"
