"""Says in one line what is wrong in a workflow, where, and what to do about it, of what Python and Snakemake say."""

import ast
import csv
import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from snakemake_launcher.run_sheet import CONFIG_FILE, RunSheet

_FRAME: Final = re.compile(
    r'\n[ \t]*File "(?P<file>[^"\n]+)", line (?P<line>\d+)(?:, in (?P<function>[^\s(]+)[^\n]*)?(?=\n|\Z)'
    r'(?:\n(?![ \t]*File ")[ \t]+(?P<code>[^\n]*))?'
)
"""A place of a traceback, as Snakemake writes it below an exception; with the line's text, if that is there."""
_TAIL: Final = re.compile(
    r"\s*\((?:rule \w+, )?(?:line \d+, [^\s()]+|[^\s()]+, line \d+)\)"
    r"|(?<=[.:])\s*\n\s*None\s*$|:\s*\n[)\s]*(?:@workflow[^\n]*|\w+:[^\n]*|\w+ = [^\n]*|\))?\s*$"
)
"""What Snakemake repeats behind a message: the place, or the line of code as it has rewritten it."""
_HEAD: Final = re.compile(
    r'^(?P<name>\w+)(?P<place>(?: in (?:rule|checkpoint) (?P<rule>\w+))? in file "?(?P<file>[^":,\n]+)"?, '
    r"line (?P<line>\d+))?:\s*(?P<said>.*)\Z",
    re.DOTALL,
)
_SCRIPT: Final = re.compile(r"\.snakemake/scripts/tmp\w+\.(?P<name>[^/\"]+)$")
_DIRECTIVES: Final = (
    *("input", "output", "params", "log", "benchmark", "threads", "resources", "shell", "run", "script", "notebook"),
    *("wrapper", "message", "priority", "conda", "container", "group", "shadow", "wildcard_constraints", "cache"),
    *("envmodules", "name", "localrule", "retries", "default_target"),
)
_DEFINES: Final = re.compile(
    r"^\s*(?:def\s+|import\s+)?([A-Za-z_]\w*)(?:\s*,\s*[A-Za-z_]\w*)*\s*(?:=(?!=)|\(|$)", re.MULTILINE
)
_RULE: Final = re.compile(r"^\s*(?:use\s+)?(?:rule|checkpoint)\s+(\w+)", re.MULTILINE)
_SECTION: Final = re.compile(r"^\s+[a-z_]+\s*:", re.MULTILINE)
_CONFIG_CHAIN: Final = re.compile(r"""config((?:\[["'][^"'\]]+["']\])+)""")
_CONFIG_FILE: Final = re.compile(r"""^\s*configfile:\s*["']([^"'\n]+)["']""", re.MULTILINE)
_LAUNCHS: Final = "the launch's `config`"
_VALIDATES: Final = re.compile(
    r"""validate\(\s*(?:data\s*=\s*)?(?P<data>[^,\n]+?)\s*,\s*(?:schema\s*=\s*)?(?:["'](?P<schema>[^"']+)["'])?"""
)
"""A call of Snakemake's `validate`."""
_TABLE: Final = re.compile(r"""["']([^"'\n{}]+\.(?:tsv|csv|txt|tab))["']""")
_OF_PATTERNS: Final = (
    r"missing (?:[),:<>]|group|argument)|unterminated|unbalanced|nothing to repeat|multiple repeat|min repeat"
    "|bad (?:escape|character|inline)|unknown extension|unexpected end|look-behind|invalid group|redefinition of group"
    "|global flags"
)
"""How errors of regular expressions begin (Lib/re/_parser.py of Python 3.11)."""
_OF_LINES: Final = re.compile(
    r"^(?:Type|Attribute|Index|Value|ZeroDivision|UnboundLocal|UnicodeDecode|Unicode|Recursion|Overflow|Arithmetic|OS"
    r"|StopIteration|Lookup|Import)Error$"
)
"""Exceptions of Python that tell of a line of code, or of what it reads."""
_OF_SYNTAX: Final = re.compile(r"(?:Syntax|Indentation|Tab)Error in file ")
_BARE: Final = re.compile(r"(?P<name>[\w.]+)(?: in file [^\n]*, line \d+)?:?\s*\Z")
"""An exception without words: the line of code says what was wrong."""
_RAISES: Final = re.compile(r"\s*(?:raise|assert)\b")
"""A line whose author knows what it tells."""
_OF_FUNCTION: Final = re.compile(r"^(?:\w+\.)*\w+(?:Error|Exception): ")
"""How what a rule's function raised begins, behind what Snakemake says of it."""
_SNAKEMAKES: Final = {"tibanna": "7.32.4", "aws-batch": "9.27.1"}
"""Versions of Snakemake of the engines (containers/snakemake/requirements*.txt)."""
_SINCE_8: Final = frozenset(
    {
        *("lookup", "evaluate", "branch", "collect", "exists", "prepend_param", "subpath", "parse_input", "flatten"),
        *("extract_checksum", "choose_file", "choose_folder", "choose_tmp", "as_py_module", "from_queue", "storage"),
    }
)
"""What Snakefiles have of Snakemake 9.27.1 (ioutils/__init__.py, register_in_globals) and not of 7.32.4."""
_SINCE_8_LINES: Final = re.compile(r"\s*(storage|conda|inputflags|outputflags|pathvars)\b[^=(\n]*:")
"""Keywords of Snakemake 9.27.1 that 7.32.4 has not (parser.py, Python.subautomata)."""
_OF_SNAKEFILES: Final = (
    *(
        "temp",
        "protected",
        "directory",
        "touch",
        "ensure",
        "ancient",
        "expand",
        "unpack",
        "multiext",
        "report",
        "local",
    ),
    *("glob_wildcards", "config", "checkpoints", "rules", "workflow", "shell"),
)
"""What each Snakefile has by itself (workflow.py)."""
_UNTIL_7: Final = frozenset({"dynamic"})
"""What Snakefiles have of Snakemake 7.32.4 (workflow.py imports it), and not of 9.27.1."""
_LONGEST_LIST: Final = 10
_FUNCTION: Final = "Correct the function of the rule's `input:`, `params:` or `resources:`, or what it reads."


@dataclass(frozen=True)
class _Case:
    """One message."""

    name: str
    """Of the exception."""
    rule: str
    file: str
    line: int
    place: str
    """`SyntaxError in file Snakefile, line 3`, as the message begins."""
    said: str
    found: "re.Match[str]"
    frames: Sequence["re.Match[str]"]
    sheet: RunSheet
    sources: Path

    @property
    def code(self) -> str:
        """The line of the source where the exception arose."""
        return _code(self.frames, self.file, self.line, self.sources)


def _code(frames: Sequence["re.Match[str]"], file: str, line: int, sources: Path) -> str:
    """The line where an exception arose: the innermost one of the sources, or that in the message; empty for none."""
    for frame in reversed(frames):
        if frame["code"] and _SCRIPT.search(frame["file"]):
            return str(frame["code"])
        if not frame["file"].startswith("/") and (sources / frame["file"]).is_file():
            return _line(sources / frame["file"], int(frame["line"]))
    return _line(sources / file, line) if file else ""


def frames_of(message: str) -> list["re.Match[str]"]:
    """The places of the traceback in a message."""
    return [*_FRAME.finditer(message)]


def without_frames(message: str) -> str:
    """The message without them."""
    return _FRAME.sub("", message)


def explained(message: str, frames: Sequence["re.Match[str]"], sheet: RunSheet, sources: Path) -> str:
    """The message in one line, with the place where it arose, and what to do.

    Args:
        message: with the paths of sources as their author knows them.
        frames: of its traceback, which it may have lost.
        sheet: of the run.
        sources: folder of the launcher's copy of them.
    """
    message = message.rstrip()
    while (shorter := _TAIL.sub("", message).rstrip()) != message:
        message = shorter
    said, remedy = _remedy(message, frames, sheet, sources)
    told = " ".join(said.split())
    place = _place(frames, told, sources)
    if place:
        told = f"{told.rstrip('.')} ({place})"
    return f"{told.rstrip('.')}. {remedy}" if remedy else told


def _remedy(message: str, frames: Sequence["re.Match[str]"], sheet: RunSheet, sources: Path) -> tuple[str, str]:
    """What is said, and what to do; nothing for what is not known here."""
    head = _HEAD.match(message)
    name, said = (head["name"], head["said"].strip()) if head else ("", message.strip())
    inner = _OF_FUNCTION.sub("", said)
    for pattern, tell in _KNOWN:
        found = pattern.search(said if head else message) or pattern.search(inner)
        if found:
            case = _Case(
                name,
                (head and head["rule"]) or "",
                (head and head["file"]) or "",
                int((head and head["line"]) or 0),
                f"{name}{(head and head['place']) or ''}",
                said,
                found,
                frames,
                sheet,
                sources,
            )
            new, remedy = ("", tell) if isinstance(tell, str) else tell if isinstance(tell, tuple) else tell(case)
            if not new:
                return message, remedy
            is_whole = not head or new.startswith("SyntaxError in file ")
            return (new if is_whole or not head else f"{name}{head['place'] or ''}: {new}"), remedy
    if name == "InputFunctionException" and "`cores`" not in said:
        return message, _FUNCTION
    code = _code(frames, (head and head["file"]) or "", int((head and head["line"]) or 0), sources)
    bare = _BARE.match(message)
    if bare and code:
        return f"{bare['name']} at `{code.strip()}`", ""
    is_of_line = bool(_OF_LINES.match(name) and code and not _RAISES.match(code))
    return message, "Correct this line, or what it reads." if is_of_line else ""


def _place(frames: Sequence["re.Match[str]"], told: str, sources: Path) -> str:
    """The innermost place in the sources, if the message does not name it."""
    if _OF_SYNTAX.match(told):
        return ""  # its frames lead to the `include:`
    for frame in reversed(frames):
        script = _SCRIPT.search(frame["file"])
        if script:
            return _of_script(script["name"], frame, sources)
        file, line = _below_sources(frame["file"], sources), frame["line"]
        if not file:
            continue
        if re.search(rf'in file "?{re.escape(file)}"?, line {line}\b', told):
            return ""
        function = frame["function"]
        return f"line {line} of {file}" + (f", in {function}" if function and function[0] != "<" else "")
    return ""


def _below_sources(file: str, sources: Path) -> str:
    """The path of a source, of where it lay in the launcher or a job; empty for a file that is none."""
    parts = Path(file).parts
    if ".snakemake" in parts or {"site-packages", "lib"} & {*parts}:
        return ""
    tails = [str(Path(*parts[at:])) for at in range(len(parts)) if parts[at] != "/"]
    return next((tail for tail in tails if (sources / tail).is_file()), "")


def _of_script(name: str, frame: "re.Match[str]", sources: Path) -> str:
    """A rule's script runs as a copy with a preamble: its line is found by its text."""
    alike = sorted(path for path in sources.rglob(name) if ".snakemake" not in path.parts)
    code = (frame["code"] or "").strip()
    if len(alike) != 1:
        return f"in the script {name}"
    lines = [number for number, line in enumerate(_text(alike[0]).splitlines(), 1) if line.strip() == code]
    file = alike[0].relative_to(sources)
    return f"line {lines[0]} of {file}" if len(lines) == 1 else f"in the script {file}"


# --- each kind of message: what is said instead (or nothing), and what to do ---------------------------------------
def _name(case: _Case) -> tuple[str, str]:
    name = case.found["what"]
    if case.sheet.engine == "tibanna" and name in _SINCE_8:
        return "", _of_newer(name)
    if case.sheet.engine == "aws-batch" and name in _UNTIL_7:
        return "", _of_older(f"{name}()", "let a checkpoint make the files, or")
    known = [*_DEFINES.findall(_all(case)), *_OF_SNAKEFILES]
    return "", f"Define {name} above this line, or correct its name{_perhaps(name, known)}."


def _of_newer(what: str) -> str:
    return (
        f"Snakemake has {what} since version 8, and the engine tibanna runs {_SNAKEMAKES['tibanna']}: set `engine: "
        f"aws-batch` (Snakemake {_SNAKEMAKES['aws-batch']}) in the launch's config, or write it without {what}."
    )


def _of_older(what: str, instead: str) -> str:
    return (
        f"Snakemake has no {what} since version 8, and the engine aws-batch runs {_SNAKEMAKES['aws-batch']}: {instead} "
        f"set `engine: tibanna` (Snakemake {_SNAKEMAKES['tibanna']}) in the launch's config."
    )


def _least_version(case: _Case) -> tuple[str, str]:
    needed = case.found["what"]
    if case.sheet.engine == "tibanna" and _numbers(needed) <= _numbers(_SNAKEMAKES["aws-batch"]):
        return "", (
            f"Set `engine: aws-batch` in the launch's config: it runs Snakemake {_SNAKEMAKES['aws-batch']}. Or lower "
            "what `min_version` asks for."
        )
    newest = max(_SNAKEMAKES.values(), key=_numbers)
    return "", f"No engine has a newer Snakemake than {newest}: lower what `min_version` asks for."


def _of_launcher(case: _Case) -> tuple[str, str]:
    if not case.file or case.rule:
        return "", ""
    return "", (
        "Code of the Snakefile outside of rules runs in the launcher, where commands find the sources, but neither the "
        "data nor the image's programs: let a rule do this."
    )


def _subworkflow(_case: _Case) -> tuple[str, str]:
    return "there is no `subworkflow:` any more", _of_older("`subworkflow:`", "use `module:`, or")


def _file_or_folder(case: _Case) -> tuple[str, str]:
    what = case.found["what"] or "one of its outputs"
    return (
        f"{what} is a file where the rule's `output:` says directory(), or a folder where it does not",
        "Write directory(...) around outputs that are folders, around no others, and let the command make them "
        "(`mkdir -p {output}`).",
    )


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def _braces(case: _Case) -> tuple[str, str]:
    name = case.found["what"]
    if f"{{config[{name}]" in _block(case):
        return _no_config_key("config", name, _config(case))
    return (
        f"the command names {{{name}}}, and there is no such value",
        f"If these braces are the command's own (of awk, of the shell), double them: {{{{{name}}}}}. If it is a "
        "value of the workflow, define it.",
    )


def _no_wildcard(case: _Case) -> tuple[str, str]:
    name, has = case.found["what"], _wildcards(case)
    return (
        f"the rule has no wildcard {name}",
        f"Its wildcards are those of its `output:` ({', '.join(has) or 'none'}): use one of them, or put {{{name}}} "
        "into its output.",
    )


def _no_item(case: _Case) -> tuple[str, str]:
    kinds = {"InputFiles": "input", "OutputFiles": "output", "Params": "params", "Log": "log", "Resources": "resources"}
    kind, name = kinds.get(case.found["kind"], case.found["kind"]), case.found["what"]
    block = _section(case, kind)
    names = re.findall(r"(\w+)\s*=", block)
    return (
        f"the rule's `{kind}:` has nothing called {name}",
        f"Name it there ({name}=...), or correct the name{_perhaps(name, names)}.",
    )


def _undetermined(case: _Case) -> tuple[str, str]:
    names = re.findall(r"'([^']+)'", case.said)
    has = _wildcards(case)
    given = ", ".join(f"{{{name}}}" for name in names)
    return (
        f"its input has the wildcard {given}, and its output has not",
        f"Use wildcards of its `output:` ({', '.join(has) or 'none'}) in its `input:`, put {given} into its output, or "
        "list all values by expand().",
    )


def _no_values(case: _Case) -> tuple[str, str]:
    name = case.found["what"]
    return "", f"Give expand() its values ({name}=...), or write {{{{{name}}}}} if it is to stay a wildcard."


def _first_rule(case: _Case) -> tuple[str, str]:
    rules = _RULE.findall(_text(case.sources / case.sheet.snakefile))
    asked = [target for target in case.sheet.targets if target in rules]
    which = f"The target {asked[0]}" if asked else f"The first rule ({rules[0]})" if rules else "The first rule"
    return (
        f"{which} has wildcards, so it does not say which files are to be made",
        "Name files, or a rule without wildcards, in the launch's `targets`, or begin the Snakefile with a `rule all` "
        "whose `input:` lists the files.",
    )


def _no_key(case: _Case) -> tuple[str, str]:
    key = case.found["what"]
    for chain in _CONFIG_CHAIN.findall(case.code):
        level: Any = _config(case)
        where = "config"
        for part in re.findall(r"""\[["']([^"'\]]+)["']\]""", chain):
            if part == key and isinstance(level, Mapping) and key not in level:
                return _no_config_key(where, key, level)
            level = level.get(part) if isinstance(level, Mapping) else None
            where += f"[{part}]"
    return "", f"What is read here has no key '{key}': correct it, or add it to what is read."


def _no_config_key(where: str, key: str, level: Mapping[str, Any]) -> tuple[str, str]:
    keys = sorted(map(str, level))
    has = f"It has {_listed(keys)}" if keys else "It has no keys"
    return (
        f"`{where}` has no key {key}",
        f"{has}. Correct the key{_perhaps(key, keys)}, or set it in the launch's `config`, or in the workflow's config "
        "file.",
    )


def _no_module(case: _Case) -> tuple[str, str]:
    module = case.found["what"]
    if case.name and case.file and not case.rule and re.search(rf"\b{re.escape(module)}\b", case.code):
        return (
            "",
            "The launcher reads the Snakefile, with Python's standard library and Snakemake's own packages alone: "
            f"read tables by the module csv, and let rules do what needs {module}, in an image that has it "
            "(`container_image`). A module of your own belongs among the sources.",
        )
    return "", (
        f"The image of the jobs has no module {module}: build one that has it on the stage's image, and name it as "
        "`container_image`. A module of your own belongs among the sources."
    )


def _no_program(case: _Case) -> tuple[str, str]:
    program = case.found["what"]
    return "", (
        f"The image of the jobs has no program {program}: correct its name, or name an image that has it as "
        "`container_image`."
    )


def _unbound(case: _Case) -> tuple[str, str]:
    name = case.found["what"]
    if name.isdigit():
        return "", f"If ${name} is of a program's own language (awk), put that between single quotes."
    return "", (
        f"A job has no variables of your own shell: give the value by the launch's `config`, and name it in the "
        f"command ({{config[{name.lower()}]}}); or set {name} in the command before."
    )


def _not_gzip(case: _Case) -> tuple[str, str]:
    return "", f"Read {case.found['what']} without unpacking it (`cat`), or replace it by a file that gzip has packed."


def _open_bracket(case: _Case) -> tuple[str, str]:
    told = (_unbalanced_in(case, file) for file in _snakefiles(case))
    return next(
        filter(None, told),
        ("a bracket or a quote is not closed", "Close it: the place is before the line that is named."),
    )


def _unbalanced_in(case: _Case, file: str) -> tuple[str, str] | None:
    """Of a bracket or quote without a partner in a file: Python finds the fault in some later line."""
    place = _unbalanced(_text(case.sources / file))
    if place is None:
        return None
    bracket, line = place
    is_open = bracket in "([{"
    what = f"the bracket {bracket} is not closed" if is_open else f"the bracket {bracket} closes nothing"
    what = f"the text that begins with {bracket} is not ended" if bracket[0] in "\"'" else what
    remedy = "Close it there." if is_open or bracket[0] in "\"'" else "Remove it, or open it before."
    return f"SyntaxError in file {file}, line {line}: {what}", remedy


def _invalid(case: _Case) -> tuple[str, str]:
    newer = _SINCE_8_LINES.match(case.code) if case.sheet.engine == "tibanna" else None
    if newer:
        return case.said.split(". Perhaps ")[0], _of_newer(f"`{newer[1]}:`")
    remedy = "Correct this line, or the one before: a comma, a quote or a bracket may be missing."
    said = case.said.split(". Perhaps ")[0]
    return (case.file and _unbalanced_in(case, case.file)) or (said, remedy)


def _no_colon(case: _Case) -> tuple[str, str]:
    unbalanced = case.file and _unbalanced_in(case, case.file)
    if unbalanced:
        return unbalanced
    lines = _text(case.sources / case.file).splitlines()
    bare = [n for n, line in enumerate(lines, 1) if re.match(r"\s*(?:rule|checkpoint)\b[^:]*$", line)]
    line = bare[0] if bare else case.line
    return (
        f"{case.place.removesuffix(str(case.line))}{line}: {case.said.split('.')[0]}",
        "Perhaps the line that begins a rule lacks its colon.",
    )


def _no_directive(case: _Case) -> tuple[str, str]:
    unbalanced = case.file and _unbalanced_in(case, case.file)
    if unbalanced:
        return unbalanced
    word = case.found["what"]
    return "", f"Correct it{_perhaps(word, _DIRECTIVES)}, or indent it as a value of what is above it."


def _pattern(case: _Case) -> tuple[str, str]:
    return (
        f"a wildcard's constraint is no regular expression ({case.found['what']})",
        "Correct it, in `wildcard_constraints:` or behind the comma in the wildcard's braces.",
    )


def _child(case: _Case) -> tuple[str, str]:
    pairs = re.findall(r"'([^']+)'\)?, (\w+)\)", case.said)
    if len(pairs) < 2:
        return "", "Let the two rules write to different folders."
    (folder, one), (file, two) = pairs[:2]
    return (
        f"{file}, of the rule {two}, lies in {folder}, which is the output of the rule {one}",
        f"Let {two} write to another folder: a directory() is emptied before its rule runs.",
    )


def _config_file(case: _Case) -> tuple[str, str]:
    named = _CONFIG_FILE.search(case.code)
    which = f"{named[1]} is" if named else "the config file is"
    return f"{which} no valid YAML or JSON", "Look for tabs, and for brackets and quotes that are not closed."


def _no_rule(case: _Case) -> tuple[str, str]:
    name = case.found["what"]
    rules = _RULE.findall(_all(case))
    if name in rules:
        return f"the rule {name} is not defined above this line", "Move what names it below that rule."
    return f"there is no rule {name}", f"Correct its name{_perhaps(name, rules)}."


def _own_output(case: _Case) -> tuple[str, str]:
    file = case.found["what"]
    return "", (
        f"Let the rule {case.found['rule']} write to another file than {file}, or take that out of its `input:`; if it "
        "is meant to change the file, let it write a copy in another folder."
    )


def _periodic(case: _Case) -> tuple[str, str]:
    return (
        "the rule could make its own input, again and again: its wildcard "
        f"{{{case.found['wildcard']}}} would repeat `{case.found['value']}` without end",
        "Let its output lie in another folder than its input, or end otherwise, or constrain the wildcard "
        "(`wildcard_constraints:`); and upload the file with which it is to begin, if that is missing.",
    )


def _invalid_record(case: _Case) -> tuple[str, str]:
    """Of `validate()`: what is wrong in which record, and the schema that says so."""
    call = _VALIDATES.search(_from_line(case)) or _VALIDATES.search(case.code)
    name, schema = (call["data"], call["schema"] or "") if call else ("config", "")
    keys = [key.strip("'") for key in re.findall(r"\[('[^']*'|\d+)\]", case.found["path"])]
    what = f"`{name}{''.join(f'[{key}]' for key in keys)}` is not as {schema or 'its schema'} says"
    said = " ".join(case.found["what"].split())
    if re.match(r"config\b", name):
        files = [file for file in _CONFIG_FILE.findall(_all(case)) if file != CONFIG_FILE]
        return f"{what}: {said}", f"Correct it in {' or '.join([*files, _LAUNCHS])}, or change the schema."
    row = f"row {int(case.found['row']) + 1}" if case.found["row"] else _line_of_record(case, keys)
    return f"{what}: {said}", f"Correct it in {row or 'what this line reads'}, or change the schema."


def _line_of_record(case: _Case, keys: Sequence[str]) -> str:
    """`line 3 of samples.tsv`, of a record that was read from a table; empty if none of the sources has it."""
    try:
        value = ast.literal_eval(case.found["record"].strip())
    except (SyntaxError, ValueError):
        return ""
    wanted = {keys[0]: value} if keys else value
    if not isinstance(wanted, Mapping):
        return ""
    for file in sorted({*_TABLE.findall(_all(case)), *_TABLE.findall(json.dumps(_config(case), default=str))}):
        text = _text(case.sources / file)
        first = text.partition("\n")[0]
        rows = csv.DictReader(text.splitlines(), delimiter="\t" if "\t" in first else ",")
        for row in rows:
            if all(row.get(str(key)) == str(cell) for key, cell in wanted.items()):
                return f"line {rows.line_num} of {file}"
    return ""


def _own(what: str) -> "re.Pattern[str]":
    return re.compile(what, re.DOTALL)


_KNOWN: Final[Sequence[tuple["re.Pattern[str]", str | tuple[str, str] | Callable[[_Case], tuple[str, str]]]]] = (
    (_own(r"EOF in multi-line (?:statement|string)"), _open_bracket),
    (_own(r"unterminated (?:triple-quoted )?(?:f-)?string"), ("a quote is not closed in this line", "Close it there.")),
    (_own(r"^Expected name or colon after "), _no_colon),
    (_own(r"^Unexpected keyword (?P<what>\w+) in "), _no_directive),
    (_own(r"The name '(?P<what>[^']*)' is unknown in this context"), _braces),
    (_own(r"'Wildcards' object has no attribute '(?P<what>\w+)'"), _no_wildcard),
    (
        _own(r"'(?P<kind>InputFiles|OutputFiles|Params|Log|Resources)' object has no attribute '(?P<what>\w+)'"),
        _no_item,
    ),
    (_own(r"^Wildcards in (?:input|params|log|benchmark)[^:]* cannot be determined"), _undetermined),
    (_own(r"^No values given for wildcard '(?P<what>\w+)'"), _no_values),
    (_own(r"^Target rules may not contain wildcards"), _first_rule),
    (
        _own(r"^Cyclic dependency on rule (?P<rule>\w+): it needs its own output (?P<what>.+?)\.?\s*\Z"),
        _own_output,
    ),
    (
        _own(r"^Cyclic dependency on rule"),
        "Give one of them another output, or take the other's output from its input.",
    ),
    (_own(r"^name '(?P<what>\w+)' is not defined"), _name),
    (_own(r"^Expecting Snakemake version (?P<what>[\w.]+) or higher"), _least_version),
    (_own(r"^Command '.*' (?:returned non-zero exit status|died with)"), _of_launcher),
    (_own(r"^Keyword subworkflow is deprecated"), _subworkflow),
    (
        _own(r"^(?:Outputs of incorrect type|\[Errno 20\] Not a directory: '(?P<what>[^'\n]+)/\.snakemake_timestamp')"),
        _file_or_folder,
    ),
    (
        _own(r"syntax error: unexpected end of file\s*\Z|unexpected EOF while looking for matching"),
        "Correct the rule's command: a quote, a bracket, or a `do`, `then` or `{` in it has no end.",
    ),
    (
        _own(r"^Remote providers have been replaced by Snakemake storage plugins"),
        "A launch reads its `data` alone: upload the files there, and name them by their paths, without a provider.",
    ),
    (_own(r"No module named '?(?P<what>[\w.]+)'?"), _no_module),
    (_own(r"(?P<what>[^\s:]+): command not found\s*\Z"), _no_program),
    (_own(r"sh: (?:\d+: )?(?P<what>[^\s:]+): not found\s*\Z"), _no_program),
    (
        _own(r"(?P<what>\S+): Permission denied\s*\Z"),
        "If it is a program that the rule runs: let its first line name its interpreter (`#!/bin/bash`), or call it by "
        "that (`bash FILE`), since S3 keeps no modes of files. If it is a file to write, let the rule write below its "
        "working directory.",
    ),
    (_own(r"(?:sh|bash): (?:line )?\d+: (?P<what>\w+): unbound variable"), _unbound),
    (_own(r"^(?:gzip|zcat|gunzip): (?P<what>.+): not in gzip format"), _not_gzip),
    (_own(r"^The name \w+ is already used by another rule"), "Give one of the two another name."),
    (_own(rf"^(?P<what>(?:{_OF_PATTERNS})[^\n]* at position \d+)"), _pattern),
    (
        _own(r"^(?:Standard resource specified with invalid type|Resource '\w+' must be)|^Resources? \w+ (?:is|must)"),
        "Write a number into `resources:` (mem_mb, disk_mb: MB; runtime: minutes), or a function that gives one.",
    ),
    (_own(r"File/directory is a child to another output"), _child),
    (
        _own(r"^(?:SyntaxError: )?Not all output, log and benchmark files of rule"),
        "Put the same wildcards into each of its `output:`, `log:` and `benchmark:`.",
    ),
    (
        _own(r"Function did not return str"),
        (
            "the function of its input gave no path",
            "Let it return a path, or a list of paths, in each case (a function without `return` gives None).",
        ),
    ),
    (_own(r"^Config file is not valid JSON or YAML"), _config_file),
    (_own(r"^The value (?P<value>\S+) in wildcard (?P<wildcard>\w+) is periodically repeated"), _periodic),
    (
        _own(
            r"^Error validating (?:config file|row (?P<row>\d+) of data frame)\.\s*ValidationError: (?P<what>.*?)"
            r"\s*Failed validating '[^']*' in schema.*?\n\s*On instance(?P<path>[^:\n]*):\s*(?P<record>.*)\Z"
        ),
        _invalid_record,
    ),
    (_own(r"^Rule (?P<what>\w+) is not defined in this workflow"), _no_rule),
    (
        _own(r"^unsupported operand type\(s\) for /: 'str' and 'int'"),
        "Perhaps a text stands in a rule's `resources:` where a number is meant (mem_mb, disk_mb).",
    ),
    (
        _own(r"^(?:unexpected|expected an|unindent|inconsistent use).*(?:indent|block|tabs)"),
        "Indent the line as the others of its block, by blanks alone.",
    ),
    (
        _own(
            r"^(?:invalid syntax|positional argument follows|unmatched|closing parenthesis|expected ':'"
            r"|'[^']+' was never closed)"
        ),
        _invalid,
    ),
    (_own(r"^(?:KeyError: )?'(?P<what>[^'\n]+)'(?: \(for [^\n]*\))?\s*\Z"), _no_key),
    (_own(r"^(?:module|type object|'\w+' object) .*has no attribute"), "Correct the name in this line."),
)
"""What an exception's text says -> what to do; or what is said instead, or nothing, and what to do."""


# --- what the sources say ---------------------------------------------------------------------------------------------
def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def _line(file: Path, number: int) -> str:
    lines = _text(file).splitlines()
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _snakefiles(case: _Case) -> Iterable[str]:
    """The file that the message names, the Snakefile, and what it may include."""
    more = sorted(str(path.relative_to(case.sources)) for path in case.sources.rglob("*.smk"))
    return dict.fromkeys(filter(None, [case.file, case.sheet.snakefile, *more]))


def _all(case: _Case) -> str:
    return "\n".join(_text(case.sources / file) for file in _snakefiles(case))


def _block(case: _Case) -> str:
    """The text of the rule that the message names."""
    lines = _text(case.sources / case.file).splitlines()[max(case.line - 1, 0) :] if case.file else []
    block = lines[:1]
    for line in lines[1:]:
        if line.strip() and not line[:1].isspace():
            break
        block.append(line)
    return "\n".join(block)


def _from_line(case: _Case) -> str:
    """The line that the message names, and a few more: a call may go on there."""
    lines = _text(case.sources / case.file).splitlines() if case.file else []
    return "\n".join(lines[max(case.line - 1, 0) :][:5])


def _section(case: _Case, name: str) -> str:
    found = re.search(rf"^\s+{name}\s*:(.*)", _block(case), re.MULTILINE | re.DOTALL)
    return _SECTION.split(found[1])[0] if found else ""


def _wildcards(case: _Case) -> list[str]:
    return list(dict.fromkeys(re.findall(r"(?<!\{)\{(\w+)(?:,[^{}]*)?\}(?!\})", _section(case, "output"))))


def _config(case: _Case) -> Mapping[str, Any]:
    """The workflow's config, as far as files and the launch say it."""
    values: dict[str, Any] = {}
    for name in _CONFIG_FILE.findall(_all(case)):
        if name != CONFIG_FILE:
            values.update(_read_config(case.sources / name))
    values.update(case.sheet.config)
    for chain in re.findall(r"""^config\[["'](\w+)["']\]\s*=(?!=)""", _all(case), re.MULTILINE):
        values.setdefault(chain, None)
    return values


def _read_config(file: Path) -> Mapping[str, Any]:
    try:
        import yaml  # of Snakemake's environment, in which the launcher runs

        read = yaml.safe_load(_text(file))
    except ImportError:
        read = _json(file)
    except Exception:  # the file is not why
        return {}
    return read if isinstance(read, dict) else {}


def _json(file: Path) -> Any:  # noqa: ANN401
    try:
        return json.loads(_text(file))
    except ValueError:
        return {}


def _perhaps(name: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, [each for each in dict.fromkeys(names) if each != name], n=1, cutoff=0.6)
    return f" (perhaps {close[0]} is meant)" if close else ""


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LONGEST_LIST} more" if len(names) > _LONGEST_LIST else ""
    return f"{', '.join(names[:_LONGEST_LIST])}{more}"


def _unbalanced(text: str) -> tuple[str, int] | None:
    """The first bracket or quote that has no partner, and its line."""
    pairs = {")": "(", "]": "[", "}": "{"}
    opened: list[tuple[str, int]] = []
    line, at = 1, 0
    while at < len(text):
        sign = text[at]
        if sign == "#":
            at = text.find("\n", at)
            if at < 0:
                break
            continue
        if sign in "\"'":
            quote = text[at : at + 3] if text[at : at + 3] in ('"""', "'''") else sign
            end = re.compile(rf"(?:\\.|(?!{quote}).)*?{quote}", re.DOTALL).match(text, at + len(quote))
            inside = text[at : end.end()] if end else text[at:]
            if end is None or (len(quote) == 1 and "\n" in inside.replace("\\\n", "")):
                return quote, line
            line += inside.count("\n")
            at = end.end()
            continue
        line += sign == "\n"
        if sign in "([{":
            opened.append((sign, line))
        elif sign in pairs:
            if not opened or opened[-1][0] != pairs[sign]:
                return opened[-1] if opened else (sign, line)
            opened.pop()
        at += 1
    return opened[-1] if opened else None
