"""Every function is wrapped; those that refuse inputs keep the faults; the embedded cloud's runtime logs as AWS's."""

import ast
import importlib
from pathlib import Path

import pytest

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
    inner = [name for name in decorators(handler) if name != "keeping_faults"]

    assert inner[-1] == "private_errors", "next to the function: the tracer, which is outside, records what is raised"
    assert ("keeping_faults" in decorators(handler)) == (handler.split(".")[-2] in REFUSING)


@guarantee("An error that no type knows is told without what stands in quotes, or without its text at all.")
def test_an_error_that_no_type_knows():
    from lambdas.shared.public_errors import public_text

    assert "MARKED" not in public_text(ValueError("could not convert string to float: 'MARKEDVALUE'"))
    assert "MARKED" not in public_text(KeyError("MARKEDVALUE"))
    assert "MARKED" not in public_text(type("LibraryError", (Exception,), {"__module__": "library"})("MARKEDVALUE"))
