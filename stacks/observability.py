"""The dashboard of a stage, and alarms on what no single function can notice."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from genolaunch.contract.errors import ErrorType
from genolaunch.contract.metrics import ANY_SERVICE, Metric
from genolaunch.contract.project import PROJECT
from stacks.config import StageSettings
from stacks.constructs.monitoring import ALARM_PERIOD, Monitoring
from stacks.constructs.queues import holds_dead_letters
from stacks.constructs.stage_stack import StageStack

_STATUSES: Final = ("Submitted", "Queued", "Held", "Waiting", "Running", "Complete", "Failed", "Rejected", "Cancelled")
_PERIOD: Final = Duration.minutes(5)
_DAY: Final = Duration.days(1)
_RECONCILED: Final = Duration.minutes(15)
"""How often the reconcilers count (stacks/workflow_manager.py, stacks/cleanup.py)."""
_HALF: Final = 12
"""Width of a widget: half of the dashboard's 24 columns."""


class ObservabilityStack(StageStack):
    """The stage's dashboard and its alarms on lost events."""

    def __init__(
        self,
        scope: Construct,
        *,
        settings: StageSettings,
        monitoring: Monitoring,
        machines: dict[str, sfn.StateMachine],
        queues: Sequence[sqs.Queue],
    ) -> None:
        """`machines` by the name that the dashboard gives them; `queues` are all of the stage's."""
        super().__init__(scope, "observability", settings=settings, description="Dashboard and alarms of Genolaunch")
        self._watch_launches(monitoring)
        self._watch_lost_events(monitoring)
        dead_letters = [queue for queue in queues if holds_dead_letters(queue)]
        waiting = [queue for queue in queues if queue not in dead_letters]
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=settings.prefix,
            default_interval=Duration.days(1),
            widgets=[
                [self._launches_by_status(), self._errors_by_type()],
                [self._failed_jobs(), self._cost()],
                [self._steps(), self._queue_of_launches()],
                [
                    self._what_slipped_through(),
                    self._queues("Dead letters", "ApproximateNumberOfMessagesVisible", dead_letters),
                ],
                [self._machines("Time an execution takes, average", machines), self._failures(machines)],
                [
                    self._queues("Messages that wait", "ApproximateNumberOfMessagesVisible", waiting),
                    self._queues("Seconds since the oldest of them came", "ApproximateAgeOfOldestMessage", waiting),
                ],
            ],
        )

    def _watch_launches(self, monitoring: Monitoring) -> None:
        for metric, description in (
            (
                Metric.PLATFORM_FAULTS,
                "A launch failed, and its author cannot mend it: AWS refused something or had no capacity, or"
                " the platform is at fault. `genolaunch list --status FAILED` shows which launch and why.",
            ),
            (
                Metric.SICK_LAUNCHES,
                "An item of the launch table cannot be read, and is passed over: somebody edited it by hand."
                " `genolaunch list` shows which, `genolaunch status` what to mend.",
            ),
        ):
            monitoring.alarm(
                self,
                str(metric),
                metric=self._own(metric, ANY_SERVICE, period=ALARM_PERIOD, statistic="Sum"),
                threshold=1,
                description=description,
            )

    def _watch_lost_events(self, monitoring: Monitoring) -> None:
        for metric, service, what in (
            (Metric.LOST_REQUESTS, "workflow_manager.lost_requests", "requests that the launch table's pipe lost"),
            (Metric.LOST_ENDINGS, "cleanup.lost_endings", "executions that ended without an event"),
        ):
            monitoring.alarm(
                self,
                str(metric),
                metric=self._own(metric, service),
                threshold=1,
                description=f"A reconciler found, and mended, {what}. Once is AWS's best effort; again and again, see"
                " what is wrong with the pipe or the rule.",
            )

    def _own(
        self, metric: Metric, service: str, *, period: Duration = _RECONCILED, statistic: str = "Maximum"
    ) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=PROJECT,
            metric_name=metric,
            dimensions_map={"stage": self.settings.name, "service": service},
            period=period,
            statistic=statistic,
        )

    def _sum(self, metric_name: str, label: str) -> cloudwatch.MathExpression:
        """Of all functions and workflows of the stage that count this."""
        search = f'{{{PROJECT},service,stage,workflow}} MetricName="{metric_name}" stage="{self.settings.name}"'
        return cloudwatch.MathExpression(
            expression=f"SUM(SEARCH('{search}', 'Sum'))", using_metrics={}, label=label, period=_PERIOD
        )

    def _launches_by_status(self) -> cloudwatch.GraphWidget:
        return cloudwatch.GraphWidget(
            title="Launches that became …",
            width=_HALF,
            stacked=True,
            left=[self._sum(f"Launches{status}", status.upper()) for status in _STATUSES],
        )

    def _errors_by_type(self) -> cloudwatch.GraphWidget:
        return cloudwatch.GraphWidget(
            title="Launches that ended badly, by type of error",
            width=_HALF,
            stacked=True,
            left=[self._sum(f"Error{error_type}", error_type) for error_type in ErrorType],
            right=[
                self._own(Metric.PLATFORM_FAULTS, ANY_SERVICE, period=_PERIOD, statistic="Sum").with_(
                    label="not its author's"
                )
            ],
        )

    def _failed_jobs(self) -> cloudwatch.GraphWidget:
        return cloudwatch.GraphWidget(
            title="Jobs that failed: done again by others, or the end of their launch",
            width=_HALF,
            left=[
                self._search(Metric.JOBS_RESUBMITTED, "service,stage,workflow", "Sum", "done again"),
                self._search(Metric.JOBS_FAILED, "service,stage,workflow", "Sum", "end of a launch"),
            ],
            right=[self._search(Metric.ERRORS_IN_LOGS, "service,stage", "Sum", "errors that logs name")],
        )

    def _cost(self) -> cloudwatch.GraphWidget:
        return cloudwatch.GraphWidget(
            title="Cost a day of launches that were priced, USD",
            width=_HALF,
            stacked=True,
            period=_DAY,
            left=[self._search(Metric.LAUNCH_COST, "service,stage,workflow", "Sum", "", period=_DAY)],
        )

    def _steps(self) -> cloudwatch.GraphWidget:
        return cloudwatch.GraphWidget(
            title="Time a step of a workflow takes, average",
            width=_HALF,
            left=[self._search(Metric.STEP_SECONDS, "service,stage,step,workflow", "Average", "")],
        )

    def _search(
        self, metric: Metric, dimensions: str, statistic: str, label: str, *, period: Duration = _PERIOD
    ) -> cloudwatch.MathExpression:
        """A line for each function, workflow or step that has this metric."""
        search = f'{{{PROJECT},{dimensions}}} MetricName="{metric}" stage="{self.settings.name}"'
        expression = f"SEARCH('{search}', '{statistic}', {int(period.to_seconds())})"
        return cloudwatch.MathExpression(expression=expression, using_metrics={}, label=label, period=period)

    def _queue_of_launches(self) -> cloudwatch.GraphWidget:
        service = "workflow_manager.lost_requests"
        return cloudwatch.GraphWidget(
            title=f"Slots taken (of {self.settings.launches_at_once}), launches in the queue, and the longest wait",
            width=_HALF,
            left=[self._own(Metric.SLOTS_TAKEN, service), self._own(Metric.LAUNCHES_WAITING, service)],
            right=[self._own(Metric.LONGEST_WAIT, service)],
        )

    def _what_slipped_through(self) -> cloudwatch.GraphWidget:
        return cloudwatch.GraphWidget(
            title="Left behind, and lost events that were mended",
            width=_HALF,
            left=[
                self._own(Metric.LEFTOVERS_OVERDUE, "cleanup.sweep"),
                self._own(Metric.LOST_REQUESTS, "workflow_manager.lost_requests"),
                self._own(Metric.LOST_ENDINGS, "cleanup.lost_endings"),
                self._own(Metric.SICK_LAUNCHES, ANY_SERVICE, statistic="Sum"),
            ],
        )

    def _machines(self, title: str, machines: dict[str, sfn.StateMachine]) -> cloudwatch.GraphWidget:
        times = [machine.metric_time(label=name, period=_PERIOD) for name, machine in machines.items()]
        return cloudwatch.GraphWidget(title=title, width=_HALF, left=times)

    def _failures(self, machines: dict[str, sfn.StateMachine]) -> cloudwatch.GraphWidget:
        failed = [machine.metric_failed(label=f"{name} failed", period=_PERIOD) for name, machine in machines.items()]
        stopped = [
            machine.metric_aborted(label=f"{name} stopped", period=_PERIOD) for name, machine in machines.items()
        ]
        return cloudwatch.GraphWidget(title="Executions that did not succeed", width=_HALF, left=[*failed, *stopped])

    def _queues(self, title: str, metric_name: str, queues: Sequence[sqs.Queue]) -> cloudwatch.GraphWidget:
        """A line for each. A search would find none: CloudFormation ends their names in something of its own."""
        lines = [
            queue.metric(metric_name, label=_label(queue), period=_PERIOD, statistic="Maximum") for queue in queues
        ]
        return cloudwatch.GraphWidget(title=title, width=_HALF, left=lines)


def _label(queue: sqs.Queue) -> str:
    """The queue's stack, and what the queue is called there."""
    stack = StageStack.of(queue)
    inner = [each.node.id for each in queue.node.scopes if each.node.path.startswith(f"{stack.node.path}/")]
    return " ".join([stack.node.id, *(name for name in inner if name != "Queue")])
