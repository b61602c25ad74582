"""Batch services of one and two cores."""

import threading

import pytest

from tests.unit.localcloud_batch.support import Cloud


@pytest.fixture
def cloud(tmp_path):
    cloud = Cloud(tmp_path, cores=2)
    yield cloud
    cloud.batch.close()
    started = [thread for thread in threading.enumerate() if thread.name.startswith("batch-")]
    for thread in started:
        thread.join(timeout=5)  # a clock that is stopped still has to wake up
    assert [thread.name for thread in started if thread.is_alive()] == []


@pytest.fixture
def one_core(tmp_path):
    cloud = Cloud(tmp_path, cores=1)
    yield cloud
    cloud.batch.close()
