"""Every function is wrapped; those that refuse inputs keep the faults; the embedded cloud's runtime logs as AWS's."""

import ast
import importlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lambdas.shared import function as function_module
from tests.attacks.guarantees import guarantee
from tests.infrastructure.test_functions import HANDLERS

ROOT = Path(__file__).parents[2]
REFUSING = ["plan_launch", "list_inputs", "find_archived", "index_objects", "prepare_snakemake", "verify_inputs"]
"""Functions that may raise a KeptError."""


def decorators(handler: str) -> list[str]:
    file = ROOT.joinpath(*handler.split(".")[:-1]).with_suffix(".py")
    (function,) = (
        node
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name == "handler"
    )
    return [ast.unparse(each).partition("(")[0] for each in function.decorator_list]


@guarantee("Each function raises the public form of its errors, and keeps the faults of inputs where the launch is.")
@pytest.mark.parametrize("handler", HANDLERS)
def test_it_raises_public_forms_only(handler):
    assert importlib.import_module(handler.rpartition(".")[0])

    assert decorators(handler)[0] == "function"
    assert [name for name in decorators(handler)[1:] if name != "keeping_faults"] == []
    assert ("keeping_faults" in decorators(handler)) == (handler.split(".")[-2] in REFUSING)


def test_no_decorator_of_a_function_hears_an_errors_text(monkeypatch: pytest.MonkeyPatch):
    heard: list[str] = []

    def listening(handler: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any) -> Any:
            try:
                return handler(*arguments)
            except Exception as error:
                heard.append(str(error))
                raise

        return wrapped

    for name, decorator in (("tracer", "capture_lambda_handler"), ("metrics", "log_metrics")):
        fake = SimpleNamespace(**{decorator: lambda **_options: listening})
        monkeypatch.setattr(function_module, name, fake)
    fake = SimpleNamespace(inject_lambda_context=lambda **_options: listening)
    monkeypatch.setattr(function_module, "logger", fake)

    with pytest.raises(ValueError, match="could not convert"):
        function_module.function(lambda _event, _context: float("MARKEDVALUE"))({}, None)

    assert len(heard) == 3
    assert "MARKED" not in "".join(heard)


@guarantee("An error that no type knows is told without what stands in quotes, or without its text at all.")
def test_an_error_that_no_type_knows():
    from genolaunch.shared.public_errors import public_text

    assert "MARKED" not in public_text(ValueError("could not convert string to float: 'MARKEDVALUE'"))
    assert "MARKED" not in public_text(KeyError("MARKEDVALUE"))
    assert "MARKED" not in public_text(type("LibraryError", (Exception,), {"__module__": "library"})("MARKEDVALUE"))
