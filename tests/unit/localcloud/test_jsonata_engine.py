"""The embedded cloud's JSONata engine does as the reference of the version that Step Functions has."""

import pytest

from checks.jsonata import reference
from checks.jsonata.compare import embedded_outcomes, same
from localcloud.jsonata_record import Evaluation

VARIABLES = {"text": "a1b22c", "null": None, "list": [1, None, 3], "none": [], "number": 2.5}
SAME = (
    "$split($text, /([0-9])+/)",
    "$split($text, /[0-9]/)",
    "$split($text, /([0-9])/, 2)",
    "$split($text, /([0-9])/, 1.5)",
    "$split($text, /([0-9])/, 0)",
    "$split($text, 'b')",
    "$split($text, '')",
    "$split($text, '', 2)",
    "['a,b'].$split(',')",
    "$count($null)",
    "$count($list)",
    "$count($none)",
    "$count($nowhere)",
    "$count('a')",
    "$formatNumber($number, '#')",
    "$formatNumber(0.5, '#0')",
    "$formatNumber(-2.5, '0')",
    "$formatNumber(-2.5, '0;(0)')",
    "$formatNumber(12345.125, '#,##0.00')",
    "$formatNumber(0.125, '0.0%')",
    "$formatNumber(0.145, '0%')",
    "-5 % 3",
    "5 % -3",
    "$string(0.1 + 0.2)",
    "$string(10 / 2)",
    "$substring('héllo😀x', 0, 6)",
    "$partition([1..5], 2)",
    "$range(0, 10, 4)",
    "$range(3, 1, -1)",
    "$hash($text, 'SHA-384')",
    "$parse('{\"a\": [1.0, null]}')",
    "$uuid() & $now() & $string($random()) & $string($millis())",
)
REFUSED = (
    "$nowhere ?? 1",
    "'' ?: 2",
    "$eval('1')",
    "$split($null, ',')",
    "$split($text, /x*/)",
    "$split($text, 'b', -1)",
    "$nowhere",
    "$partition([1], 0)",
    "$hash($text, 'CRC')",
    "$parse('{')",
)


@pytest.fixture(scope="module")
def outcomes() -> dict[str, tuple[reference.Outcome, reference.Outcome]]:
    asked = [Evaluation("m", "s", expression, {"input": {}, "context": {}}, VARIABLES) for expression in SAME + REFUSED]
    pairs = zip(reference.evaluate(asked), embedded_outcomes(asked), strict=True)
    return dict(zip(SAME + REFUSED, pairs, strict=True))


@pytest.mark.parametrize("expression", SAME)
def test_the_engines_agree(outcomes, expression) -> None:
    expected, found = outcomes[expression]

    assert (expected.error, found.error) == (None, None)
    assert same(expected.value, found.value), (expected, found)


@pytest.mark.parametrize("expression", REFUSED)
def test_both_engines_refuse(outcomes, expression) -> None:
    expected, found = outcomes[expression]

    assert expected.error
    assert found.error
