"""The one line that tells why a job failed, from logs as Snakemake 7 and 9 write them."""

import pytest

from snakemake_launcher.engines.job_log import _STRICT, fails_again, telling_line

HEAD = """Building DAG of jobs...
Using shell: /usr/bin/bash
Provided cores: 1 (use --cores to define parallelism)
Rules claiming more threads will be scaled down.
Select jobs to execute...

[Sat Nov 21 07:10:11 2026]
"""
TAIL = """Removing output files of failed job aligner since they might be corrupted:
out.txt
Shutting down, this might take some time.
Exiting because a job execution failed. Look above for error message
Complete log: /work/.snakemake/log/2026-11-21T071011.000000.snakemake.log
Not cleaning up /tmp/x
## The command ended with exit code 1.
"""
ROW = "=" * 80
IN_FILE = "in file /work/Snakefile, line"
RULE = "rule aligner:\n    input: in.txt\n    output: out.txt\n    jobid: 0\n    resources: tmpdir=/tmp\n\n"
REPORT = """[Sat Nov 21 07:10:12 2026]
Error in rule aligner:
    jobid: 0
    input: in.txt
    output: out.txt
    shell:
        aligner in.txt > out.txt
        (one of the commands exited with non-zero exit code; note that snakemake uses bash strict mode!)

"""
MISSING = (
    "completed successfully, but some output files are missing. Missing files after 5 seconds. This might be due to "
    "filesystem latency. If that is the case, consider to increase the wait time with --latency-wait:"
)
FAR = f"s3://genolaunch-production-data-{'x' * 30}/{'projects/' * 20}run"

CASES = {
    "a program's last words": (
        f"{HEAD}{RULE}aligner: reference index is truncated\n{REPORT}{TAIL}",
        "aligner: reference index is truncated",
    ),
    "words in brackets, as htslib's": (
        f"{HEAD}{RULE}[E::hts_open_format] Failed to open file a.bam\n{REPORT}{TAIL}",
        "[E::hts_open_format] Failed to open file a.bam",
    ),
    "a local rule's header is not its reason": (
        f"{HEAD}local{RULE}{REPORT}{TAIL}",
        "Error in rule aligner:",
    ),
    "what Snakemake 9 tells of itself is not its reason": (
        f"SNAKEMAKE\n=========\n  Host: vm\n  Config MD5: 99914b93\n\n{HEAD}Retrieving from storage: s3://data/in.txt\n"
        f"Finished retrieval.\nlocal{RULE}{REPORT}{TAIL}",
        "Error in rule aligner:",
    ),
    "an exception of Snakemake's that says nothing, above its report": (
        f'{HEAD}local{RULE}RuleException:\nCalledProcessError in file "/work/Snakefile", line 4:\n'
        f"Command 'set -euo pipefail;  exit 5' returned non-zero exit status 5.\n{REPORT}{TAIL}",
        "Error in rule aligner:",
    ),
    "the rule's own log file": (
        f"{HEAD}{RULE}{REPORT}Logfile logs/aligner.err:\n{ROW}\nreference index is truncated\n{ROW}\n\n{TAIL}",
        "reference index is truncated (its log logs/aligner.err)",
    ),
    "an output that is missing, Snakemake 7": (
        f"{HEAD}{RULE}Waiting at most 5 seconds for missing files.\n"
        "MissingOutputException in rule aligner in file /work/Snakefile, line 4:\n"
        f"Job 0  {MISSING}\nout.txt\nout.idx\n{TAIL}",
        f"MissingOutputException in rule aligner {IN_FILE} 4: its command ended without an error, but did not write "
        "out.txt, out.idx. Let its `shell`",
    ),
    "an output that is missing, Snakemake 9, in a long place": (
        f"{HEAD}{RULE}Waiting at most 5 seconds for missing files:\n{FAR}/out.txt (missing locally)\n"
        f'MissingOutputException in rule aligner in file "/work/Snakefile", line 4:\nJob 0 {MISSING}\n'
        f"{FAR}/out.txt (send to storage) (missing locally, parent dir contents: )\n"
        f"{FAR}/out.idx (send to storage) (missing locally, parent dir contents: )\n{TAIL}"
        "WorkflowError:\nAt least one job did not complete successfully.\n",
        f"but did not write {FAR}/out.txt, {FAR}/out.idx. Let its `shell`",
    ),
    "a script's exception": (
        f'{HEAD}{RULE}Traceback (most recent call last):\n  File "scripts/join.py", line 3, in <module>\n'
        "    open('samples.tsv')\nFileNotFoundError: [Errno 2] No such file or directory: 'samples.tsv'\n"
        f"RuleException:\nCalledProcessError in file /work/Snakefile, line 9:\nCommand 'set -euo pipefail' returned "
        f"non-zero exit status 1.\n{REPORT}{TAIL}",
        "FileNotFoundError: [Errno 2] No such file or directory: 'samples.tsv'",
    ),
    "an exception while the Snakefile is read": (
        "FileNotFoundError in file /work/Snakefile, line 1:\n[Errno 2] No such file or directory: 'samples.tsv'\n"
        '  File "/work/Snakefile", line 1, in <module>\n## The command ended with exit code 1.\n',
        "FileNotFoundError in file /work/Snakefile, line 1: there is no file samples.tsv. Upload it to the launch's",
    ),
    "an exception of a module": (
        f"{HEAD}{RULE}pandas.errors.EmptyDataError: No columns to parse from file\n{REPORT}{TAIL}",
        "pandas.errors.EmptyDataError: No columns to parse from file",
    ),
    "an input that is missing": (
        f"{HEAD}MissingInputException in rule join {IN_FILE} 7:\nMissing input files for rule join:\n"
        "    affected files:\n        reads/B.fq\n",
        "reads/B.fq",
    ),
    "the end of Snakemake 9": (
        f"{HEAD}{RULE}no such reference genome\n{REPORT}{TAIL}"
        "WorkflowError:\nAt least one job did not complete successfully.\n",
        "no such reference genome",
    ),
    "nothing of all that": ("Killed\n", "Killed"),
    "an empty log": ("\n\n", ""),
}


PROGRAMS = {
    "R": (
        "Loading required package: DESeq2\nError in library(tximport) : there is no package called ‘tximport’\n"
        "Calls: suppressPackageStartupMessages -> withCallingHandlers -> library\nExecution halted\n",
        "Error in library(tximport) : there is no package called ‘tximport’",
    ),
    "R, on two lines, with warnings": (
        "Error in eval(predvars, data, env) :\n  object 'age' not found\nCalls: lm -> eval\n"
        "In addition: Warning message:\nNAs introduced by coercion\nExecution halted\n",
        "Error in eval(predvars, data, env) : object 'age' not found",
    ),
    "Java": (
        'Exception in thread "main" htsjdk.samtools.SAMFormatException: Unrecognized tag type\n'
        "\tat htsjdk.samtools.SAMRecord.<init>(SAMRecord.java:12)\n\tat picard.cmdline.Main.main(Main.java:1)\n"
        "Caused by: java.io.IOException: No space left on device\n\tat sun.nio.ch.Net.read(Native Method)\n"
        "\t... 3 more\n",
        "Caused by: java.io.IOException: No space left on device",
    ),
    "Perl": (
        "Can't locate Bio/SeqIO.pm in @INC (you may need to install the Bio::SeqIO module) at x.pl line 3.\n"
        "BEGIN failed--compilation aborted at x.pl line 3.\n",
        "Can't locate Bio/SeqIO.pm in @INC (you may need to install the Bio::SeqIO module) at x.pl line 3.",
    ),
    "C++": (
        "terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n"
        "/usr/bin/bash: line 1:  4711 Aborted                 (core dumped) plink2 --bfile cohort\n",
        "what():  std::bad_alloc",
    ),
    "a program that is killed by its own fault": (
        "reading\n/usr/bin/bash: line 1:  4711 Segmentation fault      (core dumped) plink2 --bfile cohort\n",
        "/usr/bin/bash: line 1:  4711 Segmentation fault      (core dumped) plink2 --bfile cohort",
    ),
    "Rust": (
        "thread 'main' panicked at 'bad magic number', src/main.rs:9:5\n"
        "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n",
        "thread 'main' panicked at 'bad magic number', src/main.rs:9:5",
    ),
    "a program that shows how it is called": (
        "view: unrecognized option '--qual'\nUsage: samtools view [options] in.bam\n"
        "  -b    output BAM\n  -h    with header\n",
        "view: unrecognized option '--qual'",
    ),
    "Python's argparse, which says it last": (
        "starting\nusage: join.py [-h] table\njoin.py: error: the following arguments are required: table\n",
        "join.py: error: the following arguments are required: table",
    ),
    "a checkpoint that fails in silence": (
        "DAG of jobs will be updated after completion.\n",
        f"Error in rule aligner: its command ended with an error, and wrote no message.{_STRICT}",
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_line_that_says_why_is_told_whatever_the_language_adds(name):
    words, said = PROGRAMS[name]

    assert telling_line(f"{HEAD}{RULE}{words}{REPORT}{TAIL}") == said


@pytest.mark.parametrize("name", [name for name in PROGRAMS if "checkpoint" not in name])
def test_so_it_is_in_a_rules_own_log(name):
    words, said = PROGRAMS[name]
    shown = f"Logfile logs/aligner.err:\n{ROW}\n{words}{ROW}\n\n"

    assert telling_line(f"{HEAD}{RULE}{REPORT}{shown}{TAIL}") == f"{said} (its log logs/aligner.err)"


SHELL = "Command 'the rule's shell'"
MEMORY = "It was killed, probably because it used more memory than it asked for: let the rule aligner ask for more by "
ENDS = {
    "exit code 1, Snakemake 7": (f"{SHELL} returned non-zero exit status 1.\n", "ended with exit code 1, and wrote no"),
    "exit code 1 and what it may mean": (f"{SHELL} returned non-zero exit status 1.\n", "`grep` that finds nothing"),
    "exit code 5": (f"{SHELL} returned non-zero exit status 5.\n", "ended with exit code 5, and wrote no message."),
    "a killed shell": (
        f"{SHELL} died with <Signals.SIGKILL: 9>.\n",
        f"ended by SIGKILL, and wrote no message. {MEMORY}",
    ),
    "a killed shell's status": (f"{SHELL} returned non-zero exit status 137.\n", MEMORY),
    "a killed program": (
        f"/usr/bin/bash: line 1:  4711 Killed        java -Xmx8g\n{SHELL} returned non-zero exit status 137.\n",
        f"4711 Killed        java -Xmx8g. {MEMORY}",
    ),
    "a crash, which is no want of memory": (f"{SHELL} died with <Signals.SIGSEGV: 11>.\n", "was ended by SIGSEGV"),
}


@pytest.mark.parametrize("name", ENDS)
def test_how_a_command_ended_is_told_with_what_it_may_mean(name):
    words, said = ENDS[name]
    told = telling_line(f"{HEAD}{RULE}{words}{REPORT}{TAIL}")

    assert said in told
    assert ("mem_mb" in told) == ("killed" in name)


def test_so_it_is_of_a_command_that_runs_without_snakemake():
    assert telling_line(f"## Running sh x.sh\n\n{ENDED} 137\n").endswith("and submit the launch again.")
    assert "ended with exit code 1, and wrote no message" in telling_line(f"## Running sh x.sh\n\n{ENDED} 1\n")


def test_an_exception_of_a_run_directive_is_told_without_the_lines_of_its_traceback():
    raised = (
        "RuleException:\nAssertionError in file /work/Snakefile, line 8:\ntoo few reads: 6\n"
        '  File "/work/Snakefile", line 8, in __rule_r\n  File "/usr/lib/python3.11/thread.py", line 58, in run\n'
    )

    said = telling_line(f"{HEAD}{RULE}{raised}{REPORT}{TAIL}")

    assert said == "AssertionError in file /work/Snakefile, line 8: too few reads: 6"


@pytest.mark.parametrize("name", CASES)
def test_the_cause_is_told_and_not_what_snakemake_says_around_it(name):
    log, said = CASES[name]

    assert said in telling_line(log)
    if not said:
        assert telling_line(log) == ""


def test_an_exception_of_a_scripts_own_is_told_by_its_name_and_all_that_it_says():
    traced = (
        'Traceback (most recent call last):\n  File "/work/.snakemake/scripts/tmp7wk.a.py", line 9, in <module>\n'
        '    check("in.txt")\n    ^^^^^^^^^^^^^^^\n  File "/work/scripts/helpers.py", line 5, in check\n'
        '    raise BadSheet(f"{path}:\\n  column x is missing")\nhelpers.BadSheet: in.txt:\n  column x is missing\n'
    )

    assert telling_line(f"{HEAD}{RULE}{traced}{REPORT}{TAIL}") == (
        'helpers.BadSheet: in.txt: column x is missing\nFile "/work/.snakemake/scripts/tmp7wk.a.py", line 9, in '
        '<module>\n  check("in.txt")\nFile "/work/scripts/helpers.py", line 5, in check\n  raise BadSheet(f"{path}:'
        '\\n  column x is missing")'
    )
    asserted = (
        'Traceback (most recent call last):\n  File "/work/.snakemake/scripts/tmp7wk.a.py", line 9, in <module>\n'
        "    assert len(rows) > 5\n           ^^^^^^^^^^^^^\nAssertionError\n"
    )
    assert telling_line(f"{HEAD}{RULE}{asserted}{REPORT}{TAIL}") == (
        'AssertionError\nFile "/work/.snakemake/scripts/tmp7wk.a.py", line 9, in <module>\n  assert len(rows) > 5'
    )
    places = "KeyError in file /work/Snakefile, line 6:\n'no'\n  File \"/work/Snakefile\", line 6, in __rule_aligner\n"
    assert telling_line(f"{HEAD}{RULE}{REPORT}{places}{TAIL}") == "KeyError in file /work/Snakefile, line 6: 'no'"
    said = "Note: reading in.txt\nvcf: no samples left\n"
    assert telling_line(f"{HEAD}{RULE}{said}{REPORT}{TAIL}") == "vcf: no samples left"


@pytest.mark.parametrize("words", ["rule aligner:", "Not cleaning up", "## The command", "returned non-zero"])
@pytest.mark.parametrize("name", [name for name in CASES if name != "nothing of all that"])
def test_snakemakes_own_words_are_not_the_cause(name, words):
    said = telling_line(CASES[name][0])

    assert words not in said.replace("Error in rule aligner:", "")


ENDED = "## The command ended with exit code"
NO_PIGZ = "/usr/bin/bash: line 1: pigz: command not found\n"
NINE = (
    'RuleException:\nCalledProcessError in file "/work/Snakefile", line 3:\n'
    "Command 'set -euo pipefail;  pigz x || true; aligner x'"
)
AGAIN = {
    "an output that the rule forgets": (
        f"{HEAD}{RULE}MissingOutputException in rule aligner in file /work/Snakefile, line 4:\nJob 0 is done.\n{TAIL}",
        True,
    ),
    "a file that the Snakefile opens": (
        f"FileNotFoundError in file /work/Snakefile, line 2:\n[Errno 2] No such file: 'units.tsv'\n{TAIL}",
        True,
    ),
    "a syntax error": ("SyntaxError in file /work/Snakefile, line 3:\ninvalid syntax (Snakefile, line 3)\n", True),
    "a missing module": ("ModuleNotFoundError in file /work/Snakefile, line 1:\nNo module named 'pandas'\n", True),
    "an input that is nowhere": ("MissingInputException in rule a in file /work/Snakefile, line 5:\nx.txt\n", True),
    "a program's error": (f"{HEAD}{RULE}aligner: reference index is truncated\n{REPORT}{TAIL}", False),
    "a program that speaks as Python": (
        f"{HEAD}{RULE}OSError: [Errno 28] No space left on device\n{REPORT}{TAIL}",
        False,
    ),
    "a program that the image lacks": (
        f"{HEAD}{RULE}/usr/bin/bash: line 1: Rscript: command not found\n{REPORT}{TAIL}",
        True,
    ),
    "a program that the image lacks, Snakemake 9": (
        f"{HEAD}{RULE}/usr/bin/bash: line 1: Rscript: command not found\nRuleException:\n"
        f"CalledProcessError in file \"/work/Snakefile\", line 3:\nCommand 'set -euo pipefail;  Rscript x.R' returned "
        f"non-zero exit status 127.\n{REPORT}{TAIL}",
        True,
    ),
    "the same in the rule's own log": (
        f"{HEAD}{RULE}{REPORT}Logfile logs/x.err:\n{ROW}\n"
        f"/usr/bin/bash: line 1: Rscript: command not found\n{ROW}\n{TAIL}",
        True,
    ),
    "the same by dash, without Snakemake": (f"sh: 1: Rscript: not found\n{ENDED} 127.\n", True),
    "the same by env": (f"/usr/bin/env: ‘Rscript’: No such file or directory\n{ENDED} 127\n", True),
    "a program that may not be run": (f"sh: line 1: ./run.sh: Permission denied\n{ENDED} 126\n", True),
    "a lacking program, and no word of how the job ended": ("sh: 1: Rscript: not found\n", False),
    "a path that a shell does not find": (
        f"{HEAD}{RULE}/usr/bin/bash: line 1: out/s1.txt: No such file or directory\n{REPORT}{TAIL}",
        True,
    ),
    "a lacking program that did not matter": (
        f"{HEAD}{RULE}/usr/bin/bash: line 1: pigz: command not found\nout of memory\n{REPORT}{TAIL}",
        False,
    ),
    "a lacking program that did not matter, then a kill of the job": (
        f"{HEAD}{RULE}{NO_PIGZ}{ENDED} 137.\n",
        False,
    ),
    "a lacking program that did not matter, then a kill of all but Snakemake 7": (
        f"{HEAD}{RULE}{NO_PIGZ}{REPORT}{TAIL}{ENDED} 137.\n",
        False,
    ),
    "a lacking program that did not matter, then a kill of the rule's shell": (
        f"{HEAD}{RULE}{NO_PIGZ}{NINE} died with <Signals.SIGKILL: 9>.\n{REPORT}{TAIL}",
        False,
    ),
    "a lacking program that did not matter, then a kill of the rule's program": (
        f"{HEAD}{RULE}{NO_PIGZ}{NINE} returned non-zero exit status 137.\n{REPORT}{TAIL}",
        False,
    ),
    "a lacking program that did not matter, then another end": (
        f"{HEAD}{RULE}{NO_PIGZ}{NINE} returned non-zero exit status 1.\n{REPORT}{TAIL}",
        False,
    ),
    "a lacking program that did not matter, then a lost host": (f"{HEAD}{RULE}{NO_PIGZ}", False),
    "the same in the rule's own log, then a kill": (
        f"{HEAD}{RULE}{NINE} returned non-zero exit status 137.\n{REPORT}Logfile logs/x.err:\n{ROW}\n{NO_PIGZ}{ROW}\n",
        False,
    ),
    "a path that a shell does not find, Snakemake 9": (
        f"{HEAD}{RULE}/usr/bin/bash: line 1: out/s1.txt: No such file or directory\n"
        f"{NINE} returned non-zero exit status 1.\n{REPORT}{TAIL}",
        True,
    ),
    "nothing": ("", False),
    "an instance that went away": (HEAD, False),
}


@pytest.mark.parametrize("case", AGAIN)
def test_what_would_fail_again_is_known_by_snakemakes_own_words(case):
    log, again = AGAIN[case]

    assert fails_again(log) is again


@pytest.mark.parametrize(("exit_code", "again"), [(127, True), (126, True), (137, False), (1, False), (None, False)])
def test_a_lacking_program_is_the_reason_only_of_the_exit_codes_that_shells_have_for_it(exit_code, again):
    assert fails_again("/bin/bash: line 1: python: command not found\n", exit_code) is again


def test_a_killed_container_may_end_otherwise_whatever_its_log_says():
    log, _ = AGAIN["a program that the image lacks"]

    assert fails_again(log, 1) is True
    assert fails_again(log, 137) is False
