"""Tibanna's state machine (its "unicorn"), which runs each job of a Snakemake launch on an EC2 instance of its own.

Functions, states, input and output are Tibanna's, so that its client works. A few lines of this project wrap the
function that starts instances: they check whose job it is, and give it its launch's role.
"""

import json
from typing import Final

from aws_cdk import ArnFormat, Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from genolaunch.contract.roles import RightsTag
from genolaunch.contract.settings import Parameter
from genolaunch.contract.tibanna import tibanna_jobs_start
from stacks.config import StageSettings
from stacks.constructs.bytecode import compiler_of
from stacks.constructs.container_image import image_uri
from stacks.constructs.locked_packages import locked_packages
from stacks.constructs.permissions import look_up
from stacks.constructs.stage_stack import REPOSITORY, StageStack
from stacks.constructs.state_machine import AslStateMachine
from stacks.constructs.stock_function import stock_function
from stacks.data import DataStack
from stacks.launch_rights import OWN_RUN, launch_policy, launch_roles, own, pass_launch_roles
from stacks.network import NetworkStack
from statemachines.composition import text

TIBANNA: Final = "tibanna"
VERSION: Final = "6.1.0"
"""The same as in lambdas/tibanna/requirements.in and containers/snakemake/requirements.in."""

PYTHON: Final = "3.12"
"""The newest Python that Tibanna supports (its package requires < 3.13). The installed packages are pure Python."""

_FUNCTION_TIMEOUT: Final = Duration.seconds(800)
"""As Tibanna's own deployment has it; the states' time-outs are a little longer."""

_OWN_JOBS: Final = tibanna_jobs_start(OWN_RUN)
"""How the ids of a launch's jobs begin, in policies for its roles."""

_DEFAULT: Final = "default"
"""In the definition: Tibanna's own. cfn-lint takes an empty substitution for a missing one."""

_BOOT_SECONDS: Final = 1200
"""Seconds of checks of an instance that has not started its job. The function itself gives up after 600 s."""


class TibannaStack(StageStack):
    """`machine`, and what a client of it needs."""

    def __init__(self, scope: Construct, *, settings: StageSettings, data: DataStack, network: NetworkStack) -> None:
        super().__init__(scope, TIBANNA, settings=settings, description="Tibanna's unicorn, for Snakemake's jobs")
        self._data = data
        self._network = network
        # The client asks for this name: `tibanna list_sfns` shows what begins with tibanna_unicorn_.
        self.machine_name = f"tibanna_unicorn_genolaunch_{settings.name}"
        self.log_bucket: s3.IBucket = data.tibanna_logs
        self._readable = [
            s3.Bucket.from_bucket_name(self, f"Readable{number}", name)
            for number, name in enumerate(settings.readable_buckets, start=1)
        ]
        self._writable: list[s3.IBucket] = [
            data.data_bucket,
            *(
                s3.Bucket.from_bucket_name(self, f"Writable{number}", name)
                for number, name in enumerate(settings.writable_buckets, start=1)
            ),
        ]
        self.security_group = ec2.SecurityGroup(
            self,
            "Instances",
            vpc=network.vpc,
            description="Instances of Tibanna: out to anywhere (packages, images, AWS), in from nowhere",
            allow_all_outbound=True,
        )
        self.instance_policy = self._make_instance_policy()
        """Of the roles of launches' jobs: what an instance needs besides the launch's files."""
        code = locked_packages(
            REPOSITORY / "lambdas" / TIBANNA / "requirements.txt",
            beside={
                "launch_task.py": REPOSITORY / "lambdas" / TIBANNA / "launch_task.py",
                **{place: REPOSITORY / place for place in ("genolaunch/__init__.py", "genolaunch/contract")},
            },
            options=("--python-version", PYTHON, "--python-platform", "aarch64-manylinux2014"),
            identity=f"python{PYTHON}-arm64",
            compiler=compiler_of(PYTHON),
        )
        # Tibanna would have each instance pull it from Docker Hub, which limits pulls without a login by address: all
        # instances have one, the NAT gateway's (Docker Hub, "Usage and limits").
        self._awsf_image = image_uri(
            self, "Awsf", settings.tibanna.awsf_image, folder="tibanna", pullers=[self.instance_policy]
        )
        self._run_task = self._make_run_task(code)
        self._check_task = self._make_check_task(code)
        self.machine = self._make_machine().machine
        self.publish(Parameter.TIBANNA_STATE_MACHINE, self.machine.state_machine_arn)

    def allow_client(self, launcher: iam.ManagedPolicy) -> None:
        """Allow what Tibanna's client does: start, describe and stop its own launch's executions, and end their
        instances."""
        self.machine.grant_start_execution(launcher)
        self._allow_own_logs(launcher)
        launcher.add_statements(
            iam.PolicyStatement(
                sid="FollowOwnJobs",
                actions=["states:DescribeExecution", "states:StopExecution"],
                resources=[self.executions(f"{_OWN_JOBS}*")],
            ),
            iam.PolicyStatement(
                sid="LookAtTibannasTable",
                actions=["dynamodb:DescribeTable"],
                resources=[self._data.tibanna_table.table_arn],
            ),
            iam.PolicyStatement(
                sid="NoteOwnJobs",
                actions=["dynamodb:PutItem"],
                resources=[self._data.tibanna_table.table_arn],
                conditions={
                    "ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{_OWN_JOBS}*"]},
                    # Of a call that names no item all values would be right (IAM user guide, "Multivalued keys").
                    "Null": {"dynamodb:LeadingKeys": "false"},
                },
            ),
            iam.PolicyStatement(
                # The client also starts a machine that is not deployed here: "does not exist" is the answer that it
                # takes, and without this it would hear that it may not ask.
                sid="AskForACostUpdater",
                actions=["states:StartExecution"],
                resources=[f"{self.machine.state_machine_arn}_costupdater"],
            ),
            iam.PolicyStatement(
                sid="EndInstancesOfOwnJobs",
                actions=["ec2:TerminateInstances"],
                resources=[self._ec2("instance", "*")],
                conditions={
                    "StringEquals": {"ec2:ResourceTag/Type": "awsem"},
                    "StringLike": {"ec2:ResourceTag/Name": f"awsem-{_OWN_JOBS}*"},
                },
            ),
            look_up("ec2:DescribeInstances"),
        )
        self._data.key.grant_encrypt_decrypt(launcher)  # the table's

    def _allow_own_logs(self, policy: iam.ManagedPolicy) -> None:
        """Allow writing and reading the objects with the state of the launch's jobs, but not deleting them."""
        policy.add_statements(
            iam.PolicyStatement(
                sid="FilesOfOwnJobs",
                actions=["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"],
                resources=[self.log_bucket.arn_for_objects(f"{_OWN_JOBS}*")],
            ),
            iam.PolicyStatement(
                sid="ListFilesOfOwnJobs",
                actions=["s3:ListBucket"],
                resources=[self.log_bucket.bucket_arn],
                conditions={"StringLike": {"s3:prefix": f"{_OWN_JOBS}*"}},
            ),
        )

    def _allow_logs(self, grantee: iam.IGrantable) -> None:
        """The functions': objects that say how jobs are."""
        self._data.allow_reading(grantee, self.log_bucket)
        self._data.allow_writing(grantee, self.log_bucket, "", in_parts=True)

    def _make_instance_policy(self) -> iam.ManagedPolicy:
        policy = launch_policy(
            self, "LaunchInstance", "instance", "An instance of Tibanna, with a job of a launch: its log and its images"
        )
        self._allow_own_logs(policy)
        policy.add_statements(
            iam.PolicyStatement(
                sid="NameAclsAndTags",  # Tibanna names a private ACL; a workflow's config may ask for tags
                actions=["s3:PutObjectAcl", "s3:PutObjectTagging"],
                resources=[
                    self.log_bucket.arn_for_objects(f"{_OWN_JOBS}*"),
                    f"arn:{self.partition}:s3:::{own(RightsTag.DATA_BUCKET)}/{own(RightsTag.DATA_FOLDER)}*",
                ],
            ),
            # Logs in to the account's registry whether the job's image is there or not.
            look_up("ecr:GetAuthorizationToken", "ec2:DescribeSpotInstanceRequests"),
            iam.PolicyStatement(
                sid="Metrics",
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],  # knows no resources; the namespace limits it
                conditions={"StringEquals": {"cloudwatch:namespace": "CWAgent"}},
            ),
        )
        return policy

    def _make_run_task(self, code: lambda_.Code) -> lambda_.Function:
        tibanna = self.settings.tibanna
        function = self._function(
            "RunTask",
            "run_task_awsem",
            "Starts the EC2 instance of a job, with its launch's role",
            code,
            {
                "TIBANNA_REPO_NAME": tibanna.scripts_repository,
                "TIBANNA_REPO_BRANCH": tibanna.scripts_commit,
                "SUBNETS": ",".join(subnet.subnet_id for subnet in self._network.vpc.private_subnets),
                "SECURITY_GROUPS": self.security_group.security_group_id,
                "LOG_BUCKET": self.log_bucket.bucket_name,
                "STAGE": self.settings.name,
                "READABLE_BUCKETS": ",".join(self.settings.readable_buckets),
            },
            handler="launch_task.handler",
        )
        self._data.allow_writing(function, self.log_bucket, "", in_parts=True)  # what the instance is to do
        for bucket in (*self._writable, *self._readable):  # sizes of the inputs
            self._data.allow_reading(function, bucket)
        self._data.allow_items(function, self._data.tibanna_table, "UpdateItem")
        for statement in (
            look_up("ec2:DescribeInstances", "ec2:DescribeInstanceTypes"),
            pass_launch_roles(self, "ec2.amazonaws.com"),
            # By its jobs' role the function knows a launch, and what is its own.
            iam.PolicyStatement(sid="LookAtLaunchesRoles", actions=["iam:GetRole"], resources=[launch_roles(self)]),
            *self._launch_statements(),
            self.end_instances(),
        ):
            function.add_to_role_policy(statement)
        return function

    def _launch_statements(self) -> list[iam.PolicyStatement]:
        """CreateFleet of type `instant` runs the instance in the caller's name (EC2 Fleet's prerequisites)."""
        instances = self._ec2("instance", "*")
        volumes = iam.PolicyStatement(
            sid="TheirVolumes", actions=["ec2:RunInstances"], resources=[self._ec2("volume", "*")]
        )
        if self.settings.tibanna.require_encrypted_volumes:
            # Tibanna does not ask for encryption: it is the account's default, or there is no instance.
            volumes.add_condition("Bool", {"ec2:Encrypted": "true"})
        return [
            iam.PolicyStatement(
                sid="LaunchTemplates",  # one a job, deleted as soon as its instance is there
                actions=["ec2:CreateLaunchTemplate", "ec2:DeleteLaunchTemplate"],
                resources=[self._ec2("launch-template", "*")],
            ),
            iam.PolicyStatement(
                sid="Fleets",
                actions=["ec2:CreateFleet", "ec2:DeleteFleets"],
                resources=[self._ec2(kind, "*") for kind in ("fleet", "launch-template", "instance", "volume")],
            ),
            iam.PolicyStatement(
                # Tibanna names both in the fleet's overrides, so EC2 asks for them, too (Service Authorization
                # Reference, CreateFleet).
                sid="FleetsOfTheseInstances",
                actions=["ec2:CreateFleet"],
                resources=[self._ec2("image", "*", account=""), *self._own_subnets()],
            ),
            iam.PolicyStatement(
                sid="Instances",
                actions=["ec2:RunInstances"],
                resources=[instances],
                conditions={"StringEquals": {"aws:RequestTag/Type": "awsem"}},
            ),
            volumes,
            iam.PolicyStatement(
                sid="InOwnNetwork",
                actions=["ec2:RunInstances"],
                resources=[
                    *self._own_subnets(),
                    self._ec2("security-group", self.security_group.security_group_id),
                    self._ec2("network-interface", "*"),
                    self._ec2("launch-template", "*"),
                    self._ec2("image", "*", account=""),
                ],
            ),
            iam.PolicyStatement(
                sid="TagThemAtBirth",
                actions=["ec2:CreateTags"],
                resources=[instances, self._ec2("fleet", "*")],
                conditions={"StringEquals": {"ec2:CreateAction": ["RunInstances", "CreateFleet"]}},
            ),
            iam.PolicyStatement(
                sid="LetEc2MakeItsOwnRoles",
                actions=["iam:CreateServiceLinkedRole"],
                resources=[self._service_role(name) for name in ("spot", "ec2fleet")],
                conditions={
                    "StringEquals": {"iam:AWSServiceName": ["spot.amazonaws.com", "ec2fleet.amazonaws.com"]},
                },
            ),
        ]

    def _own_subnets(self) -> list[str]:
        return [self._ec2("subnet", subnet.subnet_id) for subnet in self._network.vpc.private_subnets]

    def _make_check_task(self, code: lambda_.Code) -> lambda_.Function:
        function = self._function("CheckTask", "check_task_awsem", "Looks whether a job has ended", code, {})
        self._allow_logs(function)
        self._data.allow_items(function, self._data.tibanna_table, "Query")
        for statement in (
            iam.PolicyStatement(
                sid="NameAcls", actions=["s3:PutObjectAcl"], resources=[self.log_bucket.arn_for_objects("*")]
            ),
            look_up(
                "ec2:DescribeInstances",
                "ec2:DescribeSpotPriceHistory",
                "cloudwatch:GetMetricStatistics",
                "pricing:GetProducts",
                "ce:GetCostAndUsage",
            ),
            self.end_instances(),
        ):
            function.add_to_role_policy(statement)
        return function

    def _function(
        self,
        id_: str,
        module: str,
        description: str,
        code: lambda_.Code,
        environment: dict[str, str],
        *,
        handler: str | None = None,
    ) -> lambda_.Function:
        return stock_function(
            self,
            id_,
            name=f"tibanna-{module.replace('_', '-')}",
            description=f"Tibanna {VERSION}: {description}",
            code=code,
            handler=handler or f"tibanna.lambdas.{module}.handler",
            runtime=lambda_.Runtime.PYTHON_3_12,
            environment={
                "AWS_ACCOUNT_NUMBER": self.account,
                "TIBANNA_VERSION": VERSION,
                "TIBANNA_DEFAULT_STEP_FUNCTION_NAME": self.machine_name,
                **environment,
            },
            timeout=_FUNCTION_TIMEOUT,
            memory_mib=512,
            monitoring=self._data.monitoring,
        )

    def _make_machine(self) -> AslStateMachine:
        tibanna = self.settings.tibanna
        workflow = AslStateMachine(
            self,
            TIBANNA,
            name=self.machine_name,
            definition=_with_polling(text(TIBANNA), tibanna.poll_seconds, 3600 * tibanna.job_timeout_hours),
            monitoring=self._data.monitoring,
            description="One job of a Snakemake launch (Tibanna)",
            failures_are_users=True,
            substitutions={
                "RunTaskFunctionArn": self._run_task.function_arn,
                "CheckTaskFunctionArn": self._check_task.function_arn,
                "AmiId": tibanna.ami_id or _DEFAULT,
                "AwsfImage": self._awsf_image,
            },
        )
        self._run_task.grant_invoke(workflow.role)
        self._check_task.grant_invoke(workflow.role)
        workflow.allow(look_up("ec2:DescribeInstances"), self.end_instances())
        return workflow

    def end_instances(self) -> iam.PolicyStatement:
        """End the instances of this stage's unicorn, and no others."""
        return iam.PolicyStatement(
            sid="EndOwnInstances",
            actions=["ec2:TerminateInstances"],
            resources=[self._ec2("instance", "*")],
            conditions={
                "StringEquals": {"ec2:ResourceTag/Type": "awsem"},
                # Other unicorns of the account tag theirs alike; the profile is one of this stage's launches. One that
                # has ended may have no profile any more, and check_task, which ends it again, must not be refused.
                "ArnLikeIfExists": {"ec2:InstanceProfile": launch_roles(self, "instance-profile")},
            },
        )

    def executions(self, name: str = "*") -> str:
        """Pattern of the ARNs of the unicorn's executions."""
        return self.format_arn(
            service="states", resource=f"execution:{self.machine_name}:{name}", arn_format=ArnFormat.NO_RESOURCE_NAME
        )

    def _ec2(self, kind: str, name: str, *, account: str | None = None) -> str:
        return self.format_arn(service="ec2", resource=kind, resource_name=name, account=account)

    def _service_role(self, service: str) -> str:
        return self.format_arn(
            service="iam", region="", resource="role", resource_name=f"aws-service-role/{service}.amazonaws.com/*"
        )


def _with_polling(definition: str, poll_seconds: int, job_seconds: int) -> str:
    """The definition with the stage's times: Step Functions takes no expression for them."""
    machine = json.loads(definition)
    seconds = {"EC2StartingException": _BOOT_SECONDS, "StillRunningException": job_seconds}
    for rule in machine["States"]["CheckTaskAwsem"]["Retry"]:
        for error in seconds.keys() & set(rule["ErrorEquals"]):
            rule.update(IntervalSeconds=poll_seconds, MaxAttempts=seconds[error] // poll_seconds)
    return json.dumps(machine, indent=2)
