import pytest

from localcloud.batch.retry import parse_retry_strategy

RULES = [
    {"onStatusReason": "Host EC2*", "action": "RETRY"},
    {"onExitCode": "3", "onReason": "", "action": "RETRY"},
    {"onReason": "*", "action": "EXIT"},
]


@pytest.mark.parametrize(
    ("exit_code", "reason", "status_reason", "again"),
    [
        (None, None, "Host EC2 (instance i-1) terminated.", True),
        (3, None, "Essential container in task exited", True),
        (3, "OutOfMemoryError: x", "Essential container in task exited", False),  # all conditions must match
        (33, None, "Essential container in task exited", False),
        (1, None, "Essential container in task exited", False),
    ],
)
def test_the_first_rule_that_matches_decides(exit_code, reason, status_reason, again):
    strategy = parse_retry_strategy({"attempts": 3, "evaluateOnExit": RULES})
    assert strategy.allows_another(1, exit_code, reason, status_reason) is again


def test_without_a_matching_rule_the_job_is_tried_again():
    strategy = parse_retry_strategy({"attempts": 3, "evaluateOnExit": RULES[:1]})
    assert strategy.allows_another(1, 1, None, "Essential container in task exited")


def test_the_number_of_attempts_is_the_limit_whatever_the_rules_say():
    strategy = parse_retry_strategy({"attempts": 3, "evaluateOnExit": RULES})
    assert not strategy.allows_another(3, None, None, "Host EC2 (instance i-1) terminated.")


def test_a_strategy_is_shown_as_it_was_given():
    document = {"attempts": 3, "evaluateOnExit": RULES}
    assert parse_retry_strategy(document).describe() == document
    assert parse_retry_strategy({}).describe() == {"attempts": 1, "evaluateOnExit": []}
