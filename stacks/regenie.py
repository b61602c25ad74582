"""The regenie workflow: its functions, its state machine, and the roles of its jobs."""

from typing import Final

from aws_cdk import Duration, Size
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from genolaunch.contract.compute import MOST_ARRAY_JOBS
from genolaunch.contract.launch_bucket import INPUTS_PREFIX
from genolaunch.contract.project import PROJECT
from genolaunch.contract.results import RESULTS_PREFIX, WORK_CHANGED, WORK_VERIFIED, WORK_WARNINGS
from genolaunch.contract.settings import Setting
from genolaunch.contract.workflow import Workflow
from stacks.compute import ComputeStack
from stacks.config import StageSettings
from stacks.constructs.container_image import image_uri, private_registries
from stacks.constructs.job_hosts import FILE_SYSTEMS_FOLDER
from stacks.constructs.job_permissions import define_jobs, job_definitions, make_tagged_jobs
from stacks.constructs.permissions import look_up, made_by_stage, managed_rule, tagged_for_stage
from stacks.constructs.python_function import BundlingTarget, Capability
from stacks.constructs.stage_stack import StageStack
from stacks.constructs.state_machine import AslStateMachine, follow_executions
from stacks.data import DataStack
from stacks.network import NetworkStack
from stacks.parallelcluster import SLURM, ParallelClusterStack
from stacks.workflows import NONE, WorkflowParts

JOBS: Final = "jobs"
"""The state machine that runs the jobs of one phase."""

_LUSTRE_S3: Final = "s3.data-source.lustre.fsx.amazonaws.com"


class RegenieStack(StageStack):
    """Everything of `workflow: regenie` that is not compute or data."""

    def __init__(
        self,
        scope: Construct,
        *,
        settings: StageSettings,
        data: DataStack,
        network: NetworkStack,
        compute: ComputeStack,
        cluster: ParallelClusterStack | None,
        bundling: BundlingTarget,
    ) -> None:
        """`cluster`: where launches run that choose it, if the stage has one."""
        super().__init__(scope, "regenie", settings=settings, description="The regenie workflow of Genolaunch")
        self._data = data
        self._compute = compute
        self._cluster = cluster
        self._readable = (data.data_bucket, *self.import_readable_buckets())
        self._job_role = self._make_task_role(
            "JobRole", "What a regenie job may do in AWS: nothing, its files are mounted"
        )
        self._execution_role = self._make_task_role(
            "ExecutionRole", "ECS agent, for a regenie job: its image and its log"
        )
        compute.job_logs.grant_write(self._execution_role)
        self._images = {version: self._image(version, image) for version, image in settings.regenie.versions.items()}

        self._functions = Capability(self, "regenie", monitoring=data.monitoring, bundling=bundling)
        self.list_inputs = self._make_list_inputs()
        plan_launch = self._make_plan_launch()
        collect_failures = self._make_collect_failures()
        verify_inputs, record_results = self._make_verify_inputs(), self._make_record_results()
        self.jobs_machine = self._make_jobs_machine()
        workflow = AslStateMachine(
            self,
            Workflow.REGENIE,
            monitoring=data.monitoring,
            failures_are_users=True,
            description="One attempt of a regenie launch",
            substitutions={
                "Project": PROJECT,
                "Stage": settings.name,
                "LaunchTableName": data.launch_table.table_name,
                "PlanLaunchFunctionArn": plan_launch.function_arn,
                "CollectFailuresFunctionArn": collect_failures.function_arn,
                "VerifyInputsFunctionArn": verify_inputs.function_arn,
                "RecordResultsFunctionArn": record_results.function_arn,
                "JobsStateMachineArn": self.jobs_machine.state_machine_arn,
                # Without a cluster no launch gets there: its registration is refused.
                "SlurmStateMachineArn": cluster.machine.state_machine_arn if cluster else NONE,
                "FileSystemSecurityGroupId": network.file_system_group.security_group_id,
                "FileSystemDeploymentType": settings.file_system,
                "FileSystemsFolder": FILE_SYSTEMS_FOLDER,
                "JobRoleArn": self._job_role.role_arn,
                "ExecutionRoleArn": self._execution_role.role_arn,
                "JobLogGroupName": compute.job_logs.log_group_name,
                "JobTimeoutSeconds": str(3600 * settings.job_timeout_hours),
                "ResultsBucketName": data.results_bucket.bucket_name,
                "ResultsPrefix": RESULTS_PREFIX,
                "WarningsPath": WORK_WARNINGS,
            },
        )
        data.allow_reading(workflow.role, data.results_bucket, f"{RESULTS_PREFIX}*/{WORK_WARNINGS}")
        for function in (plan_launch, collect_failures, verify_inputs, record_results):
            function.grant_invoke(workflow.role)
        data.allow_items(workflow.role, data.launch_table, "GetItem", "UpdateItem")
        self.jobs_machine.grant_start_execution(workflow.role)
        if cluster:
            cluster.machine.grant_start_execution(workflow.role)
        machines = (JOBS, SLURM) if cluster else (JOBS,)
        workflow.allow(
            *self._file_system_statements(), *self._definition_statements(), *follow_executions(self, *machines)
        )
        self.machine = workflow.machine

    @property
    def workflow_parts(self) -> WorkflowParts:
        """What other stacks need of this workflow."""
        return WorkflowParts(
            machine=self.machine,
            check=self.list_inputs,
            inputs=self.list_inputs,
            further_machines={
                "jobs of a phase": self.jobs_machine,
                **({"jobs on the cluster": self._cluster.machine} if self._cluster else {}),
            },
        )

    def _make_jobs_machine(self) -> sfn.StateMachine:
        decide_resubmission = self._make_decide_resubmission()
        jobs = AslStateMachine(
            self,
            JOBS,
            monitoring=self._data.monitoring,
            failures_are_users=True,
            description="The jobs of one phase of a launch",
            substitutions={
                "DecideResubmissionFunctionArn": decide_resubmission.function_arn,
                "MostArrayJobs": str(MOST_ARRAY_JOBS),
            },
        )
        decide_resubmission.grant_invoke(jobs.role)
        jobs.allow(look_up("batch:DescribeJobs"), *self._job_statements())
        return jobs.machine

    def _make_task_role(self, id_: str, description: str) -> iam.Role:
        return iam.Role(self, id_, assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"), description=description)

    def _image(self, version: str, image: str) -> str:
        """URI of a version's image, which jobs may pull from then on."""
        return image_uri(
            self,
            f"Image{version.replace('.', '')}",
            image,
            folder="regenie",
            pullers=[self._execution_role],
            build_args={"REGENIE_VERSION": version},
        )

    def _make_list_inputs(self) -> lambda_.Function:
        data = self._data
        function = self._functions.function(
            "list_inputs",
            description="Lists the files that a launch reads",
            errors_are_users=True,
            timeout=Duration.minutes(5),
            environment={
                Setting.LAUNCH_TABLE: data.launch_table.table_name,
                Setting.TASK_TABLE: data.task_table.table_name,
                Setting.LAUNCH_BUCKET: data.launch_bucket.bucket_name,
                Setting.DATA_BUCKET: data.data_bucket.bucket_name,
            },
        )
        data.allow_items(function, data.launch_table, "GetItem")
        data.allow_items(function, data.task_table, "PutItem")
        data.allow_writing(function, data.launch_bucket, INPUTS_PREFIX)
        for bucket in self._readable:
            data.allow_reading(function, bucket)
        return function

    def _make_plan_launch(self) -> lambda_.Function:
        data = self._data
        function = self._functions.function(
            "plan_launch",
            description="Checks a launch's inputs, cuts it into jobs and writes their commands",
            errors_are_users=True,
            # A list of variants that cannot be sampled is read whole, and may be gigabytes long.
            timeout=Duration.minutes(15),
            memory_mib=2048,
            further_packages=[self._functions.own_packages()],
            # The index of a .bgen is copied to /tmp: the most there is, for some 150 million variants of 60 bytes.
            temporary_storage=Size.gibibytes(10),
            environment={
                Setting.LAUNCH_TABLE: data.launch_table.table_name,
                Setting.TASK_TABLE: data.task_table.table_name,
                Setting.DATA_BUCKET: data.data_bucket.bucket_name,
                Setting.RESULTS_BUCKET: data.results_bucket.bucket_name,
                Setting.REGENIE_IMAGES: self.to_json_string(
                    {
                        "versions": self._images,
                        "default": self.settings.regenie.default_version,
                        "credentials": private_registries(self, self._execution_role),
                        **(
                            {"limits": limits.model_dump(mode="json")}
                            if (limits := self.settings.regenie.limits)
                            else {}
                        ),
                    }
                ),
                Setting.PLACEMENTS: self._compute.placements_setting,
                **({Setting.PARALLELCLUSTER: self._cluster.setting} if self._cluster else {}),
                **self._references(),
            },
        )
        data.allow_items(function, data.launch_table, "GetItem", "UpdateItem")
        data.allow_items(function, data.task_table, "PutItem")
        for bucket in self._readable:
            data.allow_reading(function, bucket)
        # Read as well: a launch may use the predictions of an earlier one, which are copied within the bucket.
        data.allow_reading(function, data.results_bucket, RESULTS_PREFIX)
        data.allow_writing(function, data.results_bucket, RESULTS_PREFIX, in_parts=True)
        return function

    def _references(self) -> dict[Setting, str]:
        references = {
            build: files.model_dump(mode="json", exclude_none=True) for build, files in self.settings.references.items()
        }
        return {Setting.REFERENCES: self.to_json_string(references)} if references else {}

    def _make_verify_inputs(self) -> lambda_.Function:
        data = self._data
        function = self._functions.function(
            "verify_inputs",
            description="Compares a running launch's inputs with the record of its plan",
            errors_are_users=True,
            timeout=Duration.minutes(5),
            environment={
                Setting.RESULTS_BUCKET: data.results_bucket.bucket_name,
                Setting.TASK_TABLE: data.task_table.table_name,
            },
        )
        for bucket in self._readable:
            data.allow_reading(function, bucket)
        data.allow_reading(function, data.results_bucket, RESULTS_PREFIX)
        data.allow_writing(function, data.results_bucket, f"{RESULTS_PREFIX}*/{WORK_CHANGED}/")
        data.allow_items(function, data.task_table, "PutItem")  # errors in full
        return function

    def _make_record_results(self) -> lambda_.Function:
        data = self._data
        function = self._functions.function(
            "record_results",
            description="Records what a launch left whose inputs stayed the same",
            timeout=Duration.minutes(5),
            environment={Setting.RESULTS_BUCKET: data.results_bucket.bucket_name},
        )
        data.allow_listing(function, data.results_bucket)
        data.allow_writing(function, data.results_bucket, f"{RESULTS_PREFIX}*/{WORK_VERIFIED}")
        return function

    def _make_collect_failures(self) -> lambda_.Function:
        data = self._data
        function = self._functions.function(
            "collect_failures",
            description="Says why a launch failed, and keeps its failed jobs' logs",
            timeout=Duration.minutes(5),
            environment={
                Setting.TASK_TABLE: data.task_table.table_name,
                Setting.PLACEMENTS: self._compute.placements_setting,
                Setting.JOB_LOG_GROUP: self._compute.job_logs.log_group_name,
            },
        )
        data.allow_items(function, data.task_table, "Query", "PutItem")
        self._allow_keeping_failures(function)
        return function

    def _make_decide_resubmission(self) -> lambda_.Function:
        function = self._functions.function(
            "decide_resubmission",
            description="Decides which failed jobs are submitted again, and with what",
            timeout=Duration.minutes(5),
            environment={
                Setting.TASK_TABLE: self._data.task_table.table_name,
                Setting.JOB_LOG_GROUP: self._compute.job_logs.log_group_name,
            },
        )
        self._allow_keeping_failures(function)
        return function

    def _allow_keeping_failures(self, function: lambda_.Function) -> None:
        """Read failed jobs with their logs, and write them to the task table."""
        self._data.allow_items(function, self._data.task_table, "BatchWriteItem")
        self._compute.job_logs.grant(function, "logs:GetLogEvents")
        function.add_to_role_policy(look_up("batch:ListJobs", "batch:DescribeJobs"))

    def _file_system_statements(self) -> list[iam.PolicyStatement]:
        file_systems = self.format_arn(service="fsx", resource="file-system", resource_name="*")
        associations = self.format_arn(service="fsx", resource="association", resource_name="*")
        tasks = self.format_arn(service="fsx", resource="task", resource_name="*")
        service_role = self.format_arn(
            service="iam", region="", resource="role", resource_name=f"aws-service-role/{_LUSTRE_S3}/*"
        )
        buckets = (*self._readable, self._data.results_bucket)
        return [
            look_up(
                "fsx:DescribeFileSystems",
                "fsx:DescribeDataRepositoryAssociations",
                "fsx:DescribeDataRepositoryTasks",
            ),
            iam.PolicyStatement(
                sid="MakeTaggedFileSystemsLinksAndExports",
                actions=[
                    "fsx:CreateFileSystem",
                    "fsx:CreateDataRepositoryAssociation",
                    "fsx:CreateDataRepositoryTask",
                    "fsx:TagResource",
                ],
                resources=[file_systems, associations, tasks],
                conditions=tagged_for_stage(self),
            ),
            iam.PolicyStatement(
                sid="LinkAndExportOwnFileSystems",
                actions=["fsx:CreateDataRepositoryAssociation", "fsx:CreateDataRepositoryTask"],
                resources=[file_systems],
                conditions=made_by_stage(self),
            ),
            iam.PolicyStatement(
                sid="LetFsxFindItsNetwork",
                actions=[
                    "ec2:DescribeSecurityGroups",
                    "ec2:GetSecurityGroupsForVpc",
                    "ec2:DescribeSubnets",
                    "ec2:DescribeVpcs",
                    "ec2:DescribeRouteTables",
                ],
                resources=["*"],  # these actions know no resources; only FSx may use them, on this role's behalf
                conditions={"ForAnyValue:StringEquals": {"aws:CalledVia": ["fsx.amazonaws.com"]}},
            ),
            iam.PolicyStatement(
                sid="LetFsxMakeItsOwnRoles",
                actions=["iam:CreateServiceLinkedRole"],
                resources=[
                    service_role,
                    self.format_arn(
                        service="iam", region="", resource="role", resource_name="aws-service-role/fsx.amazonaws.com/*"
                    ),
                ],
                conditions={"StringEquals": {"iam:AWSServiceName": ["fsx.amazonaws.com", _LUSTRE_S3]}},
            ),
            iam.PolicyStatement(
                sid="LetFsxOpenTheLinkedPrefixes",
                actions=["iam:AttachRolePolicy", "iam:PutRolePolicy"],
                resources=[service_role],
            ),
            iam.PolicyStatement(
                # FSx refuses to link a bucket for a caller who could not read and write it itself. These are the
                # permissions its documentation demands.
                sid="LinkBuckets",
                actions=["s3:Get*", "s3:List*", "s3:PutObject"],
                resources=[arn for bucket in buckets for arn in (bucket.bucket_arn, bucket.arn_for_objects("*"))],
            ),
        ]

    def _definition_statements(self) -> list[iam.PolicyStatement]:
        roles = [role.role_arn for role in (self._job_role, self._execution_role)]
        return define_jobs(self, "DefineRegenieJobs", roles, only={"batch:Image": list(self._images.values())})

    def _job_statements(self) -> list[iam.PolicyStatement]:
        jobs = self.format_arn(service="batch", resource="job", resource_name="*")
        return [
            managed_rule(self, "StepFunctionsGetEventsForBatchJobsRule"),
            make_tagged_jobs(self),
            iam.PolicyStatement(
                sid="SubmitOwnDefinitions",
                actions=["batch:SubmitJob"],
                resources=[job_definitions(self)],
                conditions=made_by_stage(self),
            ),
            iam.PolicyStatement(
                sid="SubmitToOwnQueues", actions=["batch:SubmitJob"], resources=self._compute.regenie_queue_arns
            ),
            iam.PolicyStatement(
                sid="StopOwnJobs", actions=["batch:TerminateJob"], resources=[jobs], conditions=made_by_stage(self)
            ),
        ]
