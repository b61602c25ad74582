"""Dead letters are tried again, each kind in its way."""

import json
from types import SimpleNamespace

import pytest

from genolaunch.contract.project import TAG_DEAD_LETTERS
from genolaunch.dead_letters import redrive


class Calls:
    """Records what is started and invoked."""

    def __init__(self):
        self.made = []

    def start_execution(self, **request):
        self.made.append(("start", request["stateMachineArn"], request["input"]))

    def invoke(self, **request):
        self.made.append(("invoke", request["FunctionName"], json.loads(request["Payload"])))


@pytest.fixture
def calls(platform):
    platform.stepfunctions = platform.lambda_ = Calls()
    return platform.stepfunctions


def queue(platform, name, *, dead=True, **attributes):
    tags = {TAG_DEAD_LETTERS: "true"} if dead else {}
    return platform.sqs.create_queue(QueueName=f"genolaunch-dev-{name}", tags=tags, Attributes=attributes)["QueueUrl"]


def waiting(platform, url):
    attributes = platform.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    return int(attributes["Attributes"]["ApproximateNumberOfMessages"])


class Moves:
    """SQS's moves, as it tells of them: `answers` one after another, the last one again and again."""

    def __init__(self, platform, monkeypatch, *answers):
        self.started: list[dict[str, str]] = []
        self._answers = list(answers)
        monkeypatch.setattr(platform.sqs, "start_message_move_task", lambda **request: self.started.append(request))
        monkeypatch.setattr(platform.sqs, "list_message_move_tasks", self._list)
        monkeypatch.setattr("genolaunch.message_moves.time", SimpleNamespace(sleep=lambda seconds: None))

    def _list(self, **request):
        assert request["MaxResults"] == 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return {"Results": [answer] if answer else []}


def dead_letters_of(platform, *names):
    """URL and ARN of a dead-letter queue with a message, and the ARNs of the queues whose dead letters it takes."""
    dead = queue(platform, "data-dead")
    arn = platform.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})
    sources = [queue(platform, name, dead=False, RedrivePolicy=policy) for name in names]
    platform.sqs.send_message(QueueUrl=dead, MessageBody="{}")
    arns = [
        platform.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        for url in sources
    ]
    return arn, arns


def test_messages_of_a_queue_go_back_to_it_wherever_they_were_put_from_and_are_waited_for(platform, calls, monkeypatch):
    arn, (source,) = dead_letters_of(platform, "data-source")
    running = {"Status": "RUNNING", "ApproximateNumberOfMessagesMoved": 0}
    done = {"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": 1}
    moves = Moves(platform, monkeypatch, None, running, done)

    (told,) = redrive(platform)

    assert (told.queue, told.count, told.action) == ("genolaunch-dev-data-dead", 1, "1 moved back to their queue")
    assert told.failure is None
    # Without a destination SQS refuses what it did not move itself
    assert moves.started == [{"SourceArn": arn, "DestinationArn": source}]


def test_where_several_queues_have_the_same_dead_letters_each_gets_its_own_back(platform, calls, monkeypatch):
    arn, _ = dead_letters_of(platform, "data-one", "data-two")
    done = {"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": 1}
    moves = Moves(platform, monkeypatch, None, done)

    redrive(platform)

    assert moves.started == [{"SourceArn": arn}]


def test_why_a_move_failed_is_told_and_is_no_success(platform, calls, monkeypatch, genolaunch):
    dead_letters_of(platform, "data-source")
    failed = {"Status": "FAILED", "ApproximateNumberOfMessagesMoved": 2, "FailureReason": "AccessDenied"}
    Moves(platform, monkeypatch, None, failed)

    result = genolaunch("redrive")

    assert result.exit_code == 1
    assert "1 found, 2 moved back to their queue, then SQS stopped: AccessDenied" in result.output


def test_a_move_that_somebody_else_began_is_waited_for(platform, calls, monkeypatch):
    dead_letters_of(platform, "data-source")
    theirs = {"Status": "RUNNING", "ApproximateNumberOfMessagesMoved": 0}
    ours = {"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": 1}
    moves = Moves(platform, monkeypatch, theirs, theirs, None, ours)

    (told,) = redrive(platform)

    assert told.failure is None
    assert len(moves.started) == 1


def test_messages_of_a_queue_are_only_told_of_in_a_rehearsal(platform, calls, monkeypatch):
    dead_letters_of(platform, "data-source")
    moves = Moves(platform, monkeypatch, None)

    (told,) = redrive(platform, is_rehearsal=True)

    assert (told.action, moves.started) == ("moved back to their queue", [])


def test_an_event_that_a_rule_could_not_deliver_starts_its_state_machine(platform, calls):
    dead = queue(platform, "cleanup-dead")
    target = "arn:aws:states:eu-west-1:1:stateMachine:cleanup"
    attributes = {"TARGET_ARN": {"DataType": "String", "StringValue": target}}
    platform.sqs.send_message(QueueUrl=dead, MessageBody='{"detail": {}}', MessageAttributes=attributes)

    redrive(platform)

    assert calls.made == [("start", target, '{"detail": {}}')]
    assert waiting(platform, dead) == 0


def test_an_event_that_a_rule_could_not_deliver_goes_to_its_queue(platform, calls):
    dead, work = queue(platform, "snakemake-dead"), queue(platform, "snakemake-task-events", dead=False)
    arn = platform.sqs.get_queue_attributes(QueueUrl=work, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    attributes = {"TARGET_ARN": {"DataType": "String", "StringValue": arn}}
    platform.sqs.send_message(QueueUrl=dead, MessageBody='{"detail": {}}', MessageAttributes=attributes)

    (told,) = redrive(platform)

    assert told.action == "1 tried again"
    assert (waiting(platform, dead), waiting(platform, work)) == (0, 1)


def test_of_a_pipes_pointers_the_reconciler_is_told_once(platform, calls):
    dead = queue(platform, "workflow-manager-dead")
    for _ in range(3):
        platform.sqs.send_message(QueueUrl=dead, MessageBody='{"DDBStreamBatchInfo": {}}')

    (told,) = redrive(platform)

    assert calls.made == [("invoke", "genolaunch-dev-workflow-manager-lost-requests", {"graceMinutes": 0})]
    assert told.action == "3 tried again"
    assert waiting(platform, dead) == 0


def test_what_is_not_known_is_left_and_told(platform, calls):
    dead = queue(platform, "other-dead")
    platform.sqs.send_message(QueueUrl=dead, MessageBody='{"something": "else"}')

    (told,) = redrive(platform)

    assert told.action == "0 tried again, 1 are left to be looked at"
    assert calls.made == []


def test_a_rehearsal_touches_nothing(platform, calls):
    dead = queue(platform, "cleanup-dead")
    platform.sqs.send_message(QueueUrl=dead, MessageBody='{"DDBStreamBatchInfo": {}}')

    (told,) = redrive(platform, is_rehearsal=True)

    assert (told.count, calls.made, waiting(platform, dead)) == (1, [], 1)


def test_empty_queues_and_queues_of_others_are_passed_over(platform, calls):
    queue(platform, "data-dead")
    work = queue(platform, "data-work", dead=False)
    platform.sqs.send_message(QueueUrl=work, MessageBody="{}")

    assert redrive(platform) == []
