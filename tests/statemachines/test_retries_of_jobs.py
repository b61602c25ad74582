"""Which ends of a job's attempt the registered job definitions answer with another attempt."""

from typing import Any

import pytest

from localcloud.batch.retry import MAX_RULES, parse_retry_strategy
from statemachines.composition import definition as composed
from tests.statemachines.asl import tasks

REGISTERING = ["regenie", "snakemake"]
EXITED, NOT_STARTED = "Essential container in task exited", "Task failed to start"


def retry_strategy(workflow: str) -> dict[str, Any]:
    """As Batch's API spells it."""
    definition = composed(workflow)
    (given,) = [
        state["Arguments"]["RetryStrategy"]
        for _, state in tasks(definition)
        if state["Resource"].endswith(":batch:registerJobDefinition")
    ]
    rules = [{name[0].lower() + name[1:]: value for name, value in rule.items()} for rule in given["EvaluateOnExit"]]
    return {"attempts": given["Attempts"], "evaluateOnExit": rules}


@pytest.mark.parametrize("workflow", REGISTERING)
@pytest.mark.parametrize(
    ("reason", "status_reason", "exit_code", "again"),
    [
        # The words of "Stopped tasks error codes" (Amazon ECS developer guide).
        ("DockerTimeoutError: Could not transition to created; timed out after waiting 4m0s", NOT_STARTED, None, True),
        ("DockerTimeoutError: Could not transition to started; timed out after waiting 3m0s", EXITED, None, True),
        ("CannotStartContainerError: Error response from daemon: cannot mount", NOT_STARTED, None, True),
        ("CannotStartContainerError: Error response from daemon: cannot mount", EXITED, 128, True),
        ("CannotCreateContainerError: API error (500): no space left on device", NOT_STARTED, None, True),
        ("CannotInspectContainerError: Could not transition to inspecting", NOT_STARTED, None, True),
        ("CannotPullContainerError: context canceled", NOT_STARTED, None, True),
        ("CannotPullECRContainerError: AccessDeniedException", NOT_STARTED, None, True),
        ("ResourceInitializationError: unable to pull secrets", NOT_STARTED, None, True),
        (None, NOT_STARTED, None, True),
        (None, "Task failed to start: no agent", None, True),
        (None, "Host EC2 (instance i-0123456789abcdef0) terminated.", None, True),
        (None, EXITED, 1, False),
        ("OutOfMemoryError: Container killed due to memory usage", EXITED, 137, False),
        (None, EXITED, 137, False),
    ],
)
def test_what_was_not_the_jobs_own_fault_is_attempted_again(workflow, reason, status_reason, exit_code, again):
    strategy = parse_retry_strategy(retry_strategy(workflow))

    assert strategy.allows_another(1, exit_code, reason, status_reason) is again


@pytest.mark.parametrize("workflow", REGISTERING)
def test_the_rules_are_as_many_as_batch_takes(workflow):
    assert len(retry_strategy(workflow)["evaluateOnExit"]) <= MAX_RULES
