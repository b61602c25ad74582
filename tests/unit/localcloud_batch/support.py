"""A Batch service whose containers are processes, with one queue and logs kept in memory, and short forms."""

import sys
import time
from collections import defaultdict
from pathlib import Path

from genolaunch.local_stage.images import images
from localcloud.batch import BatchService, HostFolders, ProcessRunner
from localcloud.batch.mounts import MountError
from localcloud.images import ImageCatalog

CHECKOUT = Path(__file__).parents[3]
IMAGE = "registry.example/genolaunch-regenie:4.1.2"


class MemoryLogs:
    """A log sink to look into."""

    def __init__(self):
        self.streams = defaultdict(list)

    def open(self, group, stream):
        self.streams[group, stream] = []

    def write(self, group, stream, lines):
        self.streams[group, stream].extend(line.message for line in lines)

    def of(self, job, group="/jobs"):
        return self.streams[group, job["attempts"][-1]["container"]["logStreamName"]]


class OneFileSystem:
    """File systems with one of them in it."""

    def __init__(self, folder):
        self.folder = folder
        self.mounted = 0

    def mount(self, file_system_id, mount_name):
        if (file_system_id, mount_name) != ("fs-0123456789abcdef0", "abcdefgh"):
            raise MountError("there is no such file system")
        self.mounted += 1
        return self.folder


class Cloud:
    """The service and what surrounds it."""

    def __init__(self, state, cores, clock_speed=1.0):
        self.logs = MemoryLogs()
        self.file_system = OneFileSystem(state / "fsx" / "fs-0123456789abcdef0")
        self.file_system.folder.mkdir(parents=True)
        self.runner = ProcessRunner(
            images=ImageCatalog(images(), state),
            folders=HostFolders(state / "host", self.file_system),
            scratch=state / "scratch",
            cloud_environment={"AWS_DEFAULT_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
            grace_seconds=0.5,
        )
        self.batch = BatchService(
            runner=self.runner,
            logs=self.logs,
            region="eu-west-1",
            account="000000000000",
            cores=cores,
            min_timeout_seconds=1,
            clock_speed=clock_speed,
        )
        self.call("CreateComputeEnvironment", **environment("spot"))
        self.call("CreateJobQueue", **queue("low", priority=1))

    def call(self, operation, **params):
        return self.batch.call(operation, params)

    def define(self, command=("true",), name="definition", **members):
        container = {
            "image": IMAGE,
            "command": list(command),
            "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "512"}],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": "/jobs", "awslogs-stream-prefix": "launch"},
            },
            **members.pop("container", {}),
        }
        return self.call(
            "RegisterJobDefinition", jobDefinitionName=name, type="container", containerProperties=container, **members
        )["jobDefinitionArn"]

    def submit(self, command=None, name="job", queue="low", definition=None, cores=None, **members):
        definition = definition or self.define()
        overrides = {**({"command": list(command)} if command else {}), **members.pop("overrides", {})}
        if cores:
            overrides["resourceRequirements"] = [{"type": "VCPU", "value": str(cores)}]
        return self.call(
            "SubmitJob",
            jobName=name,
            jobQueue=queue,
            jobDefinition=definition,
            containerOverrides=overrides,
            **members,
        )["jobId"]

    def run(self, command=None, **members):
        return self.batch.wait(self.submit(command, **members), 240)

    def describe(self, *job_ids):
        return self.call("DescribeJobs", jobs=list(job_ids))["jobs"]

    def until(self, job_id, status, seconds=240):
        """Wait for a status that is not final."""
        deadline = time.monotonic() + seconds
        while self.describe(job_id)[0]["status"] != status:
            assert time.monotonic() < deadline, self.describe(job_id)[0]
            time.sleep(0.01)


def environment(name):
    resources = {
        "type": "SPOT",
        "maxvCpus": 256,
        "subnets": ["subnet-1"],
        "instanceRole": "role",
        "instanceTypes": ["optimal"],
    }
    return {"computeEnvironmentName": name, "type": "MANAGED", "computeResources": resources}


def queue(name, priority, **members):
    order = [{"order": 1, "computeEnvironment": "spot"}]
    return {"jobQueueName": name, "priority": priority, "computeEnvironmentOrder": order, **members}


def shell(script):
    return ["sh", "-c", script]


def python(code):
    return [sys.executable, "-c", code]
