"""Each check sees its fault: none of them can only say that all is well."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from genolaunch.contract.cost import CostStatus
from genolaunch.contract.launch import Status
from genolaunch.launch import LaunchError
from genolaunch.verify.checks import CHECKS, Finding, Outcome, judge
from genolaunch.verify.claims import CHECKED, Claim
from genolaunch.verify.evidence import Evidence, JobEnd, Kind

Spoil = Callable[[Evidence], Evidence]


def finding(id_: str, evidence: Evidence) -> Finding:
    (found,) = judge([Claim(id_, "a claim", "unverified", CHECKED)], evidence)
    return found


def with_trial(kind: Kind, **changes: Any) -> Spoil:
    def spoil(evidence: Evidence) -> Evidence:
        return replace(evidence, trials={**evidence.trials, kind: replace(evidence.trials[kind], **changes)})

    return spoil


def with_launch(kind: Kind, **changes: Any) -> Spoil:
    return lambda evidence: with_trial(kind, launch=replace(evidence.trials[kind].launch, **changes))(evidence)


def with_cost(kind: Kind, **changes: Any) -> Spoil:
    def spoil(evidence: Evidence) -> Evidence:
        cost = evidence.trials[kind].cost
        assert cost is not None
        return with_trial(kind, cost=replace(cost, **changes))(evidence)

    return spoil


def with_fact(**changes: Any) -> Spoil:
    return lambda evidence: replace(evidence, **changes)


def older_schema(evidence: Evidence) -> Evidence:
    assert evidence.deployed_at is not None
    return replace(evidence, schema_at=evidence.deployed_at - timedelta(days=1))


def accepted_faults(evidence: Evidence) -> Evidence:
    assert evidence.rejection is not None
    return replace(evidence, rejection=replace(evidence.rejection, accepted=True))


def one_fault_untold(evidence: Evidence) -> Evidence:
    assert evidence.rejection is not None
    return replace(evidence, rejection=replace(evidence.rejection, faults=()))


def without_lines_of_file_systems(evidence: Evidence) -> Evidence:
    cost = evidence.trials[Kind.REGENIE].cost
    assert cost is not None
    kept = cost.lines[:2]
    return with_trial(Kind.REGENIE, cost=replace(cost, lines=kept, total=Decimal("0.2")), bill={"totalCost": "0.2"})(
        evidence
    )


def without_lines(evidence: Evidence) -> Evidence:
    cost = evidence.trials[Kind.TIBANNA].cost
    assert cost is not None
    only = (replace(cost.lines[0], kind="fargate", amount="0.3"),)
    return with_trial(Kind.TIBANNA, cost=replace(cost, lines=only))(evidence)


def fails(kind: Kind) -> Spoil:
    error = LaunchError("AccessDeniedError", "User: … is not authorized to perform: ec2:CreateFleet")
    return with_launch(kind, status=Status.FAILED, error=error)


job_failed = with_trial(Kind.REGENIE, jobs=(JobEnd("step2[0]", "FAILED"),))
nothing_exported = with_trial(Kind.REGENIE, results=("report.html",))
left = {"file systems": ("fs-1",)}

FAULTS: Mapping[str, list[Spoil]] = {
    "deployment": [with_fact(stacks={"data": "ROLLBACK_COMPLETE"}), with_fact(stacks={})],
    "who-dropped": [with_launch(Kind.REGENIE, requested_by=None)],
    "pipe": [with_launch(Kind.REGENIE, events=())],
    "batch-sync": [job_failed, with_trial(Kind.REGENIE, jobs=()), fails(Kind.REGENIE)],
    "fsx-associations": [nothing_exported, with_trial(Kind.REGENIE, file_system_id=None), fails(Kind.REGENIE)],
    "lustre-mount": [job_failed, nothing_exported],
    "stat-lustre": [job_failed, nothing_exported],
    "root-jobs": [nothing_exported],
    "spot-retry": [
        with_trial(Kind.REGENIE, retry_rules=()),
        with_trial(Kind.REGENIE, retry_rules=({"onReason": "*", "action": "EXIT"},)),
        with_trial(Kind.REGENIE, retry_rules=({"onStatusReason": "Host EC2*", "action": "RETRY"},)),
    ],
    "iam": [with_fact(new_dead_letters={"q": 1}), fails(Kind.AWS_BATCH)],
    "service-roles": [with_fact(new_dead_letters={"q": 1}), fails(Kind.REGENIE)],
    "roles-of-instances": [fails(Kind.TIBANNA), fails(Kind.AWS_BATCH)],
    "clean-up": [with_trial(kind, leftovers=left) for kind in Kind],
    "list-tasks": [with_trial(Kind.TIBANNA, clean_ups=("FAILED",)), with_trial(Kind.TIBANNA, clean_ups=())],
    "cancel": [with_launch(Kind.CANCELLED, status=Status.COMPLETE), with_trial(Kind.CANCELLED, leftovers=left)],
    "feedback": [with_trial(Kind.TIBANNA, feedback={}), with_trial(Kind.REGENIE, feedback={"accepted": False})],
    "rejection": [accepted_faults, one_fault_untold],
    "identical-bytes": [with_fact(twin_id="another")],
    "notices": [with_fact(notices=())],
    "job-logs": [with_trial(Kind.REGENIE, log_lines=0)],
    "price": [
        with_cost(Kind.AWS_BATCH, cost_status=CostStatus.UNKNOWN, total=None),
        with_cost(Kind.REGENIE, total=Decimal("0.31")),
        with_cost(Kind.REGENIE, total=Decimal(0)),
        with_trial(Kind.REGENIE, bill={"totalCost": "0.31"}),
        with_trial(Kind.REGENIE, bill={}),
    ],
    "usage-events": [without_lines_of_file_systems],
    "price-list": [with_cost(Kind.REGENIE, cost_status=CostStatus.UNKNOWN, reason="no price of BoxUsage:z9.large")],
    "tibanna-tags": [without_lines],
    "snakemake-9": [fails(Kind.AWS_BATCH)],
    "snakemake-7": [fails(Kind.TIBANNA)],
    "create-fleet": [fails(Kind.TIBANNA)],
    "encrypted-volumes": [fails(Kind.TIBANNA)],
    "start-script": [fails(Kind.TIBANNA)],
    "tibanna-images": [fails(Kind.TIBANNA)],
    "launcher-sender": [with_launch(Kind.AWS_BATCH, progress=None)],
    "fargate-volume": [fails(Kind.AWS_BATCH)],
    "dynamodb": [with_launch(Kind.REGENIE, events=())],
    "schema-event": [older_schema],
    "if-match": [with_fact(stale_put="")],
    "log-errors": [with_fact(log_error="")],
    "restore": [with_launch(Kind.RESTORED, events=()), fails(Kind.RESTORED)],
    "cluster-tags": [fails(Kind.CLUSTER)],
    "slurm": [fails(Kind.CLUSTER)],
}


def test_every_check_has_faults() -> None:
    assert FAULTS.keys() == CHECKS.keys()
    assert all(FAULTS.values())


@pytest.mark.parametrize("id_", CHECKS)
def test_what_holds_is_told(id_: str, healthy: Evidence) -> None:
    assert finding(id_, healthy).outcome is Outcome.HELD, finding(id_, healthy).seen


@pytest.mark.parametrize(("id_", "number"), [(id_, n) for id_ in FAULTS for n in range(len(FAULTS[id_]))])
def test_what_does_not_hold_is_told_with_what_was_seen(id_: str, number: int, healthy: Evidence) -> None:
    found = finding(id_, FAULTS[id_][number](healthy))

    assert found.outcome is Outcome.DID_NOT_HOLD
    assert found.seen


@pytest.mark.parametrize("id_", CHECKS)
def test_what_was_not_seen_is_not_taken_for_well(id_: str) -> None:
    found = finding(id_, Evidence(trials={}, absent={}))

    assert found.outcome is Outcome.COULD_NOT_TELL
    assert found.seen


def test_a_fact_that_aws_refused_is_told_with_the_reason() -> None:
    evidence = Evidence(trials={}, absent={Kind.CLUSTER: "no cluster"}, unreadable={"stacks": "AccessDenied"})

    assert finding("deployment", evidence).seen == "AccessDenied"
    assert finding("slurm", evidence).seen == "no cluster"
