"""ministack's private names are still what this package takes them for."""

import asyncio
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pytest
from ministack import app

from localcloud import lambda_worker
from localcloud import ministack_adapter as adapter

REQUIREMENTS = Path(__file__).parents[3] / "requirements-dev.in"
NAMES = [(module, name) for module, names in adapter.USED for name in names]


@pytest.mark.parametrize(("module", "name"), NAMES, ids=[f"{m.__name__}.{n}" for m, n in NAMES])
def test_every_private_name_is_there(module: ModuleType, name: str) -> None:
    assert hasattr(module, name)


def test_ministack_is_pinned_to_the_version_whose_names_these_are() -> None:
    assert f"ministack=={version('ministack')}" in REQUIREMENTS.read_text().replace(" ", "")


def test_the_source_uses_no_private_name_that_is_not_listed() -> None:
    source = Path(adapter.__file__).read_text()
    for module in {module for module, _ in NAMES}:
        short = module.__name__.rsplit(".", 1)[1]
        listed = {name for other, name in NAMES if other is module}
        used = {
            word.split(f"{short}.", 1)[1]
            for word in _words(source)
            if word.startswith(f"{short}._") and not word.startswith(f"{short}.__")
        }
        assert used <= listed, module.__name__


def _words(source: str) -> list[str]:
    import re

    return re.findall(r"\b[a-z_]+\._?[A-Za-z_]+", source)


def test_worker_script_announces_failures_as_the_adapter_reads_them() -> None:
    def fail(_event: object, _context: object) -> object:
        raise KeyError("launchId")

    answer = lambda_worker._invoke(fail, {}, None)

    result = answer["result"]
    assert isinstance(result, dict)
    assert result[lambda_worker.ERROR_KEY]["errorType"] == "KeyError"
    assert answer["status"] == "ok"  # anything else would make ministack end the process


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
