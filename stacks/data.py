"""Resources that outlive every deployment: key, buckets, tables, and the queue that the launch bucket writes to."""

from typing import Final, TypedDict

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from genolaunch.contract.launch import STATUS_INDEX, LaunchField
from genolaunch.contract.launch_bucket import (
    LAUNCH_BUCKET_PREFIXES,
    LAUNCH_PREFIX,
    REQUESTS_PREFIX,
    SNAKEFILE_NAMES,
    SNAKEFILES_PREFIX,
)
from genolaunch.contract.settings import Parameter
from genolaunch.contract.tasks import TaskField
from genolaunch.contract.usage import USAGE_INDEX, UsageField
from stacks.config import StageSettings
from stacks.constructs.monitoring import Monitoring
from stacks.constructs.queues import QueueWithDeadLetters
from stacks.constructs.stage_stack import StageStack

REGISTRATION_TIMEOUT: Final = Duration.minutes(1)
"""Of the function that takes dropped files from the queue: the queue's visibility follows from it."""

REQUEST_TIMEOUT: Final = Duration.minutes(1)
"""The same of the function that takes people's requests."""

TIBANNA_TABLE: Final = "tibanna-master"
"""Tibanna's programs know the table of their jobs, with its key, by this name and no other."""

_FSX_S3_ROLES: Final = "aws-service-role/s3.data-source.lustre.fsx.amazonaws.com/AWSServiceRoleForFSxS3Access_fs-*"


class _TablePolicies(TypedDict):
    removal_policy: RemovalPolicy
    deletion_protection: bool


class DataStack(StageStack):
    """Stateful resources of a stage."""

    def __init__(self, scope: Construct, *, settings: StageSettings) -> None:
        super().__init__(
            scope, "data", settings=settings, description="Buckets, tables and key of Genolaunch", is_stateful=True
        )
        # The launch bucket's name is given: its queue's policy must name the bucket, and the bucket needs the policy
        # first; a reference would be a circle.
        self._launch_bucket_name = f"{settings.prefix}-launch-{settings.account}-{settings.region}"
        self.key = self._make_key()
        self.topic = self._make_topic()
        self.bus = events.EventBus(
            self,
            "Events",
            event_bus_name=settings.prefix,
            description=f"Changes of the status of launches of Genolaunch {settings.name}, for other systems",
            kms_key=self.key,
        )
        self.monitoring = Monitoring(key=self.key, topic=self.topic)
        self.registrations = QueueWithDeadLetters(
            self,
            "Registrations",
            monitoring=self.monitoring,
            holds="a file dropped into the launch bucket",
            consumer_timeout=REGISTRATION_TIMEOUT,
            oldest=Duration.minutes(15),
        )
        self.person_requests = QueueWithDeadLetters(
            self,
            "PersonRequests",
            monitoring=self.monitoring,
            holds="what a person asks of a launch",
            consumer_timeout=REQUEST_TIMEOUT,
            oldest=Duration.minutes(15),
        )
        self._access_logs = self._make_access_logs()
        self._hear_of_strays()
        self.launch_bucket = self._make_launch_bucket()
        self.data_bucket = self._make_data_bucket()
        self.results_bucket = self._make_bucket("Results", versioned=True)
        self.analytics_bucket = self._make_bucket("Analytics", versioned=True)
        self.tibanna_logs = self._make_tibanna_logs()
        self.tibanna_table = self._make_tibanna_table()
        self.launch_table = self._make_launch_table()
        self.task_table = self._make_table(
            "Tasks",
            partition_key=_text(TaskField.LAUNCH_ID),
            sort_key=_text(TaskField.TASK_ID),
            expires_at=TaskField.EXPIRES_AT,
        )
        self.usage_table = self._make_usage_table()
        for parameter, value in {
            Parameter.LAUNCH_BUCKET: self.launch_bucket.bucket_name,
            Parameter.DATA_BUCKET: self.data_bucket.bucket_name,
            Parameter.RESULTS_BUCKET: self.results_bucket.bucket_name,
            Parameter.TIBANNA_LOG_BUCKET: self.tibanna_logs.bucket_name,
            Parameter.LAUNCH_TABLE: self.launch_table.table_name,
            Parameter.TASK_TABLE: self.task_table.table_name,
            Parameter.EVENT_BUS: self.bus.event_bus_name,
            Parameter.USAGE_TABLE: self.usage_table.table_name,
        }.items():
            self.publish(parameter, value)

    def allow_items(self, grantee: iam.IGrantable, table: dynamodb.ITable, *actions: str) -> None:
        """Let somebody do these DynamoDB actions on a table; DynamoDB uses the table's key in the caller's name."""
        grantee.grant_principal.add_to_principal_policy(
            iam.PolicyStatement(actions=[f"dynamodb:{action}" for action in actions], resources=[table.table_arn])
        )
        self.key.grant_encrypt_decrypt(grantee)

    def allow_reading(
        self, grantee: iam.IGrantable, bucket: s3.IBucket, prefix: str = "", *, versions: bool = False
    ) -> None:
        """Let somebody read the objects below a prefix, and hear that one is missing."""
        version = ["s3:GetObjectVersion"] if versions else []
        self._allow_s3(grantee, ["s3:GetObject", *version], bucket.arn_for_objects(f"{prefix}*"))
        self._allow_key_of(bucket, grantee, "kms:Decrypt")
        # Without it S3 answers 403 for what does not exist, and nobody can tell which of the two it is.
        self.allow_listing(grantee, bucket)

    def allow_listing(self, grantee: iam.IGrantable, bucket: s3.IBucket) -> None:
        """Let somebody list a bucket's keys, without reading an object."""
        self._allow_s3(grantee, ["s3:ListBucket"], bucket.bucket_arn)

    def allow_writing(
        self, grantee: iam.IGrantable, bucket: s3.IBucket, prefix: str, *, in_parts: bool = False
    ) -> None:
        """Let somebody put objects below a prefix, and large ones in parts."""
        objects = bucket.arn_for_objects(f"{prefix}*")
        self._allow_s3(grantee, ["s3:PutObject"], objects)
        self._allow_key_of(bucket, grantee, "kms:GenerateDataKey")
        if in_parts:
            self._allow_s3(grantee, ["s3:AbortMultipartUpload"], objects)
            # Finishing an upload decrypts what its parts were encrypted with.
            self._allow_key_of(bucket, grantee, "kms:Decrypt")

    def allow_working(self, grantee: iam.IGrantable, bucket: s3.IBucket, prefix: str = "") -> None:
        """Let somebody read, put and remove objects below a prefix; earlier versions stay out of reach."""
        self.allow_reading(grantee, bucket, prefix)
        self.allow_writing(grantee, bucket, prefix, in_parts=True)
        self._allow_s3(grantee, ["s3:DeleteObject"], bucket.arn_for_objects(f"{prefix}*"))

    def allow_key_of_files(self, grantee: iam.IGrantable) -> None:
        """Let somebody read and write what is encrypted with the stage's key or, through S3, with those of others."""
        for action in ("kms:Decrypt", "kms:GenerateDataKey"):
            self.key.grant(grantee, action)
            self._allow_keys_of_others(grantee, action)

    def _allow_s3(self, grantee: iam.IGrantable, actions: list[str], resource: str) -> None:
        grantee.grant_principal.add_to_principal_policy(iam.PolicyStatement(actions=actions, resources=[resource]))

    def _allow_key_of(self, bucket: s3.IBucket, grantee: iam.IGrantable, action: str) -> None:
        """Let S3 use in somebody's name the key that encrypts a bucket: the stage's, or one of those of others."""
        if bucket.encryption_key is not None:
            self.key.grant(grantee, action)
        else:
            self._allow_keys_of_others(grantee, action)

    def _allow_keys_of_others(self, grantee: iam.IGrantable, action: str) -> None:
        if self.settings.bucket_key_arns:
            grantee.grant_principal.add_to_principal_policy(
                iam.PolicyStatement(
                    actions=[action],
                    resources=list(self.settings.bucket_key_arns),
                    # Which of them is which bucket's is not known here; through S3 a key serves its buckets alone.
                    conditions={"StringEquals": {"kms:ViaService": f"s3.{self.region}.{self.url_suffix}"}},
                )
            )

    def allow_query_by_status(self, grantee: iam.IGrantable) -> None:
        """Let somebody list the launches of a status."""
        grantee.grant_principal.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["dynamodb:Query"], resources=[f"{self.launch_table.table_arn}/index/{STATUS_INDEX}"]
            )
        )
        self.key.grant_encrypt_decrypt(grantee)

    def _make_key(self) -> kms.IKey:
        if self.settings.key_arn:
            # Its policy is its owner's: docs/security.md lists what it must allow.
            return kms.Key.from_key_arn(self, "Key", self.settings.key_arn)
        key = kms.Key(
            self,
            "Key",
            alias=f"genolaunch/{self.settings.name}",
            description=f"Everything that Genolaunch stores in the stage {self.settings.name}",
            enable_key_rotation=True,
            removal_policy=self.removal,
        )
        in_account = {"StringEquals": {"aws:SourceAccount": self.account}}
        users = {
            "Logs": (
                f"logs.{self.region}.amazonaws.com",
                {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": self.format_arn(service="logs", resource="*")}},
            ),
            "Alarms": ("cloudwatch.amazonaws.com", in_account),
        }
        for sid, (service, conditions) in users.items():
            key.add_to_resource_policy(_use_of_key(sid, iam.ServicePrincipal(service), conditions))
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="SendersToEncryptedQueues",
                # S3 (the launch bucket's notifications) and EventBridge (dead letters of rules). Their requests to the
                # key name no source account or ARN, so such a condition would refuse them all: the queues' own
                # policies say which bucket and which rule may send.
                principals=[iam.ServicePrincipal("s3.amazonaws.com"), iam.ServicePrincipal("events.amazonaws.com")],
                actions=["kms:GenerateDataKey*", "kms:Decrypt"],
                resources=["*"],  # in a key's policy, "*" is this key
            )
        )
        key.add_to_resource_policy(
            _use_of_key(
                "LustreLinks",
                # Each file system has a service-linked role of its own, made with it: named by pattern.
                iam.AnyPrincipal(),
                {
                    "ArnLike": {"aws:PrincipalArn": f"arn:{self.partition}:iam::{self.account}:role/{_FSX_S3_ROLES}"},
                    "StringEquals": {
                        "kms:CallerAccount": self.account,
                        "kms:ViaService": f"s3.{self.region}.amazonaws.com",
                    },
                },
            )
        )
        return key

    def _make_topic(self) -> sns.Topic:
        topic = sns.Topic(
            self, "Notices", display_name=f"Genolaunch {self.settings.name}", master_key=self.key, enforce_ssl=True
        )
        for email in self.settings.notification_emails:
            topic.add_subscription(subscriptions.EmailSubscription(email))
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Alarms",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        return topic

    def _make_access_logs(self) -> s3.Bucket:
        return s3.Bucket(
            self,
            "AccessLogs",
            # S3 delivers access logs to buckets with its own keys only.
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            removal_policy=self.removal,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(self.settings.log_retention_days))],
        )

    def _make_bucket(
        self,
        id_: str,
        *,
        versioned: bool,
        name: str | None = None,
        ownership: s3.ObjectOwnership = s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        expiration: Duration | None = None,
    ) -> s3.Bucket:
        return s3.Bucket(
            self,
            id_,
            bucket_name=name,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=versioned,
            object_ownership=ownership,
            removal_policy=self.removal,
            server_access_logs_bucket=self._access_logs,
            server_access_logs_prefix=f"{id_.lower()}/",
            lifecycle_rules=[
                s3.LifecycleRule(
                    abort_incomplete_multipart_upload_after=Duration.days(7),
                    noncurrent_version_expiration=Duration.days(30) if versioned else None,
                    expiration=expiration,
                )
            ],
        )

    def _make_launch_bucket(self) -> s3.Bucket:
        bucket = self._make_bucket("LaunchFiles", versioned=True, name=self._launch_bucket_name)
        queue, requests = self.registrations.queue, self.person_requests.queue
        for each in (queue, requests):
            each.add_to_resource_policy(
                iam.PolicyStatement(
                    sid="LaunchBucketNotifies",
                    principals=[iam.ServicePrincipal("s3.amazonaws.com")],
                    actions=["sqs:SendMessage"],
                    resources=[each.queue_arn],
                    conditions={
                        "StringEquals": {"aws:SourceAccount": self.account},
                        "ArnLike": {"aws:SourceArn": f"arn:{self.partition}:s3:::{self._launch_bucket_name}"},
                    },
                )
            )
        resource = bucket.node.default_child
        assert isinstance(resource, s3.CfnBucket)
        # Native, and not EventBridge: only these events say who dropped the file. The library's own way would add a
        # custom resource with a function.
        resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            queue_configurations=[
                _created(queue, prefix=LAUNCH_PREFIX),
                # Of the sources beside it S3 tells nobody: they are there before it.
                *(_created(queue, prefix=SNAKEFILES_PREFIX, suffix=f"/{name}") for name in SNAKEFILE_NAMES),
                _created(requests, prefix=REQUESTS_PREFIX),
            ],
            # By this restore configs start their state machine, and strays are heard of.
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True),
        )
        # S3 tries to write to the queues when the notification is set.
        for each in (queue, requests):
            resource.node.add_dependency(each.node.find_child("Policy"))
        return bucket

    def _hear_of_strays(self) -> None:
        """Files put where nothing belongs get an answer too, from the function that answers all others.

        By EventBridge, since S3's own notifications have no "anywhere but": a prefix alone, and none that overlap. The
        form with a list of prefixes is aws/event-ruler's "Anything-but prefix list (strings)" (its README).
        """
        queue, dead_letters = self.registrations.queue, self.registrations.dead_letters.queue
        # Natively: of an encrypted queue the library would let every rule of the account write to it.
        rule = events.CfnRule(
            self,
            "Strays",
            description="A file was put into the launch bucket where nothing belongs",
            event_pattern={
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "bucket": {"name": [self._launch_bucket_name]},
                    "object": {"key": [{"anything-but": {"prefix": list(LAUNCH_BUCKET_PREFIXES)}}]},
                },
            },
            targets=[
                events.CfnRule.TargetProperty(
                    arn=queue.queue_arn,
                    id="Registrations",
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=dead_letters.queue_arn),
                )
            ],
        )
        for each in (queue, dead_letters):
            each.add_to_resource_policy(
                iam.PolicyStatement(
                    sid="StraysAreTold",
                    principals=[iam.ServicePrincipal("events.amazonaws.com")],
                    actions=["sqs:SendMessage"],
                    resources=[each.queue_arn],
                    conditions={"ArnEquals": {"aws:SourceArn": rule.attr_arn}},
                )
            )

    def _make_data_bucket(self) -> s3.Bucket:
        # Not versioned: data sets are large, and kept by those who upload them.
        bucket = self._make_bucket("Data", versioned=False)
        resource = bucket.node.default_child
        assert isinstance(resource, s3.CfnBucket)
        # EventBridge, since native notifications may not overlap a file system's link; natively in the template, since
        # `event_bridge_enabled` would add a custom resource with a function.
        resource.add_property_override("NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled", True)
        return bucket

    def _make_tibanna_logs(self) -> s3.Bucket:
        return self._make_bucket(
            "TibannaLogs",
            versioned=False,
            # Tibanna names an ACL with what it puts, which a bucket refuses whose objects have none.
            ownership=s3.ObjectOwnership.BUCKET_OWNER_PREFERRED,
            expiration=Duration.days(self.settings.log_retention_days),
        )

    def _make_tibanna_table(self) -> dynamodb.ITable:
        if self.settings.tibanna.table == "import":
            return dynamodb.Table.from_table_name(self, "TibannaJobs", TIBANNA_TABLE)
        return self._make_table("TibannaJobs", name=TIBANNA_TABLE, partition_key=_text("Job Id"))

    def _make_launch_table(self) -> dynamodb.Table:
        table = self._make_table(
            "Launches",
            partition_key=_text(LaunchField.LAUNCH_ID),
            stream=dynamodb.StreamViewType.NEW_IMAGE,
        )
        table.add_global_secondary_index(
            index_name=STATUS_INDEX,
            partition_key=_text(LaunchField.STATUS),
            sort_key=_text(LaunchField.SUBMITTED_AT),
        )
        return table

    def _make_usage_table(self) -> dynamodb.Table:
        """Of its own: ten thousand attempts of jobs have no place among a launch's tasks, and they expire."""
        table = self._make_table(
            "Usage",
            partition_key=_text(UsageField.OWNER),
            sort_key=_text(UsageField.USAGE_ID),
            expires_at=UsageField.EXPIRES_AT,
        )
        # Who else was on an instance: what its time is shared among.
        table.add_global_secondary_index(
            index_name=USAGE_INDEX,
            partition_key=_text(UsageField.INSTANCE_ID),
            sort_key=_text(UsageField.USAGE_ID),
        )
        return table

    def _make_table(
        self,
        id_: str,
        *,
        partition_key: dynamodb.Attribute,
        sort_key: dynamodb.Attribute | None = None,
        stream: dynamodb.StreamViewType | None = None,
        expires_at: str | None = None,
        name: str | None = None,
    ) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            id_,
            table_name=name,
            partition_key=partition_key,
            sort_key=sort_key,
            stream=stream,
            time_to_live_attribute=expires_at,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self.key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            **self._table_policies(has_name=name is not None),
        )

    def _table_policies(self, *, has_name: bool) -> _TablePolicies:
        """A table that is kept is protected, too, from whoever deletes it by hand.

        CloudFormation cannot delete a protected table either: its roll-back of a first deployment would fail there. So
        it keeps the table, which is empty and in nobody's way: its name is generated. A table with a name goes, and has
        no protection.
        """
        if self.keeps_data and not has_name:
            return {"removal_policy": RemovalPolicy.RETAIN, "deletion_protection": True}
        return {"removal_policy": self.removal, "deletion_protection": False}


def _created(queue: sqs.IQueue, **rules: str) -> s3.CfnBucket.QueueConfigurationProperty:
    """Tell the queue of objects whose key has this prefix (and suffix)."""
    filter_rules = [s3.CfnBucket.FilterRuleProperty(name=name, value=value) for name, value in rules.items()]
    return s3.CfnBucket.QueueConfigurationProperty(
        event="s3:ObjectCreated:*",
        queue=queue.queue_arn,
        filter=s3.CfnBucket.NotificationFilterProperty(s3_key=s3.CfnBucket.S3KeyFilterProperty(rules=filter_rules)),
    )


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def _use_of_key(sid: str, principal: iam.IPrincipal, conditions: dict[str, dict[str, str]]) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=sid,
        principals=[principal],
        actions=["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        resources=["*"],  # in a key's policy, "*" is this key
        conditions=conditions,
    )
