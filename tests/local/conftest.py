"""The deployed platform on the embedded cloud, once for all tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud import control
from tests.local.platform_client import COHORT, PlatformClient


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformClient]:
    """Given: the app's own templates, deployed by the CDK CLI to an embedded cloud of this test run only."""
    state_dir = tmp_path_factory.mktemp("localcloud")
    cloud = control.up(state_dir, port=control.free_port())
    try:
        control.deploy(cloud)
        client = PlatformClient(cloud.environment())
        client.upload_data(COHORT, "cohort/")
        yield client
    finally:
        control.down(state_dir)


@pytest.fixture(scope="session")
def cohort() -> Path:
    """The folder with the simulated cohort of the demo."""
    return COHORT
