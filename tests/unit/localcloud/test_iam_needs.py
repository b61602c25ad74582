"""What a call must be allowed, beyond the one action on the one resource that its request names."""

from typing import Any

import pytest

from localcloud.iam.grants import Grant, used_by
from localcloud.iam.model import Call, Need
from localcloud.iam.needs import needs_of, task_needs

KEY = "arn:aws:kms:us-east-1:000000000000:key/1"
TAGS = {"project": "genolaunch"}


class Cloud:
    """Every bucket has a key, every resource these tags."""

    encrypts = True

    def encrypts_volumes(self) -> bool:
        return self.encrypts

    def tags(self, arn: str) -> dict[str, str]:
        return TAGS

    def key_of(self, arn: str) -> str | None:
        return KEY if ":s3:" in arn or ":sqs:" in arn else None

    def hash_key(self, arn: str) -> str:
        return "status" if "/index/" in arn else "id"

    def roles_of_task(self, definition: str) -> list[str]:
        return ["task-role", "agent-role"]

    def role_arn(self, name: str) -> str:
        return f"role:{name}"

    def boundary_of(self, name: str) -> str | None:
        return f"boundary-of-{name}"

    def profile_arn(self, name: str) -> str:
        return f"profile:{name}"

    def has_object(self, arn: str) -> bool:
        return not arn.endswith("missing")

    def role_of_profile(self, profile: str) -> str | None:
        return "instance-role"

    def profile_of_instance(self, instance_id: str) -> str | None:
        return f"profile-of-{instance_id}"

    def launch_template(self, name: str) -> dict[str, Any]:
        tags = [{"Key": "Type", "Value": "awsem"}]
        return {
            "IamInstanceProfile": {"Name": "p"},
            "SecurityGroupIds": ["sg-1"],
            "TagSpecifications": [{"ResourceType": "instance", "Tags": tags}],
        }

    def glue_table(self, database: str, table: str) -> dict[str, Any]:
        parameters = {"projection.enabled": "true"} if table == "projected" else {}
        return {"StorageDescriptor": {"Location": "s3://lake/rows/"}, "Parameters": parameters}

    def work_group_of_query(self, query_id: str) -> str:
        return f"group-of-{query_id}"

    def machine_of_token(self, token: str) -> str | None:
        return None if token == "unknown" else f"machine-of-{token}"


def needs(action: str, params: dict[str, Any], *, resource: str = "*", **context: Any) -> list[Need]:
    return needs_of(Call(action, resource, params, context), Cloud())


def pairs(found: list[Need]) -> list[tuple[str, str]]:
    return [(need.action, need.resource.rpartition(":")[2]) for need in found]


def test_a_job_is_submitted_of_a_definition_to_a_queue_and_tagged():
    found = needs(
        "batch:SubmitJob",
        {"jobDefinition": "regenie:3", "jobQueue": "q", "shareIdentifier": "alice"},
        **{"aws:requesttag/stage": "dev"},
    )

    assert pairs(found) == [
        ("batch:SubmitJob", "3"),
        ("batch:SubmitJob", "job-queue/q"),
        ("batch:SubmitJob", "job/new"),
        ("batch:TagResource", "job/new"),
    ]
    assert found[0].context["aws:resourcetag/project"] == "genolaunch"
    assert found[0].context["batch:shareidentifier"] == "alice"


def test_whoever_defines_jobs_passes_their_roles():
    container = {"image": "r:1", "jobRoleArn": "job-role", "executionRoleArn": "agent-role"}

    found = needs("batch:RegisterJobDefinition", {"jobDefinitionName": "d", "containerProperties": container})

    assert pairs(found)[1:] == [("iam:PassRole", "agent-role"), ("iam:PassRole", "job-role")]
    assert found[0].context["batch:image"] == "r:1"
    assert found[0].context["batch:privileged"] == "false"


def test_whoever_links_a_bucket_needs_it_and_the_role_of_the_link():
    found = needs("fsx:CreateDataRepositoryAssociation", {"FileSystemId": "fs-1", "DataRepositoryPath": "s3://b/p/"})

    actions = {need.action for need in found}
    assert {"s3:ListBucket", "s3:PutObject", "iam:CreateServiceLinkedRole", "iam:PutRolePolicy"} <= actions
    assert ("s3:PutObject", "b/any") in pairs(found)


def test_a_task_runs_in_a_cluster_with_the_roles_of_its_definition():
    found = needs("ecs:RunTask", {"cluster": "c", "taskDefinition": "snakemake:1"})

    assert [need.action for need in found] == ["ecs:RunTask", "iam:PassRole", "iam:PassRole"]
    assert found[0].context["ecs:cluster"].endswith(":cluster/c")
    assert found[1].context == {"iam:passedtoservice": "ecs-tasks.amazonaws.com"}


def test_an_instance_is_run_with_everything_it_uses():
    params = {
        "ImageId": ["ami-1"],
        "SubnetId": ["subnet-1"],
        "SecurityGroupId.1": ["sg-1"],
        "IamInstanceProfile.Name": ["p"],
    }

    found = pairs(needs("ec2:RunInstances", params, **{"aws:requesttag/Type": "awsem"}))

    for resource in ("instance/new", "volume/new", "image/ami-1", "subnet/subnet-1", "security-group/sg-1"):
        assert ("ec2:RunInstances", resource) in found
    assert ("ec2:CreateTags", "instance/new") in found
    assert ("iam:PassRole", "instance-role") in found


def test_a_fleet_needs_what_its_instances_need():
    params = {
        "LaunchTemplateConfigs.1.LaunchTemplateSpecification.LaunchTemplateName": ["lt"],
        "LaunchTemplateConfigs.1.Overrides.1.SubnetId": ["subnet-1"],
    }

    found = needs("ec2:CreateFleet", params)

    assert ("ec2:CreateFleet", "launch-template/lt") in pairs(found)
    for resource in ("instance/new", "volume/new", "subnet/subnet-1", "security-group/sg-1", "launch-template/lt"):
        assert ("ec2:RunInstances", resource) in pairs(found)
    assert ("iam:PassRole", "instance-role") in pairs(found)
    tagging = next(need for need in found if need.action == "ec2:CreateTags")
    assert tagging.context == {"aws:requesttag/type": "awsem", "ec2:createaction": "RunInstances"}


VOLUME = "BlockDeviceMapping.1.Ebs.Encrypted"


@pytest.mark.parametrize(
    ("by_default", "params", "answer"),
    [
        (True, {}, "true"),
        (False, {}, "false"),
        (False, {VOLUME: ["true"]}, "true"),
        (False, {VOLUME: ["false"]}, "false"),
    ],
)
def test_a_volume_is_encrypted_by_the_accounts_default_or_because_its_maker_says_so(by_default, params, answer):
    cloud = Cloud()
    cloud.encrypts = by_default

    found = needs_of(Call("ec2:RunInstances", "*", params, {}), cloud)

    (volume,) = [need for need in found if need.resource.endswith(":volume/new")]
    assert volume.context["ec2:encrypted"] == answer


def test_a_fleets_volumes_are_encrypted_by_the_accounts_default():
    cloud = Cloud()
    cloud.encrypts = False

    found = needs_of(Call("ec2:CreateFleet", "*", {}, {}), cloud)

    (volume,) = [n for n in found if n.action == "ec2:RunInstances" and n.resource.endswith(":volume/new")]
    assert volume.context["ec2:encrypted"] == "false"


def test_whoever_ends_an_instance_is_asked_for_its_tags_and_its_profile():
    (need,) = needs("ec2:TerminateInstances", {"InstanceId.1": ["i-1"]})

    assert need.resource.endswith(":instance/i-1")
    assert need.context["ec2:resourcetag/project"] == "genolaunch"
    assert need.context["ec2:instanceprofile"] == "profile-of-i-1"


def test_a_fleet_needs_what_its_overrides_name():
    overrides = "LaunchTemplateConfigs.1.Overrides"
    params = {f"{overrides}.1.ImageId": ["ami-1"], f"{overrides}.1.SubnetId": ["subnet-1"]}

    found = needs("ec2:CreateFleet", {**params, f"{overrides}.2.SubnetId": ["subnet-2"]})

    asked = {resource for action, resource in pairs(found) if action == "ec2:CreateFleet"}
    assert {"fleet/new", "instance/new", "volume/new", "image/ami-1", "subnet/subnet-1", "subnet/subnet-2"} <= asked


def test_an_answer_to_a_token_is_checked_on_the_machine_that_waits():
    assert needs("states:SendTaskSuccess", {"taskToken": "t"}) == [Need("states:SendTaskSuccess", "machine-of-t")]
    assert needs("states:SendTaskSuccess", {"taskToken": "unknown"}) == []


@pytest.mark.parametrize(
    ("action", "key_actions"),
    [
        ("s3:GetObject", ["kms:Decrypt"]),
        ("s3:PutObject", ["kms:GenerateDataKey"]),
        ("s3:ListBucket", []),
    ],
)
def test_encrypted_objects_take_their_key(action, key_actions):
    found = needs(action, {}, resource="arn:aws:s3:::b/k")

    assert found == [Need(action, "arn:aws:s3:::b/k"), *(Need(one, KEY) for one in key_actions)]


def test_what_has_no_rule_needs_what_its_request_names():
    assert needs("ssm:GetParameter", {}, resource="arn:p") == [Need("ssm:GetParameter", "arn:p")]
    assert needs("fsx:DescribeFileSystems", {}, resource="guess") == [Need("fsx:DescribeFileSystems", "*")]


def test_a_task_that_waits_keeps_the_managed_rule():
    found = task_needs("arn:aws:states:::batch:submitJob.sync", {}, Cloud())

    assert {need.action for need in found} == {
        "events:PutTargets",
        "events:PutRule",
        "events:DescribeRule",
        "batch:DescribeJobs",
    }


def test_a_message_with_a_token_goes_to_an_encrypted_queue():
    url = "http://127.0.0.1:4566/000000000000/launches"

    found = task_needs("arn:aws:states:::sqs:sendMessage.waitForTaskToken", {"QueueUrl": url}, Cloud())

    assert pairs(found) == [("sqs:SendMessage", "launches"), ("kms:GenerateDataKey", "key/1"), ("kms:Decrypt", "key/1")]


def test_a_grant_is_unused_unless_a_call_matched_its_action_and_its_resource():
    used = Grant("s/Role", "", "s3:Get*", ("arn:b/*",))
    elsewhere = Grant("s/Role", "", "s3:GetObject", ("arn:c/*",))

    calls = [{"role": "physical", "action": "s3:GetObject", "resource": "arn:b/k"}]

    assert used_by({"physical": [used, elsewhere]}, calls) == [(used, True), (elsewhere, False)]


def test_a_command_needs_its_document_and_the_tags_of_its_instance():
    document, instance = needs("ssm:SendCommand", {"DocumentName": "AWS-RunShellScript", "InstanceIds": ["i-1"]})

    assert document.resource == "arn:aws:ssm:us-east-1::document/AWS-RunShellScript"
    assert instance.resource.endswith(":instance/i-1")
    assert instance.context["ssm:resourcetag/project"] == "genolaunch"


def test_a_query_reads_tables_and_data_and_writes_in_its_starters_name():
    query = "UNLOAD (SELECT a FROM base.projected WHERE day = 'x') TO 's3://lake/days/x/' WITH (format = 'PARQUET')"
    where = {"WorkGroup": "g", "ResultConfiguration": {"OutputLocation": "s3://lake/queries/"}}

    found = needs("athena:StartQueryExecution", {"QueryString": query, **where})

    assert [(need.action, need.resource.split(":", 5)[5]) for need in found] == [
        ("athena:StartQueryExecution", "workgroup/g"),
        ("athena:GetDataCatalog", "datacatalog/AwsDataCatalog"),
        ("glue:GetDatabase", "catalog"),
        ("glue:GetDatabase", "database/default"),
        ("glue:GetDatabase", "catalog"),
        ("glue:GetDatabase", "database/base"),
        ("glue:GetTable", "catalog"),
        ("glue:GetTable", "database/base"),
        ("glue:GetTable", "table/base/projected"),
        ("s3:GetBucketLocation", "lake"),
        ("s3:ListBucket", "lake"),
        ("s3:GetObject", "lake/rows/any"),
        ("kms:Decrypt", "key/1"),
        ("s3:GetBucketLocation", "lake"),
        ("s3:PutObject", "lake/queries/any"),
        ("kms:GenerateDataKey", "key/1"),
        ("s3:GetBucketLocation", "lake"),
        ("s3:PutObject", "lake/days/x/any"),
        ("kms:GenerateDataKey", "key/1"),
    ]


def test_a_query_lists_the_partitions_of_a_table_without_projection():
    found = needs("athena:StartQueryExecution", {"QueryString": "SELECT a FROM base.plain"})

    assert "glue:GetPartitions" in {need.action for need in found}


def test_a_query_belongs_to_its_work_group():
    assert pairs(needs("athena:GetQueryExecution", {"QueryExecutionId": "7"})) == [
        ("athena:GetQueryExecution", "workgroup/group-of-7")
    ]


def test_a_partition_is_made_in_a_table_of_a_database_of_the_catalog():
    assert pairs(needs("glue:CreatePartition", {"DatabaseName": "base", "TableName": "t"})) == [
        ("glue:CreatePartition", "catalog"),
        ("glue:CreatePartition", "database/base"),
        ("glue:CreatePartition", "table/base/t"),
    ]


def test_an_acl_that_is_named_with_an_object_must_be_allowed():
    put = Call("s3:PutObject", "arn:aws:s3:::b/k", {}, {"s3:x-amz-acl": "private"})

    assert [need.action for need in needs_of(put, Cloud())] == [
        "s3:PutObject",
        "s3:PutObjectAcl",
        "kms:GenerateDataKey",
    ]
