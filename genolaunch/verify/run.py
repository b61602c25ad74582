"""One run of verify-stage: launches, evidence, findings, and the removal of everything that it uploaded."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from genolaunch.errors import GenolaunchError, sentence_for
from genolaunch.verify import readings
from genolaunch.verify.account import Account
from genolaunch.verify.checks import Finding, Outcome, judge
from genolaunch.verify.claims import Claim
from genolaunch.verify.evidence import Evidence, Kind, Trial
from genolaunch.verify.notices import Notices, hearing
from genolaunch.verify.tidying import tidy
from genolaunch.verify.trials import Tell, Trials


@dataclass(frozen=True)
class Verdict:
    """What came of a run."""

    stage: str
    findings: tuple[Finding, ...]
    trials: tuple[Trial, ...]

    @property
    def has_held(self) -> bool:
        """Nothing that was asked did not hold."""
        return all(finding.outcome is not Outcome.DID_NOT_HOLD for finding in self.findings)

    @property
    def cost(self) -> Decimal:
        """USD, as far as the launches have prices."""
        return sum((trial.cost.all_attempts for trial in self.trials if trial.cost), Decimal(0))


class _Facts:
    """Facts by their names in Evidence; of those that could not be read, why."""

    def __init__(self) -> None:
        self.known: dict[str, Any] = {}
        self.unreadable: dict[str, str] = {}

    def read(self, name: str, read: Callable[[], Any]) -> None:
        """Read one; AWS's refusal is noted, and goes no further."""
        try:
            self.known[name] = read()
        except Exception as error:
            self.unreadable[name] = _reason(error)


def verify(account: Account, claims: list[Claim], *, with_restore: bool, team: str | None, tell: Tell) -> Verdict:
    """Drop the launches, follow them, and judge the claims.

    In any case, even after Ctrl-C, running launches are cancelled, and uploads are deleted.
    Raises GenolaunchError when the stage is not deployed.
    """
    name = f"verify-{uuid.uuid4().hex[:8]}"
    facts = _Facts()
    letters_before = readings.letters(account)
    trials = Trials(account, name, team, tell)
    try:
        with hearing(account, name) as notices:
            if with_restore:
                trials.archive()
            trials.drop(with_restore=with_restore)
            facts.read("log_error", lambda: readings.log_error(account, name))
            trials.cancel()
            trials.follow()
            evidence = _gather(account, trials, notices, facts, letters_before)
        return Verdict(account.stage, tuple(judge(claims, evidence)), tuple(evidence.trials.values()))
    except BaseException:
        trials.cancel_all()
        raise
    finally:
        tell(f"{tidy(account, name, trials.drops.launch_ids.values())} versions of objects deleted")


def _gather(
    account: Account, trials: Trials, notices: Notices, facts: _Facts, letters_before: dict[str, int]
) -> Evidence:
    drops = trials.drops
    seen: dict[Kind, Trial] = {}
    absent = dict(drops.absent)
    for kind in drops.launch_ids:
        try:
            seen[kind] = readings.read_trial(account, trials, kind)
        except Exception as error:
            absent[kind] = _reason(error)
    told = [*drops.launch_ids.items()]
    wanted = [id_ for kind, id_ in told if kind is not Kind.CANCELLED]
    if drops.rejection and drops.rejection.launch:
        wanted.append(drops.rejection.launch.launch_id)
    facts.read("notices", lambda: notices.wait_until(lambda texts: all(any(i in t for t in texts) for i in wanted)))
    facts.read("stacks", lambda: readings.stack_statuses(account))
    facts.read("new_dead_letters", lambda: _more(letters_before, readings.letters(account)))
    facts.read("deployed_at", lambda: readings.deployed_at(account))
    facts.read("schema_at", lambda: readings.schema_at(account))
    facts.read("stale_put", lambda: readings.stale_put(account, drops.name))
    return Evidence(
        trials=seen,
        absent=absent,
        rejection=drops.rejection,
        twin_id=drops.twin_id,
        unreadable=facts.unreadable,
        **facts.known,
    )


def _more(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {queue: count - before.get(queue, 0) for queue, count in after.items() if count > before.get(queue, 0)}


def _reason(error: Exception) -> str:
    """One sentence; a fault that is ours is not hidden as one of AWS's."""
    sentence = str(error) if isinstance(error, GenolaunchError) else sentence_for(error)
    if sentence is None:
        raise error
    return sentence
