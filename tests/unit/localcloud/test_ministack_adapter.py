"""ministack's private names are still what this package takes them for."""

import asyncio
import re
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pytest
from ministack import app
from ministack.services import stepfunctions

from localcloud import lambda_worker, ministack_iam, ministack_limits
from localcloud import ministack_adapter as adapter

REQUIREMENTS = Path(__file__).parents[3] / "requirements-dev.in"
ADAPTERS = (adapter, ministack_iam, ministack_limits)
NAMES = [(module, name) for part in ADAPTERS for module, names in part.USED for name in names]


@pytest.mark.parametrize(("module", "name"), NAMES, ids=[f"{m.__name__}.{n}" for m, n in NAMES])
def test_every_private_name_is_there(module: ModuleType, name: str) -> None:
    assert hasattr(module, name)


def test_ministack_is_pinned_to_the_version_whose_names_these_are() -> None:
    assert f"ministack=={version('ministack')}" in REQUIREMENTS.read_text().replace(" ", "")


@pytest.mark.parametrize("part", ADAPTERS)
def test_the_source_uses_no_private_name_that_is_not_listed(part: ModuleType) -> None:
    source = Path(str(part.__file__)).read_text()
    for module, names in part.USED:
        short = module.__name__.rsplit(".", 1)[1]
        listed = set(names)
        used = {
            word.split(f"{short}.", 1)[1]
            for word in _words(source)
            if word.startswith(f"{short}._") and not word.startswith(f"{short}.__")
        }
        assert used <= listed, module.__name__


def test_nothing_else_uses_ministack() -> None:
    package = Path(str(adapter.__file__)).parent
    users = {
        path.name
        for path in package.rglob("*.py")
        if re.search(r"^\s*(from|import) ministack\b", path.read_text(), re.MULTILINE)
    }

    assert users == {Path(str(part.__file__)).name for part in ADAPTERS}


def _words(source: str) -> list[str]:
    return re.findall(r"\b[a-z_]+\._?[A-Za-z_]+", source)


def test_worker_script_announces_failures_as_the_adapter_reads_them() -> None:
    def fail(_event: object, _context: object) -> object:
        raise KeyError("launchId")

    answer = lambda_worker._invoke(fail, {}, None)

    result = answer["result"]
    assert isinstance(result, dict)
    assert result[lambda_worker.ERROR_KEY]["errorType"] == "KeyError"
    assert answer["status"] == "ok"  # anything else would make ministack end the process


@pytest.mark.parametrize(("bytes_of_answer", "is_taken"), [(6_291_556, True), (6_291_557, False)])
def test_an_answer_of_a_function_has_6_mb_and_no_more(bytes_of_answer: int, is_taken: bool) -> None:
    result = "é" * ((bytes_of_answer - 2) // 2) + "e" * (bytes_of_answer % 2)  # two bytes a letter, and the quotes

    answer = lambda_worker._invoke(lambda _event, _context: result, {}, None)["result"]

    if is_taken:
        assert answer == result
    else:
        assert isinstance(answer, dict)
        assert answer[lambda_worker.ERROR_KEY]["errorType"] == "Function.ResponseSizeTooLarge"


def test_what_is_picked_of_a_service_is_answered_in_front_of_its_own_answer(monkeypatch) -> None:
    async def own_answer(method, path, headers, body, query):
        return 200, {}, f"own {path}".encode()

    def louder(request, own):
        status, headers, body = own()
        return status, headers, body.upper()

    monkeypatch.setitem(app.SERVICE_HANDLERS, "s3", own_answer)

    adapter.intercept("s3", lambda request: request.path == "/picked", louder)

    handle = app.SERVICE_HANDLERS["s3"]
    bodies = [asyncio.run(handle("GET", path, {}, b"", {}))[2] for path in ("/picked", "/other")]
    assert bodies == [b"OWN /PICKED", b"own /other"]


@pytest.mark.parametrize("seconds", [1, 15, 30])
def test_every_wait_lasts_also_one_as_long_as_ministacks_pause(monkeypatch, seconds: float) -> None:
    """15 seconds at the scale 0.01 are the 0.15 that ministack waits before an execution."""
    slept: list[float] = []
    for name, value in list(vars(stepfunctions).items()):
        if name.startswith("_") and callable(value):
            monkeypatch.setattr(stepfunctions, name, value)
    monkeypatch.setattr(stepfunctions, "time", stepfunctions.time)
    monkeypatch.setattr(stepfunctions, "_SFN_WAIT_SCALE", 0.01)
    adapter.mend_executions()
    monkeypatch.setattr("localcloud.ministack_adapter.time.sleep", slept.append)

    stepfunctions._scaled_sleep(seconds)
    stepfunctions.time.sleep(0.15)

    assert slept == [seconds * 0.01]
