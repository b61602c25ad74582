"""Step Functions' aws-sdk tasks: what becomes of a request that has no answer."""

import socket
import threading
from collections.abc import Iterator

import pytest

from localcloud.clients import Keys
from localcloud.ministack_adapter import TaskError
from localcloud.sdk_tasks import SdkTasks


@pytest.fixture
def closed_connections() -> Iterator[str]:
    """Given: a server that closes each connection without a word, as one does that is too busy."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(1)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("resource", "error"),
    [
        ("aws-sdk:ssm:getCommandInvocation", "Ssm.SdkClientException"),
        ("aws-sdk:fsx:describeFileSystems", "FSx.SdkClientException"),
    ],
)
def test_a_request_without_an_answer_fails_its_task_by_a_name_that_retriers_know(closed_connections, resource, error):
    arguments = {"CommandId": "c" * 36, "InstanceId": "i-0123456789abcdef0"} if "ssm" in resource else {}

    tasks = SdkTasks(closed_connections, lambda: Keys("AKIATEST", "secret"))

    with pytest.raises(TaskError) as failed:
        tasks.run(f"arn:aws:states:::{resource}", arguments)

    assert failed.value.error == error
