"""A launch's archived inputs, from their detection to READY, and whatever may go wrong between."""

import json
import random
from datetime import timedelta

import boto3
import pytest
from botocore.exceptions import ClientError

from genolaunch.contract.launch import Status
from genolaunch.shared.input_error import LaunchInputError
from lambdas.restore import (
    complete_restores,
    counted_writes,
    fail_restore,
    index_objects,
    look_after,
    request_restores,
)
from tests.handlers.kept import opened
from tests.handlers.restore.conftest import Restores, context

KEYS = [f"cohort/{number:03}" for number in range(25)]
"""More than fit into one transaction, and into one message (see conftest)."""


def store(restores: Restores, keys=KEYS, **about) -> None:
    for key in keys:
        restores.s3.add(key, **about)


class TestDetection:
    def test_data_that_can_be_read_starts_at_once(self, restores):
        for name, storage_class in {"a": "STANDARD", "b": "GLACIER_IR", "c": "INTELLIGENT_TIERING"}.items():
            restores.s3.add(f"cohort/{name}", storage_class=storage_class, size=1 << 20)
        restores.launch()

        assert restores.find() == {"decision": "START"}
        assert restores.status() is Status.RUNNING

    def test_archived_data_is_waited_for_with_a_reason_that_people_read(self, restores):
        store(restores, [f"cohort/{number}" for number in range(42)], size=31_000_000_000)
        restores.launch()

        assert restores.find() == {"decision": "WAITING"}

        launch = restores.get()
        assert launch.status is Status.WAITING
        assert launch.status_reason == "42 objects, 1.3 TB, Bulk: ready in 5 to 12 hours"
        assert launch.execution_arn is None
        config = json.loads(restores.s3.objects["launch-files", "restores/gwas-1/1.json"].body)
        assert config["urls"] == ["s3://data/cohort/"]
        assert (config["tier"], config["days"]) == ("Bulk", 10)
        assert restores.told() == ["WAITING"]
        assert json.loads(restores.bus.entries[0]["Detail"])["statusReason"] == launch.status_reason

    def test_only_the_files_that_the_launch_reads_count(self, restores):
        store(restores, ["cohort/a.bed", "cohort/other.bed"])
        restores.s3.add("cohort/a.bim", storage_class="STANDARD")
        restores.launch()

        restores.find(inputs=["s3://data/cohort/a.bed", "s3://data/cohort/a.bim", "s3://data/cohort/none"])

        assert restores.get().restore["objects"] == 1

    def test_a_workflow_without_a_list_of_inputs_reads_all_of_its_data(self, restores):
        store(restores, ["cohort/reads/deep/a.fastq.gz", "cohort/reference.fa", "elsewhere/b.fastq.gz"])
        restores.s3.add("cohort/report.tsv", storage_class="STANDARD")
        restores.launch(workflow="snakemake")

        assert restores.find() == {"decision": "WAITING"}

        assert restores.get().restore["objects"] == 2
        restores.index()
        restores.request()
        assert {key for _, key in restores.s3.accepted} == {"cohort/reads/deep/a.fastq.gz", "cohort/reference.fa"}

    def test_restored_copies_are_used_unless_they_go_too_soon(self, restores):
        store(restores, ["cohort/a", "cohort/b"])
        restores.s3.finish("cohort/a", "cohort/b")
        restores.launch()
        assert restores.find() == {"decision": "START"}

        restores.s3.objects["data", "cohort/a"].expires -= timedelta(days=8)
        assert restores.find() == {"decision": "WAITING"}
        assert restores.get().restore["objects"] == 1
        assert restores.get().restore["bytes"] == 0  # nothing is retrieved: a copy is kept for longer

    def test_archive_tiers_of_intelligent_tiering_are_asked_about(self, restores):
        tiered = {"storage_class": "INTELLIGENT_TIERING"}
        restores.s3.add("cohort/a", tier="ARCHIVE_ACCESS", size=1 << 20, **tiered)
        restores.s3.add("cohort/small", size=100, **tiered)  # is never archived
        restores.launch()

        assert restores.find() == {"decision": "WAITING"}
        assert restores.s3.calls["HeadObject"] == 1

    def test_a_long_prefix_is_handed_from_one_invocation_to_the_next(self, restores):
        restores.s3.page = 10
        store(restores)
        restores.launch()

        first = restores.find(remaining=[59_000])
        assert first["decision"] == "CONTINUE"
        assert restores.status() is Status.RUNNING

        assert restores.find(scan=json.loads(json.dumps(first["scan"]))) == {"decision": "WAITING"}
        assert restores.get().restore["objects"] == len(KEYS)
        assert restores.s3.calls["ListObjectsV2"] == 3

    def test_a_prefix_that_cannot_be_listed_is_the_inputs_fault(self, restores):
        restores.s3.unlistable.add("data")
        restores.launch()

        with pytest.raises(LaunchInputError) as caught:
            restores.find()

        (fault,) = opened(caught.value, "gwas-1")["faults"]
        assert "s3://data/cohort/" in fault["problem"]
        assert "access denied" in fault["problem"]

    def test_expedited_is_taken_only_if_it_is_asked_for(self, restores):
        store(restores, KEYS[:2])
        restores.launch(config={"restore": {"tier": "Expedited", "days": 3}})

        restores.find()

        assert restores.get().status_reason.endswith("Expedited: ready in 1 to 5 minutes")

    @pytest.mark.parametrize(("storage_class", "days"), [("DEEP_ARCHIVE", 4), ("GLACIER", 1)])
    def test_copies_are_kept_until_the_last_object_is_there(self, restores, storage_class, days):
        # Given: Bulk takes two days from the one, and half a day from the other
        store(restores, KEYS[:2], storage_class=storage_class)
        restores.launch(config={"restore": {"tier": "Bulk", "days": 1}})

        restores.find()

        assert restores.get().restore["days"] == days
        assert json.loads(restores.s3.objects["launch-files", "restores/gwas-1/1.json"].body)["days"] == days


class TestLimits:
    def test_more_than_the_limit_waits_for_a_person(self, restores):
        store(restores, KEYS[:11], size=1 << 40)
        restores.launch()

        assert restores.find() == {"decision": "HELD"}

        launch = restores.get()
        assert launch.status is Status.HELD
        assert "approve the launch, or cancel it" in launch.status_reason
        assert ("launch-files", "restores/gwas-1/1.json") not in restores.s3.objects
        assert restores.notices() == ["Genolaunch test: gwas waits for approval"]
        assert restores.told() == ["HELD"]

    @pytest.mark.parametrize(("agreed", "decision"), [(11 << 40, "WAITING"), (11 << 30, "HELD")])
    def test_what_a_person_agreed_to_is_restored_and_no_more(self, restores, agreed, decision):
        store(restores, KEYS[:11], size=1 << 40)
        restores.launch()
        restores.find()
        approved = {"approvedRestore": {"bytes": agreed, "usd": 1000}}
        restores.repository.change_status("gwas-1", Status.READY, execution_arn=None, fields=approved)
        restores.repository.claim("gwas-1", "another execution")

        assert restores.find(executionArn="another execution") == {"decision": decision}


class TestRestore:
    def test_everything_is_asked_for_once_and_the_last_completion_makes_it_ready(self, restores):
        store(restores)
        restores.wait()
        assert restores.request() == []
        restores.s3.finish(*KEYS)

        assert restores.tell(*KEYS[:-1]) == []
        assert restores.status() is Status.WAITING
        assert restores.counts() == {"objects": 25, "pending": 1, "restored": 24, "failed": 0}
        restores.tell(KEYS[-1])

        assert restores.status() is Status.READY
        assert restores.told() == ["WAITING", "READY"]
        assert restores.open() == []
        assert set(restores.s3.accepted.values()) == {1}
        assert len(restores.s3.accepted) == len(KEYS)

    def test_completions_may_come_twice_and_in_any_order(self, restores):
        store(restores)
        restores.wait()
        restores.request()
        events = KEYS * 2
        random.Random(7).shuffle(events)

        for start in range(0, len(events), 20):
            restores.tell(*events[start : start + 20])

        assert restores.counts() == {"objects": 25, "pending": 0, "restored": 25, "failed": 0}
        assert restores.status() is Status.READY

    def test_completions_do_not_decide_before_the_index_is_complete(self, restores):
        # Given: the index was interrupted behind its first page
        restores.s3.page = 10
        store(restores)
        restores.launch()
        restores.find()
        event = {"bucket": "launch-files", "key": "restores/gwas-1/1.json", "cursor": {"url": 0, "after": ""}}
        answer = index_objects.handler(event, context([100_000]))
        # When: all that is known is restored
        restores.request()
        restores.tell(*KEYS[:10])
        # Then
        assert restores.status() is Status.WAITING
        restores.index(cursor=answer["cursor"])
        assert restores.status() is Status.WAITING
        restores.tell(*KEYS[10:])
        assert restores.status() is Status.READY

    def test_a_table_that_is_throttled_delays_the_index_and_does_not_end_it(self, restores, monkeypatch):
        store(restores)
        dynamodb, refusals = boto3.client("dynamodb"), ["ProvisionedThroughputExceededException", "ThrottlingException"]

        class Throttled:
            def __getattr__(self, name):
                return getattr(dynamodb, name)

            def transact_write_items(self, **request):
                if refusals:
                    raise ClientError({"Error": {"Code": refusals.pop(), "Message": ""}}, "TransactWriteItems")
                return dynamodb.transact_write_items(**request)

        monkeypatch.setattr(counted_writes.CountedWrites, "_client", Throttled())

        restores.wait()

        assert refusals == []
        assert restores.counts()["objects"] == len(KEYS)

    def test_an_index_that_is_repeated_counts_nothing_twice(self, restores):
        store(restores)
        restores.wait()
        restores.index()

        assert restores.counts()["objects"] == len(KEYS)

    def test_what_s3_has_no_time_for_is_put_off_and_not_lost(self, restores, monkeypatch):
        monkeypatch.setattr(request_restores, "_delay", lambda tries: 0)
        store(restores)
        restores.s3.throttled = 12
        restores.wait()

        rounds = 0
        while messages := restores.messages():
            assert restores.request(messages) == []
            rounds += 1

        assert rounds == 2
        assert restores.s3.calls["RestoreObject"] == len(KEYS) + 12
        assert len(restores.s3.accepted) == len(KEYS)
        assert set(restores.s3.accepted.values()) == {1}

    def test_a_worker_that_died_half_way_is_repeated_without_a_second_restore(self, restores, monkeypatch):
        store(restores)
        restores.wait()
        messages = restores.messages()
        ask, asked = request_restores._ask, []

        def dies(request, *args):
            asked.append(request)
            if len(asked) > 6:
                raise MemoryError
            return ask(request, *args)

        monkeypatch.setattr(request_restores, "_ask", dies)
        back = restores.request(messages)
        assert back
        monkeypatch.setattr(request_restores, "_ask", ask)

        assert restores.request([message for message in messages if message["messageId"] in back]) == []

        assert len(restores.s3.accepted) == len(KEYS)
        assert set(restores.s3.accepted.values()) == {1}
        assert restores.charges() == {"restore#1#GLACIER#Bulk": (25, 25, 25)}
        restores.tell(*KEYS)
        assert restores.status() is Status.READY

    def test_objects_that_are_restored_already_need_no_event(self, restores):
        store(restores, KEYS[:3])
        restores.wait()
        # Somebody else's restore ended between the index and the request
        restores.s3.finish(*KEYS[:3])

        restores.request()

        assert restores.status() is Status.READY
        # S3 keeps the copies for longer
        assert restores.charges() == {"restore#1#GLACIER#Bulk": (3, 0, 3)}

    def test_two_launches_that_want_the_same_objects_both_hear_of_them(self, restores):
        store(restores)
        restores.wait("gwas-1")
        restores.request()
        restores.wait("gwas-2")
        assert restores.get("gwas-2").restore["bytes"] == 0  # it pays for nothing
        restores.request()

        restores.tell(*KEYS)

        assert restores.status("gwas-1") is Status.READY
        assert restores.status("gwas-2") is Status.READY
        assert set(restores.s3.accepted.values()) == {1}
        assert restores.charges("gwas-1") == {"restore#1#GLACIER#Bulk": (25, 25, 25)}
        assert restores.charges("gwas-2") == {}

    def test_deep_archives_have_no_expedited_and_tiered_objects_no_days(self, restores):
        restores.s3.add("cohort/deep", storage_class="DEEP_ARCHIVE")
        restores.s3.add("cohort/flexible")
        restores.s3.add("cohort/tiered", storage_class="INTELLIGENT_TIERING", tier="ARCHIVE_ACCESS", size=1 << 20)
        restores.launch(config={"restore": {"tier": "Expedited"}})
        restores.find()
        restores.index()
        restores.request()

        tiers = {each["key"]: each["GlacierJobParameters"]["Tier"] for each in restores.s3.requests}
        assert tiers == {
            "cohort/deep": "Standard",
            "cohort/flexible": "Expedited",
            "cohort/tiered": "Expedited",
        }
        assert restores.charges() == {
            "restore#1#DEEP_ARCHIVE#Standard": (1, 1, 1),
            "restore#1#GLACIER#Expedited": (1, 1, 1),
            "restore#1#ARCHIVE_ACCESS#Expedited": (1, 1 << 20, 0),
        }

    def test_without_capacity_for_expedited_it_takes_hours_rather_than_for_ever(self, restores):
        store(restores, KEYS[:1])
        restores.s3.no_expedited = True
        restores.launch(config={"restore": {"tier": "Expedited"}})
        restores.find()
        restores.index()
        restores.request()

        assert len(restores.s3.accepted) == 1
        assert restores.charges() == {"restore#1#GLACIER#Standard": (1, 1, 1)}

    def test_events_of_other_restores_are_passed_over(self, restores):
        store(restores, KEYS[:1])
        restores.wait()

        assert restores.tell("somebody/elses", "cohort/not-asked-for") == []
        assert restores.counts()["pending"] == 1

    def test_an_event_that_nobody_understands_is_given_back(self, restores):
        answer = complete_restores.handler({"Records": [{"messageId": "m", "body": "{}"}]}, context())

        assert answer == {"batchItemFailures": [{"itemIdentifier": "m"}]}


class TestFaults:
    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (lambda s3: s3.objects.pop(("data", KEYS[1])), "does not exist any more"),
            (lambda s3: setattr(s3.objects["data", KEYS[1]], "denied", True), "access denied"),
        ],
    )
    def test_an_object_that_cannot_be_restored_ends_the_launch_with_its_name(self, restores, change, reason):
        store(restores, KEYS[:3])
        restores.wait()
        change(restores.s3)

        restores.request()

        launch = restores.get()
        assert launch.status is Status.FAILED
        assert launch.error["type"] == "RestoreError"
        assert launch.error["message"].startswith(f"1 archived input could not be restored: s3://data/{KEYS[1]} ")
        assert reason in launch.error["message"]
        assert restores.open() == []
        assert restores.notices() == ["Genolaunch test: gwas failed"]
        assert restores.told() == ["WAITING", "FAILED"]

    def test_an_object_whose_class_was_changed_is_readable_and_no_fault(self, restores):
        store(restores, KEYS[:1])
        restores.wait()
        restores.s3.objects["data", KEYS[0]].storage_class = "STANDARD"

        restores.request()

        assert restores.status() is Status.READY

    def test_an_index_that_fails_ends_the_launch(self, restores):
        store(restores, KEYS[:1])
        restores.launch()
        restores.find()
        restores.s3.unlistable.add("data")
        with pytest.raises(LaunchInputError) as caught:
            restores.index()

        cause = json.dumps({"errorMessage": str(caught.value), "errorType": "LaunchInputError"})
        error = {"Error": "LaunchInputError", "Cause": cause}
        fail_restore.handler({"key": "restores/gwas-1/1.json", "error": error}, context())

        launch = restores.get()
        assert launch.status is Status.REJECTED
        assert launch.error["faults"][0]["where"] == "data"
        answer = restores.feedback()
        assert (answer["accepted"], answer["status"], answer["faults"]) == (False, "REJECTED", launch.error["faults"])
        assert restores.told() == ["WAITING", "REJECTED"]
        assert restores.notices() == ["Genolaunch test: gwas was rejected"]

    def test_a_launch_that_was_cancelled_meanwhile_stays_so(self, restores):
        store(restores, KEYS[:2])
        restores.wait()
        restores.request()
        restores.repository.change_status("gwas-1", Status.CANCEL_REQUESTED, execution_arn=None)
        restores.repository.change_status("gwas-1", Status.CANCELLED, execution_arn=None)

        restores.tell(*KEYS[:2])

        assert restores.status() is Status.CANCELLED
        assert restores.open() == []

    def test_what_a_cancelled_launch_has_queued_is_not_asked_for(self, restores):
        store(restores, KEYS[:2])
        restores.wait()
        restores.repository.change_status("gwas-1", Status.CANCEL_REQUESTED, execution_arn=None)

        assert restores.request() == []

        assert restores.s3.accepted == {}
        assert restores.charges() == {}

    def test_a_restore_that_nobody_waits_for_begins_nothing(self, restores):
        store(restores, KEYS[:2])
        restores.launch()
        restores.find()
        restores.repository.change_status("gwas-1", Status.CANCEL_REQUESTED, execution_arn=None)

        assert restores.index() == {"launchId": "gwas-1"}
        assert restores.messages() == []


class TestLookingAfter:
    def test_a_lost_event_is_made_up_for_by_asking(self, restores):
        store(restores)
        restores.wait()
        restores.request()
        restores.s3.finish(*KEYS)
        restores.tell(*KEYS[:-2])
        assert restores.look_after() == 0  # its time is not over

        assert restores.look_after(late=True) == 1

        assert restores.status() is Status.READY
        assert restores.s3.calls["HeadObject"] == 2  # only what is still pending

    def test_what_was_never_asked_for_is_asked_for(self, restores):
        store(restores, KEYS[:5])
        restores.wait()
        restores.messages()  # they are lost

        restores.look_after(late=True)
        restores.request()

        assert len(restores.s3.accepted) == 5
        assert restores.status() is Status.WAITING

    def test_a_restore_that_takes_longer_is_looked_at_again_until_its_deadline(self, restores):
        store(restores, KEYS[:2])
        restores.wait()
        restores.request()

        assert restores.look_after(late=True) == 1
        assert restores.status() is Status.WAITING
        assert restores.look_after() == 0  # in an hour

        restores.look_after(too_late=True)

        launch = restores.get()
        assert launch.status is Status.FAILED
        assert f"s3://data/{KEYS[0]} was not restored in time" in launch.error["message"]

    def test_a_round_that_has_no_time_for_all_objects_still_gives_up(self, restores, monkeypatch):
        monkeypatch.setattr(look_after, "_TOGETHER", 10)
        store(restores)
        restores.wait()
        restores.request()

        assert restores.look_after(late=True, remaining=[0]) == 1
        assert restores.s3.calls["HeadObject"] == 10
        assert restores.look_after() == 1  # at once: it was not asked about all
        restores.look_after(too_late=True, remaining=[0])

        launch = restores.get()
        assert launch.status is Status.FAILED
        assert launch.error["message"].startswith("25 archived inputs could not be restored: ")
        assert launch.error["message"].endswith("; and 15 more.")
        assert restores.counts()["failed"] == 10  # the others are only counted: there may be millions

    def test_a_restore_that_cannot_be_looked_after_does_not_keep_others_waiting(self, restores):
        store(restores, KEYS[:1])
        restores.wait("gwas-1")
        restores.wait("gwas-2")
        restores.request()
        restores.s3.finish(KEYS[0])  # and its event is lost
        for launch_id in ("gwas-1", "gwas-2"):
            restores.change(launch_id, checkAt="2026-01-01T00:00:00.000Z")
        restores.s3.objects.pop(("launch-files", "restores/gwas-1/1.json"))

        with pytest.raises(RuntimeError, match="gwas-1"):
            restores.look_after()

        assert restores.status("gwas-1") is Status.WAITING
        assert restores.status("gwas-2") is Status.READY

    def test_an_object_that_was_deleted_meanwhile_ends_the_launch(self, restores):
        store(restores, KEYS[:2])
        restores.wait()
        restores.request()
        restores.s3.objects.pop(("data", KEYS[0]))

        restores.look_after(late=True)

        assert restores.status() is Status.FAILED
        assert KEYS[0] in restores.get().error["message"]

    def test_a_last_completion_that_came_to_nothing_is_noticed(self, restores):
        # Given: all were marked, and the function died before it made the launch READY
        store(restores, KEYS[:1])
        restores.wait()
        restores.change("gwas-1", pending=0, restored=1)

        restores.look_after()

        assert restores.status() is Status.READY

    def test_a_launch_whose_restore_never_began_is_begun_again_once_an_hour(self, restores):
        store(restores, KEYS[:1])
        restores.launch()
        restores.find()
        assert restores.look_after() == 0
        restores.age("gwas-1", hours=1)

        assert restores.look_after() == 1
        assert restores.look_after() == 0

        (execution,) = restores.started
        detail = json.loads(execution["input"])["detail"]
        assert detail == {"bucket": {"name": "launch-files"}, "object": {"key": "restores/gwas-1/1.json"}}

    def test_what_nobody_waits_for_is_forgotten(self, restores):
        store(restores, KEYS[:1])
        restores.wait()
        restores.repository.change_status("gwas-1", Status.CANCEL_REQUESTED, execution_arn=None)

        restores.look_after()

        assert restores.open() == []
