"""Delivery: one CodePipeline that checks the app, and brings it from stage to stage."""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import Duration, Environment, RemovalPolicy, Stack, Tags, pipelines
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codestarnotifications as notifications
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from genolaunch.contract.project import PROJECT, TAG_PROJECT
from stacks.access import smoke_test_role_name, smoke_tester_role_name
from stacks.audit import ScheduledAudit
from stacks.config import DeliverySettings, StageSettings
from stacks.constructs.bootstrap import bootstrap_role_arn
from stacks.constructs.bytecode import SELECT_PYTHONS
from stacks.constructs.python_function import BundlingTarget
from stacks.constructs.stage_stack import REPOSITORY
from stacks.stage import GenolaunchStage

_BUILD_IMAGE: Final = codebuild.LinuxBuildImage.STANDARD_7_0
"""Ubuntu 22.04, where Python 3.12 can be selected, with Docker for the images that the app builds."""

_INSTALL: Final = ("make setup",)

_CHECKS: Final = ("make lint", "make check-jsonata", "make nag", "make test")
"""Run before anything is deployed. A schedule looks for new vulnerabilities of packages (stacks/audit.py)."""

_REPORTS: Final = {
    "reports": {
        "tests": {"base-directory": "build/reports", "files": ["*.xml"], "file-format": "JUNITXML"},
    }
}

_PROFILE: Final = "stage"
_TAKE_ON_ROLE: Final = (
    "mkdir -p ~/.aws",
    # The AWS SDKs assume the role, and renew its credentials while the build runs.
    rf'printf "[profile {_PROFILE}]\nrole_arn=$ROLE\ncredential_source=EcsContainer\n" > ~/.aws/config',
)
"""A profile of a role of the stage's account, which the build's environment names."""

_PUBLISHING_HOURS: Final = 3
"""Limit of the one build that publishes all images of all stages, each of which takes minutes. CodeBuild's default is
an hour."""

_SMOKE_TEST_MINUTES: Final = 60
"""A tiny GWAS takes a quarter of an hour, since its file system and its first instance have to be made."""


class PipelineStack(Stack):
    """Source → checks and synthesis → the pipeline itself → each stage in its account, with what must come between."""

    def __init__(
        self,
        scope: Construct,
        *,
        delivery: DeliverySettings,
        stages: Mapping[str, StageSettings],
        bundling: BundlingTarget,
    ) -> None:
        super().__init__(
            scope,
            f"{PROJECT}-pipeline",
            env=Environment(account=delivery.account, region=delivery.region),
            description="Checks Genolaunch and deploys it, stage after stage",
            termination_protection=True,
        )
        self._delivery = delivery
        environment = codebuild.BuildEnvironment(build_image=_BUILD_IMAGE, compute_type=codebuild.ComputeType.LARGE)
        source = pipelines.CodePipelineSource.connection(
            delivery.repository, delivery.branch, connection_arn=delivery.connection_arn
        )
        self._source = source
        self._pipeline = pipelines.CodePipeline(
            self,
            "Pipeline",
            pipeline_name=f"{PROJECT}-pipeline",
            pipeline_type=codepipeline.PipelineType.V2,
            synth=self._synthesis(source),
            self_mutation=True,
            cross_account_keys=True,
            enable_key_rotation=True,
            # The build may deploy, so it installs exactly the version in the lock, as an engineer's machine does.
            cli_version=_locked("aws-cdk"),
            cdk_assets_cli_version=_locked("cdk-assets"),
            publish_assets_in_parallel=delivery.parallel_publishing,
            asset_publishing_code_build_defaults=pipelines.CodeBuildOptions(timeout=Duration.hours(_PUBLISHING_HOURS)),
            code_build_defaults=pipelines.CodeBuildOptions(
                build_environment=environment,
                partial_build_spec=codebuild.BuildSpec.from_object(
                    {"phases": {"install": {"runtime-versions": {"python": "3.12"}}}}
                ),
            ),
        )
        for name in delivery.stages:
            self._add(stages[name], bundling)
        self._pipeline.build_pipeline()
        topic = self._tell_of_failures()
        audit = ScheduledAudit(
            self,
            delivery=delivery,
            artifacts=self._pipeline.pipeline.artifact_bucket,
            environment=environment,
            topic=topic,
        )
        for made in (self._pipeline.pipeline, audit.pipeline):
            self._allow_connection_by_its_new_name(made)
        Tags.of(self).add(TAG_PROJECT, PROJECT)

    def _synthesis(self, source: pipelines.CodePipelineSource) -> pipelines.CodeBuildStep:
        return pipelines.CodeBuildStep(
            "Check and synthesize",
            input=source,
            install_commands=[SELECT_PYTHONS, *_INSTALL],
            commands=[*_CHECKS, "make synth-pipeline"],
            env={"PYTEST_ADDOPTS": "--junit-xml=build/reports/tests.xml"},
            primary_output_directory="cdk.out",
            partial_build_spec=codebuild.BuildSpec.from_object(_REPORTS),
            timeout=Duration.hours(1),
        )

    def _add(self, settings: StageSettings, bundling: BundlingTarget) -> None:
        tested = settings.name in self._delivery.smoke_tested
        stage = GenolaunchStage(
            self, settings=settings, bundling=bundling, tester=self._delivery.account if tested else None
        )
        approval = pipelines.ManualApprovalStep(f"Approve {settings.name}", comment=_approval(settings))
        protection = self._protection(settings, stage)
        smoke_test = [self._smoke_test(settings)] if tested else []
        for test in smoke_test:
            for step in protection:
                test.add_step_dependency(step)
        self._pipeline.add_stage(
            stage,
            pre=[approval] if settings.name in self._delivery.approved else [],
            post=[*protection, *smoke_test],
        )

    def _protection(self, settings: StageSettings, stage: GenolaunchStage) -> list[pipelines.CodeBuildStep]:
        """Protect a stage's stateful stacks from deletion: the CDK command line does so, CDK's pipelines do not.

        The action of CodePipeline that deploys has no such setting (CodePipeline user guide, "AWS CloudFormation
        action reference"). The bootstrap's deployment role may set it (its template, `CliPermissions`).
        """
        protected = [
            child for child in stage.node.children if isinstance(child, Stack) and child.termination_protection
        ]
        if not protected:
            return []
        role_arn = bootstrap_role_arn(self, "deploy-role", account=settings.account, region=settings.region)
        step = pipelines.CodeBuildStep(
            f"Protect {settings.name}",
            input=self._source,
            env={"ROLE": role_arn},
            commands=[
                *_TAKE_ON_ROLE,
                *(
                    f"aws cloudformation update-termination-protection --profile {_PROFILE} --region {settings.region}"
                    f" --enable-termination-protection --stack-name {stack.stack_name}"
                    for stack in protected
                ),
            ],
            role_policy_statements=[
                iam.PolicyStatement(sid="DeployThere", actions=["sts:AssumeRole"], resources=[role_arn])
            ],
            timeout=Duration.minutes(10),
        )
        return [step]

    def _smoke_test(self, settings: StageSettings) -> pipelines.CodeBuildStep:
        """Launch a tiny GWAS as a scientist does; the step fails unless it ends COMPLETE."""
        role_arn = f"arn:{self.partition}:iam::{settings.account}:role/{smoke_test_role_name(settings.name)}"
        tester = iam.Role(
            self,
            f"SmokeTester{settings.name.capitalize()}",
            role_name=smoke_tester_role_name(settings.name),
            assumed_by=iam.ServicePrincipal("codebuild.amazonaws.com"),
            description=f"Tries the stage {settings.name} after its deployment",
        )
        tester.add_to_policy(
            iam.PolicyStatement(sid="ActAsALauncher", actions=["sts:AssumeRole"], resources=[role_arn])
        )
        return pipelines.CodeBuildStep(
            f"Launch in {settings.name}",
            input=self._source,
            role=tester,
            env={"STAGE": settings.name, "ROLE": role_arn},
            install_commands=list(_INSTALL),
            commands=[
                # CodeBuild sets both variables to the pipeline's region, and the user guide does not say that a
                # project's own variables have priority.
                f"export AWS_REGION={settings.region} AWS_DEFAULT_REGION={settings.region}",
                *_TAKE_ON_ROLE,
                f"AWS_PROFILE={_PROFILE} .venv/bin/genolaunch --stage $STAGE"
                " submit examples/gwas/launch.yaml --data-dir examples/gwas/cohort --wait",
            ],
            timeout=Duration.minutes(_SMOKE_TEST_MINUTES),
        )

    def _allow_connection_by_its_new_name(self, pipeline: codepipeline.Pipeline) -> None:
        """The library allows `codestar-connections:UseConnection`; newer connections are checked by the newer name."""
        for construct in pipeline.node.find_all():
            if isinstance(construct, iam.Role) and construct.node.path.endswith("CodePipelineActionRole"):
                policy = construct.node.try_find_child("DefaultPolicy")
                if "/Source/" in construct.node.path and policy is not None:
                    construct.add_to_policy(
                        iam.PolicyStatement(
                            sid="UseConnectionByItsNewName",
                            actions=["codeconnections:UseConnection"],
                            resources=[self._delivery.connection_arn],
                        )
                    )

    def _tell_of_failures(self) -> sns.Topic:
        """Make the topic to which failures are reported."""
        key = kms.Key(
            self,
            "NoticesKey",
            description="Notices of Genolaunch's pipeline",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.DESTROY,  # a notice is not kept anywhere
        )
        topic = sns.Topic(self, "Notices", display_name="Genolaunch pipeline", master_key=key, enforce_ssl=True)
        for email in self._delivery.notification_emails:
            topic.add_subscription(subscriptions.EmailSubscription(email))
        key.grant(iam.ServicePrincipal("codestar-notifications.amazonaws.com"), "kms:GenerateDataKey*", "kms:Decrypt")
        self._pipeline.pipeline.notify_on(
            "NoticeRule",
            topic,
            events=list(_EVENTS),
            detail_type=notifications.DetailType.FULL,
            notification_rule_name=f"{PROJECT}-pipeline",
        )
        return topic


_EVENTS: Final[Sequence[codepipeline.PipelineNotificationEvents]] = (
    codepipeline.PipelineNotificationEvents.PIPELINE_EXECUTION_FAILED,
    codepipeline.PipelineNotificationEvents.ACTION_EXECUTION_FAILED,
    codepipeline.PipelineNotificationEvents.MANUAL_APPROVAL_NEEDED,
)


def _locked(package: str) -> str:
    """The version of a package of package-lock.json."""
    lock = json.loads((REPOSITORY / "package-lock.json").read_text(encoding="utf-8"))
    return str(lock["packages"][f"node_modules/{package}"]["version"])


def _approval(settings: StageSettings) -> str:
    return (
        f"Deploy to {settings.name} (account {settings.account}, {settings.region})? The stages before it are tested."
    )
