"""Finds the reason of a failure in a job's log. With either engine a job is a call of Snakemake (7 or 9)."""

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import Final

from snakemake_launcher.wording import told

_EXCEPTION: Final = re.compile(
    r"^(?P<name>(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Warning))"
    r"(?P<place> in (?:rule|checkpoint|file|line) [^:]*(?:, line \d+)?)?:(?: (?P<text>.*))?$"
)
"""`FileNotFoundError: [Errno 2] ...`, as Python's tracebacks end, and `MissingOutputException in rule x in file y,
line 3:`, as Snakemake writes one, with its text on the lines below."""
_OF_ITS_OWN: Final = re.compile(r"^(?P<name>(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*)(?P<place>)(?::(?: (?P<text>.*))?)?$")
"""An exception at the end of a traceback, by any name, and perhaps without words (`AssertionError`)."""
_SAYS_LITTLE: Final = ("RuleException", "CalledProcessError", "subprocess.CalledProcessError")
"""That a command failed: the command's own words say why."""
_CALLED: Final = re.compile(r'^File "[^"]*", line \d+, in ')
"""A line of a traceback, which Snakemake shows below an exception: the head names the place in the Snakefile."""
_FAILED_SOMEWHERE: Final = "At least one job did not complete successfully."
"""On the line below `WorkflowError:`, with which Snakemake 9 ends after any failed job."""
_LOGFILE: Final = re.compile(r"^Logfile (?P<path>.+):$")
"""Before what a failed rule wrote to its own `log:` file (--show-failed-logs), between rows of equal signs."""
_ROW: Final = re.compile(r"^=+$")
_FAILED: Final = ("Error in rule ", "Error in checkpoint ", "Error in group ", "RuleException")
_BEGINS: Final = "Building DAG of jobs"
"""Before it, Snakemake 9 prints versions, folders and its own command."""
_SNAKEMAKES: Final = re.compile(
    r"""^(?:
      \[\w{3}\ \w{3}\ [\ \d]\d\ [\d:]{8}\ \d{4}\]$              # the time; `[E::hts_open] ...` is htslib's own
    | (?:local)?(?:rule|checkpoint|group\ job)\ .*:(?:\ \(jobs\ in.*)?$
    | (?:input|output|log|jobid|reason|wildcards|resources|threads|priority|message|benchmark|conda-env|shell|group
       |container|host):(?:\ .*)?$
    | =+$ | -+$ | \#\#\ | None$ | total\ +\d+$ | job\ +count | \w+\ +\d+$   # rows of equal signs, the table of jobs
    | (?:Building\ DAG|Using\ shell:|Provided\ (?:cores|resources)|Rules\ claiming\ more|Select\ jobs\ to\ execute
       |Execute\ \d+\ jobs|Job\ (?:stats|counts):|Assuming\ unrestricted|Will\ exit\ after\ finishing
       |Not\ cleaning\ up|Removing\ output\ files\ of\ failed|Shutting\ down,\ this|Exiting\ because\ a
       |Complete\ log|Trying\ to\ restart\ job|Finished\ (?:job|retrieval|upload|stor)|Waiting\ at\ most
       |Resuming\ incomplete|DAG\ of\ jobs\ will\ be\ updated|Downstream\ jobs\ will\ be\ updated
       |Updating\ (?:checkpoint\ dependencies|job\ )
       |Command\ 'the\ rule's\ shell'\ (?:returned|died)
       |\(one\ of\ the\ commands\ exited|Touching\ output\ file|Config\ file\ |Logfile\ .*:$
       |Storing\ (?:in\ storage|output)|Retrieving\ (?:from\ storage|input)
       |\d+\ of\ \d+\ steps)
    )""",
    re.VERBOSE,
)
"""What Snakemake says of itself: the time, what the rule is, and what it does next."""
_AFTERWARDS: Final = re.compile(
    r"""^(?:
      Execution\ halted | Calls:\ .*                         # R
    | at\ [\w.$/<>]+\(.*\) | \.\.\.\ \d+\ more               # Java's places in its code
    | BEGIN\ failed--compilation\ aborted.*                 # Perl
    | note:\ .*RUST_BACKTRACE.*                              # Rust
    | (?:.*\s)?Aborted(?:\s+\(core\ dumped\).*)?            # the shell, of what has said why itself
    | \+\ (?:exit|return)\ \d+
    )$""",
    re.VERBOSE,
)
"""What programs and their languages add behind the line that says why they end."""
_ASIDE: Final = re.compile(r"^(?:In addition: Warning message|usage\b)", re.IGNORECASE)
"""From here on nothing says why: R's warnings, and how a program is called."""
_SAYS_WHY: Final = re.compile(r"error|fail|cannot|can't|could not|invalid|not found|no such", re.IGNORECASE)
_TEXT_LINES: Final = 4
"""Of an exception's text: what is missing stands on the first few."""
_LONGEST: Final = 400
"""Characters of the answer in the words of others: what is told in ours, with files and advice, is not cut."""


def telling_line(log: str) -> str:
    """What a job's log says about its failure, in the words of what failed, in one line.

    In this order: an exception that names its cause; what the failed rule wrote to its own log file; the last words of
    the rule's program, which stand above Snakemake's own report; that report.
    """
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    words = _exception(lines) or (_of_log_file(lines) or _of_program(lines))[:_LONGEST]
    status = _last_number(_SHELL_ENDED, lines)
    if status is None and not any(line.startswith(_FAILED) for line in lines):  # the shell's own, without Snakemake
        status = _last_number(_JOB_ENDED, lines)
    is_killed = _KILLED.search(words) or status == _SIGKILL or any(_SHELL_KILLED_9.search(line) for line in lines)
    if _SAYS_NOTHING.match(words):
        words = _of_silence(lines, status)
        if not is_killed:
            return words + (_STRICT if status in (None, 1) else _OWN_CODE)
    return f"{words.rstrip('.')}. {more_memory(_rule(lines))}" if is_killed and words else words


def more_memory(rule: str) -> str:
    """What to do about a job that was killed, in a sentence or two."""
    of = f"the rule {rule}" if rule else "its rule"
    return (
        "It was killed, probably because it used more memory than it asked for: let "
        f"{of} ask for more by `mem_mb` in its `resources:`, and submit the launch again."
    )


def _rule(lines: Sequence[str]) -> str:
    """The name of the rule that failed, or is the only one."""
    named = [found[1] for line in lines if (found := _RULE_FAILED.match(line))]
    return named[0] if named else next((found[1] for line in lines if (found := _RULE_RUN.match(line))), "")


def _of_silence(lines: Sequence[str], status: int | None) -> str:
    rule = _rule(lines)
    signal = next((found[1] for line in lines if (found := _SHELL_SIGNAL.search(line))), "")
    how = f"was ended by {signal}" if signal else f"ended with exit code {status}" if status else "ended with an error"
    return f"{f'Error in rule {rule}: its' if rule else 'its'} command {how}, and wrote no message."


_SAYS_NOTHING: Final = re.compile(r"^(?:Error in (?:rule|checkpoint) \S+:|## The command ended .*)$")
_RULE_FAILED: Final = re.compile(r"^Error in (?:rule|checkpoint) (\S+):$")
_RULE_RUN: Final = re.compile(r"^(?:local)?(?:rule|checkpoint) (\S+):$")
_KILLED: Final = re.compile(r"\bKilled\b")
"""What bash says of a program that SIGKILL ended, with the program's own words behind it."""
_SIGKILL: Final = 137
"""128 + the number of SIGKILL, by which the kernel ends what uses too much memory."""
_SHELL_KILLED_9: Final = re.compile(r" died with <Signals\.SIGKILL")
_SHELL_SIGNAL: Final = re.compile(r" died with <Signals\.(\w+)")
_SHELL_SIGNAL_NUMBER: Final = re.compile(r" died with <Signals\.\w+: (\d+)>")
_IN_SCRIPT: Final = re.compile(r'^File "[^"]*\.snakemake/scripts/[^"]+", line \d+(?:, in |$)')
"""A place in a rule's script: of a traceback, or of an error of syntax, which has no function."""
_IN_OWN: Final = re.compile(r'^File "(?![^"]*/(?:lib|site-packages)/)[^"<]*\.py", line \d+(?:, in |$)')
"""The same of any program that is no library."""
_SYNTAX_LINES: Final = 3
"""Above an error of syntax, which has no `Traceback`: its place, the line, and a mark below that."""
_OWN_CODE: Final = (
    " What the code means, the program says that the rule's command calls; let it write its messages to `log:`."
)
_STRICT: Final = (
    " Snakemake runs commands in bash strict mode: any command of the rule that ends with an error ends it, also "
    "within a pipe. So does `grep` that finds nothing (exit code 1); write `|| true` behind what may."
)


def last_exception(log: str) -> str:
    """The last exception of a log that says more than that a command failed, in one line; empty without one."""
    return _exception([line.strip() for line in log.splitlines() if line.strip()])


_BY_ITSELF: Final = re.compile(
    r"^(?:MissingInputException|SyntaxError|IndentationError|NameError|ImportError|ModuleNotFoundError|AmbiguousRuleException"
    r"|MissingRuleException|MissingOutputException|CreateRuleException|UnknownRuleException|InputFunctionException"
    r"|WildcardError|IncompleteFilesException)\b"
)
"""Exceptions that tell of the workflow itself: another try of the job has the same sources, and the same end."""


def fails_again(log: str, exit_code: int | None = None) -> bool:
    """Whether a job that ended with this log would end so each time it is tried.

    So it is with what Snakemake finds wrong in the workflow, with everything before the rule's own program began, and
    with a program or file that its shell does not find. What a program ends with may be chance, or want of memory.

    Args:
        log: the end of the job's log.
        exit_code: of the job's container; None where only the log may tell it, as Tibanna's does.
    """
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    ended = exit_code if exit_code is not None else _last_number(_JOB_ENDED, lines)
    if ended is not None and ended > _LAST_OWN:
        return False
    words = _of_log_file(lines).rpartition(" (its log ")[0] or _of_program(lines)
    if _NO_PROGRAM.match(words) and _ends_shell(words, lines, ended):
        return True
    if any(line.startswith(_FAILED[:3]) for line in lines):
        return any(_BY_ITSELF.match(line) for line in lines) and not any(
            line.startswith(_SAYS_LITTLE[1:]) for line in lines
        )
    return any(_BY_ITSELF.match(line) or (_EXCEPTION.match(line) and _READ.search(line)) for line in lines)


def _ends_shell(words: str, lines: Sequence[str], ended: int | None) -> bool:
    """Whether the job ended by what its shell did not find: a command line may go on without it (`pigz x || true`), and
    be killed later.

    By the exit status of the rule's shell, which Snakemake 9 tells; else by that of the job. Snakemake 7 tells only
    that its shell ended with an error.
    """
    if any(_SHELL_KILLED.search(line) for line in lines):
        return False
    status = _last_number(_SHELL_ENDED, lines)
    if status is not None:
        return status in _NOT_FOUND or (status == _ERROR and not words.endswith("not found"))
    return ended in _NOT_FOUND or any(_STRICT_MODE in line for line in lines)


def _last_number(pattern: re.Pattern[str], lines: Sequence[str]) -> int | None:
    numbers = [int(found[1]) for line in lines if (found := pattern.search(line))]
    return numbers[-1] if numbers else None


_JOB_ENDED: Final = re.compile(r"^## The command ended with exit code (\d+)")
"""Of Tibanna's program on the instance (Tibanna 6.1.0)."""
_SHELL_ENDED: Final = re.compile(r" returned non-zero exit status (\d+)\.?$")
_SHELL_KILLED: Final = re.compile(r" died with (?:<Signals\.|unknown signal )")
"""Python's subprocess.CalledProcessError, of a rule's shell."""
_STRICT_MODE: Final = "(one of the commands exited with non-zero exit code; note that snakemake uses bash strict mode!)"
"""Below a rule's shell command that failed, as Snakemake 7 shows it (snakemake/logging.py)."""
_LAST_OWN: Final = 128
"""Exit codes above are 128 + the signal by which a process was killed (Bash Reference Manual, "Exit Status")."""
_NOT_FOUND: Final = (126, 127)
"""Exit statuses of a shell that may not run a program, or does not find it (the same section)."""
_ERROR: Final = 1
"""Exit status of bash when it cannot open the file of a redirection."""
_NO_PROGRAM: Final = re.compile(
    r"^(?:\S*/)?(?:ba|da|z)?sh: (?:line )?(?:\d+: )?\S+: "
    r"(?:(?:command )?not found|Permission denied|No such file or directory)$"
    r"|^\S+: line \d+: \S+: command not found$|^/usr/bin/env: \W?[\w.+-]+\W?: No such file or directory$"
)
"""Last words of a shell that finds no such program or file: bash, dash, a script, and env."""
_READ: Final = re.compile(r" in (?:file|line) ")
"""`FileNotFoundError in file /data1/snakemake/Snakefile, line 2:`: the Snakefile could not be read."""


def _exception(lines: Sequence[str]) -> str:
    """The last exception that says more than that a command failed; with the lines below it, if its text is there.

    What Snakemake lists, as missing files, is told whole: cut off, it would not be named.
    """
    for number in range(len(lines) - 1, -1, -1):
        found = _EXCEPTION.match(lines[number]) or _of_its_own(lines, number)
        if not found or found["name"] in _SAYS_LITTLE or found["name"].endswith("Warning"):
            continue
        if _FAILED_SOMEWHERE in lines[number : number + 2]:
            continue
        if found["text"]:
            more = lines[number + 1] if lines[number].endswith(":") and number + 1 < len(lines) else ""
            words = lines[number] if not more or _is_snakemakes(more) else f"{lines[number]} {more}"
            return words[:_LONGEST] + _place_in_script(lines[:number])
        if not found["place"] and _of_its_own(lines, number) and not lines[number].endswith(":"):
            return found["name"] + _place_in_script(lines[:number])
        head = f"{found['name']}{found['place'] or ''}:"
        text = list(takewhile(lambda line: not (_is_snakemakes(line) or _CALLED.match(line)), lines[number + 1 :]))
        return told("\n".join([head, *text])) or " ".join([head, *text[:_TEXT_LINES]])[:_LONGEST].rstrip(": ")
    return ""


def _of_its_own(lines: Sequence[str], number: int) -> "re.Match[str] | None":
    """An exception of another name than Python's have: behind a place of a traceback, the line of code there, and marks
    below that."""
    above = lines[max(number - 3, 0) : number]
    places = [at for at, line in enumerate(above) if _CALLED.match(line)]
    if not places or places[-1] == len(above) - 1 or not any(line.startswith("Traceback (") for line in lines[:number]):
        return None
    code, *marks = above[places[-1] + 1 :]
    is_behind = not _is_snakemakes(code) and all(not line.strip("~^ ") for line in marks)
    return _OF_ITS_OWN.match(lines[number]) if is_behind else None


def _place_in_script(above: Sequence[str]) -> str:
    """Of the traceback above an exception the innermost places that are in a rule's script, and in code that is none of
    Python's libraries: each with that line's text."""
    traced = [number for number, line in enumerate(above) if line.startswith("Traceback (")]
    start = traced[-1] if traced else max(len(above) - _SYNTAX_LINES, 0)
    kinds = [[at for at in range(start, len(above) - 1) if kind.match(above[at])] for kind in (_IN_SCRIPT, _IN_OWN)]
    places = sorted({found[-1] for found in kinds if found})
    return "".join(f"\n{above[at]}\n  {above[at + 1]}" for at in places)


def command_status(log: str) -> int | None:
    """The exit code of a failed rule's command, as the rule's shell told Snakemake; None where the log has none."""
    lines = log.splitlines()
    signal = _last_number(_SHELL_SIGNAL_NUMBER, lines)
    return _last_number(_SHELL_ENDED, lines) if signal is None else _LAST_OWN + signal


def _of_log_file(lines: Sequence[str]) -> str:
    """The last line of the last log file that Snakemake shows, with its name."""
    starts = [number for number, line in enumerate(lines) if _LOGFILE.match(line)]
    if not starts:
        return ""
    path = lines[starts[-1]].removeprefix("Logfile ").removesuffix(":")
    between = lines[starts[-1] + 2 :]  # behind the upper row
    shown = list(takewhile(lambda line: not _ROW.match(line), between))
    return f"{_last_words(shown)} (its log {path})" if shown else ""


def _last_words(said: Sequence[str]) -> str:
    """The line that says why, of what a program said: the last one but for what comes behind such a line."""
    words = list(said)
    aside = next((number for number, line in enumerate(words) if _ASIDE.match(line)), 0)
    says_why_behind = any(_SAYS_WHY.search(line) for line in words[aside + 1 :] if not _ASIDE.match(line))
    if aside and (words[aside].startswith("In addition") or not says_why_behind):
        words = words[:aside]
    while len(words) > 1 and _AFTERWARDS.match(words[-1]):
        words.pop()
    above, last = words[-2:] if len(words) > 1 else ("", words[-1])
    return f"{above} {last}" if above.startswith("Error in ") and above.endswith(":") else last


def _of_program(lines: Sequence[str]) -> str:
    """The last line above the report of the failure that is not Snakemake's own; else what the report begins with."""
    begun = max((number for number, line in enumerate(lines) if line.startswith(_BEGINS)), default=-1)
    starts = [number for number, line in enumerate(lines) if line.startswith(_FAILED) and number > begun]
    above = lines[begun + 1 : starts[0]] if starts else lines[begun + 1 :]
    said = [line for line in above if not _is_snakemakes(line)]
    if said:
        return _last_words(said)
    named = [line for line in lines[begun + 1 :] if line.startswith(_FAILED[:3])]
    return [*named, *(lines[number] for number in starts), *lines[-1:], ""][0]


def _is_snakemakes(line: str) -> bool:
    return bool(_SNAKEMAKES.match(line)) or line.endswith(".snakemake.log")
