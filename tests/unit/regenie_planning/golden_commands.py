"""Every command line of a few launches, as text. `python -m tests.unit.regenie_planning.golden_commands` prints it,
to be read and put into golden_commands.txt when a change of the commands is meant."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from lambdas.regenie.images import Images
from lambdas.regenie.inputs import read_inputs
from lambdas.regenie.run_sheet import analyse
from lambdas.regenie.tasks import plan_tasks
from tests.unit.regenie_planning.conftest import MemoryDataSet, add_cohort, parameters

IMAGES = Images({"4.1.2": "regenie:4.1.2"}, "4.1.2")

_RESOURCES = {"level0": {"vcpus": 8, "memory_gib": 16}, "step2": {"vcpus": 4, "memory_gib": 8}}

CONFIGS: Mapping[str, dict[str, Any]] = {
    "quantitative traits, split step 1, two chunks": {
        "step1": {"block_size": 2, "jobs": 2},
        "step2": {"variants_per_job": 3},
        "resources": _RESOURCES,
    },
    "one quantitative trait, one block, one chunk, ranks, no covariates": {
        "traits": ["bmi"],
        "covariates": None,
        "apply_rint": True,
        "step1": {"block_size": 1000},
        "step2": {"min_mac": 20},
    },
    "gene-based tests, cut by sets": {
        "traits": ["height"],
        "step1": {"enabled": False, "predictions": "earlier/fit_pred.list"},
        "step2": {
            "datasets": [{"genotypes": "imputed/chr1.bed"}, {"genotypes": "imputed/chr2.bed"}],
            "gene_tests": {
                "annotations": "genes/annotations.txt",
                "sets": "genes/sets.txt",
                "masks": "genes/masks.txt",
                "aaf_bins": [0.01, 0.0001],
                "vc_tests": ["skato", "acato-full"],
                "sets_per_job": 1,
            },
        },
    },
    "binary trait, predictions given, other genotypes": {
        "traits": ["height"],
        "trait_type": "binary",
        "step1": {"enabled": False, "predictions": "earlier/fit_pred.list"},
        "step2": {"datasets": [{"genotypes": "imputed/chr1.bed"}, {"genotypes": "imputed/chr2.bed"}]},
    },
}


def cohort() -> MemoryDataSet:
    """One chromosome of five variants, and two more files with a variant each."""
    data = MemoryDataSet("data", "cohort/")
    add_cohort(data, ("1", 10), name="imputed/chr1")
    add_cohort(data, ("2", 20), name="imputed/chr2")
    add_cohort(data, ("1", 10), ("1", 20), ("1", 30), ("1", 40), ("1", 50))
    data.files["earlier/fit_pred.list"] = b"height /scratch/fit_1.loco\n"
    data.files["earlier/fit_1.loco"] = b"FID_IID f0_i0\n"
    data.files["genes/annotations.txt"] = b"1:10 PCSK9 LoF\n2:20 APOB LoF\n"
    data.files["genes/sets.txt"] = b"PCSK9 1 10 1:10\nLDLRAP1 1 30 1:30\nAPOB 2 20 2:20\n"
    data.files["genes/masks.txt"] = b"M1 LoF\n"
    return data


def render() -> str:
    """All commands of all configs."""
    return "\n".join(line for title, given in CONFIGS.items() for line in _section(title, given))


def _section(title: str, given: dict[str, Any]) -> Iterator[str]:
    config = parameters(**given)
    yield f"== {title}"
    for phase, tasks in plan_tasks(analyse(config, read_inputs(cohort(), config, IMAGES))).items():
        for task in tasks:
            if "command" in task:
                yield f"-- {phase}: {task['label']}"
                yield " ".join(cast(list[str], task["command"]))
    yield ""


if __name__ == "__main__":
    print(render(), end="")
