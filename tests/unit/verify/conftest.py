"""A stage on which every claim holds."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from genolaunch.contract.cost import CostStatus
from genolaunch.contract.launch import Status
from genolaunch.costs import Cost, CostLine
from genolaunch.launch import Fault, JobCounts, Launch, StatusChange
from genolaunch.verify.evidence import Evidence, JobEnd, Kind, Rejection, Trial

NOW = datetime(2026, 11, 30, 1, 0, tzinfo=UTC)


def launch(kind: str, status: Status) -> Launch:
    passed = [Status.SUBMITTED, *([Status.WAITING, Status.READY] if kind == "restored" else []), Status.RUNNING, status]
    return Launch(
        launch_id=f"verify-1-{kind}-20261130t010000-0123abcd",
        name=f"verify-1-{kind}",
        status=status,
        attempt=1,
        requested_by="AWS:AIDAEXAMPLE",
        progress=JobCounts(done=1, total=1, failed=0),
        events=tuple(StatusChange(each, NOW) for each in passed),
    )


def cost(launch_id: str) -> Cost:
    lines = tuple(
        CostLine(kind, "id", "", "1", "h", "0.1", "0.1", "list", "2026-11-30")
        for kind in ("instance", "volume", "file system")
    )
    return Cost(
        launch_id=launch_id,
        status=Status.COMPLETE,
        cost_status=CostStatus.PRICED,
        reason=None,
        total=Decimal("0.3"),
        instances=Decimal("0.1"),
        volumes=Decimal("0.1"),
        file_systems=Decimal("0.1"),
        lines=lines,
        earlier={},
        status_seconds={},
        step_seconds={},
    )


def trial(kind: Kind) -> Trial:
    of = launch(kind, Status.CANCELLED if kind is Kind.CANCELLED else Status.COMPLETE)
    return Trial(
        kind=kind,
        launch=of,
        feedback={"accepted": True, "launchId": of.launch_id},
        file_system_id="fs-1",
        cost=cost(of.launch_id),
        bill={"totalCost": "0.3"},
        jobs=(JobEnd("step2[0]", "SUCCEEDED"),),
        log_lines=3,
        retry_rules=({"onStatusReason": "Host EC2*", "action": "RETRY"}, {"onReason": "*", "action": "EXIT"}),
        results=("report.html", "gwas/height.regenie.gz", "gwas/ldl.regenie.gz"),
        leftovers={"file systems": (), "jobs": ()},
        clean_ups=("SUCCEEDED",),
    )


@pytest.fixture
def healthy() -> Evidence:
    """Given: everything went as the page says."""
    trials = {kind: trial(kind) for kind in Kind}
    rejected = launch("faulty", Status.REJECTED)
    return Evidence(
        trials=trials,
        absent={},
        rejection=Rejection(rejected, False, (Fault("regenie.traits", "", ""),), ("regenie.traits",)),
        twin_id=trials[Kind.REGENIE].launch.launch_id,
        notices=(*(each.launch.launch_id for each in trials.values()), rejected.launch_id),
        stacks={"data": "CREATE_COMPLETE", "regenie": "UPDATE_COMPLETE"},
        new_dead_letters={},
        deployed_at=NOW,
        schema_at=NOW + timedelta(seconds=5),
        stale_put="PreconditionFailed",
        log_error="NoSpaceLeftError",
    )
