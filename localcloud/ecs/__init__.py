"""ECS tasks on one host: containers really run, as processes or in Docker. Clusters and definitions are ministack's."""

from localcloud.ecs.injections import TaskInjection
from localcloud.ecs.service import EcsService

__all__ = ["EcsService", "TaskInjection"]
