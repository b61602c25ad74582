"""The plan: every job's task, one line each, in the shape of docs/architecture/regenie-job.md ("A task")."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from genolaunch.contract.plan import (
    WORK_ANALYSED,
    GenotypeFile,
    LociSearch,
    QualityControl,
    Task,
    TaskParts,
    VariantSliceOfList,
)
from genolaunch.contract.results import WORK_PREDICTIONS, WORK_QC, WORK_REPORT, WORK_SUMSTATS
from genolaunch.launch_configs.regenie_config import RegenieParameters
from genolaunch.launch_configs.regenie_options import words_of
from genolaunch.regenie.genotypes import GenotypeFiles
from genolaunch.regenie.input_files import all_genotypes
from lambdas.regenie import commands
from lambdas.regenie.chunks import Chunk, SetChunk
from lambdas.regenie.fingerprints import fingerprint
from lambdas.regenie.references import NONE, FoundReferences
from lambdas.regenie.resources import JobResources


class Step1Mode(StrEnum):
    """How a launch gets its predictions."""

    SPLIT = "split"
    """Level 0 in several jobs, level 1 in one job for each trait."""
    WHOLE = "whole"
    """One job: with a single block or job, regenie refuses to split."""
    GIVEN = "given"
    """Step 2 only, with predictions of an earlier run."""


@dataclass(frozen=True, slots=True)
class DatasetChunks:
    """Genotypes to test, and how they are cut."""

    genotypes: GenotypeFiles
    chunks: tuple[Chunk, ...] | tuple[SetChunk, ...]
    variants: int
    """Exact, by the genotype file."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """All that the tasks follow from."""

    parameters: RegenieParameters
    trait_indices: Mapping[str, int]
    """By which regenie names a trait's files (tables.trait_indices)."""
    step1: Step1Mode
    level0_jobs: int
    """0 unless step 1 is split."""
    given_predictions: Mapping[str, str]
    """Trait -> path of its LOCO file, from {data} or {work} on, if step 1 is GIVEN."""
    fingerprint: str
    """Of the inputs (inputs.Inputs)."""
    datasets: Sequence[DatasetChunks]
    resources: Mapping[str, JobResources]
    analysed: bytes
    """preflight.people.SampleCounts.analysed"""
    references: FoundReferences = NONE

    @property
    def traits(self) -> Sequence[str]:
        """In the order of the config."""
        return self.parameters.traits

    def threads(self, phase: str) -> int:
        """Threads of a command: what its job gets."""
        return self.resources[phase].vcpus


STEP1_PHASES: Final = ("split", "level0", "level1", "step1")
"""Phases of which a launch has some or none, by its Step1Mode."""
_OTHER_ROWS: Final = ("--test", "--minHOMs")
"""Options of step 2 with which regenie's log may not count all that it leaves out."""
_WITHOUT: Final[Mapping[str, Any]] = {
    "step2": {"resources": True, "loci": True, "step2": True, "step1": {"jobs"}},
    "merge": {"resources": True, "step2": {"variants_per_job"}, "step1": {"jobs"}},
    "report": {"resources": True, "step2": {"variants_per_job"}, "step1": {"jobs"}},
}
"""Phase -> what its results do not depend on, besides what its own commands say: how the work is cut changes none."""
_WITH_REFERENCES: Final = ("merge", "report")
_WORK: Final = "{work}/"
_WHOLE_OUTPUT: Final = f"{WORK_PREDICTIONS}/all"


def plan_tasks(analysis: Analysis) -> dict[str, Iterator[Task]]:
    """Phase -> tasks, made as they are asked for, since step 2 may have a hundred thousand.

    The task of array index n is the n-th. Phases that the launch does not have are left out.
    """
    step1: dict[str, Iterable[Task]]
    match analysis.step1:
        case Step1Mode.SPLIT:
            step1 = {"split": [_split(analysis)], "level0": _level0(analysis), "level1": _level1(analysis)}
        case Step1Mode.WHOLE:
            step1 = {"step1": [_whole(analysis)]}
        case Step1Mode.GIVEN:
            step1 = {}
    phases: dict[str, Iterable[Task]] = {
        **step1,
        "step2": _step2(analysis),
        "merge": _merge(analysis),
        "report": [_report(analysis)],
    }
    # What an earlier attempt made of other inputs is another task's, however alike the commands are.
    return {phase: _of_inputs(_made_of(analysis, phase), tasks) for phase, tasks in phases.items()}


def own_predictions(analysis: Analysis) -> dict[str, str]:
    """Trait -> path of its LOCO file below the launch's results; none if a user's file below data is used."""
    paths = {trait: _prediction(analysis, trait) for trait in analysis.traits}
    return {trait: path.removeprefix(_WORK) for trait, path in paths.items() if path.startswith(_WORK)}


def _made_of(analysis: Analysis, phase: str) -> str:
    """Fingerprint of all that a phase's results depend on and its own tasks do not say.

    The commands of step 2 name the predictions, but not how they were made, and a merge has no command at all: who
    edits a config before a retry must not get results of which a part is the old config's.
    """
    without = _WITHOUT.get(phase)
    if without is None:
        return analysis.fingerprint
    settings = analysis.parameters.model_dump(mode="json", exclude=without)
    references = [analysis.references.fingerprint] if phase in _WITH_REFERENCES else []
    return fingerprint([analysis.fingerprint, settings, *references])


def _of_inputs(made_of: str, tasks: Iterable[Task]) -> Iterator[Task]:
    return ({**task, "inputs": made_of} for task in tasks)


def _split(analysis: Analysis) -> Task:
    jobs, threads = analysis.level0_jobs, analysis.threads("small")
    return {
        "label": f"level 0 split into {jobs} jobs",
        "command": commands.split_level0(analysis.parameters, jobs=jobs, threads=threads),
        # Not the lists of all jobs: regenie may lower their number, which the level 0 jobs then read from the master.
        "expect": [commands.MASTER, f"{commands.level0_prefix(1)}.snplist"],
        **_quality_control(analysis),
    }


def _level0(analysis: Analysis) -> list[Task]:
    threads = analysis.threads("level0")
    return [
        {
            "label": f"level 0 job {job} of {analysis.level0_jobs}",
            "command": commands.run_level0(analysis.parameters, job=job, threads=threads),
            "expect": [
                f"{commands.level0_prefix(job)}_l0_Y{index}" for index in sorted(analysis.trait_indices.values())
            ],
            "job": job,
        }
        for job in range(1, analysis.level0_jobs + 1)
    ]


def _level1(analysis: Analysis) -> list[Task]:
    threads = analysis.threads("level1")
    return [
        {
            "label": f"level 1 {trait}",
            "command": commands.run_level1(analysis.parameters, trait=trait, threads=threads),
            "output": _level1_output(trait),
            "expect": [_loco_name(analysis, trait)],
        }
        for trait in analysis.traits
    ]


def _whole(analysis: Analysis) -> Task:
    return {
        "label": "step 1",
        "command": commands.run_step1(analysis.parameters, threads=analysis.threads("step1")),
        "output": _WHOLE_OUTPUT,
        "expect": [_loco_name(analysis, trait) for trait in analysis.traits],
        **_quality_control(analysis),
    }


def _quality_control(analysis: Analysis) -> TaskParts:
    """What the first job of step 1 does before its command; it applies the launch's own lists too."""
    step1, sample = analysis.parameters.step1, analysis.parameters.sample
    quality = step1.quality_control
    if quality is None:
        return {}
    control: QualityControl = {
        "genotypes": analysis.parameters.genotypes,
        "analysed": WORK_ANALYSED,
        # Other people, other counts: the same lists and thresholds then leave other variants.
        "analysedSha256": hashlib.sha256(analysis.analysed).hexdigest(),
        "maf": quality.maf,
        "mac": quality.mac,
        "geno": quality.geno,
        "hwe": quality.hwe,
        "mind": quality.mind,
        "output": WORK_QC,
    }
    if sample:
        control["sample"] = sample
    if step1.extract:
        control["extract"] = step1.extract
    if step1.exclude:
        control["exclude"] = step1.exclude
    return {"qc": control}


def _step2(analysis: Analysis) -> Iterator[Task]:
    threads = analysis.threads("step2")
    predictions = {trait: _prediction(analysis, trait) for trait in analysis.traits}
    expect = [f"{commands.CHUNK_STEM}_{trait}.regenie" for trait in analysis.traits]
    pieces = ((dataset.genotypes, chunk) for dataset in analysis.datasets for chunk in dataset.chunks)
    for number, (genotypes, chunk) in enumerate(pieces):
        yield {
            "label": f"{genotypes.name} {chunk.range}",
            "command": commands.run_step2(analysis.parameters, genotypes, chunk, threads=threads),
            "output": f"step2/{number:06}",
            "expect": expect,
            "predictions": predictions,
            **_variants(genotypes, chunk),
            **_count(analysis.parameters),
        }


def _variants(genotypes: GenotypeFiles, chunk: Chunk | SetChunk) -> TaskParts:
    """The chunk's number of variants, or where the job counts them; the names of its sets, for gene-based tests."""
    if isinstance(chunk, SetChunk):
        return {"files": {commands.SETS_FILE: "".join(f"{name}\n" for name in chunk.sets)}}
    if chunk.slice is None:
        return {"variants": chunk.variants}
    place: VariantSliceOfList = {
        "path": f"{{data}}/{genotypes.variant_list}",
        "start": chunk.slice.start,
        "end": chunk.slice.end,
        "position_column": chunk.slice.position_column,
        "chromosome": chunk.chromosome,
        "first": chunk.start,
        "last": chunk.end,
    }
    return {"slice": place}


def _count(parameters: RegenieParameters) -> TaskParts:
    """What to know before a chunk's rows are compared with its variants.

    Lists may leave fewer variants, which the log tells, and a variant that an interaction is tested with is left out
    itself. A recessive test has a rule of its own for what it leaves out: then there is no comparing.
    """
    step2 = parameters.step2
    uncounted = any(words_of(option)[0] in _OTHER_ROWS for option in step2.extra)
    with_variant = step2.interaction is not None and step2.interaction.variant is not None
    parts: TaskParts = {}
    if step2.filters_variants or with_variant:
        parts["filtered"] = True
    if uncounted:
        parts["counted"] = False
    return parts


def _merge(analysis: Analysis) -> list[Task]:
    loci = _loci(analysis)
    return [
        {
            "label": trait,
            "trait": trait,
            "output": f"{WORK_SUMSTATS}/{trait}.regenie.gz",
            "summary": _summary(trait),
            "variants": sum(dataset.variants for dataset in analysis.datasets),
            **loci,
            **_references(analysis, trait),
        }
        for trait in analysis.traits
    ]


def _loci(analysis: Analysis) -> TaskParts:
    """How to find signals: of single variants that have one row each."""
    parameters = analysis.parameters
    if parameters.step2.gene_tests or parameters.step2.interaction:
        return {}
    search: LociSearch = {
        "genotypes": [_genotype_file(dataset.genotypes) for dataset in analysis.datasets],
        "people": _genotype_file(next(iter(all_genotypes(parameters)))),
        "analysed": WORK_ANALYSED,
        "p1": parameters.loci.p1,
        "p2": parameters.loci.p2,
        "r2": parameters.loci.r2,
        "window_kb": parameters.loci.window_kb,
    }
    return {"loci": search}


def _references(analysis: Analysis, trait: str) -> TaskParts:
    """In which files to look up leads, of single variants."""
    if analysis.parameters.step2.gene_tests:
        return {}
    return {"references": analysis.references.for_trait(analysis.parameters, trait)}


def _genotype_file(genotypes: GenotypeFiles) -> GenotypeFile:
    return {"path": genotypes.path, "sample": genotypes.sample} if genotypes.sample else {"path": genotypes.path}


def _report(analysis: Analysis) -> Task:
    return {
        "label": "report",
        "output": WORK_REPORT,
        "summaries": {trait: _summary(trait) for trait in analysis.traits},
    }


def _summary(trait: str) -> str:
    return f"{WORK_SUMSTATS}/summary/{trait}.json"


def _level1_output(trait: str) -> str:
    return f"{WORK_PREDICTIONS}/{trait}"


def _loco_name(analysis: Analysis, trait: str) -> str:
    return f"{commands.STEP1_STEM}_{analysis.trait_indices[trait]}.loco"


def _prediction(analysis: Analysis, trait: str) -> str:
    match analysis.step1:
        case Step1Mode.SPLIT:
            return f"{{work}}/{_level1_output(trait)}/{_loco_name(analysis, trait)}"
        case Step1Mode.WHOLE:
            return f"{{work}}/{_WHOLE_OUTPUT}/{_loco_name(analysis, trait)}"
        case Step1Mode.GIVEN:
            return analysis.given_predictions[trait]
