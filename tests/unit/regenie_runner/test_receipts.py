"""What was cut, altered or lost since its job made it is made again by a retry: not kept, and not refused for ever."""

import hashlib
import json
import subprocess
from typing import Any

import pytest

from regenie_runner.receipts import Receipt
from tests.unit.regenie_runner.conftest import HEADER, chunk_task, merge_task, result_row
from tests.unit.regenie_runner.test_qc import LENIENT

LEVEL1 = "step1/predictions/height"
ROWS = HEADER + result_row("1", 5) + result_row("1", 7)

CUT, SAME_SIZE, LOST, EMPTY = "cut", "altered", "lost", "emptied"
each_spoiling = pytest.mark.parametrize("how", [CUT, SAME_SIZE, LOST, EMPTY])


def spoil(path, how: str) -> None:
    content = path.read_bytes()
    if how == LOST:
        path.unlink()
    elif how == EMPTY:
        path.write_bytes(b"")
    elif how == CUT:
        path.write_bytes(content[: len(content) // 2])
    else:
        path.write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
        assert path.stat().st_size == len(content)


def shell(label: str, script: str, **more: Any) -> dict[str, Any]:
    """A line of a plan whose command notes that it ran."""
    return {"label": label, "command": ["sh", "-c", f'echo {label} >> "$WORKSPACE"/runs; {script}'], **more}


def runs(launch, label: str) -> int:
    path = launch.root / "runs"
    return path.read_text().splitlines().count(label) if path.exists() else 0


def run_twice(launch, phase: str, path, how: str) -> None:
    """When a phase is run, its file spoilt, and it is run again: the file is as it was."""
    assert launch.run(phase) == 0
    before = path.read_bytes()
    spoil(path, how)
    assert launch.run(phase) == 0
    assert path.read_bytes() == before


@each_spoiling
@pytest.mark.parametrize("name", ["chunk_height.regenie", "chunk_ldl.regenie", "chunk.log"])
def test_a_chunk(launch, name, how):
    script = f"printf '{ROWS}' | tee {{output}}/chunk_height.regenie > {{output}}/chunk_ldl.regenie; "
    script = script.replace("\n", "\\n") + "echo 'Number of ignored tests due to low MAC : 0' > {output}/chunk.log"
    launch.plan("step2", {**chunk_task(0, ["height", "ldl"], 2), **shell("chunk", script)})

    run_twice(launch, "step2", launch.work / "step2/000000" / name, how)

    assert runs(launch, "chunk") == 2


@each_spoiling
@pytest.mark.parametrize("phase", ["level1", "step1"])
def test_predictions(launch, phase, how):
    launch.plan(phase, shell("loco", "echo 1 0.5 0.25 > {output}/x.loco", output=LEVEL1, expect=["x.loco"]))

    run_twice(launch, phase, launch.work / LEVEL1 / "x.loco", how)

    assert runs(launch, "loco") == 2


@each_spoiling
@pytest.mark.parametrize("name", ["l0.master", "l0_job1.snplist", "l0_job2.snplist"])
def test_files_of_the_split(launch, name, how):
    folder = "{work}/step1/split"
    script = f"for f in master _job1.snplist _job2.snplist; do echo $f 1 > {folder}/l0$f; done; "
    script += f"mv {folder}/l0master {folder}/l0.master"
    task = shell("split", script, expect=[f"{folder}/l0.master", f"{folder}/l0_job1.snplist"])
    launch.plan("split", {**task, "command": [*task["command"], "--split-l0", f"{folder}/l0,2"]})

    run_twice(launch, "split", launch.work / "step1/split" / name, how)

    assert runs(launch, "split") == 2


@each_spoiling
@pytest.mark.parametrize("number", [1, 2])
def test_files_of_level_0(launch, number, how):
    files = [f"{{work}}/step1/split/l0_job1_l0_Y{trait}" for trait in (1, 2)]
    launch.plan("level0", shell("level0", f"echo 0.5 | tee {files[0]} > {files[1]}", expect=files))

    run_twice(launch, "level0", launch.work / f"step1/split/l0_job1_l0_Y{number}", how)

    assert runs(launch, "level0") == 2


def given_cohort(launch) -> dict[str, object]:
    """Two people with one variant; answers what a task says of their quality control."""
    (launch.data / "cohort.bed").write_bytes(b"\x6c\x1b\x01\x0e")
    (launch.data / "cohort.bim").write_text("1\tv\t0\t1\tA\tG\n")
    (launch.data / "cohort.fam").write_text("f a 0 0 1 0\nf b 0 0 1 0\n")
    launch.write("plan/analysed.txt", "11")
    return {"genotypes": "cohort.bed", "analysed": "plan/analysed.txt", "output": "step1/qc", **LENIENT}


@each_spoiling
@pytest.mark.parametrize("name", ["samples.txt", "variants.txt", "summary.json"])
def test_what_quality_control_left_also_where_the_command_itself_is_complete(launch, name, how):
    quality = given_cohort(launch)
    launch.plan("split", {**shell("split", "echo 1 > {work}/x"), "expect": ["x"], "qc": quality})

    run_twice(launch, "split", launch.work / quality["output"] / name, how)

    assert runs(launch, "split") == 1


def test_quality_control_of_other_inputs_is_done_again(launch):
    quality = given_cohort(launch)
    said = []
    for inputs in ("a", "b", "b"):
        launch.plan("split", {**shell("split", "echo 1 > {work}/x"), "expect": ["x"], "qc": quality, "inputs": inputs})
        assert launch.run("split") == 0
        said.append(Receipt.read(launch.work / quality["output"] / "task.json"))
    assert [receipt and receipt.task["inputs"] for receipt in said] == ["a", "b", "b"]


def given_merge(launch) -> None:
    launch.describe(
        {
            "name": "height-gwas",
            "data": "cohort/",
            "regenie": {"trait_type": "quantitative", "step1": {"qc": False}},
        }
    )
    launch.plan("step2", launch.chunk(0, height=ROWS))
    launch.plan("merge", merge_task("height"))


MERGED = [
    "height.loci.tsv",
    "height.regenie.gz",
    "height.regenie.gz.tbi",
    "height.gwas-ssf.tsv.gz",
    "height.gwas-ssf.tsv.gz-meta.yaml",
    "summary/height.json",
]


@each_spoiling
@pytest.mark.parametrize("name", MERGED)
def test_merged_results(launch, name, how):
    given_merge(launch)

    run_twice(launch, "merge", launch.work / "gwas" / name, how)


@each_spoiling
def test_the_report(launch, how):
    given_merge(launch)
    launch.plan(
        "report", {"label": "report", "output": "report.html", "summaries": {"height": "gwas/summary/height.json"}}
    )
    assert (launch.run("merge"), launch.run("report")) == (0, 0)
    for path in (launch.work / "report.html", launch.work / "gwas/checksums.txt"):
        spoil(path, how)
    assert launch.run("report") == 0
    assert (launch.work / "report.html").read_text().rstrip().endswith("</html>")
    assert (launch.work / "gwas/checksums.txt").read_text().endswith("summary/height.json\n")


@each_spoiling
def test_a_receipt_itself(launch, how):
    launch.plan("level1", shell("loco", "echo 1 0.5 > {output}/x.loco", output=LEVEL1, expect=["x.loco"]))
    assert launch.run("level1") == 0
    spoil(launch.work / LEVEL1 / "task.json", how)
    assert launch.run("level1") == 0
    assert runs(launch, "loco") == 2


def test_a_chunk_of_other_predictions_is_made_again_and_one_of_the_same_is_kept(launch):
    loco = {"height": f"{{work}}/{LEVEL1}/x.loco"}
    chunk = {**chunk_task(0, ["height"], 2, predictions=loco), **shell("chunk", "cat {work}/given > {output}/$0")}
    launch.plan("step2", {**chunk, "command": [*chunk["command"], "chunk_height.regenie"]})
    launch.write("given", ROWS)
    for values in ("0.5", "0.5", "0.6"):
        launch.plan("level1", shell("loco", f"echo 1 {values} > {{output}}/x.loco", output=LEVEL1, expect=["x.loco"]))
        assert (launch.run("level1"), launch.run("step2")) == (0, 0)
    assert (runs(launch, "loco"), runs(launch, "chunk")) == (2, 2)


def test_step_2_does_not_read_predictions_that_were_cut(launch, capfd):
    launch.plan("level1", shell("loco", "echo 1 0.5 0.5 > {output}/x.loco", output=LEVEL1, expect=["x.loco"]))
    assert launch.run("level1") == 0
    spoil(launch.work / LEVEL1 / "x.loco", CUT)
    loco = {"height": f"{{work}}/{LEVEL1}/x.loco"}
    launch.plan("step2", {**chunk_task(0, ["height"], 2, predictions=loco), **shell("chunk", "true")})

    assert launch.run("step2") == 1

    assert "not as the job of step 1 left them; retry the launch" in capfd.readouterr().err
    assert runs(launch, "chunk") == 0


def test_a_merge_does_not_read_chunks_that_were_cut(launch, capfd):
    given_merge(launch)
    (launch.work / "step2/000000/chunk_height.regenie").write_text(HEADER + result_row("1", 5))

    assert launch.run("merge") == 1

    assert "not as the job of step 2 left them; retry the launch" in capfd.readouterr().err


def test_a_trait_is_merged_again_where_a_chunk_came_out_otherwise(launch):
    given_merge(launch)
    assert launch.run("merge") == 0
    launch.plan("step2", launch.chunk(0, height=ROWS + result_row("1", 9)))
    assert launch.run("merge") == 0
    assert json.loads((launch.work / "gwas/summary/height.json").read_text())["rows"] == 3


def test_published_results_can_be_checked_by_sha256sum(launch):
    given_merge(launch)
    launch.plan("level1", shell("loco", "echo 1 0.5 > {output}/x.loco", output=LEVEL1, expect=["x.loco"]))
    launch.plan(
        "report", {"label": "report", "output": "report.html", "summaries": {"height": "gwas/summary/height.json"}}
    )
    assert [launch.run(phase) for phase in ("level1", "merge", "report")] == [0, 0, 0]

    listed = (launch.work / "gwas/checksums.txt").read_text()

    assert [line.split("  ")[1] for line in listed.splitlines()] == sorted(
        [*(f"gwas/{name}" for name in MERGED), f"{LEVEL1}/x.loco"]
    )
    assert hashlib.sha256(b"1 0.5\n").hexdigest() in listed
    check = ["sha256sum", "--check", "--quiet", "gwas/checksums.txt"]
    assert subprocess.run(check, cwd=launch.work, check=False).returncode == 0
    spoil(launch.work / "gwas/height.regenie.gz", SAME_SIZE)
    assert subprocess.run(check, cwd=launch.work, check=False, capture_output=True).returncode == 1
