"""Nothing left behind: what clean-up missed of a launch that is over is swept up, and people hear of it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from genolaunch.contract.launch import LaunchField, Status
from genolaunch.contract.launch_bucket import SCHEMA_KEY
from genolaunch.contract.settings import Parameter
from genolaunch.launch_configs.models import launch_schema
from tests.local.notices import notices_queue
from tests.local.platform_client import STAGE, PlatformClient, eventually

pytestmark = pytest.mark.local

LAUNCH_ID = "orphans-20260101t000000-0123abcd"
TAGS = {"project": "genolaunch", "stage": STAGE, "launchId": LAUNCH_ID, "attempt": "1"}
TAG_LIST = [{"Key": key, "Value": value} for key, value in TAGS.items()]


@pytest.fixture
def ended_launch(platform: PlatformClient) -> None:
    """Given: a launch that was cancelled long ago."""
    item = {
        LaunchField.LAUNCH_ID: LAUNCH_ID,
        LaunchField.NAME: "orphans",
        LaunchField.STATUS: Status.CANCELLED,
        LaunchField.SUBMITTED_AT: "2026-01-01T00:00:00.000Z",
        LaunchField.ENDED_AT: "2026-01-01T01:00:00.000Z",
    }
    platform.dynamodb.put_item(
        TableName=platform.name(Parameter.LAUNCH_TABLE),
        Item={name: {"S": str(value)} for name, value in item.items()} | {LaunchField.ATTEMPT: {"N": "1"}},
    )


@pytest.fixture
def orphans(platform: PlatformClient, ended_launch: None) -> dict[str, str]:
    """Given: one thing of each kind that carries the launch's tags, and that no clean-up knows of."""
    system = platform.fsx.create_file_system(
        FileSystemType="LUSTRE",
        FileSystemTypeVersion="2.15",
        StorageCapacity=1200,
        SubnetIds=["subnet-12345678"],
        SecurityGroupIds=["sg-12345678"],
        LustreConfiguration={"DeploymentType": "SCRATCH_2"},
        Tags=TAG_LIST,
    )["FileSystem"]["FileSystemId"]
    eventually(lambda: is_available(platform, system), "the file system available")
    association = platform.fsx.create_data_repository_association(
        FileSystemId=system,
        FileSystemPath="/data",
        DataRepositoryPath=f"s3://{platform.name(Parameter.DATA_BUCKET)}/cohort/",
        Tags=TAG_LIST,
    )["Association"]["AssociationId"]
    template = platform.client("ec2").create_launch_template(
        LaunchTemplateName=LAUNCH_ID,
        LaunchTemplateData={"InstanceType": "m5.large"},
        TagSpecifications=[{"ResourceType": "launch-template", "Tags": TAG_LIST}],
    )["LaunchTemplate"]["LaunchTemplateId"]
    definition = platform.batch.register_job_definition(
        jobDefinitionName=f"{LAUNCH_ID}-1",
        type="container",
        schedulingPriority=1,
        tags=TAGS,
        containerProperties={
            "image": json.loads(regenie_images(platform))["versions"]["4.1.2"],
            "command": ["sleep", "600"],
            "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "100"}],
        },
    )["jobDefinitionArn"]
    job = platform.batch.submit_job(
        jobName=f"{LAUNCH_ID}-1-step2",
        jobQueue=json.loads(platform.name(Parameter.JOB_QUEUES))[0],
        jobDefinition=definition,
        shareIdentifier="orphans",
        tags=TAGS,
    )["jobId"]
    eventually(lambda: job_status(platform, job) == "RUNNING", "the job running")
    return {"system": system, "association": association, "template": template, "definition": definition, "job": job}


@pytest.fixture
def notices(platform: PlatformClient) -> Callable[[], list[dict[str, str]]]:
    """A queue that is subscribed to the stage's topic: reads the notices that came."""
    queue = notices_queue(platform)

    def read() -> list[dict[str, str]]:
        found = platform.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        bodies = [json.loads(message["Body"]) for message in found]
        return [
            body for body in bodies if "left resources behind" in body["Subject"]
        ]  # launches' own notices come here too

    return read


def test_orphans_of_every_kind_are_gone_after_one_sweep_and_reported(platform, orphans, notices):
    # When
    invoke(platform, "sweep")
    # Then: they are gone
    platform.assert_clean(LAUNCH_ID)
    assert orphans["system"] not in [f["FileSystemId"] for f in platform.fsx.describe_file_systems()["FileSystems"]]
    templates = platform.client("ec2").describe_launch_templates()["LaunchTemplates"]
    assert orphans["template"] not in [found["LaunchTemplateId"] for found in templates]
    assert job_status(platform, orphans["job"]) == "FAILED"
    # And one notice says what they were, of which launch, since when and for how much
    (notice,) = eventually(notices, "a notice")
    assert LAUNCH_ID in notice["Message"]
    story = notice["Message"][notice["Message"].index(LAUNCH_ID) :]
    assert story.startswith(f"{LAUNCH_ID}: CANCELLED since 2026-01-01 01:00 UTC; about 0.28 USD an hour")
    assert f"file system {orphans['system']}, 1200 GiB, made {datetime.now(UTC):%Y-%m-%d}" in story
    for kind in ("association", "template", "job"):
        assert orphans[kind] in story, kind
    assert f"job definition {LAUNCH_ID}-1:1" in story


def invoke(platform: PlatformClient, module: str) -> None:
    """What the schedule does."""
    answer = platform.client("lambda").invoke(FunctionName=function(platform, module)["FunctionName"], Payload=b"{}")
    assert "FunctionError" not in answer, answer["Payload"].read()


def function(platform: PlatformClient, module: str) -> dict[str, Any]:
    """The configuration of one of the stage's functions."""
    found: list[dict[str, Any]] = platform.client("lambda").list_functions()["Functions"]
    return next(each for each in found if each["Handler"].endswith(f".{module}.handler"))


def regenie_images(platform: PlatformClient) -> str:
    """The stage's images, as the planner knows them."""
    images: str = function(platform, "plan_launch")["Environment"]["Variables"]["REGENIE_IMAGES"]
    return images


def is_available(platform: PlatformClient, file_system: str) -> bool:
    (found,) = platform.fsx.describe_file_systems(FileSystemIds=[file_system])["FileSystems"]
    return bool(found["Lifecycle"] == "AVAILABLE")


def job_status(platform: PlatformClient, job_id: str) -> str:
    status: str = platform.batch.describe_jobs(jobs=[job_id])["jobs"][0]["status"]
    return status


def test_a_launch_whose_ending_nobody_heard_of_is_settled(platform):
    # Given: a launch that the table says is running, with an execution that is not
    machine, launch_id = platform.name(Parameter.LAUNCH_STATE_MACHINE), "lost-20260101t000000-0123abcd"
    request = json.dumps([{"launchId": "nobodys", "status": "SUBMITTED"}])
    execution = platform.states.start_execution(stateMachineArn=machine, input=request)["executionArn"]
    eventually(lambda: execution_status(platform, execution) != "RUNNING", "the execution's end")
    item = {
        LaunchField.LAUNCH_ID: launch_id,
        LaunchField.NAME: "lost",
        LaunchField.STATUS: Status.RUNNING,
        LaunchField.SUBMITTED_AT: "2026-01-01T00:00:00.000Z",
        LaunchField.EXECUTION_ARN: execution,
    }
    platform.dynamodb.put_item(
        TableName=platform.name(Parameter.LAUNCH_TABLE),
        Item={name: {"S": str(value)} for name, value in item.items()} | {LaunchField.ATTEMPT: {"N": "1"}},
    )
    # When
    invoke(platform, "lost_endings")
    # Then
    assert platform.wait_for(launch_id)["status"] == Status.FAILED


def execution_status(platform: PlatformClient, arn: str) -> str:
    status: str = platform.states.describe_execution(executionArn=arn)["status"]
    return status


@pytest.mark.parametrize("module", ["look_after", "lost_requests"])
def test_what_runs_by_schedule_finds_nothing_amiss(platform, module):
    invoke(platform, module)


def test_the_schema_of_launch_configs_is_published(platform):
    invoke(platform, "publish_schema")

    bucket = platform.name(Parameter.LAUNCH_BUCKET)
    published = json.loads(platform.s3.get_object(Bucket=bucket, Key=SCHEMA_KEY)["Body"].read())
    assert published == launch_schema()
