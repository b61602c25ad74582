"""`genolaunch running` on a stage that is deployed: it sees what runs while it runs, and nothing afterwards."""

import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from genolaunch.deployment.intake import Intake
from genolaunch.deployment.running import Running, running
from genolaunch.local_stage.control import STAGE_SETTINGS
from genolaunch.verify.account import Account
from tests.local.platform_client import PlatformClient, eventually, gwas_config

pytestmark = pytest.mark.local


@pytest.fixture
def account(platform: PlatformClient, monkeypatch: pytest.MonkeyPatch) -> Account:
    for name, value in platform.environment.items():
        monkeypatch.setenv(name, value)
    return Account("local", boto3.Session(region_name=platform.environment["AWS_DEFAULT_REGION"]))


def test_what_runs_is_seen_until_it_is_over(platform: PlatformClient, account: Account):
    eventually(lambda: running(account).is_idle, "nothing that an earlier test began")
    launch_id = platform.drop(gwas_config())["launchId"]

    def jobs() -> Running | None:
        found = running(account)
        return found if any(job.name.startswith(f"{launch_id}-1-") for job in found.jobs) else None

    seen = eventually(jobs, f"a job of {launch_id} on a host", pause=0.05)

    assert [launch.launch_id for launch in seen.launches] == [launch_id]
    assert any(launch_id in sentence for sentence in seen.sentences())
    eventually(lambda: running(account).is_idle, f"{launch_id} to be over")


def test_the_command_ends_well_when_nothing_runs(platform: PlatformClient, account: Account, tmp_path: Path):
    eventually(lambda: running(account).is_idle, "nothing that an earlier test began")
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({"stages": json.loads(STAGE_SETTINGS.read_text())}))
    program = Path(sys.executable).with_name("genolaunch")
    done = subprocess.run(
        [str(program), "--stage", "local", "running", "--idle", "--settings-file", str(settings)],
        env={**os.environ, **platform.environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "Nothing runs in the stage local.\n"), done.stderr


@pytest.mark.full
def test_the_intake_stops_and_takes_in_again(platform: PlatformClient, account: Account):
    """As `destroy` does it, and takes it back if something has begun meanwhile."""
    eventually(lambda: running(account).is_idle, "nothing that an earlier test began")
    names = {each["ResourceType"]: each["PhysicalResourceId"] for each in account.resources("workflow-manager")}
    mapping, pipe = names["AWS::Lambda::EventSourceMapping"], names["AWS::Pipes::Pipe"]

    def states() -> tuple[str, str]:
        return (
            account.client("lambda").get_event_source_mapping(UUID=mapping)["State"],
            account.client("pipes").describe_pipe(Name=pipe)["CurrentState"],
        )

    intake = Intake(account)
    intake.stop()
    stopped = states()
    intake.put_back()

    assert stopped == ("Disabled", "STOPPED")
    launch_id = platform.drop(gwas_config())["launchId"]
    eventually(lambda: any(each.launch_id == launch_id for each in running(account).launches), f"{launch_id} to run")
    eventually(lambda: running(account).is_finished, "nothing of it to be left")
