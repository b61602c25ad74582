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
