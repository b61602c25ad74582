"""Logger, tracer and metrics of every function: made once, here, and configured by the environment.

What the logger writes and the tracer hears names no person, no trait and no data: public_errors.py.

POWERTOOLS_SERVICE_NAME and POWERTOOLS_METRICS_NAMESPACE name the service and the namespace, POWERTOOLS_LOG_LEVEL sets
the level, and Powertools turns its tracer off outside Lambda and where POWERTOOLS_TRACE_DISABLED says so.
"""

import logging
import os
import traceback
import warnings
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from genolaunch.contract.metrics import ANY_SERVICE, Metric
from genolaunch.contract.project import PROJECT
from genolaunch.contract.settings import Setting
from genolaunch.shared.launch_item import LaunchItemError
from genolaunch.shared.printable import json_text, printable
from genolaunch.shared.public_errors import public_text

_SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME", PROJECT)
_NAMESPACE = os.environ.get("POWERTOOLS_METRICS_NAMESPACE", PROJECT)

_LONGEST_VALUE = 2_000
"""Characters of a text in a line: what is longer is data."""


class PublicFormatter(LambdaPowertoolsFormatter):
    """Powertools' lines without what is private: of an error its public form and where it was raised, and no text that
    does anything but show itself."""

    def serialize(self, log: Any) -> str:  # noqa: ANN401 - Powertools says LogRecord and gives a mapping
        """One line of JSON."""
        return json_text(_shown(log))

    def formatException(self, ei: Any) -> str:  # noqa: ANN401, N802 - logging's own name; the tuple of sys.exc_info
        """The frames, then the error's public form; causes and contexts are left out."""
        return "".join([*traceback.format_tb(ei[2]), f"{ei[0].__name__}: {public_text(ei[1])}"])

    def _serialize_stacktrace(self, log_record: logging.LogRecord) -> None:
        """Powertools' second copy of an error, with its text, is left out."""

    def _extract_log_exception(self, log_record: logging.LogRecord) -> Any:  # noqa: ANN401 - as Powertools has it
        """As Powertools does, without the notes."""
        return (*super()._extract_log_exception(log_record)[:2], None)


def _shown(value: Any) -> Any:  # noqa: ANN401 - any value that a line holds
    match value:
        case BaseException():
            return f"{type(value).__name__}: {public_text(value)}"
        case str():
            return printable(value[:_LONGEST_VALUE], keep="\n")
        case Mapping():
            return {printable(str(name)): _shown(inner) for name, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_shown(inner) for inner in value]
        case PurePath():
            return printable(str(value))
    return value


logger = Logger(service=_SERVICE, logger_formatter=PublicFormatter())
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
    _count_for_an_alarm(Metric.PLATFORM_FAULTS)


def tell_of_sick_launch(error: LaunchItemError) -> None:
    """An item of the launch table cannot be read: log which and what, and count it for an alarm."""
    logger.error(
        "The item of a launch cannot be read", extra={"launchId": error.launch_id, "attributes": error.attributes}
    )
    _count_for_an_alarm(Metric.SICK_LAUNCHES)


def _count_for_an_alarm(metric: Metric) -> None:
    stage = os.environ.get(Setting.STAGE, "unknown")
    dimensions = {"stage": stage, "service": ANY_SERVICE}
    with single_metric(metric, MetricUnit.Count, 1, namespace=_NAMESPACE, default_dimensions=dimensions):
        pass
