"""Batch: environments, queues, and the instances that carry the jobs."""

import itertools
import json
import re
import subprocess
from email import message_from_string
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from stacks.config import InvalidSettingsError
from stacks.constructs.job_hosts import FILE_SYSTEMS_FOLDER
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


def test_jobs_of_snakemake_have_environments_of_their_own_in_all_zones(compute):
    zones = {json.dumps(e["Subnets"][0]) for e in environments(compute, "BatchSpot")}

    own = environments(compute, "SnakemakeBatch")
    assert [e["Type"] for e in own] == ["SPOT", "EC2"]
    for environment in own:
        assert {json.dumps(subnet) for subnet in environment["Subnets"]} == zones


def test_environments_cost_nothing_when_idle_and_name_their_image(compute):
    for environment in [*environments(compute, "Batch"), *environments(compute, "SnakemakeBatch")]:
        assert environment["MinvCpus"] == 0
        assert environment["Ec2Configuration"] == [{"ImageType": "ECS_AL2023"}]
        assert environment["Tags"]["project"] == "genolaunch"
        assert environment["Tags"]["stage"] == "unit"


def test_each_place_has_a_queue_for_every_service_and_priority(compute):
    names = {queue["JobQueueName"] for queue in compute.all("AWS::Batch::JobQueue").values()}

    places, services = ("eu-west-1a", "eu-west-1b", "snakemake"), ("batch-spot", "batch-on-demand")
    assert names == {
        f"genolaunch-unit-{place}-{service}-{priority}"
        for place, service, priority in itertools.product(places, services, ("high", "low"))
    }
    # Batch takes 50 queues and 50 environments in a region (user guide, "Service quotas").
    assert len(names) <= 12


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


@pytest.mark.parametrize("hosts", ["Instance", "SnakemakeInstance"])
def test_instances_are_encrypted_and_keep_their_credentials(compute, hosts):
    data = compute.one("AWS::EC2::LaunchTemplate", hosts)["LaunchTemplateData"]

    (volume,) = data["BlockDeviceMappings"]
    assert volume["Ebs"]["Encrypted"] is True
    assert volume["Ebs"]["VolumeType"] == "gp3"
    assert volume["Ebs"]["VolumeSize"] == 100
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert data["MetadataOptions"]["HttpPutResponseHopLimit"] == 1


@pytest.mark.parametrize("hosts", ["Instance", "SnakemakeInstance"])
def test_an_agent_may_tag_the_instance_that_it_registers_and_nothing_else(compute, hosts):
    tag = compute.statement(f"{hosts}Role", "RegisterWithTags")

    assert tag["Action"] == "ecs:TagResource"
    assert tag["Condition"] == {"StringEquals": {"ecs:CreateAction": "RegisterContainerInstance"}}


def test_a_changed_template_reaches_the_environments(compute):
    for environment in compute.all("AWS::Batch::ComputeEnvironment").values():
        assert environment["ReplaceComputeEnvironment"] is False
        assert "LatestVersionNumber" in json.dumps(environment["ComputeResources"]["LaunchTemplate"]["Version"])


def test_user_data_is_mime_and_sets_up_the_mounts(compute):
    user_data = text(compute.one("AWS::EC2::LaunchTemplate", "Instance")["LaunchTemplateData"]["UserData"])

    message = message_from_string(user_data)
    (part,) = [part for part in message.walk() if part.get_content_type() == "text/x-shellscript"]
    script = str(part.get_payload())
    assert script.startswith("#!/bin/bash")
    assert f"readonly FOLDER='{FILE_SYSTEMS_FOLDER}'" in script
    assert re.findall("@[A-Z_]+@", script) == []
    assert "[[ 'yes' == yes ]] || exit 0" in script
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
            rpm() {{ [ -e prepared ]; }}; modprobe() {{ [ -e installed ] || rpm; }}
            rm -f installed; {loop[0]}; echo $tries"""
        return subprocess.run(["bash", "-c", stand_ins], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (run(0).returncode, run(0).stdout.strip()) == (0, "1")
    assert (run(3).returncode, run(3).stdout.strip()) == (0, "4")
    assert run(9).returncode == 1
    (tmp_path / "prepared").touch()  # in a prepared image no mirror is asked
    assert (run(9).returncode, run(9).stdout.strip()) == (0, "0")


def test_a_host_whose_set_up_fails_says_why_takes_no_jobs_and_ends_itself(tmp_path):
    """The script itself, with stand-ins for the host's commands, of which one fails."""
    begin = SET_UP.read_text().split("# The ECS agent's own limits")[0].replace("/dev/console", "console")
    stand_ins = "".join(f'{name}() {{ echo "{name} $*"; }}\n' for name in ("logger", "systemctl", "shutdown"))

    ended = subprocess.run(
        ["bash", "-c", f"{stand_ins}{begin}\nfalse\necho took jobs"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    said = (tmp_path / "console").read_text()
    assert ended.returncode == 1
    assert "took jobs" not in ended.stdout
    assert ": false)" in said
    assert "takes no jobs" in said
    assert "systemctl mask --now ecs" in ended.stdout
    assert re.search(r"^shutdown --poweroff \+5 Genolaunch: the set-up of @FOLDER@ failed", ended.stdout, re.MULTILINE)


def test_the_agent_gives_containers_longer_to_start_and_to_stop():
    agent = SET_UP.read_text().split("<<'AGENT'\n")[1].split("\nAGENT\n")[0]

    minutes = {name: int(value.removesuffix("m")) for name, value in (line.split("=") for line in agent.splitlines())}
    assert minutes["ECS_CONTAINER_CREATE_TIMEOUT"] > 4  # the agent's own limits (its README)
    assert minutes["ECS_CONTAINER_START_TIMEOUT"] > 3
    assert minutes["ECS_IMAGE_PULL_INACTIVITY_TIMEOUT"] > 1
    assert minutes["ECS_CONTAINER_STOP_TIMEOUT"] == 2  # what a Spot warning gives


def set_up_of(compute: Stack, hosts: str) -> str:
    return text(compute.one("AWS::EC2::LaunchTemplate", hosts)["LaunchTemplateData"]["UserData"])


@pytest.mark.parametrize(("hosts", "mounts"), [("Instance", True), ("SnakemakeInstance", False)])
def test_hosts_of_all_jobs_leave_in_order_when_spot_takes_them_back(compute, tmp_path, hosts, mounts):
    """The set-up itself, as far as it gets without Lustre, and then the watcher it made; commands are stand-ins.

    The agent goes before the containers: Batch retries a job whose host is gone, and not one whose container stopped.
    """
    script = "#!/bin/bash" + set_up_of(compute, hosts).split("#!/bin/bash", 1)[1].split("\n--")[0]
    for folder in ("/etc/ecs", "/etc/systemd/system", "/usr/local/bin"):
        (tmp_path / folder[1:]).mkdir(parents=True)
        script = script.replace(f"{folder}/", f"{tmp_path}{folder}/")
    programs = ("systemctl", "docker", "umount", "logger", "shutdown", "curl", "sleep", "dnf", "rpm")
    stand_ins = "".join(f'{name}() {{ echo "{name} $*" >> {tmp_path}/said; }}\n' for name in programs)
    stand_ins += f'xargs() {{ echo "xargs $*" >> {tmp_path}/said; }}\nmodprobe() {{ exit 0; }}\n'

    made = subprocess.run(["bash", "-c", stand_ins + script], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    assert "systemctl enable --now --no-block stop-before-reclaim.service" in (tmp_path / "said").read_text()
    (tmp_path / "said").unlink()
    watcher = (tmp_path / "usr/local/bin/stop-before-reclaim").read_text()
    subprocess.run(["bash", "-c", stand_ins + watcher], check=True)

    done = [line for line in (tmp_path / "said").read_text().splitlines() if not line.startswith(("curl", "sleep"))]
    stopped = ["systemctl stop ecs", "xargs --no-run-if-empty docker stop --time 20"]
    left = [line for line in done if not line.startswith("docker ps")]
    assert left == stopped + ["systemctl stop autofs", "umount --all --types lustre"] * mounts


@pytest.fixture(scope="module")
def other() -> Stack:
    """Given: a stage whose hosts are of its own image and closed, and whose jobs may take long."""
    batch = {"session_manager": False, "machine_images": {"x86_64": "/company/images/batch"}}
    return synthesize(make_settings(job_timeout_hours=336, batch=batch))["compute"]


def test_a_mount_lasts_longer_than_any_job_may(compute, other):
    for stack, hours in ((compute, 24), (other, 336)):
        user_data = text(stack.one("AWS::EC2::LaunchTemplate", "Instance")["LaunchTemplateData"]["UserData"])

        (seconds,) = re.findall(r"program:/etc/auto\.genolaunch --timeout=(\d+)", user_data)
        assert int(seconds) > 3600 * hours


def agent_of(compute: Stack, hosts: str) -> list[str]:
    """Patterns of clusters and of container instances."""
    statement = compute.statement(f"{hosts}Role", "BeTheAgentOfAnInstance")
    return [text(arn).rpartition(":")[2] for arn in statement["Resource"]]


def test_a_host_is_an_agent_of_the_stages_own_clusters_only_and_of_one_kind(compute):
    """Batch names a cluster AWSBatch-<environment>-<uuid>."""
    patterns = {
        "Instance": [
            "cluster/AWSBatch-genolaunch-unit-eu-west-1*",
            "container-instance/AWSBatch-genolaunch-unit-eu-west-1*/*",
        ],
        "SnakemakeInstance": [
            "cluster/AWSBatch-genolaunch-unit-snakemake-*",
            "container-instance/AWSBatch-genolaunch-unit-snakemake-*/*",
        ],
    }
    assert {hosts: agent_of(compute, hosts) for hosts in patterns} == patterns
    for id_, environment in compute.all("AWS::Batch::ComputeEnvironment").items():
        cluster = f"cluster/AWSBatch-{environment['ComputeEnvironmentName']}-0f1e2d3c"
        own = "SnakemakeInstance" if id_.startswith("Snakemake") else "Instance"
        assert [hosts for hosts, (clusters, _) in patterns.items() if fnmatchcase(cluster, clusters)] == [own]


def test_hosts_of_users_programs_share_nothing_with_regenies(compute):
    """Neither role nor security group, and they do not mount what launches read and write."""
    kinds: dict[bool, set[str]] = {True: set(), False: set()}
    for id_, environment in compute.all("AWS::Batch::ComputeEnvironment").items():
        given = environment["ComputeResources"]
        template = given["LaunchTemplate"]["LaunchTemplateId"]
        kinds[id_.startswith("Snakemake")] |= {
            json.dumps(each) for each in (given["InstanceRole"], *given["SecurityGroupIds"], template)
        }
    assert [len(kind) for kind in kinds.values()] == [3, 3]
    assert kinds[True].isdisjoint(kinds[False])

    user_data = text(compute.one("AWS::EC2::LaunchTemplate", "SnakemakeInstance")["LaunchTemplateData"]["UserData"])
    assert "[[ 'no' == yes ]] || exit 0" in user_data
    assert user_data.index("|| exit 0") < user_data.index("lustre-client")


def test_file_systems_do_not_answer_hosts_of_users_programs(stacks):
    rules = [
        json.dumps(rule)
        for kind in ("Ingress", "Egress")
        for id_, rule in stacks["network"].all(f"AWS::EC2::SecurityGroup{kind}").items()
        if id_.startswith("FileSystems")
    ]

    assert any("Compute" in rule for rule in rules)
    assert [rule for rule in rules if "Snakemake" in rule] == []


@pytest.mark.parametrize("hosts", ["Instance", "SnakemakeInstance"])
def test_operators_can_look_into_a_host_unless_the_settings_say_no(compute, other, hosts):
    allowed = compute.statement(f"{hosts}Role", "LetOperatorsLookIntoIt")["Action"]
    assert {action.partition(":")[0] for action in allowed} == {"ssm", "ssmmessages"}
    assert "ssm:GetParameter" not in allowed  # as the managed policy has it

    assert "ssmmessages" not in json.dumps(other.template)


def test_a_deployment_waits_an_hour_at_most_for_jobs_on_hosts_that_it_replaces(compute):
    policies = [each["UpdatePolicy"] for each in compute.all("AWS::Batch::ComputeEnvironment").values()]

    assert policies
    for policy in policies:
        assert 30 <= policy["JobExecutionTimeoutMinutes"] <= 60
        assert policy["TerminateJobsOnUpdate"] is False


def test_hosts_get_the_newest_image_every_week_and_jobs_may_end_first(compute):
    schedules = compute.all("AWS::Scheduler::Schedule").values()

    assert len(schedules) == len(compute.all("AWS::Batch::ComputeEnvironment"))
    for schedule in schedules:
        assert schedule["ScheduleExpression"].startswith("cron(")
        assert text(schedule["Target"]["Arn"]).endswith(":scheduler:::aws-sdk:batch:updateComputeEnvironment")
        asked = text(schedule["Target"]["Input"])
        assert '"UpdateToLatestImageVersion":true' in asked
        assert '"TerminateJobsOnUpdate":false' in asked
        assert '"JobExecutionTimeoutMinutes":1440' in asked  # as long as a job may take
    renewal = compute.statement("RenewalRole", "RenewOwnEnvironments")
    assert renewal["Action"] == "batch:UpdateComputeEnvironment"
    assert len(renewal["Resource"]) == len(schedules)


def test_a_renewal_waits_120_hours_at_most_and_the_docs_say_so():
    """AWS Batch lets no job run on for longer (UpdatePolicy), and jobs of a stage may take 336 hours."""
    long = synthesize(make_settings(job_timeout_hours=336))["compute"]
    minutes = {
        int(found)
        for schedule in long.all("AWS::Scheduler::Schedule").values()
        for found in re.findall(r'"JobExecutionTimeoutMinutes":(\d+)', text(schedule["Target"]["Input"]))
    }
    docs = Path(__file__).parents[2] / "docs"

    assert minutes == {120 * 60}
    for page, section in (("security.md", "* **Patches**"), ("runbook.md", "## While jobs run")):
        said = (docs / page).read_text(encoding="utf-8").split(section)[1].split("\n\n")[0].split("\n* ")[0]
        assert "120 hours" in said


def test_hosts_are_of_a_prepared_image_where_the_settings_name_one(other):
    ((name, parameter),) = [
        (n, p) for n, p in other.template["Parameters"].items() if "images" in str(p.get("Default"))
    ]

    # CloudFormation reads a parameter of this type at each deployment.
    assert (parameter["Default"], parameter["Type"]) == (
        "/company/images/batch",
        "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>",
    )
    for environment in environments(other, "Batch"):
        assert environment["Ec2Configuration"] == [{"ImageType": "ECS_AL2023", "ImageIdOverride": {"Ref": name}}]
    assert not other.all("AWS::Scheduler::Schedule")  # whoever prepares it renews it


def test_an_images_id_may_be_named():
    assert make_settings(batch={"machine_images": {"x86_64": "ami-0123456789abcdef0"}}).batch.machine_images


@pytest.mark.parametrize("images", [{"arm64": "ami-0123456789abcdef0"}, {"x86_64": "latest"}])
def test_an_image_that_cannot_be_used_is_refused(images):
    with pytest.raises(InvalidSettingsError, match="machine_images"):
        make_settings(batch={"machine_images": images})


def test_hosts_are_of_one_vendor_by_default_since_mkl_sums_otherwise_on_another(compute):
    for environment in environments(compute, "Batch"):
        assert all(re.match(r"^[a-z]+\d+i", family) for family in environment["InstanceTypes"])


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
