"""Batch: environments, queues, and the instances that carry the jobs."""

import itertools
import json
import re
import subprocess
from email import message_from_string
from pathlib import Path
from typing import Any

import pytest

from stacks.compute import FILE_SYSTEMS_FOLDER
from tests.infrastructure.conftest import Resource, Stack, make_settings, synthesize

SET_UP = Path(__file__).parents[2] / "stacks" / "host" / "set_up.sh"


@pytest.fixture
def compute(stacks):
    return stacks["compute"]


def environments(compute: Stack, service: str) -> list[Resource]:
    return [
        e["ComputeResources"]
        for id_, e in compute.all("AWS::Batch::ComputeEnvironment").items()
        if id_.startswith(service)
    ]


def text(value: Any) -> str:
    """What a template's Fn::Join or Fn::Base64 comes to, with its references left as they are."""
    if isinstance(value, dict):
        ((function, argument),) = value.items()
        if function == "Fn::Join":
            return str(argument[0]).join(text(part) for part in argument[1])
        if function == "Fn::Base64":
            return text(argument)
    return value if isinstance(value, str) else json.dumps(value)


def test_each_zone_has_a_spot_and_an_on_demand_environment(compute):
    spot, on_demand = environments(compute, "BatchSpot"), environments(compute, "BatchOnDemand")

    assert [(e["Type"], e["AllocationStrategy"]) for e in spot] == [("SPOT", "SPOT_PRICE_CAPACITY_OPTIMIZED")] * 2
    assert [(e["Type"], e["AllocationStrategy"]) for e in on_demand] == [("EC2", "BEST_FIT_PROGRESSIVE")] * 2
    for pair in (spot, on_demand):
        assert len({json.dumps(e["Subnets"]) for e in pair}) == 2


def test_environments_cost_nothing_when_idle_and_name_their_image(compute):
    for environment in environments(compute, "Batch"):
        assert environment["MinvCpus"] == 0
        assert environment["Ec2Configuration"] == [{"ImageType": "ECS_AL2023"}]
        assert environment["Tags"]["project"] == "genolaunch"
        assert environment["Tags"]["stage"] == "unit"


def test_each_zone_has_a_queue_for_every_service_and_priority(compute):
    names = {queue["JobQueueName"] for queue in compute.all("AWS::Batch::JobQueue").values()}

    zones, services = ("eu-west-1a", "eu-west-1b"), ("batch-spot", "batch-on-demand")
    assert names == {
        f"genolaunch-unit-{zone}-{service}-{priority}"
        for zone, service, priority in itertools.product(zones, services, ("high", "low"))
    }


def test_high_priority_is_served_first_and_launches_share(compute):
    for queue in compute.all("AWS::Batch::JobQueue").values():
        assert queue["Priority"] == (100 if queue["JobQueueName"].endswith("high") else 1)
        assert queue["SchedulingPolicyArn"]


def test_a_queue_never_moves_a_launch_from_spot_to_on_demand(compute):
    for queue in compute.all("AWS::Batch::JobQueue").values():
        (only,) = queue["ComputeEnvironmentOrder"]
        service = "BatchSpot" if "batch-spot" in queue["JobQueueName"] else "BatchOnDemand"
        assert service in json.dumps(only["ComputeEnvironment"])


def test_a_job_that_cannot_start_is_cancelled_whatever_the_reason(compute):
    for queue in compute.all("AWS::Batch::JobQueue").values():
        actions = queue["JobStateTimeLimitActions"]
        assert {(a["Action"], a["State"], a["MaxTimeSeconds"]) for a in actions} == {("CANCEL", "RUNNABLE", 3600)}
        assert len({a["Reason"] for a in actions}) == 3


def test_instances_are_encrypted_and_keep_their_credentials(compute):
    data = compute.one("AWS::EC2::LaunchTemplate")["LaunchTemplateData"]

    (volume,) = data["BlockDeviceMappings"]
    assert volume["Ebs"]["Encrypted"] is True
    assert volume["Ebs"]["VolumeType"] == "gp3"
    assert volume["Ebs"]["VolumeSize"] == 100
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert data["MetadataOptions"]["HttpPutResponseHopLimit"] == 1


def test_an_agent_may_tag_the_instance_that_it_registers_and_nothing_else(compute):
    tag = compute.statement("InstanceRole", "RegisterWithTags")

    assert tag["Action"] == "ecs:TagResource"
    assert tag["Condition"] == {"StringEquals": {"ecs:CreateAction": "RegisterContainerInstance"}}


def test_a_changed_template_reaches_the_environments(compute):
    for environment in compute.all("AWS::Batch::ComputeEnvironment").values():
        assert environment["ReplaceComputeEnvironment"] is False
        assert "LatestVersionNumber" in json.dumps(environment["ComputeResources"]["LaunchTemplate"]["Version"])


def test_user_data_is_mime_and_sets_up_the_mounts(compute):
    user_data = text(compute.one("AWS::EC2::LaunchTemplate")["LaunchTemplateData"]["UserData"])

    message = message_from_string(user_data)
    (part,) = [part for part in message.walk() if part.get_content_type() == "text/x-shellscript"]
    script = str(part.get_payload())
    assert script.startswith("#!/bin/bash")
    assert f"readonly FOLDER='{FILE_SYSTEMS_FOLDER}'" in script
    assert re.findall("@[A-Z_]+@", script) == []
    assert len(user_data) < 16 * 1024  # EC2's limit


def test_the_set_up_is_a_valid_script():
    subprocess.run(["bash", "-n", str(SET_UP)], check=True)


def test_the_set_up_tries_again_to_install_and_gives_up_in_the_end(tmp_path):
    """The commands of the host are stand-ins here: dnf fails as often as asked."""
    loop = re.search(r"^for pause in .*?^modprobe lustre$", SET_UP.read_text(), re.MULTILINE | re.DOTALL)
    assert loop

    def run(failures: int) -> subprocess.CompletedProcess[str]:
        stand_ins = f"""set -euo pipefail; tries=0; sleep() {{ :; }}
            dnf() {{ tries=$((tries + 1)); [ $tries -gt {failures} ] && touch installed; }}
            modprobe() {{ [ -e installed ]; }}; rm -f installed; {loop[0]}; echo $tries"""
        return subprocess.run(["bash", "-c", stand_ins], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (run(0).returncode, run(0).stdout.strip()) == (0, "1")
    assert (run(3).returncode, run(3).stdout.strip()) == (0, "4")
    assert run(9).returncode == 1


@pytest.mark.parametrize(
    ("key", "entry"),
    [
        (
            "fs-0123456789abcdef0_abcd1234",
            "-fstype=lustre,relatime,flock fs-0123456789abcdef0.fsx.eu-west-1.amazonaws.com@tcp:/abcd1234",
        ),
        (
            "fs-0123456789abcdef0_a_b",
            "-fstype=lustre,relatime,flock fs-0123456789abcdef0.fsx.eu-west-1.amazonaws.com@tcp:/a_b",
        ),
        ("fs-0123456789abcdef0", None),
        ("fs-0123;reboot_abcd1234", None),
    ],
)
def test_the_automounters_map_answers_names_of_file_systems_only(key, entry):
    program = (
        SET_UP.read_text()
        .split("<<'MAP'\n")[1]
        .split("\nMAP\n")[0]
        .replace("@FSX_DOMAIN@", "fsx.eu-west-1.amazonaws.com")
    )

    answer = subprocess.run(["bash", "-c", program, "map", key], capture_output=True, text=True, check=False)

    assert (answer.stdout.strip() or None) == entry
    assert (answer.returncode == 0) is (entry is not None)


def test_settings_limit_what_runs():
    compute = synthesize(
        make_settings(batch={"max_vcpus": 8, "instance_types": ["m6i.large"], "spot_price_percent": 60})
    )["compute"]

    (spot, *_), (on_demand, *_) = environments(compute, "BatchSpot"), environments(compute, "BatchOnDemand")
    assert (spot["MaxvCpus"], spot["InstanceTypes"], spot["BidPercentage"]) == (8, ["m6i.large"], 60)
    assert "BidPercentage" not in on_demand
