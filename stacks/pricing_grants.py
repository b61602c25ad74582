"""What the functions of pricing may do, where several of them may do the same."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from genolaunch.contract.results import RESULTS_PREFIX
from genolaunch.contract.usage import USAGE_INDEX
from stacks.constructs.permissions import look_up
from stacks.constructs.stage_stack import StageStack
from stacks.data import DataStack
from stacks.snakemake import SnakemakeStack


class PricingGrants:
    """Gives functions of one stage what they need."""

    def __init__(
        self, stack: StageStack, *, data: DataStack, snakemake: SnakemakeStack, price_table: dynamodb.ITable
    ) -> None:
        self._stack = stack
        self._data = data
        self._snakemake = snakemake
        self._price_table = price_table

    def recording(self, function: lambda_.Function, *more: str) -> None:
        """Allow writing usage, and reading instances and volumes from AWS; `more`: actions without resource-level
        permissions."""
        self._data.allow_items(function, self._data.usage_table, "UpdateItem", "BatchGetItem")
        function.add_to_role_policy(look_up("ec2:DescribeInstances", "ec2:DescribeVolumes", *more))
        function.add_to_role_policy(
            iam.PolicyStatement(
                sid="FindTheInstanceOfAContainerInstance",
                actions=["ecs:DescribeContainerInstances"],
                # Batch makes one cluster for each environment and chooses its name.
                resources=[self._stack.format_arn(service="ecs", resource="container-instance", resource_name="*")],
            )
        )

    def collecting(self, function: lambda_.Function, *more: str) -> None:
        """Complete and read an attempt's usage."""
        self.recording(function, "batch:ListJobs", "batch:DescribeJobs", *more)
        self.reading_usage(function)
        # Which jobs a Snakemake launch submitted, and its launcher's task.
        self._data.allow_reading(function, self._data.results_bucket, RESULTS_PREFIX)
        function.add_to_role_policy(
            iam.PolicyStatement(
                sid="AskForLaunchers", actions=["ecs:DescribeTasks"], resources=[self._snakemake.launcher.tasks_arn]
            )
        )

    def reading_usage(self, function: lambda_.Function) -> None:
        """Read usage, also of others on the same instances."""
        self._data.allow_items(function, self._data.usage_table, "Query", "BatchGetItem")
        function.add_to_role_policy(
            iam.PolicyStatement(
                sid="SeeWhoElseWasOnAnInstance",
                actions=["dynamodb:Query"],
                resources=[f"{self._data.usage_table.table_arn}/index/{USAGE_INDEX}"],
            )
        )

    def prices(self, function: lambda_.Function) -> None:
        """Read unit prices, and keep them."""
        self._data.allow_items(function, self._price_table, "GetItem", "PutItem")
        function.add_to_role_policy(look_up("pricing:GetProducts", "ec2:DescribeSpotPriceHistory"))
