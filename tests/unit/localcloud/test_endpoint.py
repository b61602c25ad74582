"""A plain service object behind AWS's protocols."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from localcloud.endpoint import Endpoint
from localcloud.service import ServiceError
from localcloud.wire import Request


class Recorder:
    """Answers with what it is given, and remembers what it was asked."""

    def __init__(self, name: str, answer: dict[str, Any] | ServiceError) -> None:
        self.name = name
        self._answer = answer
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def call(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        self.calls.append((operation, params))
        if isinstance(self._answer, ServiceError):
            raise self._answer
        return self._answer


def post(path: str, body: object, **headers: str) -> Request:
    return Request(
        "POST", path, {name.replace("_", "-"): v for name, v in headers.items()}, json.dumps(body).encode(), {}
    )


def test_json_protocol_takes_the_operation_from_the_target_header() -> None:
    service = Recorder("fsx", {"FileSystems": [{"CreationTime": datetime(2026, 1, 1, tzinfo=UTC)}]})

    status, headers, body = Endpoint(service).answer(
        post("/", {"MaxResults": 3}, x_amz_target="AWSSimbaAPIService_v20180301.DescribeFileSystems")
    )

    assert service.calls == [("DescribeFileSystems", {"MaxResults": 3})]
    assert (status, headers["Content-Type"]) == (200, "application/x-amz-json-1.1")
    assert json.loads(body) == {"FileSystems": [{"CreationTime": 1767225600.0}]}


def test_rest_json_protocol_takes_the_operation_from_the_path() -> None:
    service = Recorder("batch", {"jobId": "1", "jobName": "x"})

    status, _, body = Endpoint(service).answer(post("/v1/submitjob", {"jobName": "x", "unknown": 1}))

    assert service.calls == [("SubmitJob", {"jobName": "x"})]
    assert (status, json.loads(body)) == (200, {"jobId": "1", "jobName": "x"})


def test_rest_json_protocol_reads_path_and_query() -> None:
    service = Recorder("batch", {})
    arn = "arn:aws:batch:us-east-1:000000000000:job/1"

    Endpoint(service).answer(Request("DELETE", f"/v1/tags/{arn}", {}, b"", {"tagKeys": ["a", "b"]}))

    assert service.calls == [("UntagResource", {"resourceArn": arn, "tagKeys": ["a", "b"]})]


def test_refusal_becomes_the_protocols_error() -> None:
    service = Recorder("batch", ServiceError("ClientException", "No such queue.", 400))

    status, headers, body = Endpoint(service).answer(post("/v1/submitjob", {}))

    assert (status, headers["x-amzn-errortype"]) == (400, "ClientException")
    assert json.loads(body)["message"] == "No such queue."


def test_unknown_path_is_refused() -> None:
    status, headers, _ = Endpoint(Recorder("batch", {})).answer(post("/v1/fly", {}))

    assert (status, headers["x-amzn-errortype"]) == (404, "UnknownOperationException")


def test_other_protocols_are_not_served() -> None:
    with pytest.raises(ValueError, match="s3 speaks rest-xml"):
        Endpoint(Recorder("s3", {}))
