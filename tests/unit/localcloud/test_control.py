"""Starting, finding and stopping the embedded cloud."""

import fcntl
import json
import socket
from pathlib import Path

import pytest

from localcloud import control
from localcloud.clients import make_owner
from localcloud.server import HOST, LOCK_NAME


def test_port_that_is_taken_fails_readably_and_leaves_nothing_running(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()

        with pytest.raises(control.LocalCloudError, match="ended at its start") as error:
            control.up(tmp_path, taken.getsockname()[1])

    assert "already in use" in str(error.value)
    assert control.status(tmp_path) is None


def test_usual_port_is_left_to_whoever_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        monkeypatch.setattr(control, "USUAL_PORT", taken.getsockname()[1])

        assert control._usual_or_free_port() != taken.getsockname()[1]


def test_file_of_a_server_that_was_killed_counts_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "cloud.json").write_text(json.dumps({"pid": 1, "port": 4566}))
    (tmp_path / LOCK_NAME).touch()

    assert control.status(tmp_path) is None
    assert control.down(tmp_path) is False
    assert not (tmp_path / "cloud.json").exists()


def test_cloud_is_found_while_its_server_holds_the_lock(tmp_path: Path) -> None:
    (tmp_path / "cloud.json").write_text(json.dumps({"pid": 17, "port": 4570}))
    with (tmp_path / LOCK_NAME).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        assert control.status(tmp_path) == control.Cloud(tmp_path, 17, 4570)
        # A second start finds the first.
        assert control.up(tmp_path).port == 4570


def test_environment_leads_every_client_to_the_cloud(tmp_path: Path) -> None:
    keys = make_owner(tmp_path)
    environment = control.Cloud(tmp_path, 1, 4570).environment()

    assert (environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]) == keys[:2]
    assert environment["AWS_ENDPOINT_URL"] == environment["AWS_ENDPOINT_URL_S3"] == "http://127.0.0.1:4570"
    assert environment["AWS_DEFAULT_REGION"] == "us-east-1"


@pytest.mark.parametrize(
    ("line", "news"),
    [
        ("genolaunch-local/data (genolaunch-local-data): deploying... [1/6]", "genolaunch-local/data: deploying"),
        (" ✅  genolaunch-local/data (genolaunch-local-data)", "genolaunch-local/data: deployed"),
        (" ❌  genolaunch-local/data failed: Error", "genolaunch-local/data: failed"),
        ("Outputs:", None),
    ],
)
def test_progress_is_read_from_the_cdk_cli(line: str, news: str | None) -> None:
    assert control._stack_news(line) == news
