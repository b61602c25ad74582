"""Reads and checks everything that a regenie launch needs from its data, and reports all faults."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from genolaunch.launch_configs.regenie_config import RegenieParameters
from genolaunch.regenie.data_set import DataSet, ObjectState
from genolaunch.regenie.genotypes import GenotypeCounts, GenotypeFiles, GenotypeFormat, read_counts
from genolaunch.regenie.headers import NOTHING, read_headers
from genolaunch.regenie.input_files import all_genotypes, step1_genotypes, step2_genotypes
from genolaunch.shared.input_error import FaultCollector, UnusableInputError
from lambdas.regenie.chunks import Chunk, SetChunk, Survey
from lambdas.regenie.earlier_launch import (
    FROM_LAUNCH,
    Analysed,
    EarlierLaunch,
    FindLaunch,
    check_analysed,
    check_config,
    no_launches,
)
from lambdas.regenie.fingerprints import fingerprint
from lambdas.regenie.gene_sets import GeneSet, cut_sets, read_sets
from lambdas.regenie.images import Images
from lambdas.regenie.preflight.abilities import check_abilities
from lambdas.regenie.preflight.adjusting import check_unasked, covariates_in_use
from lambdas.regenie.preflight.external import check_external
from lambdas.regenie.preflight.findings import Findings
from lambdas.regenie.preflight.sample_counts import SampleCounts
from lambdas.regenie.preflight.table import Table
from lambdas.regenie.preflight.variant_ids import check_variant_ids
from lambdas.regenie.recorded_inputs import is_digested
from lambdas.regenie.surveying import survey_variants
from lambdas.regenie.variants import chromosomes_as_read

MOST_STEP1_VARIANTS: Final = 1_000_000
"""More need --force-step1, and regenie's authors advise about 500,000."""
MOST_STEP2_JOBS: Final = 100_000
"""Ten arrays. Every job takes minutes to start and end, so more jobs cost more and gain nothing."""
_GENE_SETS: Final = "regenie.step2.gene_tests.sets"


@dataclass(frozen=True, slots=True)
class SurveyedGenotypes:
    """Numbers from a genotype file's header and list of variants."""

    counts: GenotypeCounts
    survey: Survey
    chunks: tuple[Chunk, ...] | tuple[SetChunk, ...]
    """Jobs of step 2: the survey's, or those of sets."""

    @property
    def chromosomes(self) -> frozenset[int]:
        """Those of step 2's jobs."""
        return frozenset(chunk.chromosome for chunk in self.chunks)


@dataclass(frozen=True, slots=True)
class Inputs:
    """The checked inputs of a launch."""

    image: str
    trait_indices: Mapping[str, int]
    covariates: int
    given_predictions: Mapping[str, str]
    """Trait -> path of its LOCO file, from {data} or {work} on; empty unless step 1 is skipped."""
    earlier: EarlierLaunch | None
    """The earlier launch whose predictions to copy, if the launch names one."""
    analysed: Analysed
    genotypes: Mapping[GenotypeFiles, SurveyedGenotypes]
    restored: tuple[str, ...]
    """Paths below data of restored copies of archived objects, which are loaded before they are read."""
    files: Mapping[str, ObjectState]
    """Path -> state of every file below data that is read, recorded before anything was read."""
    input_bytes: int
    """Of every file that is read."""
    fingerprint: str
    """Changes with any file and with the image, so that outputs made from other inputs are not kept."""
    samples: SampleCounts
    warnings: tuple[str, ...]
    """Findings that may spoil the results although regenie runs, one or two sentences each."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Of every file below data that is read."""
        return tuple(sorted(self.files))


def read_inputs(
    data: DataSet, parameters: RegenieParameters, images: Images, find_launch: FindLaunch = no_launches
) -> Inputs:
    """Check all inputs: headers first, then genotypes and people, as far as their files can be read.

    `find_launch` reads the launch of an id (earlier_launch.read_earlier_launch).

    Raises:
        LaunchInputError: with every fault.
    """
    faults = Findings()
    headers = read_headers(data, parameters, faults)
    files = headers.files
    image = faults.attempt("regenie.version", lambda: images.of(parameters.version), "")
    check_abilities(parameters, images.limits, faults)
    check_unasked(headers.columns, headers.covariates, parameters, faults)
    earlier = faults.attempt(FROM_LAUNCH, lambda: _earlier_launch(parameters, find_launch, faults), None)
    sets: tuple[GeneSet, ...] = faults.attempt(_GENE_SETS, lambda: _gene_sets(data, parameters), ())

    wanted = all_genotypes(parameters)
    readable = {
        genotypes: where
        for genotypes, where in wanted.items()
        if all(files[path] is not NOTHING for path in genotypes.files)
    }
    _check_no_copies(parameters, files, faults)
    genotypes = _survey_all(data, parameters, readable, sets, faults)
    if genotypes.keys() == wanted.keys() and bool(sets) == bool(parameters.step2.gene_tests):
        _check_sizes(parameters, genotypes, faults)
    people = Table(data, parameters.phenotypes, headers.columns) if headers.columns else None
    covariates, named = parameters.covariates, headers.covariates
    adjusted = Table(data, covariates, named) if covariates and named else None
    samples = _check_data(data, parameters, genotypes, people, adjusted, headers.predictions, faults)
    blocks = {files: found.survey.blocks(parameters.step1.block_size) for files, found in genotypes.items()}
    people_of = {files: found.counts.samples for files, found in genotypes.items()}
    variant_lists = check_variant_ids(data, parameters, blocks, faults, sets=sets, samples=people_of)
    variant_lists |= check_external(data, parameters, samples, faults)
    analysed = _analysed(image, parameters, people, adjusted)
    if earlier and samples and analysed:
        check_analysed(analysed, samples, earlier, faults)
    faults.raise_if_any()
    assert samples is not None  # what it cannot check is a fault
    assert analysed is not None
    of_data = dict(files)
    if earlier:
        files |= {f"{earlier.launch_id}/{path}": state for path, state in earlier.states.items()}
    return Inputs(
        image,
        headers.trait_indices,
        len(covariates_in_use(headers.covariates, parameters)),
        _placed(headers.predictions, earlier, parameters),
        earlier,
        analysed,
        genotypes,
        restored=tuple(sorted(path for path, file in files.items() if file.is_restored)),
        files=of_data,
        input_bytes=sum(file.size for file in files.values()),
        fingerprint=_fingerprint(image, files, parameters),
        samples=replace(samples, lists={**samples.lists, **variant_lists}),
        warnings=tuple(str(warning) for warning in faults.warnings),
    )


def _check_no_copies(parameters: RegenieParameters, files: Mapping[str, ObjectState], faults: FaultCollector) -> None:
    """Refuse data sets of step 2 that are copies of one genotype file, because its variants would be tested twice."""
    seen: dict[tuple[int, str, str], str] = {}
    for number, genotypes in enumerate(step2_genotypes(parameters)):
        state = files[genotypes.path]
        lists = files[genotypes.variant_list]
        if not state.size or not lists.size:
            continue
        first = seen.setdefault((state.size, state.etag, lists.etag), genotypes.path)
        if first != genotypes.path:
            faults.add(
                f"regenie.step2.datasets[{number}].genotypes",
                f"names {genotypes.path}, which has the content of {first}: each variant would be tested twice",
                "Name one of the two.",
            )


def _fingerprint(image: str, files: Mapping[str, ObjectState], parameters: RegenieParameters) -> str:
    """Fingerprint of everything that a task's command does not contain: file contents, and how step 1's lists are made.

    A file whose content no job compares counts as changed whenever it was uploaded again, because an earlier attempt
    may have read another version in between."""
    states = sorted(
        (path, file.size, file.etag, *(() if is_digested(path, file.size) else (file.last_modified, file.version_id)))
        for path, file in files.items()
    )
    quality = parameters.step1.quality_control
    return fingerprint([image, states, quality.model_dump() if quality else None])


def _earlier_launch(parameters: RegenieParameters, find_launch: FindLaunch, findings: Findings) -> EarlierLaunch | None:
    if parameters.step1.from_launch is None:
        return None
    earlier = find_launch(parameters.step1.from_launch)
    check_config(parameters, earlier, findings)
    return earlier


def _placed(
    predictions: Mapping[str, str], earlier: EarlierLaunch | None, parameters: RegenieParameters
) -> Mapping[str, str]:
    if earlier:
        return {trait: f"{{work}}/{earlier.place(trait)}" for trait in parameters.traits}
    return {trait: f"{{data}}/{path}" for trait, path in predictions.items()}


def _analysed(
    image: str, parameters: RegenieParameters, phenotypes: Table | None, covariates: Table | None
) -> Analysed | None:
    """None unless all was read to its end."""
    if not phenotypes or not phenotypes.sha256 or (parameters.covariates and not (covariates and covariates.sha256)):
        return None
    columns = covariates_in_use(covariates.columns, parameters) if covariates else ()
    return Analysed(
        image,
        phenotypes.sha256,
        covariates.sha256 if covariates else None,
        tuple(columns),
    )


def _gene_sets(data: DataSet, parameters: RegenieParameters) -> tuple[GeneSet, ...]:
    tests = parameters.step2.gene_tests
    return read_sets(data, tests.sets) if tests else ()


def _survey_all(
    data: DataSet,
    parameters: RegenieParameters,
    readable: Mapping[GenotypeFiles, str],
    sets: Sequence[GeneSet],
    faults: FaultCollector,
) -> dict[GenotypeFiles, SurveyedGenotypes]:
    """What the genotype files say that are there; those that cannot be used are faults."""
    surveyed = {
        genotypes: faults.attempt(where, partial(_survey, data, genotypes, parameters, sets), None)
        for genotypes, where in readable.items()
    }
    return {genotypes: found for genotypes, found in surveyed.items() if found}


def _check_sizes(
    parameters: RegenieParameters, genotypes: Mapping[GenotypeFiles, SurveyedGenotypes], faults: Findings
) -> None:
    """Check that regenie and Batch accept the numbers of variants and jobs. Call it only if all genotypes exist."""
    faults.attempt("regenie.genotypes", lambda: _check_step1_size(parameters, genotypes), None)
    _warn_of_one_job(parameters, genotypes, faults)
    _warn_of_overlaps(parameters, genotypes, faults)
    faults.attempt(_GENE_SETS, lambda: _check_some_chunks(parameters, genotypes), None)
    faults.attempt("regenie.step2.variants_per_job", lambda: _check_step2_jobs(parameters, genotypes), None)


def _check_data(
    data: DataSet,
    parameters: RegenieParameters,
    genotypes: Mapping[GenotypeFiles, SurveyedGenotypes],
    phenotypes: Table | None,
    covariates: Table | None,
    predictions: Mapping[str, str],
    findings: Findings,
) -> SampleCounts | None:
    """Preflight of what there is: a table whose header is a fault has no columns here.

    It needs numpy, which takes longer to import than all else: no start of a function waits for that (decision 122).
    """
    from lambdas.regenie.preflight.check import Genotyped, check_data

    return check_data(
        data,
        {
            files: Genotyped(where, genotypes[files].counts, genotypes[files].chromosomes)
            for files, where in all_genotypes(parameters).items()
            if files in genotypes
        },
        phenotypes,
        covariates,
        predictions,
        parameters,
        findings,
    )


def _survey(
    data: DataSet, genotypes: GenotypeFiles, parameters: RegenieParameters, sets: Sequence[GeneSet]
) -> SurveyedGenotypes:
    counts = read_counts(data, genotypes)
    # Level 0 is split by blocks, and so needs exact numbers; a list that regenie takes in step 1 is short enough.
    is_step1 = parameters.step1.enabled and genotypes == step1_genotypes(parameters)
    exact = is_step1 and counts.variants <= MOST_STEP1_VARIANTS
    per_job = parameters.step2.variants_per_job
    found = survey_variants(data, genotypes, counts, per_job, exact=exact)
    if is_step1 and genotypes.format is GenotypeFormat.BGEN:
        found = replace(found, as_read=chromosomes_as_read(data, genotypes))
    tests = parameters.step2.gene_tests
    if tests is None:
        return SurveyedGenotypes(counts, found, found.chunks)
    return SurveyedGenotypes(counts, found, tuple(cut_sets(sets, found.variants_by_chromosome, tests.sets_per_job)))


def _check_step1_size(parameters: RegenieParameters, genotypes: Mapping[GenotypeFiles, SurveyedGenotypes]) -> None:
    if not parameters.step1.enabled or parameters.step1.filters_variants:
        return  # what a filter leaves is counted by the job that applies it
    variants = genotypes[step1_genotypes(parameters)].survey.variants
    if variants > MOST_STEP1_VARIANTS:
        raise UnusableInputError(
            f"has {variants:,} variants, more than the {MOST_STEP1_VARIANTS:,} that regenie takes in step 1",
            "Give about 500,000 genotyped variants here, or let step1.qc or step1.extract choose them, and give the "
            "others under step2.datasets.",
        )


def _warn_of_one_job(
    parameters: RegenieParameters, genotypes: Mapping[GenotypeFiles, SurveyedGenotypes], findings: Findings
) -> None:
    """Say why step 1 is one job although more were asked for."""
    if not parameters.step1.enabled or parameters.step1.jobs == 1:
        return
    survey = genotypes[step1_genotypes(parameters)].survey
    if not survey.can_be_split:
        findings.warn(
            "regenie.step1.jobs",
            f"is not used: the index of {parameters.genotypes} has the chromosomes in the order "
            f"{', '.join(map(str, survey.as_read))}, and regenie cuts step 1 wrongly unless they ascend, so it runs in "
            "one job",
            "To have it cut, give step 1 a .bed or .pgen file, or call chromosomes 01, 02, ... in the .bgen file.",
        )


def _warn_of_overlaps(
    parameters: RegenieParameters, genotypes: Mapping[GenotypeFiles, SurveyedGenotypes], findings: Findings
) -> None:
    """Warn of data sets that cover the same stretch of a chromosome: a variant of both has a row of each.

    Files of SNPs and of indels do it rightly; an array and what was imputed from it do not.
    """
    met: dict[int, list[tuple[int, int, str]]] = {}
    for number, files in enumerate(step2_genotypes(parameters)):
        chunks = [chunk for chunk in genotypes[files].survey.chunks if isinstance(chunk, Chunk)]
        for chromosome in dict.fromkeys(chunk.chromosome for chunk in chunks):
            start = min(chunk.start for chunk in chunks if chunk.chromosome == chromosome)
            end = max(chunk.end for chunk in chunks if chunk.chromosome == chromosome)
            others = met.setdefault(chromosome, [])
            other = next((path for first, last, path in others if first < end and start < last), None)
            if other:
                findings.warn(
                    f"regenie.step2.datasets[{number}].genotypes",
                    f"names {files.path}, which has variants among those of {other} (chromosome {chromosome}): one "
                    "that is in both has two rows in the results",
                    "If they are the same variants, name one of the files.",
                )
                break
            others.append((start, end, files.path))


def _check_some_chunks(parameters: RegenieParameters, genotypes: Mapping[GenotypeFiles, SurveyedGenotypes]) -> None:
    """Variants make a chunk always, sets only where their chromosomes are the data's."""
    if not any(genotypes[files].chunks for files in step2_genotypes(parameters)):
        raise UnusableInputError(
            "has no set on a chromosome of the tested genotypes", "Give the list of sets that belongs to them."
        )


def _check_step2_jobs(parameters: RegenieParameters, genotypes: Mapping[GenotypeFiles, SurveyedGenotypes]) -> None:
    surveys = [genotypes[files].survey for files in step2_genotypes(parameters)]
    jobs = sum(len(genotypes[files].chunks) for files in step2_genotypes(parameters))
    if jobs > MOST_STEP2_JOBS:
        raise UnusableInputError(
            f"makes {jobs:,} jobs, more than {MOST_STEP2_JOBS:,}; you gave {parameters.step2.variants_per_job:,}",
            f"Give at least {_enough_variants_per_job(surveys):,}.",
        )


def _enough_variants_per_job(surveys: Sequence[Survey]) -> int:
    """Chromosomes are cut one by one: each adds up to one job that is not full."""
    chromosomes = sum(len(found.variants_by_chromosome) for found in surveys)
    return -(-sum(found.variants for found in surveys) // max(MOST_STEP2_JOBS - chromosomes, 1))
