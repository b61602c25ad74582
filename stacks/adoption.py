"""Collects Service Catalog's events of every account in S3, so that Athena can answer who uses which release."""

import base64
import json
from typing import Final

from aws_cdk import Duration, Environment, RemovalPolicy, Stack, Tags
from aws_cdk import aws_events as events
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from genolaunch.contract.project import PROJECT, TAG_PROJECT
from stacks.config import GovernanceSettings

_EVENTS: Final = "events/"
_ERRORS: Final = "errors/"
BUS: Final = f"{PROJECT}-adoption"
"""To which each account sends its events (stacks/adoption_member.py)."""

_DATABASE: Final = "genolaunch_adoption"
_TABLE: Final = "service_catalog_calls"

_CALLS: Final = (
    "ProvisionProduct",
    "UpdateProvisionedProduct",
    "TerminateProvisionedProduct",
)
"""Calls about a product that CloudTrail records (AWS Service Catalog API reference)."""

_FIELDS: Final = {
    "time": "$.time",
    "account": "$.account",
    "region": "$.region",
    "call": "$.detail.eventName",
    "error": "$.detail.errorCode",
    "caller": "$.detail.userIdentity.arn",
    "product": "$.detail.requestParameters.productId",
    "version": "$.detail.requestParameters.provisioningArtifactId",
}
"""Column -> where the event has it. What an event lacks is empty."""

_ONE_EVENT_A_LINE: Final = firehose.CfnDeliveryStream.ProcessorProperty(
    type="AppendDelimiterToRecord",
    parameters=[
        firehose.CfnDeliveryStream.ProcessorParameterProperty(parameter_name="Delimiter", parameter_value="\\n")
    ],
)
"""Athena reads one object a line; Firehose itself puts nothing between records (Firehose developer guide)."""

_VIEW: Final = "adoption"

_BY_PRODUCT: Final = """\
SELECT product, version, account, region, call, count(*) AS calls, max("time") AS last_call
FROM genolaunch_adoption.service_catalog_calls
WHERE coalesce(error, '') = ''
GROUP BY product, version, account, region, call
"""

_VIEW_COLUMNS: Final = {
    **dict.fromkeys(("product", "version", "account", "region", "call"), ("string", "varchar")),
    "calls": ("bigint", "bigint"),
    "last_call": ("string", "varchar"),
}
"""Column of the query above -> its types: Hive's, as the Data Catalog has them, and Presto's, as queries have them."""

PATTERN: Final = {
    "source": ["aws.servicecatalog"],
    "detail-type": ["AWS API Call via CloudTrail"],
    "detail": {"eventSource": ["servicecatalog.amazonaws.com"], "eventName": list(_CALLS)},
}
"""Of the rules here, and of that by which each account forwards its events (stacks/adoption_member.py)."""


class AdoptionStack(Stack):
    """A bus that the listed accounts may send to, a stream into a bucket, a table over it, and a view.

    Each account forwards its events by the rule of stacks/adoption_member.py.
    """

    def __init__(self, scope: Construct, *, settings: GovernanceSettings) -> None:
        super().__init__(
            scope,
            f"{PROJECT}-adoption",
            env=Environment(account=settings.account, region=settings.region),
            description="Which accounts use which release of Genolaunch",
            termination_protection=True,
        )
        self._key = kms.Key(self, "Key", description="Events about Genolaunch's product", enable_key_rotation=True)
        self._bucket = self._make_bucket()
        stream = self._make_stream()
        bus = self._make_bus(settings.accounts)
        self._collect(bus, stream)
        self._make_view(self._make_table())
        Tags.of(self).add(TAG_PROJECT, PROJECT)

    def _make_bucket(self) -> s3.Bucket:
        return s3.Bucket(
            self,
            "Events",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self._key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            versioned=True,
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
            lifecycle_rules=[s3.LifecycleRule(noncurrent_version_expiration=Duration.days(30))],
        )

    def _make_stream(self) -> firehose.CfnDeliveryStream:
        role = iam.Role(
            self,
            "StreamRole",
            assumed_by=iam.ServicePrincipal(
                "firehose.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": self.account}}
            ),
            description="Writes events about Genolaunch's product into their bucket",
        )
        # Firehose's user guide, "Grant Firehose access to an Amazon S3 destination", without what it only lists.
        objects = [self._bucket.arn_for_objects(f"{prefix}*") for prefix in (_EVENTS, _ERRORS)]
        for actions, resources in (
            (["s3:PutObject", "s3:AbortMultipartUpload"], objects),
            (["s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"], [self._bucket.bucket_arn]),
        ):
            role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources))
        self._key.grant(role, "kms:GenerateDataKey", "kms:Decrypt")
        stream = firehose.CfnDeliveryStream(
            self,
            "Stream",
            delivery_stream_name=f"{PROJECT}-adoption",
            delivery_stream_type="DirectPut",
            delivery_stream_encryption_configuration_input=(
                firehose.CfnDeliveryStream.DeliveryStreamEncryptionConfigurationInputProperty(key_type="AWS_OWNED_CMK")
            ),
            extended_s3_destination_configuration=firehose.CfnDeliveryStream.ExtendedS3DestinationConfigurationProperty(
                bucket_arn=self._bucket.bucket_arn,
                role_arn=role.role_arn,
                prefix=_EVENTS,
                error_output_prefix=_ERRORS,
                compression_format="GZIP",
                processing_configuration=firehose.CfnDeliveryStream.ProcessingConfigurationProperty(
                    enabled=True, processors=[_ONE_EVENT_A_LINE]
                ),
                # Events are few: fewest objects, at the most that Firehose waits.
                buffering_hints=firehose.CfnDeliveryStream.BufferingHintsProperty(
                    interval_in_seconds=900, size_in_m_bs=5
                ),
            ),
        )
        stream.node.add_dependency(role)
        return stream

    def _make_bus(self, accounts: tuple[str, ...]) -> events.EventBus:
        bus = events.EventBus(self, "Bus", event_bus_name=BUS)
        for account in accounts:
            events.CfnEventBusPolicy(
                self,
                f"From{account}",
                event_bus_name=bus.event_bus_name,
                statement_id=f"From{account}",
                statement={
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:{self.partition}:iam::{account}:root"},
                    "Action": "events:PutEvents",
                    "Resource": bus.event_bus_arn,
                    "Condition": {"StringEquals": {"events:source": "aws.servicecatalog"}},
                },
            )
        return bus

    def _collect(self, bus: events.EventBus, stream: firehose.CfnDeliveryStream) -> None:
        role = iam.Role(
            self,
            "RuleRole",
            assumed_by=iam.ServicePrincipal("events.amazonaws.com"),
            description="Puts events about Genolaunch's product into their stream",
        )
        role.add_to_policy(
            iam.PolicyStatement(
                sid="PutEvents", actions=["firehose:PutRecord", "firehose:PutRecordBatch"], resources=[stream.attr_arn]
            )
        )
        # Its own events reach an account on its default bus, those of others on the bus made here.
        for id_, name in (("OfOthers", bus.event_bus_name), ("OfThisAccount", "default")):
            rule = events.CfnRule(
                self,
                id_,
                description="Calls of Service Catalog that deploy, update or delete a product",
                event_bus_name=name,
                event_pattern=PATTERN,
                targets=[
                    events.CfnRule.TargetProperty(
                        id="Stream",
                        arn=stream.attr_arn,
                        role_arn=role.role_arn,
                        input_transformer=events.CfnRule.InputTransformerProperty(
                            input_paths_map=_FIELDS,
                            input_template=json.dumps({field: f"<{field}>" for field in _FIELDS}),
                        ),
                    )
                ],
            )
            rule.node.add_dependency(role)

    def _make_table(self) -> glue.CfnTable:
        database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=self.account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=_DATABASE, description="Who uses which release of Genolaunch"
            ),
        )
        table = glue.CfnTable(
            self,
            "Calls",
            catalog_id=self.account,
            database_name=_DATABASE,
            table_input=glue.CfnTable.TableInputProperty(
                name=_TABLE,
                table_type="EXTERNAL_TABLE",
                parameters={"classification": "json"},
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    location=f"s3://{self._bucket.bucket_name}/{_EVENTS}",
                    input_format="org.apache.hadoop.mapred.TextInputFormat",
                    output_format="org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                    serde_info=glue.CfnTable.SerdeInfoProperty(
                        serialization_library="org.apache.hive.hcatalog.data.JsonSerDe"
                    ),
                    columns=[glue.CfnTable.ColumnProperty(name=field, type="string") for field in _FIELDS],
                ),
            ),
        )
        table.add_dependency(database)
        return table

    def _make_view(self, table: glue.CfnTable) -> None:
        """A view as Athena's own CREATE VIEW leaves it in the Data Catalog, which has no other way to deploy one.

        The format is Presto's and Trino's (Hive connector, `/* Presto View: … */`): the definition is JSON in Base64,
        and the parameter `presto_view` tells it from a view of Hive's. AWS documents it nowhere.
        """
        definition = {
            "originalSql": _BY_PRODUCT,
            "catalog": "awsdatacatalog",
            "schema": _DATABASE,
            "columns": [{"name": name, "type": presto} for name, (_, presto) in _VIEW_COLUMNS.items()],
            "runAsInvoker": False,
            "path": [],  # newer versions of Trino have it (ConnectorViewDefinition); users report failures without it
        }
        encoded = base64.b64encode(json.dumps(definition).encode()).decode()
        view = glue.CfnTable(
            self,
            "View",
            catalog_id=self.account,
            database_name=_DATABASE,
            table_input=glue.CfnTable.TableInputProperty(
                name=_VIEW,
                description="Calls that succeeded, by product, version and account",
                table_type="VIRTUAL_VIEW",
                view_original_text=f"/* Presto View: {encoded} */",
                view_expanded_text="/* Presto View */",
                parameters={"presto_view": "true", "comment": "Presto View"},
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    # A view has no rows to read, but Trino refuses a table without SerDe, and the CDK leaves out an
                    # empty one (trino-hive, Glue converter: "StorageDescriptor SerDeInfo is null").
                    serde_info=glue.CfnTable.SerdeInfoProperty(name="-", serialization_library="-"),
                    columns=[
                        glue.CfnTable.ColumnProperty(name=name, type=hive) for name, (hive, _) in _VIEW_COLUMNS.items()
                    ],
                ),
            ),
        )
        view.add_dependency(table)
