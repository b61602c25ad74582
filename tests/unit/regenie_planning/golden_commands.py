"""Every command line of a few launches, as text. `python -m tests.unit.regenie_planning.golden_commands` prints it,
to be read and put into golden_commands.txt when a change of the commands is meant."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from genolaunch.contract.plan import Task
from lambdas.regenie.images import Images
from lambdas.regenie.inputs import read_inputs
from lambdas.regenie.run_sheet import analyse
from lambdas.regenie.tasks import plan_tasks
from tests.unit.regenie_planning.conftest import (
    MemoryDataSet,
    add_bgen,
    add_cohort,
    add_pgen,
    loco,
    parameters,
    table,
)

IMAGES = Images({"4.1.2": "regenie:4.1.2"}, "4.1.2")

_RESOURCES = {"level0": {"vcpus": 8, "memory_gib": 16}, "step2": {"vcpus": 4, "memory_gib": 8}}

_ONE_TRAIT = {"traits": ["height"], "step1": {"enabled": False, "predictions": "earlier/fit_pred.list"}}
_BINARY = {**_ONE_TRAIT, "traits": ["t2d"], "trait_type": "binary"}

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
    "gene-based tests, joint and in one p-value": {
        **_ONE_TRAIT,
        "step2": {
            "gene_tests": {
                "annotations": "genes/annotations.txt",
                "sets": "genes/sets.txt",
                "masks": "genes/masks.txt",
                "vc_max_aaf": 0.005,
                "skat_params": [1, 0.5],
                "joint": ["minp", "gates"],
                "rgc_gene_p": True,
                "build_mask": "comphet",
                "write_mask_snplist": False,
            },
        },
    },
    "binary trait, predictions given, other genotypes": {
        "traits": ["t2d"],
        "trait_type": "binary",
        "step1": {"enabled": False, "predictions": "earlier/fit_pred.list"},
        "step2": {"datasets": [{"genotypes": "imputed/chr1.bed"}, {"genotypes": "imputed/chr2.bed"}]},
    },
    "lists of samples and variants, chosen and categorical covariates, one sex, the bounds of X by build 37": {
        "traits": ["height"],
        "keep": "lists/keep.txt",
        "sex": "female",
        "par_region": "b37",
        "covariate_columns": ["age", "centre"],
        "categorical_covariates": ["centre"],
        "step1": {"jobs": 1, "extract": "lists/array.txt", "exclude": "lists/hla.txt"},
        "step2": {"extract": "lists/imputed.txt", "exclude": "lists/hla.txt"},
    },
    "quality control first, in the job that splits step 1; further options of regenie": {
        "traits": ["height"],
        "keep": "lists/keep.txt",
        "covariate_columns": ["centre"],
        "categorical_covariates": ["centre"],
        "step1": {"block_size": 3, "jobs": 2, "qc": {"mac": 1}, "extra": ["--loocv", "--l0 3"]},
        "step2": {"extra": ["--test dominant", "--minINFO 0.3"]},
    },
    "binary trait, exact Firth": {
        **_BINARY,
        "step2": {"binary_test": "firth", "p_threshold": 0.01},
    },
    "binary trait, saddlepoint approximation": {
        **_BINARY,
        "step2": {"binary_test": "spa"},
    },
    "binary trait, no correction": {
        **_BINARY,
        "step2": {"binary_test": "none"},
    },
    "conditional on variants of another file, interaction with a covariate": {
        **_ONE_TRAIT,
        "step2": {
            "condition": {"variants": "lists/hits.txt", "genotypes": "imputed/chr1.bed"},
            "interaction": {"covariate": "centre", "baseline": "1"},
        },
        "categorical_covariates": ["centre"],
    },
    "interaction with a variant of another file": {
        **_ONE_TRAIT,
        "step2": {"interaction": {"variant": "1:10", "coding": "dom", "genotypes": "imputed/chr1.bed"}},
    },
    "data sets of three formats": {
        **_ONE_TRAIT,
        "step2": {
            "datasets": [
                {"genotypes": "cohort.bed"},
                {"genotypes": "imputed/chr3.pgen"},
                {"genotypes": "imputed/chr4.bgen", "sample": "imputed/chr4.sample"},
            ]
        },
    },
}


def cohort() -> MemoryDataSet:
    """One chromosome of five variants, and two more files with a variant each."""
    data = MemoryDataSet("data", "cohort/")
    add_cohort(data, ("1", 10), name="imputed/chr1")
    add_cohort(data, ("2", 20), name="imputed/chr2")
    add_cohort(data, ("1", 10), ("1", 20), ("1", 30), ("1", 40), ("1", 50))
    data.files["earlier/fit_pred.list"] = b"height /scratch/fit_1.loco\nt2d /scratch/fit_1.loco\n"
    data.files["earlier/fit_1.loco"] = loco()
    data.files["genes/annotations.txt"] = b"1:10 PCSK9 LoF\n2:20 APOB LoF\n"
    data.files["genes/sets.txt"] = b"PCSK9 1 10 1:10\nLDLRAP1 1 30 1:30\nAPOB 2 20 2:20\n"
    data.files["genes/masks.txt"] = b"M1 LoF\n"
    data.files["covariates.txt"] = table("age centre", ((40 + n, 1 + n // 2 % 2) for n in range(24)))
    for name, variants in {"array": b"1:10\n1:20\n", "hla": b"1:40\n", "imputed": b"1:30\n", "hits": b"1:10\n"}.items():
        data.files[f"lists/{name}.txt"] = variants
    data.files["lists/keep.txt"] = b"".join(b"f%d i%d\n" % (n, n) for n in range(24))
    add_pgen(data, ("3", 30), name="imputed/chr3")
    add_bgen(data, ("4", 40), name="imputed/chr4")
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
                yield f"-- {phase}: {task['label']}{_before(task)}"
                yield " ".join(task["command"])
    yield ""


def _before(task: Task) -> str:
    """What the job does before its command."""
    quality = cast(dict[str, Any], task.get("qc", {}))
    return (
        f" (after quality control: {', '.join(f'{key} {value}' for key, value in quality.items())})" if quality else ""
    )


if __name__ == "__main__":
    print(render(), end="")
