"""A role without one of its grants is refused by name: jobs, tasks of state machines, pipes, functions.

On a small cloud of its own with IAM enforced, without the app's stacks, so that it takes seconds and belongs to
`make test`. tests/local/test_least_privilege.py does the same to the deployed stacks (`make test-iam`).
"""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from genolaunch.local_stage import control
from tests.local.enforced_cloud import IMAGE, LOGS, Enforced, policy_of
from tests.local.platform_client import eventually

pytestmark = pytest.mark.local


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enforced]:
    """Given: a cloud that enforces IAM, with nothing deployed."""
    state_dir = tmp_path_factory.mktemp("enforced")
    try:
        yield Enforced(control.up(state_dir, port=control.free_port(), enforce_iam=True))
    finally:
        control.down(state_dir)


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
            RoleName=role.rpartition("/")[2], PolicyName=name, PolicyDocument=policy_of(statement)
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
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy_of(allowed)})
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
