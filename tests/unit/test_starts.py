"""While a function starts on Lambda no garbage is collected; afterwards it is, but for what the start made."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import gc
import lambdas
starting = gc.isenabled()
import lambdas.cleanup.sweep
print(starting, gc.isenabled(), gc.get_freeze_count() > 10_000)
"""


@pytest.mark.parametrize(
    ("environment", "said"),
    [({"LAMBDA_TASK_ROOT": "/var/task"}, "False True True"), ({}, "True True False")],
)
def test_garbage_is_collected_once_a_function_has_started(environment: dict[str, str], said: str):
    without = {name: value for name, value in os.environ.items() if name != "LAMBDA_TASK_ROOT"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=Path(__file__).parents[2],
        env={**without, "AWS_REGION": "eu-west-1", "POWERTOOLS_TRACE_DISABLED": "true", **environment},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == said
