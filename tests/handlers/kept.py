"""What state machines hear of an error, opened as whoever writes the launch's `error` opens it."""

import json
from typing import Any

from lambdas.shared.kept_errors import in_full
from tests.handlers.conftest import TASK_TABLE


def opened(told: object, launch_id: str = "launch-1", table: str = TASK_TABLE) -> dict[str, Any]:
    """`{message, public, faults?}` of an error (or of its text) that was kept; the text says nothing else."""
    stand_in = json.loads(str(told))
    assert stand_in.keys() == {"message", "kept"}
    found = in_full(table, launch_id, stand_in)
    assert found["public"] == stand_in["message"]
    return found
