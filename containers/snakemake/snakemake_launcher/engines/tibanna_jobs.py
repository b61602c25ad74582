"""Corrects Snakemake 7's executor for Tibanna. Used in the engine's process.

Each function corrects one thing, and says what would happen without it.
"""

import re
import shlex
from collections.abc import Callable, Iterable
from typing import Any, Final

import boto3
from snakemake import io as snakemake_io
from snakemake.checkpoints import Checkpoint
from snakemake.dag import DAG
from snakemake.exceptions import CyclicGraphException, MissingInputException, MissingRuleException, WorkflowError
from snakemake.executors import RealExecutor, TibannaExecutor
from snakemake.jobs import Job
from snakemake.path_modifier import PathModifier
from snakemake.persistence import Persistence
from snakemake.workflow import Workflow
from tibanna import core as tibanna_core

from snakemake_launcher.engines import s3_folders
from snakemake_launcher.engines.job_log import fails_again
from snakemake_launcher.engines.notes import below_data, know_scripts_by_content, tell_made, tell_unknown
from snakemake_launcher.engines.options import Options
from snakemake_launcher.engines.refusals import (
    RefusedError,
    find_more_periods,
    image_of,
    mark_what_is_outside,
    refuse,
    refuse_missing_configfiles,
    refuse_no_rules,
    refuse_workdir,
    tell_whole_cycles,
)
from snakemake_launcher.engines.sources import Sources, run_by_program
from snakemake_launcher.events import emit
from snakemake_launcher.genolaunch_job import EMPTY, PROGRAM

_LONGEST_EXECUTION_NAME: Final = 80
"""Tibanna's client cuts a longer name to 79 characters (tibanna.core.API.randomize_run_name)."""
_LOG_BYTES: Final = 20_000
_MARK_EMPTY: Final = (
    "find {folder} -type d -exec sh -c "
    f"""'[ -n "$(ls -A "$1")" ] || : > "$1/{EMPTY}"' sh """
    "{{}} \\; 2>/dev/null || true"
)
"""What `genolaunch_job.mark_empty_folders` does, in an image that may be without Python."""


def give_setter_back() -> None:
    """`--tibanna` assigns to Workflow.overwrite_configfiles, which is read-only in Snakemake 7.30.2 to 7.32.4."""

    def assign(workflow: Any, files: list[str]) -> None:  # noqa: ANN401 - Snakemake has no types here
        workflow._overwrite_configfiles = files

    Workflow.overwrite_configfiles = Workflow.overwrite_configfiles.setter(assign)


def find_targets(options: Options) -> None:
    """Look for targets that are files below the data, like outputs of rules."""
    init: Callable[..., None] = DAG.__init__

    def finding(dag: Any, *args: Any, targetfiles: Iterable[str] | None = None, **more: Any) -> None:  # noqa: ANN401
        start = f"{options.prefix}/"
        found = {file if file.startswith(start) else start + file for file in targetfiles or ()}
        init(dag, *args, targetfiles=found, **more)

    DAG.__init__ = finding


def remove_temporary() -> None:
    """Remove files of `temp()` in S3 as well, not only in the launcher's folder."""
    handle: Callable[..., None] = DAG.handle_temp
    remove: Callable[..., None] = snakemake_io.remove
    handling = []

    def handle_temp(dag: Any, job: Any) -> None:  # noqa: ANN401
        handling.append(job)
        try:
            handle(dag, job)
        finally:
            handling.pop()

    def remove_too(file: Any, remove_non_empty_dir: bool = False) -> None:  # noqa: ANN401
        if handling and file.is_remote and not file.should_stay_on_remote:
            s3_folders.remove(file.remote_object)
        remove(file, remove_non_empty_dir=remove_non_empty_dir)

    DAG.handle_temp = handle_temp
    snakemake_io.remove = remove_too


def keep_paths(options: Options) -> None:
    """A path's place below the data is cut off as text: the official code takes the prefix for a regular expression,
    and fails when it is a bucket alone."""

    def below(_executor: Any, path: str) -> str:  # noqa: ANN401
        return str(path).removeprefix(f"{options.prefix}/")

    TibannaExecutor.remove_prefix = below


def send_sources(options: Options, sources: Sources) -> None:
    """Send all sources with a job, in one archive, with the program that makes the Snakefile see the data."""
    format_job: Callable[..., str] = RealExecutor.format_job_exec

    def format_job_exec(executor: Any, job: Any) -> str:  # noqa: ANN401
        away = isinstance(executor, TibannaExecutor)
        command = run_by_program(
            format_job(executor, job), PROGRAM if away else shlex.quote(str(sources.root / PROGRAM))
        )
        return f"{command} --show-failed-logs" if away else command

    def add_workflow_files(executor: Any, job: Any, arguments: Any) -> None:  # noqa: ANN401
        arguments.snakemake_directory_local = str(sources.root)
        arguments.snakemake_main_filename = PROGRAM
        if _has_container(job):  # which may be without Python, or tar
            single = [name for name in sources.files() if not re.search(r"[\s,]", name)]
            arguments.snakemake_child_filenames = [*single, _write_script(job, options, sources)]
        else:
            arguments.snakemake_child_filenames = [sources.pack()]
        executor.workflow.overwrite_configfiles = [
            str(file).removeprefix(f"{sources.root}/") for file in executor.workflow.overwrite_configfiles
        ]

    RealExecutor.format_job_exec = format_job_exec
    TibannaExecutor.add_workflow_files = add_workflow_files
    TibannaExecutor.get_snakefile = lambda executor: str(executor.snakefile).removeprefix(f"{sources.root}/")
    DAG.get_sources = lambda _: set(sources.files())


def run_in_containers() -> None:
    """A rule with `container:` and `shell:` runs in that image: its command is the shell's: Snakemake is not there."""
    add: Callable[..., None] = TibannaExecutor.add_command

    def add_command(executor: Any, job: Any, arguments: Any, config: Any) -> None:  # noqa: ANN401
        if not _has_container(job):
            add(executor, job, arguments, config)
            return
        arguments.container_image = image_of(job)
        script = _script(job)
        strict = f"if command -v bash >/dev/null; then bash -euo pipefail {script}; else sh -eu {script}; fi"
        arguments.command = strict

    TibannaExecutor.add_command = add_command


def check_outputs_in_jobs() -> None:
    """What is `ensure(...)` is looked at in its job. The launcher would look for the file among its own.

    A rule that runs in its own container has no Snakemake there: for it, S3 is asked.
    """
    ensure: Callable[..., None] = DAG.handle_ensure
    checksum: Callable[..., str | None] = snakemake_io._IOFile.checksum

    def handle_ensure(dag: Any, job: Any, outputs: Any) -> None:  # noqa: ANN401
        if _has_container(job):
            ensure(dag, job, outputs)

    def checksum_there(file: Any, force: bool = False) -> str | None:  # noqa: ANN401
        is_asked = force and file.is_remote and not file.exists_local
        return s3_folders.sha256(file.remote_object) if is_asked else checksum(file, force)

    DAG.handle_ensure = handle_ensure
    snakemake_io._IOFile.checksum = checksum_there


def _script(job: Any) -> str:  # noqa: ANN401
    return f".snakemake/genolaunch-{job.jobid}.sh"


def _write_script(job: Any, options: Options, sources: Sources) -> str:  # noqa: ANN401
    """The rule's command, as a file: Tibanna lets the instance's shell read a command, which would fill in its `$`.

    The command names files as the launcher knows them, below bucket/prefix: that is made a name of the working folder.
    """
    parent = options.prefix.rpartition("/")[0]
    folders = sorted({path.rpartition("/")[0] for path in map(str, (*job.output, *job.log)) if "/" in path})
    lines = [
        *([f"mkdir -p {shlex.quote(parent)}"] if parent else []),
        f'ln -s "$PWD" {shlex.quote(options.prefix)}',
        *([f"mkdir -p {shlex.join(folders)}"] if folders else []),
        f"find . -name {EMPTY} -exec rm -f {{}} + 2>/dev/null || true",
        job.shellcmd.replace(f"{sources.root}/", ""),
        *(_MARK_EMPTY.format(folder=shlex.quote(str(file))) for file in job.output if file.is_directory),
    ]
    script = sources.root / _script(job)
    script.parent.mkdir(exist_ok=True)
    script.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return _script(job)


def _has_container(job: Any) -> bool:  # noqa: ANN401
    return not job.is_group() and bool(image_of(job)) and bool(job.is_shell)


def keep_checkpoints(options: Options, sources: Sources) -> None:
    """Send the list of completed checkpoints with a job, which would otherwise run them again."""
    get: Callable[..., Any] = Checkpoint.get

    def telling(checkpoint: Any, **wildcards: Any) -> Any:  # noqa: ANN401
        done = get(checkpoint, **wildcards)
        sources.checkpoints.update(str(file).removeprefix(f"{options.prefix}/") for file in done.output)
        return done

    Checkpoint.get = telling


def bring_sources(options: Options, sources: Sources) -> None:
    """Inputs that no rule makes, and that are among the sources only, go to the data, where jobs find them."""
    collect: Callable[..., Iterable[Any]] = DAG.collect_potential_dependencies

    def collecting(dag: Any, job: Any, known_producers: Any) -> Iterable[Any]:  # noqa: ANN401
        for found in collect(dag, job, known_producers):
            if not found.jobs:
                sources.bring(below_data(found.file, options))
            yield found

    DAG.collect_potential_dependencies = collecting


def know_other_code(options: Options) -> None:
    """Make files again that were made by other code; report files whose origin is not known, and what jobs make."""
    update: Callable[..., None] = DAG.update_needrun
    own = tell_made(Persistence, options)

    def update_needrun(dag: Any, *args: Any, **more: Any) -> None:  # noqa: ANN401
        update(dag, *args, **more)
        kept = (job for job in dag.jobs if job.output and not dag.needrun(job))
        there = [job for job in kept if all(file.exists for file in job.output)]
        tell_unknown(there, dag.workflow.persistence, own, options)

    Job.outputs_older_than_script_or_notebook = lambda _: iter(())
    DAG.update_needrun = update_needrun
    know_scripts_by_content(Persistence)


def refuse_what_cannot_be(options: Options, sources: Sources) -> None:
    """Submit no job of a workflow that cannot succeed."""
    init: Callable[..., None] = TibannaExecutor.__init__

    def looking(executor: Any, workflow: Any, dag: Any, *args: Any, **more: Any) -> None:  # noqa: ANN401
        _refuse(dag.needrun_jobs(), dag.targetjobs, options)
        init(executor, workflow, dag, *args, **more)

    TibannaExecutor.__init__ = looking
    refuse_workdir(Workflow)
    refuse_missing_configfiles(Workflow)
    refuse_no_rules(Workflow)
    mark_what_is_outside(PathModifier, MissingInputException)
    tell_whole_cycles(CyclicGraphException)
    find_more_periods(snakemake_io.PeriodicityDetector)
    sources.near_misses.tell(MissingInputException, MissingRuleException)


def _refuse(jobs: Iterable[Any], targets: Iterable[Any], options: Options) -> None:
    try:
        refuse(jobs, targets, options)
    except RefusedError as error:
        raise WorkflowError(str(error)) from None


def empty_folders(options: Options) -> None:
    """Delete what an earlier run left in a `directory()` before its rule runs, as on a disk."""
    make_input: Callable[..., dict[str, Any]] = TibannaExecutor.make_tibanna_input

    def emptying(executor: Any, job: Any) -> dict[str, Any]:  # noqa: ANN401
        _refuse(job if job.is_group() else (job,), (), options)  # what a checkpoint added was not looked at
        for file in job.expanded_output:
            if file.is_directory and file.is_remote:
                s3_folders.remove(file.remote_object)
        return make_input(executor, job)

    TibannaExecutor.make_tibanna_input = emptying


def tell_submissions() -> None:
    """Report which Tibanna job belongs to which job of Snakemake, which Snakemake reports nowhere else."""
    make_input: Callable[..., dict[str, Any]] = TibannaExecutor.make_tibanna_input

    def telling(executor: Any, job: Any) -> dict[str, Any]:  # noqa: ANN401
        tibanna_input = make_input(executor, job)
        kind = "group" if job.is_group() else "rule"
        # The name of an execution has no blanks, and begins with the run's: by that it is the launch's own.
        name = re.sub(r"[^A-Za-z0-9._-]", "_", f"{tibanna_input['jobid']}-{kind}-{_rule(job)}")
        tibanna_input["config"]["run_name"] = name
        emit(
            "submitted",
            job=str(job.jobid),
            rule=_rule(job),
            wildcards={} if job.is_group() else {key: str(value) for key, value in job.wildcards_dict.items()},
            id=tibanna_input["jobid"],
            name=name if len(name) <= _LONGEST_EXECUTION_NAME else name[: _LONGEST_EXECUTION_NAME - 1],
        )
        return tibanna_input

    TibannaExecutor.make_tibanna_input = telling


def tell_ends() -> None:
    """Snakemake's log has no message for a job of Tibanna's that failed, only for how many are left, and takes all
    groups of a name for one. A job that would fail again is not tried again."""
    run: Callable[..., None] = TibannaExecutor.run

    def telling(
        executor: Any,  # noqa: ANN401 - Snakemake has no types here
        job: Any,  # noqa: ANN401
        callback: Callable[[Any], None] | None = None,
        submit_callback: Callable[[Any], None] | None = None,
        error_callback: Callable[[Any], None] | None = None,
    ) -> None:
        def done(job: Any) -> None:  # noqa: ANN401
            emit("finished", job=str(job.jobid))
            if callback:
                callback(job)

        def failed(job: Any) -> None:  # noqa: ANN401
            emit("failed", job=str(job.jobid), rule=_rule(job))
            if _fails_again(executor, job):
                for each in job if job.is_group() else (job,):
                    each.rule.restart_times = 0
            if error_callback:
                error_callback(job)

        run(executor, job, done, submit_callback, failed)

    TibannaExecutor.run = telling


def _fails_again(executor: Any, job: Any) -> bool:  # noqa: ANN401
    config = executor.tibanna_config
    ids = getattr(executor, "_ids", {})
    try:
        answer = boto3.client("s3").get_object(
            Bucket=config["log_bucket"], Key=f"{ids[job.jobid]}.log", Range=f"bytes=-{_LOG_BYTES}"
        )
        return fails_again(answer["Body"].read().decode(errors="replace"))
    except Exception:  # without its log nothing is known of it
        return False


def name_jobs_by_run(options: Options) -> None:
    """The ids of jobs begin with the run's name: what they make in S3 and EC2 is the launch's own by that, and the
    launch's role may have nothing else."""
    create: Callable[[], str] = tibanna_core.create_jobid
    tibanna_core.create_jobid = lambda: f"{options.run_name}.{create()}"


def remember_ids() -> None:
    """Remember the id of a job's submission, by which its log is found."""
    make_input: Callable[..., dict[str, Any]] = TibannaExecutor.make_tibanna_input

    def remembering(executor: Any, job: Any) -> dict[str, Any]:  # noqa: ANN401
        tibanna_input = make_input(executor, job)
        executor.__dict__.setdefault("_ids", {})[job.jobid] = tibanna_input["jobid"]
        return tibanna_input

    TibannaExecutor.make_tibanna_input = remembering


def _rule(job: Any) -> str:  # noqa: ANN401
    return str(job.groupid if job.is_group() else job.rule)
