"""AWS Batch on one host: jobs really run, as processes or Docker containers."""

from localcloud.batch.logs import CloudWatchLogs, LogLine, LogSink
from localcloud.batch.mounts import HostFolders
from localcloud.batch.runner import ContainerRunner
from localcloud.batch.runner_docker import DockerRunner, docker_answers
from localcloud.batch.runner_process import ProcessRunner
from localcloud.batch.service import BatchService

__all__ = [
    "BatchService",
    "CloudWatchLogs",
    "ContainerRunner",
    "DockerRunner",
    "HostFolders",
    "LogLine",
    "LogSink",
    "ProcessRunner",
    "docker_answers",
]
