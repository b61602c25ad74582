"""A server of the embedded cloud with fake Batch and FSx (fake_stand_ins), and short ways to make things in it."""

import io
import json
import subprocess
import sys
import urllib.request
import uuid
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import boto3
import pytest

from localcloud import control
from localcloud.clients import Keys, owner_of
from tests.local.platform_client import LAST_RESORT, eventually

T = TypeVar("T")

ROOT = Path(__file__).parents[2]
ROLE = "arn:aws:iam::000000000000:role/any"


class Core:
    """The server under test, and short ways to make things in it."""

    def __init__(self, endpoint: str, keys: Keys) -> None:
        self.endpoint = endpoint
        self.keys = keys

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=self.keys.access_key,
            aws_secret_access_key=self.keys.secret_key,
        )

    def machine(self, states: dict[str, Any], **more: Any) -> str:
        """ARN of a new JSONata state machine that starts at its first state."""
        definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **more}
        arn: str = self.client("stepfunctions").create_state_machine(
            name=f"m{uuid.uuid4().hex}", definition=json.dumps(definition), roleArn=ROLE
        )["stateMachineArn"]
        return arn

    def start(self, states: dict[str, Any], data: Any = None, **more: Any) -> str:
        """ARN of an execution of a new state machine."""
        arn: str = self.client("stepfunctions").start_execution(
            stateMachineArn=self.machine(states, **more), input=json.dumps(data)
        )["executionArn"]
        return arn

    def ended(self, execution: str) -> dict[str, Any]:
        """The description of an execution once it has ended."""
        describe = self.client("stepfunctions").describe_execution

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = describe(executionArn=execution)
            return found if found["status"] != "RUNNING" else None

        return soon(look)

    def run(self, states: dict[str, Any], data: Any = None) -> Any:
        """The output of a state machine that succeeds."""
        end = self.ended(self.start(states, data))
        assert end["status"] == "SUCCEEDED", end
        return json.loads(end["output"])

    def function(self, source: str) -> str:
        """ARN of a new Python function with this code."""
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("code.py", source)
        name = f"f{uuid.uuid4().hex}"
        arn: str = self.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.14",
            Role=ROLE,
            Handler="code.handler",
            Code={"ZipFile": package.getvalue()},
            Timeout=20,
        )["FunctionArn"]
        return arn

    def queue(self, **attributes: str) -> tuple[str, str]:
        """URL and ARN of a new queue."""
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName=f"q{uuid.uuid4().hex}", Attributes=attributes)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        return url, arn

    def messages(self, url: str) -> list[Any]:
        """Bodies of what is in a queue; they are taken out."""
        sqs = self.client("sqs")
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in found]

    def deploy(self, resources: dict[str, Any]) -> dict[str, Any]:
        """A new stack once it has been made or has failed."""
        cloudformation = self.client("cloudformation")
        name = f"s{uuid.uuid4().hex}"
        outputs = {key: {"Value": {"Ref": key}} for key in resources}
        cloudformation.create_stack(
            StackName=name, TemplateBody=json.dumps({"Resources": resources, "Outputs": outputs})
        )

        def look() -> dict[str, Any] | None:
            stack: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
            return None if stack["StackStatus"].endswith("IN_PROGRESS") else stack

        return soon(look)


def soon(look: Callable[[], T | None]) -> T:
    """The first truthy answer."""
    return eventually(look, "an answer", pause=0.05)


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Core]:
    """Given: a server on a free port, with the fakes of fake_stand_ins."""
    state_dir = tmp_path_factory.mktemp("core")
    port = control.free_port()
    program = (
        "from pathlib import Path; from localcloud.server import serve;"
        f" serve(Path({str(state_dir)!r}), {port}, 0.01, 'tests.local.fake_stand_ins')"
    )
    log = (state_dir / "server.log").open("wb")
    server = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=log, stderr=log)
    endpoint = f"http://127.0.0.1:{port}"
    try:
        soon(lambda: _answers(f"{endpoint}/_ministack/ready"))
        yield Core(endpoint, owner_of(state_dir))
    finally:
        server.terminate()
        server.wait(LAST_RESORT)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def task(resource: str, arguments: Any = None, **more: Any) -> dict[str, Any]:
    """A Task state that ends its machine."""
    state = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "End": True, **more}
    return state if arguments is None else {**state, "Arguments": arguments}


def caught(state: dict[str, Any]) -> dict[str, Any]:
    """States in which a failure of the first becomes the output."""
    return {
        "Try": {
            **state,
            "Catch": [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput %}", "Next": "S"}],
        },
        "S": {"Type": "Succeed"},
    }
