"""The status of a launch that failed says by itself which rule or line is at fault, and what mends it."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.snakemake.plays import ENGINES
from tests.snakemake.workflows import write

TIBANNA, AWS_BATCH = ENGINES
NOT_FOR_PEOPLE = re.compile(r"\n|\\n|Traceback|/tmp/|/jobs/|\.snakemake/|/work/|File \"|:\s*$|thread\.py|\bNone\b")
"""What no status has: line breaks, the rest of a traceback, paths of the machine of the launcher or of a job."""
ONE = 'rule one:\n    input: "in.txt"\n    output: "out.txt"\n    {more}\n'


@dataclass(frozen=True)
class Fault:
    """A Snakefile that fails."""

    snakefile: str
    said: tuple[str, ...]
    """Words of the status: the place, the cause and what mends it."""
    files: dict[str, str] = field(default_factory=dict)
    """More sources."""


READ = {
    "an unknown name": Fault(
        "SAMPLES = ['a']\n\nrule one:\n    output: expand('{s}.txt', s=SAMPLE)\n    shell: 'touch {output}'\n",
        ("NameError in file", "line 4", "'SAMPLE' is not defined", "(perhaps SAMPLES is meant)"),
    ),
    "a missing key of config": Fault(
        'configfile: "config.yaml"\n\nX = config["adapters"]\n\n' + ONE.format(more='shell: "cp {input} {output}"'),
        ("KeyError in file", "line 3", "`config` has no key adapters", "It has adapter, title", "launch's `config`"),
        {"config.yaml": "adapter: AGAT\ntitle: x\n"},
    ),
    "a missing key below one of config": Fault(
        'configfile: "config.yaml"\n\nX = config["trim"]["quality"]\n\n' + ONE.format(more='shell: "touch {output}"'),
        ("KeyError in file", "line 3", "`config[trim]` has no key quality", "It has length"),
        {"config.yaml": "trim:\n  length: 3\n"},
    ),
    "a module that is not there": Fault(
        "import polars\n\n" + ONE.format(more='shell: "cp {input} {output}"'),
        ("ModuleNotFoundError in file", "line 1", "No module named 'polars'", "`container_image`"),
    ),
    "a bracket that is not closed": Fault(
        'rule all:\n    input: expand("{s}.txt", s=["a", "b"]\n\nrule one:\n    output: "{s}.txt"\n'
        '    shell: "touch {output}"\n',
        ("SyntaxError in file Snakefile, line 2", "the bracket ( is not closed", "Close it there"),
    ),
    "a quote that is not closed": Fault(
        'rule one:\n    output: "out.txt\n    shell: "touch {output}"\n',
        ("SyntaxError in file", "line 2", "Close it there"),
    ),
    "wildcards that cannot be determined": Fault(
        'rule all:\n    input: "out/a.txt"\n\nrule one:\n    input: "{t}.txt"\n    output: "out/{s}.txt"\n'
        '    shell: "cp {input} {output}"\n',
        ("in rule one in file", "line 4", "its input has the wildcard {t}, and its output has not", "expand()"),
    ),
    "a first rule with wildcards": Fault(
        'rule one:\n    output: "{s}.txt"\n    shell: "touch {output}"\n',
        ("The first rule (one) has wildcards", "`rule all`"),
    ),
    "a rule needs what it makes": Fault(
        'rule all:\n    input: "a.txt"\n\nrule a:\n    input: "b.txt"\n    output: "a.txt"\n'
        '    shell: "cp {input} {output}"\n\nrule b:\n    input: "a.txt"\n    output: "b.txt"\n'
        '    shell: "cp {input} {output}"\n',
        ("Cyclic", "a needs b, which needs a (for ", ".txt)", "Give one of them another output"),
    ),
    "a rule needs its own output": Fault(
        'rule one:\n    input: "a.txt"\n    output: "a.txt"\n    shell: "sort {input} > {output}"\n',
        ("Cyclic", "in rule one", "it needs its own output a.txt", "Let the rule one write to another file than a.txt"),
    ),
    "a rule makes its own input, again and again": Fault(
        'rule all:\n    input: "b.txt"\n\nrule one:\n    input: "raw/{s}.txt"\n    output: "{s}.txt"\n'
        '    shell: "cp {input} {output}"\n',
        ("in rule one", "its own input, again and again", "{s}", "another folder", "upload"),
    ),
    "an input of another case": Fault(
        'rule one:\n    input: "IN.txt"\n    output: "out.txt"\n    shell: "cp {input} {output}"\n',
        (
            "MissingInput",
            "IN.txt (for out.txt) is neither",
            "there is in.txt, and names are case-sensitive",
            "correct the rule's input",
        ),
    ),
    "an input whose folder is of another case": Fault(
        'rule one:\n    input: "Conf/a.txt"\n    output: "out.txt"\n    shell: "cp {input} {output}"\n',
        ("MissingInput", "Conf/a.txt (for out.txt) is neither", "there is conf/a.txt, and names are case-sensitive"),
        {"conf/a.txt": "a\n"},
    ),
    "an input that a rule makes in another case": Fault(
        'rule all:\n    input: "Out/a.txt"\n\nrule one:\n    output: "out/{s}.txt"\n    shell: "touch {output}"\n',
        ("MissingInput", "Out/a.txt is neither", "the rule one makes out/{s}.txt, and names are case-sensitive"),
    ),
    "a constraint that excludes the file": Fault(
        'rule all:\n    input: "out/a1.txt"\n\nrule one:\n    output: "out/{s,[a-z]+}.txt"\n'
        '    shell: "touch {output}"\n',
        (
            "MissingInput",
            "out/a1.txt is neither",
            "the rule one makes out/{s}.txt only where {s}",
            "`[a-z]+`",
            "a1 is not",
        ),
    ),
    "a constraint for all rules that excludes the file": Fault(
        'wildcard_constraints:\n    s="[a-z]+"\n\nrule all:\n    input: "out/a1.txt"\n\nrule one:\n'
        '    output: "out/{s}.txt"\n    shell: "touch {output}"\n',
        ("MissingInput", "out/a1.txt is neither", "the rule one makes out/{s}.txt only where {s}", "`[a-z]+`"),
    ),
    "a key of config that its schema needs": Fault(
        'from snakemake.utils import validate\n\nconfigfile: "config.yaml"\nvalidate(config, "schemas/c.yaml")\n\n'
        + ONE.format(more='shell: "touch {output}"'),
        ("line 4", "`config[trim]` is not as schemas/c.yaml says", "'length' is a required property", "config.yaml"),
        {
            "config.yaml": "trim:\n  size: 3\n",
            "schemas/c.yaml": "$schema: https://json-schema.org/draft/2020-12/schema\ntype: object\nproperties:\n"
            "  trim:\n    type: object\n    required: [length]\n",
        },
    ),
    "a row of a sheet that its schema excludes": Fault(
        "import csv\nfrom snakemake.utils import validate\n\nfor row in csv.DictReader(open('sheet.tsv'), "
        "delimiter='\\t'):\n    validate(dict(row), schema='sheet.schema.yaml')\n\n"
        + ONE.format(more='shell: "touch {output}"'),
        ("line 5", "sheet.schema.yaml", "'x' is not one of ['control', 'case']", "line 3 of sheet.tsv"),
        {
            "sheet.tsv": "sample\tgroup\na\tcase\nb\tx\n",
            "sheet.schema.yaml": "$schema: https://json-schema.org/draft/2020-12/schema\ntype: object\nproperties:\n"
            "  group:\n    enum: [control, case]\n",
        },
    ),
    "a function of an input": Fault(
        "def named(wildcards):\n    table = {'a': 'in.txt'}\n    return table[wildcards.s]\n\n"
        'rule all:\n    input: "out/b.txt"\n\nrule one:\n    input: named\n    output: "out/{s}.txt"\n'
        '    shell: "cp {input} {output}"\n',
        ("in rule one in file", "line 8", "KeyError", "'b'", "s=b", "line 3 of Snakefile, in named"),
    ),
    "a lambda of an input": Fault(
        'rule all:\n    input: "out/b.txt"\n\nrule one:\n    input:\n        lambda wc: nothing[wc.s]\n'
        '    output: "out/{s}.txt"\n    shell: "cp {input} {output}"\n',
        ("in rule one in file", "line 4", "NameError", "'nothing' is not defined", "Define nothing"),
    ),
    "a key of config in a function": Fault(
        "def named(wildcards):\n    return config['refs']\n\n"
        + ONE.format(more='shell: "cp {input} {output}"').replace('"in.txt"', "named"),
        ("in rule one in file", "line 4", "`config` has no key refs", "line 2 of Snakefile, in named", "`config`"),
    ),
    "a key of config in a command": Fault(
        ONE.format(more='shell: "echo {config[refs]} > {output}"'),
        ("in rule one in file", "line 1", "`config` has no key refs", "launch's `config`"),
    ),
    "a comma that is missing": Fault(
        'rule one:\n    output: "a.txt" b="b.txt"\n    shell: "touch {output}"\n',
        ("SyntaxError in file", "line 2", "invalid syntax. Correct this line, or the one before: a comma"),
    ),
    "braces of awk": Fault(
        ONE.format(more="shell: \"awk '{print $1}' {input} > {output}\""),
        ("rule one", "line 1", "double them", "{{print $1}}"),
    ),
    "a wildcard that the rule has not": Fault(
        'rule all:\n    input: "out/a.txt"\n\nrule one:\n    output: "out/{s}.txt"\n'
        '    shell: "echo {wildcards.sample} > {output}"\n',
        ("rule one", "line 4", "the rule has no wildcard sample", "(s)"),
    ),
    "two rules of one name": Fault(
        ONE.format(more='shell: "cp {input} {output}"') * 2,
        ("The name one is already used by another rule", "Give one of the two another name"),
    ),
    "no such directive": Fault(
        'rule one:\n    inputs: "in.txt"\n    output: "out.txt"\n    shell: "touch {output}"\n',
        ("SyntaxError in file", "line 2", "Unexpected keyword inputs", "(perhaps input is meant)"),
    ),
    "no such rule": Fault(
        'rule all:\n    input: rules.oen.output\n\nrule one:\n    output: "out.txt"\n    shell: "touch {output}"\n',
        ("line 2", "oen", "there is no rule oen", "(perhaps one is meant)"),
    ),
    "a path outside of the data": Fault(
        'rule one:\n    input: "/ref/genome.fa"\n    output: "out.txt"\n    shell: "cp {input} {output}"\n',
        ("rule one", "/ref/genome.fa", "Upload"),
    ),
    "a path above the data": Fault(
        'rule one:\n    input: "../other/x.txt"\n    output: "out.txt"\n    shell: "cp {input} {output}"\n',
        ("rule one", "../other/x.txt", "Upload"),
    ),
    "an include with an error": Fault(
        'include: "rules/a.smk"\n\n' + ONE.format(more='shell: "touch {output}"'),
        ("ZeroDivisionError in file", "rules/a.smk", "line 2"),
        {"rules/a.smk": "X = 0\nY = 1 / X\n"},
    ),
    "a config that is no YAML": Fault(
        'configfile: "config.yaml"\n\n' + ONE.format(more='shell: "touch {output}"'),
        ("line 1", "config.yaml is no valid YAML or JSON"),
        {"config.yaml": "a: [1, 2\nb: 3\n"},
    ),
    "a raised exception": Fault(
        'if not config.get("x"):\n    raise ValueError("x is to be given")\n\n'
        + ONE.format(more='shell: "touch {output}"'),
        ("ValueError in file", "line 2", "x is to be given"),
    ),
}
"""Faults that are found before a job begins."""

RUN = {
    "a script": Fault(
        ONE.format(more='script: "scripts/s.py"'),
        ("The job one failed", "KeyError: 'no'", "line 5 of scripts/s.py"),
        {"scripts/s.py": "import os\n\nvalues = {}\ndef f():\n    return values['no']\n\nf()\n"},
    ),
    "a script with a module that is not there": Fault(
        ONE.format(more='script: "scripts/s.py"'),
        ("The job one failed", "No module named 'polars'", "line 1 of scripts/s.py", "`container_image`"),
        {"scripts/s.py": "import polars\n"},
    ),
    "a script with an error of syntax": Fault(
        ONE.format(more='script: "scripts/s.py"'),
        ("The job one failed", "SyntaxError", "s.py", "line 2"),
        {"scripts/s.py": "x = 1\ny = = 2\n"},
    ),
    "a run": Fault(
        ONE.format(more="run:\n        values = {}\n        open(output[0], 'w').write(values['no'])"),
        ("The job one failed", "KeyError in file", "line 6", "'no'", "has no key 'no'"),
    ),
    "an output that is empty": Fault(
        'rule one:\n    input: "in.txt"\n    output: ensure("out.txt", non_empty=True)\n    shell: "touch {output}"\n',
        ("The job one failed", "line 1", "out.txt", "`ensure(..., non_empty=True)`", "See why the command"),
    ),
    "an output with another checksum": Fault(
        'rule one:\n    input: "in.txt"\n    output: ensure("out.txt", sha256="12")\n'
        '    shell: "cp {input} {output}"\n',
        ("The job one failed", "line 1", "out.txt", "another checksum", "Correct the checksum"),
    ),
    "a program that is not there": Fault(
        ONE.format(more='shell: "samtoolz view {input} > {output}"'),
        ("The job one failed", "samtoolz: command not found", "`container_image`"),
    ),
}
"""Faults that a job meets."""


def _all(faults: dict[str, Fault], quick: set[tuple[str, str]]):
    return [
        pytest.param(fault, engine, id=f"{name}-{engine}", marks=() if (name, engine) in quick else pytest.mark.full)
        for name, fault in faults.items()
        for engine in ENGINES
    ]


@pytest.mark.parametrize(("fault", "engine"), _all(READ, {("a missing key of config", TIBANNA)}))
def test_what_is_wrong_in_a_snakefile(play, tmp_path: Path, fault: Fault, engine: str):
    played = play(engine, write(tmp_path / "w", {"Snakefile": fault.snakefile, **fault.files}), {"in.txt": "x\n"})

    _expect(played, fault)
    assert played.inputs == []


@pytest.mark.parametrize(("fault", "engine"), _all(RUN, {("a script", TIBANNA)}))
def test_what_is_wrong_in_a_job(play, tmp_path: Path, fault: Fault, engine: str):
    played = play(engine, write(tmp_path / "w", {"Snakefile": fault.snakefile, **fault.files}), {"in.txt": "x\n"})

    _expect(played, fault)


def _expect(played, fault: Fault) -> None:
    message = played.outcome.message
    assert played.outcome.type == "ApplicationError"
    assert [words for words in fault.said if words not in message] == [], message
    assert NOT_FOR_PEOPLE.findall(message) == [], message


TARGETS = {
    "OUT/a.txt": "the rule one makes out/{s}.txt, and names are case-sensitive",
    "out/a1.txt": "the rule one makes out/{s}.txt only where {s} is as its constraint says, `[a-z]+`, and a1 is not",
    "IN.txt": "there is in.txt, and names are case-sensitive",
}


@pytest.mark.full
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("target", TARGETS)
def test_what_comes_near_a_target_that_nothing_makes(play, tmp_path: Path, engine: str, target: str):
    snakefile = 'rule one:\n    input: "in.txt"\n    output: "out/{s,[a-z]+}.txt"\n    shell: "cp {input} {output}"\n'

    played = play(engine, write(tmp_path / "w", snakefile), {"in.txt": "x\n"}, targets=[target])

    _expect(played, Fault(snakefile, (f"no rule makes {target}, and it is not in", TARGETS[target], "`targets`")))
