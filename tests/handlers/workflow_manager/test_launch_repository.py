"""The launch repository against tables: once is once, whoever asks how often and when."""

from dataclasses import replace

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genolaunch.contract.launch import ALLOWED_FROM, LaunchField, Status
from genolaunch.contract.tasks import TaskField
from genolaunch.shared import aws
from genolaunch.shared.errors import StatusConflictError
from lambdas.shared.launch import Launch

ONE, OTHER = "arn:execution:one", "arn:execution:other"

LAUNCH = Launch(
    launch_id="height-gwas-20261121t040000-1a2b3c4d",
    name="height-gwas",
    status=Status.SUBMITTED,
    submitted_at="2026-11-21T04:00:00.000Z",
    workflow="regenie",
    config_json='{"name":"height-gwas"}',
)
AGAIN = replace(LAUNCH, launch_id="height-gwas-20261121t050000-5e6f7a8b")


def end(repository, launch_id=LAUNCH.launch_id, execution=ONE):
    repository.claim(launch_id, execution)
    repository.change_status(launch_id, Status.COMPLETE, execution_arn=execution)


def launch_ids(repository):
    items = boto3.client("dynamodb").scan(TableName=repository.launch_table)["Items"]
    return {item["launchId"]["S"] for item in items}


def only_item(repository):
    (item,) = boto3.client("dynamodb").scan(TableName=repository.launch_table)["Items"]
    return item


def before_first(operation, act):
    """Let a rival `act` right before the first call of an operation leaves."""
    acts = [act]

    def hook(**_):
        if acts:
            acts.pop()()

    aws.client("dynamodb").meta.events.register(f"before-call.dynamodb.{operation}", hook)


class TestRegister:
    def test_what_was_registered_is_read_back(self, repository):
        registration = repository.register(LAUNCH, "bytes")

        assert registration.is_new
        stored = repository.get(LAUNCH.launch_id)
        assert replace(stored, updated_at=None) == LAUNCH
        assert stored.updated_at > "2026"
        assert stored.config == {"name": "height-gwas"}

    def test_the_same_event_twice_is_one_launch(self, repository):
        repository.register(LAUNCH, "bytes")
        registration = repository.register(LAUNCH, "bytes")

        assert not registration.is_new
        assert launch_ids(repository) == {LAUNCH.launch_id}

    def test_the_same_event_after_the_launch_ended_is_still_that_launch(self, repository):
        repository.register(LAUNCH, "bytes")
        end(repository)

        registration = repository.register(LAUNCH, "bytes")

        assert (registration.is_new, registration.launch.status) == (False, Status.COMPLETE)

    def test_the_same_bytes_are_answered_with_the_unfinished_launch(self, repository):
        repository.register(LAUNCH, "bytes")
        repository.claim(LAUNCH.launch_id, ONE)

        registration = repository.register(AGAIN, "bytes")

        assert (registration.is_new, registration.launch.launch_id) == (False, LAUNCH.launch_id)
        assert registration.launch.status == Status.RUNNING

    def test_an_answered_event_that_comes_again_after_the_end_starts_nothing(self, repository):
        repository.register(LAUNCH, "bytes")
        repository.register(AGAIN, "bytes")
        end(repository)

        registration = repository.register(AGAIN, "bytes")

        assert registration.launch.launch_id == LAUNCH.launch_id
        assert launch_ids(repository) == {LAUNCH.launch_id}

    def test_the_same_bytes_after_the_end_are_a_new_launch_that_answers_from_then_on(self, repository):
        repository.register(LAUNCH, "bytes")
        end(repository)

        assert repository.register(AGAIN, "bytes").is_new
        third = repository.register(replace(LAUNCH, launch_id="third"), "bytes")
        assert (third.is_new, third.launch.launch_id) == (False, AGAIN.launch_id)

    def test_other_bytes_are_another_launch(self, repository):
        repository.register(LAUNCH, "bytes")

        assert repository.register(AGAIN, "other bytes").is_new

    @pytest.mark.parametrize("is_guard_there", [False, True])
    def test_of_two_at_once_one_wins_and_answers_both(self, repository, is_guard_there):
        if is_guard_there:
            repository.register(replace(LAUNCH, launch_id="earlier"), "bytes")
            end(repository, "earlier")
        before_first("TransactWriteItems", lambda: repository.register(LAUNCH, "bytes"))

        registration = repository.register(AGAIN, "bytes")

        assert (registration.is_new, registration.launch.launch_id) == (False, LAUNCH.launch_id)
        assert AGAIN.launch_id not in launch_ids(repository)

    def test_of_one_event_delivered_twice_at_once_one_registers(self, repository):
        before_first("TransactWriteItems", lambda: repository.register(LAUNCH, "bytes"))

        assert not repository.register(LAUNCH, "bytes").is_new

    def test_a_rejection_is_final_and_never_replaces_a_launch(self, repository):
        rejected = replace(LAUNCH, status=Status.REJECTED, error={"type": "T", "message": "M", "faults": []})

        first = repository.reject(rejected)
        second = repository.reject(replace(rejected, name="other"))

        assert (first.is_new, second.is_new) == (True, False)
        assert (second.launch.name, second.launch.is_final) == (LAUNCH.name, True)
        assert second.launch.ended_at is not None
        assert repository.register(LAUNCH, "bytes").launch.status == Status.REJECTED


class TestClaim:
    def test_one_execution_wins_and_is_answered_alike_again(self, repository):
        repository.register(LAUNCH, "bytes")

        first, again = repository.claim(LAUNCH.launch_id, ONE), repository.claim(LAUNCH.launch_id, ONE)

        assert first == again
        assert (first.status, first.attempt, first.execution_arn) == (Status.RUNNING, 1, ONE)
        assert first.started_at is not None
        with pytest.raises(StatusConflictError, match="RUNNING, owned by arn:execution:one"):
            repository.claim(LAUNCH.launch_id, OTHER)

    def test_a_retry_is_the_next_attempt_and_forgets_the_last_ones_end(self, repository):
        repository.register(LAUNCH, "bytes")
        repository.claim(LAUNCH.launch_id, ONE)
        left = {
            LaunchField.ERROR: {"type": "OutOfMemoryError", "message": "no memory"},
            LaunchField.FINDINGS: ["height: 3 loci reach genome-wide significance (p = 5e-8)."],
        }
        repository.change_status(LAUNCH.launch_id, Status.FAILED, execution_arn=ONE, fields=left)
        assert left.keys() <= only_item(repository).keys()

        repository.change_status(LAUNCH.launch_id, Status.RETRY, execution_arn=None)
        assert not left.keys() & only_item(repository).keys()
        second = repository.claim(LAUNCH.launch_id, OTHER)

        assert (second.attempt, second.execution_arn, second.error, second.ended_at) == (2, OTHER, None, None)

    def test_an_execution_whose_attempt_is_over_does_not_take_the_next(self, repository):
        repository.register(LAUNCH, "bytes")
        repository.claim(LAUNCH.launch_id, ONE)
        repository.change_status(LAUNCH.launch_id, Status.FAILED, execution_arn=ONE)
        with pytest.raises(StatusConflictError):
            repository.claim(LAUNCH.launch_id, ONE)

    def test_an_unknown_launch_is_a_conflict(self, repository):
        with pytest.raises(StatusConflictError, match="no launch nowhere"):
            repository.claim("nowhere", ONE)


class TestChangeStatus:
    def test_fields_change_with_the_status_or_not_at_all(self, repository):
        repository.register(LAUNCH, "bytes")
        repository.claim(LAUNCH.launch_id, ONE)
        fields = {LaunchField.RESULTS_URI: "s3://results/"}

        with pytest.raises(StatusConflictError):
            repository.change_status(LAUNCH.launch_id, Status.COMPLETE, execution_arn=OTHER, fields=fields)
        assert repository.get(LAUNCH.launch_id).results_uri is None

        complete = repository.change_status(LAUNCH.launch_id, Status.COMPLETE, execution_arn=ONE, fields=fields)
        assert (complete.results_uri, complete.is_final) == ("s3://results/", True)
        assert complete.ended_at is not None

    def test_the_same_change_by_the_same_execution_is_answered_alike(self, repository):
        repository.register(LAUNCH, "bytes")
        repository.claim(LAUNCH.launch_id, ONE)

        first = repository.change_status(LAUNCH.launch_id, Status.COMPLETE, execution_arn=ONE)

        assert repository.change_status(LAUNCH.launch_id, Status.COMPLETE, execution_arn=ONE) == first
        with pytest.raises(StatusConflictError):
            repository.change_status(LAUNCH.launch_id, Status.COMPLETE, execution_arn=OTHER)

    def test_a_launch_that_waits_belongs_to_nobody(self, repository):
        repository.register(LAUNCH, "bytes")
        repository.claim(LAUNCH.launch_id, ONE)

        waiting = repository.change_status(LAUNCH.launch_id, Status.WAITING, execution_arn=ONE)

        assert waiting.execution_arn is None
        assert repository.change_status(LAUNCH.launch_id, Status.WAITING, execution_arn=ONE) == waiting

    def test_running_is_claims_own(self, repository):
        with pytest.raises(ValueError, match="claim"):
            repository.change_status(LAUNCH.launch_id, Status.RUNNING, execution_arn=ONE)

    @settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        requests=st.lists(
            st.tuples(st.sampled_from(Status), st.sampled_from([ONE, OTHER, None])), min_size=1, max_size=12
        ),
        number=st.uuids(),
    )
    def test_whatever_is_asked_the_status_only_follows_the_arrows(self, repository, requests, number):
        launch_id = f"launch-{number}"
        repository.register(replace(LAUNCH, launch_id=launch_id), str(number))
        for to, execution in requests:
            before = repository.get(launch_id)
            try:
                if to is Status.RUNNING:
                    repository.claim(launch_id, execution or ONE)
                else:
                    repository.change_status(launch_id, to, execution_arn=execution)
            except StatusConflictError:
                assert repository.get(launch_id) == before
                continue
            after = repository.get(launch_id)
            assert after.status == to
            assert after == before or before.status in ALLOWED_FROM[to]
            assert after.attempt - before.attempt == (to is Status.RUNNING and after != before)
            assert (after.ended_at is not None) == after.is_final


class TestTasks:
    def test_more_tasks_than_one_call_takes_are_read_back_in_order(self, repository):
        tasks = [
            {TaskField.LAUNCH_ID: "launch", TaskField.TASK_ID: f"job#{number:03}", TaskField.EXIT_CODE: number % 2}
            for number in range(60)
        ]

        repository.record_tasks([*tasks, {**tasks[0], TaskField.EXIT_CODE: 137, "seconds": 1.5}])

        found = list(repository.tasks("launch"))
        assert [task["taskId"] for task in found] == [task[TaskField.TASK_ID] for task in tasks]
        assert (found[0]["exitCode"], found[0]["seconds"], found[1]["exitCode"]) == (137, 1.5, 1)
        assert all(task["updatedAt"] > "2026" for task in found)
        assert list(repository.tasks("other")) == []
