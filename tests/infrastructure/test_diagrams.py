"""What the docs draw and count is that of the templates and state machines as they are."""

import pytest

from checks import diagrams, idle_cost
from tests.infrastructure.conftest import Stack, make_settings, synthesize


@pytest.fixture(scope="module")
def stacks() -> dict[str, Stack]:
    """Given: a stage as those of cdk.json are, which have images of their own, and so an inventory."""
    return synthesize(make_settings(images={}))


def test_the_diagrams_in_docs_are_current(stacks):
    drawn = diagrams.page({name: stack.template for name, stack in stacks.items()})

    assert diagrams.PAGE.read_text() == drawn, "make reference"


def test_what_is_wired_across_stacks_is_drawn(stacks):
    arrows = {
        (arrow.source.label, arrow.target.label)
        for arrow in diagrams.Wiring({name: stack.template for name, stack in stacks.items()}).arrows()
    }

    assert {
        ("bucket LaunchFiles", "queue Registrations"),
        ("queue Registrations", "λ register_launch"),
        ("table Launches", "⚙ launch"),
        ("⚙ launch", "⚙ regenie"),
        ("Step Functions Execution Status Change", "⚙ cleanup"),
    } <= arrows


def test_what_an_idle_stage_costs_is_current(stacks):
    page = idle_cost.PAGE.read_text()
    templates = {name: stack.template for name, stack in stacks.items()}

    assert idle_cost.with_table(page, templates) == page, "make reference"
    assert f"| alarm | {sum(len(stack.all('AWS::CloudWatch::Alarm')) for stack in stacks.values())} |" in page
