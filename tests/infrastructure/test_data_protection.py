"""What a stage's settings add for data that is regulated."""

import json
import re
from ipaddress import IPv4Network
from typing import Any

import aws_cdk as cdk
import pytest

from stacks.config import InvalidSettingsError
from stacks.constructs.python_function import BundlingTarget
from stacks.settings_files import context_of_cdk_json
from stacks.stage import GenolaunchStage
from tests.infrastructure.conftest import Stack, as_list, make_settings, synthesize

KEY = "arn:aws:kms:eu-west-1:111111111111:key/01234567-89ab-cdef-0123-456789abcdef"

GUARDED_RANGE = "10.77.0.0/16"

GUARDED: dict[str, Any] = {
    "network": {"cidr": GUARDED_RANGE, "interface_endpoints": ["ecr.api", "ecr.dkr", "logs"], "flow_logs": "ALL"},
    "backup_days": 90,
    "key_arn": KEY,
    "permissions_boundary": "company-boundary",
    "removal_policy": "retain",
}


@pytest.fixture(scope="module")
def guarded() -> dict[str, Stack]:
    return synthesize(make_settings(**GUARDED))


def test_endpoints_are_as_the_stage_says(guarded, stacks):
    kinds = [endpoint.get("VpcEndpointType") for endpoint in guarded["network"].all("AWS::EC2::VPCEndpoint").values()]

    assert sorted(str(kind) for kind in kinds) == ["Gateway", "Gateway", "Interface", "Interface", "Interface"]
    unguarded = stacks["network"].all("AWS::EC2::VPCEndpoint").values()
    assert {endpoint["VpcEndpointType"] for endpoint in unguarded} == {"Gateway"}


def test_all_that_computes_in_the_network_reaches_its_endpoints_and_nothing_from_outside(guarded):
    """Their private names take everybody's traffic: what is not admitted hangs until it times out."""
    groups = _groups(guarded)
    clients = {id_ for id_, group in groups.items() if "Lustre" not in group["GroupDescription"]}
    (endpoints,) = (id_ for id_, group in groups.items() if group["GroupDescription"].startswith("Interface endpoints"))
    clients.remove(endpoints)

    assert {re.sub("[0-9A-F]{8}$", "", id_) for id_ in clients} == {
        "Compute",  # hosts of Batch
        "SnakemakeJobs",  # those of users' own programs
        "LauncherSecurityGroup",  # on Fargate
        "Instances",  # of Tibanna
    }
    admitted = [rule for rule in _rules(guarded, "Ingress", endpoints) if _on_443(rule)]
    for client in clients:
        assert any(_names_peer(rule, client, "SourceSecurityGroupId") for rule in admitted), client
        out = [rule for rule in _rules(guarded, "Egress", client) if _on_443(rule)]
        assert any(_names_peer(rule, endpoints, "DestinationSecurityGroupId") for rule in out), client
    for rule in _rules(guarded, "Ingress", endpoints):
        assert _on_443(rule)
        assert "CidrIp" not in rule or IPv4Network(rule["CidrIp"]).subnet_of(_vpc_range(guarded))


def test_each_group_that_compute_is_given_is_one_of_those(guarded):
    """Other ways to compute in the network would need a group: a function's, a build's, a service's."""
    known = _groups(guarded)
    named = {
        reference
        for stack in guarded.values()
        for id_, resource in stack.template["Resources"].items()
        if not resource["Type"].startswith("AWS::EC2::SecurityGroup")
        for reference in re.findall(r'"([A-Za-z0-9]*?)", "GroupId"', json.dumps(resource))
    }

    assert named
    assert named <= set(known)


def _groups(stacks: dict[str, Stack]) -> dict[str, Any]:
    """Logical id -> properties of all security groups of the stage."""
    return {id_: group for stack in stacks.values() for id_, group in stack.all("AWS::EC2::SecurityGroup").items()}


def _rules(stacks: dict[str, Stack], direction: str, group: str) -> list[dict[str, Any]]:
    """A group's rules in one direction, whether it says them itself or a resource does."""
    apart = (
        rule
        for stack in stacks.values()
        for rule in stack.all(f"AWS::EC2::SecurityGroup{direction}").values()
        if f'"{group}"' in json.dumps(rule["GroupId"])
    )
    return [*_groups(stacks)[group].get(f"SecurityGroup{direction}", []), *apart]


def _on_443(rule: dict[str, Any]) -> bool:
    return bool(
        rule["IpProtocol"] == "-1" or (rule["IpProtocol"] == "tcp" and rule["FromPort"] <= 443 <= rule["ToPort"])
    )


def _names_peer(rule: dict[str, Any], group: str, member: str) -> bool:
    """Whether a rule is about this group, or about the whole network in which it is."""
    if "CidrIp" in rule:
        return IPv4Network(GUARDED_RANGE).subnet_of(IPv4Network(rule["CidrIp"]))
    return f'"{group}"' in json.dumps(rule.get(member))


def _vpc_range(stacks: dict[str, Stack]) -> IPv4Network:
    return IPv4Network(stacks["network"].one("AWS::EC2::VPC")["CidrBlock"])


def test_all_traffic_is_recorded_where_the_stage_says_so(guarded, stacks):
    assert guarded["network"].one("AWS::EC2::FlowLog")["TrafficType"] == "ALL"
    assert stacks["network"].one("AWS::EC2::FlowLog")["TrafficType"] == "REJECT"


def test_tables_and_versioned_buckets_are_backed_up_daily_into_an_encrypted_vault(guarded, stacks):
    backups = guarded["backup"]
    (rule,) = backups.one("AWS::Backup::BackupPlan")["BackupPlan"]["BackupPlanRule"]
    resources = json.dumps(backups.one("AWS::Backup::BackupSelection")["BackupSelection"]["Resources"])

    assert rule["Lifecycle"] == {"DeleteAfterDays": 90}
    assert backups.one("AWS::Backup::BackupVault")["EncryptionKeyArn"] == KEY
    for kept in ("Launches", "Tasks", "LaunchFiles", "Results"):
        assert kept in resources
    assert "backup" not in stacks


def test_an_existing_key_encrypts_everything(guarded):
    data = guarded["data"]

    assert data.all("AWS::KMS::Key") == {}
    for table in data.all("AWS::DynamoDB::Table").values():
        assert table["SSESpecification"]["KMSMasterKeyId"] == KEY
    for stack in guarded.values():
        for queue in stack.all("AWS::SQS::Queue").values():
            assert queue["KmsMasterKeyId"] == KEY
        for group in stack.all("AWS::Logs::LogGroup").values():
            assert group["KmsKeyId"] == KEY


def test_keys_of_others_buckets_are_used_through_s3_by_those_who_read_and_write_there_and_nobody_else():
    other = "arn:aws:kms:eu-west-1:222222222222:key/89abcdef-89ab-cdef-0123-456789abcdef"
    stacks = synthesize(make_settings(bucket_key_arns=[other]))
    wanted: dict[str, set[str]] = {}
    given: dict[str, set[str]] = {}
    for stack in stacks.values():
        for id_, statement in stack.statements():
            actions, resources = as_list(statement["Action"]), json.dumps(statement["Resource"])
            if other in as_list(statement["Resource"]):
                assert statement["Condition"] == {"StringEquals": {"kms:ViaService": _s3_of(stack)}}
                given.setdefault(id_, set()).update(actions)
            if "shared-cohorts" not in resources and "lab-runs" not in resources:
                continue
            for action, use in (("s3:GetObject", "kms:Decrypt"), ("s3:PutObject", "kms:GenerateDataKey")):
                # FSx asks that who links a bucket may write there, and itself writes with a role of its own.
                if action in actions and statement.get("Sid") != "LinkBuckets":
                    wanted.setdefault(id_, set()).add(use)

    readers = {re.sub("(Default)?Policy[0-9A-F]{8}$", "", id_) for id_ in given}
    assert readers  # functions; launches' programs have theirs by policies of their own:
    (theirs,) = [each for each in stacks["snakemake"].managed("LaunchFiles") if other in as_list(each["Resource"])]
    assert set(theirs["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}
    assert theirs["Condition"] == {"StringEquals": {"kms:ViaService": _s3_of(stacks["snakemake"])}}
    for id_, uses in wanted.items():
        assert uses <= given.get(id_, set()), id_
    assert set(given) <= set(wanted)


def _s3_of(stack: Stack) -> Any:
    """The name of S3 in a stage's region, as templates write it."""
    text = json.dumps(stack.template)
    return {"Fn::Join": ["", ["s3.eu-west-1.", {"Ref": "AWS::URLSuffix"}]]} if "s3.eu-west-1." in text else None


def test_without_keys_of_others_no_key_but_the_stages_is_used(stacks):
    for stack in stacks.values():
        for _, statement in stack.statements():
            if any(str(action).startswith("kms:") for action in as_list(statement["Action"])):
                assert ":key/" not in json.dumps(statement["Resource"])


def test_every_role_has_the_boundary(guarded):
    roles = [role for stack in guarded.values() for role in stack.all("AWS::IAM::Role").values()]

    assert roles
    assert all("policy/company-boundary" in json.dumps(role["PermissionsBoundary"]) for role in roles)


def test_objects_belong_to_the_buckets_owner(stacks):
    for id_, bucket in stacks["data"].all("AWS::S3::Bucket").items():
        # Tibanna's own puts objects with an access list, which BucketOwnerEnforced would refuse
        wanted = "BucketOwnerPreferred" if id_.startswith("Tibanna") else "BucketOwnerEnforced"
        assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": wanted}], id_


@pytest.mark.parametrize(("policy", "kept"), [("retain", True), ("destroy", False)])
def test_what_holds_data_cannot_be_deleted_by_mistake_where_it_is_kept(policy, kept):
    app = cdk.App(context={**context_of_cdk_json(), "aws:cdk:bundling-stacks": []})
    stage = GenolaunchStage(app, settings=make_settings(removal_policy=policy), bundling=BundlingTarget.LAMBDA)
    template = synthesize(make_settings(removal_policy=policy))["data"].template

    assert bool(stage.data.termination_protection) is kept
    kinds = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key")
    stored = [resource for resource in template["Resources"].values() if resource["Type"] in kinds]
    policies = {resource["DeletionPolicy"] for resource in stored}
    assert policies == ({"RetainExceptOnCreate", "Retain"} if kept else {"Delete"})
    assert {resource["UpdateReplacePolicy"] for resource in stored} == {"Retain" if kept else "Delete"}
    # Tibanna's own has a name, and must be gone when a first deployment rolls back (docs/decisions/081).
    tables = [r["Properties"] for r in stored if r["Type"] == "AWS::DynamoDB::Table"]
    assert {table["DeletionProtectionEnabled"] for table in tables if "TableName" not in table} == {kept}


def test_faults_of_these_settings_are_told():
    with pytest.raises(InvalidSettingsError) as told:
        make_settings(key_arn="alias/mine", backup_days=0, network={"flow_logs": "SOME"})

    for name in ("key_arn", "backup_days", "flow_logs"):
        assert name in str(told.value)
