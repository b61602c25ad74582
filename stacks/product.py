"""Genolaunch as a product of AWS Service Catalog: teams deploy a pinned release to an allowed stage themselves."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from aws_cdk import (
    ArnFormat,
    CfnParameter,
    CustomResource,
    Duration,
    Environment,
    Fn,
    RemovalPolicy,
    Stack,
    Tags,
)
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_servicecatalog as servicecatalog
from constructs import Construct

from genolaunch.contract.project import PROJECT, TAG_PROJECT
from stacks.config import GovernanceSettings, ProductSettings, StageSettings
from stacks.constructs.bootstrap import bootstrap_role_arn
from stacks.constructs.bytecode import SELECT_PYTHONS

_CODE: Final = Path(__file__).parent / "self_service" / "deployment.py"
_NAME: Final = f"{PROJECT}-product"
_ROLE: Final = f"{_NAME}-deployment"
_LOGS: Final = f"/{PROJECT}/product"
_KEY_ALIAS: Final = f"{PROJECT}/product"
_BOOTSTRAP_ROLES: Final = ("deploy-role", "file-publishing-role", "image-publishing-role", "lookup-role")
"""With which the CDK command line acts in a stage's account."""

_QUEUE_MINUTES: Final = 5
"""The least that CodeBuild takes. By itself it is eight hours: a build would start when CloudFormation had given up."""

_BUILD_MINUTES: Final = 52
"""CloudFormation waits for an hour at most for a custom resource's answer (ServiceTimeout)."""

_BUILD: Final = {
    "version": "0.2",
    # Nobody sits at the terminal. What is deployed was approved as a release.
    # Stacks side by side: a first deployment, with images to build, may otherwise take longer than _BUILD_MINUTES.
    "env": {"variables": {"CDK_REQUIRE_APPROVAL": "never", "CONCURRENCY": "4"}},
    "phases": {
        "install": {
            "runtime-versions": {"python": "3.12"},
            "commands": [SELECT_PYTHONS, "make setup"],
        },
        "build": {"commands": ['make deploy STAGE="$STAGE"']},
    },
}


class ProductPortfolioStack(Stack):
    """Portfolio, product with a version for each release, launch role, and what the deployments run with.

    The product's own stacks (Release) are deployed by Service Catalog in this account; the stages may be in others,
    whose bootstrap trusts this account.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        governance: GovernanceSettings,
        product: ProductSettings,
        stages: Mapping[str, StageSettings],
    ) -> None:
        super().__init__(
            scope,
            _NAME,
            env=Environment(account=governance.account, region=governance.region),
            description="Genolaunch for self-service",
            termination_protection=True,
        )
        self._product = product
        self._stages = [stages[name] for name in product.stages]
        self._key = kms.Key(
            self, "Key", alias=_KEY_ALIAS, description="Logs of Genolaunch's deployments", enable_key_rotation=True
        )
        self._key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Logs",
                principals=[iam.ServicePrincipal(f"logs.{self.region}.amazonaws.com")],
                actions=["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
                resources=["*"],  # in a key's policy, "*" is this key
                conditions={
                    "ArnLike": {"kms:EncryptionContext:aws:logs:arn": self.format_arn(service="logs", resource="*")}
                },
            )
        )
        deployments = self._make_deployment_role()
        function = self._make_function()
        self._publish(self._make_launch_role(deployments, function))
        Tags.of(self).add(TAG_PROJECT, PROJECT)

    @property
    def _projects(self) -> str:
        return self.format_arn(service="codebuild", resource="project", resource_name=f"{_NAME}-*")

    def _log_group(self, id_: str, name: str | None = None) -> logs.LogGroup:
        return logs.LogGroup(
            self,
            id_,
            log_group_name=name,
            encryption_key=self._key,
            retention=logs.RetentionDays.ONE_YEAR,
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )

    def _make_deployment_role(self) -> iam.Role:
        """What a deployment may: be the CDK command line in the accounts of the allowed stages, and nothing else."""
        role = iam.Role(
            self,
            "DeploymentRole",
            role_name=_ROLE,
            assumed_by=iam.ServicePrincipal(
                "codebuild.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": self.account}}
            ),
            description="Deploys releases of Genolaunch to the stages that the product allows",
        )
        places = {(stage.account, stage.region) for stage in self._stages}
        role.add_to_policy(
            iam.PolicyStatement(
                sid="BeTheBootstrapsRoles",
                actions=["sts:AssumeRole"],
                resources=[
                    bootstrap_role_arn(self, name, account=account, region=region)
                    for account, region in sorted(places)
                    for name in _BOOTSTRAP_ROLES
                ],
            )
        )
        role.add_to_policy(
            iam.PolicyStatement(
                sid="FetchTheRelease",  # CodeBuild user guide, "GitHub App connections"
                actions=_of_connections("GetConnection", "GetConnectionToken"),
                resources=[self._product.connection_arn],
            )
        )
        # Its name is given: the product's template names it, in accounts and at times of its own.
        self._log_group("DeploymentLogs", f"{_LOGS}/deployments").grant_write(role)
        return role

    def _make_function(self) -> lambda_.Function:
        name = f"{_NAME}-deployment"
        group = self._log_group("FunctionLogs")
        role = iam.Role(
            self,
            "FunctionRole",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description="Starts deployments of Genolaunch's product, and tells CloudFormation of their end",
        )
        group.grant_write(role)
        role.add_to_policy(
            iam.PolicyStatement(
                sid="StartDeployments",
                actions=["codebuild:StartBuild", "codebuild:BatchGetBuilds"],
                resources=[self._projects],
            )
        )
        function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            description="Starts a deployment for CloudFormation, and answers with its end",
            code=lambda_.Code.from_inline(_CODE.read_text(encoding="utf-8")),
            handler="index.handler",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            role=role,
            log_group=group,
            timeout=Duration.minutes(1),
        )
        # Not the build itself answers: it cannot if its source is missing, or its time is over.
        events.Rule(
            self,
            "DeploymentEnded",
            description="A deployment of Genolaunch's product has ended",
            event_pattern=events.EventPattern(
                source=["aws.codebuild"],
                detail_type=["CodeBuild Build State Change"],
                detail={
                    "build-status": ["SUCCEEDED", "FAILED", "STOPPED", "TIMED_OUT", "FAULT"],
                    "project-name": [{"prefix": f"{_NAME}-"}],
                },
            ),
            targets=[targets.LambdaFunction(function)],
        )
        return function

    def _make_launch_role(self, deployments: iam.Role, function: lambda_.Function) -> iam.Role:
        """What Service Catalog deploys a Release with: a user needs none of it.

        Service Catalog's administrator guide, "Launch constraints", lists what a launch asks of CloudFormation and S3.
        """
        role = iam.Role(
            self,
            "LaunchRole",
            assumed_by=iam.ServicePrincipal("servicecatalog.amazonaws.com"),
            description="Service Catalog, for the stacks of Genolaunch's product",
        )
        stacks = self.format_arn(service="cloudformation", resource="stack", resource_name="SC-*")
        template = {"StringEquals": {"s3:ExistingObjectTag/servicecatalog:provisioning": "true"}}
        statements: list[tuple[str, list[str], list[str], Mapping[str, Mapping[str, str]]]] = [
            ("KeepItsStacks", [f"cloudformation:{action}" for action in _STACK_ACTIONS], [stacks], {}),
            # Of a template, before there is a stack.
            ("ReadTemplates", ["cloudformation:GetTemplateSummary", "cloudformation:ValidateTemplate"], ["*"], {}),
            # In a bucket of Service Catalog's own, whose name it does not tell.
            ("FetchTheTemplate", ["s3:GetObject"], [f"arn:{self.partition}:s3:::*"], template),
            ("KeepItsProject", [f"codebuild:{action}" for action in _PROJECT_ACTIONS], [self._projects], {}),
            ("GiveTheDeploymentsRole", ["iam:PassRole"], [deployments.role_arn], {}),
            ("GiveTheConnection", _of_connections("PassConnection"), [self._product.connection_arn], {}),
            ("StartADeployment", ["lambda:InvokeFunction"], [function.function_arn], {}),
        ]
        for sid, actions, resources, conditions in statements:
            role.add_to_policy(
                iam.PolicyStatement(sid=sid, actions=actions, resources=resources, conditions=conditions)
            )
        return role

    def _publish(self, launch_role: iam.Role) -> None:
        settings = self._product
        product = servicecatalog.CloudFormationProduct(
            self,
            "Product",
            product_name="Genolaunch",
            owner=settings.owner,
            description="Event-driven, serverless genomics workflows: regenie and Snakemake",
            support_email=settings.support_email,
            product_versions=[
                servicecatalog.CloudFormationProductVersion(
                    product_version_name=release,
                    cloud_formation_template=servicecatalog.CloudFormationTemplate.from_product_stack(
                        Release(self, f"Release{number}", settings=settings, release=release)
                    ),
                )
                for number, release in enumerate(settings.releases, start=1)
            ],
        )
        portfolio = servicecatalog.Portfolio(
            self,
            "Portfolio",
            display_name="Genolaunch",
            provider_name=settings.owner,
            description="Genolaunch for teams that deploy it themselves",
        )
        portfolio.add_product(product)
        portfolio.set_launch_role(product, launch_role, description="Users need no rights on what is deployed")
        for number, arn in enumerate(settings.principals, start=1):
            portfolio.give_access_to_role(iam.Role.from_role_arn(self, f"Principal{number}", arn, mutable=False))


_STACK_ACTIONS: Final = (
    "CreateStack",
    "UpdateStack",
    "DeleteStack",
    "DescribeStacks",
    "DescribeStackEvents",
    "SetStackPolicy",
)
_PROJECT_ACTIONS: Final = ("CreateProject", "UpdateProject", "DeleteProject", "BatchGetProjects")


def _of_connections(*names: str) -> list[str]:
    """Actions by both names of the service: a connection's ARN, which the settings give, has one or the other."""
    return [f"{service}:{name}" for service in ("codeconnections", "codestar-connections") for name in names]


class Release(servicecatalog.ProductStack):
    """What a provisioned product is: a build project of one release and one stage, and a run of it.

    It may name nothing of the portfolio's stack but by its given names.
    """

    def __init__(self, scope: Construct, id_: str, *, settings: ProductSettings, release: str) -> None:
        super().__init__(scope, id_, description=f"Deploys Genolaunch {release} to a stage")
        stage = CfnParameter(
            self,
            "Stage",
            type="String",
            allowed_values=list(settings.stages),
            description="To which stage this release is deployed; its settings are in the release",
        )
        name = Fn.join("-", [_NAME, stage.value_as_string])
        project = codebuild.CfnProject(
            self,
            "Project",
            name=name,
            description=f"Deploys Genolaunch {release}",
            service_role=self._arn("iam", "role", _ROLE, region=""),
            source=codebuild.CfnProject.SourceProperty(
                type=settings.provider,
                location=settings.repository_url,
                auth=codebuild.CfnProject.SourceAuthProperty(type="CODECONNECTIONS", resource=settings.connection_arn),
                build_spec=json.dumps(_BUILD),
                git_clone_depth=1,
            ),
            source_version=f"refs/tags/{release}",
            artifacts=codebuild.CfnProject.ArtifactsProperty(type="NO_ARTIFACTS"),
            encryption_key=self._arn("kms", "alias", _KEY_ALIAS),
            environment=codebuild.CfnProject.EnvironmentProperty(
                type="LINUX_CONTAINER",
                compute_type="BUILD_GENERAL1_LARGE",
                image="aws/codebuild/standard:7.0",
                privileged_mode=True,  # Docker builds the images
                environment_variables=[
                    codebuild.CfnProject.EnvironmentVariableProperty(name="STAGE", value=stage.value_as_string)
                ],
            ),
            logs_config=codebuild.CfnProject.LogsConfigProperty(
                cloud_watch_logs=codebuild.CfnProject.CloudWatchLogsConfigProperty(
                    status="ENABLED", group_name=f"{_LOGS}/deployments", stream_name=name
                )
            ),
            queued_timeout_in_minutes=_QUEUE_MINUTES,
            timeout_in_minutes=_BUILD_MINUTES,
            # Two deployments of a stage would meet in its stacks.
            concurrent_build_limit=1,
        )
        deployment = CustomResource(
            self,
            "Deployment",
            resource_type="Custom::Deployment",
            service_token=self._arn(
                "lambda", "function", f"{_NAME}-deployment", arn_format=ArnFormat.COLON_RESOURCE_NAME
            ),
            service_timeout=Duration.hours(1),
            properties={"Project": project.ref, "Release": release},  # a new release is an update, and is deployed
        )
        deployment.node.add_dependency(project)

    def _arn(
        self,
        service: str,
        resource: str,
        name: str,
        *,
        region: str | None = None,
        arn_format: ArnFormat = ArnFormat.SLASH_RESOURCE_NAME,
    ) -> str:
        return self.format_arn(
            service=service, resource=resource, resource_name=name, region=region, arn_format=arn_format
        )
