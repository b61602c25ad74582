"""Paths in Snakemake's messages are told as the workflow's author wrote them."""

import json
from pathlib import Path

import pytest

from snakemake_launcher.run_sheet import RunSheet
from snakemake_launcher.wording import as_written
from tests.unit.snakemake_launcher.sheets import sheet

SOURCES = Path("/work/launch-1/workflow")
PLACES = {
    "7": ("data/run42/", "", "/work/launch-1/workflow/Snakefile"),
    "9": ("s3://data/run42/", " (in storage)", '"/work/launch-1/workflow/Snakefile"'),
}


def written(message: str) -> str:
    return as_written(message, RunSheet.parse(json.dumps(sheet())), SOURCES)


@pytest.mark.parametrize("version", PLACES)
@pytest.mark.parametrize(
    ("missing", "told"),
    [
        (["reads/a.txt"], "reads/a.txt (for out/a.txt, s=a) is neither in the launch's data (s3://data/run42/) nor"),
        (["r/1.fq", "r/2.fq"], "r/1.fq, r/2.fq (for out/a.txt, s=a) are neither in the launch's data"),
        ([f"{n}.fq" for n in range(7)], "3.fq, 4.fq and 2 more (for out/a.txt, s=a) are neither"),
        (["a b.txt"], "a b.txt (for out/a.txt, s=a) is neither"),
    ],
)
def test_a_missing_input_is_named_with_what_to_do(version, missing, told):
    prefix, suffix, snakefile = PLACES[version]
    files = "\n        ".join(f"{prefix}{file}{suffix}" for file in missing)
    said = written(
        f"MissingInputException in rule make in file {snakefile}, line 3:\nMissing input files for rule make:\n"
        f"    output: {prefix}out/a.txt{suffix}\n    wildcards: s=a\n    affected files:\n        {files}"
    )

    name = snakefile.replace(f"{SOURCES}/", "")
    assert said.startswith(f"MissingInputException in rule make in file {name}, line 3: ")
    assert told in said
    assert said.endswith("there, or correct the rule's input.")
    assert "run42/" not in said.replace("(s3://data/run42/)", "")


def test_a_target_without_wildcards_or_output_is_named_alone():
    said = written(
        "MissingInputException in rule all in file /work/launch-1/workflow/Snakefile, line 1:\n"
        "Missing input files for rule all:\n    affected files:\n        data/run42/final.txt"
    )

    assert said.startswith("MissingInputException in rule all in file Snakefile, line 1: final.txt is neither in")


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("SyntaxError in file /work/launch-1/workflow/rules/a.smk, line 3", "SyntaxError in file rules/a.smk, line 3"),
        ("ProtectedOutputException: data/run42/out/a.txt", "ProtectedOutputException: out/a.txt"),
        ("FileNotFoundError: .snakemake/storage/s3/data/run42/x.tsv", "FileNotFoundError: x.tsv"),
        ("nothing of a path", "nothing of a path"),
    ],
)
def test_other_messages_lose_the_launchers_places_alone(message, told):
    assert written(message) == told


LATENCY = (
    "completed successfully, but some output files are missing. Missing files after 5 seconds. This might be due to "
    "filesystem latency. If that is the case, consider to increase the wait time with --latency-wait:"
)
AT = {"7": f"file {SOURCES}/Snakefile, line 3", "9": f'file "{SOURCES}/Snakefile", line 3'}
FETCHES = "/home/launcher/.cache/snakemake/snakemake/source-cache/snakemake-git-cache/github.com/owner/name"
PACKAGES = "/opt/snakemake9/lib/python3.11/site-packages"

SAID = {
    "an output, 7": (
        f"MissingOutputException in rule make in {AT['7']}:\nJob 0  "
        f"{LATENCY}\ndata/run42/out/a.txt\ndata/run42/out/b.txt",
        "MissingOutputException in rule make in file Snakefile, line 3: its command "
        "ended without an error, but did not "
        "write out/a.txt, out/b.txt. Let its `shell`",
    ),
    "an output, 9": (
        f"MissingOutputException in rule make in {AT['9']}:\nJob 0 {LATENCY}\n"
        "s3://data/run42/out/a.txt (send to storage) (missing locally, parent dir contents: x.txt)\n"
        "s3://data/run42/out/b.txt (missing in storage)",
        'in file "Snakefile", line 3: its command ended without an error, but did not write out/a.txt, out/b.txt. Let',
    ),
    "two rules, 7": (
        "AmbiguousRuleException:\nRules two and one are ambiguous for the file "
        "data/run42/out/a.txt.\nConsider starting "
        "rule output with a unique prefix, constrain your wildcards, or use the "
        "ruleorder directive.\nWildcards:\n\ttwo: "
        "t=a\n\tone: s=a\nExpected input files:\n\ttwo: \n\tone: \nExpected output files:\n\ttwo: data/run42/out/a.txt",
        "AmbiguousRuleException: the rules two and one can both make out/a.txt. Begin their outputs differently",
    ),
    "two rules, 9": (
        "AmbiguousRuleException:\nRules one and two are ambiguous for the file s3://data/run42/out/a.txt (send to "
        "storage).\nConsider starting rule output with a unique prefix, constrain your wildcards, or use the ruleorder "
        "directive.\nWildcards:\n\tone: s=a\n\ttwo: t=a",
        "AmbiguousRuleException: the rules one and two can both make out/a.txt. Begin their outputs differently",
    ),
    "no rule, 7": (
        "MissingRuleException:\nNo rule to produce data/run42/gone/x.txt (if you use "
        "input functions make sure that they "
        "don't raise unexpected exceptions).",
        "MissingRuleException: no rule makes gone/x.txt, and it is not in the launch's "
        "data (s3://data/run42/). Correct",
    ),
    "no rule, 9": (
        "MissingRuleException:\nNo rule to produce s3://data/run42/gone/x.txt (in storage) (if you use input functions "
        "make sure that they don't raise unexpected exceptions).",
        "MissingRuleException: no rule makes gone/x.txt, and it is not in the launch's "
        "data (s3://data/run42/). Correct",
    ),
    "a protected output, 7": (
        f"ProtectedOutputException in rule make in {AT['7']}:\nWrite-protected output files for rule make:\n"
        "    output: data/run42/out/a.txt\n    affected files:\n        data/run42/out/a.txt",
        "line 3: out/a.txt (for out/a.txt) is there already, and protected(). Remove it from the launch's data (s3://",
    ),
    "a protected output, 9": (
        f"ProtectedOutputException in rule make in {AT['9']}:\nWrite-protected output files for rule make:\n"
        "    output: s3://data/run42/out/a.txt (send to storage)\n    affected files:\n"
        "        s3://data/run42/out/a.txt (send to storage)",
        "line 3: out/a.txt (for out/a.txt) is there already, and protected(). Remove it from the launch's data (s3://",
    ),
    "incomplete files, 7 and 9": (
        "IncompleteFilesException:\nThe files below seem to be incomplete. If you are sure that certain files are not "
        "incomplete, mark them as complete with\n\n    snakemake --cleanup-metadata <filenames>\n\nTo re-generate the "
        "files rerun your command with the --rerun-incomplete flag.\nIncomplete files:\ndata/run42/a\ndata/run42/b",
        "IncompleteFilesException: a, b may be incomplete: the job that wrote them did not end well. Remove them from",
    ),
    "a sample sheet, 7": (
        f"FileNotFoundError in {AT['7']}:\n[Errno 2] No such file or directory: 'samples.csv'\n"
        f'  File "{SOURCES}/Snakefile", line 3, in <module>',
        "there is no file samples.csv. Upload it to the launch's data "
        "(s3://data/run42/), at this path, or put it among",
    ),
    "a sample sheet, 9": (
        f"FileNotFoundError in {AT['9']}:\n[Errno 2] No such file or directory: 'samples.csv'",
        "there is no file samples.csv. Upload it to the launch's data "
        "(s3://data/run42/), at this path, or put it among",
    ),
    "a sheet on the author's machine": (
        f"FileNotFoundError in {AT['9']}:\n[Errno 2] No such file or directory: '/home/me/samples.csv'",
        "there is no file /home/me/samples.csv. A launch has no such path: upload it to "
        "the launch's data (s3://data/run42/)",
    ),
    "an include, 7": (
        f"WorkflowError in {AT['7']}:\nFailed to open source file "
        f"{SOURCES}/rules/x.smk\nFileNotFoundError: [Errno 2] No "
        f"such file or directory: '{SOURCES}/rules/x.smk'\n  File \"{SOURCES}/Snakefile\", line 1, in <module>",
        "WorkflowError in file Snakefile, line 3: there is no file rules/x.smk. It belongs to the workflow's sources",
    ),
    "a colon, 7": (
        f"SyntaxError in {AT['7']}:\nExpected name or colon after rule or checkpoint keyword. (Snakefile, line 3)",
        "SyntaxError in file Snakefile, line 3: Expected name or colon after rule or "
        "checkpoint keyword. Perhaps the line",
    ),
    "a colon, 9": (
        f"SyntaxError in {AT['9']}:\nExpected name or colon after rule or checkpoint keyword. The keyword rule has a "
        "special meaning in Snakemake. If you named a variable or function like this, please rename it to avoid the "
        "conflict.:\nNone",
        'SyntaxError in file "Snakefile", line 3: Expected name or colon after rule or '
        "checkpoint keyword. Perhaps the line",
    ),
    "a module from elsewhere, 7": (
        f"WorkflowError in {AT['7']}:\nFailed to open source file "
        "https://raw.githubusercontent.com/owner/name/v1/Snakefile\n"
        "ConnectionError: HTTPSConnectionPool(host='raw.githubusercontent.com', port=443): Max retries exceeded\n"
        f'  File "{SOURCES}/Snakefile", line 3, in <module>\n  File '
        f'"{PACKAGES}/reretry/api.py", line 218, in retry_call',
        "https://raw.githubusercontent.com/owner/name/v1/Snakefile could not be fetched: ConnectionError",
    ),
    "a module from elsewhere, 9": (
        f"GitCommandError in {AT['9']}:\nCmd('git') failed due to: exit code(128)\n  cmdline: git clone -v --bare -- "
        f"https://github.com/owner/name {FETCHES}.qsf74ewt\n  stderr: 'Cloning into bare "
        f"repository '{FETCHES}.qsf7'...\n"
        "fatal: unable to access 'https://github.com/owner/name/': Could not resolve host: github.com\n'\n"
        f'  File "{PACKAGES}/git/repo/base.py", line 1724, in clone_from\n  File '
        f'"{PACKAGES}/git/cmd.py", line 471, in wait',
        "https://github.com/owner/name could not be fetched: fatal: unable to access 'https://github.com/owner/name/'",
    ),
    "an output, 7, in a job": (
        f"MissingOutputException in rule make in file /data1/snakemake/Snakefile, line 3:\nJob 0  {LATENCY}\nout/a.txt",
        "MissingOutputException in rule make in file Snakefile, line 3: its command ended without an error",
    ),
    "an output, 9, in a job": (
        f'MissingOutputException in rule make in file "/tmp/x.1/Snakefile", line 3:\nJob 0 {LATENCY}\nout/a.txt',
        'MissingOutputException in rule make in file "Snakefile", line 3: its command ended without an error',
    ),
    "a path of the shell's own": (
        "/usr/bin/bash: line 1: out/s1.txt: No such file or directory",
        "out/s1.txt: No such file or directory. If the rule's shell names this path itself, let it use {input}",
    ),
    "what else there is of the cache": (
        f"OSError: cannot write {FETCHES}/x: disk full",
        "cannot write (its cache): disk full",
    ),
}
"""As Snakemake 7.32.4 and 9.27.1 say it, but for the places."""


@pytest.mark.parametrize("case", SAID)
def test_snakemakes_messages_name_files_below_the_data_and_what_to_do(case):
    message, words = SAID[case]

    said = written(message)

    assert words in said
    for internal in ("latency-wait", "--rerun", ": None", "site-packages", ".cache", str(SOURCES), "\nNone", "[Errno"):
        assert internal not in said


@pytest.mark.parametrize(
    "said",
    [
        "FileNotFoundError: [Errno 2] No such file or directory: 'in/a.tsv'",
        "cat: in/a.tsv: No such file or directory",
        "md5sum: 'in/a.tsv': No such file or directory",
    ],
)
def test_a_file_that_only_a_rules_code_names_is_to_be_its_input(said):
    assert written(said).startswith(f"{said}. If in/a.tsv is in the launch's data, name it in the rule's `input:`")


def test_a_path_of_the_jobs_machine_is_told_from_its_folder_on():
    for folder in ("/data1/snakemake/", "/x/run/jobs/w1-1.Ab/snakemake/", "/tmp/tmp.vgJ6UYmGoa/"):
        said = written(f"FileNotFoundError: [Errno 2] No such file or directory: '{folder}scripts/no.py'")

        assert "directory: 'scripts/no.py'" in said


@pytest.mark.parametrize("version", AT)
def test_cores_that_the_launch_does_not_say_are_asked_for_by_their_key_and_the_rule(version, tmp_path):
    (tmp_path / "Snakefile").write_text("rule all:\n    input: 'x'\nrule dbl:\n    threads: workflow.cores\n")
    place = AT[version].replace(str(SOURCES), str(tmp_path)).replace("line 3", "line 4")
    message = f"WorkflowError in {place}:\nWorkflow requires a total number of cores to be defined (e.g. --cores N)."

    said = as_written(message, RunSheet.parse(json.dumps(sheet())), tmp_path)

    assert "`workflow.cores` of rule dbl is asked for" in said
    assert "Set `cores` in the section `snakemake`" in said
    assert "--cores" not in said


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            "WorkflowError:\n    Workflow requires a total number of cores to be defined (--cores N).",
            "Set `cores` in the",
        ),
        ("KeyError: 'b'", "InputFunctionException in rule a in file Snakefile, line 3: KeyError: 'b' (for s=b)"),
    ],
)
def test_an_error_in_a_function_of_a_rule_is_one_sentence(error, told):
    said = written(
        f"InputFunctionException in rule a in {AT['7']}:\nError:\n  {error}\nWildcards:\n    s=b\nTraceback:\n"
        f'  File "{SOURCES}/Snakefile", line 3, in <lambda>'
    )

    assert told in said
    assert "\n" not in said
    assert "Traceback" not in said


@pytest.mark.parametrize("path", ["/ref/a.txt", "../ref/a.txt"])
def test_an_input_outside_of_the_data_is_not_asked_to_be_uploaded_there(path):
    said = written(
        f"MissingInputException in rule make in {AT['7']}:\nMissing input files for rule make:\n    output: o.txt\n"
        f"    affected files:\n        {path}"
    )

    assert f"line 3: {path}: a launch has no such path" in said
