"""Failures on request over HTTP."""

import json
from typing import Any

import pytest

from localcloud.injection import PREFIX, InjectionEndpoint, batch_injector, fsx_injector
from localcloud.wire import Request


class Recorder:
    """Stands for both services: remembers what it was told to let fail."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def inject(self, glob, **arguments):
        self.asked.append((glob, arguments))

    def fail_next_file_system(self, message):
        self.asked.append(("file system", message))

    def refuse_next_file_system(self, message):
        self.asked.append(("quota", message))

    def fail_next_export(self, pattern):
        self.asked.append(("export", pattern))


@pytest.fixture
def service():
    return Recorder()


@pytest.fixture
def post(service):
    """Posts a body to a service's endpoint: the status and the sentence of the answer."""
    endpoint = InjectionEndpoint({"batch": batch_injector(service), "fsx": fsx_injector(service)})

    def send(name: str, body: object, method: str = "POST") -> tuple[int, str]:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        status, _, answer = endpoint.answer(Request(method, PREFIX + name, {}, raw, {}))
        return status, json.loads(answer).get("message", "")

    return send


def test_a_job_loses_its_spot_instance_once_unless_more_is_said(post, service):
    assert post("batch", {"jobNameGlob": "l1-*"}) == (200, "")
    assert service.asked == [("l1-*", {})]


def test_how_an_attempt_ends_can_be_said(post, service):
    body = {"jobNameGlob": "j", "reason": "OutOfMemoryError: x", "exitCode": 137, "times": 2, "statusReason": "s"}
    assert post("batch", body) == (200, "")
    expected = {"reason": "OutOfMemoryError: x", "exit_code": 137, "times": 2, "status_reason": "s"}
    assert service.asked == [("j", expected)]


def test_an_attempt_can_be_given_other_variables(post, service):
    assert post("batch", {"jobNameGlob": "j", "environment": {"A": "b"}}) == (200, "")
    assert service.asked == [("j", {"environment": {"A": "b"}})]
    assert post("batch", {"jobNameGlob": "j", "environment": {"A": 1}})[0] == 400


def test_the_next_file_system_or_export_can_fail(post, service):
    assert post("fsx", {"failNextFileSystem": "no capacity"})[0] == 200
    assert post("fsx", {"failNextExport": "*/bad"})[0] == 200
    assert service.asked == [("file system", "no capacity"), ("export", "*/bad")]


@pytest.mark.parametrize(
    ("name", "body", "sentence"),
    [
        ("batch", b"{", "The body is not JSON"),
        ("batch", [], "The body must be a JSON object."),
        ("batch", {}, "jobNameGlob must be text, not null."),
        (
            "batch",
            {"jobNameGlob": "x", "exit_code": 1},
            "Unknown: exit_code. Known: environment, exitCode, jobNameGlob",
        ),
        ("batch", {"jobNameGlob": "x", "times": 0}, "times must be at least 1."),
        ("batch", {"jobNameGlob": "x", "exitCode": "1"}, 'exitCode must be a whole number, not "1".'),
        ("fsx", {}, "exactly one of failNextFileSystem and refuseNextFileSystem and failNextExport"),
        ("fsx", {"failNextExport": ""}, 'failNextExport must be text, not "".'),
        ("s3", {}, f"POST {PREFIX}s3 is unknown; known: POST {PREFIX}batch and POST {PREFIX}fsx."),
    ],
)
def test_a_bad_request_is_refused_in_a_sentence(post, service, name, body, sentence):
    status, message = post(name, body)
    assert status == 400
    assert sentence in message
    assert service.asked == []


def test_only_post_injects(post, service):
    assert post("batch", {"jobNameGlob": "x"}, method="GET")[0] == 400
    assert service.asked == []
