"""What calls of FSx need."""

from typing import Final

from localcloud.clients import ACCOUNT
from localcloud.iam.model import Call, Cloud, Need, Rule, arn, tagged, tagging

_LUSTRE_S3: Final = "s3.data-source.lustre.fsx.amazonaws.com"


def _create_file_system(call: Call, cloud: Cloud) -> list[Need]:
    del cloud
    made = arn("fsx", "file-system", "fs-new")
    # FSx looks at the network in its caller's name ("Amazon FSx and IAM", user guide for Lustre).
    network = ("DescribeSecurityGroups", "GetSecurityGroupsForVpc", "DescribeSubnets", "DescribeVpcs")
    own_role = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/fsx.amazonaws.com/AWSServiceRoleForAmazonFSx"
    return [
        Need(call.action, made, call.context),
        *tagging(call, "fsx:TagResource", made),
        *(
            Need(f"ec2:{action}", "*", {"aws:calledvia": ["fsx.amazonaws.com"]})
            for action in (*network, "DescribeRouteTables")
        ),
        Need("iam:CreateServiceLinkedRole", own_role, {"iam:awsservicename": "fsx.amazonaws.com"}),
    ]


def _create_association(call: Call, cloud: Cloud) -> list[Need]:
    made = arn("fsx", "association", "dra-new")
    bucket = call.params.get("DataRepositoryPath", "").removeprefix("s3://").partition("/")[0]
    role = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/{_LUSTRE_S3}/AWSServiceRoleForFSxS3Access_fs-new"
    return [
        Need(call.action, made, call.context),
        tagged(call, arn("fsx", "file-system", call.params.get("FileSystemId", "")), cloud),
        *tagging(call, "fsx:TagResource", made),
        # Linking a bucket takes what the user guide lists under "Prerequisites for linking to S3".
        Need("iam:CreateServiceLinkedRole", role, {"iam:awsservicename": _LUSTRE_S3}),
        Need("iam:AttachRolePolicy", role),
        Need("iam:PutRolePolicy", role),
        Need("s3:ListBucket", f"arn:aws:s3:::{bucket}"),
        Need("s3:GetBucketAcl", f"arn:aws:s3:::{bucket}"),
        Need("s3:GetObject", f"arn:aws:s3:::{bucket}/any"),
        Need("s3:PutObject", f"arn:aws:s3:::{bucket}/any"),
    ]


def _create_task(call: Call, cloud: Cloud) -> list[Need]:
    made = arn("fsx", "task", "task-new")
    return [
        Need(call.action, made, call.context),
        tagged(call, arn("fsx", "file-system", call.params.get("FileSystemId", "")), cloud),
        *tagging(call, "fsx:TagResource", made),
    ]


def _existing_file_system(call: Call, cloud: Cloud) -> list[Need]:
    return [tagged(call, arn("fsx", "file-system", call.params.get("FileSystemId", "")), cloud)]


def _existing_association(call: Call, cloud: Cloud) -> list[Need]:
    return [tagged(call, arn("fsx", "association", call.params.get("AssociationId", "")), cloud)]


def _existing_task(call: Call, cloud: Cloud) -> list[Need]:
    return [tagged(call, arn("fsx", "task", call.params.get("TaskId", "")), cloud)]


RULES: Final[dict[str, Rule]] = {
    "fsx:CreateFileSystem": _create_file_system,
    "fsx:CreateDataRepositoryAssociation": _create_association,
    "fsx:CreateDataRepositoryTask": _create_task,
    "fsx:DeleteFileSystem": _existing_file_system,
    "fsx:DeleteDataRepositoryAssociation": _existing_association,
    "fsx:CancelDataRepositoryTask": _existing_task,
}
