"""Stages in memory, as many as a test wants."""

from collections.abc import Callable

import pytest

from genolaunch.contract.compute import ComputeService
from genolaunch.shared import aws
from lambdas.cleanup import lost_endings
from lambdas.pricing import retry_pricing
from lambdas.workflow_manager import lost_requests, register_launch, status_function
from tests.handlers.conftest import LAUNCH_TABLE, TASK_TABLE
from tests.handlers.faults.tables import FakeTables
from tests.handlers.faults.trouble import Trouble
from tests.handlers.faults.world import AT_ONCE, MACHINES, World


@pytest.fixture
def again(monkeypatch: pytest.MonkeyPatch) -> Callable[[], World]:
    """Given: a new stage of two slots, whose schedules take what is a moment old for missed, as often as called."""
    environment = {f"{name.upper()}_STATE_MACHINE": arn for name, arn in MACHINES.items()} | {
        "SWEEP_GRACE_MINUTES": "0",
        "LAUNCHES_AT_ONCE": str(AT_ONCE),
        "NOTIFICATION_TOPIC": "arn:aws:sns:eu-central-1:123456789012:notices",
        "EVENT_BUS": "genolaunch-test",
        "DATA_BUCKET": "genolaunch-test-data",
        "COMPUTE_SERVICES": ",".join(ComputeService),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for module in (register_launch, status_function, lost_requests, lost_endings, retry_pricing):
        module.settings.cache_clear()
    services: dict[str, object] = {}
    monkeypatch.setattr(aws, "client", _Clients(services))

    def make() -> World:
        keys = {LAUNCH_TABLE: ("launchId",), TASK_TABLE: ("launchId", "taskId")}
        world = World(Trouble(), FakeTables(keys), services)
        world.use(world.tables)
        return world

    return make


class _Clients:
    """Stands for genolaunch.shared.aws.client."""

    def __init__(self, services: dict[str, object]) -> None:
        self._services = services

    def __call__(self, service: str) -> object:
        return self._services[service]

    def cache_clear(self) -> None:
        """There is nothing to clear: each world sets its own."""
