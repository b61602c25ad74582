"""What a run found, for people (Markdown) and for scripts (JSON values)."""

from typing import Any, Final

from genolaunch.verify.checks import Finding, Outcome
from genolaunch.verify.evidence import Trial
from genolaunch.verify.run import Verdict

_ORDER: Final = (Outcome.DID_NOT_HOLD, Outcome.COULD_NOT_TELL, Outcome.HELD, Outcome.NOT_CHECKED)
_HEADINGS: Final = {
    Outcome.DID_NOT_HOLD: "Did not hold",
    Outcome.COULD_NOT_TELL: "Could not be told",
    Outcome.HELD: "Held",
    Outcome.NOT_CHECKED: "Not checked",
}


def markdown(verdict: Verdict) -> str:
    """The report. The claims are those of docs/verified.md, by their ids."""
    lines = [f"# What stage {verdict.stage} shows of docs/verified.md", "", summary(verdict), ""]
    for outcome in _ORDER:
        found = [finding for finding in verdict.findings if finding.outcome is outcome]
        if found:
            lines += [f"## {_HEADINGS[outcome]}", "", *_table(found), ""]
    lines += ["## Launches", "", *_launches(verdict), ""]
    return "\n".join(lines)


def summary(verdict: Verdict) -> str:
    """One sentence: how many of what, and what it cost."""
    counts = {outcome: sum(each.outcome is outcome for each in verdict.findings) for outcome in _ORDER}
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    return f"Of {len(verdict.findings)} claims: {told}. The launches cost {verdict.cost:.6f} USD."


def document(verdict: Verdict) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        "stage": verdict.stage,
        "held": verdict.has_held,
        "costUsd": str(verdict.cost),
        "findings": [
            {"id": each.claim.id, "claim": each.claim.text, "outcome": str(each.outcome), "seen": each.seen}
            for each in verdict.findings
        ],
        "launches": [
            {
                "kind": str(trial.kind),
                "launchId": trial.launch.launch_id,
                "status": str(trial.launch.status),
                "costStatus": str(trial.cost.cost_status) if trial.cost and trial.cost.cost_status else None,
                "costUsd": str(trial.cost.total) if trial.cost and trial.cost.total is not None else None,
            }
            for trial in verdict.trials
        ],
    }


def _table(findings: list[Finding]) -> list[str]:
    return [
        "| id | claim | seen |",
        "| --- | --- | --- |",
        *(f"| `{each.claim.id}` | {each.claim.text} | {_cell(each.seen)} |" for each in findings),
    ]


def _launches(verdict: Verdict) -> list[str]:
    return [
        "| for | launch | status | USD |",
        "| --- | --- | --- | --- |",
        *(
            f"| {trial.kind} | {trial.launch.launch_id} | {trial.launch.status} | {_price(trial)} |"
            for trial in verdict.trials
        ),
    ]


def _price(trial: Trial) -> str:
    return str(trial.cost.total) if trial.cost and trial.cost.total is not None else "unknown"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
