"""Bills of materials of images and functions in S3, and a table to query them."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from aws_cdk import aws_athena as athena
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from genolaunch.contract.project import PROJECT
from stacks.analytics import AnalyticsStack, analytics_database
from stacks.config import ImagesSettings, StageSettings
from stacks.constructs.bill_of_materials import bill_of_lock
from stacks.constructs.deployed import deployment_of
from stacks.constructs.stage_stack import REPOSITORY, StageStack, images_repository
from stacks.constructs.state_machine import AslStateMachine
from stacks.data import DataStack

INVENTORY: Final = "inventory"

_PREFIX: Final = "bills-of-materials/"
"""Prefix in the analytics bucket, with build/<what>/<content's hash>.json and inspector/<images|functions>/… below."""

_TABLE: Final = "bills_of_materials"

_LOCKS: Final = {
    "lambda-layer": "lambdas/requirements.txt",
    "planning-layer": "lambdas/regenie/requirements.txt",
    "tibanna-functions": "lambdas/tibanna/requirements.txt",
    "regenie-image": "containers/regenie/requirements.txt",
    "snakemake-image": "containers/snakemake/requirements.txt",
    "snakemake9-image": "containers/snakemake/requirements-aws-batch.txt",
}
"""Each thing into which the app installs packages, and the lock that lists them."""

_COLUMNS: Final = {
    "specversion": "string",
    "metadata": (
        "struct<component:struct<name:string,version:string>,properties:array<struct<name:string,value:string>>>"
    ),
    "components": "array<struct<type:string,name:string,version:string,purl:string>>",
}
"""Columns that the bills of both makers have. Inspector's bill names its image or function in properties and path."""

_HOLDERS: Final = """\
SELECT coalesce(metadata.component.name, "$path") AS holder,
       metadata.component.version AS version,
       transform(filter(components, c -> c.name = ?), c -> c.purl) AS packages
FROM {database}.{table}
WHERE any_match(components, c -> c.name = ?)
"""


class InventoryStack(StageStack):
    """Keeps bills of materials after each deployment, and when Inspector has scanned a new image."""

    def __init__(
        self,
        scope: Construct,
        *,
        settings: StageSettings,
        images: ImagesSettings,
        data: DataStack,
        analytics: AnalyticsStack,
    ) -> None:
        super().__init__(scope, INVENTORY, settings=settings, description="What Genolaunch's images and functions hold")
        self._data = data
        self._images = images
        self._bucket = data.analytics_bucket
        self._database = analytics_database(settings)
        self.add_stack_dependency(analytics, "the table is in its database")
        self._make_table()
        self._make_query()
        self.machine = self._make_machine()
        if images.inspector:
            self._let_inspector_write()
        self._keep_after_deployments_and_scans()

    def _make_table(self) -> None:
        glue.CfnTable(
            self,
            "Bills",
            catalog_id=self.account,
            database_name=self._database,
            table_input=glue.CfnTable.TableInputProperty(
                name=_TABLE,
                description="A bill of materials (CycloneDX) a row; its components are an array",
                table_type="EXTERNAL_TABLE",
                parameters={"EXTERNAL": "TRUE", "classification": "json"},
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    columns=[glue.CfnTable.ColumnProperty(name=name, type=kind) for name, kind in _COLUMNS.items()],
                    location=f"s3://{self._bucket.bucket_name}/{_PREFIX}",
                    input_format="org.apache.hadoop.mapred.TextInputFormat",
                    output_format="org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                    serde_info=glue.CfnTable.SerdeInfoProperty(
                        serialization_library="org.openx.data.jsonserde.JsonSerDe"
                    ),
                ),
            ),
        )

    def _make_query(self) -> None:
        statement = athena.CfnPreparedStatement(
            self,
            "Holders",
            statement_name="which_holds",
            work_group=self.settings.prefix,
            description="Which images and functions hold a package? Its name, twice",
            query_statement=_HOLDERS.format(database=self._database, table=_TABLE),
        )
        statement.node.add_dependency(self._table())

    def _table(self) -> glue.CfnTable:
        table = self.node.find_child("Bills")
        assert isinstance(table, glue.CfnTable)
        return table

    def _make_bills(self) -> dict[str, s3_assets.Asset]:
        """Make the locks' bills as assets, which is the CDK's way to bring a file to S3 in each deployment."""
        with TemporaryDirectory() as folder:
            bills = {}
            for name, lock in _LOCKS.items():
                file = Path(folder, f"{name}.json")
                file.write_text(bill_of_lock(f"{PROJECT}-{name}", REPOSITORY / lock), encoding="utf-8")
                bills[name] = s3_assets.Asset(self, f"Bill-{name}", path=str(file))
            return bills

    def _make_machine(self) -> AslStateMachine:
        bills = self._make_bills()
        (assets,) = {asset.s3_bucket_name for asset in bills.values()}
        machine = AslStateMachine(
            self,
            INVENTORY,
            monitoring=self._data.monitoring,
            description="Keeps the bills of materials of what is deployed",
            substitutions={
                "Bills": ",".join(f"{name}={asset.s3_object_key}" for name, asset in bills.items()),
                "AssetBucket": assets,
                "Bucket": self._bucket.bucket_name,
                "Prefix": _PREFIX,
                "Inspector": "on" if self._images.inspector else "off",
                "Repository": images_repository(self.settings),
                "Project": PROJECT,
                "KeyArn": self._data.key.key_arn,
            },
        )
        machine.allow(
            iam.PolicyStatement(
                sid="ReadTheDeployedBills",
                actions=["s3:GetObject"],
                resources=[
                    f"arn:{self.partition}:s3:::{asset.s3_bucket_name}/{asset.s3_object_key}"
                    for asset in bills.values()
                ],
            )
        )
        self._data.allow_writing(machine.role, self._bucket, _PREFIX)
        if self._images.inspector:
            machine.allow(
                iam.PolicyStatement(
                    sid="AskInspectorForReports",
                    actions=["inspector2:CreateSbomExport", "inspector2:GetSbomExport"],
                    resources=["*"],  # these actions cannot be limited to resources
                )
            )
        return machine

    def _let_inspector_write(self) -> None:
        """Let Inspector use bucket and key (policies of the Inspector user guide, "Exporting findings reports")."""
        inspector = iam.ServicePrincipal("inspector2.amazonaws.com")
        conditions = {
            "StringEquals": {"aws:SourceAccount": self.account},
            "ArnLike": {
                "aws:SourceArn": f"arn:{self.partition}:inspector2:{self.region}:{self.account}:report/*",
            },
        }
        self._bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="InspectorsReports",
                principals=[inspector],
                actions=["s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"],
                resources=[self._bucket.arn_for_objects(f"{_PREFIX}inspector/*")],
                conditions=conditions,
            )
        )
        # If the settings name a key, its owner writes the policy: docs/security.md says what it must allow.
        self._data.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="InspectorsReports",
                principals=[inspector],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],  # in a key's policy, "*" is this key
                conditions=conditions,
            )
        )

    def _keep_after_deployments_and_scans(self) -> None:
        start = targets.SfnStateMachine(self.machine.machine, input=events.RuleTargetInput.from_object({}))
        events.Rule(
            self,
            "Deployed",
            description="This stack was deployed: with it the bills of the app's locks",
            event_pattern=deployment_of(self),
            targets=[start],
        )
        if not self._images.inspector:
            return
        name = images_repository(self.settings)
        events.Rule(
            self,
            "Scanned",
            description="Inspector knows what is in a new image",
            event_pattern=events.EventPattern(
                source=["aws.inspector2"],
                detail_type=["Inspector2 Scan"],
                detail={
                    "scan-status": ["INITIAL_SCAN_COMPLETE"],
                    # Inspector's user guide has the ARN there, though it is called a name.
                    "repository-name": [
                        name,
                        self.format_arn(service="ecr", resource="repository", resource_name=name),
                    ],
                },
            ),
            targets=[start],
        )
