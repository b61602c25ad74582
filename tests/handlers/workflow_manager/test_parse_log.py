"""What jobs' logs name as errors, from CloudWatch Logs to the task table."""

import base64
import gzip
import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from genolaunch.contract.errors import LOG_ERROR_TERMS
from genolaunch.contract.launcher import launcher_log_stream
from lambdas.shared.log_errors import error_in_log
from lambdas.workflow_manager import parse_log

CONTEXT = SimpleNamespace(
    function_name="f", memory_limit_in_mb=256, invoked_function_arn="arn:aws:lambda:x:1:function:f", aws_request_id="r"
)


def send(*lines: str, stream: str = "height-1a2b-1/default/task-7", kind: str = "DATA_MESSAGE") -> None:
    batch = {
        "messageType": kind,
        "logGroup": "/genolaunch/test/jobs",
        "logStream": stream,
        "logEvents": [{"id": str(n), "timestamp": n, "message": line} for n, line in enumerate(lines)],
    }
    data = base64.b64encode(gzip.compress(json.dumps(batch).encode())).decode()
    parse_log.handler({"awslogs": {"data": data}}, CONTEXT)


def recorded(platform) -> list[tuple[str, str]]:
    return [(task["errorType"], task["reason"]) for task in platform.repository.tasks("height-1a2b")]


@pytest.fixture(autouse=True)
def fresh() -> None:
    parse_log.settings.cache_clear()


def test_an_error_is_kept_with_its_type_its_line_and_its_log(platform):
    send("write: No space left on device", "rm: cannot remove: No space left on device")

    (task,) = platform.repository.tasks("height-1a2b")
    assert (task["errorType"], task["reason"]) == ("NoSpaceLeftError", "rm: cannot remove: No space left on device")
    assert (task["logGroup"], task["logStream"]) == ("/genolaunch/test/jobs", "height-1a2b-1/default/task-7")


def test_several_types_are_kept_side_by_side_and_a_repeated_batch_changes_nothing(platform):
    for _ in range(2):
        send("std::bad_alloc", "An error occurred (AccessDenied) when calling GetObject")

    assert {error for error, _ in recorded(platform)} == {"OutOfMemoryError", "AccessDeniedError"}
    assert len(recorded(platform)) == 2


def test_of_a_launchers_log_the_last_error_is_kept_by_its_stream(platform):
    stream = launcher_log_stream("arn:aws:ecs:eu-central-1:123456789012:task/launchers/0123abcd")

    send("An error occurred (AccessDenied) when calling HeadObject", "OSError: No space left on device", stream=stream)

    (task,) = platform.repository.tasks(stream)
    assert (task["errorType"], task["reason"]) == ("NoSpaceLeftError", "OSError: No space left on device")
    assert task["expiresAt"] > datetime.now(UTC).timestamp()


def test_the_trial_of_a_subscription_and_logs_of_others_are_passed_over(platform):
    send("CWL CONTROL MESSAGE: Checking health of destination Lambda.", kind="CONTROL_MESSAGE")
    send("ENOSPC", stream="somebody-elses")

    assert recorded(platform) == []


@pytest.mark.parametrize("term", LOG_ERROR_TERMS)
def test_every_term_that_is_looked_for_means_something(term):
    assert error_in_log(f"x: {term}: y") is not None
