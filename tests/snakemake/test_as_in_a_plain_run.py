"""What rules see, name and write is what they see, name and write in a plain run."""

import hashlib
from pathlib import Path

import pytest

from snakemake_launcher.genolaunch_job import EMPTY
from tests.snakemake.plays import ENGINES, plain_run
from tests.snakemake.workflows import write

TIBANNA, AWS_BATCH = ENGINES
DATA = {"in/a.txt": "alpha\n", "in/b.txt": "beta\nbeta2\n"}
SCRIPT = """
open(snakemake.output[0], "w").write(str(snakemake.input) + "".join(open(path).read() for path in snakemake.input))
"""

CP_FORMS = """
import os, glob
from pathlib import Path

rule all:
    input: [f"list{n}.txt" for n in range(1, 10)]

checkpoint split:
    input: "in/b.txt"
    output: directory("parts"), "names.txt"
    shell:
        "mkdir -p {output[0]}; split -l 1 -d --additional-suffix=.txt {input} {output[0]}/p; "
        "ls {output[0]} > {output[1]}"

def d(w): return checkpoints.split.get(**w).output[0]

rule l1:
    input: lambda wc: expand(d(wc) + "/{i}.txt", i=sorted(glob_wildcards(d(wc) + "/{i}.txt").i))
    output: "list1.txt"
    shell: "cat {input} > {output}; echo {input} >> {output}"

def names(w):
    with checkpoints.split.get(**w).output[1].open() as f:
        return ["parts/" + n.strip() for n in f]

rule l2:
    input: names
    output: "list2.txt"
    shell: "cat {input} > {output}; echo {input} >> {output}"

def named(w):
    return {"first": d(w) + "/p00.txt", "rest": sorted(glob.glob(os.path.join(d(w), "*")))}

rule l3:
    input: unpack(named), sheet="in/a.txt"
    output: "list3.txt"
    params: n=lambda wc, input: len(input), p=lambda wc: checkpoints.split.get().output[0] + "/x"
    shell: "cat {input.rest} > {output}; echo {input.first} {params.n} {params.p} >> {output}"

def cut(w):
    return ["up/" + p.split("/")[1] for p in sorted(glob.glob(d(w) + "/*.txt"))]

rule up:
    input: "parts/{i}.txt"
    output: "up/{i}.txt"
    shell: "tr a-z A-Z < {input} > {output}"

rule l4:
    input: cut
    output: "list4.txt"
    shell: "cat {input} > {output}; echo {input} >> {output}"

def walked(w):
    return sorted(os.path.join(r, f) for r, _, fs in os.walk(d(w)) for f in fs)

rule l5:
    input: walked
    output: "list5.txt"
    run:
        with open(output[0], "w") as o:
            for f in input: o.write(f + " " + open(f).read())

rule l6:
    input: lambda wc: [str(p) for p in sorted(Path(checkpoints.split.get().output[0]).iterdir())]
    output: "list6.txt"
    script: "s.py"

rule l7:
    input: lambda wc: checkpoints.split.get(**wc).output[0]
    output: "list7.txt"
    shell: "ls {input} > {output}; echo {input} >> {output}"

rule l8:
    input: lambda wc: [os.path.abspath(p) for p in sorted(glob.glob(d(wc) + "/*"))]
    output: "list8.txt"
    shell: "cat {input} > {output}"

def opened(w):
    with open(checkpoints.split.get(**w).output[1]) as f:
        return sorted(os.path.join(os.path.dirname(f.name), "parts", n.strip()) for n in f)

rule l9:
    input: opened, names="names.txt"
    output: "list9.txt"
    shell: "cat {input} > {output}; echo {input} >> {output}"
"""

REFS = """
S = ["a", "b"]

rule all:
    input: "all.txt", "again.txt", "third.txt"

rule up:
    input: "in/{s}.txt"
    output: "up/{s}.txt", two="up2/{s}.txt"
    shell: "tr a-z A-Z < {input} > {output[0]}; cp {input} {output.two}"

rule merge:
    input: expand(rules.up.output, s=S)
    output: "all.txt"
    shell: "cat {input} > {output}; echo {input} >> {output}"

rule again:
    input: lambda wc: expand(rules.up.output.two, s=S)
    output: "again.txt"
    params: f=lambda wc: [rules.up.output[0].format(s=s) for s in S]
    shell: "cat {input} > {output}; echo {input} {params.f} >> {output}"

rule third:
    input: [rules.up.output[0].format(s=s) for s in S]
    output: "third.txt"
    shell: "cat {input} > {output}; echo {input} >> {output}"
"""

LOCAL_RULES = """
localrules: all, a, b, c

rule all:
    input: "a.txt", "b.txt", "c.txt", "d.txt", "flag.done"

rule flag:
    input: "a.txt"
    output: touch("flag.done")

rule a:
    input: "in/a.txt"
    output: "a.txt"
    shell: "wc -l {input} > {output}; echo {output} >> {output}"

rule b:
    input: "in/a.txt"
    output: "b.txt"
    run:
        open(output[0], "w").write(f"{input} {output}")

rule c:
    input: "in/a.txt"
    output: "c.txt"
    script: "s.py"

rule d:
    input: "in/a.txt", "c.txt"
    output: "d.txt"
    localrule: True
    params: p=lambda wc, input: str(input[0])
    log: "logs/d.log"
    shell: "md5sum {input} > {output} 2> {log}; echo {log} {params.p} >> {output}"
"""

GROUP_KINDS = """
import os

S, = glob_wildcards("in/{s}.txt")
if not S: raise ValueError("nothing found")

rule all:
    input: expand("out/{s}.4.txt", s=["a","b"])

rule one:
    input: "in/{s}.txt"
    output: temp("out/{s}.1.txt")
    group: "g"
    shell: "cat {input} > {output}; echo {input} >> {output}"

rule two:
    input: "out/{s}.1.txt"
    output: "out/{s}.2.txt"
    group: "g"
    run:
        open(output[0],"w").write(open(input[0]).read().upper()+str(input))

rule three:
    input: "out/{s}.2.txt"
    output: "out/{s}.3.txt"
    group: "g"
    shadow: "minimal"
    shell: "cat {input} > tmp.x; cat tmp.x > {output}; echo {input} >> {output}"

rule four:
    input: "out/{s}.3.txt", "in/a.txt"
    output: "out/{s}.4.txt"
    group: "g"
    script: "s.py"
"""

ENSURED = f"""
rule one:
    input: "in/a.txt"
    output: ensure("out.txt", non_empty=True, sha256="{hashlib.sha256(DATA["in/a.txt"].encode()).hexdigest()}")
    shell: "cp {{input}} {{output}}"
"""

PARAMS_OF_CHECKPOINTS = """
rule all:
    input: "out.txt"

checkpoint find:
    input: "in/a.txt"
    output: directory("found"), temp("count.txt")
    shell: "mkdir -p {output[0]}; for c in x y; do echo $c > {output[0]}/$c.txt; done; echo 2 > {output[1]}"

rule one:
    input: "in/a.txt"
    output: "one/{s}.txt"
    params: found=lambda wc: sorted(os.listdir(checkpoints.find.get().output[0]))
    shell: "echo {params.found} {wildcards.s} > {output}"

def ones(wildcards):
    return sorted(expand("one/{s}.txt", s=glob_wildcards(checkpoints.find.get().output[0] + "/{s}.txt").s))

rule merge:
    input: ones
    output: "out.txt"
    shell: "cat {input} > {output}"
"""
"""No rule but merge depends on the checkpoint: jobs of the rule one begin after it, as merge asks for them then."""

CASES = {
    "params that ask for a checkpoint whose output is no input": PARAMS_OF_CHECKPOINTS,
    "functions of rules that name what a checkpoint made": CP_FORMS,
    "outputs of rules that other rules name": REFS,
    "local rules": LOCAL_RULES,
    "a group of each kind of rule": GROUP_KINDS,
    "an output with a checksum": ENSURED,
}
QUICK = {("local rules", TIBANNA)}
"""Those of `make test`; the others come with `make test-full`."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("name", "engine"),
    [
        pytest.param(name, engine, id=f"{name}-{engine}", marks=() if (name, engine) in QUICK else pytest.mark.full)
        for name in CASES
        for engine in ENGINES
    ],
)
def test_all_is_as_in_a_plain_run(play, tmp_path: Path, name: str, engine: str):
    workflow = write(tmp_path / "w", {"Snakefile": CASES[name], "s.py": SCRIPT})
    right = plain_run(engine, workflow, DATA, tmp_path)

    played = play(engine, workflow, DATA).expect_done()

    assert played.files == right


EMPTY_FOLDERS = """
import os

rule all:
    input: "found.txt", "listed.txt", "walked.txt", "grouped.txt", "nothing.txt"

checkpoint make:
    input: "in/a.txt"
    output: directory("parts")
    shell: "mkdir -p {output}/full {output}/hollow/deeper {output}/bare; cp {input} {output}/full"

rule found:
    input: "parts"
    output: "found.txt"
    shell: "find {input} ! -name .snakemake_timestamp | sort > {output}; ls -A {input}/bare >> {output}"

rule listed:
    input: "parts"
    output: "listed.txt"
    script: "s.py"

rule walked:
    input: lambda wc: checkpoints.make.get().output[0]
    output: "walked.txt"
    params: lambda wc: sorted(path for path, _, _ in os.walk(checkpoints.make.get().output[0]))
    shell: "echo {params} > {output}"

rule grouped_one:
    output: directory("pair")
    group: "g"
    shell: "mkdir -p {output}/bare; touch {output}/x"

rule grouped_two:
    input: "pair"
    output: "grouped.txt"
    group: "g"
    run:
        open(output[0], "w").write(str(sorted(name for path in os.walk("pair") for name in path[1] + path[2])))

rule nothing:
    output: directory("none")
    shell: "mkdir {output}"

rule of_nothing:
    input: "none"
    output: "nothing.txt"
    shell: "ls {input} > {output}; test -d {input} && echo there >> {output}"
"""
LISTS = """
import os
open(snakemake.output[0], "w").write(str(sorted((path, sorted(names)) for path, names, _ in os.walk("parts"))))
"""


@pytest.mark.timeout(300)
@pytest.mark.full
@pytest.mark.parametrize("engine", ENGINES)
def test_folders_that_hold_nothing_are_there_for_later_rules(play, tmp_path: Path, engine: str):
    workflow = write(tmp_path / "w", {"Snakefile": EMPTY_FOLDERS, "s.py": LISTS})
    right = plain_run(engine, workflow, DATA, tmp_path)

    played = play(engine, workflow, DATA).expect_done()

    assert _without_marks(played.files) == _without_marks(right)
    marked = {f"{folder}/{EMPTY}" for folder in ("parts/bare", "parts/hollow/deeper", "pair/bare")}
    assert marked <= {*played.files}
    assert "parts/hollow/deeper" in right["found.txt"]
    assert "parts/hollow/deeper" in right["walked.txt"]


def _without_marks(files: dict[str, str]) -> dict[str, str]:
    """Without what keeps folders: Snakemake's file is in its directory() in some places, and not in others."""
    return {path: text for path, text in files.items() if Path(path).name not in (EMPTY, ".snakemake_timestamp")}


SOURCES_AS_INPUTS = """
rule all:
    input: "a.txt", "b.txt", "c.txt", "own.txt"

rule a:
    input: "in/a.txt", cfg="conf/extra.txt"
    output: "a.txt"
    shell: "cat {input} > {output}; echo {input} >> {output}"

rule b:
    input: db="resources/db", s="scripts/tool.py"
    output: "b.txt"
    shell: "find {input.db} -type f | sort > {output}; python3 {input.s} >> {output}; echo {input} >> {output}"

rule c:
    input: "conf/extra.txt", "conf/more.txt"
    output: "c.txt"
    script: "s.py"

rule own:
    input: "conf/own.txt"
    output: "own.txt"
    shell: "cat {input} > {output}; echo {input} >> {output}"
"""
SOURCES = {
    "Snakefile": SOURCES_AS_INPUTS,
    "s.py": SCRIPT,
    "conf/extra.txt": "extra\n",
    "conf/more.txt": "more\n",
    "conf/own.txt": "of the sources\n",
    "resources/db/x": "x\n",
    "resources/db/deep/y": "y\n",
    "scripts/tool.py": 'print("tool")\n',
}
COPIED = {"conf/extra.txt", "conf/more.txt", "resources/db/x", "resources/db/deep/y", "scripts/tool.py"}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("engine", [TIBANNA, pytest.param(AWS_BATCH, marks=pytest.mark.full)])
def test_inputs_may_be_among_the_sources(play, tmp_path: Path, engine: str):
    data = {**DATA, "conf/own.txt": "of the data\n"}
    workflow = write(tmp_path / "w", SOURCES)
    right = plain_run(engine, workflow, data, tmp_path)

    played = play(engine, workflow, data, name=f"sources-{engine}").expect_done()

    assert {path: text for path, text in played.files.items() if path not in COPIED} == right
    assert {path: played.files[path] for path in COPIED} == {path: SOURCES[path] for path in COPIED}

    changed = write(tmp_path / "w", {"conf/more.txt": "changed\n"})
    again = play(engine, changed, name=f"sources-{engine}").expect_done()
    assert again.files["c.txt"].endswith("extra\nchanged\n")
    assert again.files["conf/own.txt"] == "of the data\n"
    assert len(again.inputs) == 1  # c.txt


LEFT_OUT_BY_S3 = """
import os

NAMES = ["x=1,y=2", "50%,a"]
os.makedirs("written", exist_ok=True)
with open("written/names.txt", "w") as names:
    names.write("\\n".join(NAMES))

onsuccess:
    shell("echo done > handled.txt")

rule all:
    input: "ran.txt", "own.txt", "named.txt", "grouped.txt"

rule make:
    output: "bin/tool", folder=directory("tools")
    shell:
        "printf '#!/bin/sh\\\\necho made $1\\\\n' > {output[0]}; chmod +x {output[0]}; mkdir {output.folder}; "
        "cp -p {output[0]} {output.folder}/more; mkdir {output.folder}/real; echo r > {output.folder}/real/r; "
        "ln -s real {output.folder}/linked"

rule ran:
    input: "bin/tool", "tools"
    output: "ran.txt"
    shell: "./{input[0]} x > {output}; {input[1]}/more y >> {output}; cat {input[1]}/linked/r >> {output}"

rule own:
    input: "in/a.txt"
    output: "own.txt"
    shell: "scripts/own.sh {input} > {output}"

rule comma:
    input: "written/names.txt"
    output: "named/{n}.txt"
    shell: "echo '{wildcards.n}' | cat - {input} > '{output}'"

rule named:
    input: expand("named/{n}.txt", n=NAMES)
    output: "named.txt"
    shell: "cat '{input[0]}' '{input[1]}' > {output}"

rule comma_in_group:
    output: temp("grouped/{n}.txt")
    group: "g"
    shell: "echo '{wildcards.n}' > '{output}'"

rule grouped:
    input: expand("grouped/{n}.txt", n=NAMES)
    output: "grouped.txt"
    group: "g"
    shell: "cat '{input[0]}' '{input[1]}' > {output}"
"""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("engine", [TIBANNA, pytest.param(AWS_BATCH, marks=pytest.mark.full)])
def test_programs_links_commas_and_files_of_the_snakefile_are_as_they_were(play, tmp_path: Path, engine: str):
    workflow = write(
        tmp_path / "w", {"Snakefile": LEFT_OUT_BY_S3, "scripts/own.sh": '#!/bin/bash\necho own $1\ncat "$1"\n'}
    )
    (workflow / "scripts" / "own.sh").chmod(0o755)
    right = plain_run(engine, workflow, DATA, tmp_path)

    played = play(engine, workflow, DATA).expect_done()

    assert played.files.pop("tools/linked/r") == "r\n"
    assert played.files == {path: text for path, text in right.items() if path != "handled.txt"}
    (warning,) = [words for words in played.outcome.warnings if "onsuccess" in words]
    assert warning == (
        "The Snakefile's `onsuccess:` wrote handled.txt in the launcher, where no result is kept. Let a rule write "
        "what is to stay."
    )
