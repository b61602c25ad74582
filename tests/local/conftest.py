"""The deployed platform on the embedded cloud, once for all tests of this folder.

With GENOLAUNCH_IAM=enforced (`make test-iam`) every function, state machine, pipe, rule and job may do what its role's
policies allow, and no more. A test in which one of them is refused something fails with the action's name, whatever
else it saw.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from genolaunch.local_stage import control
from tests.local.core_cloud import core as core
from tests.local.grant_records import write_record
from tests.local.platform_client import COHORT, LAST_RESORT, PlatformClient

IAM_ENFORCED = os.environ.get("GENOLAUNCH_IAM") == "enforced"

needs_iam = pytest.mark.skipif(not IAM_ENFORCED, reason="says something only where IAM is enforced: make test-iam")


_THIS_FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test of this folder may wait for several things, the deployment among them, each of them until LAST_RESORT."""
    for item in items:
        if _THIS_FOLDER in item.path.parents:
            item.add_marker(pytest.mark.timeout(2 * LAST_RESORT))


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformClient]:
    """Given: the app's own templates, deployed by the CDK CLI to an embedded cloud of this test run only."""
    state_dir = tmp_path_factory.mktemp("localcloud")
    cloud = control.up(state_dir, port=control.free_port(), enforce_iam=IAM_ENFORCED)
    try:
        control.deploy(cloud)
        client = PlatformClient(cloud.environment())
        client.upload_data(COHORT, "cohort/")
        yield client
        if IAM_ENFORCED:
            write_record(client)
    finally:
        control.down(state_dir)


@pytest.fixture(autouse=True)
def nobody_is_refused(request: pytest.FixtureRequest) -> Iterator[None]:
    """Then: no role was refused anything. A test that means it takes the refusals (`forget_refusals`) itself."""
    yield
    if IAM_ENFORCED and "platform" in request.fixturenames:
        refused = request.getfixturevalue("platform").forget_refusals()
        assert refused == [], "IAM refused: " + "; ".join(refused)


@pytest.fixture(scope="session")
def cohort() -> Path:
    """The folder with the simulated cohort of the demo."""
    return COHORT
