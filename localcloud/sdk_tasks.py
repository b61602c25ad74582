"""Step Functions' aws-sdk tasks: one dispatcher through botocore to this cloud's own endpoint for every service."""

from collections.abc import Callable
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from localcloud.clients import Keys, client, owner
from localcloud.ministack_adapter import TaskError
from localcloud.sdk_names import (
    UnknownNameError,
    Value,
    botocore_service,
    error_name,
    operation_model,
    service_model,
    to_botocore,
    to_sdk,
)

_NO_ANSWER: Final = "SdkClientException"


class SdkTasks:
    """Calls of AWS operations by Step Functions' names."""

    def __init__(self, endpoint: str, keys: Callable[[], Keys] = owner) -> None:
        """`keys` of whoever calls, on the calling thread."""
        self._endpoint = endpoint
        self._keys = keys

    def run(self, resource: str, arguments: Value) -> Value:
        """Run `arn:aws:states:::aws-sdk:<service>:<action>`.

        Raises TaskError as Step Functions names errors.
        """
        service, action = resource.split(".waitForTaskToken")[0].split(":")[-2:]
        try:
            return self.call(botocore_service(service), action, arguments)
        except UnknownNameError as unknown:
            raise TaskError("States.Runtime", str(unknown)) from unknown

    def call(self, service: str, action: str, arguments: Value) -> Value:
        """Call one operation of a service (botocore's name) with members in PascalCase, and answer likewise.

        Raises TaskError when the service refuses, UnknownNameError for a wrong operation or member.
        """
        operation = operation_model(service, action)
        params = to_botocore(arguments or {}, operation.input_shape, strict=True)
        try:
            # Retriers of the state machine try again, and nobody else.
            answer = client(service, self._endpoint, self._keys(), 1)._make_api_call(operation.name, params)
        except ClientError as refusal:
            error = refusal.response["Error"]
            name = error_name(service_model(service), error.get("Code", ""))
            raise TaskError(name, error.get("Message", "")) from refusal
        except ParamValidationError as invalid:
            raise TaskError("States.Runtime", str(invalid)) from invalid
        except BotoCoreError as unanswered:
            # What Step Functions calls a request that its SDK had no answer to: a retrier takes it like any other.
            raise TaskError(error_name(service_model(service), _NO_ANSWER), str(unanswered)) from unanswered
        answer.pop("ResponseMetadata", None)
        return to_sdk(answer, operation.output_shape)
