"""Launches as a table for BI tools: a day's priced attempts become Parquet, which Athena and QuickSight read."""

from collections.abc import Mapping
from typing import Final

from aws_cdk import aws_athena as athena
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from constructs import Construct

from genolaunch.contract.cost import EXPORT_PREFIX, EXPORTED_COLUMNS, PRICED_PREFIX
from genolaunch.contract.settings import Parameter
from stacks.config import StageSettings
from stacks.constructs.stage_stack import StageStack
from stacks.constructs.state_machine import AslStateMachine
from stacks.data import DataStack

EXPORT: Final = "export"

_RAW, _TABLE = "priced", "launches"
_QUERIES: Final = "queries/"
"""Below it, in the analytics bucket, Athena puts results of queries."""

_DAY: Final = glue.CfnTable.ColumnProperty(name="day", type="string", comment="on which the attempt was priced (UTC)")

_FIRST_DAY: Final = "2026-01-01"
"""No launch was priced before this: Athena looks at no earlier folders."""

_MOST_BYTES_SCANNED: Final = 100 * 1024**3
"""Of one query, which then costs half a dollar: a year of launches is some megabytes."""


def analytics_database(settings: StageSettings) -> str:
    """Name of a stage's Glue database."""
    return settings.prefix.replace("-", "_")


class AnalyticsStack(StageStack):
    """Glue database, two tables, an Athena workgroup, and the daily export."""

    def __init__(self, scope: Construct, *, settings: StageSettings, data: DataStack) -> None:
        super().__init__(scope, "analytics", settings=settings, description="Genolaunch's launches as a table")
        self._data = data
        self._bucket = data.analytics_bucket
        self._database = analytics_database(settings)
        database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=self.account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=self._database, description=f"Launches of {settings.prefix} and what they cost"
            ),
        )
        for table in (self._make_raw_table(), self._make_table()):
            table.node.add_dependency(database)
        self._work_group = self._make_work_group()
        self.machine = self._make_machine()
        self._export_daily()
        self.publish(Parameter.ATHENA_WORK_GROUP, self._work_group.name)

    def _make_raw_table(self) -> glue.CfnTable:
        """A line of JSON for each attempt, as pricing writes it; the days are known without being registered."""
        location = f"s3://{self._bucket.bucket_name}/{PRICED_PREFIX}"
        storage = glue.CfnTable.StorageDescriptorProperty(
            columns=[_column(name, _raw_type(kind)) for name, kind in EXPORTED_COLUMNS.items()],
            location=location,
            input_format="org.apache.hadoop.mapred.TextInputFormat",
            output_format="org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            serde_info=glue.CfnTable.SerdeInfoProperty(serialization_library="org.openx.data.jsonserde.JsonSerDe"),
        )
        # Athena user guide, "Partition projection": the keys of its properties.
        projection = {
            "projection.enabled": "true",
            "projection.day.type": "date",
            "projection.day.format": "yyyy-MM-dd",
            "projection.day.range": f"{_FIRST_DAY},NOW",
            "storage.location.template": f"{location}day=${{day}}/",
        }
        return self._glue_table("Raw", _RAW, storage, projection, "What the daily export reads")

    def _make_table(self) -> glue.CfnTable:
        storage = glue.CfnTable.StorageDescriptorProperty(
            columns=[_column(name, kind) for name, kind in EXPORTED_COLUMNS.items()],
            location=f"s3://{self._bucket.bucket_name}/{EXPORT_PREFIX}",
            input_format="org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
            output_format="org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
            serde_info=glue.CfnTable.SerdeInfoProperty(
                serialization_library="org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
            ),
        )
        return self._glue_table("Launches", _TABLE, storage, {}, "An attempt of a launch a row; amounts in USD")

    def _glue_table(
        self,
        id_: str,
        name: str,
        storage: glue.CfnTable.StorageDescriptorProperty,
        parameters: Mapping[str, str],
        description: str,
    ) -> glue.CfnTable:
        return glue.CfnTable(
            self,
            id_,
            catalog_id=self.account,
            database_name=self._database,
            table_input=glue.CfnTable.TableInputProperty(
                name=name,
                description=description,
                table_type="EXTERNAL_TABLE",
                parameters={"EXTERNAL": "TRUE", **parameters},
                partition_keys=[_DAY],
                storage_descriptor=storage,
            ),
        )

    def _make_work_group(self) -> athena.CfnWorkGroup:
        return athena.CfnWorkGroup(
            self,
            "WorkGroup",
            name=self.settings.prefix,
            description=f"Queries of {self.settings.prefix}'s launches",
            recursive_delete_option=True,
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                bytes_scanned_cutoff_per_query=_MOST_BYTES_SCANNED,
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=f"s3://{self._bucket.bucket_name}/{_QUERIES}",
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_KMS", kms_key=self._data.key.key_arn
                    ),
                ),
            ),
        )

    def _make_machine(self) -> AslStateMachine:
        export = AslStateMachine(
            self,
            EXPORT,
            monitoring=self._data.monitoring,
            description="Makes Parquet of the launches that were priced on a day",
            substitutions={
                "Bucket": self._bucket.bucket_name,
                "ExportPrefix": EXPORT_PREFIX,
                "QueriesPrefix": _QUERIES,
                "Database": self._database,
                "RawTable": _RAW,
                "Table": _TABLE,
                "WorkGroup": self._work_group.name,
                "Columns": ", ".join(_selected(name, kind) for name, kind in EXPORTED_COLUMNS.items()),
            },
        )
        self._data.allow_reading(export.role, self._bucket, PRICED_PREFIX)
        for prefix in (EXPORT_PREFIX, _QUERIES):
            self._data.allow_reading(export.role, self._bucket, prefix)
            self._data.allow_writing(export.role, self._bucket, prefix, in_parts=True)
        export.allow(
            iam.PolicyStatement(
                sid="QueryInTheWorkGroup",
                actions=["athena:StartQueryExecution", "athena:GetQueryExecution", "athena:StopQueryExecution"],
                resources=[
                    self.format_arn(service="athena", resource="workgroup", resource_name=self._work_group.name)
                ],
            ),
            # Step Functions' guide, "Run Athena queries with Step Functions", asks it of whoever starts a query.
            iam.PolicyStatement(
                sid="LookAtTheCatalog",
                actions=["athena:GetDataCatalog"],
                resources=[self.format_arn(service="athena", resource="datacatalog", resource_name="AwsDataCatalog")],
            ),
            iam.PolicyStatement(
                sid="ReadTheTablesAndAddDays",
                # No partitions are read: those of the table that the query reads are projected.
                actions=["glue:GetDatabase", "glue:GetTable", "glue:CreatePartition", "glue:UpdatePartition"],
                resources=[
                    self.format_arn(service="glue", resource="catalog"),
                    self.format_arn(service="glue", resource="database", resource_name=self._database),
                    self.format_arn(service="glue", resource="table", resource_name=f"{self._database}/{_RAW}"),
                    self.format_arn(service="glue", resource="table", resource_name=f"{self._database}/{_TABLE}"),
                ],
            ),
            # Asked of everybody who queries the Data Catalog, whatever the database is (Athena user guide, "Access to
            # databases and tables in the AWS Glue Data Catalog": the default database and catalog).
            iam.PolicyStatement(
                sid="LookAtTheDefaultDatabase",
                actions=["glue:GetDatabase"],
                resources=[
                    self.format_arn(service="glue", resource="catalog"),
                    self.format_arn(service="glue", resource="database", resource_name="default"),
                ],
            ),
            # Athena asks where a bucket is before it reads or writes there.
            iam.PolicyStatement(
                sid="FindTheBucket", actions=["s3:GetBucketLocation"], resources=[self._bucket.bucket_arn]
            ),
        )
        return export

    def _export_daily(self) -> None:
        events.Rule(
            self,
            "ExportTime",
            description="Exports the launches that were priced yesterday (UTC)",
            schedule=events.Schedule.cron(hour="1", minute="0"),
            # An empty input means yesterday. A failed start is told by the machine's alarm, and made good by hand.
            targets=[targets.SfnStateMachine(self.machine.machine, input=events.RuleTargetInput.from_object({}))],
        )


def _column(name: str, kind: str) -> glue.CfnTable.ColumnProperty:
    return glue.CfnTable.ColumnProperty(name=name, type=kind)


def _raw_type(kind: str) -> str:
    """JSON has amounts and times as text."""
    return kind if kind in {"int", "double"} else "string"


def _selected(name: str, kind: str) -> str:
    """The column as the Parquet table has it. UNLOAD writes no times with zones: these are UTC."""
    if kind == "timestamp":
        return f"CAST(from_iso8601_timestamp({name}) AT TIME ZONE 'UTC' AS timestamp) AS {name}"
    return f"CAST({name} AS {kind}) AS {name}" if kind.startswith("decimal") else name
