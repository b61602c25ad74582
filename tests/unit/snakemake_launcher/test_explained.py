"""Messages of Snakemake and Python are told in a sentence, with the place in the sources and what mends it.

The messages are as runs of Snakemake 7.32.4 and 9.27.1 gave them; tests/snakemake/test_what_a_status_says.py has them
made anew.
"""

import json
from pathlib import Path

import pytest

from snakemake_launcher import explained
from snakemake_launcher.run_sheet import RunSheet
from snakemake_launcher.wording import as_written
from tests.unit.snakemake_launcher.sheets import sheet

CONTAINERS = Path(__file__).parents[3] / "containers" / "snakemake"

SNAKEFILE = """configfile: "config.yaml"
SAMPLES = ["a"]
def named(wildcards):
    return config["refs"][wildcards.s]

rule all:
    input: expand("out/{s}.txt", s=SAMPLES)

rule one:
    input: named
    output: "out/{s}.txt"
    shell: "cp {input} {output}"
"""
SCRIPT = "import os\n\ndef f():\n    return {}['no']\n\ny = = 2\n"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    for name, text in (
        ("Snakefile", SNAKEFILE),
        ("config.yaml", '{"reference": "x", "title": "t"}'),
        ("scripts/s.py", SCRIPT),
        ("rules/a.smk", "X = 0\nY = 1 / X\n"),
        ("rules/open.smk", 'rule two:\n    input: expand("x", s=[1, 2]\n    shell: "echo )"\n\nrule three:\n'),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def written(message: str, sources: Path, config: object = None) -> str:
    run = RunSheet.parse(json.dumps(sheet(config=config or {})))
    return as_written(message.replace("ROOT", str(sources)), run, sources)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            "NameError in file ROOT/Snakefile, line 7:\nname 'SAMPLE' is not defined\n"
            '  File "ROOT/Snakefile", line 7, in <module>',
            "NameError in file Snakefile, line 7: name 'SAMPLE' is not defined. Define SAMPLE above this line, or "
            "correct its name (perhaps SAMPLES is meant).",
        ),
        (
            'KeyError in file "ROOT/Snakefile", line 4:\n\'refs\'\n  File "ROOT/Snakefile", line 4, in <module>',
            'KeyError in file "Snakefile", line 4: `config` has no key refs. It has reference, title. Correct the key, '
            "or set it in the launch's `config`, or in the workflow's config file.",
        ),
        (
            "SyntaxError in file ROOT/rules/open.smk, line 5:\nUnexpected keyword rule in rule definition (open.smk, "
            "line 5)",
            "SyntaxError in file rules/open.smk, line 2: the bracket ( is not closed. Close it there.",
        ),
        (
            'WildcardError in rule one in file "ROOT/Snakefile", line 9:\nWildcards in input files cannot be '
            "determined from output files: (rule one, line 15, ROOT/Snakefile)\n't'",
            'WildcardError in rule one in file "Snakefile", line 9: its input has the wildcard {t}, and its output has '
            "not. Use wildcards of its `output:` (s) in its `input:`, put {t} into its output, or list all values by "
            "expand().",
        ),
        (
            "InputFunctionException in rule one in file ROOT/Snakefile, line 9:\nError:\n  KeyError: 'b'\nWildcards:\n"
            '  s=b\nTraceback:\n  File "ROOT/Snakefile", line 4, in named\n'
            '  File "/opt/launcher/engines/tibanna_jobs.py", line 216, in collecting',
            "InputFunctionException in rule one in file Snakefile, line 9: KeyError: 'b' (for s=b) (line 4 of "
            "Snakefile, in named). What is read here has no key 'b': correct it, or add it to what is read.",
        ),
        (
            "InputFunctionException in rule one in file \"ROOT/Snakefile\", line 9:\nError:\n  KeyError: 'refs'\n"
            'Wildcards:\n  s=b\nTraceback:\n  File "ROOT/Snakefile", line 4, in named (rule one, line 9, '
            "ROOT/Snakefile)",
            'InputFunctionException in rule one in file "Snakefile", line 9: `config` has no key refs (line 4 of '
            "Snakefile, in named). It has reference, title. Correct the key, or set it in "
            "the launch's `config`, or in the workflow's config file.",
        ),
        (
            "ZeroDivisionError in file ROOT/rules/a.smk, line 2:\ndivision by zero\n"
            '  File "ROOT/Snakefile", line 1, in <module>\n  File "ROOT/rules/a.smk", line 2, in <module>',
            "ZeroDivisionError in file rules/a.smk, line 2: division by zero. Correct this line, or what it reads.",
        ),
        (
            "KeyError: 'no'\nFile \"/data1/snakemake/.snakemake/scripts/tmp68tvngbf.s.py\", line 9, in f\n"
            "  return {}['no']",
            "KeyError: 'no' (line 4 of scripts/s.py). What is read here has no key 'no': correct it, or add it to what "
            "is read.",
        ),
        (
            'SyntaxError: invalid syntax\nFile "/tmp/tmp.JzeZY5zNXi/.snakemake/scripts/tmpricml5t7.s.py", line 5\n'
            "  y = = 2",
            "SyntaxError: invalid syntax (line 6 of scripts/s.py). Correct this line, or the one before: a comma, a "
            "quote or a bracket may be missing.",
        ),
        (
            "AssertionError\nFile \"/data1/snakemake/.snakemake/scripts/tmp6.s.py\", line 9, in f\n  return {}['no']",
            "AssertionError at `return {}['no']` (line 4 of scripts/s.py)",
        ),
        (
            "KeyError: 'x'\nFile \"/data1/snakemake/scripts/s.py\", line 4, in f\n  return {}['no']",
            "KeyError: 'x' (line 4 of scripts/s.py, in f). What is read here has no key 'x': correct it, or add it to "
            "what is read.",
        ),
        (
            "AttributeError in file ROOT/rules/a.smk, line 2:\n'dict' object has no attribute 'a'",
            "AttributeError in file rules/a.smk, line 2: 'dict' object has no attribute 'a'. Correct the name in this "
            "line.",
        ),
        (
            "TypeError in file ROOT/rules/a.smk, line 2:\n'NoneType' object is not subscriptable",
            "TypeError in file rules/a.smk, line 2: 'NoneType' object is not subscriptable. Correct this line, or what "
            "it reads.",
        ),
        (
            'ValueError: bad base at position 12\nFile "/data1/snakemake/.snakemake/scripts/tmp6.s.py", line 9, in f\n'
            "  raise ValueError(text)",
            "ValueError: bad base at position 12 (in the script scripts/s.py)",
        ),
        (
            "WildcardError in rule one in file ROOT/Snakefile, line 9:\nunterminated character set at position 6",
            "WildcardError in rule one in file Snakefile, line 9: a wildcard's constraint is no regular expression "
            "(unterminated character set at position 6). Correct it, in `wildcard_constraints:` or behind the comma in "
            "the wildcard's braces.",
        ),
        (
            "RuleException in rule one in file ROOT/Snakefile, line 9:\nAttributeError: 'Wildcards' object has no "
            "attribute 'sample', when formatting the following:\necho {wildcards.sample}",
            "RuleException in rule one in file Snakefile, line 9: the rule has no wildcard sample. Its wildcards are "
            "those of its `output:` (s): use one of them, or put {sample} into its output.",
        ),
        (
            "SyntaxError in file ROOT/Snakefile, line 12:\nUnexpected keyword shel in rule definition "
            "(Snakefile, line 12)",
            "SyntaxError in file Snakefile, line 12: Unexpected keyword shel in rule definition. Correct it (perhaps "
            "shell is meant), or indent it as a value of what is above it.",
        ),
    ],
)
def test_the_cause_is_told_with_its_place_and_what_mends_it(sources: Path, message: str, told: str):
    assert written(message, sources) == told


AWS_BATCH = {"engine": "aws-batch"}
TIBANNA = {"engine": "tibanna"}


@pytest.mark.parametrize(
    ("engine", "message", "told"),
    [
        (
            TIBANNA,
            "NameError in file ROOT/Snakefile, line 7:\nname 'branch' is not defined",
            "Snakemake has branch since version 8, and the engine tibanna runs 7.32.4: set `engine: aws-batch`",
        ),
        (
            AWS_BATCH,
            "NameError in file ROOT/Snakefile, line 7:\nname 'dynamic' is not defined",
            "set `engine: tibanna` (Snakemake 7.32.4)",
        ),
        (AWS_BATCH, "NameError in file ROOT/Snakefile, line 7:\nname 'brunch' is not defined", "Define brunch above"),
        (
            TIBANNA,
            "SyntaxError in file ROOT/rules/new.smk, line 1:\ninvalid syntax (new.smk, line 1)",
            "Snakemake has `storage:` since version 8",
        ),
        (
            AWS_BATCH,
            'SyntaxError in file "ROOT/Snakefile", line 1:\nKeyword subworkflow is deprecated. Use module directive '
            "instead (Snakefile, line 1)",
            "Snakemake has no `subworkflow:` since version 8",
        ),
        (
            TIBANNA,
            "WorkflowError in file ROOT/Snakefile, line 2:\nExpecting Snakemake version 8.10 or higher (you are "
            "currently using 7.32.4).",
            "Set `engine: aws-batch` in the launch's config: it runs Snakemake 9.27.1.",
        ),
        (
            TIBANNA,
            "WorkflowError in file ROOT/Snakefile, line 2:\nExpecting Snakemake version 10.0 or higher (you are "
            "currently using 7.32.4).",
            "No engine has a newer Snakemake than 9.27.1",
        ),
        (
            AWS_BATCH,
            'NotImplementedError in file "ROOT/Snakefile", line 2:\nRemote providers have been replaced by Snakemake '
            "storage plugins. Please use the corresponding storage plugin instead (snakemake-storage-plugin-*).",
            "A launch reads its `data` alone: upload the files there",
        ),
        (
            TIBANNA,
            "ImproperOutputException in rule one in file ROOT/Snakefile, line 9:\nOutputs of incorrect type "
            "(directories when expecting files or vice versa). Output directories must be flagged with directory(). "
            "for rule one",
            "Write directory(...) around outputs that are folders",
        ),
        (
            AWS_BATCH,
            "NotADirectoryError: [Errno 20] Not a directory: 'd/.snakemake_timestamp'",
            "d is a file where the rule's `output:` says directory()",
        ),
        (
            TIBANNA,
            "CalledProcessError in file ROOT/Snakefile, line 7:\nCommand 'set -euo pipefail; cp o.txt c.txt' returned "
            "non-zero exit status 1.",
            "outside of rules runs in the launcher",
        ),
        (AWS_BATCH, "/usr/bin/bash: -c: line 2: syntax error: unexpected end of file", "Correct the rule's command"),
        (TIBANNA, "NameError in file ROOT/Snakefile, line 7:\nname 'tmep' is not defined", "(perhaps temp is meant)"),
        (TIBANNA, "/usr/bin/bash: line 1: scripts/own.sh: Permission denied", "(`#!/bin/bash`)"),
        (
            TIBANNA,
            "/usr/bin/bash: line 1: GENOME_DIR: unbound variable",
            "give the value by the launch's `config`, and name it in the command ({config[genome_dir]})",
        ),
    ],
)
def test_what_only_another_engine_or_another_machine_has_is_told(sources: Path, engine, message: str, told: str):
    (sources / "rules" / "new.smk").write_text('storage:\n    provider="s3"\n')
    run = RunSheet.parse(json.dumps({**sheet(config={}), **engine}))

    assert told in as_written(message.replace("ROOT", str(sources)), run, sources)


def test_the_versions_that_are_told_are_those_that_are_locked():
    locks = {"tibanna": "requirements.txt", "aws-batch": "requirements-aws-batch.txt"}

    for engine, lock in locks.items():
        text = (CONTAINERS / lock).read_text()
        assert f"\nsnakemake=={explained._SNAKEMAKES[engine]} " in text


def test_keys_of_the_launchs_config_are_known(sources: Path):
    said = written("KeyError in file ROOT/Snakefile, line 4:\n'refs'", sources, {"ref": 1})

    assert "It has ref, reference, title. Correct the key (perhaps ref is meant)" in said


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("LabError in file ROOT/Snakefile, line 2:\nno good", "LabError in file Snakefile, line 2: no good"),
        ("something else\nhappened", "something else happened"),
    ],
)
def test_what_is_not_known_is_told_as_it_is(sources: Path, message: str, told: str):
    assert written(message, sources) == told


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('x = f("a", [1, 2)\n', 1),
        ("# a ( here\nx = (1,\n\ny = 2\n", 2),
        ('"""a\n(\n"""\nx = {\n', 4),
        ("x = 1)\n", 1),
    ],
)
def test_what_is_not_closed_is_found(sources: Path, text: str, line: int):
    (sources / "Snakefile").write_text(text)

    said = written("SyntaxError in file ROOT/Snakefile, line 9:\ninvalid syntax (Snakefile, line 9)", sources)

    assert said.startswith(f"SyntaxError in file Snakefile, line {line}: the bracket ")


def test_brackets_in_texts_are_none(sources: Path):
    (sources / "Snakefile").write_text('x = "(" + \'[\' + "\\"{"  # (\ny = = 1\n')

    said = written("SyntaxError in file ROOT/Snakefile, line 2:\ninvalid syntax (Snakefile, line 2)", sources)

    assert said.startswith("SyntaxError in file Snakefile, line 2: invalid syntax. Correct this line")


OF_CYCLES = [
    (
        "CyclicGraphException in rule one in file ROOT/Snakefile, line 9:\n"
        "Cyclic dependency on rule one: it needs its own output a.txt.",
        "CyclicGraphException in rule one in file Snakefile, line 9: Cyclic dependency on rule one: it needs its own "
        "output a.txt. Let the rule one write to another file than a.txt, or take that out of its `input:`; if it is "
        "meant to change the file, let it write a copy in another folder.",
    ),
    (
        "PeriodicWildcardError in rule one in file ROOT/Snakefile, line 9:\nThe value .x in wildcard s is periodically "
        "repeated (a.x.x.x). This would lead to an infinite recursion. To avoid this, e.g. restrict the wildcards in "
        "this rule to certain values.",
        "PeriodicWildcardError in rule one in file Snakefile, line 9: the rule could make its own input, again and "
        "again: its wildcard {s} would repeat `.x` without end. Let its output lie in another folder than its input, "
        "or end otherwise, or constrain the wildcard (`wildcard_constraints:`); and upload the file with which it is "
        "to begin, if that is missing.",
    ),
]


@pytest.mark.parametrize(("message", "told"), OF_CYCLES)
def test_a_rule_that_needs_what_it_makes_is_told_with_the_file(sources, message, told):
    assert written(message, sources) == told


VALIDATED = """import csv
from snakemake.utils import validate
configfile: "config.yaml"
validate(
    config, schema="schemas/config.yaml"
)
validate(config["trim"], "schemas/trim.yaml")
for row in csv.DictReader(open(config["sheet"])):
    validate(row, "schemas/row.yaml")
    validate(row, SCHEMA)
"""
REQUIRED = (
    "'{key}' is a required property\n\nFailed validating 'required' in schema:\n    {{'required': ['{key}']}}\n\n"
)
NO_NUMBER = (
    "'x' is not of type 'integer'\n\nFailed validating 'type' in schema['properties']['depth']:\n"
    "    {'type': 'integer'}\n\nOn instance['depth']:\n    'x'"
)


@pytest.mark.parametrize(
    ("line", "error", "told"),
    [
        (
            4,
            REQUIRED.format(key="adapter") + "On instance['reads'][0]:\n    {'name': 'a',\n     'title': 't'}",
            "`config[reads][0]` is not as schemas/config.yaml says: 'adapter' is a required property. Correct it in "
            "config.yaml or the launch's `config`, or change the schema.",
        ),
        (
            7,
            NO_NUMBER,
            "`config[\"trim\"][depth]` is not as schemas/trim.yaml says: 'x' is not of type 'integer'. Correct it in "
            "config.yaml or the launch's `config`, or change the schema.",
        ),
        (
            9,
            REQUIRED.format(key="group") + "On instance:\n    {'depth': '4', 'sample': 'b'}",
            "`row` is not as schemas/row.yaml says: 'group' is a required property. Correct it in line 3 of "
            "tables/sheet.csv, or change the schema.",
        ),
        (
            10,
            NO_NUMBER,
            "`row[depth]` is not as its schema says: 'x' is not of type 'integer'. Correct it in line 4 of "
            "tables/sheet.csv, or change the schema.",
        ),
        (
            10,
            NO_NUMBER.replace("'x'", "'y'"),
            "`row[depth]` is not as its schema says: 'y' is not of type 'integer'. Correct it in what this line reads, "
            "or change the schema.",
        ),
    ],
)
def test_what_a_schema_excludes_is_told_with_its_place(sources, line, error, told):
    (sources / "Snakefile").write_text(VALIDATED)
    (sources / "config.yaml").write_text('{"sheet": "tables/sheet.csv"}')
    (sources / "tables").mkdir()
    (sources / "tables" / "sheet.csv").write_text("sample,depth\na,3\nb,4\nc,x\n")
    message = (
        f"WorkflowError in file ROOT/Snakefile, line {line}:\nError validating config file.\nValidationError: {error}\n"
        f'  File "ROOT/Snakefile", line {line}, in <module>'
    )

    assert written(message, sources) == f"WorkflowError in file Snakefile, line {line}: {told}"
