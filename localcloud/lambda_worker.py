"""Runs the invocations of one Lambda function, one after another: what ministack starts for each warm environment.

It is started as a script, or forked of one that waits (worker_parent), and hears one JSON line a message: first the
function, then one line an invocation, answered by one line each on standard output. Two things differ from ministack's
own worker. An exception's class becomes the error's type, as on AWS, and leaves the worker alive. And the function
sees its bundle, its layers and what AWS's runtime brings (folder LAMBDA_RUNTIME_DIR), but none of this project's
packages, so that a dependency missing from a bundle is missing here too.
"""

import fcntl
import importlib
import json
import os
import re
import sys
import sysconfig
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TextIO

_FIXED_NAMES = "tibanna"
"""Package whose functions write to fixed names below /tmp (tibanna 6.1.0, check_task.py: /tmp/tibanna_metrics/). This
project's own functions give their temporary files names of their own."""

ERROR_KEY = "__localcloud_function_error__"

MOST_ANSWER = 6 * 1024 * 1024 + 100
"""Bytes of an answer, as Lambda counts them in its own error: 6,291,556."""

TIMEOUT = "LOCALCLOUD_FUNCTION_TIMEOUT"
"""Environment variable: the function's Timeout in seconds. Its process is ended later (ministack_adapter)."""


_KEPT = re.compile(r"(AWS_|_?LAMBDA_|LC_).*|LANG|LD_LIBRARY_PATH|PATH|TMPDIR|TZ").fullmatch
"""Environment variables of a runtime (Lambda developer guide, "Defined runtime environment variables"), and where
temporary files go. The rest is the server's, and none of a function's business.
"""


def main() -> None:
    """Answer invocations until standard input ends."""
    answers = sys.stdout
    sys.stdout = sys.stderr  # what the function prints belongs to its log
    function = json.loads(sys.stdin.readline())
    for name in [name for name in os.environ if not _KEPT(name)]:
        del os.environ[name]
    os.environ.update(function.get("env", {}))
    see_only(function["code_dir"])
    try:
        handler = getattr(importlib.import_module(function["module"]), function["handler"])
    except Exception:
        _say(answers, {"status": "error", "error": traceback.format_exc()})
        return
    _say(answers, {"status": "ready", "cold": True})
    turn = _turn_in_temporary_folder if Path(function["code_dir"], _FIXED_NAMES).is_dir() else nullcontext
    for line in sys.stdin:
        call = json.loads(line)
        with turn():
            answer = _invoke(handler, call["event"], _context(function, call.get("ctx") or {}))
        _say(answers, answer)


@contextmanager
def _turn_in_temporary_folder() -> Iterator[None]:
    """Let functions that write to fixed names below /tmp do so one after the other.

    On AWS each environment has a /tmp of its own. Here all share this machine's, also those of other embedded clouds.
    """
    with Path(f"/tmp/localcloud-{os.getuid()}.lock").open("w") as lock:  # noqa: S108 - this very folder is shared
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _say(answers: TextIO, message: dict[str, object]) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


def see_only(*code: str) -> None:
    """Leave the standard library, the bundle's folder, its layers and AWS's runtime on the path."""
    standard_library = sysconfig.get_path("stdlib")
    standard = [
        path
        for path in sys.path
        if path.endswith(".zip") or (path.startswith(standard_library) and "site-packages" not in path)
    ]
    layers = [Path(layer, "python") for layer in os.environ.get("_LAMBDA_LAYERS_DIRS", "").split(os.pathsep) if layer]
    in_layers = [str(path) for layer in layers for path in (layer, *layer.glob("lib/python*/site-packages"))]
    sys.path[:] = [*code, *in_layers, *standard, os.environ["LAMBDA_RUNTIME_DIR"]]
    # An editable install of this project is found by a finder of its own, not by the path.
    sys.meta_path[:] = [finder for finder in sys.meta_path if finder.__module__.startswith("_frozen_importlib")]


def _context(function: dict[str, Any], call: dict[str, Any]) -> SimpleNamespace:
    """The handler's second argument, with the attributes of AWS's LambdaContext."""
    deadline = time.monotonic() + float(os.environ.get(TIMEOUT, "3"))
    trace_id = call.get("trace_id")
    if trace_id:
        os.environ["_X_AMZN_TRACE_ID"] = trace_id
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
    name = function.get("function_name", "")
    return SimpleNamespace(
        function_name=name,
        function_version=os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        memory_limit_in_mb=function.get("memory", 128),
        invoked_function_arn=call.get("invoked_function_arn") or function.get("arn", ""),
        aws_request_id=call.get("request_id", ""),
        log_group_name=os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME", f"/aws/lambda/{name}"),
        log_stream_name=os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", ""),
        identity=None,
        client_context=None,
        get_remaining_time_in_millis=lambda: max(0, int((deadline - time.monotonic()) * 1000)),
    )


def _invoke(handler: Callable[[object, object], object], event: object, context: object) -> dict[str, object]:
    try:
        result = handler(event, context)
        answer = json.dumps(result, ensure_ascii=False)  # what AWS cannot serialise must fail here too
    except Exception as error:
        told = _error(error)
        _log(told)
        return {"status": "ok", "result": {ERROR_KEY: told}}
    if len(answer.encode(errors="surrogatepass")) > MOST_ANSWER:
        return {"status": "ok", "result": {ERROR_KEY: _TOO_LARGE}}
    return {"status": "ok", "result": result}


_TOO_LARGE: dict[str, object] = {
    "errorMessage": f"Response payload size exceeded maximum allowed payload size ({MOST_ANSWER} bytes).",
    "errorType": "Function.ResponseSizeTooLarge",
}


def _error(error: Exception) -> dict[str, Any]:
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "stackTrace": traceback.format_tb(error.__traceback__),
    }


def _log(error: dict[str, Any]) -> None:
    """Into the function's log, as AWS's runtime does (awslambdaric/bootstrap.py, `log_error`): type, text, frames."""
    lines = [f"[ERROR] {error['errorType']}: {error['errorMessage']}", "Traceback (most recent call last):"]
    sys.stderr.write("\n".join(lines) + "\n" + "".join(error["stackTrace"]))
    sys.stderr.flush()


if __name__ == "__main__":
    main()
