"""Dead letters are tried again, each kind in its way."""

import json

import pytest

from contract import TAG_DEAD_LETTERS
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


def test_messages_of_a_queue_go_back_to_it(platform, calls, monkeypatch):
    dead = queue(platform, "data-dead")
    arn = platform.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})
    queue(platform, "data-source", dead=False, RedrivePolicy=policy)
    platform.sqs.send_message(QueueUrl=dead, MessageBody="{}")
    moved = []
    monkeypatch.setattr(platform.sqs, "start_message_move_task", lambda **request: moved.append(request))

    (told,) = redrive(platform)

    assert (told.queue, told.count, told.action) == ("genolaunch-dev-data-dead", 1, "moved back to their queue")
    assert moved == [{"SourceArn": arn}]


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
