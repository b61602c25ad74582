"""The engine's process for Snakemake 7: Snakemake's own command line, with one fault mended and three things told.

`python3 -m snakemake_launcher.engines.snakemake7 ARGUMENTS` is `snakemake ARGUMENTS`.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import snakemake
from snakemake.executors import TibannaExecutor
from snakemake.workflow import Workflow

from snakemake_launcher.engines.signals import listen_to_sigint_only
from snakemake_launcher.events import emit

Callback = Callable[[Any], None]

_LONGEST_EXECUTION_NAME = 80
"""Tibanna's client cuts a longer name to 79 characters (tibanna.core.API.randomize_run_name)."""


def give_setter_back() -> None:
    """`--tibanna` assigns to Workflow.overwrite_configfiles, which is read-only in Snakemake 7.30.2 to 7.32.4."""

    def assign(workflow: Any, files: list[str]) -> None:  # noqa: ANN401 - Snakemake has no types here
        workflow._overwrite_configfiles = files

    Workflow.overwrite_configfiles = Workflow.overwrite_configfiles.setter(assign)


def tell_submissions() -> None:
    """Snakemake says nowhere else which of Tibanna's jobs is which of its own."""
    make_input: Callable[..., dict[str, Any]] = TibannaExecutor.make_tibanna_input

    def telling(executor: Any, job: Any) -> dict[str, Any]:  # noqa: ANN401 - Snakemake has no types here
        tibanna_input = make_input(executor, job)
        name: str = tibanna_input["config"]["run_name"]
        emit(
            "submitted",
            job=job_key(job),
            rule=str(job.groupid if job.is_group() else job.rule),
            wildcards={} if job.is_group() else {key: str(value) for key, value in job.wildcards_dict.items()},
            id=tibanna_input["jobid"],
            name=name if len(name) <= _LONGEST_EXECUTION_NAME else name[: _LONGEST_EXECUTION_NAME - 1],
        )
        return tibanna_input

    TibannaExecutor.make_tibanna_input = telling


def tell_failures() -> None:
    """Snakemake's log has no message for a job of Tibanna's that failed, only for how many are left."""
    run: Callable[..., None] = TibannaExecutor.run

    def telling(
        executor: Any,  # noqa: ANN401 - Snakemake has no types here
        job: Any,  # noqa: ANN401
        callback: Callback | None = None,
        submit_callback: Callback | None = None,
        error_callback: Callback | None = None,
    ) -> None:
        def failed(job: Any) -> None:  # noqa: ANN401
            emit("failed", job=job_key(job), rule=str(job.groupid if job.is_group() else job.rule))
            if error_callback:
                error_callback(job)

        run(executor, job, callback, submit_callback, failed)

    TibannaExecutor.run = telling


def job_key(job: Any) -> str:  # noqa: ANN401 - Snakemake has no types here
    """What the log handler hears of the same job."""
    return f"group {job.groupid}" if job.is_group() else str(job.jobid)


def main() -> None:
    """Snakemake's main, which exits by itself."""
    listen_to_sigint_only()
    give_setter_back()
    tell_submissions()
    tell_failures()
    emit("started", version=snakemake.__version__)
    handler = Path(__file__).with_name("log_handler.py")
    snakemake.main(["--log-handler-script", str(handler), *sys.argv[1:]])


if __name__ == "__main__":
    main()
