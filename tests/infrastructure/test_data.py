"""Stateful resources: encryption, notifications, keys of the tables."""

import json

import pytest

from tests.infrastructure.conftest import make_settings, synthesize

LAUNCH_BUCKET = "genolaunch-unit-launch-111111111111-eu-west-1"


@pytest.fixture
def data(stacks):
    return stacks["data"]


@pytest.mark.parametrize("prefix", ["LaunchFiles", "Data", "Results"])
def test_buckets_are_private_and_encrypted_with_the_stages_key(data, prefix):
    bucket = data.one("AWS::S3::Bucket", prefix)

    rule = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert rule["BucketKeyEnabled"] is True
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["LoggingConfiguration"]["LogFilePrefix"] == f"{prefix.lower()}/"


@pytest.mark.parametrize(("prefix", "versioned"), [("LaunchFiles", True), ("Results", True), ("Data", False)])
def test_what_people_write_by_hand_and_what_they_get_is_versioned(data, prefix, versioned):
    bucket = data.one("AWS::S3::Bucket", prefix)

    assert ("VersioningConfiguration" in bucket) is versioned


def test_every_bucket_refuses_plain_http(data):
    policies = data.all("AWS::S3::BucketPolicy").values()

    assert len(policies) == len(data.all("AWS::S3::Bucket"))
    for policy in policies:
        denials = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Deny"]
        assert denials[0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_launch_bucket_tells_the_queue_of_dropped_files_and_of_nothing_else(data):
    bucket = data.one("AWS::S3::Bucket", "LaunchFiles")

    configs, snakefiles, lower, requests = bucket["NotificationConfiguration"]["QueueConfigurations"]
    assert "PersonRequestsQueue" in json.dumps(requests["Queue"])
    assert requests["Filter"] == {"S3Key": {"Rules": [{"Name": "prefix", "Value": "requests/"}]}}
    for notification in (configs, snakefiles, lower):
        assert notification["Event"] == "s3:ObjectCreated:*"
        assert "RegistrationsQueue" in json.dumps(notification["Queue"])
    assert configs["Filter"] == {"S3Key": {"Rules": [{"Name": "prefix", "Value": "launches/"}]}}
    # Not of what lies beside a Snakefile.
    for each, name in ((snakefiles, "/Snakefile"), (lower, "/snakefile")):
        rules = [{"Name": "prefix", "Value": "snakefiles/"}, {"Name": "suffix", "Value": name}]
        assert each["Filter"] == {"S3Key": {"Rules": rules}}


def test_files_elsewhere_in_the_launch_bucket_go_to_the_same_queue_and_what_is_lost_to_its_dead_letters(data):
    rule = data.one("AWS::Events::Rule", "Strays")

    assert rule["EventPattern"]["detail"]["bucket"] == {"name": [LAUNCH_BUCKET]}
    (target,) = rule["Targets"]
    assert "RegistrationsQueue" in json.dumps(target["Arn"])
    assert "RegistrationsDeadLettersQueue" in json.dumps(target["DeadLetterConfig"])
    (lost,) = [
        s
        for id_, policy in data.all("AWS::SQS::QueuePolicy").items()
        if id_.startswith("RegistrationsDeadLetters")
        for s in policy["PolicyDocument"]["Statement"]
        if s["Effect"] == "Allow"
    ]
    assert lost["Principal"] == {"Service": "events.amazonaws.com"}
    assert "Strays" in json.dumps(lost["Condition"]["ArnEquals"]["aws:SourceArn"])
    # No clock: nothing happens, and nothing is paid, while nobody puts anything.
    assert "ScheduleExpression" not in rule


def test_only_the_launch_bucket_and_its_rule_may_write_to_the_queue_and_before_it_is_made(data):
    ((policy_id, policy),) = [
        (id_, policy)
        for id_, policy in data.all("AWS::SQS::QueuePolicy").items()
        if id_.startswith("RegistrationsQueue")
    ]
    bucket = next(
        r
        for id_, r in data.template["Resources"].items()
        if id_.startswith("LaunchFiles") and r["Type"].endswith("Bucket")
    )

    rule, allowed = sorted(
        (s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"),
        key=lambda s: s["Principal"]["Service"],
    )
    assert rule["Principal"] == {"Service": "events.amazonaws.com"}
    assert rule["Action"] == "sqs:SendMessage"
    assert list(rule["Condition"]) == ["ArnEquals"]
    assert "Strays" in json.dumps(rule["Condition"]["ArnEquals"]["aws:SourceArn"])
    assert allowed["Principal"] == {"Service": "s3.amazonaws.com"}
    assert allowed["Condition"]["StringEquals"] == {"aws:SourceAccount": "111111111111"}
    assert LAUNCH_BUCKET in json.dumps(allowed["Condition"]["ArnLike"])
    assert bucket["Properties"]["BucketName"] == LAUNCH_BUCKET
    assert policy_id in bucket["DependsOn"]


def test_the_key_lets_services_send_to_encrypted_queues_and_asks_nothing_that_they_do_not_say(data):
    key = data.one("AWS::KMS::Key")

    (statement,) = [s for s in key["KeyPolicy"]["Statement"] if s.get("Sid") == "SendersToEncryptedQueues"]
    assert statement["Principal"] == {"Service": ["events.amazonaws.com", "s3.amazonaws.com"]}
    assert sorted(statement["Action"]) == ["kms:Decrypt", "kms:GenerateDataKey*"]
    # Neither service's request to KMS carries aws:SourceAccount or aws:SourceArn.
    assert "Condition" not in statement
    assert key["EnableKeyRotation"] is True


def test_the_key_admits_the_roles_of_lustre_links_through_s3_alone(data):
    key = data.one("AWS::KMS::Key")

    (statement,) = [s for s in key["KeyPolicy"]["Statement"] if s.get("Sid") == "LustreLinks"]
    assert statement["Condition"]["StringEquals"]["kms:ViaService"] == "s3.eu-west-1.amazonaws.com"
    assert "AWSServiceRoleForFSxS3Access_fs-*" in json.dumps(statement["Condition"]["ArnLike"]["aws:PrincipalArn"])


def test_nobody_but_the_account_uses_the_key_without_a_condition(data):
    statements = data.one("AWS::KMS::Key")["KeyPolicy"]["Statement"]

    senders = "SendersToEncryptedQueues"  # whom the queues' own policies limit
    unconditional = [s["Principal"] for s in statements if "Condition" not in s and s.get("Sid") != senders]
    assert len(unconditional) == 1
    assert ":root" in json.dumps(unconditional)


def test_the_data_bucket_uses_eventbridge_only(data):
    bucket = data.one("AWS::S3::Bucket", "Data")

    assert bucket["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}


def test_the_launch_table_streams_and_is_listed_by_status(data):
    table = data.one("AWS::DynamoDB::Table", "Launches")

    assert table["KeySchema"] == [{"AttributeName": "launchId", "KeyType": "HASH"}]
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "by-status"
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["status", "submittedAt"]


def test_the_task_table_is_keyed_by_launch_and_task(data):
    table = data.one("AWS::DynamoDB::Table", "Tasks")

    assert [key["AttributeName"] for key in table["KeySchema"]] == ["launchId", "taskId"]
    assert "StreamSpecification" not in table


def test_tables_can_be_restored_and_are_encrypted(data):
    for table in data.all("AWS::DynamoDB::Table").values():
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["SSESpecification"]["SSEType"] == "KMS"
        assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_registration_is_tried_five_times_and_outlasts_the_function(stacks, data):
    queue = data.one("AWS::SQS::Queue", "RegistrationsQueue")
    function = stacks["workflow-manager"].one("AWS::Lambda::Function", "FunctionsRegisterLaunch")

    assert queue["RedrivePolicy"]["maxReceiveCount"] == 5
    assert queue["VisibilityTimeout"] == 6 * function["Timeout"]


def test_people_are_subscribed_to_notices(data):
    subscription = data.one("AWS::SNS::Subscription")

    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "lab@example.org")


@pytest.mark.parametrize(
    ("policy", "becomes"), [("retain", {"RetainExceptOnCreate", "Retain"}), ("destroy", {"Delete"})]
)
def test_the_setting_says_what_becomes_of_data(policy, becomes):
    template = synthesize(make_settings(removal_policy=policy))["data"].template

    stateful = {"AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key"}
    kept = {r["DeletionPolicy"] for r in template["Resources"].values() if r["Type"] in stateful}
    assert kept == becomes
