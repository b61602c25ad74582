"""Requests are read back as botocore wrote them: every operation of the services that the platform uses."""

import pytest

from localcloud.sdk_names import service_model
from localcloud.validation.parsing import MalformedError, parameters
from localcloud.validation.routing import find_operation
from localcloud.wire import Request
from tests.unit.localcloud_validation.requests_of import request_of, sample, without_empty

SERVICES = [
    ("athena", "json"),
    ("batch", "rest-json"),
    ("cloudformation", "query"),
    ("cloudwatch", "json"),
    ("cloudwatch", "query"),
    ("cloudwatch", "smithy-rpc-v2-cbor"),
    ("dynamodb", "json"),
    ("ec2", "ec2"),
    ("ecs", "json"),
    ("events", "json"),
    ("fsx", "json"),
    ("iam", "query"),
    ("lambda", "rest-json"),
    ("logs", "json"),
    ("pipes", "rest-json"),
    ("s3", "rest-xml"),
    ("sns", "query"),
    ("sqs", "json"),
    ("ssm", "json"),
    ("stepfunctions", "json"),
    ("sts", "query"),
]
ON_ANOTHER_HOST = ("ListDirectoryBuckets",)
"""What only its host tells from another operation (S3 Express)."""


@pytest.mark.parametrize(("service", "protocol"), SERVICES, ids=["-".join(one) for one in SERVICES])
def test_every_operation_is_read_as_it_was_written(service: str, protocol: str) -> None:
    model = service_model(service)
    for name in model.operation_names:
        operation = model.operation_model(name)
        if operation.deprecated or name in ON_ANOTHER_HOST:
            continue  # the deprecated have the same path as what came after them
        params = sample(operation.input_shape) if operation.input_shape else {}
        request = request_of(operation, params, protocol)

        called = find_operation(service, request)

        assert called is not None, name
        assert (called.operation.name, called.protocol) == (name, protocol)
        assert without_empty(parameters(called, request)) == without_empty(params), name


@pytest.mark.parametrize(
    ("service", "headers", "body"),
    [
        ("dynamodb", {"x-amz-target": "DynamoDB_20120810.ListTables"}, b"{"),
        ("dynamodb", {"x-amz-target": "DynamoDB_20120810.ListTables"}, b"[]"),
        ("cloudwatch", {"smithy-protocol": "rpc-v2-cbor"}, b"\xff"),
    ],
)
def test_a_body_that_is_not_the_protocols_is_malformed(service: str, headers: dict[str, str], body: bytes) -> None:
    path = "/service/GraniteServiceVersion20100801/operation/ListMetrics" if service == "cloudwatch" else "/"
    request = Request("POST", path, headers, body, {})
    called = find_operation(service, request)
    assert called is not None

    with pytest.raises(MalformedError):
        parameters(called, request)
