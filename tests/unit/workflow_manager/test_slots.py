"""Who is next: fair between people, and in order of submission."""

from hypothesis import given
from hypothesis import strategies as st

from lambdas.workflow_manager.slots import Slots

USERS = st.sampled_from(["ada", "bob", "cyd"])


def test_who_has_fewer_slots_comes_before_who_waits_longer():
    slots = Slots(running={"a-1": "ada", "b-1": "ada", "c-1": "bob"}, waiting={"ada": "1", "bob": "2"})

    assert slots.next_user() == "bob"


def test_between_equals_the_one_who_waits_longest_is_next():
    assert Slots({"a-1": "ada", "b-1": "bob"}, {"ada": "2#x", "bob": "1#y"}).next_user() == "bob"


def test_nobody_is_next_when_nobody_waits():
    assert Slots({"a-1": "ada"}, {}).next_user() is None


@given(
    running=st.dictionaries(st.integers().map(lambda n: f"run-{n}"), USERS),
    waiting=st.dictionaries(USERS, st.text(), min_size=1),
)
def test_nobody_who_waits_has_fewer_slots_than_who_is_next(running, waiting):
    chosen = Slots(running, waiting).next_user()

    have = {user: list(running.values()).count(user) for user in waiting}
    assert have[chosen] == min(have.values())
