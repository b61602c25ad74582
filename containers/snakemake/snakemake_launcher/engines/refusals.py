"""Refuses workflows that an engine cannot run, when the jobs are known and before any is submitted."""

import difflib
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

from snakemake_launcher.engines.notes import below_data, files_of, source_path
from snakemake_launcher.engines.options import Options
from snakemake_launcher.events import emit

_REPEATED: Final = re.compile(r"(?P<value>.{1,100}?)(?P=value){99}")
"""More often than a name repeats itself, and less often than Python recurs."""
_GPU: Final = re.compile(r"gpu", re.IGNORECASE)
_NOT_FOR_TIBANNA: Final = re.compile(r"""[\s|&;()<>$`"'\\*?\[\]{}!#]""")
"""Tibanna 6.1.0 writes `aws s3 cp s3://<bucket>/<key> <file>` into a shell script, without quotes, and formats it twice
(awsf3/utils.py, create_download_cmd)."""
_NOT_IN_A_COMMAND: Final = re.compile(r"""[$`"\\]""")
"""A job's command stands between double quotes in a file that the instance's shell reads (create_env_def_file)."""
_NOT_FOR_S3_PLUGIN: Final = re.compile(r"[#?]")
"""snakemake-storage-plugin-s3 0.3.6 reads a key as the path of a URL, which ends there."""
_LARGEST_INPUT: Final = 262_144
"""Characters of an execution's input (AWS Step Functions quotas, "Maximum input or output size")."""
_REST_OF_INPUT: Final = 12_000
"""Of it for everything but the files."""
_OUTSIDE: Final = "genolaunch_outside"
"""Flag of a file whose path leads out of the data; what the Snakefile calls it."""
_MOST_THREADS: Final = 192
_MOST_MEMORY: Final = 1536 * 1024
"""MiB. Of the largest instances of the families that a stage's queues may have
(genolaunch/launch_configs/regenie_config.py has the same of regenie's jobs)."""
_MOST_NAMED: Final = 5
_NUMBERS: Final = re.compile(r"\[(?:(?P<many>\w+)\|)?(?P<one>\w+)\]")
"""`need[s]`, `ha[ve|s]`: of several rules, and of one."""
_DOCKER: Final = "docker://"
_IMAGE: Final = re.compile(r"docker://[A-Za-z0-9][A-Za-z0-9._/:@-]*")


def refuse(jobs: Iterable[Any], targets: Iterable[Any], options: Options) -> None:
    """Raises RefusedError if there are faults, and tells them as the workflow's error."""
    found = faults(jobs, targets, options)
    if found:
        _refuse(" ".join(found))


class RefusedError(Exception):
    """The workflow cannot run on its engine."""


def _refuse(message: str) -> NoReturn:
    emit("refused", message=message)
    raise RefusedError(message)


def refuse_workdir(workflow: Any) -> None:  # noqa: ANN401 - Snakemake has no types here
    """A Snakefile's `workdir:` is refused: jobs would look for their Snakefile, and for data, in another folder.

    `workflow`: Snakemake's class.
    """

    def workdir(_workflow: Any, folder: str) -> None:  # noqa: ANN401
        _refuse(
            f"The Snakefile has `workdir: {folder}`, and a launch works in its `data`. Leave `workdir:` out, and let "
            "`data` name the folder below which the rules' paths are."
        )

    workflow.workdir = workdir


def refuse_missing_configfiles(workflow: Any) -> None:  # noqa: ANN401
    """A `configfile:` that is not there is refused. With `--configfile` on its command line Snakemake goes on without.

    `workflow`: Snakemake's class.
    """
    read: Callable[..., None] = workflow.configfile

    def configfile(reading: Any, file: Any) -> None:  # noqa: ANN401
        if not reading.modifier.skip_configfile and not Path(file).exists() and not _brought(file):
            _refuse(
                f"{_line_that_calls(reading)} has `configfile: {file}`, and there is no such file among the launch's "
                f"sources{_like(str(file))}. Upload it there, at this path, or correct the path: the launch's `config` "
                "changes its values, and does not stand for it."
            )
        read(reading, file)

    workflow.configfile = configfile


def refuse_no_rules(workflow: Any) -> None:  # noqa: ANN401
    """A Snakefile without a rule is refused: Snakemake says that there is nothing to be done.

    `workflow`: Snakemake's class.
    """
    check: Callable[..., None] = workflow.check

    def checking(read: Any) -> None:  # noqa: ANN401
        if not list(read.rules):
            _refuse(
                "The Snakefile has no rule, so there is nothing to make. Check that the right file was uploaded whole, "
                "and that `snakefile` names it."
            )
        check(read)

    workflow.check = checking


def refuse_missing_scripts(jobs: Iterable[Any]) -> None:
    """Before Snakemake 9 reads all scripts, where it ends with a traceback. Raises RefusedError."""
    found = list(_without_script(list(jobs)))
    if found:
        _refuse(" ".join(found))


def _brought(file: Any) -> bool:  # noqa: ANN401
    """Whether it is a file of the data, which is fetched when code of the sources opens it."""
    try:
        open(file).close()  # noqa: PTH123 - as the Snakefile itself would do
    except OSError:
        return False
    return True


def _like(file: str) -> str:
    """Sources that are called alike."""
    found_below = [Path(folder, name) for folder, _, names in os.walk(".") for name in names]
    there = [str(path) for path in found_below if not str(path).startswith((".", "genolaunch"))]
    alike = [name for name in there if Path(name).name == Path(file).name]
    found = sorted(alike) or difflib.get_close_matches(file, there, n=1, cutoff=0.8)
    return f" (perhaps {found[0]} is meant)" if found else ""


def _line_that_calls(workflow: Any) -> str:  # noqa: ANN401
    """`Line 3 of rules/common.smk`, whose statement is being carried out."""
    frame: Any = sys._getframe(2)
    while frame is not None and frame.f_code.co_name != "<module>":
        frame = frame.f_back
    path = frame.f_code.co_filename
    line = workflow.linemaps.get(path, {}).get(frame.f_lineno, frame.f_lineno)
    return f"Line {line} of {_below_sources(path)}"


def mark_what_is_outside(modifier: Any, missing: Any) -> None:  # noqa: ANN401
    """Snakemake puts the data before any path of a rule, so `/ref/x`, `../x` and `~/x` would be other files than they
    say. An error about such a file names it as the Snakefile does.

    `modifier`: Snakemake's PathModifier; `missing`: its MissingInputException.
    """
    modify: Callable[..., Any] = modifier.modify
    tell: Callable[..., None] = missing.__init__

    def marking(self: Any, path: Any, *args: Any, **more: Any) -> Any:  # noqa: ANN401
        made = modify(self, path, *args, **more)
        if made is not path and isinstance(path, str) and _leads_out(path):
            made.flags[_OUTSIDE] = str(path)
        return made

    def telling(error: Any, job: Any, files: Iterable[Any], *args: Any, **more: Any) -> None:  # noqa: ANN401
        tell(error, job, {_outside(file) or file for file in files}, *args, **more)

    modifier.modify = marking
    missing.__init__ = telling


def tell_whole_cycles(cyclic: Any) -> None:  # noqa: ANN401
    """An error of a cycle names one rule: name all of them.

    `cyclic`: Snakemake's CyclicGraphException, which is raised within a call for each job on the way.
    """
    tell: Callable[..., None] = cyclic.__init__

    def telling(error: Any, repeated: Any, file: Any, *args: Any, **more: Any) -> None:  # noqa: ANN401
        names = [str(repeated)]
        frame: Any = sys._getframe(1)
        while frame is not None:
            job = frame.f_locals.get("job") if frame.f_code.co_name == "update_" else None
            if job is not None:
                names.append(str(job.rule))
                if names[-1] == names[0]:
                    break
            frame = frame.f_back
        tell(error, f"{repeated}: {_needs(names, file)}" if names[1:] else repeated, file, *args, **more)

    cyclic.__init__ = telling


def _needs(names: list[str], file: Any) -> str:  # noqa: ANN401
    """`names`: of at least two rules, each of which is needed by the next one."""
    if len({*names}) == 1:
        return f"it needs its own output {file}"
    return ", which needs ".join([f"{names[-1]} needs {names[-2]}", *reversed(names[:-2])]) + f" (for {file})"


def find_more_periods(detector: Any) -> None:  # noqa: ANN401
    """Snakemake finds repetitions at the end of a wildcard's value. At its beginning (`raw/raw/raw/...a`, of the output
    `{s}` and the input `raw/{s}`) it comes to Python's limit of recursion, and names no rule.

    `detector`: Snakemake's PeriodicityDetector.
    """
    find: Callable[..., Any] = detector.is_periodic

    def is_periodic(self: Any, value: str) -> Any:  # noqa: ANN401
        found = find(self, value)
        begins = _REPEATED.match(value) if found is None else None
        return begins["value"] if begins else found

    detector.is_periodic = is_periodic


def _leads_out(path: str) -> bool:
    return os.path.normpath(path).startswith(("/", "..", "~"))


def _outside(file: Any) -> str:  # noqa: ANN401
    """The path of a file outside of the data, as the Snakefile has it; empty for other files."""
    return str(getattr(file, "flags", {}).get(_OUTSIDE, ""))


def faults(jobs: Iterable[Any], targets: Iterable[Any], options: Options) -> list[str]:
    """Sentences, one for each kind of fault, with the rules' names.

    `jobs`: of Snakemake 7 or 9, that are to run. `targets`: those that make what was asked for.
    """
    jobs = list(jobs)
    found = [*_empty(targets), *_without_command(jobs)]
    jobs = [job for job in jobs if not job.rule.norun]  # what only asks for files runs nowhere
    found += _of_all(jobs, options)
    if options.engine == "tibanna":
        found += _of_tibanna(jobs, options)
    else:
        found += _of_batch(jobs, options)
    return found


def image_of(job: Any) -> str:  # noqa: ANN401 - Snakemake has no types here
    """The image of a rule's `container:`, as `docker pull` takes it; empty without one, and for `run:`."""
    url = str(getattr(job, "container_img_url", None) or "")
    return "" if job.is_run else url.removeprefix(_DOCKER)


def _empty(targets: Iterable[Any]) -> Iterator[str]:
    for job in targets:
        if job.rule.norun and not job.input and not job.output:
            yield (
                f"{_place(job.rule)} asks for no file, so there is nothing to make: what it lists is empty. "
                "Check that the launch's data contains the files, at the paths where the rule looks for them."
            )


def _without_command(jobs: list[Any]) -> Iterator[str]:
    yield from _named(
        jobs,
        lambda job: bool(job.rule.norun) and any(not _flagged(file, "touch") for file in job.output),
        "{rules} ha[ve|s] an `output:`, and nothing that makes it. Add a `shell:`, `script:` or `run:`; or, if the "
        "files are to be in the launch's data already, upload them there, after what the rule has as `input:`.",
    )


def _missing_script(job: Any) -> str:  # noqa: ANN401
    """The path of a rule's script or notebook that is not among the sources; empty if it is there, or elsewhere."""
    script = job.rule.script or job.rule.notebook
    if not script or job.is_wrapper or "{" in str(script):
        return ""
    file = str(source_path(job.rule.basedir.join(script) if job.rule.basedir else script)).removeprefix("file://")
    return "" if "://" in file or Path(file).is_file() else _below_sources(file)


def _without_script(jobs: list[Any]) -> Iterator[str]:
    scripts = [(job, _missing_script(job)) for job in jobs]
    for script in sorted({script for _, script in scripts} - {""}):
        yield from _named(
            [job for job, lacks in scripts if lacks == script],
            bool,
            f"{{rules}} ha[ve|s] the script {_plain(script)}, and there is no such file among the launch's "
            f"sources{_plain(_like(script))}. Upload it there; its path is from the folder of the file that has the "
            "rule.",
        )


def _of_all(jobs: list[Any], options: Options) -> Iterator[str]:
    yield from _named(
        jobs,
        lambda job: any(_flagged(file, "pipe") or _flagged(file, "service") for file in job.output),
        "{rules} write[s] to pipe() or service(), which jobs on different machines cannot share. Write to "
        "temp() instead.",
    )
    yield from _named(
        jobs,
        lambda job: any(_GPU.search(name) and value for name, value in job.resources.items()),
        "{rules} ask[s] for a GPU, and neither engine has one. Leave the resource out if the work can be "
        "done without it.",
    )
    yield from _named(
        jobs,
        lambda job: (
            bool(job.conda_env_spec)
            and not (options.own_image or job.is_wrapper or _runs_in_own_container(job, options))
        ),
        "{rules} need[s] a `conda:` environment, and the stage's image has no conda. Build an image with the tools of "
        "all rules on the stage's, and name it as `container_image`: with one, `conda:` is not used.",
    )

    yield from _without_script(jobs)
    yield from _named(
        jobs,
        lambda job: bool(job.env_modules) and not options.own_image and not _runs_in_own_container(job, options),
        "{rules} need[s] `envmodules:`, and there are no environment modules. Name an image with the tools of all "
        "rules as `container_image`: with one, `envmodules:` is not used.",
    )
    yield from _named(
        jobs,
        lambda job: bool(job.is_wrapper or job.is_notebook) and not options.own_image,
        "{rules} ha[ve|s] a `wrapper:` or `notebook:`, for which the stage's image has no programs. Name an image "
        "that has them (Snakemake too) as `container_image`.",
    )
    yield from _named(
        jobs,
        lambda job: any(_flagged(file, "local") for file in job.output) and not job.group,
        "{rules} write[s] to local(), which is lost with the machine of the job. Leave local() out: what rules make "
        "goes to the launch's data.",
    )
    outside = list(dict.fromkeys(path for job in jobs for file in files_of(job) if (path := _outside(file))))
    more = f" and {len(outside) - _MOST_NAMED} more" if len(outside) > _MOST_NAMED else ""
    yield from _named(
        jobs,
        lambda job: any(_outside(file) for file in files_of(job)),
        f"{{rules}} ha[ve|s] files outside of the launch's data ({_plain(', '.join(outside[:_MOST_NAMED]))}{more}), by "
        "paths that begin with / or ~, or lead out of it by `..`. Upload what they read below `data`, and name it, and "
        "what they write, by its path there.",
    )


def _of_batch(jobs: list[Any], options: Options) -> Iterator[str]:
    yield from _named(
        jobs,
        lambda job: image_of(job) not in ("", options.image) and not options.own_image,
        "{rules} ha[ve|s] a `container:` of their own, and with the engine aws-batch all jobs of a launch run in one "
        "image. Name an image with the tools of all rules as `container_image`, or use the engine tibanna.",
    )
    yield from _named(
        jobs,
        lambda job: any(_NOT_FOR_S3_PLUGIN.search(below_data(file, options)) for file in files_of(job)),
        "{rules} ha[ve|s] files with # or ? in their names, which Snakemake's S3 storage cuts off there. "
        "Rename the files.",
    )

    yield from _named(
        jobs,
        lambda job: not job.is_local and (_threads(job) > _MOST_THREADS or _memory(job) > _MOST_MEMORY),
        f"{{rules}} ask[s] for more than {_MOST_THREADS} threads or {_MOST_MEMORY:,} MiB of memory (mem_mb), which no "
        "instance has. Ask for less, or cut the work into more jobs.",
    )


def _threads(job: Any) -> float:  # noqa: ANN401
    return float(job.threads) if isinstance(job.threads, int | float) else 0


def _memory(job: Any) -> float:  # noqa: ANN401
    """MiB; 0 where the rule says nothing, or it is known later only."""
    asked = job.resources.get("mem_mb")
    return float(asked) if isinstance(asked, int | float) else 0


def _is_too_large_for_tibanna(job: Any) -> bool:  # noqa: ANN401
    """Whether Tibanna finds no instance type for it (ec2_utils.py, create_instance_type_list; memory and 1 GB more)."""
    from Benchmark.classes import get_instance_types, instance_list  # only Snakemake 7's environment has it

    memory = (_memory(job) or 1024) / 1024 + 1
    return not get_instance_types(_threads(job) or 1, memory, instance_list(exclude_t=False))


def _of_tibanna(jobs: list[Any], options: Options) -> Iterator[str]:
    yield from _named(
        jobs,
        lambda job: bool(image_of(job)) and not job.is_shell and not options.own_image,
        "{rules} ha[ve|s] a `container:`, and no `shell:`: a script is run by Snakemake, which that image need not "
        "hold. Name an image that holds both as `container_image`, or call the script by `shell:`.",
    )
    yield from _named(
        jobs,
        lambda job: bool(image_of(job)) and not _IMAGE.fullmatch(str(job.container_img_url)) and not options.own_image,
        "{rules} ha[ve|s] a `container:` that is no Docker image, as docker://REGISTRY/REPOSITORY:TAG. Name one, or an "
        "image with the tools of all rules as `container_image`.",
    )
    yield from _named(
        jobs,
        lambda job: bool(image_of(job)) and bool(job.is_local or job.group) and not options.own_image,
        "{rules} ha[ve|s] a `container:`, and [are|is] local or in a group, which has one image. Take what has a "
        "container out of localrules and `group:`, or name an image with the tools of all rules as `container_image`.",
    )
    away = [job for job in jobs if not job.is_local]
    yield from _named(
        away,
        lambda job: (
            any(_NOT_FOR_TIBANNA.search(below_data(file, options)) for file in job.input)
            or any(_NOT_IN_A_COMMAND.search(below_data(file, options)) for file in job.output)
        ),
        "{rules} ha[ve|s] files with blanks, brackets, quotes or other characters in their names that Tibanna's "
        "downloads cannot take. Rename the files, or use the engine aws-batch.",
    )
    yield from _named(
        away,
        _is_too_large_for_tibanna,
        "{rules} ask[s] for more threads, or more memory (mem_mb), than any instance type has that Tibanna knows. Ask "
        "for less, or cut the work into more jobs.",
    )
    for job in away:
        size = _REST_OF_INPUT + sum(
            len(str(file)) + len(below_data(file, options)) + 80 for file in (*job.input, *job.output)
        )
        if size > _LARGEST_INPUT:
            yield (
                f"{_place(job.rule)} has {len(job.input):,} inputs, which take about {size:,} characters when Tibanna "
                f"is asked for the job, and AWS Step Functions takes {_LARGEST_INPUT:,}. Merge in two steps, give a "
                "directory() as the input, or use the engine aws-batch."
            )
            return


def _runs_in_own_container(job: Any, options: Options) -> bool:  # noqa: ANN401
    return options.engine == "tibanna" and bool(image_of(job)) and job.is_shell


def _named(jobs: Iterable[Any], is_at_fault: Callable[[Any], bool], sentence: str) -> Iterator[str]:
    found = {job.rule.name: job.rule for job in jobs if is_at_fault(job)}
    rules = sorted(found.values(), key=lambda rule: (str(rule.snakefile), rule.lineno))
    if rules:
        more = f" and {len(rules) - _MOST_NAMED} more" if len(rules) > _MOST_NAMED else ""
        sentence = _NUMBERS.sub(lambda found: found["one" if len(rules) == 1 else "many"] or "", sentence)
        yield sentence.format(rules="; ".join(_place(rule) for rule in rules[:_MOST_NAMED]) + more)


def _place(rule: Any) -> str:  # noqa: ANN401
    """`rule align (line 12 of rules/align.smk)`."""
    path = source_path(rule.snakefile)
    kind = "checkpoint" if rule.is_checkpoint else "rule"
    line = rule.workflow.linemaps.get(path, {}).get(rule.lineno, rule.lineno)
    return f"{kind} {rule.name} (line {line} of {_below_sources(path)})"


def _below_sources(path: str) -> str:
    return path.rpartition("/workflow/")[2] or path


def _plain(text: str) -> str:
    """As a part of what is formatted."""
    return text.replace("{", "{{").replace("}", "}}")


def _flagged(file: Any, name: str) -> bool:  # noqa: ANN401
    return name in getattr(file, "flags", {})
