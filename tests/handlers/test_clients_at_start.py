"""On Lambda, clients are made while the function starts; elsewhere only when somebody uses them."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import importlib, sys
from genolaunch.shared import aws
made = []
aws.client = made.append
importlib.import_module(sys.argv[1])
print(*made)
"""


def made_by(module: str, **environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, module],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    ("module", "services"),
    [
        ("lambdas.workflow_manager.register_launch", {"dynamodb", "s3"}),
        ("lambdas.workflow_manager.settle_launch", {"dynamodb"}),
        ("lambdas.regenie.plan_launch", {"dynamodb", "s3"}),
        ("lambdas.regenie.record_results", {"s3"}),
    ],
)
def test_what_nearly_every_invocation_needs_is_made_on_lambda(module, services):
    assert set(made_by(module, AWS_LAMBDA_INITIALIZATION_TYPE="on-demand")) == services


def test_elsewhere_nothing_is_made():
    assert made_by("lambdas.workflow_manager.register_launch") == []
