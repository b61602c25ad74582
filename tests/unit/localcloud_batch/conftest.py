"""Batch services of one and two cores."""

import threading

import pytest

from tests.unit.localcloud_batch.support import Cloud


@pytest.fixture
def cloud(tmp_path):
    cloud = Cloud(tmp_path, cores=2)
    yield cloud
    cloud.batch.close()
    leftovers = [thread.name for thread in threading.enumerate() if thread.name.startswith("batch-")]
    assert leftovers == []


@pytest.fixture
def one_core(tmp_path):
    cloud = Cloud(tmp_path, cores=1)
    yield cloud
    cloud.batch.close()
