"""What an engine does with a workflow's rules, and what it refuses before anything is submitted."""

import json
from pathlib import Path

import pytest

from snakemake_launcher.genolaunch_job import EMPTY
from tests.snakemake.plays import CASES, ENGINES, MOSTLY_TIBANNA, plain_run
from tests.snakemake.workflows import PATHS, PATHS_DATA, write

ONE = 'rule one:\n    input: "in.txt"\n    output: "out.txt"\n    {more}\n    shell: "cat {{input}} > {{output}}"\n'


def one(folder: Path, more: str = "") -> Path:
    """A workflow of one rule, with `more` in it."""
    return write(folder / "workflow", ONE.format(more=more or "threads: 1"))


# --- where the data lies ----------------------------------------
@pytest.mark.parametrize("prefix", ["whole-bucket", "data/run+2026/a.b+c"])
def test_tibanna_works_in_a_bucket_of_its_own_and_in_any_folder(play, tmp_path: Path, prefix: str):
    played = play("tibanna", one(tmp_path), {"in.txt": "x\n"}, prefix=prefix).expect_done()

    assert played.files["out.txt"] == "x\n"


@pytest.mark.timeout(300)
def test_commands_on_aws_batch_write_the_paths_of_a_plain_run(play, tmp_path: Path):
    workflow = write(tmp_path / "w", PATHS)
    right = plain_run("aws-batch", workflow, PATHS_DATA, tmp_path)

    played = play("aws-batch", workflow, PATHS_DATA).expect_done()

    assert played.files == right
    assert right["own.txt"] == "of the data\n"


@pytest.mark.full
def test_a_folder_is_whole_though_the_snakefile_opened_one_of_its_files(play, tmp_path: Path):
    text = """
FIRST = open("reads/a.txt").read().strip()

rule list:
    input: "reads"
    output: "out.txt"
    params: lambda wildcards: open("reads/b.txt").read().strip()
    shell: "ls {input} > {output}; echo {FIRST} {params} >> {output}"
"""
    data = {f"reads/{name}.txt": f"{name}\n" for name in "abc"}

    played = play("aws-batch", write(tmp_path / "w", text), data).expect_done()

    assert played.files["out.txt"] == "a.txt\nb.txt\nc.txt\na b\n"


# --- configfile ----------------------------------------
CONFIGURED = """
configfile: "config.yaml"

rule one:
    output: "out.txt"
    params: k=config.get("k", 1)
    shell: "echo {params.k} > {output}"
"""


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("values", [{}, {"other": 2}], ids=["alone", "with values of the launch"])
def test_a_configfile_that_is_not_there_is_refused(play, tmp_path: Path, engine: str, values):
    workflow = write(tmp_path / "w", {"Snakefile": CONFIGURED, "config.yml": "k: 10\n"})

    played = play(engine, workflow, {"x": ""}, config=values)

    assert played.outcome.message.startswith(
        "Line 2 of Snakefile has `configfile: config.yaml`, and there is no such file among the launch's sources "
        "(perhaps config.yml is meant). Upload it there"
    )
    assert played.inputs == []


@pytest.mark.full
@pytest.mark.parametrize("engine", ENGINES)
def test_a_configfile_may_lie_in_the_data(play, tmp_path: Path, engine: str):
    played = play(engine, write(tmp_path / "w", CONFIGURED), {"config.yaml": "k: 10\n"}).expect_done()

    assert played.files["out.txt"] == "10\n"


# --- groups ----------------------------------------
def test_each_group_of_tibanna_is_told_by_itself(play):
    played = play("tibanna", CASES / "23-group-fails" / "workflow", CASES / "23-group-fails" / "data")

    assert sorted(job["status"] for job in played.listed) == ["DONE", "DONE", "FAILED"]
    assert played.outcome.message == "The job persample failed: sample is contaminated"
    assert played.outcome.jobs["failed"] == 1


def test_a_group_may_be_called_by_several_words(play):
    played = play("tibanna", CASES / "07-group" / "workflow", CASES / "07-group" / "data").expect_done()

    assert sorted(played.files) == ["raw/p.txt", "raw/q.txt", "sorted/p.txt", "sorted/q.txt"]
    assert all(" " not in job["name"] for job in played.listed)


# --- errors ----------------------------------------
@pytest.mark.parametrize("engine", MOSTLY_TIBANNA)
def test_what_a_failed_rule_wrote_to_its_log_is_told(play, engine: str):
    played = play(engine, CASES / "06-log-of-failed" / "workflow", CASES / "06-log-of-failed" / "data")

    assert "reference index is truncated" in played.outcome.message
    assert "logs/aligner.err" in played.outcome.message


@pytest.mark.parametrize("engine", ENGINES)
def test_an_error_of_syntax_is_told(play, tmp_path: Path, engine: str):
    played = play(engine, write(tmp_path / "workflow", 'rule all\n    input: "a.txt"\n'), {"in.txt": "x\n"})

    assert played.outcome.message.startswith("SyntaxError in file ")
    assert "line 1" in played.outcome.message
    assert "Expected name or colon after rule" in played.outcome.message
    assert "None" not in played.outcome.message
    assert "lacks its colon" in played.outcome.message


OWN_FOLDER = 'rule split:\n    output: directory("parts")\n    shell: "mkdir -p here && touch here/a.txt"\n'


@pytest.mark.full
def test_a_missing_folder_is_named_however_long_its_place_is(play, tmp_path: Path):
    prefix = f"data/{'projects/' * 30}run"

    played = play("aws-batch", write(tmp_path / "w", OWN_FOLDER), {"in.txt": "x\n"}, prefix=prefix, retries=3)

    assert played.outcome.message == (
        'The job split failed: MissingOutputException in rule split in file "Snakefile", line 1: its command ended '
        "without an error, but did not write parts. Let its `shell` (or script) write to {output}, not to a path of "
        "its own."
    )
    assert played.failures[0][2] in played.outcome.message
    assert len(played.inputs) == 1


@pytest.mark.full
def test_a_path_of_the_shells_own_is_told_with_what_to_do(play, tmp_path: Path):
    workflow = write(tmp_path / "w", 'rule a:\n    output: "out/a.txt"\n    shell: "echo x > there/b.txt"\n')

    played = play("aws-batch", workflow, {"in.txt": "x\n"}, retries=3)

    assert (
        "there/b.txt: No such file or directory. If the rule's shell names this path itself" in played.outcome.message
    )
    assert len(played.inputs) == 1


def test_a_program_that_the_image_lacks_is_tried_once(play, tmp_path: Path):
    workflow = write(tmp_path / "w", 'rule a:\n    output: "a.txt"\n    shell: "no-such-program > {output}"\n')

    played = play("tibanna", workflow, {"in.txt": "x\n"}, retries=3)

    assert "no-such-program: command not found" in played.outcome.message
    assert len(played.inputs) == 1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("more", ["threads: 500", "resources: mem_mb=30_000_000"])
def test_a_rule_that_is_too_large_for_any_instance_is_refused(play, tmp_path: Path, engine: str, more: str):
    played = play(engine, one(tmp_path, more), {"in.txt": "x\n"}, retries=3)

    assert played.inputs == []
    assert played.outcome.message.startswith("rule one (line 1 of Snakefile) ask")
    assert "Ask for less" in played.outcome.message


@pytest.mark.parametrize("engine", MOSTLY_TIBANNA)
def test_a_missing_output_is_named_and_its_job_not_tried_again(play, engine: str):
    played = play(engine, CASES / "27-missing-output" / "workflow", CASES / "27-missing-output" / "data", retries=3)

    assert "a.txt.idx" in played.outcome.message
    assert "MissingOutputException" in played.outcome.message
    assert "latency-wait" not in played.outcome.message
    assert "write to {output}" in played.outcome.message
    assert "data/" not in played.outcome.message
    assert len(played.inputs) == 1


@pytest.mark.parametrize("engine", MOSTLY_TIBANNA)
def test_a_job_whose_snakefile_cannot_be_read_is_not_tried_again(play, tmp_path: Path, engine: str):
    # The launcher's own copy is read: only jobs lie in such folders.
    in_job = 'if "/jobs/" in os.getcwd() or os.getcwd().startswith("/tmp/tmp."):'
    start = f'import os\n{in_job}\n    open("/nowhere/units.tsv")\n'
    workflow = write(tmp_path / "workflow", start + ONE.format(more="threads: 1"))

    played = play(engine, workflow, {"in.txt": "x\n"}, retries=3)

    assert "/nowhere/units.tsv" in played.outcome.message
    assert len(played.inputs) == 1


def test_a_program_that_fails_is_tried_again(play, tmp_path: Path):
    workflow = write(tmp_path / "w", 'rule a:\n    output: "a.txt"\n    shell: "echo no luck >&2; exit 3"\n')

    played = play("tibanna", workflow, {"y": ""}, retries=2)

    assert len(played.inputs) == 3
    assert "no luck" in played.outcome.message


# --- images ----------------------------------------
def test_on_tibanna_a_rule_runs_in_its_own_container(play, tmp_path: Path):
    text = """
rule all:
    input: "deep/v.txt", "plain.txt", "folder"

rule folder:
    output: directory("folder")
    container: "docker://quay.io/biocontainers/samtools:1.17"
    shell: "mkdir -p {output}/full '{output}/b are'; touch {output}/full/x"

rule version:
    input: "in.txt"
    output: ensure("deep/v.txt", sha256="c4ab195b4963fb11bca77956eeab5577c704f273a8658dccad2d088ac2e78899")
    container: "docker://quay.io/biocontainers/samtools:1.17"
    log: "logs/v.log"
    shell: "for f in {input} tool.txt; do cat $f; done | awk '{{print $1}}' > {output}; echo it works > {log}"

rule plain:
    output: "plain.txt"
    shell: "echo plain > {output}"
"""
    workflow = write(tmp_path / "w", {"Snakefile": text, "tool.txt": "a tool\n"})

    played = play("tibanna", workflow, {"in.txt": "x\n"}).expect_done()

    images = {each["config"]["run_name"].rpartition("-")[2]: each["args"]["container_image"] for each in played.inputs}
    own = "quay.io/biocontainers/samtools:1.17"
    assert images == {"version": own, "folder": own, "plain": "repo/genolaunch-snakemake:1"}
    assert "genolaunch_job.py" not in next(each["args"]["command"] for each in played.inputs if "deep" in str(each))
    assert played.files["deep/v.txt"] == "x\na\n"
    assert played.files["logs/v.log"] == "it works\n"
    assert {path for path in played.files if path.startswith("folder/")} >= {"folder/full/x", f"folder/b are/{EMPTY}"}


# --- refused ----------------------------------------
PIPE = """
rule two:
    input: "x"
    output: "out.txt"
    shell: "cat {input} > {output}"

rule one:
    input: "in.txt"
    output: pipe("x")
    shell: "cat {input} > {output}"
"""
ON_BOTH = [
    (PIPE, "pipe()"),
    (ONE.format(more="resources: gpu=1"), "GPU"),
    (ONE.format(more="resources: nvidia_gpu=1"), "GPU"),
    (ONE.format(more="conda: 'env.yaml'"), "`conda:` environment"),
]


@pytest.mark.parametrize("engine", MOSTLY_TIBANNA)
@pytest.mark.parametrize(("snakefile", "said"), ON_BOTH, ids=["pipe", "gpu", "nvidia", "conda"])
def test_what_no_engine_can_do_is_refused_with_the_rules_name(play, tmp_path: Path, engine: str, snakefile, said):
    workflow = write(tmp_path / "w", {"Snakefile": snakefile, "env.yaml": "dependencies: [samtools]\n"})

    played = play(engine, workflow, {"in.txt": "x\n"})

    assert played.inputs == []
    assert "rule one (line " in played.outcome.message
    assert said in played.outcome.message


ALL_AT_ONCE = """
rule all:
    input: "a.txt", "b.txt", "c.txt", "e.txt", "/ref/genome.txt", "../other/out.txt"

rule modules:
    output: "a.txt"
    envmodules: "bio/samtools/1.17"
    shell: "samtools > {output}"

rule wrapped:
    input: "in.txt"
    output: "b.txt"
    wrapper: "file:wrapped"

rule noted:
    output: "c.txt"
    notebook: "plot.py.ipynb"

rule lost:
    output: local("d.txt")
    shell: "echo d > {output}"

rule late:
    input: local("d.txt")
    output: "e.txt"
    shell: "cp {input} {output}"

rule elsewhere:
    output: "/ref/genome.txt"
    shell: "echo ref > {output}"

rule beside:
    output: "../other/out.txt"
    shell: "echo out > {output}"
"""
EACH_OF_THEM = {
    "rule modules (line 5 of Snakefile) needs `envmodules:`",
    "rule wrapped (line 10 of Snakefile); rule noted (line 15 of Snakefile) have a `wrapper:` or `notebook:`",
    "rule lost (line 19 of Snakefile) writes to local()",
    "rule elsewhere (line 28 of Snakefile); rule beside (line 32 of Snakefile) have files outside of the launch's data",
}


@pytest.mark.parametrize("engine", MOSTLY_TIBANNA)
def test_every_fault_is_told_at_once(play, tmp_path: Path, engine: str):
    notebook = {"cells": [], "metadata": {"language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 5}
    files = {"Snakefile": ALL_AT_ONCE, "wrapped/wrapper.py": "", "plot.py.ipynb": json.dumps(notebook)}

    played = play(engine, write(tmp_path / "w", files), {"in.txt": "x\n"})

    assert played.inputs == []
    assert {said for said in EACH_OF_THEM if said not in played.outcome.message} == set(), played.outcome.message


@pytest.mark.parametrize("engine", MOSTLY_TIBANNA)
def test_a_workdir_is_refused(play, tmp_path: Path, engine: str):
    workflow = write(tmp_path / "w", 'workdir: "sub"\n\n' + ONE.format(more="threads: 1"))

    played = play(engine, workflow, {"in.txt": "x\n", "sub/in.txt": "y\n"})

    assert played.inputs == []
    assert played.outcome.message.startswith("The Snakefile has `workdir: sub`")


@pytest.mark.full
def test_an_image_of_the_launchs_own_is_taken_at_its_word(play, tmp_path: Path):
    workflow = write(
        tmp_path / "w", {"Snakefile": ONE.format(more="conda: 'env.yaml'"), "env.yaml": "dependencies: [samtools]\n"}
    )

    play("aws-batch", workflow, {"in.txt": "x\n"}, ownImage=True).expect_done()


REFUSED = [
    (
        "aws-batch",
        "container: 'docker://quay.io/biocontainers/samtools:1.17'",
        "in.txt",
        "all jobs of a launch run in one",
    ),
    ("aws-batch", "threads: 1", "out#1.txt", "# or ?"),
    ("aws-batch", "log: 'logs/a#1.log'", "in.txt", "# or ?"),
    ("tibanna", "container: 'docker://lab/tool:1'\n    group: 'together'", "in.txt", "in a group"),
    ("tibanna", "container: '/images/tool.sif'", "in.txt", "no Docker image"),
    ("tibanna", "threads: 1", "in of S(1).txt", "Tibanna's downloads"),
    ("tibanna", "threads: 1", "in'1.txt", "Tibanna's downloads"),
    ("tibanna", "threads: 1", "out$1.txt", "Tibanna's downloads"),
]


@pytest.mark.parametrize(("engine", "more", "name", "said"), REFUSED)
def test_what_an_engine_cannot_do_is_refused_with_the_rules_name(play, tmp_path: Path, engine, more, name, said):
    workflow = write(tmp_path / "w", ONE.format(more=more).replace("out.txt" if "out" in name else "in.txt", name))

    played = play(engine, workflow, {"in.txt": "x\n", name: "x\n"} if "out" not in name else {"in.txt": "x\n"})

    assert played.inputs == []
    assert "rule one (line 1 of Snakefile)" in played.outcome.message
    assert said in played.outcome.message


def test_more_inputs_than_step_functions_takes_are_refused_before_anything_runs(play, tmp_path: Path):
    folder = f"cohort/{'calls' * 45}/{'variants' * 28}"  # few files with long names are as long as many
    text = f"""
rule all:
    input: "merged.txt"

rule first:
    output: "first.txt"
    shell: "echo 1 > {{output}}"

rule merge:
    input: "first.txt", expand("{folder}/{{n}}.g.vcf.txt", n=range(300))
    output: "merged.txt"
    shell: "cat {{input}} | wc -l > {{output}}"
"""
    data = {f"{folder}/{n}.g.vcf.txt": "v\n" for n in range(300)}

    played = play("tibanna", write(tmp_path / "w", text), data)

    assert played.inputs == []
    assert "rule merge (line 9 of Snakefile) has 301 inputs" in played.outcome.message


@pytest.mark.parametrize("engine", MOSTLY_TIBANNA)
def test_threads_may_be_all_cores(play, tmp_path: Path, engine: str):
    workflow = one(tmp_path, "threads: workflow.cores")

    played = play(engine, workflow, {"in.txt": "x\n"}, cores=4).expect_done()

    asked = str(played.inputs[0])
    assert "'cpu': 4" in asked or "{'type': 'VCPU', 'value': '4'}" in asked


SILENT = 'rule silent:\n    input: "in.txt"\n    output: "out.txt"\n    shell: "exit 5"\n'
GROUPED = """
rule all:
    input: "b.txt"

rule a:
    input: "in.txt"
    output: "a.txt"
    group: "both"
    shell: "cp {input} {output}"

rule b:
    input: "a.txt"
    output: "b.txt"
    group: "both"
    script: "b.py"
"""


@pytest.mark.parametrize("engine", MOSTLY_TIBANNA)
def test_a_rule_that_says_nothing_is_told_by_its_name_and_no_line_of_snakemakes(play, tmp_path: Path, engine: str):
    played = play(engine, write(tmp_path / "w", SILENT), {"in.txt": "x\n"})

    assert played.outcome.message.startswith(
        "The job silent failed: Error in rule silent: its command ended with exit code 5, and wrote no message."
    )


@pytest.mark.parametrize("engine", MOSTLY_TIBANNA)
def test_a_script_of_a_group_is_told_by_its_exception(play, tmp_path: Path, engine: str):
    workflow = write(tmp_path / "w", {"Snakefile": GROUPED, "b.py": 'raise ValueError("no such gene: BRCA9")\n'})

    played = play(engine, workflow, {"in.txt": "x\n"})

    assert played.outcome.message.endswith("failed: ValueError: no such gene: BRCA9 (line 1 of b.py)")


TOLD_OF_A_RULE = {
    "no command": (
        'rule all:\n    input: "x.txt"\n\nrule x:\n    output: "x.txt"\n',
        ["rule x (line 4 of Snakefile) has an `output:`, and nothing that makes it", "Add a `shell:`"],
    ),
    "no rule at all": ("# nothing\n", ["The Snakefile has no rule"]),
    "no script": (
        'rule r:\n    output: "x.txt"\n    script: "scripts/nosuch.py"\n',
        ["rule r (line 1 of Snakefile) has the script scripts/nosuch.py", "no such file among the launch's sources"],
    ),
    "no cores": (
        'rule r:\n    output: "x.txt"\n    threads: workflow.cores\n    shell: "touch {output}"\n',
        ["`workflow.cores` of rule r is asked for", "Set `cores`"],
    ),
    "no include": (
        'include: "rules/no.smk"\n',
        ["there is no file rules/no.smk. It belongs to the workflow's sources: upload it there"],
    ),
}


@pytest.mark.parametrize("engine", MOSTLY_TIBANNA)
@pytest.mark.parametrize("name", TOLD_OF_A_RULE)
def test_what_the_sources_lack_is_told_in_a_sentence_before_any_job(play, tmp_path: Path, engine: str, name: str):
    text, said = TOLD_OF_A_RULE[name]

    played = play(engine, write(tmp_path / "w", text), {"in.txt": "x\n"})

    assert played.outcome.type == "ApplicationError"
    assert [words for words in said if words not in played.outcome.message] == [], played.outcome.message
    assert "\n" not in played.outcome.message
    assert "/w/" not in played.outcome.message.replace("s3://", "")
    assert played.inputs == []


TOLD_OF_A_JOB = {
    "grep that finds nothing": (
        'shell: "grep zzz {input} > {output}"',
        ["Error in rule one: its command ended with exit code 1, and wrote no message", "`grep` that finds nothing"],
    ),
    "a killed shell": ('shell: "kill -9 $$"', ["ended by SIGKILL", "the rule one ask for more by `mem_mb`"]),
    "a killed program": (
        "shell: \"python -c 'import os; os.kill(os.getpid(), 9)'; touch {output}\"",
        ["Killed", "the rule one ask for more by `mem_mb`"],
    ),
    "an undeclared input": (
        'shell: "cat more.txt {input} > {output}"',
        ["cat: more.txt: No such file or directory. If more.txt is in the launch's data, name it in the rule's "],
    ),
    "an exception of run": (
        'run:\n        assert len(open(input[0]).read()) > 100, "too few reads"',
        ["AssertionError in file ", "line 5: too few reads"],
    ),
    "a script that opens what it did not name": (
        'script: "open.py"',
        ["No such file or directory: 'more.txt'. If more.txt is in the launch's data, name it in"],
    ),
    "a local rule": ('localrule: True\n    shell: "echo no luck >&2; exit 3"', ["The job one failed: no luck"]),
}


@pytest.mark.parametrize("engine", MOSTLY_TIBANNA)
@pytest.mark.parametrize("name", TOLD_OF_A_JOB)
def test_why_a_job_failed_is_told_with_what_to_do(play, tmp_path: Path, engine: str, name: str):
    action, said = TOLD_OF_A_JOB[name]
    text = f'rule one:\n    input: "in.txt"\n    output: "out.txt"\n    {action}\n'
    if name == "a local rule":
        text = "localrules: one\n\n" + text.replace("    localrule: True\n", "")
    workflow = write(tmp_path / "w", {"Snakefile": text, "open.py": "open('more.txt')\n"})

    played = play(engine, workflow, {"in.txt": "x\n", "more.txt": "y\n"})

    assert [words for words in said if words not in played.outcome.message] == [], played.outcome.message
    assert [words for words in ("/tmp/", "/jobs/", "thread.py", "\n") if words in played.outcome.message] == []


ENSURED = """
rule one:
    input: "in.txt"
    output: ensure("out.txt", non_empty=True)
    shell: "{command} {{output}}"
"""


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("older", [None, {"out.txt": "of an earlier run\n"}], ids=["new", "again"])
def test_an_output_that_is_to_hold_something_is_looked_at_in_its_job(play, tmp_path: Path, engine: str, older):
    empty = write(tmp_path / "a", ENSURED.format(command="touch"))
    played = play(engine, empty, {"in.txt": "x\n"}, older=older)

    assert "the rule's output is empty, and its `ensure(..., non_empty=True)` says" in played.outcome.message
    assert "out.txt" in played.outcome.message

    full = write(tmp_path / "b", ENSURED.format(command="cp {input}"))
    assert play(engine, full, {"in.txt": "x\n"}, older=older).expect_done().files["out.txt"] == "x\n"


LATER = """
rule all:
    input: "done.txt"

checkpoint find:
    output: "found.txt"
    shell: "echo {name} > {{output}}"

def found(wildcards):
    with checkpoints.find.get().output[0].open() as names:
        return names.read().split()

rule use:
    input: found
    output: "done.txt"
    {more}
    shell: "cat {{input}} > {{output}}"
"""


@pytest.mark.parametrize(
    ("engine", "name", "more"), [("tibanna", "a(1).txt", ""), ("aws-batch", "a.txt", "resources: gpu=1")]
)
def test_what_a_checkpoint_adds_is_refused_as_it_comes(play, tmp_path: Path, engine: str, name: str, more: str):
    text = LATER.format(name=f"'{name}'", more=more or "threads: 1")

    played = play(engine, write(tmp_path / "w", text), {name: "x\n"}, retries=3)

    assert "rule use (line 13 of Snakefile)" in played.outcome.message
    assert len(played.inputs) <= 1


def test_an_image_for_all_rules_is_no_fault_of_what_only_asks_for_files(play, tmp_path: Path):
    text = 'container: "docker://lab/tool:1"\n\nrule all:\n    input: "out.txt"\n\n' + ONE.format(more="threads: 1")

    played = play("tibanna", write(tmp_path / "w", text), {"in.txt": "x\n"}).expect_done()

    assert [each["args"]["container_image"] for each in played.inputs] == ["lab/tool:1"]
