"""What the unmodified snakemake-executor-plugin-aws-batch 0.2.1 asks of AWS Batch, in its order."""

import uuid

from tests.unit.localcloud_batch.support import IMAGE


def test_a_job_of_the_plugin_goes_from_its_definition_to_its_end(cloud):
    name = f"bwa_index-{uuid.uuid4()}"
    definition = cloud.call(
        "RegisterJobDefinition",
        jobDefinitionName=f"snakejob-def-{name}",
        type="container",
        containerProperties={
            "image": IMAGE,
            "command": ["/bin/bash", "-c", 'echo "in $SNAKEMAKE_STORAGE_S3_REGION"'],
            "environment": [{"name": "SNAKEMAKE_STORAGE_S3_REGION", "value": "us-east-1"}],
            "jobRoleArn": "arn:aws:iam::123456789012:role/jr",
            "privileged": True,
            "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "2048"}],
        },
        timeout={"attemptDurationSeconds": 300},
        tags={},
        platformCapabilities=["EC2"],
    )

    job = cloud.call(
        "SubmitJob",
        jobName=f"snakejob-{name}",
        jobQueue="low",
        jobDefinition=f"{definition['jobDefinitionName']}:{definition['revision']}",
    )

    ended = cloud.batch.wait(job["jobId"], 20)
    assert ended["status"] == "SUCCEEDED"
    assert cloud.logs.of(ended, "/aws/batch/job") == ["in us-east-1"]
    (described,) = cloud.describe(job["jobId"])
    assert described["jobDefinition"] == definition["jobDefinitionArn"]
    # It ends jobs that have ended, too, and asks for the definition's end by what DescribeJobs said.
    cloud.call("TerminateJob", jobId=job["jobId"], reason="terminated by snakemake")
    cloud.call("DeregisterJobDefinition", jobDefinition=described["jobDefinition"])
    assert cloud.describe(job["jobId"])[0]["status"] == "SUCCEEDED"
    (left,) = cloud.call("DescribeJobDefinitions", jobDefinitions=[definition["jobDefinitionArn"]])["jobDefinitions"]
    assert left["status"] == "INACTIVE"
