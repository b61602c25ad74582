"""Daily backups of what a stage could not make again: its tables, its launches' files and their results."""

from aws_cdk import Duration
from aws_cdk import aws_backup as backup
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.config import StageSettings
from stacks.constructs.stage_stack import StageStack
from stacks.data import DataStack


class BackupStack(StageStack):
    """A vault, a daily plan, and the tables and versioned buckets that it covers.

    Point-in-time recovery guards tables for 35 days already; a vault keeps copies for as long as the stage says, apart
    from the tables, and past their deletion. The data bucket is left out: whoever uploads data sets keeps them.
    """

    def __init__(self, scope: Construct, *, settings: StageSettings, data: DataStack, days: int) -> None:
        super().__init__(
            scope,
            "backup",
            settings=settings,
            description="Daily backups of Genolaunch's tables and files",
            is_stateful=True,
        )
        vault = backup.BackupVault(
            self,
            "Vault",
            # CloudFormation names no vault by itself: the property is required.
            backup_vault_name=f"{settings.prefix}-backups",
            encryption_key=data.key,
            removal_policy=self.removal,
        )
        plan = backup.BackupPlan(
            self,
            "Daily",
            backup_plan_name=f"{settings.prefix}-daily",
            backup_vault=vault,
            backup_plan_rules=[
                backup.BackupPlanRule(
                    rule_name="daily",
                    schedule_expression=events.Schedule.cron(hour="3", minute="0"),
                    delete_after=Duration.days(days),
                )
            ],
        )
        plan.add_selection(
            "Kept",
            role=self._make_role(data),
            resources=[
                backup.BackupResource.from_dynamo_db_table(data.launch_table),
                backup.BackupResource.from_dynamo_db_table(data.task_table),
                backup.BackupResource.from_arn(data.launch_bucket.bucket_arn),
                backup.BackupResource.from_arn(data.results_bucket.bucket_arn),
            ],
            disable_default_backup_policy=True,  # its role has the policies below
        )

    def _make_role(self, data: DataStack) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("backup.amazonaws.com"),
            description="AWS Backup: copies tables and objects into the vault",
        )
        # AWS keeps these two in step with what its service calls for S3 and DynamoDB, which changes from year to year
        # (AWS Backup developer guide, "Managed policies"); a copy of them would fall behind and backups would fail.
        for name in (
            "service-role/AWSBackupServiceRolePolicyForBackup",
            "AWSBackupServiceRolePolicyForS3Backup",
        ):
            role.add_managed_policy(iam.ManagedPolicy.from_aws_managed_policy_name(name))
        data.key.grant_encrypt_decrypt(role)
        return role
