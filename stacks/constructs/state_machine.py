"""A state machine of `statemachines/`, with a role that may do nothing until it is granted."""

from collections.abc import Mapping

from aws_cdk import ArnFormat
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.constructs.monitoring import ALARM_PERIOD, Monitoring
from stacks.constructs.permissions import managed_rule
from stacks.constructs.stage_stack import StageStack
from statemachines.composition import text


def state_machine_name(stack: StageStack, workflow: str) -> str:
    """Names are given, not generated: a role can then speak of its own machine's executions without a circle."""
    return f"{stack.settings.prefix}-{workflow}"


def executions_arn(stack: StageStack, workflow: str) -> str:
    """Pattern of the ARNs of all executions of a workflow's state machine."""
    return stack.format_arn(
        service="states",
        resource=f"execution:{state_machine_name(stack, workflow)}:*",
        arn_format=ArnFormat.NO_RESOURCE_NAME,
    )


def follow_executions(stack: StageStack, *workflows: str) -> list[iam.PolicyStatement]:
    """What `startExecution.sync` needs beyond the start: it hears of the end by a rule, and stops what it began."""
    return [
        iam.PolicyStatement(
            sid="FollowTheWorkflow",
            actions=["states:DescribeExecution", "states:StopExecution"],
            resources=[executions_arn(stack, workflow) for workflow in workflows],
        ),
        managed_rule(stack, "StepFunctionsGetEventsForStepFunctionsExecutionRule"),
    ]


class AslStateMachine(Construct):
    """`machine` and its `role`."""

    def __init__(
        self,
        scope: Construct,
        workflow: str,
        *,
        monitoring: Monitoring,
        description: str,
        substitutions: Mapping[str, str],
        name: str | None = None,
        definition: str | None = None,
        failures_are_users: bool = False,
    ) -> None:
        """`workflow` names the file and the machine; `substitutions` fill every `${…}` of the file.

        `name` and `definition` (JSON) stand in for those of the workflow. `failures_are_users`: an execution fails when
        a launch does, whoever is at fault, so the alarm is on executions that Step Functions throttles. Launches that
        failed through the platform's fault raise one of their own (stacks/observability.py).
        """
        super().__init__(scope, f"{workflow.capitalize()}Workflow")
        stack = StageStack.of(self)
        assert isinstance(stack, StageStack)  # a state machine is part of a stage
        name = name or state_machine_name(stack, workflow)
        self.role = iam.Role(
            self, "Role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"), description=f"State machine {name}"
        )
        self.machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=name,
            comment=description,
            definition_body=sfn.DefinitionBody.from_string(definition or text(workflow)),
            definition_substitutions=dict(substitutions),
            role=self.role,
            tracing_enabled=True,
            logs=sfn.LogOptions(
                # The history of an execution is kept for 90 days with everything in it; the log is for alarms and
                # searches, and traits' and data sets' names have no place in it.
                # A name, since only below /aws/vendedlogs/ a group needs no entry in the account's resource policy,
                # which has 5,120 characters (Step Functions developer guide, "Logging using CloudWatch Logs").
                destination=monitoring.log_group(self, "Logs", name=f"/aws/vendedlogs/states/{name}"),
                level=sfn.LogLevel.ERROR,
                include_execution_data=False,
            ),
        )
        if failures_are_users:
            monitoring.alarm(
                self,
                "Throttled",
                metric=self.machine.metric_throttled(period=ALARM_PERIOD),
                threshold=1,
                description=f"Step Functions throttles executions of {name}.",
            )
        else:
            monitoring.alarm(
                self,
                "Failed",
                metric=self.machine.metric_failed(period=ALARM_PERIOD),
                threshold=1,
                description=f"An execution of {name} failed.",
            )

    def allow(self, *statements: iam.PolicyStatement) -> None:
        """Add to the role's policy."""
        for statement in statements:
            self.role.add_to_policy(statement)
