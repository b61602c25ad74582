"""Small workflows, as texts of files."""

from pathlib import Path

ALL_LISTERS = {
    "Snakefile": """
import glob, json, os
from pathlib import Path
import helper

with open("sheet.tsv") as sheet:
    SHEET = sheet.read().split()

FOUND = {
    "wildcards": sorted(glob_wildcards("reads/{s}_R1.fq").s),
    "deep": sorted(glob_wildcards("{folder}/{s}.fq").s),
    "listdir": sorted(os.listdir("reads")),
    "glob": sorted(glob.glob("reads/*_R1.fq")),
    "recursive": sorted(glob.glob("reads/**/*.fq", recursive=True)),
    "iglob": sorted(glob.iglob("re*ds/*.fq")),
    "path": sorted(str(path) for path in Path("reads").glob("*R1*")),
    "rglob": sorted(str(path) for path in Path(".").rglob("c_*.fq")),
    "iterdir": sorted(path.name for path in Path("reads").iterdir()),
    "top": sorted(name for name in os.listdir(".") if name != ".snakemake"),
    "root": sorted(path for path in glob_wildcards("{top}").top if ".snakemake" not in path),
    "walk": sorted(name for _, _, names in os.walk("reads") for name in names),
    "exists": [os.path.exists(p) for p in ("reads/a_R1.fq", "reads", "reads/a", "nowhere", "Snakefile")],
    "is": [os.path.isfile("reads"), os.path.isdir("reads/deep"), Path("reads/a_R2.fq").is_file()],
    "access": [os.access(p, os.R_OK) for p in ("reads/a_R1.fq", "reads", "nowhere")],
    "scandir": sorted((e.name, e.path, e.is_dir(), e.is_file()) for e in os.scandir("reads")),
    "sizes": [os.path.getsize("reads/a_R2.fq"), os.stat("reads/a_R1.fq").st_size, Path("sheet.tsv").stat().st_size],
    "scanned": [e.stat().st_size for e in os.scandir("reads") if e.name == "a_R2.fq"],
    "old": os.path.getmtime("reads/a_R1.fq") > 0,
    "helper": helper.names(),
    "sheet": SHEET,
}

rule all:
    input: "found.json", expand("counts/{s}.txt", s=FOUND["wildcards"])

rule found:
    input: "reads/a_R1.fq"
    output: "found.json"
    params: json.dumps(FOUND, sort_keys=True)
    shell: "echo {params:q} > {output}"

def mates(wildcards):
    first = f"reads/{wildcards.s}_R1.fq"
    second = first.replace("R1", "R2")
    return [first, second] if os.path.exists(second) else [first]

rule count:
    input: mates
    output: "counts/{s}.txt"
    shell: "cat {input} | wc -l > {output}"
""",
    "helper.py": """
import os

def names():
    return sorted(name for name in os.listdir("reads") if name.endswith("_R2.fq"))
""",
}
READS = {
    "reads/a_R1.fq": "a\n",
    "reads/a_R2.fq": "a\na\n",
    "reads/b_R1.fq": "b\n",
    "reads/deep/c_R1.fq": "c\n",
    "sheet.tsv": "one two\n",
}

CLUSTERS = """
rule all:
    input: "merged.txt"

checkpoint cluster:
    input: "all.txt"
    output: directory("clusters")
    shell: "mkdir -p {output} && for c in $(cat {input}); do echo $c > {output}/$c.txt; done"

rule part:
    input: "clusters/{c}.txt"
    output: "part/{c}.txt"
    shell: "cat {input} {input} > {output}"

def parts(wildcards):
    folder = checkpoints.cluster.get().output[0]
    return sorted(expand("part/{c}.txt", c=glob_wildcards(os.path.join(folder, "{c}.txt")).c))

rule merge:
    input: parts
    output: "merged.txt"
    shell: "cat {input} > {output}"
"""

NESTED = """
rule all:
    input: "merged.txt"

checkpoint a:
    input: "all.txt"
    output: directory("a")
    shell: "mkdir -p {output} && for c in $(cat {input}); do echo $c > {output}/$c.txt; done"

checkpoint b:
    input: "a/{s}.txt"
    output: directory("b/{s}")
    shell: "mkdir -p {output} && for c in 1 2; do cat {input} > {output}/$c.txt; done"

rule part:
    input: "b/{s}/{i}.txt"
    output: "part/{s}/{i}.txt"
    shell: "cat {input} {input} > {output}"

def found(wildcards):
    parts = []
    for s in sorted(glob_wildcards(checkpoints.a.get().output[0] + "/{s}.txt").s):
        folder = checkpoints.b.get(s=s).output[0]
        parts += [f"part/{s}/{i}.txt" for i in sorted(glob_wildcards(os.path.join(folder, "{i}.txt")).i)]
    return parts

rule merge:
    input: found
    output: "merged.txt"
    shell: "cat {input} > {output}"
"""
NONE_FOUND = """
rule all:
    input: "merged.txt"

checkpoint a:
    input: "all.txt"
    output: directory("a"), "log.txt"
    shell: "mkdir -p {output[0]} && echo none > {output[1]}"

def found(wildcards):
    return sorted(expand("part/{s}.txt", s=glob_wildcards(checkpoints.a.get().output[0] + "/{s}.txt").s))

rule part:
    input: "a/{s}.txt"
    output: "part/{s}.txt"
    shell: "cp {input} {output}"

rule merge:
    input: found
    output: "merged.txt"
    shell: "cat /dev/null {input} > {output}"
"""
FOLDERS = """
rule all:
    input: "out.txt", "count.txt"

rule many:
    output: temp(directory("many"))
    shell: "mkdir -p {output}; echo 1 > {output}/a; echo 2 > {output}/b"

rule one:
    input: "many"
    output: "out.txt"
    shadow: "minimal"
    shell: "cat {input}/* > x; cat x > {output}"

rule count:
    input: "reads"
    output: "count.txt"
    shell: "ls {input} | wc -l > {output}"
"""
MODULES = {
    "Snakefile": """
configfile: "config.yaml"
SHEET = open("reads/sheet.txt").read().split()

module counting:
    snakefile: "modules/counting/Snakefile"
    config: config

use rule * from counting as counting_*

rule all:
    input: expand("counted/{s}.txt", s=SHEET)
    default_target: True
""",
    "modules/counting/Snakefile": """
rule count:
    input: "reads/{s}.fq"
    output: "counted/{s}.txt"
    params: lines=lambda wildcards, input: len(open(input[0]).readlines()), unit=config["unit"]
    script: "scripts/count.py"
""",
    "modules/counting/scripts/count.py": """
with open(snakemake.output[0], "w") as out:
    out.write(f"{snakemake.params.lines} {snakemake.params.unit}\\n")
""",
    "config.yaml": "unit: reads\n",
}
MORE: dict[str, tuple[dict[str, str] | str, dict[str, str]]] = {
    "a checkpoint for each of a checkpoint's files": (NESTED, {"all.txt": "x y\n"}),
    "a checkpoint that finds nothing": (NONE_FOUND, {"all.txt": "x y\n"}),
    "folders that are inputs and outputs": (FOLDERS, {"reads/a": "x\n", "reads/b": "x\n"}),
    "a module with its script, parameters by a file's content": (
        MODULES,
        {"reads/sheet.txt": "p q\n", "reads/p.fq": "1\n2\n", "reads/q.fq": "1\n"},
    ),
}
"""Sources and data."""

PATHS = {
    "Snakefile": """
SHEET = open("in/sheet.txt").read().split()

rule all:
    input: "sums.txt", "found.txt", "shadow.txt", "own.txt", "run.txt", "script.txt", "grouped.txt"

checkpoint split:
    output: directory("parts")
    shell: "mkdir -p {output}; for i in 1 2; do echo {output} $i > {output}/$i.txt; done"

def sums(wildcards):
    folder = checkpoints.split.get().output[0]
    return sorted(expand("sums/{i}.txt", i=glob_wildcards(os.path.join(folder, "{i}.txt")).i))

rule sum:
    input: "parts/{i}.txt"
    output: "sums/{i}.txt"
    shell: "md5sum {input} > {output}"

rule sums:
    input: sums
    output: "sums.txt"
    log: "logs/sums.log"
    shell: "md5sum {input} > {output}; echo {output} {log} > {log}"

rule find:
    input: "reads"
    output: "found.txt", multi=multiext("more/found", ".a", ".b")
    shell: "find {input} -type f | sort > {output[0]}; (cd reads; ls >> ../{output[0]}); touch {output.multi}"

rule shadow:
    input: "in/sheet.txt"
    output: "shadow.txt"
    shadow: "minimal"
    shell: "md5sum {input} > tmp; mv tmp {output}"

rule own:
    input: "conf/own.txt"
    output: "own.txt"
    shell: "cat {input} > {output}"

rule run:
    input: "in/sheet.txt"
    output: "run.txt"
    params: length=lambda wildcards, input: len(open(input[0]).read())
    run:
        open(output[0], "w").write(f"{input[0]} {output[0]} {params.length}")

rule script:
    input: "in/sheet.txt"
    output: "script.txt"
    script: "say.py"

rule group_a:
    input: "in/sheet.txt"
    output: temp("a.txt")
    group: "g"
    shell: "md5sum {input} > {output}"

rule group_b:
    input: "a.txt"
    output: "grouped.txt"
    group: "g"
    shell: "md5sum {input} > {output}"
""",
    "say.py": "open(snakemake.output[0], 'w').write(f'{snakemake.input} {snakemake.output}')",
    "conf/own.txt": "of the sources\n",
}
PATHS_DATA = {
    "in/sheet.txt": "a b\n",
    "reads/a.txt": "a\n",
    "reads/deep/b.txt": "b\n",
    "conf/own.txt": "of the data\n",
}

STANDARD = {
    "workflow/Snakefile": """
configfile: "config/config.yaml"
include: "rules/common.smk"

rule all:
    input: "out.txt"

rule one:
    output: "out.txt"
    params: t=config["title"]
    script: "scripts/say.py"
""",
    "workflow/rules/common.smk": "import csv\nwith open('config/samples.tsv') as f:\n    SAMPLES = f.read().split()\n",
    "workflow/scripts/say.py": """
with open(snakemake.output[0], "w") as said, open("config/samples.tsv") as samples:
    said.write(snakemake.params.t + samples.read())
""",
    "config/config.yaml": "title: hello\n",
    "config/samples.tsv": "x y\n",
}


def write(folder: Path, files: dict[str, str] | str) -> Path:
    """Write them below the folder; a text alone is the Snakefile."""
    for name, text in ({"Snakefile": files} if isinstance(files, str) else files).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder
