"""Workers that are forked behave as those that begin anew."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from localcloud import forked_workers, lambda_worker
from localcloud.forked_workers import ForkedProcess, Parents

HANDLER = """
import boto3
import os, random, signal, subprocess, sys, threading

AT_START = random.random()

def handler(event, _context):
    if event == "see":
        return {
            "boto3": boto3.WHOSE,
            "environment": dict(os.environ),
            "folder": os.getcwd(),
            "arguments": sys.argv,
            "path": sys.path,
            "finders": len(sys.meta_path),
            "threads": threading.active_count(),
            "child": subprocess.run([sys.executable, "-c", "raise SystemExit(3)"]).returncode,
            "streams": sorted(os.listdir("/proc/self/fd"))[:3],
        }
    if event == "chance":
        return [AT_START, random.random()]
    print("said", event)
    return event
"""
WORKER = Path(lambda_worker.__file__).read_text()


class Function:
    """A bundle, a layer and AWS's runtime in folders, as ministack unpacks them."""

    def __init__(self, folder: Path) -> None:
        self.code = folder / "code"
        self.layer = folder / "layer"
        self.runtime = folder / "runtime"
        self.layers = str(self.layer)
        self.script = folder / "_worker.py"
        for place in (self.code, self.layer / "python", self.runtime):
            place.mkdir(parents=True)
        (self.code / "it.py").write_text(HANDLER)
        (self.runtime / "boto3.py").write_text("WHOSE = 'the runtime'")
        (self.layer / "python" / "pydantic.py").write_text("import os; LOADED_BY = os.getpid()")
        self.script.write_text(WORKER)

    @contextmanager
    def started(self, start: Any) -> Iterator["Worker"]:
        """A worker of it, ready for invocations."""
        process = start(
            [sys.executable, str(self.script)],
            cwd=str(self.code),
            env={
                **os.environ,
                "_LAMBDA_LAYERS_DIRS": self.layers,
                "LAMBDA_TASK_ROOT": str(self.code),
                "AWS_REGION": "eu-west-1",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        worker = Worker(process)
        try:
            function = {"code_dir": str(self.code), "module": "it", "handler": "handler", "env": {"OWN": "1"}}
            assert worker.says(function)["status"] == "ready"
            yield worker
        finally:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                stream.close()


class Worker:
    """Its process, spoken to as ministack does."""

    def __init__(self, process: Any) -> None:
        self.process = process

    def says(self, message: object) -> dict[str, Any]:
        """Its answer."""
        self.process.stdin.write(json.dumps(message) + "\n")
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def returns(self, event: object) -> Any:
        """What the handler does."""
        return self.says({"event": event})["result"]


@pytest.fixture
def function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Function:
    made = Function(tmp_path)
    monkeypatch.setenv("LAMBDA_RUNTIME_DIR", str(made.runtime))
    return made


@pytest.fixture
def parents() -> Iterator[Parents]:
    made = Parents()
    yield made
    made.close()


def test_a_forked_worker_sees_what_one_that_begins_anew_sees(function: Function, parents: Parents) -> None:
    with function.started(parents.start) as forked, function.started(subprocess.Popen) as anew:
        assert isinstance(forked.process, ForkedProcess)
        assert forked.returns("see") == anew.returns("see")


def test_a_forked_worker_finds_no_keys_but_its_own(
    function: Function, parents: Parents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the owner's, or another function's")

    with function.started(parents.start) as worker:
        of_the_system = Path(f"/proc/{worker.process.pid}/environ").read_bytes()

    assert b"LAMBDA_RUNTIME_DIR" in of_the_system
    assert b"SECRET" not in of_the_system


def test_workers_of_one_parent_draw_other_random_numbers(function: Function, parents: Parents) -> None:
    with function.started(parents.start) as one, function.started(parents.start) as other:
        assert set(one.returns("chance")).isdisjoint(other.returns("chance"))


def test_what_a_function_prints_comes_by_its_own_stream(function: Function, parents: Parents) -> None:
    with function.started(parents.start) as one, function.started(parents.start) as other:
        assert one.returns("A") == "A"
        assert other.returns("B") == "B"
        assert one.process.stderr.readline() == "said A\n"
        assert other.process.stderr.readline() == "said B\n"


def test_a_function_that_brings_a_package_itself_has_its_own(function: Function, parents: Parents) -> None:
    (function.code / "boto3.py").write_text("WHOSE = 'the function'")

    with function.started(parents.start) as worker:
        assert worker.returns("see")["boto3"] == "the function"


@pytest.mark.parametrize(("package", "kind"), [("boto3", subprocess.Popen), ("numpy", ForkedProcess)])
def test_a_further_layer_counts_too(
    function: Function, parents: Parents, tmp_path: Path, package: str, kind: type
) -> None:
    further = tmp_path / "further"
    (further / "python").mkdir(parents=True)
    (further / "python" / f"{package}.py").write_text("WHOSE = 'the further layer'")
    (function.code / "it.py").write_text(f"from {package} import WHOSE\ndef handler(event, _context): return WHOSE")
    function.layers = f"{function.layer}{os.pathsep}{further}"

    with function.started(parents.start) as worker:
        assert isinstance(worker.process, kind)
        assert worker.returns("whose") == "the further layer"


def test_a_function_without_layers_begins_anew(function: Function, parents: Parents) -> None:
    process = parents.start(
        [sys.executable, "-c", "print(7)"], cwd=str(function.code), env={}, stdout=subprocess.PIPE, text=True
    )

    assert isinstance(process, subprocess.Popen)
    assert process.stdout is not None
    assert process.stdout.read().strip() == "7"


def test_a_worker_is_asked_and_made_to_end(function: Function, parents: Parents) -> None:
    with function.started(parents.start) as worker:
        process = worker.process
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.01)

        process.terminate()

        process.wait()
        assert process.poll() is not None
        process.terminate()  # is no error


def test_a_worker_ends_when_its_server_does(function: Function, parents: Parents) -> None:
    with function.started(parents.start) as worker:
        parents.close()
        assert worker.returns("still") == "still"

        worker.process.stdin.close()

        worker.process.wait()


def test_workers_begin_anew_where_their_parent_was_killed(function: Function, parents: Parents) -> None:
    with function.started(parents.start) as first:
        for parent in parents._parents.values():
            parent._process.send_signal(signal.SIGKILL)
            parent._process.wait()

        with function.started(parents.start) as second, function.started(parents.start) as third:
            assert isinstance(second.process, subprocess.Popen)
            assert isinstance(third.process, ForkedProcess)  # of a new parent
            assert [worker.returns(1) for worker in (first, second, third)] == [1, 1, 1]


def test_nothing_is_forked_where_no_file_stands_for_a_process(
    function: Function, parents: Parents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forked_workers, "_CAN_FORK", False)

    with function.started(parents.start) as worker:
        assert isinstance(worker.process, subprocess.Popen)
