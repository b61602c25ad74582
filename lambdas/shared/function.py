"""The decorator of every function's handler."""

import gc
from collections.abc import Callable
from typing import Any, cast

from genolaunch.shared.public_errors import private_errors
from lambdas.shared.observability import logger, metrics, tracer

_Handler = Callable[..., Any]


def function(handler: _Handler) -> _Handler:
    """Make a function of Lambda's of a handler.

    Its log lines name the request, an invocation is one segment of a trace, its metrics are written when it ends, cold
    starts are counted, and its errors are raised in their public form (public_errors.py), which is why that decorator
    is the innermost: the others would write an error's text. Answers stay out of the trace, since they hold data.

    What the start made stays, so that no collection of garbage looks through it (docs/decisions/123).
    """
    raising = private_errors(handler)
    counting = metrics.log_metrics(capture_cold_start_metric=True)(raising)
    traced = tracer.capture_lambda_handler(capture_response=False)(counting)
    made = cast("_Handler", logger.inject_lambda_context(clear_state=True)(traced))
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
    return made
