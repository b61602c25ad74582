"""Whether a failed attempt of a job is followed by another one.

Source: AWS Batch API reference, RetryStrategy and EvaluateOnExit.
"""

from dataclasses import dataclass
from typing import Any

MAX_ATTEMPTS = 10
MAX_RULES = 5


@dataclass(frozen=True, slots=True)
class ExitRule:
    """One `evaluateOnExit` condition: what is not None must match for `retry` to decide."""

    retry: bool
    on_exit_code: str | None = None
    on_reason: str | None = None
    on_status_reason: str | None = None

    def matches(self, exit_code: int | None, reason: str | None, status_reason: str | None) -> bool:
        """Whether every condition of the rule holds. What a container did not report counts as an empty text."""
        return (
            _glob(self.on_exit_code, "" if exit_code is None else str(exit_code))
            and _glob(self.on_reason, reason or "")
            and _glob(self.on_status_reason, status_reason or "")
        )

    def describe(self) -> dict[str, Any]:
        """The rule as the API shows it."""
        conditions = {
            "onExitCode": self.on_exit_code,
            "onReason": self.on_reason,
            "onStatusReason": self.on_status_reason,
        }
        given = {name: pattern for name, pattern in conditions.items() if pattern is not None}
        return {**given, "action": "RETRY" if self.retry else "EXIT"}


@dataclass(frozen=True, slots=True)
class RetryStrategy:
    """How often a job may be attempted, and the rules that end it earlier."""

    attempts: int = 1
    rules: tuple[ExitRule, ...] = ()

    def allows_another(
        self, attempts_made: int, exit_code: int | None, reason: str | None, status_reason: str | None
    ) -> bool:
        """Whether a job is tried again after an attempt that failed this way. No matching rule means: retry."""
        if attempts_made >= self.attempts:
            return False
        for rule in self.rules:
            if rule.matches(exit_code, reason, status_reason):
                return rule.retry
        return True

    def describe(self) -> dict[str, Any]:
        """The strategy as the API shows it."""
        return {"attempts": self.attempts, "evaluateOnExit": [rule.describe() for rule in self.rules]}


def parse_retry_strategy(document: dict[str, Any]) -> RetryStrategy:
    """Read an API `RetryStrategy`. Raises ValueError with Batch's sentence for one that Batch refuses."""
    attempts = document.get("attempts", 1)
    if not 1 <= attempts <= MAX_ATTEMPTS:
        raise ValueError(f"Number of attempts must be between 1 and {MAX_ATTEMPTS}.")
    rules = document.get("evaluateOnExit", [])
    if len(rules) > MAX_RULES:
        raise ValueError(f"evaluateOnExit has more than {MAX_RULES} conditions.")
    if rules and "attempts" not in document:
        raise ValueError("attempts must be specified when evaluateOnExit is.")
    return RetryStrategy(attempts, tuple(_parse_rule(rule) for rule in rules))


def _parse_rule(rule: dict[str, Any]) -> ExitRule:
    action = str(rule.get("action", "")).upper()  # Batch's values are not case sensitive
    if action not in {"RETRY", "EXIT"}:
        raise ValueError(f"evaluateOnExit action must be RETRY or EXIT, not {rule.get('action')!r}.")
    parsed = ExitRule(action == "RETRY", rule.get("onExitCode"), rule.get("onReason"), rule.get("onStatusReason"))
    if parsed.on_exit_code is None and parsed.on_reason is None and parsed.on_status_reason is None:
        raise ValueError("evaluateOnExit needs at least one of onExitCode, onReason and onStatusReason.")
    if parsed.on_exit_code is not None and not parsed.on_exit_code.removesuffix("*").isdecimal():
        raise ValueError("onExitCode can contain only numbers, and can end with an asterisk (*).")
    return parsed


def _glob(pattern: str | None, text: str) -> bool:
    """Batch's patterns know one wildcard only: an asterisk at the end."""
    if pattern is None:
        return True
    if pattern.endswith("*"):
        return text.startswith(pattern[:-1])
    return text == pattern
