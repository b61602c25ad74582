"""One server, and a stage on it, for all workflows that are played."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests.snakemake.plays import Played, Stage, server


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("stage")
    with server(folder) as endpoint:
        yield Stage(endpoint, folder)


@pytest.fixture
def play(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Played]:
    """Plays a workflow: `Stage.play`."""
    return partial(stage.play, monkeypatch=monkeypatch)
