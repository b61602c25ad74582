"""docs/security.md and these tests say the same."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.guarantees import guarantee, promised


def claimed() -> Iterator[str]:
    """Sentences that tests of this folder name."""
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        constants = {
            each.targets[0].id: each.value.value
            for each in tree.body
            if isinstance(each, ast.Assign)
            and isinstance(each.targets[0], ast.Name)
            and isinstance(each.value, ast.Constant)
        }
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)):
            for call in (each for each in function.decorator_list if isinstance(each, ast.Call)):
                if ast.unparse(call.func) == "guarantee":
                    (said,) = call.args
                    sentence = constants[said.id] if isinstance(said, ast.Name) else ast.literal_eval(said)
                    yield " ".join(str(sentence).split())


def test_each_promise_of_the_section_is_proved():
    sentences = list(claimed())

    assert len(promised()) >= 10
    assert [promise for promise in promised() if not any(sentence in promise for sentence in sentences)] == []


def test_a_sentence_that_the_document_lacks_is_refused():
    with pytest.raises(ValueError, match="does not say: Nobody ever fails"):
        guarantee("Nobody ever fails.")
