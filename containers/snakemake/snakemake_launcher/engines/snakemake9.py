"""The engine's process for Snakemake 9: its command line, with sources that see the data, and with faults corrected.

`python -m snakemake_launcher.engines.snakemake9 ARGUMENTS` is `snakemake ARGUMENTS`. It runs in the environment of
Snakemake 9, which has nothing of the launcher's but this package.
"""

import shlex
from collections.abc import AsyncIterator
from typing import Any

from snakemake import __version__, exceptions
from snakemake.cli import main as snakemake
from snakemake.dag import DAG
from snakemake.exceptions import WorkflowError
from snakemake.io import PeriodicityDetector
from snakemake.jobs import Job
from snakemake.path_modifier import PathModifier
from snakemake.persistence import PersistenceBase
from snakemake.workflow import Workflow
from snakemake_interface_executor_plugins.executors.real import RealExecutor
from snakemake_storage_plugin_s3 import StorageObject

from snakemake_launcher.engines.notes import below_data, know_scripts_by_content, tell_made, tell_unknown
from snakemake_launcher.engines.options import Options
from snakemake_launcher.engines.refusals import (
    RefusedError,
    find_more_periods,
    mark_what_is_outside,
    refuse_missing_configfiles,
    refuse_missing_scripts,
    refuse_no_rules,
    refuse_workdir,
    tell_whole_cycles,
)
from snakemake_launcher.engines.signals import listen_to_sigint_only
from snakemake_launcher.engines.sources import Sources, run_by_program, run_local_rules_as_jobs, tell_lost_files
from snakemake_launcher.events import emit
from snakemake_launcher.genolaunch_job import (
    PLAIN_PATHS,
    PROGRAM,
    expand_outputs_of_rules,
    keep_commas_of_wildcards,
    know_own_paths,
    stay_in_own_folder,
    use_plain_checkpoints,
)


def send_sources(sources: Sources) -> None:
    """All files of the working directory go with the jobs, and what runs them sees the data.

    Snakemake would send rules, their scripts and config files: a job whose Snakefile reads `samples.tsv` would fail.
    A job's files lie beside the sources, as in a plain run.
    """
    format_job = RealExecutor.format_job_exec

    def format_job_exec(executor: Any, job: Any) -> str:  # noqa: ANN401 - Snakemake has no types here
        away = executor.common_settings.non_local_exec
        program = PROGRAM if away else shlex.quote(str(sources.root / PROGRAM))
        if away:
            program += f" {PLAIN_PATHS}"
        command = run_by_program(format_job(executor, job), program)
        return f"{command} --show-failed-logs" if away else command

    RealExecutor.format_job_exec = format_job_exec
    DAG.get_sources = lambda _: set(sources.files())


def look_again_for_folders() -> None:
    """The S3 storage plugin (0.3.6) remembers that a folder is not there, and so never finds what a job made of it.

    A checkpoint, or a rule with `directory()`, would fail with "Missing files" after its job has succeeded.
    """
    exists = StorageObject.exists

    def looking_again(folder: StorageObject) -> bool:
        if not folder._is_dir:
            folder._is_dir = None
        found: bool = exists(folder)
        return found

    StorageObject.exists = looking_again


def know_other_code(options: Options) -> None:
    """Make files again that were made by other code; report files whose origin is not known, and what jobs make."""
    update = DAG.update_needrun
    own = tell_made(PersistenceBase, options)

    async def no_times_of_scripts(_job: Job) -> AsyncIterator[Any]:
        nothing: tuple[Any, ...] = ()
        for file in nothing:
            yield file

    async def update_needrun(dag: Any, *args: Any, **more: Any) -> None:  # noqa: ANN401
        await update(dag, *args, **more)
        try:
            refuse_missing_scripts(dag.jobs)
        except RefusedError as error:
            raise WorkflowError(str(error)) from None
        kept = [job for job in dag.jobs if job.output and not dag.needrun(job)]
        there = [job for job in kept if all([await file.exists() for file in job.output])]
        tell_unknown(there, dag.workflow.persistence, own, options)

    Job.outputs_older_than_script_or_notebook = no_times_of_scripts
    DAG.update_needrun = update_needrun
    know_scripts_by_content(PersistenceBase)


def check_outputs_in_jobs() -> None:
    """What is `ensure(...)` is looked at in its job, and not once more here, for which it would be fetched."""

    async def nothing(_dag: DAG, _job: Job, _outputs: Any) -> None:  # noqa: ANN401
        return

    DAG.handle_ensure = nothing


def bring_sources(sources: Sources, options: Options) -> None:
    """Inputs that no rule makes, and that are among the sources only, go to the data, where jobs find them."""
    collect = DAG.collect_potential_dependencies

    async def collecting(dag: Any, job: Any, known_producers: Any) -> AsyncIterator[Any]:  # noqa: ANN401
        async for found in collect(dag, job, known_producers):
            if not found.jobs and sources.bring(below_data(found.file, options)):
                _forget(dag.workflow.iocache, found.file)
            yield found

    DAG.collect_potential_dependencies = collecting


def _forget(cache: Any, file: Any) -> None:  # noqa: ANN401
    """What Snakemake noted of the file before it was copied: it lists the whole data at once."""
    for noted in (cache.mtime, cache.size, cache.checksum, cache.exists_in_storage):
        noted.pop(file, None)


def tell_errors_of_syntax() -> None:
    """An error that is found while a Snakefile is parsed is told: there is no map yet of its lines, in which Snakemake
    looks the line up, and ends with a KeyError of its own (exceptions.py, format_error)."""
    told = exceptions.format_error

    def format_error(error: Any, line: Any, linemaps: Any = None, snakefile: Any = None, **more: Any) -> str:  # noqa: ANN401
        is_mapped = line in (linemaps or {}).get(snakefile, ())
        return str(told(error, line, linemaps if is_mapped else None, snakefile, **more))

    exceptions.format_error = format_error


def main() -> None:
    """Snakemake's main, which exits by itself."""
    listen_to_sigint_only()
    options = Options.read()
    sources = Sources(options)
    send_sources(sources)
    stay_in_own_folder()
    look_again_for_folders()
    know_other_code(options)
    check_outputs_in_jobs()
    tell_errors_of_syntax()
    run_local_rules_as_jobs(Workflow)
    tell_lost_files(Workflow, sources)
    use_plain_checkpoints(sources.view)
    expand_outputs_of_rules()
    keep_commas_of_wildcards()
    bring_sources(sources, options)
    refuse_workdir(Workflow)
    refuse_missing_configfiles(Workflow)
    refuse_no_rules(Workflow)
    mark_what_is_outside(PathModifier, exceptions.MissingInputException)
    know_own_paths(sources.view)
    tell_whole_cycles(exceptions.CyclicGraphException)
    find_more_periods(PeriodicityDetector)
    sources.near_misses.tell(exceptions.MissingInputException, exceptions.MissingRuleException)
    sources.view.install()
    emit("started", version=__version__)
    snakemake()


if __name__ == "__main__":
    main()
