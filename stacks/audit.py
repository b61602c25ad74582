"""A scheduled check for known vulnerabilities of the locked packages.

It is not a part of the delivery: a vulnerability that becomes known overnight must not stop the deployment of its fix,
or of another urgent change.
"""

from aws_cdk import Duration
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_codestarnotifications as notifications
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from genolaunch.contract.project import PROJECT
from stacks.config import DeliverySettings


class ScheduledAudit(Construct):
    """A pipeline of two steps, since a connection's source comes to a pipeline alone: fetch, and `make audit`."""

    def __init__(
        self,
        scope: Construct,
        *,
        delivery: DeliverySettings,
        artifacts: s3.IBucket,
        environment: codebuild.BuildEnvironment,
        topic: sns.ITopic,
    ) -> None:
        """`topic` hears of each audit that finds something."""
        super().__init__(scope, "Audit")
        source = codepipeline.Artifact()
        owner, _, repository = delivery.repository.rpartition("/")
        project = codebuild.PipelineProject(
            self,
            "Project",
            project_name=f"{PROJECT}-pipeline-audit",
            description="Looks for known vulnerabilities of what Genolaunch's locks name",
            environment=environment,
            encryption_key=artifacts.encryption_key,
            timeout=Duration.minutes(30),
            build_spec=codebuild.BuildSpec.from_object(
                {
                    "version": "0.2",
                    "phases": {
                        "install": {"runtime-versions": {"python": "3.12"}, "commands": ["make setup"]},
                        "build": {"commands": ["make audit"]},
                    },
                }
            ),
        )
        self.pipeline = codepipeline.Pipeline(
            self,
            "Pipeline",
            pipeline_name=f"{PROJECT}-pipeline-audit",
            pipeline_type=codepipeline.PipelineType.V2,
            artifact_bucket=artifacts,
            stages=[
                codepipeline.StageProps(
                    stage_name="Source",
                    actions=[
                        actions.CodeStarConnectionsSourceAction(
                            action_name="Fetch",
                            owner=owner,
                            repo=repository,
                            branch=delivery.branch,
                            connection_arn=delivery.connection_arn,
                            output=source,
                            trigger_on_push=False,
                        )
                    ],
                ),
                codepipeline.StageProps(
                    stage_name="Audit",
                    actions=[actions.CodeBuildAction(action_name="Audit", project=project, input=source)],
                ),
            ],
        )
        events.Rule(
            self,
            "Daily",
            description="Looks for vulnerabilities that became known since yesterday",
            schedule=events.Schedule.rate(Duration.days(1)),
            targets=[targets.CodePipeline(self.pipeline)],
        )
        self.pipeline.notify_on(
            "Found",
            topic,
            events=[codepipeline.PipelineNotificationEvents.PIPELINE_EXECUTION_FAILED],
            detail_type=notifications.DetailType.FULL,
            notification_rule_name=f"{PROJECT}-pipeline-audit",
        )
