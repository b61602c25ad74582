"""How complex an event pattern is, as aws/event-ruler measures it (MachineComplexityEvaluator, `evaluate`).

All the wildcards of one field make one automaton, in which those that begin alike share their first states. Reading an
event's value, the automaton can be in several states at once; each counts the wildcards that can still match from it.
The greatest sum over all values is the field's complexity, and the greatest of the fields the pattern's.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, Final

MOST_COMPLEX: Final = 9
"""EventBridge does not say where it draws the line. Rules with three wildcards like `*:stack/NAME/*` are taken (9 by
this measure), with four refused (12; vals-ai/Valkyrie, pull request 278): no more than what is known to be taken."""


def complexity(pattern: Any) -> int:  # noqa: ANN401 - JSON
    """The measure of an event pattern; 0 without wildcards. What is above MOST_COMPLEX is not measured to its end."""
    return max((_of_field(wildcards) for wildcards in _wildcards_by_field(pattern, ()).values()), default=0)


def _wildcards_by_field(pattern: Any, path: tuple[str, ...]) -> dict[tuple[str, ...], list[str]]:  # noqa: ANN401
    found: dict[tuple[str, ...], list[str]] = {}
    if not isinstance(pattern, dict):
        return found
    for key, value in pattern.items():
        if key == "$or":
            inner = [_wildcards_by_field(one, path) for one in value]
        elif isinstance(value, dict):
            inner = [_wildcards_by_field(value, (*path, key))]
        else:
            inner = [{(*path, key): list(_wildcards(value))}]
        for fields in inner:
            for field, wildcards in fields.items():
                found.setdefault(field, []).extend(wildcards)
    return found


def _wildcards(matchers: Iterable[Any]) -> Iterator[str]:
    for one in matchers:
        if isinstance(one, dict) and isinstance(one.get("wildcard"), str):
            yield one["wildcard"]


class _State:
    """A place in the automaton: the texts read so far, shared by the wildcards that begin with them."""

    def __init__(self, *, loops: bool) -> None:
        self.loops = loops  # after a `*`: any character stays here
        self.next: dict[str, _State] = {}
        self.patterns: set[str] = set()  # that can still match from here


def _of_field(wildcards: list[str]) -> int:
    start = _automaton(set(wildcards))
    alphabet = {character for wildcard in wildcards for character in wildcard if character != "*"} | {""}
    reached = _closure({start})
    seen, waiting, most = {reached}, deque([reached]), 0
    while waiting and most <= MOST_COMPLEX:  # event-ruler ends its search likewise
        states = waiting.popleft()
        most = max(most, sum(len(state.patterns) for state in states))
        for character in alphabet:
            following = _step(states, character)
            if following and following not in seen:
                seen.add(following)
                waiting.append(following)
    return most


def _automaton(wildcards: set[str]) -> _State:
    start = _State(loops=False)
    for wildcard in wildcards:
        state = start
        for character in wildcard:
            state = state.next.setdefault(character, _State(loops=character == "*"))
            state.patterns.add(wildcard)
    return start


def _step(states: frozenset[_State], character: str) -> frozenset[_State]:
    """Where a character leads; "" stands for any that no wildcard has."""
    following = {state for state in states if state.loops}
    following |= {state.next[character] for state in states if character in state.next}
    return _closure(following)


def _closure(states: set[_State]) -> frozenset[_State]:
    """A `*` matches nothing as well."""
    closed = set(states)
    for state in states:
        while "*" in state.next:
            state = state.next["*"]
            closed.add(state)
    return frozenset(closed)
