"""What an earlier deployment that failed may have left, and what has a name that the stage wants to give."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from genolaunch.contract.project import PROJECT
from genolaunch.doctor.account import Account
from genolaunch.doctor.finding import Check, Finding, mend, ok

if TYPE_CHECKING:
    from stacks.config import StageSettings

_STACKS: Final = "stacks"
_NAMES: Final = "names"

_NEVER_MADE: Final = ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED")
"""Of a stack that can only be deleted (CloudFormation user guide, "Stack status codes")."""

TIBANNA_TABLE: Final = "tibanna-master"


def checks(settings: "StageSettings") -> list[Check]:
    """Of every stage."""
    del settings
    return [Check(_STACKS, _stacks), Check(_NAMES, _names)]


def log_group_prefix(settings: "StageSettings") -> str:
    """What the names of the state machines' log groups begin with. Those of other log groups are generated."""
    return f"/aws/vendedlogs/states/{settings.prefix}-"


def unicorn_log_group(settings: "StageSettings") -> str:
    """Of Tibanna's state machine, whose name its client demands."""
    return f"/aws/vendedlogs/states/tibanna_unicorn_{PROJECT}_{settings.name}"


def launch_bucket(settings: "StageSettings") -> str:
    """The only bucket with a name of its own."""
    return f"{settings.prefix}-launch-{settings.account}-{settings.region}"


def repository_prefix(settings: "StageSettings") -> str:
    """What the names of the repositories of the stage's images and caches begin with."""
    return f"{settings.prefix}/"


def backup_vault(settings: "StageSettings") -> str | None:
    """Of the stage's backups, if it has any."""
    return f"{settings.prefix}-backups" if settings.backup_days else None


def _statuses(account: Account) -> Mapping[str, str]:
    pages = account.client("cloudformation").get_paginator("describe_stacks").paginate()
    found = (stack for page in pages for stack in page["Stacks"])
    prefix = f"{account.settings.prefix}-"
    return {stack["StackName"]: stack["StackStatus"] for stack in found if stack["StackName"].startswith(prefix)}


def _stacks(account: Account) -> Sequence[Finding]:
    region = account.settings.region
    statuses = _statuses(account)
    findings = []
    for name, status in sorted(statuses.items()):
        if status in _NEVER_MADE:
            command = f"aws cloudformation delete-stack --region {region} --stack-name {name}"
            findings.append(mend(_STACKS, f"{name} is {status}", command))
        elif status == "UPDATE_ROLLBACK_FAILED":
            command = f"aws cloudformation continue-update-rollback --region {region} --stack-name {name}"
            findings.append(mend(_STACKS, f"{name} is {status}", command))
    return findings or [ok(_STACKS, f"{len(statuses)} of the stage, none of them failed")]


def _names(account: Account) -> Sequence[Finding]:
    """What is there under a name of the stage's, and belongs to none of its stacks, keeps them from being made.

    Where the stage is deployed already, such resources belong to an older version, and do no harm.
    """
    statuses = _statuses(account)
    is_sound = not any(status in _NEVER_MADE for status in statuses.values())
    if is_sound and f"{account.settings.prefix}-data" in statuses:
        return [ok(_NAMES, "the stage is deployed, and has its names")]
    owned = frozenset(_owned(account, statuses))
    return list(_in_the_way(account, owned)) or [ok(_NAMES, "nothing has a name that the stage gives")]


def _owned(account: Account, stacks: Mapping[str, str]) -> Iterator[str]:
    paginator = account.client("cloudformation").get_paginator("list_stack_resources")
    for stack in stacks:
        for page in paginator.paginate(StackName=stack):
            for resource in page["StackResourceSummaries"]:
                if resource["ResourceStatus"] not in ("DELETE_COMPLETE", "DELETE_SKIPPED"):
                    yield resource.get("PhysicalResourceId", "")


def _in_the_way(account: Account, owned: frozenset[str]) -> Iterator[Finding]:
    settings, region = account.settings, account.settings.region
    groups = [name for name in _log_groups(account) if name not in owned]
    if groups:
        delete = f"aws logs delete-log-group --region {region} --log-group-name"
        loop = f"for name in {' '.join(groups)}; do {delete} $name; done"
        yield mend(_NAMES, f"log groups that no stack owns: {', '.join(groups)}", loop)
    if settings.tibanna.table == "create" and TIBANNA_TABLE not in owned and _has_table(account):
        text = f"the table {TIBANNA_TABLE} is there: one for an account and region, which others may share"
        yield mend(_NAMES, text, account.edit("tibanna.table") + ': "import"')
    bucket = launch_bucket(settings)
    if bucket not in owned and _has_bucket(account, bucket):
        yield _bucket_in_the_way(account, bucket)
    for images in _repositories(account) if settings.images else ():
        if images not in owned:
            command = f"aws ecr delete-repository --region {region} --repository-name {images} --force"
            yield mend(_NAMES, f"the repository {images} belongs to no stack", command)
    vault = backup_vault(settings)
    if vault and vault not in owned and _has_vault(account, vault):
        command = f"aws backup delete-backup-vault --region {region} --backup-vault-name {vault}"
        yield mend(_NAMES, f"the backup vault {vault} belongs to no stack", command)


def _bucket_in_the_way(account: Account, bucket: str) -> Finding:
    """Of one with something in it, the command only shows what that is: nobody else has it, and no deletion is undone.

    S3 deletes no bucket that holds versions or delete markers (S3 user guide, "Deleting a general purpose bucket").
    """
    s3 = account.client("s3")
    found = s3.list_object_versions(Bucket=bucket, MaxKeys=1000)
    held = len(found.get("Versions", ())) + len(found.get("DeleteMarkers", ()))
    if not held:
        return mend(_NAMES, f"the bucket {bucket} belongs to no stack, and is empty", f"aws s3 rb s3://{bucket}")
    text = (
        f"the bucket {bucket} belongs to no stack, and holds {'more than ' if found.get('IsTruncated') else ''}"
        f"{held:,} versions and delete markers of a former stage's launches: look at them, and copy what is to be "
        "kept. Then empty it of all versions (S3 console: Empty), and delete it"
    )
    query = "--query '[Versions,DeleteMarkers][][].[LastModified,Key,VersionId]' --output text"
    return mend(_NAMES, text, f"aws s3api list-object-versions --bucket {bucket} {query}")


def _log_groups(account: Account) -> Iterator[str]:
    paginator = account.client("logs").get_paginator("describe_log_groups")
    own = unicorn_log_group(account.settings)
    of_stage = log_group_prefix(account.settings)
    for prefix in (of_stage, own):
        for page in paginator.paginate(logGroupNamePrefix=prefix):
            for group in page["logGroups"]:
                name: str = group["logGroupName"]
                if name == own or name.startswith(of_stage):  # a stage's name may begin with this one's
                    yield name


def _has_table(account: Account) -> bool:
    dynamodb = account.client("dynamodb")
    try:
        dynamodb.describe_table(TableName=TIBANNA_TABLE)
    except dynamodb.exceptions.ResourceNotFoundException:
        return False
    return True


def _has_bucket(account: Account, name: str) -> bool:
    s3 = account.client("s3")
    try:
        s3.head_bucket(Bucket=name)
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] == "404":  # HeadBucket's errors have no body, only a status
            return False
        raise
    return True


def _repositories(account: Account) -> Iterator[str]:
    for page in account.client("ecr").get_paginator("describe_repositories").paginate():
        for repository in page["repositories"]:
            name: str = repository["repositoryName"]
            if name.startswith(repository_prefix(account.settings)):
                yield name


def _has_vault(account: Account, name: str) -> bool:
    """Of a vault that is not there AWS Backup may say that access is denied (its API reference): so it is not told."""
    backup = account.client("backup")
    try:
        backup.describe_backup_vault(BackupVaultName=name)
    except backup.exceptions.ResourceNotFoundException:
        return False
    return True
