"""All stacks of one stage, wired by their constructors' arguments."""

from aws_cdk import Environment, PermissionsBoundary, Stage, Tags
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from genolaunch.contract.project import PROJECT, TAG_PROJECT, TAG_STAGE
from genolaunch.contract.workflow import Workflow
from stacks.access import AccessStack
from stacks.analytics import AnalyticsStack
from stacks.backup import BackupStack
from stacks.cleanup import CleanupStack
from stacks.compute import ComputeStack
from stacks.config import StageSettings
from stacks.constructs.python_function import BundlingTarget
from stacks.data import DataStack
from stacks.images import ImagesStack
from stacks.inventory import InventoryStack
from stacks.network import NetworkStack
from stacks.observability import ObservabilityStack
from stacks.parallelcluster import ParallelClusterStack
from stacks.pricing import BENCHMARK, PricingStack
from stacks.regenie import RegenieStack
from stacks.restore import RestoreStack
from stacks.snakemake import SnakemakeStack
from stacks.snakemake_batch import SnakemakeBatchStack
from stacks.tibanna import TibannaStack
from stacks.workflow_manager import WorkflowManagerStack
from stacks.workflows import Workflows


class GenolaunchStage(Stage):
    """One complete, separate Genolaunch: `data` is stateful, everything else can be deleted and made again."""

    def __init__(
        self, scope: Construct, *, settings: StageSettings, bundling: BundlingTarget, tester: str | None = None
    ) -> None:
        """`tester`: the account whose pipeline launches something small after each deployment, if any does."""
        boundary = settings.permissions_boundary
        super().__init__(
            scope,
            settings.prefix,
            env=Environment(account=settings.account, region=settings.region),
            permissions_boundary=PermissionsBoundary.from_name(boundary) if boundary else None,
        )
        self.data = DataStack(self, settings=settings)
        if settings.backup_days is not None:
            BackupStack(self, settings=settings, data=self.data, days=settings.backup_days)
        monitoring = self.data.monitoring
        self.network = NetworkStack(self, settings=settings, monitoring=monitoring)
        self.compute = ComputeStack(self, settings=settings, network=self.network, monitoring=monitoring)
        self.cluster = (
            ParallelClusterStack(
                self, settings=settings, cluster=settings.parallelcluster, data=self.data, bundling=bundling
            )
            if settings.parallelcluster
            else None
        )
        self.regenie = RegenieStack(
            self,
            settings=settings,
            data=self.data,
            network=self.network,
            compute=self.compute,
            cluster=self.cluster,
            bundling=bundling,
        )
        self.restore = RestoreStack(self, settings=settings, data=self.data, bundling=bundling)
        self.tibanna = TibannaStack(self, settings=settings, data=self.data, network=self.network)
        self.snakemake = SnakemakeStack(
            self,
            settings=settings,
            data=self.data,
            network=self.network,
            compute=self.compute,
            tibanna=self.tibanna,
            bundling=bundling,
        )
        self.snakemake_batch = SnakemakeBatchStack(
            self, settings=settings, compute=self.compute, snakemake=self.snakemake
        )
        self.workflows: Workflows = {
            Workflow.REGENIE: self.regenie.workflow_parts,
            Workflow.SNAKEMAKE: self.snakemake.workflow_parts,
        }
        self.pricing = PricingStack(
            self,
            settings=settings,
            data=self.data,
            compute=self.compute,
            snakemake=self.snakemake,
            bundling=bundling,
        )
        self.workflow_manager = WorkflowManagerStack(
            self,
            settings=settings,
            data=self.data,
            compute=self.compute,
            workflows=self.workflows,
            restore=self.restore,
            pricing=self.pricing,
            has_cluster=self.cluster is not None,
            bundling=bundling,
        )
        self.cleanup = CleanupStack(
            self,
            settings=settings,
            data=self.data,
            compute=self.compute,
            workflow_manager=self.workflow_manager,
            workflows=self.workflows,
            regenie=self.regenie,
            snakemake=self.snakemake,
            tibanna=self.tibanna,
            cluster=self.cluster,
            bundling=bundling,
        )
        self.analytics = AnalyticsStack(self, settings=settings, data=self.data)
        inventory = (
            InventoryStack(self, settings=settings, images=settings.images, data=self.data, analytics=self.analytics)
            if settings.images
            else None
        )
        if settings.images is not None:
            images = ImagesStack(self, settings=settings, images=settings.images, data=self.data)
            for stack in (self.regenie, self.tibanna, self.snakemake, self.snakemake_batch):
                stack.add_stack_dependency(images, "the images that it publishes go there")
        AccessStack(self, settings=settings, data=self.data, compute=self.compute, tester=tester)
        self.observability = ObservabilityStack(
            self,
            settings=settings,
            monitoring=monitoring,
            machines={
                "launch": self.workflow_manager.launch,
                "restore": self.restore.machine,
                **{
                    label: machine
                    for name, parts in self.workflows.items()
                    for label, machine in {name.value: parts.machine, **parts.further_machines}.items()
                },
                "cleanup": self.cleanup.machine,
                BENCHMARK: self.pricing.machine,
                "export": self.analytics.machine.machine,
                **({"inventory": inventory.machine.machine} if inventory else {}),
            },
            queues=[each for each in self.node.find_all() if isinstance(each, sqs.Queue)],
        )
        Tags.of(self).add(TAG_PROJECT, PROJECT)
        Tags.of(self).add(TAG_STAGE, settings.name)
