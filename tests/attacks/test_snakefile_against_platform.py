"""What a Snakefile tries against the platform and against other launches. Each attempt is refused.

Guarantees
    An attempt names the sentence of docs/security.md ("What a launch's programs may do") that it proves; a test holds
    that the sentence is there. A sentence there that no attempt proves fails as well.

How
    A Snakefile is its author's Python: it runs in the launcher with the launcher's role, and its rules in jobs with the
    jobs' role. So the attempts are calls with the keys of these roles, on a cloud that enforces IAM. The roles are made
    by the platform's own function, with the policies of the app's own templates (launch_cloud.py).

What it is not
    Attempts on a host of Batch, where a rule's code is beside jobs of other launches, are not played: docs/security.md,
    "Jobs of others on one host", says what they have.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from genolaunch.local_stage import control
from localcloud.clients import ACCOUNT, REGION
from tests.attacks.launch_cloud import (
    DATA,
    JOB_LOGS,
    LAB,
    LAUNCHES,
    LOGS,
    RESULTS,
    SHARED,
    STAGE,
    UNICORN,
    LaunchCloud,
    LaunchOnCloud,
)
from tests.infrastructure.conftest import make_settings, synthesize
from tests.local.enforced_cloud import Enforced

pytestmark = pytest.mark.local

OWN_DATA: Final = "A launch reads and writes what is below its own `data`, and nothing of another launch's."
OWN_RESULTS: Final = "Of results it reads its own launcher's files, and writes these and its own report."
OWN_JOBS: Final = "It submits jobs of its own job definition to its own queues, tagged with its own launch."
OWN_ENDS: Final = "It ends its own jobs, executions and instances, and no others."
OWN_LOGS: Final = "It reads the logs of its own jobs."
NO_PLATFORM: Final = (
    "It reads and writes no table, no launch file and no queue of the platform but the one that it reports to."
)
NO_IDENTITY: Final = "It makes, changes, takes on and hands on no role."
GUARANTEES: Final = (OWN_DATA, OWN_RESULTS, OWN_JOBS, OWN_ENDS, OWN_LOGS, NO_PLATFORM, NO_IDENTITY)


@dataclass(frozen=True)
class Stage:
    """Two launches that run, and what the platform has of them."""

    cloud: LaunchCloud
    own: LaunchOnCloud
    other: LaunchOnCloud
    definitions: dict[str, str]
    job: str
    """Of the other launch, on Batch."""
    instance: str
    """Of the other launch, at Tibanna."""


@pytest.fixture(autouse=True)
def cloud() -> None:
    """In place of the account in memory that other tests here have: the embedded cloud is asked."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Given: two launches of one stage that run, with data, results, jobs and logs."""
    state_dir = tmp_path_factory.mktemp("attacks")
    settings = make_settings(account=ACCOUNT, region=REGION, zones=[f"{REGION}a", f"{REGION}b"])
    with pytest.MonkeyPatch.context() as monkeypatch:
        try:
            enforced = Enforced(control.up(state_dir, port=control.free_port(), enforce_iam=True))
            yield _running(LaunchCloud(enforced, synthesize(settings), monkeypatch))
        finally:
            control.down(state_dir)


def _running(cloud: LaunchCloud) -> Stage:
    own, other = cloud.launch("own"), cloud.launch("other")
    made = cloud.cloud
    s3 = made.client("s3")
    for bucket, key in (
        *((DATA, f"{name}/reads.txt") for name in ("own", "other", "cardio/study")),
        *((RESULTS, f"results/{each.id}/{name}") for each in (own, other) for name in _RESULTS),
        *((LOGS, f"{each.run}.abc.log") for each in (own, other)),
        (LAUNCHES, "workflows/other/Snakefile"),
        (SHARED, "genome.fa"),
        (LAB, "runs/reads.txt"),
    ):
        s3.put_object(Bucket=bucket, Key=key, Body=b"kept")
    logs = made.client("logs")
    logs.create_log_group(logGroupName=JOB_LOGS)
    for each in (own, other):
        logs.create_log_stream(logGroupName=JOB_LOGS, logStreamName=f"{each.id}/default/1")
    definitions = {each.id: _definition(made, each) for each in (own, other)}
    queue = made.queue()
    job = made.batch.submit_job(
        jobName=f"{other.run}-align-1", jobDefinition=definitions[other.id], jobQueue=queue, tags=_tags(other)
    )["jobId"]
    return Stage(cloud, own, other, definitions, job, _instance(made, other))


_RESULTS: Final = (
    "report.html",
    "launcher/outcome-1.json",
    "launcher/run-1.json",
    "launcher/jobs-1.json",
    "launch.json",
)


def _definition(cloud: Enforced, launch: LaunchOnCloud) -> str:
    needs = [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "256"}]
    arn: str = cloud.batch.register_job_definition(
        jobDefinitionName=launch.run,
        type="container",
        tags=_tags(launch),
        containerProperties={
            "image": "localhost/genolaunch-regenie:4.1.2",
            "command": ["sleep", "600"],
            "resourceRequirements": needs,
            "jobRoleArn": launch.roles["jobs"],
        },
    )["jobDefinitionArn"]
    return arn


def _tags(launch: LaunchOnCloud) -> dict[str, str]:
    return {"project": "genolaunch", "stage": STAGE, "launchId": launch.id, "attempt": "1", "workflow": "snakemake"}


def _instance(cloud: Enforced, launch: LaunchOnCloud) -> str:
    tags = [{"Key": "Type", "Value": "awsem"}, {"Key": "Name", "Value": f"awsem-{launch.run}.abc"}]
    ec2 = cloud.client("ec2")
    subnet = ec2.create_subnet(VpcId=ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"], CidrBlock="10.0.0.0/24")
    started = ec2.run_instances(
        ImageId="ami-12345678",
        InstanceType="m5.large",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet["Subnet"]["SubnetId"],
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )
    id_: str = started["Instances"][0]["InstanceId"]
    return id_


# --- Attempts ------------------------------------------------------------------------------------------------------
Attempt = Callable[[Stage, Callable[[str], Any]], Any]
"""From the stage and a maker of clients with the launcher's keys, or the job's."""


def _submission(stage: Stage, **changes: Any) -> dict[str, Any]:
    """A submission that is the launch's own, but for the changes."""
    own = {
        "jobName": f"{stage.own.run}-trim-1",
        "jobDefinition": stage.definitions[stage.own.id],
        "jobQueue": f"arn:aws:batch:{REGION}:{ACCOUNT}:job-queue/low",
        "shareIdentifier": "own",
        "tags": _tags(stage.own),
        "propagateTags": True,
    }
    return {key: value for key, value in {**own, **changes}.items() if value is not None}


def _execution(launch: LaunchOnCloud) -> str:
    return f"arn:aws:states:{REGION}:{ACCOUNT}:execution:{UNICORN}:{launch.run}.abc-align"


_TRUST_ALL: Final = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}'
_ALLOW_ALL: Final = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'

ATTEMPTS: Final[dict[str, tuple[str, Attempt]]] = {
    "read another launch's data": (
        OWN_DATA,
        lambda s, of: of("s3").get_object(Bucket=DATA, Key="other/reads.txt"),
    ),
    "overwrite another launch's data": (
        OWN_DATA,
        lambda s, of: of("s3").put_object(Bucket=DATA, Key="other/reads.txt", Body=b"forged"),
    ),
    "delete another launch's data": (
        OWN_DATA,
        lambda s, of: of("s3").delete_object(Bucket=DATA, Key="other/reads.txt"),
    ),
    "delete many of another launch's data at once": (
        OWN_DATA,
        lambda s, of: _every_one(
            of("s3").delete_objects(Bucket=DATA, Delete={"Objects": [{"Key": "other/reads.txt"}]})
        ),
    ),
    "copy another launch's data to one's own": (
        OWN_DATA,
        lambda s, of: of("s3").copy_object(
            Bucket=DATA, Key="own/stolen.txt", CopySource={"Bucket": DATA, "Key": "other/reads.txt"}
        ),
    ),
    "list the whole data bucket": (OWN_DATA, lambda s, of: of("s3").list_objects_v2(Bucket=DATA)),
    "list another launch's data": (OWN_DATA, lambda s, of: of("s3").list_objects_v2(Bucket=DATA, Prefix="other/")),
    "list folders that begin like one's own": (
        OWN_DATA,
        lambda s, of: of("s3").list_objects_v2(Bucket=DATA, Prefix="own"),
    ),
    "read a team's data": (OWN_DATA, lambda s, of: of("s3").get_object(Bucket=DATA, Key="cardio/study/reads.txt")),
    "write into a bucket that all may read": (
        OWN_DATA,
        lambda s, of: of("s3").put_object(Bucket=SHARED, Key="genome.fa", Body=b"forged"),
    ),
    "delete in a bucket where others work": (
        OWN_DATA,
        lambda s, of: of("s3").delete_object(Bucket=LAB, Key="runs/reads.txt"),
    ),
    "overwrite another launch's report": (
        OWN_RESULTS,
        lambda s, of: of("s3").put_object(Bucket=RESULTS, Key=f"results/{s.other.id}/report.html", Body=b"forged"),
    ),
    "overwrite another launch's outcome": (
        OWN_RESULTS,
        lambda s, of: of("s3").put_object(
            Bucket=RESULTS, Key=f"results/{s.other.id}/launcher/outcome-1.json", Body=b"{}"
        ),
    ),
    "read another launch's run sheet, with its token": (
        OWN_RESULTS,
        lambda s, of: of("s3").get_object(Bucket=RESULTS, Key=f"results/{s.other.id}/launcher/run-1.json"),
    ),
    "delete another launch's results": (
        OWN_RESULTS,
        lambda s, of: of("s3").delete_object(Bucket=RESULTS, Key=f"results/{s.other.id}/launch.json"),
    ),
    "delete one's own report, of which an earlier version would stay": (
        OWN_RESULTS,
        lambda s, of: of("s3").delete_object(Bucket=RESULTS, Key=f"results/{s.own.id}/report.html"),
    ),
    "list all results": (OWN_RESULTS, lambda s, of: of("s3").list_objects_v2(Bucket=RESULTS, Prefix="results/")),
    "forge the log of another launch's job": (
        OWN_RESULTS,
        lambda s, of: of("s3").put_object(Bucket=LOGS, Key=f"{s.other.run}.abc.log", Body=b"forged"),
    ),
    "submit a job of another launch's definition, with its role": (
        OWN_JOBS,
        lambda s, of: of("batch").submit_job(**_submission(s, jobDefinition=s.definitions[s.other.id])),
    ),
    "submit a job in another launch's name": (
        OWN_JOBS,
        lambda s, of: of("batch").submit_job(**_submission(s, tags=_tags(s.other))),
    ),
    "submit a job without a name": (OWN_JOBS, lambda s, of: of("batch").submit_job(**_submission(s, tags=None))),
    "submit to a queue of regenie's": (
        OWN_JOBS,
        lambda s, of: of("batch").submit_job(
            **_submission(s, jobQueue=f"arn:aws:batch:{REGION}:{ACCOUNT}:job-queue/regenie")
        ),
    ),
    "take another person's share of the queue": (
        OWN_JOBS,
        lambda s, of: of("batch").submit_job(**_submission(s, shareIdentifier="other")),
    ),
    "define jobs": (
        OWN_JOBS,
        lambda s, of: of("batch").register_job_definition(
            jobDefinitionName=s.own.run, type="container", containerProperties={"image": "x:1", "privileged": True}
        ),
    ),
    "make another launch's job one's own": (
        OWN_ENDS,
        lambda s, of: of("batch").tag_resource(
            resourceArn=f"arn:aws:batch:{REGION}:{ACCOUNT}:job/{s.job}", tags=_tags(s.own)
        ),
    ),
    "stop another launch's job": (OWN_ENDS, lambda s, of: of("batch").terminate_job(jobId=s.job, reason="none")),
    "stop another launch's execution": (
        OWN_ENDS,
        lambda s, of: of("stepfunctions").stop_execution(executionArn=_execution(s.other)),
    ),
    "see another launch's execution, with its token": (
        OWN_ENDS,
        lambda s, of: of("stepfunctions").describe_execution(executionArn=_execution(s.other)),
    ),
    "end another launch's instance": (
        OWN_ENDS,
        lambda s, of: of("ec2").terminate_instances(InstanceIds=[s.instance]),
    ),
    "read the log of another launch's job": (
        OWN_LOGS,
        lambda s, of: of("logs").get_log_events(logGroupName=JOB_LOGS, logStreamName=f"{s.other.id}/default/1"),
    ),
    "search the logs of all jobs": (OWN_LOGS, lambda s, of: of("logs").filter_log_events(logGroupName=JOB_LOGS)),
    **{
        f"{call} in the table of {table}": (NO_PLATFORM, attempt)
        for table in ("launches", "tasks", "usage")
        for call, attempt in {
            "put": lambda s, of, t=table: of("dynamodb").put_item(TableName=t, Item={"launchId": {"S": s.own.id}}),
            "read": lambda s, of, t=table: of("dynamodb").get_item(TableName=t, Key={"launchId": {"S": s.own.id}}),
            "scan": lambda s, of, t=table: of("dynamodb").scan(TableName=t),
        }.items()
    },
    "put another launch's job into Tibanna's table": (
        NO_PLATFORM,
        lambda s, of: of("dynamodb").put_item(TableName="tibanna-master", Item={"Job Id": {"S": f"{s.other.run}.abc"}}),
    ),
    "put another launch's job into Tibanna's table, by a statement": (
        NO_PLATFORM,
        lambda s, of: of("dynamodb").execute_statement(
            Statement=f"INSERT INTO \"tibanna-master\" VALUE {{'Job Id': '{s.other.run}.abc'}}"
        ),
    ),
    "drop a launch": (
        NO_PLATFORM,
        lambda s, of: of("s3").put_object(Bucket=LAUNCHES, Key="launches/forged.yaml", Body=b"name: forged"),
    ),
    "change the sources of another workflow": (
        NO_PLATFORM,
        lambda s, of: of("s3").put_object(Bucket=LAUNCHES, Key="workflows/other/Snakefile", Body=b"forged"),
    ),
    "ask for a launcher": (
        NO_PLATFORM,
        lambda s, of: of("sqs").send_message(QueueUrl=s.cloud.queues["others"], MessageBody="{}"),
    ),
    "read what launchers report": (
        NO_PLATFORM,
        lambda s, of: of("sqs").receive_message(QueueUrl=s.cloud.queues["records"]),
    ),
    "read a parameter": (NO_PLATFORM, lambda s, of: of("ssm").get_parameter(Name="/genolaunch/unit/launch-table")),
    "take on another launch's role": (
        NO_IDENTITY,
        lambda s, of: of("sts").assume_role(RoleArn=s.other.roles["launcher"], RoleSessionName="attack"),
    ),
    "let oneself be taken on": (
        NO_IDENTITY,
        lambda s, of: of("iam").update_assume_role_policy(RoleName=s.own.run, PolicyDocument=_TRUST_ALL),
    ),
    "give oneself everything": (
        NO_IDENTITY,
        lambda s, of: of("iam").put_role_policy(RoleName=s.own.run, PolicyName="all", PolicyDocument=_ALLOW_ALL),
    ),
    "be another launch by its tags": (
        NO_IDENTITY,
        lambda s, of: of("iam").tag_role(RoleName=s.own.run, Tags=[{"Key": "launchId", "Value": s.other.id}]),
    ),
    "leave the boundary": (
        NO_IDENTITY,
        lambda s, of: of("iam").delete_role_permissions_boundary(RoleName=s.own.run),
    ),
    "make a role": (
        NO_IDENTITY,
        lambda s, of: of("iam").create_role(RoleName="mine", AssumeRolePolicyDocument=_TRUST_ALL),
    ),
    "run a task with another launch's role": (
        NO_IDENTITY,
        lambda s, of: of("ecs").run_task(
            taskDefinition="launcher", overrides={"taskRoleArn": s.other.roles["launcher"]}
        ),
    ),
}


def _every_one(answer: dict[str, Any]) -> None:
    """DeleteObjects answers for each object by itself."""
    if answer.get("Deleted"):
        return
    raise ClientError({"Error": answer["Errors"][0]}, "DeleteObjects")


# --- Tests ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("what", ATTEMPTS)
def test_it_is_refused(stage: Stage, before: Any, what: str):
    for role in ("launcher", "job"):
        with pytest.raises(ClientError) as refused:
            ATTEMPTS[what][1](stage, getattr(stage.own, role))

        code = refused.value.response["Error"]["Code"]
        assert code in {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}, (role, refused.value)
    assert _state(stage) == before


@pytest.fixture(scope="module")
def before(stage: Stage) -> Any:
    """How things are before the first attempt."""
    return _state(stage)


def _state(stage: Stage) -> Any:
    """What an attack could change: objects, tables, the other launch's job and instance."""
    cloud = stage.cloud.cloud
    objects = {bucket: cloud.objects(bucket) for bucket in (DATA, RESULTS, LOGS, LAUNCHES, SHARED, LAB)}
    items = [cloud.client("dynamodb").scan(TableName=each)["Items"] for each in ("launches", "tasks", "tibanna-master")]
    (job,) = cloud.batch.describe_jobs(jobs=[stage.job])["jobs"]
    instances = cloud.client("ec2").describe_instances(InstanceIds=[stage.instance])
    return objects, items, job["tags"], job.get("isTerminated"), instances["Reservations"][0]["Instances"][0]["State"]


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_each_guarantee_is_written_down_and_tried(guarantee: str):
    security = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")

    assert guarantee in " ".join(security.split())
    assert guarantee in {each for each, _ in ATTEMPTS.values()}


def test_every_guarantee_about_a_launchs_programs_is_one_of_these():
    security = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
    section = security.split("## What a launch's programs may do\n")[1].split("\n## ")[0]

    written = [line.removeprefix("* ") for line in section.splitlines() if line.startswith("* ")]

    assert written == list(GUARANTEES)


def test_the_launchs_own_work_goes_on(stage: Stage):
    own, s3 = stage.own, stage.own.launcher("s3")

    s3.put_object(Bucket=DATA, Key="own/out/a.txt", Body=b"made")
    assert s3.get_object(Bucket=DATA, Key="own/out/a.txt")["Body"].read() == b"made"
    listed = s3.list_objects_v2(Bucket=DATA, Prefix="own/")["Contents"]
    assert [item["Key"] for item in listed] == ["own/out/a.txt", "own/reads.txt"]
    s3.delete_object(Bucket=DATA, Key="own/out/a.txt")
    assert s3.get_object(Bucket=SHARED, Key="genome.fa")["Body"].read() == b"kept"
    s3.put_object(Bucket=RESULTS, Key=f"results/{own.id}/report.html", Body=b"kept")
    s3.put_object(Bucket=RESULTS, Key=f"results/{own.id}/launcher/outcome-1.json", Body=b"kept")
    stage.own.launcher("sqs").send_message(QueueUrl=stage.cloud.queues["records"], MessageBody="{}")
    stage.own.launcher("logs").get_log_events(logGroupName=JOB_LOGS, logStreamName=f"{own.id}/default/1")
    # The cloud has no such queue, so that nothing runs: what is asked is whether it may be asked for.
    with pytest.raises(ClientError) as refused:
        stage.own.launcher("batch").submit_job(**_submission(stage))
    assert refused.value.response["Error"]["Code"] not in {"AccessDenied", "AccessDeniedException"}, refused.value
    job = stage.own.job("s3")
    job.put_object(Bucket=DATA, Key="own/out/b.txt", Body=b"made")
    job.delete_object(Bucket=DATA, Key="own/out/b.txt")


def test_what_is_missing_is_refused_without_a_word_of_it(stage: Stage):
    """S3 answers 404 to those alone who may list the bucket: programs have to ask by name."""
    with pytest.raises(ClientError) as refused:
        stage.own.launcher("s3").get_object(Bucket=DATA, Key="own/missing.txt")

    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    assert "Contents" not in stage.own.launcher("s3").list_objects_v2(Bucket=DATA, Prefix="own/missing.txt")
