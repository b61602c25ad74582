"""The diagrams of the docs are those of the templates and state machines as they are."""

from checks import diagrams


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
