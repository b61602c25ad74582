"""A server of the embedded cloud that is killed: nothing of it lives on, and the next one says what was lost."""

import os
import signal
from pathlib import Path

import pytest

from localcloud import control
from localcloud.clients import client
from tests.local.platform_client import eventually
from tests.local.test_door import Owner

pytestmark = [
    pytest.mark.local,
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="only Linux gives orphans to who asks for them"),
]

SLEEPS_FOR_LONG = """
import subprocess, sys
def handler(event, context):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3000)"], start_new_session=True)
    return child.pid
"""


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_nothing_of_it_lives_on_and_the_next_one_says_what_was_lost(tmp_path):
    state_dir = tmp_path / "state"
    cloud = control.up(state_dir, port=control.free_port())
    try:
        client("s3", cloud.endpoint, cloud.keys).create_bucket(Bucket="cohorts")
        grandchild = Owner(cloud).answer_of(SLEEPS_FOR_LONG, tmp_path)  # a process in a session of its own
        assert is_alive(grandchild)

        os.kill(cloud.pid, signal.SIGKILL)

        eventually(lambda: not is_alive(grandchild), "the end of the function's process")
        assert control.status(state_dir) is None
        again = control.up(state_dir, port=control.free_port())
        assert "stacks, buckets, tables, and what was running" in again.lost
        assert client("s3", again.endpoint, again.keys).list_buckets()["Buckets"] == []
    finally:
        control.down(state_dir)
    assert control.up(state_dir, port=control.free_port()).lost == ""
    control.down(state_dir)
