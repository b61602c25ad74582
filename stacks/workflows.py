"""The workflows that a stage runs: what the stacks of others must know of each, described once.

A workflow's stack has a property `workflow_parts`; `stage.py` collects them by the workflows' names. The state machine
**launch** looks a workflow's functions and machine up in the same way: its file has one table for all workflows, which
`statemachines/composition.py` and `substitutions` fill in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn

from genolaunch.contract.workflow import Workflow

NONE: Final = "none"
"""In place of an ARN. A word, and not nothing: without a value cfn-lint takes the placeholder for a forgotten one."""


@dataclass(frozen=True, kw_only=True)
class WorkflowParts:
    """What **launch**, clean-up and the dashboard need of a workflow."""

    machine: sfn.StateMachine
    """Runs one attempt of a launch: `{launchId, attempt}` -> `{resultsUri, reportUri?}`."""

    check: lambda_.Function | None = None
    """Says whether the inputs of a launch are there, while that waits for its turn: `{launchId, check: true}`, raises
    LaunchInputError. Without one, the launch learns it when it runs."""

    inputs: lambda_.Function | None = None
    """Lists the files that a launch reads: `{launchId}` -> `{inputs}`, a key in the launch bucket. Without one, it
    reads all of its data, and all that is archived of that is restored."""

    further_machines: Mapping[str, sfn.StateMachine] = field(default_factory=dict)
    """That its own machine starts, by what the dashboard calls them."""

    @property
    def functions(self) -> list[lambda_.Function]:
        """What **launch** invokes, each once."""
        return list(dict.fromkeys(each for each in (self.check, self.inputs) if each))


Workflows = Mapping[Workflow, WorkflowParts]


def substitutions(workflows: Workflows) -> dict[str, str]:
    """Of the table of workflows in `launch.asl.json`."""
    values = {}
    for name, parts in workflows.items():
        start = name.capitalize()
        values[f"{start}StateMachineArn"] = parts.machine.state_machine_arn
        values[f"{start}CheckFunctionArn"] = parts.check.function_arn if parts.check else NONE
        values[f"{start}InputsFunctionArn"] = parts.inputs.function_arn if parts.inputs else NONE
    return values
