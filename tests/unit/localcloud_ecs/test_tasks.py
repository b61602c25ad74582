"""ECS tasks: containers really run, tasks go through ECS's states, and what tests ask for comes true."""

import time
from typing import Any

import pytest

from genolaunch.local_stage.images import images
from localcloud.batch import HostFolders, ProcessRunner
from localcloud.ecs import EcsService, TaskInjection
from localcloud.images import ImageCatalog
from localcloud.service import ServiceError
from tests.unit.localcloud_batch.support import IMAGE, MemoryLogs, OneFileSystem

CLUSTER = "arn:aws:ecs:eu-west-1:000000000000:cluster/launchers"
LAST_RESORT = 240
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}


class ControlPlane:
    """Clusters and definitions, as ministack has them."""

    def __init__(self):
        self.command = ["true"]

    def describe_clusters(self, clusters):
        found = [name for name in clusters if name in ("launchers", CLUSTER)]
        return {"clusters": [{"clusterArn": CLUSTER} for _ in found]}

    def describe_task_definition(self, taskDefinition):  # noqa: N803 - AWS's name
        container = {
            "name": "launcher",
            "image": IMAGE,
            "command": self.command,
            "environment": [{"name": "HOME", "value": "/work"}, {"name": "ATTEMPT", "value": "0"}],
            "mountPoints": [{"sourceVolume": "work", "containerPath": "/work"}],
            "stopTimeout": 1,
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": "/jobs", "awslogs-stream-prefix": "launcher"},
            },
        }
        definition = {
            "taskDefinitionArn": f"arn:{taskDefinition}",
            "family": "launcher",
            "networkMode": "awsvpc",
            "cpu": "1024",
            "memory": "2048",
            "volumes": [{}],  # so they arrive from a template, by way of ministack
            "containerDefinitions": [container],
        }
        return {"taskDefinition": definition}


class Ecs:
    """The service and what surrounds it."""

    def __init__(self, state):
        self.logs = MemoryLogs()
        self.plane = ControlPlane()
        file_system = OneFileSystem(state / "fsx")
        runner = ProcessRunner(
            images=ImageCatalog(images(), state),
            folders=HostFolders(state / "host", file_system),
            scratch=state / "scratch",
            cloud_environment={},
        )
        self.service = EcsService(
            runner=runner, logs=self.logs, ecs=self.plane, region="eu-west-1", account="000000000000"
        )
        self.events: list[dict[str, Any]] = []
        """Their details."""
        self.told: list[dict[str, Any]] = []
        self.service.subscribe(lambda event: self.events.append(event["detail"]))
        self.service.subscribe(self.told.append)

    def call(self, operation, **params):
        return self.service.call(operation, params)

    def run(self, script=None, **params):
        if script:
            self.plane.command = ["sh", "-c", script]
        request = {
            "cluster": CLUSTER,
            "taskDefinition": "launcher:1",
            "networkConfiguration": NETWORK,
            "startedBy": "exome-1",
            **params,
        }
        answer = self.call("RunTask", **request)
        return answer["tasks"][0]["taskArn"] if answer["tasks"] else answer

    def task(self, arn):
        return self.call("DescribeTasks", cluster=CLUSTER, tasks=[arn])["tasks"][0]

    def until(self, arn, status):
        deadline = time.monotonic() + LAST_RESORT
        while self.task(arn)["lastStatus"] != status:
            assert time.monotonic() < deadline, self.task(arn)
            time.sleep(0.01)
        return self.task(arn)

    def listed(self, **params):
        return self.call("ListTasks", cluster="launchers", **params)["taskArns"]


@pytest.fixture
def ecs(tmp_path):
    ecs = Ecs(tmp_path)
    yield ecs
    ecs.service.close()


def test_the_command_runs_with_the_overrides_in_a_folder_of_its_own_and_logs(ecs):
    override = {"name": "launcher", "environment": [{"name": "ATTEMPT", "value": "3"}]}

    arn = ecs.run('echo "attempt $ATTEMPT"; echo x > $HOME/x; exit 7', overrides={"containerOverrides": [override]})
    task = ecs.until(arn, "STOPPED")

    assert task["stopCode"] == "EssentialContainerExited"
    assert task["containers"][0]["exitCode"] == 7
    assert ecs.logs.streams["/jobs", f"launcher/launcher/{arn.rpartition('/')[2]}"] == ["attempt 3"]


def test_every_change_is_told_in_order_as_ecs_tells_it(ecs):
    arn = ecs.run("true", tags=[{"key": "launchId", "value": "exome"}])
    ecs.until(arn, "STOPPED")

    statuses = [event["lastStatus"] for event in ecs.events]
    assert statuses == ["PROVISIONING", "PENDING", "RUNNING", "DEPROVISIONING", "STOPPED"]
    assert [event["version"] for event in ecs.events] == sorted(event["version"] for event in ecs.events)
    last = ecs.events[-1]
    assert (last["startedBy"], last["clusterArn"], last["containers"][0]["exitCode"]) == ("exome-1", CLUSTER, 0)
    assert isinstance(last["stoppedAt"], str)
    assert "tags" not in last


def appears(file):
    deadline = time.monotonic() + LAST_RESORT
    while not file.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_stopped_task_may_clean_up_and_is_listed_as_wanted_stopped_meanwhile(ecs, tmp_path):
    is_wanted_gone, has_trap = tmp_path / "seen", tmp_path / "trap"
    on_term = f"until [ -e {is_wanted_gone} ]; do sleep 0.05; done; exit 130"
    arn = ecs.run(f"trap '{on_term}' TERM; touch {has_trap}; while :; do sleep 0.05; done")
    ecs.until(arn, "RUNNING")
    appears(has_trap)
    assert ecs.listed(startedBy="exome-1") == [arn]

    ecs.call("StopTask", cluster=CLUSTER, task=arn, reason="The launch is over")

    assert ecs.listed(startedBy="exome-1") == []
    assert ecs.listed(startedBy="exome-1", desiredStatus="STOPPED") == [arn]
    assert ecs.task(arn)["lastStatus"] == "RUNNING"
    is_wanted_gone.touch()
    task = ecs.until(arn, "STOPPED")
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "The launch is over")
    assert task["containers"][0]["exitCode"] == 130


def test_one_that_does_not_listen_is_killed_after_its_stop_time_out(ecs, tmp_path):
    has_trap = tmp_path / "trap"
    arn = ecs.run(f"trap '' TERM; touch {has_trap}; while :; do sleep 0.05; done")
    ecs.until(arn, "RUNNING")
    appears(has_trap)
    ecs.call("StopTask", cluster=CLUSTER, task=arn)

    assert ecs.until(arn, "STOPPED")["containers"][0]["exitCode"] == 137


def test_an_image_that_nobody_knows_cannot_be_pulled(ecs, monkeypatch):
    monkeypatch.setattr("tests.unit.localcloud_ecs.test_tasks.IMAGE", "nowhere/unknown:1")

    task = ecs.until(ecs.run(), "STOPPED")

    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotPullContainerError")
    assert "exitCode" not in task["containers"][0]


def test_a_client_token_makes_one_task_and_is_for_one_request(ecs):
    first = ecs.run("true", clientToken="exome-1-1")

    assert ecs.run(clientToken="exome-1-1") == first
    with pytest.raises(ServiceError, match="ConflictException"):
        ecs.run(clientToken="exome-1-1", startedBy="another")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"cluster": "elsewhere"}, "ClusterNotFoundException"),
        ({"overrides": {"containerOverrides": [{"name": "other"}]}}, "InvalidParameterException"),
        ({"networkConfiguration": None}, "InvalidParameterException"),
    ],
)
def test_what_ecs_refuses_is_refused(ecs, change, code):
    with pytest.raises(ServiceError, match=code):
        ecs.run(**change)


def test_an_unknown_task_is_missing(ecs):
    answer = ecs.call("DescribeTasks", cluster=CLUSTER, tasks=["arn:unknown"])
    assert answer == {"tasks": [], "failures": [{"arn": "arn:unknown", "reason": "MISSING"}]}
    with pytest.raises(ServiceError, match="not found"):
        ecs.call("StopTask", cluster=CLUSTER, task="arn:unknown")


class TestInjected:
    def test_refusals_come_as_often_as_asked(self, ecs):
        ecs.service.refuse(code="ThrottlingException", reason="Rate exceeded", times=2)
        ecs.service.refuse(code=None, reason="RESOURCE:ENI", times=1)

        for _ in range(2):
            with pytest.raises(ServiceError, match="ThrottlingException: Rate exceeded"):
                ecs.run()
        assert [failure["reason"] for failure in ecs.run()["failures"]] == ["RESOURCE:ENI"]
        assert ecs.until(ecs.run(), "STOPPED")

    def test_a_task_without_network_never_runs(self, ecs):
        ecs.service.injections.add_task(TaskInjection("exome-*", stopped_reason="Not enough IP space available"))

        task = ecs.until(ecs.run("echo ran"), "STOPPED")

        assert (task["stopCode"], task["stoppedReason"]) == ("TaskFailedToStart", "Not enough IP space available")
        assert [event["lastStatus"] for event in ecs.events] == ["PROVISIONING", "DEPROVISIONING", "STOPPED"]
        assert ecs.logs.streams == {}

    def test_an_ending_is_played_and_can_be_stopped(self, ecs):
        ecs.service.injections.add_task(TaskInjection("exome-*", exit_code=0, times=1))
        ecs.service.injections.add_task(TaskInjection("exome-*", exit_code=0, seconds=60.0))
        assert ecs.until(ecs.run(), "STOPPED")["containers"][0]["exitCode"] == 0

        arn = ecs.run()
        ecs.until(arn, "RUNNING")
        ecs.call("StopTask", cluster=CLUSTER, task=arn)

        assert ecs.until(arn, "STOPPED")["containers"][0]["exitCode"] == 143

    def test_one_vanishes_without_an_event(self, ecs):
        ecs.service.injections.add_task(TaskInjection("exome-*", exit_code=1, vanishes=True))
        arn = ecs.run()

        deadline = time.monotonic() + LAST_RESORT
        while ecs.call("DescribeTasks", cluster=CLUSTER, tasks=[arn])["tasks"]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert ecs.events[-1]["lastStatus"] == "RUNNING"
