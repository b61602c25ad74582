"""S3, Step Functions, SNS and EventBridge in memory, with the calls that the functions make."""

import hashlib
import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError


class FakeS3:
    """Stands for `boto3.client("s3")`."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}

    def get_object(self, *, Bucket: str, Key: str, IfMatch: str | None = None) -> dict[str, Any]:  # noqa: N803
        body = self.objects.get((Bucket, Key))
        if body is None:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": Key}}, "GetObject")
        self._check(Bucket, Key, IfMatch)
        return {"Body": io.BytesIO(body), "ContentLength": len(body), "Metadata": {}, "ETag": etag(body)}

    def put_object(
        self,
        *,
        Bucket: str,  # noqa: N803
        Key: str,  # noqa: N803
        Body: bytes,  # noqa: N803
        IfMatch: str | None = None,  # noqa: N803
        IfNoneMatch: str | None = None,  # noqa: N803
        **_: Any,
    ) -> dict[str, Any]:
        self._check(Bucket, Key, IfMatch)
        if IfNoneMatch == "*" and (Bucket, Key) in self.objects:
            raise ClientError({"Error": {"Code": "PreconditionFailed", "Message": Key}}, "PutObject")
        self.objects[Bucket, Key] = Body
        return {"ETag": etag(Body)}

    def _check(self, bucket: str, key: str, if_match: str | None) -> None:
        if if_match and if_match != etag(self.objects.get((bucket, key), b"")):
            raise ClientError({"Error": {"Code": "PreconditionFailed", "Message": key}}, "GetObject")


def etag(body: bytes) -> str:
    """Of an object."""
    return f'"{hashlib.md5(body).hexdigest()}"'


@dataclass
class StartedExecution:
    """An execution as Step Functions knows it."""

    arn: str
    machine: str
    """ARN of its state machine."""
    given: str
    """Its input."""
    status: str = "RUNNING"
    ended_at: datetime | None = None


class _ExistsAlreadyError(ClientError):
    """Step Functions' ExecutionAlreadyExists."""


class _InvalidArnError(ClientError):
    """Step Functions' InvalidArn."""


class _DoesNotExistError(ClientError):
    """Step Functions' ExecutionDoesNotExist."""


@dataclass
class FakeStepFunctions:
    """Stands for `boto3.client("stepfunctions")`. Nothing runs by itself."""

    executions: dict[str, StartedExecution] = field(default_factory=dict)
    exceptions: Any = field(
        default_factory=lambda: SimpleNamespace(
            ExecutionAlreadyExists=_ExistsAlreadyError,
            ExecutionDoesNotExist=_DoesNotExistError,
            InvalidArn=_InvalidArnError,
        )
    )

    def start_execution(self, *, stateMachineArn: str, input: str, name: str | None = None) -> dict[str, Any]:  # noqa: N803
        assert json.loads(input)
        name = name or f"execution-{len(self.executions)}"
        assert len(name) <= 80  # the limit of Step Functions
        arn = f"{stateMachineArn}:{name}".replace(":stateMachine:", ":execution:")
        known = self.executions.get(arn)
        if known and not (known.status == "RUNNING" and known.given == input):
            raise _ExistsAlreadyError({"Error": {"Code": "ExecutionAlreadyExists"}}, "StartExecution")
        self.executions.setdefault(arn, StartedExecution(arn, stateMachineArn, input))
        return {"executionArn": arn}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803
        if executionArn not in self.executions:
            raise _DoesNotExistError({"Error": {"Code": "ExecutionDoesNotExist"}}, "DescribeExecution")
        found = self.executions[executionArn]
        stopped = {"stopDate": found.ended_at} if found.ended_at else {}
        return {"executionArn": found.arn, "stateMachineArn": found.machine, "status": found.status, **stopped}

    def end(self, arn: str, status: str) -> None:
        """Let one have ended."""
        self.executions[arn].status, self.executions[arn].ended_at = status, datetime.now(UTC)


class FakeTopics:
    """Stands for `boto3.client("sns")`."""

    def publish(self, **_: Any) -> dict[str, Any]:
        return {"MessageId": "1"}


class FakeBuses:
    """Stands for `boto3.client("events")`."""

    def put_events(self, *, Entries: list[Any]) -> dict[str, Any]:  # noqa: N803
        return {"FailedEntryCount": 0, "Entries": [{} for _ in Entries]}
