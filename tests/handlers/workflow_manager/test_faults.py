"""Whatever is lost, repeated, late or killed half way: every launch ends in a true status, and every slot is free."""

import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract import FINAL_STATUSES, Status
from lambdas.workflow_manager import lost_requests
from tests.handlers.workflow_manager.world import KilledError, Trouble, World

ROLE = "arn:aws:iam::123456789012:role/launch"
DEFINITION = '{"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 9999, "End": true}}}'
MOST_CALLS = 40
"""More than any function makes."""


@pytest.fixture
def world(platform, monkeypatch) -> World:
    """Given: a stage of two slots."""
    monkeypatch.setenv("LAUNCH_STATE_MACHINE", new_machine())
    monkeypatch.setenv("SWEEP_GRACE_MINUTES", "0")
    monkeypatch.setenv("LAUNCHES_AT_ONCE", "2")
    lost_requests.settings.cache_clear()
    return World(platform, Trouble(), boto3.client("dynamodb"))


def new_machine() -> str:
    """The ARN, always the same one, of a state machine without executions: their names are used once only."""
    states = boto3.client("stepfunctions")
    for machine in states.list_state_machines()["stateMachines"]:
        states.delete_state_machine(stateMachineArn=machine["stateMachineArn"])
    created: str = states.create_state_machine(name="launch", definition=DEFINITION, roleArn=ROLE)["stateMachineArn"]
    return created


def again(world: World) -> World:
    """Given: the same stage, empty."""
    new_machine()
    for name, keys in (
        (world.platform.repository.launch_table, ["launchId"]),
        (world.platform.repository.task_table, ["launchId", "taskId"]),
    ):
        for item in world.onlooker.scan(TableName=name)["Items"]:
            world.onlooker.delete_item(TableName=name, Key={key: item[key] for key in keys})
    return World(world.platform, world.trouble, world.onlooker)


def assert_true_end(world: World) -> None:
    """Then: every launch is over, no execution runs on, and nobody holds or waits for a slot."""
    world.settle_down()
    statuses = world.statuses()
    assert set(statuses.values()) <= FINAL_STATUSES, statuses
    for execution in world.executions:
        # One that found its launch taken, or cancelled, says so at its next step.
        world.advance(execution, "COMPLETE")
        assert execution.status != "RUNNING", execution
    assert world.statuses() == statuses
    lost_requests.mend_queue(world.queue)
    slots = world.queue.slots()
    assert (dict(slots.running), dict(slots.waiting)) == ({}, {})


def scene(world: World, name: str):
    """Given: one running launch, one that ends, one in the queue, one that is asked to be cancelled; the act to try."""
    for user in ("ada", "bob", "ada", "cyd"):
        world.submit(user)
    requests, world.stream[:] = list(world.stream), []
    for request in requests:
        world.start(request)
    first, second, third, _ = world.executions
    for execution in (first, second) if name == "claim without a slot" else (first, second, third):
        world.advance(execution, "COMPLETE")
    if name == "claim without a slot":
        return lambda: world.advance(third, "COMPLETE")
    if name == "completion":
        return lambda: world.advance(first, "COMPLETE")
    if name == "failure":
        return lambda: world.advance(first, "FAILED")
    if name == "ending of an aborted execution":
        first.status = "ABORTED"
        return lambda: world.tell_ending(first)
    if name == "cancellation in the queue":
        world.ask(world.launch_ids[2], Status.CANCEL_REQUESTED)
        world.start(world.stream.pop())
        return lambda: world.advance(world.executions[-1], "COMPLETE")
    if name == "lost requests":
        world.submit("dan")
        world.submit("eve")
        world.stream.clear()
        return lambda: lost_requests.start_lost_requests(datetime.now(UTC), timedelta(0))
    assert name == "reconciliation"
    first.status = "ABORTED"
    return lambda: lost_requests.mend_queue(world.queue)


SCENES = [
    "claim without a slot",
    "completion",
    "failure",
    "ending of an aborted execution",
    "cancellation in the queue",
    "reconciliation",
    "lost requests",
]


def try_each_call(world: World, name: str, *, refuse: str | None = None) -> None:
    """One world for each call that the function makes, in which this call goes wrong, until it makes no more."""
    for call in range(MOST_CALLS):
        fresh = again(world)
        act = scene(fresh, name)
        world.trouble.plan(call, refuse=refuse)
        with suppress(KilledError, ClientError):
            act()
        world.trouble.clear()
        assert_true_end(fresh)
        if not world.trouble.has_struck:
            assert call > 1, "the function makes calls"
            return
    pytest.fail("the function makes more calls than expected")


@pytest.mark.parametrize("name", SCENES)
def test_a_function_killed_between_any_two_of_its_calls(world, name):
    try_each_call(world, name)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("claim without a slot", "TransactionConflictException"),
        ("completion", "ProvisionedThroughputExceededException"),
        ("lost requests", "ThrottlingException"),
    ],
)
def test_a_service_that_throttles_any_call(world, name, code):
    try_each_call(world, name, refuse=code)


def campaign(world: World, chance: random.Random, steps: int) -> None:
    """When: anything happens in any order, and each thing may be repeated, lost, or killed half way."""
    for _ in range(chance.randint(1, 6)):
        world.submit(chance.choice(["ada", "bob"]))
    for _ in range(steps):
        if chance.random() < 0.25:
            world.trouble.plan(chance.randrange(8), after=chance.random() < 0.5)
        _happen(world, chance)
        world.trouble.clear()
    assert_true_end(world)


def _happen(world: World, chance: random.Random) -> None:
    kind = chance.choice(["deliver", "deliver", "advance", "advance", "advance", "tell", "abort", "cancel", "retry"])
    if kind == "deliver" and world.stream:
        request = chance.choice(world.stream)  # in any order
        if chance.random() < 0.8:  # or else it comes again
            world.stream.remove(request)
        if chance.random() < 0.8:  # or else it is lost
            world.start(request)
    elif kind in ("advance", "abort", "tell") and world.executions:
        execution = chance.choice(world.executions)
        if kind == "advance":
            world.advance(execution, chance.choice(["COMPLETE", "FAILED"]))
        elif kind == "abort" and execution.status == "RUNNING":
            execution.status = "ABORTED"
        elif kind == "tell" and execution.status != "RUNNING":
            world.tell_ending(execution)
    elif kind == "cancel":
        world.trouble.clear()  # a person who is refused asks again
        world.ask(chance.choice(world.launch_ids), Status.CANCEL_REQUESTED)
    elif kind == "retry":
        world.trouble.clear()
        world.ask(chance.choice(world.launch_ids), Status.RETRY)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_any_mixture_of_faults_ends_well(world, seed):
    campaign(again(world), random.Random(seed), steps=40)


@pytest.mark.full
@pytest.mark.timeout(3600)
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_a_long_campaign_of_faults_ends_well(world, seed):
    campaign(again(world), random.Random(seed), steps=120)
