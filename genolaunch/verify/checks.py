"""One check for each claim that a deployed stage can show: it compares what AWS answered with the claim.

A check answers nothing when the claim held, and else what was seen instead. What it needs and does not have it says by
CannotTellError. The keys are the ids of docs/verified.md.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from genolaunch.contract.cost import CostStatus
from genolaunch.contract.launch import Status
from genolaunch.verify.claims import Claim
from genolaunch.verify.evidence import CannotTellError, Evidence, Kind, Trial

Check = Callable[[Evidence], str | None]

SPOT_RECLAIM: Final = "Host EC2*"
"""How Batch begins the statusReason of a job whose Spot instance was reclaimed (AWS Batch user guide)."""

_FULL: Final = (Kind.REGENIE, Kind.TIBANNA, Kind.AWS_BATCH, Kind.CLUSTER, Kind.RESTORED)
"""Launches that are to end COMPLETE."""
_KINDS_OF_LINES: Final = {"instance", "volume", "file system"}


class Outcome(StrEnum):
    """What a report says of a claim."""

    HELD = "held"
    DID_NOT_HOLD = "did not hold"
    COULD_NOT_TELL = "could not be told"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True)
class Finding:
    """What came of one claim. `seen`: instead of it, or why nothing could be told."""

    claim: Claim
    outcome: Outcome
    seen: str = ""


def judge(claims: Iterable[Claim], evidence: Evidence) -> list[Finding]:
    """A finding for each claim that only AWS can show, or that a deployed stage shows as well."""
    return [_judge(claim, evidence) for claim in claims if claim.on_aws]


def _judge(claim: Claim, evidence: Evidence) -> Finding:
    if not claim.is_checked:
        return Finding(claim, Outcome.NOT_CHECKED, claim.why_not)
    try:
        problem = CHECKS[claim.id](evidence)
    except CannotTellError as reason:
        return Finding(claim, Outcome.COULD_NOT_TELL, str(reason))
    return Finding(claim, Outcome.DID_NOT_HOLD if problem else Outcome.HELD, problem or "")


def _is_complete(trial: Trial) -> str | None:
    launch = trial.launch
    if launch.status is Status.COMPLETE:
        return None
    reason = f": {launch.error.type}: {launch.error.message}" if launch.error else ""
    return f"{launch.launch_id} is {launch.status}{reason}"


def _complete(*kinds: Kind) -> Check:
    """All of these launches ended COMPLETE."""

    def check(evidence: Evidence) -> str | None:
        return _first(_is_complete(evidence.trial(kind)) for kind in kinds)

    return check


def _any_complete(*kinds: Kind) -> Check:
    """Those of these launches that were dropped ended COMPLETE; one was, at least."""

    def check(evidence: Evidence) -> str | None:
        found = [evidence.trials[kind] for kind in kinds if kind in evidence.trials]
        if not found:
            raise CannotTellError("no launch of these was dropped")
        return _first(map(_is_complete, found))

    return check


def _first(problems: Iterable[str | None]) -> str | None:
    return next((problem for problem in problems if problem), None)


def _stacks_are_deployed(evidence: Evidence) -> str | None:
    stacks = evidence.known("stacks")
    wrong = {name: status for name, status in stacks.items() if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE")}
    if not stacks:
        return "the stage has no stack"
    return "; ".join(f"{name} is {status}" for name, status in wrong.items()) or None


def _who_dropped_is_known(evidence: Evidence) -> str | None:
    launch = evidence.trial(Kind.REGENIE).launch
    return None if launch.requested_by else f"{launch.launch_id} has no requestedBy"


def _started_by_the_pipe(evidence: Evidence) -> str | None:
    launch = evidence.trial(Kind.REGENIE).launch
    statuses = [event.status for event in launch.events]
    if Status.SUBMITTED in statuses and Status.RUNNING in statuses:
        return None
    return f"{launch.launch_id} went {' → '.join(statuses) or 'nowhere'}"


def _events_are_appended(evidence: Evidence) -> str | None:
    launch = evidence.trial(Kind.REGENIE).launch
    if not launch.events or launch.events[-1].status is not launch.status:
        return f"{launch.launch_id} is {launch.status}, its events are {[str(each.status) for each in launch.events]}"
    return None


def _jobs_ended_well(evidence: Evidence) -> str | None:
    trial = evidence.trial(Kind.REGENIE)
    if not trial.jobs:
        return f"AWS Batch knows no job of {trial.launch.launch_id}"
    wrong = [f"{job.label} {job.status}" for job in trial.jobs if job.status != "SUCCEEDED"]
    return f"jobs of {trial.launch.launch_id}: {', '.join(wrong)}" if wrong else _is_complete(trial)


def _exported_by_fsx(evidence: Evidence) -> str | None:
    """What jobs wrote came to S3 by the file system's export: it can only be there if they wrote to Lustre."""
    trial = evidence.trial(Kind.REGENIE)
    if not trial.file_system_id:
        return f"{trial.launch.launch_id} had no file system"
    missing = {"report.html", "gwas/height.regenie.gz", "gwas/ldl.regenie.gz"} - set(trial.results)
    return f"not in the results: {', '.join(sorted(missing))}" if missing else _is_complete(trial)


def _mounted(evidence: Evidence) -> str | None:
    """The first thing that each job does is to ask for the type of its workspace and for the sentinel: else exit 3."""
    return _jobs_ended_well(evidence) or _exported_by_fsx(evidence)


def _spot_is_retried(evidence: Evidence) -> str | None:
    rules = evidence.trial(Kind.REGENIE).retry_rules
    if not rules:
        return "AWS Batch has no retry rules in the launch's job definition"
    reclaim = next((rule for rule in rules if rule.get("onStatusReason") == SPOT_RECLAIM), {})
    if reclaim.get("action", "").upper() != "RETRY":
        return f"no rule retries {SPOT_RECLAIM}: {rules}"
    return None if rules[-1].get("action", "").upper() == "EXIT" else f"the last rule does not exit: {rules[-1]}"


def _nothing_is_left(evidence: Evidence) -> str | None:
    left = [
        f"{trial.launch.launch_id}: {kind} {', '.join(ids)}"
        for trial in evidence.trials.values()
        for kind, ids in trial.leftovers.items()
        if ids
    ]
    if not evidence.trials:
        raise CannotTellError("no launch was dropped")
    return "; ".join(left) or None


def _clean_up_succeeded(evidence: Evidence) -> str | None:
    if not evidence.trials:
        raise CannotTellError("no launch was dropped")
    for trial in evidence.trials.values():
        if not trial.clean_ups:
            return f"no clean-up was started for {trial.launch.launch_id}"
        if "SUCCEEDED" not in trial.clean_ups or set(trial.clean_ups) - {"SUCCEEDED"}:
            return f"clean-up of {trial.launch.launch_id} ended {', '.join(trial.clean_ups)}"
    return None


def _cancelled(evidence: Evidence) -> str | None:
    trial = evidence.trial(Kind.CANCELLED)
    if trial.launch.status is not Status.CANCELLED:
        return f"{trial.launch.launch_id} is {trial.launch.status} after it was cancelled"
    left = [f"{kind} {', '.join(ids)}" for kind, ids in trial.leftovers.items() if ids]
    return f"{trial.launch.launch_id} left {'; '.join(left)}" if left else None


def _answered(evidence: Evidence) -> str | None:
    for trial in evidence.trials.values():
        if not trial.feedback.get("accepted") or trial.feedback.get("launchId") != trial.launch.launch_id:
            return f"the answer to {trial.launch.launch_id} is {dict(trial.feedback)}"
    if not evidence.trials:
        raise CannotTellError("no launch was dropped")
    return None


def _rejected(evidence: Evidence) -> str | None:
    rejection = evidence.known("rejection")
    if rejection.accepted:
        return "a config with faults was accepted"
    missing = set(rejection.expected) - {fault.where for fault in rejection.faults}
    if missing:
        return f"not told of: {', '.join(sorted(missing))}"
    if rejection.launch is None or rejection.launch.status is not Status.REJECTED:
        return f"it is {rejection.launch.status if rejection.launch else 'not'} in the table"
    return None


def _joined(evidence: Evidence) -> str | None:
    first, second = evidence.trial(Kind.REGENIE).launch.launch_id, evidence.known("twin_id")
    return None if first == second else f"the same bytes became {second} beside {first}"


def _told(evidence: Evidence) -> str | None:
    notices = evidence.known("notices")
    launches = [trial.launch for trial in evidence.trials.values() if trial.launch.status is not Status.CANCELLED]
    if evidence.rejection and evidence.rejection.launch:
        launches.append(evidence.rejection.launch)
    if not launches:
        raise CannotTellError("no launch had an end that is told")
    untold = [launch.launch_id for launch in launches if not any(launch.launch_id in text for text in notices)]
    return f"no notice of {', '.join(untold)}" if untold else None


def _logged(evidence: Evidence) -> str | None:
    trial = evidence.trial(Kind.REGENIE)
    return None if trial.log_lines else f"no log line of {trial.launch.launch_id}"


def _priced(*kinds: Kind, lines: Iterable[str] = ()) -> Check:
    """The launches are PRICED, sums and the bill in S3 agree, and the bill has lines of these kinds."""
    wanted = set(lines)

    def check(evidence: Evidence) -> str | None:
        found = [evidence.trials[kind] for kind in kinds if kind in evidence.trials]
        if not found:
            raise CannotTellError("no launch of these was dropped")
        return _first(_price_is_wrong(trial, wanted) for trial in found)

    return check


def _price_is_wrong(trial: Trial, wanted: set[str]) -> str | None:
    launch_id, cost = trial.launch.launch_id, trial.cost
    if cost is None or cost.cost_status is not CostStatus.PRICED or cost.total is None:
        status = cost.cost_status if cost else None
        return f"the price of {launch_id} is {status or 'not asked for'}: {cost.reason if cost else None}"
    if cost.total <= 0:
        return f"{launch_id} cost {cost.total} USD"
    total = sum((Decimal(line.amount) for line in cost.lines), Decimal(0))
    if total != cost.total:
        return f"the lines of {launch_id} add up to {total} USD, not {cost.total}"
    if Decimal(str(trial.bill.get("totalCost", "NaN"))) != cost.total:
        return f"the bill of {launch_id} in S3 says {trial.bill.get('totalCost')} USD, the table {cost.total}"
    missing = wanted - {line.kind for line in cost.lines}
    return f"the bill of {launch_id} has no line of {', '.join(sorted(missing))}" if missing else None


def _handled(evidence: Evidence) -> str | None:
    letters = evidence.known("new_dead_letters")
    if letters:
        return "; ".join(f"{count} in {queue}" for queue, count in letters.items())
    refused = [
        f"{trial.launch.launch_id}: {trial.launch.error.message}"
        for trial in evidence.trials.values()
        if trial.launch.error and "not authorized" in trial.launch.error.message
    ]
    return "; ".join(refused) or _any_complete(*_FULL)(evidence)


def _progress_was_written(evidence: Evidence) -> str | None:
    found = [evidence.trials[kind] for kind in (Kind.TIBANNA, Kind.AWS_BATCH) if kind in evidence.trials]
    if not found:
        raise CannotTellError("no Snakemake launch was dropped")
    without = [trial.launch.launch_id for trial in found if trial.launch.progress is None]
    return f"no progress of {', '.join(without)}" if without else None


def _schema_is_published(evidence: Evidence) -> str | None:
    published, deployed = evidence.known("schema_at"), evidence.known("deployed_at")
    return None if published >= deployed else f"the schema is of {published:%Y-%m-%d %H:%M}, older than the deployment"


def _stale_put_is_refused(evidence: Evidence) -> str | None:
    code = evidence.known("stale_put")
    return None if code == "PreconditionFailed" else f"S3 answered {code or 'that it is done'}"


def _log_error_is_kept(evidence: Evidence) -> str | None:
    kept = evidence.known("log_error")
    return None if kept == "NoSpaceLeftError" else f"the line was kept as {kept or 'nothing'}"


def _restored(evidence: Evidence) -> str | None:
    trial = evidence.trial(Kind.RESTORED)
    statuses = [event.status for event in trial.launch.events]
    if Status.WAITING not in statuses:
        return f"{trial.launch.launch_id} did not wait: {' → '.join(statuses)}"
    return _is_complete(trial)


CHECKS: Final[Mapping[str, Check]] = {
    "deployment": _stacks_are_deployed,
    "who-dropped": _who_dropped_is_known,
    "pipe": _started_by_the_pipe,
    "batch-sync": _jobs_ended_well,
    "fsx-associations": _exported_by_fsx,
    "lustre-mount": _mounted,
    "stat-lustre": _mounted,
    "root-jobs": _exported_by_fsx,
    "spot-retry": _spot_is_retried,
    "iam": _handled,
    "service-roles": _handled,
    "roles-of-instances": _any_complete(Kind.TIBANNA, Kind.AWS_BATCH),
    "clean-up": _nothing_is_left,
    "list-tasks": _clean_up_succeeded,
    "cancel": _cancelled,
    "feedback": _answered,
    "rejection": _rejected,
    "identical-bytes": _joined,
    "notices": _told,
    "job-logs": _logged,
    "price": _priced(Kind.REGENIE, Kind.TIBANNA, Kind.AWS_BATCH, Kind.RESTORED),
    "usage-events": _priced(Kind.REGENIE, lines=_KINDS_OF_LINES),
    "price-list": _priced(Kind.REGENIE, Kind.TIBANNA, Kind.AWS_BATCH),
    "tibanna-tags": _priced(Kind.TIBANNA, lines={"instance"}),
    "snakemake-9": _complete(Kind.AWS_BATCH),
    "snakemake-7": _complete(Kind.TIBANNA),
    "create-fleet": _complete(Kind.TIBANNA),
    "encrypted-volumes": _complete(Kind.TIBANNA),
    "start-script": _complete(Kind.TIBANNA),
    "tibanna-images": _complete(Kind.TIBANNA),
    "launcher-sender": _progress_was_written,
    "fargate-volume": _any_complete(Kind.TIBANNA, Kind.AWS_BATCH),
    "dynamodb": _events_are_appended,
    "schema-event": _schema_is_published,
    "if-match": _stale_put_is_refused,
    "log-errors": _log_error_is_kept,
    "restore": _restored,
    "cluster-tags": _complete(Kind.CLUSTER),
    "slurm": _complete(Kind.CLUSTER),
}
