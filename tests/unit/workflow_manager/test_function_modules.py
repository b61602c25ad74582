"""The functions' modules: complete settings or none, and no import that a cold start would pay for in vain."""

import subprocess
import sys
from pathlib import Path

import pytest

from lambdas.shared.settings import MissingSettingsError, read_settings
from lambdas.workflow_manager.register_launch import Settings

REPOSITORY = Path(__file__).parents[3]


def test_settings_come_from_their_variables():
    environment = {
        "STAGE": "dev",
        "LAUNCH_TABLE": "launches",
        "TASK_TABLE": "tasks",
        "DATA_BUCKET": "data",
        "NOTIFICATION_TOPIC": "arn",
        "EVENT_BUS": "bus",
        "COMPUTE_SERVICES": "batch-spot",
        "HOME": "/",
    }

    assert read_settings(Settings, environment) == Settings(
        "dev", "launches", "tasks", "data", "arn", "bus", "batch-spot"
    )


def test_all_missing_settings_are_named_at_once():
    with pytest.raises(MissingSettingsError, match="TASK_TABLE, DATA_BUCKET, NOTIFICATION_TOPIC, EVENT_BUS, COMPUTE"):
        read_settings(Settings, {"STAGE": "dev", "LAUNCH_TABLE": "launches", "TASK_TABLE": ""})


@pytest.mark.parametrize("module", ["change_status", "settle_launch", "lost_requests"])
def test_functions_that_read_no_config_do_not_load_what_reads_it(module):
    code = f"import sys, lambdas.workflow_manager.{module}; print(sorted({{'pydantic', 'yaml'}} & set(sys.modules)))"

    loaded = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "[]"
