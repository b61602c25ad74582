"""The names of Step Functions' aws-sdk tasks."""

from datetime import UTC, datetime

import pytest

from localcloud.sdk_names import (
    UnknownNameError,
    botocore_service,
    error_name,
    operation_model,
    sdk_member,
    service_model,
    service_prefix,
    to_botocore,
    to_sdk,
)


@pytest.mark.parametrize(
    ("member", "expected"),
    [("jobName", "JobName"), ("DNSName", "DnsName"), ("VPCId", "VpcId"), ("ResourceARN", "ResourceARN")],
)
def test_members_are_spelt_as_by_the_java_sdk(member: str, expected: str) -> None:
    assert sdk_member(member) == expected


@pytest.mark.parametrize(
    ("service", "prefix"),
    [("fsx", "FSx"), ("dynamodb", "DynamoDb"), ("stepfunctions", "Sfn"), ("logs", "CloudWatchLogs"), ("ec2", "Ec2")],
)
def test_error_prefix_is_the_java_sdks_name_of_the_service(service: str, prefix: str) -> None:
    assert service_prefix(service_model(service)) == prefix


@pytest.mark.parametrize(
    ("service", "code", "expected"),
    [
        ("fsx", "FileSystemNotFound", "FSx.FileSystemNotFoundException"),
        ("s3", "NoSuchKey", "S3.NoSuchKeyException"),
        ("batch", "ClientException", "Batch.ClientException"),
        ("stepfunctions", "ExecutionDoesNotExist", "Sfn.ExecutionDoesNotExistException"),
        ("ec2", "InvalidInstanceID.NotFound", "Ec2.Ec2Exception"),
    ],
)
def test_errors_end_in_exception(service: str, code: str, expected: str) -> None:
    assert error_name(service_model(service), code) == expected


@pytest.mark.parametrize(
    ("sdk", "botocore"),
    [("sfn", "stepfunctions"), ("fsx", "fsx"), ("cloudwatchlogs", "logs"), ("eventbridge", "events")],
)
def test_services_are_found_by_their_name_in_a_task(sdk: str, botocore: str) -> None:
    assert botocore_service(sdk) == botocore


def test_unknown_service_and_operation_are_refused_in_words() -> None:
    with pytest.raises(UnknownNameError, match="aws-sdk:nothing"):
        botocore_service("nothing")
    with pytest.raises(UnknownNameError, match="fsx has no operation fly"):
        operation_model("fsx", "fly")


def test_arguments_are_renamed_at_every_depth_but_map_keys_are_kept() -> None:
    shape = operation_model("batch", "submitJob").input_shape
    arguments = {
        "JobName": "x",
        "ContainerOverrides": {"ResourceRequirements": [{"Type": "VCPU", "Value": "2"}]},
        "Tags": {"launchId": "a"},
    }

    assert to_botocore(arguments, shape, strict=True) == {
        "jobName": "x",
        "containerOverrides": {"resourceRequirements": [{"type": "VCPU", "value": "2"}]},
        "tags": {"launchId": "a"},
    }


def test_unknown_member_is_refused_only_when_strict() -> None:
    shape = operation_model("batch", "submitJob").input_shape

    assert to_botocore({"Nonsense": 1}, shape) == {}
    with pytest.raises(UnknownNameError, match="Nonsense"):
        to_botocore({"Nonsense": 1}, shape, strict=True)


def test_answers_are_renamed_and_times_become_text() -> None:
    shape = operation_model("fsx", "describeFileSystems").output_shape
    answer = {"FileSystems": [{"DNSName": "a", "CreationTime": datetime(2026, 11, 21, 4, tzinfo=UTC)}]}

    assert to_sdk(answer, shape) == {"FileSystems": [{"DnsName": "a", "CreationTime": "2026-11-21T04:00:00.000Z"}]}
