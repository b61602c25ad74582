"""What statements mean, row by row as IAM's documentation says it.

Below docs.aws.amazon.com/IAM/latest/UserGuide/:
[operators] reference_policies_elements_condition_operators.html
[sets]      reference_policies_condition-single-vs-multi-valued-context-keys.html
[variables] reference_policies_variables.html
[dynamodb]  docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
"""

from typing import Any

import pytest

from localcloud.iam.conditions import conditions_met, filled, matches, resources_match

REQUEST: dict[str, Any] = {
    "aws:principaltag/team": "gwas",
    "aws:principaltag/launchid": "own",
    "aws:principalarn": "arn:aws:iam::000000000000:role/genolaunch/dev/launches/own/1/own-1",
    "s3:prefix": "gwas/cohort/",
    "aws:sourceip": "10.1.2.3",
    "aws:securetransport": "true",
    "s3:max-keys": "10",
    "aws:currenttime": "2026-11-30T12:00:00Z",
    "dynamodb:leadingkeys": ["own", "own.a"],
    "dynamodb:attributes": [],
    "dynamodb:select": "SPECIFIC_ATTRIBUTES",
    "aws:tagkeys": ["launchId", "stage"],
}


def value_of(key: str) -> Any:
    return REQUEST.get(key.lower())


def met(operator: str, key: str, *expected: Any, effect: str = "Allow") -> bool:
    return conditions_met({operator: {key: list(expected)}}, value_of, effect)


@pytest.mark.parametrize(
    ("operator", "key", "expected", "is_met"),
    [
        # [operators] values are alternatives; negated ones must all differ
        ("StringEquals", "aws:PrincipalTag/team", ["cardio", "gwas"], True),
        ("StringEquals", "aws:PrincipalTag/team", ["GWAS"], False),
        ("StringEqualsIgnoreCase", "aws:PrincipalTag/team", ["GWAS"], True),
        ("StringNotEquals", "aws:PrincipalTag/team", ["cardio", "gwas"], False),
        ("StringNotEquals", "aws:PrincipalTag/team", ["cardio", "neuro"], True),
        ("StringLike", "s3:prefix", ["gwas/*"], True),
        ("StringLike", "s3:prefix", ["gwas/cohor?/"], True),
        ("StringLike", "s3:prefix", ["Gwas/*"], False),
        ("StringNotLike", "s3:prefix", ["gwas/*"], False),
        ("NumericLessThanEquals", "s3:max-keys", ["10"], True),
        ("NumericLessThan", "s3:max-keys", [10], False),
        ("NumericLessThan", "s3:max-keys", ["many"], False),
        ("DateGreaterThan", "aws:CurrentTime", ["2026-11-01T00:00:00Z"], True),
        ("DateLessThan", "aws:CurrentTime", ["1"], False),
        ("Bool", "aws:SecureTransport", [True], True),
        ("Bool", "aws:SecureTransport", ["false"], False),
        ("IpAddress", "aws:SourceIp", ["10.1.0.0/16"], True),
        ("NotIpAddress", "aws:SourceIp", ["10.1.0.0/16"], False),
        # [operators] each of the six parts of an ARN is checked by itself
        ("ArnLike", "aws:PrincipalArn", ["arn:aws:iam::*:role/genolaunch/*"], True),
        ("ArnEquals", "aws:PrincipalArn", ["arn:aws:iam::000000000000:role/*"], True),
        ("ArnLike", "aws:PrincipalArn", ["arn:*:role/genolaunch/*"], False),
        ("ArnNotLike", "aws:PrincipalArn", ["arn:aws:iam::*:role/*"], False),
        # [operators] a key that the request lacks: not met, but for negated ones, ...IfExists and Null
        ("StringEquals", "aws:PrincipalTag/none", ["x"], False),
        ("StringLike", "aws:PrincipalTag/none", ["*"], False),
        ("StringNotEquals", "aws:PrincipalTag/none", ["x"], True),
        ("ArnNotEquals", "aws:SourceArn", ["arn:aws:iam::1:role/x"], True),
        ("StringEqualsIfExists", "aws:PrincipalTag/none", ["x"], True),
        ("StringEqualsIfExists", "aws:PrincipalTag/team", ["x"], False),
        ("Null", "aws:PrincipalTag/none", ["true"], True),
        ("Null", "aws:PrincipalTag/team", ["true"], False),
        ("Null", "aws:PrincipalTag/team", [False], True),
        # [sets] ForAllValues: every value fits; true without a value, and with an empty set
        ("ForAllValues:StringLike", "dynamodb:LeadingKeys", ["own*"], True),
        ("ForAllValues:StringLike", "dynamodb:LeadingKeys", ["own.*"], False),
        ("ForAllValues:StringEquals", "dynamodb:Attributes", ["a"], True),
        ("ForAllValues:StringEquals", "aws:PrincipalTag/none", ["x"], True),
        ("Null", "dynamodb:Attributes", ["false"], False),
        ("ForAllValues:StringNotEquals", "aws:TagKeys", ["stage"], False),
        ("ForAllValues:StringNotEquals", "aws:TagKeys", ["team"], True),
        # [sets] ForAnyValue: one value fits; false without a value
        ("ForAnyValue:StringEquals", "aws:TagKeys", ["stage", "team"], True),
        ("ForAnyValue:StringEquals", "aws:TagKeys", ["team"], False),
        ("ForAnyValue:StringEquals", "dynamodb:Attributes", ["a"], False),
        ("ForAnyValue:StringNotEquals", "dynamodb:Attributes", ["a"], False),
        ("ForAnyValue:StringEqualsIfExists", "dynamodb:Attributes", ["a"], True),
        # [dynamodb]
        ("StringEquals", "dynamodb:Select", ["SPECIFIC_ATTRIBUTES"], True),
        ("StringEqualsIfExists", "dynamodb:ReturnValues", ["NONE"], True),
        ("ForAllValues:StringLike", "dynamodb:LeadingKeys", ["${aws:PrincipalTag/launchId}*"], True),
        # [variables] in values; without a value nothing fits
        ("StringLike", "s3:prefix", ["${aws:PrincipalTag/team}/*"], True),
        ("StringEquals", "aws:PrincipalTag/team", ["${aws:PrincipalTag/none}"], False),
        ("StringEquals", "aws:PrincipalTag/team", ["${aws:PrincipalTag/none, 'gwas'}"], True),
    ],
)
def test_a_condition(operator, key, expected, is_met):
    assert met(operator, key, *expected) is is_met


def test_all_conditions_and_all_keys_of_one_count():
    both = {"StringEquals": {"aws:PrincipalTag/team": "gwas", "s3:prefix": "other"}}

    assert not conditions_met(both, value_of, "Allow")
    assert conditions_met({}, value_of, "Allow")


@pytest.mark.parametrize(
    ("operator", "key"),
    [
        ("StringEquals", "dynamodb:ImportantThing"),
        ("StringNotEquals", "dynamodb:ImportantThing"),
        ("StringEqualsIfExists", "dynamodb:ImportantThing"),
        ("ForAllValues:StringEquals", "dynamodb:ImportantThing"),
        ("Null", "dynamodb:ImportantThing"),
        ("StringResembles", "aws:PrincipalTag/team"),
        ("StringResemblesIfExists", "aws:PrincipalTag/none"),
        ("StringEquals", "dynamodb:LeadingKeys"),  # multivalued, without a set operator
    ],
)
def test_what_is_not_known_allows_nothing_and_denies(operator, key, caplog):
    assert not met(operator, key, "true")
    assert met(operator, key, "true", effect="Deny")
    assert "This cloud does not know" in caplog.text


def test_an_allowance_is_not_met_by_a_variable_without_a_value():
    assert not met("StringNotEquals", "aws:PrincipalTag/team", "${aws:PrincipalTag/none}")


@pytest.mark.parametrize(
    ("resource", "pattern", "is_match"),
    [
        ("arn:aws:s3:::data/own/x", "arn:aws:s3:::data/${aws:PrincipalTag/launchId}/*", True),
        ("arn:aws:s3:::data/other/x", "arn:aws:s3:::data/${aws:PrincipalTag/launchId}/*", False),
        ("arn:aws:s3:::data//x", "arn:aws:s3:::data/${aws:PrincipalTag/none}/*", False),
        ("arn:aws:s3:::data/x", "arn:aws:s3:::data/*${aws:PrincipalTag/none}", False),
        ("arn:aws:s3:::data/a*b", "arn:aws:s3:::data/a${*}b", True),
        ("arn:aws:s3:::data/a-b", "arn:aws:s3:::data/a${*}b", False),
        ("arn:aws:s3:::data/$5", "arn:aws:s3:::data/${$}5", True),
    ],
)
def test_a_variable_in_a_resource(resource, pattern, is_match):
    assert resources_match(resource, [pattern], [], value_of) is is_match


def test_an_exception_of_which_a_part_is_missing_allows_nothing():
    assert resources_match("arn:aws:s3:::data/x", [], ["arn:aws:s3:::other/*"], value_of)
    assert not resources_match("arn:aws:s3:::data/x", [], ["arn:aws:s3:::${aws:PrincipalTag/none}/*"], value_of)


def test_what_the_request_brings_is_no_wildcard():
    pattern = filled("${aws:username}/*", lambda _key: "*")

    assert pattern is not None
    assert matches("*/x", pattern)
    assert not matches("somebody/x", pattern)
