"""Runs the checks in parallel. A check that fails becomes a line with the reason."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, Final

from genolaunch.doctor import access, leftovers, machine, places, quotas, roles, volumes
from genolaunch.doctor.account import Account
from genolaunch.doctor.finding import Check, Finding, State, unknown
from genolaunch.doctor.permissions import ACTIONS, REFUSALS
from genolaunch.errors import sentence_for

_SECONDS: Final = 60.0
"""For all checks together. Each of their calls gives up much sooner (Account)."""

_AT_ONCE: Final = 16


def checks(account: Account) -> list[Check]:
    """What is looked at besides whose credentials these are, in the order of the lines."""
    modules = (access, volumes, roles, places, quotas, leftovers, machine)
    return [check for module in modules for check in module.checks(account.settings)]


def examine(account: Account, seconds: float = _SECONDS) -> list[Finding]:
    """Every line. With credentials of another account no other question makes sense, and none is asked."""
    whose = _answer(access.CREDENTIALS, account)
    others = checks(account)
    if any(finding.state is not State.OK for finding in whose):
        reason = "not asked without credentials of the stage's account"
        return [*whose, *(unknown(check.name, reason) for check in others)]
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="doctor")
    try:
        answers = [pool.submit(_answer, check, account) for check in others]
        wait(answers, seconds)
        lines = [
            answer.result() if answer.done() else [unknown(check.name, f"no answer within {seconds:g} s")]
            for check, answer in zip(others, answers, strict=True)
        ]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return [*whose, *(line for found in lines for line in found)]


def _answer(check: Check, account: Account) -> Sequence[Finding]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return check.examine(account)
    except ClientError as error:
        action = permission_that_lacks(error.response, error.operation_name)
        reason = f"{action} is not allowed" if action else str(sentence_for(error)).rstrip(".")
        return [unknown(check.name, reason)]
    except BotoCoreError as error:
        sentence = sentence_for(error) or str(error)
        return [unknown(check.name, sentence.rstrip("."))]


def permission_that_lacks(response: Any, operation: str) -> str | None:  # noqa: ANN401 - botocore's error response
    """The action that a refused caller would need; None if the call failed for something else."""
    code = str(response.get("Error", {}).get("Code", ""))
    return ACTIONS.get(operation, operation) if code in REFUSALS else None
