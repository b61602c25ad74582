"""A stage in memory: its tables and buckets as moto plays them, and its policies as they are synthesized."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.handlers.conftest import cloud, repository  # noqa: F401 - fixtures
from tests.handlers.workflow_manager.conftest import Platform, platform  # noqa: F401 - fixtures


@pytest.fixture(scope="session")
def team_stacks() -> dict[str, Any]:
    """Given: the templates of a stage with two teams."""
    from tests.infrastructure.conftest import make_settings, synthesize  # the CDK: most tests here do without

    return synthesize(make_settings(teams=["gwas", "cardio"], readable_buckets=["shared-cohorts"]))


@pytest.fixture
def team_platform(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:  # noqa: F811 - the fixture
    """Given: registration in a stage with two teams."""
    from lambdas.workflow_manager import register_launch

    monkeypatch.setenv("TEAMS", "gwas,cardio")
    monkeypatch.setenv("READABLE_BUCKETS", "shared-cohorts")
    register_launch.settings.cache_clear()
    yield platform
    register_launch.settings.cache_clear()
