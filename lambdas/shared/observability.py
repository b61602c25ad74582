"""Logger, tracer and metrics of every function: made once, here, and configured by the environment.

POWERTOOLS_SERVICE_NAME and POWERTOOLS_METRICS_NAMESPACE name the service and the namespace, POWERTOOLS_LOG_LEVEL sets
the level, and Powertools turns its tracer off outside Lambda and where POWERTOOLS_TRACE_DISABLED says so.
"""

import os
import warnings

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from contract import ANY_SERVICE, PROJECT, Metric, Setting

_SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME", PROJECT)
_NAMESPACE = os.environ.get("POWERTOOLS_METRICS_NAMESPACE", PROJECT)

logger = Logger(service=_SERVICE)
# Only botocore's calls are worth a subsegment; looking for every library that could be patched slows the cold start.
tracer = Tracer(service=_SERVICE, patch_modules=["botocore"])
metrics = Metrics(service=_SERVICE, namespace=_NAMESPACE)
metrics.set_default_dimensions(stage=os.environ.get(Setting.STAGE, "unknown"))

# A function that had nothing to count is no news; Powertools would warn of it in the log each time.
warnings.filterwarnings("ignore", message="No application metrics to publish")


def count(name: str, value: float, workflow: str | None) -> None:
    """Add to a metric that has the workflow as a dimension, beside stage and service.

    Not one of the function's own metrics: those have no workflow, and a batch may be about launches of several.
    """
    stage = os.environ.get(Setting.STAGE, "unknown")
    dimensions = {"stage": stage, "service": _SERVICE, "workflow": workflow or "none"}
    with single_metric(name, MetricUnit.Count, value, namespace=_NAMESPACE, default_dimensions=dimensions):
        pass


def count_platform_fault() -> None:
    """A launch failed through no fault of its author: an alarm watches the sum over all functions that may find it."""
    stage = os.environ.get(Setting.STAGE, "unknown")
    dimensions = {"stage": stage, "service": ANY_SERVICE}
    with single_metric(
        Metric.PLATFORM_FAULTS, MetricUnit.Count, 1, namespace=_NAMESPACE, default_dimensions=dimensions
    ):
        pass
