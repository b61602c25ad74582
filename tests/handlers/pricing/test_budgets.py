"""Estimates of launches, and what becomes of those above their budgets."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import boto3
import pytest

from genolaunch.contract.launch import Status
from genolaunch.contract.restore import RetrievalTier
from genolaunch.shared import aws
from lambdas.pricing import estimate_cost, watch_budgets
from lambdas.pricing.spent import spent
from lambdas.restore.archive import Archive
from lambdas.restore.charges import Charge, record_charges
from lambdas.restore.restore_model import OpenRestore
from lambdas.shared.launch_repository import LaunchRepository
from tests.handlers.pricing import conftest
from tests.handlers.pricing.conftest import CONTEXT, LAUNCH, batch_event, deliver, job, register

EXECUTION = "arn:aws:states:eu-central-1:123456789012:execution:launch:1"
CONFIG = {
    "name": "gwas",
    "workflow": "regenie",
    "data": "cohort/",
    "regenie": {
        "genotypes": "cohort.bed",
        "phenotypes": "phenotypes.txt",
        "traits": ["height", "ldl"],
        "trait_type": "quantitative",
    },
}


@pytest.fixture
def topic(account: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Given: a data set, and a topic with a reader. Answers what the reader got."""
    boto3.client("s3").create_bucket(Bucket="data", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    boto3.client("s3").put_object(Bucket="data", Key="cohort/cohort.bed", Body=b"x" * 1_000_000)
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic = sns.create_topic(Name="notices")["TopicArn"]
    url = sqs.create_queue(QueueName="reader")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    boto3.client("events").create_event_bus(Name="bus")
    for name, value in {"DATA_BUCKET": "data", "NOTIFICATION_TOPIC": topic, "EVENT_BUS": "bus"}.items():
        monkeypatch.setenv(name, value)
    for module in (estimate_cost, watch_budgets):
        module.settings.cache_clear()
    now = datetime.now(UTC)
    account.spot = [{"SpotPrice": "0.04", "Timestamp": now - timedelta(days=30)}]
    monkeypatch.setattr(type(aws.client("dynamodb").meta), "region_name", "us-east-1")

    def read() -> list[str]:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"])["Message"] for message in messages]

    return read


def launch(status: Status = Status.RUNNING, *, attempt: int = 1, **changes: Any) -> None:
    budget = changes.pop("budget", None)
    config = {**CONFIG, **({"budget": {"currency": "USD", **budget}} if budget else {})}
    data_path = changes.pop("dataPath", "s3://data/cohort/")
    register(
        status,
        attempt,
        config=json.dumps(config),
        workflow="regenie",
        dataPath=data_path,
        computeService="batch-spot",
        executionArn=EXECUTION,
        **changes,
    )


def item() -> dict[str, Any]:
    found: dict[str, Any] = boto3.resource("dynamodb").Table("launches").get_item(Key={"launchId": LAUNCH})["Item"]
    return found


def history(usd: str) -> None:
    """Given: a complete launch of the same kind and size (1 MB, read twice, of two traits) that cost so much."""
    boto3.resource("dynamodb").Table("launches").put_item(
        Item={
            "launchId": "earlier",
            "name": "earlier",
            "status": "COMPLETE",
            "submittedAt": "2026-10-01T00:00:00.000Z",
            "totalCost": usd,
            "costHistory": {"1": {"totalCost": usd}},
            "estimate": {"kind": "regenie/batch-spot", "size": "0.004"},
        }
    )


def decide() -> str:
    decision: str = estimate_cost.handler({"launchId": LAUNCH, "executionArn": EXECUTION}, CONTEXT)["decision"]
    return decision


def test_a_launch_gets_its_estimate(topic):
    history("12.00")
    launch()
    assert decide() == "START"
    assert item()["estimate"] == {
        "usd": "12.00",
        "low": "8.00",
        "high": "18.00",
        "currency": "USD",
        "basis": "history: 1 launch of regenie/batch-spot",
        "kind": "regenie/batch-spot",
        "size": "0.004",
    }


@pytest.mark.parametrize("data_path", ["s3://data/elsewhere/", "s3://data/cohort/x/"])
def test_without_its_data_nothing_is_estimated_whatever_others_cost(topic, data_path):
    """Planning says that the files are missing; an estimate of nothing would look as if it were measured."""
    history("12.00")
    launch(dataPath=data_path, budget={"limit": 5, "action": "hold"})

    assert decide() == "START"
    assert "estimate" not in item()


@pytest.mark.parametrize("workflow", ["regenie", "snakemake"])
def test_who_asks_for_an_estimate_without_data_is_told_what_is_missing(topic, workflow):
    history("12.00")
    config = {**CONFIG, "data": "elsewhere/"}
    if workflow == "snakemake":
        section = {"snakefile": "workflows/x/Snakefile"}
        config = {"name": "x", "workflow": "snakemake", "data": "elsewhere/", "snakemake": section}

    answer = estimate_cost.handler({"config": json.dumps(config), "isJson": True}, CONTEXT)

    assert answer["estimate"] is None
    assert answer["reason"].startswith("No estimate is possible without the data: s3://data/elsewhere/ ")


def test_an_estimate_names_a_bucket_that_does_not_exist_in_plain_words(topic):
    config = {**CONFIG, "data": "s3://no-such-bucket/cohort/"}

    answer = estimate_cost.handler({"config": json.dumps(config), "isJson": True}, CONTEXT)

    assert answer["reason"] == (
        "The size of s3://no-such-bucket/cohort/ is not known: The specified bucket does not exist."
    )


def test_above_its_budget_it_is_held_until_a_person_agrees(topic):
    history("60.00")
    launch(budget={"limit": 50, "action": "hold"})
    assert decide() == "HELD"
    held = item()
    assert (held["status"], held["heldFor"]) == ("HELD", "budget")
    assert "60.00 USD (40.00 to 90.00" in held["statusReason"]
    assert f"genolaunch approve {LAUNCH}" in held["statusReason"]
    assert len(topic()) == 1
    # When: it was approved, and claimed again
    launch(budget={"limit": 50, "action": "hold"}, approvedBudget="60.00")
    assert decide() == "START"


def test_what_is_only_to_be_warned_of_starts_and_people_are_told_once(topic):
    history("60.00")
    launch(budget={"limit": 50, "action": "warn"})
    assert [decide(), decide()] == ["START", "START"]
    (notice,) = topic()
    assert "more than its budget of 50 USD" in notice


def test_what_cannot_be_estimated_is_started(topic, account):
    launch(budget={"limit": 50, "action": "hold"})
    account.spot = []
    assert decide() == "START"
    assert "estimate" not in item()


def test_a_config_is_estimated_without_a_launch(topic):
    history("12.00")
    answer = estimate_cost.handler({"config": json.dumps(CONFIG), "isJson": True}, CONTEXT)
    assert answer["estimate"]["usd"] == "12.00"
    faults = estimate_cost.handler({"config": "name: x\nworkflow: regenie\n"}, CONTEXT)["faults"]
    assert {"data", "regenie"} <= {fault["where"] for fault in faults}


def running(account: Any, *, limit: float, action: str = "hold", **changes: Any) -> None:
    """Given: a launch whose job has had an instance for ten hours: 0.96 USD, and 0.111111 for its volume."""
    started = datetime.now(UTC) - timedelta(hours=10)
    account.add_instance("i-1", LaunchTime=started)
    launch(budget={"limit": limit, "action": action}, **changes)
    minutes = (started - conftest.START).total_seconds() / 60
    deliver(batch_event(job("job-1", running=("i-1", minutes))))


def look() -> list[str]:
    passed: list[str] = watch_budgets.handler({}, CONTEXT)["passed"]
    return passed


def test_a_running_launch_that_passes_its_budget_is_cancelled_and_says_why(topic, account):
    running(account, limit=1.0)
    assert look() == [LAUNCH]
    cancelled = item()
    assert cancelled["status"] == "CANCEL_REQUESTED"
    assert "It was cancelled: it has cost 1.07 USD so far" in cancelled["budgetTold"]["reason"]
    assert any("1.07 USD" in notice for notice in topic())


def test_earlier_attempts_count(topic, account):
    running(account, limit=1.5, costHistory={"0": {"totalCost": "0.500000"}})
    assert look() == [LAUNCH]


@pytest.mark.parametrize("more", [{"limit": 1.2}, {"limit": 1.0, "approvedBudget": "1.20"}], ids=["within", "agreed"])
def test_within_what_was_agreed_it_goes_on(topic, account, more):
    running(account, **more)
    assert look() == []
    assert item()["status"] == "RUNNING"


def test_a_warning_is_told_once_and_the_launch_goes_on(topic, account):
    running(account, limit=1.0, action="warn")
    assert [look(), look()] == [[LAUNCH], []]
    assert item()["status"] == "RUNNING"
    (notice,) = topic()
    assert "It goes on: it has cost 1.07 USD" in notice


def test_what_is_not_known_yet_waits_for_the_next_round(topic, account):
    launch(budget={"limit": 0.01, "action": "hold"})
    deliver(batch_event(job("job-1", running=("i-9", 0))))
    assert look() == []
    assert item()["status"] == "RUNNING"


def test_a_launch_without_a_budget_is_not_looked_at(topic, account):
    launch()
    before = list(account.calls)
    assert look() == []
    assert account.calls == before
    assert Decimal(item()["attempt"]) == 1


def test_the_restore_of_its_inputs_counts(topic, account):
    # Given: 1.07 USD of an instance, and 100 GiB that came from the archive, for 1.00 USD and their copies
    running(account, limit=2.0)
    charge = Charge(Archive.FLEXIBLE, RetrievalTier.STANDARD, 100 << 30, is_retrieved=True)
    record_charges("usage", OpenRestore(LAUNCH, 1, "", ""), 1, [charge])
    assert look() == [LAUNCH]
    assert "it has cost 2.15 USD so far" in item()["budgetTold"]["reason"]


def test_a_launch_that_cannot_be_looked_at_leaves_the_others_their_limits(topic, account, monkeypatch):
    # Given: the table answers with another launch first, whose look-up fails
    running(account, limit=1.0)
    launches = list(LaunchRepository("launches").with_status(Status.RUNNING))
    broken = replace(launches[0], launch_id="broken")
    monkeypatch.setattr(LaunchRepository, "with_status", lambda *_: [broken, *launches])

    def fails_once(launch: Any, *others: Any) -> Decimal:
        if launch.launch_id == "broken":
            raise ConnectionError("no answer")
        return spent(launch, *others)

    monkeypatch.setattr(watch_budgets, "spent", fails_once)
    with pytest.raises(RuntimeError, match="broken"):
        look()
    assert item()["status"] == "CANCEL_REQUESTED"


def test_a_launch_that_is_over_meanwhile_is_nobodys_fault(topic):
    history("60.00")
    launch(Status.CANCEL_REQUESTED, budget={"limit": 50, "action": "hold"})
    assert decide() == "OVER"
    assert item()["status"] == "CANCEL_REQUESTED"


def test_data_that_cannot_be_listed_is_not_estimated_and_is_planning_s_to_refuse(topic):
    launch(dataPath="s3://no-such-bucket/cohort/")
    assert decide() == "START"
    assert "estimate" not in item()
