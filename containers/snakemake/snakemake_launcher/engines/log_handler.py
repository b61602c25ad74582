"""Translates the log of Snakemake 7 into the launcher's events (`--log-handler-script`)."""

import re
from collections.abc import Mapping
from typing import Any

from snakemake_launcher.events import emit


def log_handler(message: Mapping[str, Any]) -> None:
    """Called by Snakemake for each message, on the thread that says it."""
    match message["level"]:
        case "run_info":
            # The table of the jobs by rule; it ends with a line that adds them up.
            total = re.search(r"^total\s+(\d+)", message["msg"], re.MULTILINE)
            if total:
                emit("total", total=int(total[1]))
        case "progress":
            emit("progress", done=message["done"], total=message["total"])
        case "job_finished":
            emit("finished", job=str(message["jobid"]))
        case "job_error":
            emit("failed", job=str(message["jobid"]), rule=message["name"])
        case "error" if message["msg"]:
            emit("error", message=str(message["msg"]).strip())
