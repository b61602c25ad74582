"""What the examination calls, and the permission of each call (Service Authorization Reference)."""

from collections.abc import Mapping
from typing import Final

ACTIONS: Final[Mapping[str, str]] = {
    "GetCallerIdentity": "sts:GetCallerIdentity",
    "DescribeRegions": "ec2:DescribeRegions",
    "GetParameter": "ssm:GetParameter",
    "GetParametersByPath": "ssm:GetParametersByPath",
    "GetEbsEncryptionByDefault": "ec2:GetEbsEncryptionByDefault",
    "GetRole": "iam:GetRole",
    "DescribeAvailabilityZones": "ec2:DescribeAvailabilityZones",
    "DescribeInstanceTypeOfferings": "ec2:DescribeInstanceTypeOfferings",
    "GetServiceQuota": "servicequotas:GetServiceQuota",
    "GetAWSDefaultServiceQuota": "servicequotas:GetAWSDefaultServiceQuota",
    "DescribeInstances": "ec2:DescribeInstances",
    "DescribeAddresses": "ec2:DescribeAddresses",
    "DescribeVpcs": "ec2:DescribeVpcs",
    "DescribeInternetGateways": "ec2:DescribeInternetGateways",
    "DescribeNatGateways": "ec2:DescribeNatGateways",
    "DescribeSubnets": "ec2:DescribeSubnets",
    "DescribeFileSystems": "fsx:DescribeFileSystems",
    "GetAccountSettings": "lambda:GetAccountSettings",
    "DescribeJobQueues": "batch:DescribeJobQueues",
    "DescribeComputeEnvironments": "batch:DescribeComputeEnvironments",
    "GetAccountSummary": "iam:GetAccountSummary",
    "DescribeStacks": "cloudformation:DescribeStacks",
    "ListStackResources": "cloudformation:ListStackResources",
    "DescribeLogGroups": "logs:DescribeLogGroups",
    "DescribeTable": "dynamodb:DescribeTable",
    "HeadBucket": "s3:ListBucket",
    "ListObjectVersions": "s3:ListBucketVersions",
    "DescribeRepositories": "ecr:DescribeRepositories",
    "DescribeBackupVault": "backup:DescribeBackupVault",
}
"""Operation -> action."""

REFUSALS: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "Forbidden", "403"}
)
"""Error codes of those who may not ask, as the services spell them (403: HeadBucket, whose answer has no body)."""
