"""A role without one of its grants is refused by name: jobs, tasks of state machines, pipes, functions.

On a small cloud of its own with IAM enforced, without the app's stacks, so that it takes seconds and belongs to
`make test`. tests/local/test_least_privilege.py does the same to the deployed stacks (`make test-iam`).
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from localcloud import control
from localcloud.clients import ask
from tests.infrastructure.conftest import Stack, as_list, make_settings, synthesize
from tests.local.platform_client import eventually

pytestmark = pytest.mark.local

IMAGE = "localhost/genolaunch-regenie:4.1.2"
LOGS = ["logs:CreateLogStream", "logs:PutLogEvents"]


class Enforced:
    """A cloud that enforces IAM, and short ways to make things in it as its owner."""

    def __init__(self, cloud: control.Cloud) -> None:
        self._endpoint = cloud.endpoint
        self._keys = cloud.keys
        self._session = boto3.Session(*cloud.keys[:2], region_name="us-east-1")
        self.batch, self.states = self.client("batch"), self.client("stepfunctions")

    def client(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self._endpoint)

    def role(self, service: str, *actions: str) -> str:
        """ARN of a new role that may do these actions, on everything."""
        name = f"r{uuid4().hex}"
        principal = {"Service": f"{service}.amazonaws.com", "AWS": "arn:aws:iam::000000000000:root"}
        trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        role = self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))["Role"]
        allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        self.client("iam").put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=_policy(allowed))
        arn: str = role["Arn"]
        return arn

    def role_with(self, service: str, *statements: dict[str, Any]) -> str:
        """ARN of a new role with these statements."""
        arn = self.role(service, "sts:GetCallerIdentity")
        policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        self.client("iam").put_role_policy(
            RoleName=arn.rpartition("/")[2], PolicyName="statements", PolicyDocument=policy
        )
        return arn

    def as_role(self, role: str, service: str) -> Any:
        """A client with the keys of a role, which must trust the account."""
        given = self.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        return boto3.client(
            service,
            endpoint_url=self._endpoint,
            region_name="us-east-1",
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )

    def table(self) -> str:
        """Name of a new table like the task table."""
        name = f"t{uuid4().hex}"
        keys = (("launchId", "HASH"), ("taskId", "RANGE"))
        self.client("dynamodb").create_table(
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        return name

    def bucket(self) -> str:
        name = f"b{uuid4().hex}"
        self.client("s3").create_bucket(Bucket=name)
        return name

    def objects(self, bucket: str) -> dict[str, str]:
        """Key -> text of what lies in a bucket."""
        s3 = self.client("s3")
        keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
        return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() for key in keys}

    def queue(self) -> str:
        """ARN of a new job queue."""
        name = f"q{uuid4().hex}"
        ec2 = self.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        resources = {
            "type": "EC2",
            "minvCpus": 0,
            "maxvCpus": 4,
            "instanceTypes": ["optimal"],
            "instanceRole": "arn:aws:iam::000000000000:instance-profile/any",
            "subnets": [subnet],
            "securityGroupIds": ["sg-1"],
        }
        environment = self.batch.create_compute_environment(
            computeEnvironmentName=name, type="MANAGED", computeResources=resources
        )["computeEnvironmentArn"]
        order = [{"order": 1, "computeEnvironment": environment}]
        arn: str = self.batch.create_job_queue(jobQueueName=name, priority=1, computeEnvironmentOrder=order)[
            "jobQueueArn"
        ]
        return arn

    def run_job(self, *, role: str, execution_role: str, code: str) -> dict[str, Any]:
        """The description of a job that runs this Python, once it has ended."""
        log_group = f"/jobs/{uuid4().hex}"
        self.client("logs").create_log_group(logGroupName=log_group)
        name = f"d{uuid4().hex}"
        self.batch.register_job_definition(
            jobDefinitionName=name,
            type="container",
            containerProperties={
                "image": IMAGE,
                "command": ["python3", "-c", f"import boto3; {code}"],
                "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "256"}],
                "jobRoleArn": role,
                "executionRoleArn": execution_role,
                "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": log_group}},
            },
        )
        job_id = self.batch.submit_job(jobName=name, jobDefinition=name, jobQueue=self.queue())["jobId"]

        def look() -> dict[str, Any] | None:
            job: dict[str, Any] = self.batch.describe_jobs(jobs=[job_id])["jobs"][0]
            return job if job["status"] in {"SUCCEEDED", "FAILED"} else None

        return eventually(look, "the job ends")

    def run_task(self, role: str, resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """The description of an execution of this one task, once it has ended."""
        state = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Arguments": arguments, "End": True}
        definition = {"QueryLanguage": "JSONata", "StartAt": "Task", "States": {"Task": state}}
        execution = self.states.start_execution(stateMachineArn=self.machine(role, definition))["executionArn"]

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = self.states.describe_execution(executionArn=execution)
            return found if found["status"] != "RUNNING" else None

        return eventually(look, "the execution ends")

    def machine(self, role: str, definition: dict[str, Any]) -> str:
        arn: str = self.states.create_state_machine(
            name=f"m{uuid4().hex}", definition=json.dumps(definition), roleArn=role
        )["stateMachineArn"]
        return arn

    def refused(self, role: str) -> list[str]:
        """The actions that a role was refused."""
        with ask(self._endpoint, "/_localcloud/iam", self._keys) as answer:
            return [one["action"] for one in json.load(answer)["refused"] if one["role"] == role.rpartition("/")[2]]


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enforced]:
    """Given: a cloud that enforces IAM, with nothing deployed."""
    state_dir = tmp_path_factory.mktemp("enforced")
    try:
        yield Enforced(control.up(state_dir, port=control.free_port(), enforce_iam=True))
    finally:
        control.down(state_dir)


@pytest.fixture(scope="module")
def stacks() -> dict[str, Stack]:
    """Given: a stage's templates."""
    return synthesize(make_settings())


def test_a_job_does_what_its_role_allows_and_is_refused_the_rest_by_name(cloud):
    bucket = cloud.bucket()
    agent = cloud.role("ecs-tasks", *LOGS)
    reader = cloud.role("ecs-tasks", "s3:GetObject")
    writer = cloud.role("ecs-tasks", "s3:GetObject", "s3:PutObject")
    put = f"boto3.client('s3').put_object(Bucket='{bucket}', Key='x', Body=b'x')"

    allowed = cloud.run_job(role=writer, execution_role=agent, code=put)
    assert (allowed["status"], cloud.refused(writer)) == ("SUCCEEDED", [])

    refused = cloud.run_job(role=reader, execution_role=agent, code=put)
    assert refused["status"] == "FAILED"
    assert cloud.refused(reader) == ["s3:PutObject"]


def test_a_job_whose_agent_may_not_write_its_log_does_not_start(cloud):
    agent = cloud.role("ecs-tasks", "logs:CreateLogStream")

    job = cloud.run_job(role=cloud.role("ecs-tasks", "s3:GetObject"), execution_role=agent, code="pass")

    assert job["status"] == "FAILED"
    assert f"{agent} is not authorized to perform: logs:PutLogEvents" in job["attempts"][0]["container"]["reason"]
    assert cloud.refused(agent) == ["logs:PutLogEvents"]


def test_a_state_machines_task_is_refused_by_its_role_and_action(cloud):
    topic = cloud.client("sns").create_topic(Name=f"t{uuid4().hex}")["TopicArn"]
    role = cloud.role("states", "sqs:SendMessage")

    end = cloud.run_task(role, "sns:publish", {"TopicArn": topic, "Message": "hello"})

    assert end["status"] == "FAILED"
    assert f"{role} is not authorized to perform: sns:Publish on resource: {topic}" in end["cause"]
    assert cloud.refused(role) == ["sns:Publish"]


def test_a_state_machine_hands_a_role_to_batch_only_if_it_may_pass_it(cloud):
    role = cloud.role("states", "batch:RegisterJobDefinition")
    container = {"Image": IMAGE, "JobRoleArn": cloud.role("ecs-tasks", "s3:GetObject")}
    definition = {"JobDefinitionName": f"d{uuid4().hex}", "Type": "container", "ContainerProperties": container}

    end = cloud.run_task(role, "aws-sdk:batch:registerJobDefinition", definition)

    assert end["status"] == "FAILED"
    assert "is not authorized to perform: iam:PassRole" in end["cause"]
    assert cloud.refused(role) == ["iam:PassRole"]


def test_a_pipe_starts_nothing_that_its_role_may_not_start(cloud):
    table = cloud.client("dynamodb").create_table(
        TableName=f"t{uuid4().hex}",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]
    states = {"QueryLanguage": "JSONata", "StartAt": "S", "States": {"S": {"Type": "Succeed"}}}
    machine = cloud.machine(cloud.role("states", "sqs:SendMessage"), states)
    reads = [f"dynamodb:{action}" for action in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")]
    role = cloud.role("pipes", *reads)
    cloud.client("pipes").create_pipe(
        Name=f"p{uuid4().hex}",
        RoleArn=role,
        Source=table["LatestStreamArn"],
        Target=machine,
        SourceParameters={"DynamoDBStreamParameters": {"StartingPosition": "TRIM_HORIZON", "BatchSize": 1}},
    )

    cloud.client("dynamodb").put_item(TableName=table["TableName"], Item={"id": {"S": "a"}})

    assert eventually(lambda: cloud.refused(role), "a refusal") == ["states:StartExecution"]
    assert cloud.states.list_executions(stateMachineArn=machine)["executions"] == []


def test_a_function_is_refused_by_its_role_and_action(cloud):
    bucket = cloud.bucket()
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("code.py", "import boto3\ndef handler(e, c): boto3.client('s3').get_object(**e)\n")
    role = cloud.role("lambda", *LOGS, "s3:PutObject")
    function = cloud.client("lambda").create_function(
        FunctionName=f"f{uuid4().hex}",
        Runtime="python3.14",
        Role=role,
        Handler="code.handler",
        Code={"ZipFile": package.getvalue()},
        Timeout=20,
    )["FunctionArn"]

    answer = cloud.client("lambda").invoke(FunctionName=function, Payload=json.dumps({"Bucket": bucket, "Key": "x"}))

    assert "s3:GetObject" in json.load(answer["Payload"])["errorMessage"]
    assert cloud.refused(role) == ["s3:GetObject"]


def test_an_unencrypted_instance_is_refused_where_the_role_may_make_encrypted_ones_alone(cloud):
    """As Tibanna's role (stacks/tibanna.py): EC2 tells by `ec2:Encrypted` whether a volume is."""
    role = cloud.role("states", "ec2:Describe*")
    encrypted: dict[str, Any] = {
        "Resource": "arn:aws:ec2:*:*:volume/*",
        "Condition": {"Bool": {"ec2:Encrypted": "true"}},
    }
    for name, limits in {"volumes": encrypted, "rest": {"NotResource": "arn:aws:ec2:*:*:volume/*"}}.items():
        statement = {"Effect": "Allow", "Action": "ec2:RunInstances", **limits}
        cloud.client("iam").put_role_policy(
            RoleName=role.rpartition("/")[2], PolicyName=name, PolicyDocument=_policy(statement)
        )
    ask = {"ImageId": "ami-1", "InstanceType": "t3.small", "MinCount": 1, "MaxCount": 1}

    def run() -> dict[str, Any]:
        ended: dict[str, Any] = cloud.run_task(role, "aws-sdk:ec2:runInstances", ask)
        return ended

    ec2 = cloud.client("ec2")
    assert ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"] is True
    assert run()["status"] == "SUCCEEDED"
    try:
        assert ec2.disable_ebs_encryption_by_default()["EbsEncryptionByDefault"] is False
        refused = run()
    finally:
        assert ec2.enable_ebs_encryption_by_default()["EbsEncryptionByDefault"] is True

    assert refused["status"] == "FAILED"
    assert "ec2:RunInstances" in refused["cause"]


_TELL_SENDERS = """
import boto3
def handler(event, context):
    for record in event["Records"]:
        sender = record["attributes"]["SenderId"]
        boto3.client("s3").put_object(Bucket=record["body"], Key="sender", Body=sender.encode())
"""


def test_a_queue_says_which_session_of_which_role_sent_a_message(cloud):
    """By it the platform knows launchers: a task's session has the task's id, and no message can say another one."""
    bucket, sqs = cloud.bucket(), cloud.client("sqs")
    url = sqs.create_queue(QueueName=f"q{uuid4().hex}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("code.py", _TELL_SENDERS)
    polls = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    function = cloud.client("lambda").create_function(
        FunctionName=f"f{uuid4().hex}",
        Runtime="python3.14",
        Role=cloud.role("lambda", *LOGS, *polls, "s3:PutObject"),
        Handler="code.handler",
        Code={"ZipFile": package.getvalue()},
        Timeout=20,
    )["FunctionArn"]
    sender = cloud.role("ecs-tasks", "sqs:SendMessage")

    cloud.as_role(sender, "sqs").send_message(QueueUrl=url, MessageBody=bucket)

    asked = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["SenderId"], VisibilityTimeout=0)
    (message,) = asked["Messages"]
    assert message["Attributes"]["SenderId"].endswith(":test")  # the session's name
    cloud.client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=function)
    told = eventually(lambda: cloud.objects(bucket), "the function's word")
    assert told == {"sender": message["Attributes"]["SenderId"]}


def _own(operator: str, *, key: str = "dynamodb:LeadingKeys", effect: str = "Allow", **more: Any) -> dict[str, Any]:
    """A statement about the items of one partition."""
    condition = {operator: {key: ["own"]}, **more}
    return {"Effect": effect, "Action": "dynamodb:*", "Resource": "*", "Condition": condition}


def _refusal(call: Any, **arguments: Any) -> str:
    """The error's code and message; "" if there was none."""
    try:
        call(**arguments)
    except ClientError as error:
        return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
    return ""


def _item(partition: str, **more: str) -> dict[str, Any]:
    return {name: {"S": value} for name, value in {"launchId": partition, "taskId": "t", **more}.items()}


def _key(partition: str) -> dict[str, Any]:
    return {"launchId": {"S": partition}, "taskId": {"S": "t"}}


def test_a_condition_on_leading_keys_keeps_to_its_items_whatever_the_call(cloud):
    table = cloud.table()
    role = cloud.role_with("lambda", _own("ForAllValues:StringEquals"))
    own = cloud.as_role(role, "dynamodb")
    query = {"KeyConditionExpression": "launchId = :l"}

    def calls(partition: str) -> dict[str, str]:
        put = {"Put": {"TableName": table, "Item": _item(partition)}}
        batch = {
            table: [
                {"PutRequest": {"Item": _item("own")}},
                {"PutRequest": {"Item": {**_item(partition), "taskId": {"S": "u"}}}},
            ]
        }
        return {
            "PutItem": _refusal(own.put_item, TableName=table, Item=_item(partition)),
            "GetItem": _refusal(own.get_item, TableName=table, Key=_key(partition)),
            "UpdateItem": _refusal(own.update_item, TableName=table, Key=_key(partition)),
            "Query": _refusal(own.query, TableName=table, ExpressionAttributeValues={":l": {"S": partition}}, **query),
            "TransactWriteItems": _refusal(own.transact_write_items, TransactItems=[put]),
            "BatchWriteItem": _refusal(own.batch_write_item, RequestItems=batch),
            "DeleteItem": _refusal(own.delete_item, TableName=table, Key=_key(partition)),
        }

    assert set(calls("own").values()) == {""}
    for name, refusal in calls("other").items():
        assert refusal.startswith("AccessDeniedException: "), name
        assert "is not authorized to perform: dynamodb:" in refusal, name


def test_a_condition_on_all_values_is_met_by_none_unless_their_absence_is_excluded(cloud):
    """A Scan names no item: AWS lets it pass `ForAllValues`, and so does this cloud."""
    table = cloud.table()
    trapped = cloud.as_role(cloud.role_with("lambda", _own("ForAllValues:StringEquals")), "dynamodb")
    present: dict[str, Any] = {"Null": {"dynamodb:LeadingKeys": "false"}}
    closed = cloud.as_role(cloud.role_with("lambda", _own("ForAllValues:StringEquals", **present)), "dynamodb")
    any_value = cloud.as_role(cloud.role_with("lambda", _own("ForAnyValue:StringEquals")), "dynamodb")

    assert _refusal(trapped.scan, TableName=table) == ""
    assert _refusal(closed.scan, TableName=table).startswith("AccessDeniedException")
    assert _refusal(any_value.scan, TableName=table).startswith("AccessDeniedException")
    assert _refusal(closed.put_item, TableName=table, Item=_item("own")) == ""
    assert _refusal(any_value.put_item, TableName=table, Item=_item("own")) == ""


def test_a_condition_on_attributes_counts_all_that_a_call_names(cloud):
    table = cloud.table()
    named = ["launchId", "taskId", "progress", "attempt"]
    statement = {
        "Effect": "Allow",
        "Action": "dynamodb:UpdateItem",
        "Resource": "*",
        "Condition": {"ForAllValues:StringEquals": {"dynamodb:Attributes": named}},
    }
    own = cloud.as_role(cloud.role_with("lambda", statement), "dynamodb")

    def update(attribute: str, condition: str) -> str:
        return _refusal(
            own.update_item,
            TableName=table,
            Key=_key("own"),
            UpdateExpression="SET #a = :v",
            ConditionExpression=f"attribute_not_exists({condition})",
            ExpressionAttributeNames={"#a": attribute},
            ExpressionAttributeValues={":v": {"S": "x"}},
        )

    assert update("progress", "attempt") == ""
    assert update("status", "attempt").startswith("AccessDeniedException")
    assert update("progress", "requestedBy").startswith("AccessDeniedException")


@pytest.mark.parametrize(
    "operator", ["StringEqualsIfExists", "ForAllValues:StringEquals", "StringNotEquals", "StringNotEqualsIfExists"]
)
def test_a_condition_key_that_this_cloud_does_not_know_allows_nothing(cloud, operator):
    """AWS may send it: to take it for absent would allow what AWS refuses."""
    table = cloud.table()
    unknown = cloud.as_role(cloud.role_with("lambda", _own(operator, key="dynamodb:ImportantThing")), "dynamodb")

    assert _refusal(unknown.put_item, TableName=table, Item=_item("own")).startswith("AccessDeniedException")


@pytest.mark.parametrize("operator", ["StringEquals", "ForAnyValue:StringEquals"])
def test_a_denial_by_a_condition_key_that_this_cloud_does_not_know_denies(cloud, operator):
    table = cloud.table()
    everything = {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}
    denial = _own(operator, key="dynamodb:ImportantThing", effect="Deny")
    unknown = cloud.as_role(cloud.role_with("lambda", everything, denial), "dynamodb")

    assert _refusal(unknown.put_item, TableName=table, Item=_item("own")).startswith("AccessDeniedException")


def test_a_launchers_role_writes_nothing_that_is_the_platforms(cloud, stacks):
    """Given: the statements of the role with which a launcher, and its user's program, run."""
    tables = {name: cloud.table() for name in ("Launches", "Tasks", "Usage", "TibannaJobs")}
    statements = [
        {**statement, "Resource": [_resource(each, tables) for each in as_list(statement["Resource"])]}
        for _, statement in stacks["snakemake"].statements("LauncherRole")
    ]
    launcher = cloud.as_role(cloud.role_with("ecs-tasks", *statements), "dynamodb")
    running = {"M": {"other-1": {"S": "somebody"}}}
    attempts: dict[str, dict[str, Any]] = {
        "the slot ledger": {"launchId": {"S": "queue"}, "taskId": {"S": "ledger"}, "running": running},
        "a guard": {"launchId": {"S": "guard#0123"}, "taskId": {"S": "guard"}, "guardedLaunchId": {"S": "own"}},
        "another launch's token": {"launchId": {"S": "other"}, "taskId": {"S": "launcher#1"}, "message": {"S": "{}"}},
        "another launch's job": {"launchId": {"S": "other"}, "taskId": {"S": "job#other-1-align#0"}},
        "its own launch's token": {"launchId": {"S": "own"}, "taskId": {"S": "launcher#1"}, "message": {"S": "{}"}},
    }

    for what, item in attempts.items():
        key = {name: item[name] for name in ("launchId", "taskId")}
        for table in (tables["Tasks"], tables["Launches"], tables["Usage"]):
            for refusal in (
                _refusal(launcher.put_item, TableName=table, Item=item),
                _refusal(launcher.update_item, TableName=table, Key=key, AttributeUpdates={}),
                _refusal(launcher.delete_item, TableName=table, Key=key),
                _refusal(launcher.get_item, TableName=table, Key=key),
                _refusal(launcher.batch_write_item, RequestItems={table: [{"PutRequest": {"Item": item}}]}),
                _refusal(launcher.transact_write_items, TransactItems=[{"Put": {"TableName": table, "Item": item}}]),
            ):
                assert refusal.startswith("AccessDeniedException: "), what
                assert "is not authorized to perform: dynamodb:" in refusal, what
    assert _refusal(launcher.put_item, TableName=tables["TibannaJobs"], Item=_item("a job of Tibanna's")) == ""


def _resource(given: Any, tables: dict[str, str]) -> str:
    """An ARN of a template as one of this cloud; of what is not here, everything of its kind."""
    text = given if isinstance(given, str) else json.dumps(given)
    for id_, name in tables.items():
        if re.search(rf"\b{id_}[0-9A-F]{{8}}|table/{id_}|ExportsOutput\w*{id_}|Output\w*{id_}", text):
            return f"arn:aws:dynamodb:us-east-1:000000000000:table/{name}"
    return "arn:aws:s3:::*" if "s3" in text else "arn:aws:sqs:us-east-1:000000000000:*"


def test_what_is_gone_has_no_tags_and_its_refusal_asks_for_no_grant(cloud):
    # Given: a role that may delete what has a tag, as clean-up has one
    tagged = {"StringEquals": {"aws:ResourceTag/of": "a-launch"}}
    cleaner = cloud.role_with(
        "ecs-tasks",
        {"Effect": "Allow", "Action": "fsx:DeleteFileSystem", "Resource": "*", "Condition": tagged},
    )
    ec2 = cloud.client("ec2")
    subnet = ec2.create_subnet(VpcId=ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"], CidrBlock="10.0.0.0/24")
    lustre = {"DeploymentType": "SCRATCH_2"}
    other = cloud.client("fsx").create_file_system(
        FileSystemType="LUSTRE",
        StorageCapacity=1200,
        SubnetIds=[subnet["Subnet"]["SubnetId"]],
        SecurityGroupIds=["sg-0123456789abcdef0"],
        LustreConfiguration=lustre,
    )["FileSystem"]["FileSystemId"]
    fsx = cloud.as_role(cleaner, "fsx")

    for file_system in ("fs-0123456789abcdef0", other):
        with pytest.raises(ClientError, match="not authorized to perform"):
            fsx.delete_file_system(FileSystemId=file_system)
        refused = cloud.refused(cleaner)
        assert refused == ([] if file_system != other else ["fsx:DeleteFileSystem"])


def test_a_notification_names_who_put_the_object_and_nobody_chooses_that(cloud):
    # Given: a bucket that tells a queue of its objects
    bucket, sqs = cloud.bucket(), cloud.client("sqs")
    url = sqs.create_queue(QueueName=f"q{uuid4().hex}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": _policy(allowed)})
    cloud.client("s3").put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]},
    )
    role = cloud.role("lambda", "s3:PutObject")
    role_id = cloud.client("iam").get_role(RoleName=role.rpartition("/")[2])["Role"]["RoleId"]

    # When: a session of a role puts one, and says in vain that it was somebody else
    cloud.as_role(role, "s3").put_object(
        Bucket=bucket, Key="requests/x.json", Body=b"{}", Metadata={"principal": "ada"}
    )

    # Then
    def told() -> list[str]:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        records = [record for message in messages for record in json.loads(message["Body"]).get("Records", [])]
        return [record["userIdentity"]["principalId"] for record in records]

    assert eventually(told, "the notification") == [f"AWS:{role_id}:test"]
