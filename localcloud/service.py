"""What a stand-in for an AWS service is to the embedded cloud: an object that answers operations.

Names are botocore's: `operation` is the operation's name in the service model (`SubmitJob`, `DescribeFileSystems`), and
`params` and the answer use the model's member names (`jobName` for Batch, `FileSystemId` for FSx). Points in time are
timezone-aware `datetime` where the model says timestamp, and numbers where it says long (Batch's `createdAt`, in ms).
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol


class ServiceError(Exception):
    """An operation was refused: what a client sees as `ClientError`.

    `code` is the name of the exception in the service model (`ClientException`, `FileSystemNotFound`).
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def operation_of(
    service: str, operations: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]], operation: str
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """What answers an operation. Raises ServiceError `InvalidAction` for one that the stand-in does not know."""
    answer = operations.get(operation)
    if answer is None:
        raise ServiceError("InvalidAction", f"The local cloud's {service} does not know {operation}.")
    return answer


class Service(Protocol):
    """A stand-in for one AWS service. Calls come from several threads at once."""

    name: str
    """botocore's name of the service: `batch`, `fsx`."""

    def call(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """Answer one operation.

        Raises ServiceError when the request is refused; `InvalidAction` (status 400) for an operation that the
        stand-in does not know.
        """


class Batch(Service, Protocol):
    """Batch can also say when a job has ended, so that Step Functions need not ask for it again and again."""

    def on_job_end(self, job_id: str, callback: Callable[[dict[str, Any]], None]) -> None:
        """Call `callback` with the job's DescribeJobs detail once its status is SUCCEEDED or FAILED.

        It is called at once if the job has ended already, and only once. It runs on a thread of the engine and must
        return quickly.
        """

    def subscribe(self, callback: Callable[[dict[str, Any]], None]) -> None:
        """Call `callback` with each event of a job, in order, on a thread of the engine.

        An event has `detail-type`, `resources` (ARNs) and `detail`, as EventBridge has them.
        """
