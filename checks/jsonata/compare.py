"""Evaluates every expression on every scope of the corpus, in the reference engine and in the embedded cloud's."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from checks.jsonata import reference
from checks.jsonata.corpus import Corpus
from checks.jsonata.places import Place
from checks.jsonata.reference import NOW, Outcome
from localcloud import ministack_adapter as embedded
from localcloud.jsonata_engine import behave_like_reference
from localcloud.jsonata_record import Evaluation

_LONGEST_SHOWN: Final = 600


@dataclass(frozen=True)
class Report:
    """The result of a comparison."""

    expressions: int
    evaluations: int
    faults: tuple[str, ...]


def compare(places: Sequence[Place], corpus: Corpus) -> Report:
    """Compare the engines on all places. Raises reference.NoReferenceError."""
    faults: list[str] = []
    pairs: list[tuple[Place, Evaluation]] = []
    for place in places:
        try:
            own = [(place, evaluation) for evaluation in corpus.evaluations(place)]
        except KeyError as missing:
            faults.append(f"{place}: no value for the substitution {missing}: see docs/jsonata.md")
            continue
        if not own:
            faults.append(f"{place}: no state was recorded for it, and none made by hand: see docs/jsonata.md")
        pairs += own
    scopes_without_place = [scope for scope in corpus.scopes if not any(scope.covers(place) for place in places)]
    faults += [
        f"{s.machine}: {s.state}: {s.within}: a state of tests/data/jsonata that matches no expression"
        for s in scopes_without_place
    ]
    evaluations = [evaluation for _, evaluation in pairs]
    faults += [
        f"{place}: {difference}"
        for place, difference in zip((place for place, _ in pairs), differences(evaluations), strict=True)
        if difference
    ]
    return Report(len(places), len(pairs), tuple(faults))


def differences(evaluations: Sequence[Evaluation]) -> list[str]:
    """The fault of each evaluation, or an empty text.

    An expression that fails in both engines is wrong, too: on AWS the execution would fail with
    States.QueryEvaluationError.
    """
    return [
        _difference(evaluation, expected, found)
        for evaluation, expected, found in zip(
            evaluations, reference.evaluate(evaluations), embedded_outcomes(evaluations), strict=True
        )
    ]


def embedded_outcomes(evaluations: Iterable[Evaluation]) -> list[Outcome]:
    """The results of the embedded cloud's engine."""
    behave_like_reference()
    with embedded.jsonata_functions(_PINNED):
        return [_embedded_outcome(evaluation) for evaluation in evaluations]


def _embedded_outcome(evaluation: Evaluation) -> Outcome:
    try:
        return Outcome(embedded.evaluate_jsonata(evaluation))
    except embedded.TaskError as failure:
        return Outcome(error=failure.cause)


_PINNED: Final = {
    "now": lambda: datetime.fromtimestamp(NOW / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    "millis": lambda: NOW,
    "random": lambda: 0.5,
    "uuid": lambda: "00000000-0000-4000-8000-000000000000",
}
"""Fixed values of clock, random numbers and identifiers, the same as in reference.cjs."""


def _difference(evaluation: Evaluation, expected: Outcome, found: Outcome) -> str:
    if expected.error is None and found.error is None and same(expected.value, found.value):
        return ""
    return "\n".join(
        (
            "the engines differ"
            if (expected.error is None) or (found.error is None)
            else "neither engine has a result",
            f"  expression: {evaluation.expression}",
            f"  on:         {_short([evaluation.states, evaluation.variables])}",
            f"  reference:  {_shown(expected)}",
            f"  embedded:   {_shown(found)}",
        )
    )


def same(one: Any, other: Any) -> bool:  # noqa: ANN401 - any JSON
    """Whether two results are the same JSON: 1 and 1.0 are, 1 and true are not; and keys have the same order."""
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def _shown(outcome: Outcome) -> str:
    return f"error: {outcome.error}" if outcome.error is not None else _short(outcome.value)


def _short(value: Any) -> str:  # noqa: ANN401 - any JSON
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]} …"
