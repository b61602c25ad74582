"""The plan of a launch: commands, expected outputs, and what flows from one task to the next."""

from pathlib import Path
from typing import Any, cast

import pytest

from genolaunch.contract.plan import Task
from lambdas.regenie.images import Images
from lambdas.regenie.inputs import read_inputs
from lambdas.regenie.run_sheet import analyse
from lambdas.regenie.tasks import Step1Mode, plan_tasks
from tests.unit.regenie_planning import golden_commands
from tests.unit.regenie_planning.conftest import MemoryDataSet, add_cohort, loco, parameters

IMAGES = Images({"4.1.2": "regenie:4.1.2"}, "4.1.2")
FIVE_VARIANTS = [("1", 10), ("1", 20), ("1", 30), ("2", 40), ("2", 50)]


def plan(data: MemoryDataSet, **given: Any) -> dict[str, list[Task]]:
    config = parameters(**given)
    phases = plan_tasks(analyse(config, read_inputs(data, config, IMAGES)))
    return {phase: list(tasks) for phase, tasks in phases.items()}


def test_every_command_line_is_as_agreed():
    golden = Path(__file__).with_name("golden_commands.txt").read_text(encoding="utf-8")

    assert golden_commands.render() == golden


def test_a_split_step_1_has_the_jobs_of_its_blocks(data: MemoryDataSet):
    # Given 2 blocks on chromosome 1 and 1 on chromosome 2, and more jobs than blocks
    add_cohort(data, *FIVE_VARIANTS)

    phases = plan(data, step1={"block_size": 2, "jobs": 20})

    assert list(phases) == ["split", "level0", "level1", "step2", "merge", "report"]
    assert [task["job"] for task in phases["level0"]] == [1, 2, 3]
    assert phases["split"][0]["expect"] == ["{work}/step1/split/l0.master", "{work}/step1/split/l0_job1.snplist"]


def test_a_level_0_job_writes_a_file_for_each_trait_under_its_regenie_number(data: MemoryDataSet):
    # Given height, bmi, ldl in the header, of which bmi is not analysed
    add_cohort(data, *FIVE_VARIANTS)

    first, *_ = plan(data, traits=["ldl", "height"], step1={"block_size": 1})["level0"]

    assert first["expect"] == ["{work}/step1/split/l0_job1_l0_Y1", "{work}/step1/split/l0_job1_l0_Y2"]


def test_step_2_reads_what_level_1_wrote(data: MemoryDataSet):
    add_cohort(data, *FIVE_VARIANTS)

    phases = plan(data, traits=["ldl", "height"], step1={"block_size": 2})

    written = {task["label"]: f"{{work}}/{task['output']}/{task['expect'][0]}" for task in phases["level1"]}
    assert phases["step2"][0]["predictions"] == {
        "ldl": written["level 1 ldl"],
        "height": written["level 1 height"],
    }
    assert written["level 1 ldl"].endswith("/ldl/step1_2.loco")
    assert written["level 1 height"].endswith("/height/step1_1.loco")


@pytest.mark.parametrize("step1", [{"block_size": 100, "jobs": 20}, {"block_size": 1, "jobs": 1}])
def test_one_block_or_one_job_is_a_whole_step_1(data: MemoryDataSet, step1: dict[str, int]):
    add_cohort(data, ("1", 10), ("1", 20))

    phases = plan(data, traits=["height"], step1=step1)

    assert list(phases) == ["step1", "step2", "merge", "report"]
    assert phases["step1"][0]["output"] == "step1/predictions/all"
    assert phases["step1"][0]["expect"] == ["step1_1.loco"]
    assert phases["step2"][0]["predictions"] == {"height": "{work}/step1/predictions/all/step1_1.loco"}


def test_given_predictions_make_step_1_unnecessary(data: MemoryDataSet):
    add_cohort(data, ("1", 10))
    data.files.update({"old/fit_pred.list": b"height /x/fit_1.loco\n", "old/fit_1.loco": loco()})

    phases = plan(data, traits=["height"], step1={"enabled": False, "predictions": "old/fit_pred.list"})

    assert list(phases) == ["step2", "merge", "report"]
    assert phases["step2"][0]["predictions"] == {"height": "{data}/old/fit_1.loco"}


def test_chunks_of_all_data_sets_are_numbered_through(data: MemoryDataSet):
    add_cohort(data, ("1", 10))
    add_cohort(data, ("1", 10), ("1", 20), ("2", 30), name="imputed")

    step2 = {"datasets": [{"genotypes": "imputed.bed"}, {"genotypes": "cohort.bed"}], "variants_per_job": 1}
    tasks = plan(data, step2=step2)["step2"]

    assert [task["output"] for task in tasks] == ["step2/000000", "step2/000001", "step2/000002", "step2/000003"]
    assert [task["label"] for task in tasks] == [
        "imputed 1:10-10",
        "imputed 1:20-20",
        "imputed 2:30-30",
        "cohort 1:10-10",
    ]
    assert [task["variants"] for task in tasks] == [1, 1, 1, 1]
    assert tasks[0]["expect"] == ["chunk_ldl.regenie", "chunk_height.regenie"]


def test_a_job_of_gene_based_tests_gets_the_names_of_its_sets_and_no_number_of_variants(data: MemoryDataSet):
    add_cohort(data, *FIVE_VARIANTS)
    sets = b"PCSK9 1 10 1:10\nLDLRAP1 1 30 1:30\nAPOB 2 40 2:40\n"
    data.files.update({"a.txt": b"1:10 PCSK9 LoF\n", "m.txt": b"M1 LoF\n", "s.txt": sets})

    tasks = plan(data, step2={"gene_tests": {"annotations": "a.txt", "sets": "s.txt", "masks": "m.txt"}})["step2"]

    assert [task["label"] for task in tasks] == ["cohort 1:PCSK9-LDLRAP1", "cohort 2:APOB"]
    assert [task["files"] for task in tasks] == [{"sets.txt": "PCSK9\nLDLRAP1\n"}, {"sets.txt": "APOB\n"}]
    assert not any({"variants", "slice"} & task.keys() for task in tasks)


def test_merge_and_report_follow_the_traits(data: MemoryDataSet):
    add_cohort(data, *FIVE_VARIANTS)

    phases = plan(data, traits=["ldl", "height"])

    assert [task["output"] for task in phases["merge"]] == ["gwas/ldl.regenie.gz", "gwas/height.regenie.gz"]
    summaries = {task["trait"]: task["summary"] for task in phases["merge"]}
    assert phases["report"][0]["summaries"] == summaries


@pytest.mark.parametrize(
    ("given", "mode", "level0_jobs"),
    [
        ({"step1": {"block_size": 2, "jobs": 2}}, Step1Mode.SPLIT, 2),
        ({"step1": {"block_size": 100}}, Step1Mode.SPLIT, 2),  # two chromosomes are two blocks
        ({"step1": {"jobs": 1}}, Step1Mode.WHOLE, 0),
    ],
)
def test_level_0_jobs_are_counted_for_a_split_only(
    data: MemoryDataSet, given: dict[str, Any], mode: Step1Mode, level0_jobs: int
):
    add_cohort(data, *FIVE_VARIANTS)
    config = parameters(**given)

    analysis = analyse(config, read_inputs(data, config, IMAGES))

    assert (analysis.step1, analysis.level0_jobs) == (mode, level0_jobs)


def test_all_phases_of_step_1_have_the_same_traits_filters_and_block_size(data: MemoryDataSet):
    # Given a launch with everything that chooses samples, variants or covariates
    add_cohort(data, *FIVE_VARIANTS)
    data.files.update({"array.txt": b"1:10\n1:20\n", "hla.txt": b"1:10\n"})
    data.files["keep.txt"] = b"".join(b"f%d i%d\n" % (n, n) for n in range(24))
    step1 = {"block_size": 2, "extract": "array.txt", "exclude": "hla.txt", "extra": ["--strict"]}

    phases = plan(data, keep="keep.txt", sex="male", categorical_covariates=["sex"], step1=step1)

    commands = [task["command"] for phase in ("split", "level0", "level1") for task in phases[phase]]
    shared = {tuple(command[: command.index("--lowmem") + 1]) for command in map(_without_threads, commands)}
    assert len(commands) == 6
    assert len(shared) == 1


def _without_threads(command: list[str]) -> list[str]:
    at = command.index("--threads")
    return command[:at] + command[at + 2 :]


@pytest.mark.parametrize(
    ("step2", "count"),
    [
        ({}, {}),
        ({"extract": "list.txt"}, {"filtered": True}),
        ({"condition": {"variants": "list.txt", "genotypes": "cohort.bed"}}, {"filtered": True}),
        ({"interaction": {"covariate": "age"}}, {}),
        ({"interaction": {"covariate": "age"}, "exclude": "list.txt"}, {"filtered": True}),
        ({"interaction": {"variant": "1:10", "genotypes": "cohort.bed"}}, {"filtered": True}),
        ({"extra": ["--test recessive"]}, {"counted": False}),
    ],
)
def test_a_chunk_says_how_its_rows_are_counted(data: MemoryDataSet, step2: dict[str, Any], count: dict[str, Any]):
    add_cohort(data, ("1", 10), ("1", 20))
    data.files["list.txt"] = b"1:10\n"

    (task,) = plan(data, step2=step2)["step2"]

    assert {key: task[key] for key in ("filtered", "counted") if key in task} == count


def test_quality_control_is_done_by_the_first_job_of_step_1(data: MemoryDataSet):
    add_cohort(data, *FIVE_VARIANTS)

    split = plan(data, step1={"block_size": 2, "qc": {"mac": 7}})
    whole = plan(data, step1={"jobs": 1, "qc": {"mac": 7}})

    assert split["split"][0]["qc"] == whole["step1"][0]["qc"]
    assert cast(dict[str, Any], whole["step1"][0]["qc"])["mac"] == 7
    assert [phase for phase, tasks in split.items() for task in tasks if "qc" in task] == ["split"]


@pytest.mark.parametrize(
    ("edited", "made_again"),
    [
        ({"resources": {"step2": {"vcpus": 2, "memory_gib": 4}}}, set()),
        ({"step1": {"block_size": 2, "jobs": 2}}, set()),  # more jobs, which write the same
        ({"step1": {"block_size": 2, "extra": ["--loocv"]}}, {"step2", "merge", "report"}),
        ({"step2": {"min_mac": 20}}, {"merge", "report"}),
    ],
)
def test_an_edited_config_makes_other_tasks_of_whatever_depends_on_it(
    data: MemoryDataSet, edited: dict[str, Any], made_again: set[str]
):
    """Of phases whose commands do not say it: step 2's name the predictions only, and a merge has no command."""
    add_cohort(data, *FIVE_VARIANTS)
    given: dict[str, Any] = {"step1": {"block_size": 2}}

    before, after = plan(data, **given), plan(data, **{**given, **edited})

    changed = {phase for phase in before if before[phase][0]["inputs"] != after[phase][0]["inputs"]}
    assert changed == made_again
