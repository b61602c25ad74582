"""Monitoring of a stage's resources: the key that encrypts their logs, and the topic of their alarms."""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.constructs.stage_stack import StageStack


@dataclass(frozen=True, kw_only=True)
class Monitoring:
    """Given to every construct that writes logs or can fail unseen."""

    key: kms.IKey
    topic: sns.ITopic

    def log_group(self, scope: Construct, id_: str, *, name: str | None = None) -> logs.LogGroup:
        """An encrypted log group with the stage's retention."""
        stack = StageStack.of(scope)
        assert isinstance(stack, StageStack)  # only those are handed a Monitoring
        group = logs.LogGroup(
            scope,
            id_,
            log_group_name=name,
            encryption_key=self.key,
            retention=logs.RetentionDays.INFINITE,
            removal_policy=stack.removal,
        )
        # The enumeration has names for days; the settings have days.
        resource = group.node.default_child
        assert isinstance(resource, logs.CfnLogGroup)
        resource.retention_in_days = stack.settings.log_retention_days
        return group

    def alarm(
        self, scope: Construct, id_: str, *, metric: cloudwatch.Metric, threshold: float, description: str
    ) -> cloudwatch.Alarm:
        """Tell the topic as soon as one period of the metric reaches the threshold. No data is good news."""
        alarm = cloudwatch.Alarm(
            scope,
            id_,
            metric=metric,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=description,
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        return alarm

    def alarm_of_throttled(self, scope: Construct, id_: str, function: lambda_.Function) -> cloudwatch.Alarm:
        """For a function whose errors are reported elsewhere."""
        return self.alarm(
            scope,
            id_,
            metric=function.metric_throttles(period=ALARM_PERIOD),
            threshold=1,
            description=f"Lambda refuses invocations of {_name(function)}: the account's concurrency is used up.",
        )


def _name(function: lambda_.Function) -> str:
    resource = function.node.default_child
    assert isinstance(resource, lambda_.CfnFunction)
    return str(resource.function_name)


ALARM_PERIOD = Duration.minutes(5)
