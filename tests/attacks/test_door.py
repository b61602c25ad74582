"""The embedded cloud's door: its attempts are in tests/local/test_door.py, on a cloud that runs."""

import ast
from pathlib import Path

from tests.attacks.guarantees import guarantee

DOOR = Path(__file__).parents[1] / "local" / "test_door.py"


@guarantee(
    "The embedded cloud answers nobody without a key of its own, no page in a browser and no other name than its own."
)
def test_the_attempts_at_the_door_are_there():
    text = DOOR.read_text(encoding="utf-8")
    tests = [node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]

    assert len([name for name in tests if name.startswith("test_")]) >= 5
    assert all(word in text for word in ("Origin", "Host"))
