"""Items that people edit by hand, with sense and without: no launch is lost or unanswered, no more run than may, and a
healthy launch is unharmed by a sick one.

`make test` runs fixed seeds; the campaign of 10,000 launches is a part of `make test-full`, and by itself
`.venv/bin/pytest -m full tests/handlers/faults/test_hand_edits.py`.
"""

import random
from collections.abc import Callable, Iterator
from itertools import takewhile

import pytest

from genolaunch.contract.launch import FINAL_STATUSES, LaunchField, Status
from lambdas.cleanup import lost_endings
from lambdas.pricing import retry_pricing
from lambdas.workflow_manager import lost_requests
from tests.handlers.faults import played_pricing
from tests.handlers.faults.hand_edits import ASKED, NONSENSE, some
from tests.handlers.faults.long_campaigns import assert_all_end_well
from tests.handlers.faults.sick_world import ShiftedTime, SickWorld
from tests.handlers.faults.test_faults import assert_told_truly, happen
from tests.handlers.faults.world import AT_ONCE, World

SEEDS = range(60)
"""Of `make test`."""


@pytest.fixture
def again_sick(again: Callable[[], World], monkeypatch: pytest.MonkeyPatch) -> Callable[[], SickWorld]:
    """Given: a new stage as often as called, whose functions' clocks go with the rounds of their schedules."""
    for module in (lost_requests, lost_endings, retry_pricing):
        monkeypatch.setattr(module, "datetime", ShiftedTime)

    def make() -> SickWorld:
        empty = again()
        world = SickWorld(empty.trouble, empty.tables, empty.clients)
        world.use(world.tables)
        ShiftedTime.hours = 0
        return world

    return make


def assert_healthy_are_unharmed(world: SickWorld) -> None:
    """Then: every file has its answer; every healthy launch is over, priced and told of truly; no slot is lost."""
    world.settle_down()
    assert world.unanswered() == []
    assert set(world.statuses().values()) <= FINAL_STATUSES, (world.statuses(), world.deaths)
    assert world.is_over(), world.deaths
    for launch_id, item in world.items().items():
        if launch_id not in world.was_sick:
            assert played_pricing.is_settled(item), item
            assert_told_truly(world, launch_id, item)
    for _ in range(3):  # a sick one may be about to begin, or to end
        if world.queue.slots().running:
            world.reconcile()
            world.let_an_hour_pass()
    assert dict(world.queue.slots().running) == {}


def assert_mended_come_to_an_end(world: SickWorld) -> None:
    """Then: none of those that were sick is lost, once its item is mended."""
    world.mend()
    world.settle_down()
    assert set(world.statuses().values()) <= FINAL_STATUSES, world.statuses()
    assert world.made == set()
    assert dict(world.queue.slots().running) == {}
    assert len(world.items()) == len(world.dropped)


def assert_slots_are_kept(world: SickWorld) -> None:
    """Then: not more really run than may."""
    assert world.at_work() <= AT_ONCE


def campaign(world: SickWorld, chance: random.Random, launches: int, steps: int) -> None:
    """When: anything happens in any order, and people write into items meanwhile."""
    world.has_prices = chance.random() < 0.8
    for _ in range(launches):
        world.drop(chance.choice(["ada", "bob", "cyd"]))
    for _ in range(steps):
        if chance.random() < 0.25:
            world.trouble.plan(chance.randrange(8), after=chance.random() < 0.5, refuses=chance.random() < 0.3)
        elif chance.random() < 0.4:
            world.trouble.plan_meeting(chance.randrange(8), lambda: happen_or_edit(world, chance))
        happen_or_edit(world, chance)
        world.trouble.clear()
        assert_slots_are_kept(world)
    world.trouble.clear()
    assert_healthy_are_unharmed(world)
    assert_mended_come_to_an_end(world)


def happen_or_edit(world: SickWorld, chance: random.Random) -> None:
    """A third of all launches become sick at some time, and others are asked for things out of turn."""
    launches = list(world.items())
    luck = chance.random()
    if launches and luck < 0.03:
        launch_id = chance.choice(launches)
        if 3 * len(world.was_sick | {launch_id}) <= len(world.dropped):
            world.write(launch_id, some(chance, NONSENSE)[1], is_nonsense=True)
    elif launches and luck < 0.06:
        world.write(chance.choice(launches), some(chance, ASKED)[1], is_nonsense=False)
    else:
        happen(world, chance)


@pytest.mark.parametrize("name", NONSENSE)
@pytest.mark.parametrize("when", ["submitted", "queued", "running", "ended"])
def test_a_healthy_launch_is_unharmed_by_a_sick_one(again_sick, name, when):
    world = again_sick()
    first = world.submit("ada")
    if when in ("running", "ended"):
        world.deliver_everything()
        world.advance(world.executions[0])
        for _ in range(4 * (when == "ended")):
            world.advance(world.executions[0])
    elif when == "queued":
        running = [world.submit("bob") for _ in range(AT_ONCE)]
        world.requests.reverse()
        world.deliver_everything()
        for execution in world.executions:
            world.advance(execution)
        assert len(running) == world.at_work()
    world.write(first, NONSENSE[name], is_nonsense=True)
    world.submit("ada")
    world.submit("cyd")
    world.requests.clear()  # lost: the schedules have to find it

    assert_healthy_are_unharmed(world)
    assert_mended_come_to_an_end(world)


@pytest.mark.parametrize("attribute", [LaunchField.STATUS, LaunchField.SUBMITTED_AT])
def test_a_slot_is_given_back_though_a_key_of_the_index_was_taken_out_of_the_item(again_sick, attribute):
    """Without one an item is in no list, by which schedules look for what was lost."""
    world = again_sick()
    launch_id = world.submit("ada")
    world.deliver_everything()
    world.advance(world.executions[0])
    world.ask(launch_id, Status.CANCEL_REQUESTED)
    world.write(launch_id, {attribute: None}, is_nonsense=True)
    world.end(world.executions[0], "ABORTED")
    world.requests.clear()
    world.endings.clear()  # nobody heard of either

    assert_healthy_are_unharmed(world)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_mixture_of_faults_and_hand_edits_ends_well(again_sick, seed):
    chance = random.Random(seed)
    campaign(again_sick(), chance, chance.randint(3, 9), steps=60)


SHARES = range(10)
"""Of the long campaign: each can run by itself, and several at a time (`pytest --numprocesses`)."""

SHARE = 1_000
"""Launches of each."""


@pytest.mark.full
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("share", SHARES)
def test_ten_thousand_launches_with_faults_and_hand_edits_end_well(again_sick, capsys, share):
    launches, sick, edits = 0, 0, 0
    first = len(SEEDS) + SHARE * share  # a stage has more than one launch: shares have no seed in common

    def stage(chance: random.Random) -> None:
        nonlocal launches, sick, edits
        world = again_sick()
        campaign(world, chance, chance.randint(3, 40), steps=200)
        launches, sick, edits = launches + len(world.items()), sick + len(world.was_sick), edits + world.edits

    def seeds() -> Iterator[int]:
        yield from takewhile(lambda _: launches < SHARE, range(first, first + SHARE))

    assert_all_end_well(seeds(), stage)
    with capsys.disabled():
        print(
            f"\nshare {share}: {launches} launches in stages of the seeds from {first} on, {edits} edits by hand,"
            f" {sick} launches sick: 0 lost, 0 unanswered, 0 above the slots, every healthy one unharmed"
        )
