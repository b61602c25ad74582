"""What a service's model says of its members is said in AWS's words."""

from typing import Any

import pytest
import regex
from ministack import app

from localcloud.sdk_names import operation_model, service_model
from localcloud.validation import exempt, patterns
from localcloud.validation.constraints import Constraints, WrongTypeError, message
from localcloud.validation.gate import BOTOCORE_NAMES, WITHOUT_MODEL, check_call

FILE_SYSTEM = {"FileSystemType": "LUSTRE", "SubnetIds": ["subnet-0123456789abcdef0"]}
PIPE = {"Name": "p", "RoleArn": "arn:aws:iam::000000000000:role/r"}
STATES = "arn:aws:states:us-east-1:000000000000:stateMachine:m"


def violations(service: str, operation: str, params: dict[str, Any]) -> list[str]:
    shape = operation_model(service, operation).input_shape
    assert shape is not None
    return Constraints(service).violations(params, shape)


@pytest.mark.parametrize(
    ("service", "operation", "good", "bad", "where", "demand"),
    [
        pytest.param(
            "fsx",
            "CreateFileSystem",
            {**FILE_SYSTEM, "ClientRequestToken": "a" * 63},
            {**FILE_SYSTEM, "ClientRequestToken": "a" * 64},
            "'clientRequestToken'",
            "Member must have length less than or equal to 63",
            id="length",
        ),
        pytest.param(
            "fsx",
            "CreateFileSystem",
            {**FILE_SYSTEM, "Tags": [{"Key": "café", "Value": "a b"}]},
            {**FILE_SYSTEM, "Tags": [{"Key": "a<b", "Value": "a b"}]},
            "'tags.1.member.key'",
            "Member must satisfy regular expression pattern: ",
            id="pattern",
        ),
        pytest.param(
            "lambda",
            "UpdateFunctionConfiguration",
            {"FunctionName": "f", "EphemeralStorage": {"Size": 32_768}},
            {"FunctionName": "f", "EphemeralStorage": {"Size": 32_769}},
            "'ephemeralStorage.size'",
            "Member must have value less than or equal to 32768",
            id="range",
        ),
        pytest.param(
            "batch",
            "CreateJobQueue",
            {"jobQueueName": "q", "priority": 1, "state": "ENABLED"},
            {"jobQueueName": "q", "priority": 1, "state": "ON"},
            "'state'",
            "Member must satisfy enum value set: [ENABLED, DISABLED]",
            id="enum",
        ),
        pytest.param(
            "dynamodb",
            "PutItem",
            {"TableName": "t", "Item": {}},
            {"TableName": "t"},
            "'item'",
            "Member must not be null",
            id="required",
        ),
        pytest.param(
            "pipes",
            "UpdatePipe",
            {
                **PIPE,
                "SourceParameters": {"FilterCriteria": {"Filters": [{}] * 5}},
            },
            {
                **PIPE,
                "SourceParameters": {"FilterCriteria": {"Filters": [{}] * 6}},
            },
            "'sourceParameters.filterCriteria.filters'",
            "Member must have length less than or equal to 5",
            id="size of a list",
        ),
        pytest.param(
            "fsx",
            "CreateFileSystem",
            FILE_SYSTEM,
            {**FILE_SYSTEM, "SubnetIds": ["a"]},
            "'subnetIds'",
            "Member must satisfy constraint: [Member must have length greater than or equal to 15",
            id="item of a list",
        ),
        pytest.param(
            "lambda",
            "UpdateFunctionConfiguration",
            {"FunctionName": "f", "Environment": {"Variables": {"ab": "1"}}},
            {"FunctionName": "f", "Environment": {"Variables": {"a-b": "1"}}},
            "'environment.variables'",
            "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: ",
            id="key of a map",
        ),
        pytest.param(
            "stepfunctions",
            "StartExecution",
            {"stateMachineArn": STATES, "input": "x" * 262_144},
            {"stateMachineArn": STATES, "input": "x" * 262_145},
            "'input'",
            "Member must have length less than or equal to 262144",
            id="long text",
        ),
    ],
)
def test_what_is_just_right_passes_and_one_more_is_refused(
    service: str, operation: str, good: dict[str, Any], bad: dict[str, Any], where: str, demand: str
) -> None:
    assert violations(service, operation, good) == []

    faults = violations(service, operation, bad)

    assert any(f"at {where} failed to satisfy constraint: {demand}" in fault for fault in faults), faults


def test_the_message_counts_the_faults_as_aws_does() -> None:
    assert message(["A"]) == "1 validation error detected: A"
    assert message(["A", "B"]) == "2 validation errors detected: A; B"


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("dynamodb", "PutItem", {"TableName": 1, "Item": {}}),
        ("dynamodb", "PutItem", {"TableName": "t", "Item": []}),
        ("batch", "CreateJobQueue", {"jobQueueName": "q", "priority": "high"}),
        ("batch", "DescribeJobs", {"jobs": "one"}),
        ("lambda", "UpdateFunctionConfiguration", {"FunctionName": "f", "Environment": "x"}),
    ],
)
def test_a_member_of_another_type_is_refused(service: str, operation: str, params: dict[str, Any]) -> None:
    with pytest.raises(WrongTypeError):
        violations(service, operation, params)


def test_shapes_that_hold_themselves_are_checked_all_the_way_down() -> None:
    deep = {"M": {"a": {"L": [{"M": {"b": {"S": 1}}}]}}}

    with pytest.raises(WrongTypeError, match="item"):
        violations("dynamodb", "PutItem", {"TableName": "t", "Item": {"a": deep}})


# --- What is not checked -------------------------------------------------------------------------------------------
def served_services() -> list[str]:
    ministacks = {BOTOCORE_NAMES.get(name, name) for name in app.SERVICE_HANDLERS} - WITHOUT_MODEL
    return sorted(ministacks | {"fsx", "pricing"})


def test_every_service_that_is_served_has_a_model() -> None:
    for service in served_services():
        assert service_model(service).operation_names


def test_every_pattern_is_readable_but_those_that_are_listed() -> None:
    unreadable = set()
    for service in served_services():
        model = service_model(service)
        for name in model.shape_names:
            pattern = model.shape_for(name).metadata.get("pattern")
            try:
                if pattern is not None and patterns.compiled(pattern) is None:
                    raise AssertionError
            except regex.error:
                unreadable.add(pattern)
    assert unreadable == patterns.UNREADABLE


@pytest.mark.parametrize("one", exempt.EXEMPT, ids=lambda one: f"{one.service}.{one.shape}")
def test_every_exemption_is_still_needed(one: exempt.Exemption, monkeypatch: pytest.MonkeyPatch) -> None:
    shape = service_model(one.service).shape_for(one.shape)
    assert _faults(one, shape) == []

    monkeypatch.setattr("localcloud.validation.constraints.is_exempt", lambda *_: False)

    assert _faults(one, shape) != [], "the model takes the value by now: drop the exemption"


def _faults(one: exempt.Exemption, shape: Any) -> list[str]:
    faults: list[str] = []
    Constraints(one.service)._check_of(shape)(one.taken, "x", faults)
    return faults


def test_a_call_is_refused_with_its_services_own_code() -> None:
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("fsx", "CreateFileSystem", {**FILE_SYSTEM, "ClientRequestToken": "a" * 64}),
        ("iam", "CreateRole", {"RoleName": "a" * 65, "AssumeRolePolicyDocument": "{}"}),
        ("logs", "CreateLogGroup", {"logGroupName": ""}),
        ("batch", "CreateJobQueue", {"jobQueueName": "q", "priority": 1, "state": "ON"}),
    ]
    codes = {}
    for service, operation, params in calls:
        with pytest.raises(Exception) as refused:  # noqa: PT011 - its code is looked at
            check_call(service, operation, params)
        codes[service] = getattr(refused.value, "code", None)
    assert codes == {
        "fsx": "ValidationException",
        "iam": "ValidationError",
        "logs": "InvalidParameterException",
        "batch": "ClientException",
    }
