"""Step 1: whole-genome ridge regression, as one run or split into level 0 jobs and level 1.

Formulas and constants were measured on regenie v4.1.2; nothing here is a textbook's choice.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from regenie_stand_in.arrays import Floats
from regenie_stand_in.chromosomes import CHROMOSOMES
from regenie_stand_in.cli import Numbered, Options
from regenie_stand_in.dataset import Dataset
from regenie_stand_in.errors import RegenieError
from regenie_stand_in.formats import (
    Level0Job,
    Master,
    level0_path,
    read_level0,
    read_master,
    write_loco,
    write_master,
    write_prediction_list,
)
from regenie_stand_in.log import Log
from regenie_stand_in.plink import Block, cut_blocks, select_variants
from regenie_stand_in.samples import LOWEST_SD, Cohort, checked_scale

FOLDS: Final = 5
HERITABILITIES: Final = (0.01, 0.25, 0.5, 0.75, 0.99)
"""h of both levels: a ridge penalty is n (1 - h) / h, n the number of level 0's variants or level 1's predictors."""

PREDICTORS: Final = len(HERITABILITIES)
"""Level 0 predictors of one block."""

MAX_VARIANTS: Final = 1_000_000


def run(options: Options, log: Log) -> None:
    """Step 1, or the phase of it that the options ask for."""
    dataset = Dataset.open(options, log)
    if len(dataset.variants) > MAX_VARIANTS and not options.force_step1:
        raise RegenieError(
            f"it is not recommended to use more than {MAX_VARIANTS} variants in step 1 (otherwise use '--force-step1')."
        )
    if options.split_level0:
        split(dataset, options.split_level0, options.block_size, log)
    elif options.run_level0:
        run_level0(dataset, options.run_level0, options, log)
    elif options.run_level1:
        run_level1(dataset, options.run_level1, options, log)
    else:
        run_whole(dataset, options, log)


# --- The phases ----------------------------------------------------------------------------------------------------


def split(dataset: Dataset, plan: Numbered, block_size: int, log: Log) -> None:
    """Plan the level 0 jobs: a master file, and for each job a list of its variants."""
    blocks = cut_blocks(dataset.variants, block_size)
    log(f" * running level 0 in parallel across {len(blocks)} genotype blocks")
    if plan.number <= 1:
        raise RegenieError("number of jobs must be >1.")
    if plan.number > len(blocks):
        log("   -WARNING: Number of jobs cannot be greater than number of blocks.")
    shares = _shares(blocks, min(plan.number, len(blocks)))
    log(f"   -using {len(shares)} jobs")
    jobs = [
        Level0Job(f"{plan.path}_job{number}", len(share), sum(len(block.variants) for block in share))
        for number, share in enumerate(shares, start=1)
    ]
    for job, share in zip(jobs, shares, strict=True):
        names = (variant.name for block in share for variant in block.variants)
        job.snplist.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    write_master(Path(f"{plan.path}.master"), Master(len(dataset.variants), block_size, tuple(jobs)))
    log(f"   -master file written to [{plan.path}.master]")
    log(f"   -variant list files written to [{plan.path}_job*.snplist]")


def _shares(blocks: Sequence[Block], jobs: int) -> list[Sequence[Block]]:
    """Neighbouring blocks for each job; the first (blocks mod jobs) jobs take one more than the others."""
    least, extra = divmod(len(blocks), jobs)
    ends = [job * least + min(job, extra) for job in range(jobs + 1)]
    return [blocks[start:end] for start, end in pairwise(ends)]


def run_level0(dataset: Dataset, task: Numbered, options: Options, log: Log) -> None:
    """One level 0 job of a master file: writes its predictors for every trait."""
    log(f" * running jobs in parallel (job #{task.number})")
    master = read_master(Path(task.path), options.block_size)
    if not 1 <= task.number <= len(master.jobs):
        raise RegenieError(f"could not read line {task.number + 1} (check number of lines in file).")
    job = master.jobs[task.number - 1]
    names = frozenset(job.snplist.read_text(encoding="utf-8").split())
    log(f"   -keeping variants specified in [{job.snplist}]")
    blocks = cut_blocks(select_variants(dataset.variants, names=names), options.block_size)
    if (len(blocks), sum(len(block.variants) for block in blocks)) != (job.blocks, job.variants):
        raise RegenieError("number of variants/blocks in file don't match with that in master file.")
    cohort = dataset.cohort(options, log)
    write_level0(dataset, cohort, blocks, master.variants, job.prefix, log)


def run_level1(dataset: Dataset, master_path: str, options: Options, log: Log) -> None:
    """LOCO predictions from the level 0 jobs of a master file."""
    blocks = cut_blocks(dataset.variants, options.block_size)
    master = read_master(Path(master_path), options.block_size)
    planned = (sum(job.blocks for job in master.jobs), sum(job.variants for job in master.jobs))
    if planned != (len(blocks), len(dataset.variants)):
        raise RegenieError(
            f"number of blocks/variants in master file '{master_path}' doesn't match that in the analysis."
        )
    log(f" * using results from running {len(master.jobs)} parallel jobs at level 0.")
    cohort = dataset.cohort(options, log)
    fit_level1(cohort, blocks, master.jobs, options, log)
    if not options.keep_level0:
        _delete_level0(cohort, master.jobs, options)


def run_whole(dataset: Dataset, options: Options, log: Log) -> None:
    """Step 1 in one run. Level 0 predictors pass through files, so that memory holds one trait's at a time."""
    blocks = cut_blocks(dataset.variants, options.block_size)
    cohort = dataset.cohort(options, log)
    with _scratch_prefix(options) as prefix:
        job = Level0Job(prefix, len(blocks), len(dataset.variants))
        write_level0(dataset, cohort, blocks, len(dataset.variants), prefix, log)
        fit_level1(cohort, blocks, [job], options, log)
        _delete_level0(cohort, [job], options)


@contextmanager
def _scratch_prefix(options: Options) -> Iterator[str]:
    if options.low_memory:
        yield options.low_memory_prefix or options.out
    else:
        with tempfile.TemporaryDirectory(prefix="regenie-") as folder:
            yield f"{folder}/step1"


def _delete_level0(cohort: Cohort, jobs: Sequence[Level0Job], options: Options) -> None:
    for job in jobs:
        for index in _chosen_traits(cohort, options):
            level0_path(job.prefix, index).unlink(missing_ok=True)
        job.snplist.unlink(missing_ok=True)


# --- Level 0 -------------------------------------------------------------------------------------------------------


def write_level0(
    dataset: Dataset, cohort: Cohort, blocks: Sequence[Block], all_variants: int, prefix: str, log: Log
) -> None:
    """Predictors of these blocks, a file for each trait: for every block and penalty a column of doubles.

    `all_variants` is the number in all of step 1, not in these blocks: it sets the penalties.
    """
    log(f" * # blocks          : [{len(blocks)}]")
    traits = scaled_traits(cohort)
    penalties = _penalties(all_variants)
    with ExitStack() as stack:
        files = [
            stack.enter_context(level0_path(prefix, index).open("wb")) for index in range(1, len(cohort.traits) + 1)
        ]
        for number, block in enumerate(blocks, start=1):
            log(f" chromosome {block.chromosome} block [{number}] : {len(block.variants)} snps")
            predictors = level0_predictors(scaled_genotypes(dataset, cohort, block), traits, penalties)
            columns = np.zeros((len(files), PREDICTORS, len(cohort.ids)))
            columns[:, :, cohort.rows] = predictors
            for file, trait_columns in zip(files, columns, strict=True):
                file.write(trait_columns.tobytes())


def scaled_traits(cohort: Cohort) -> Floats:
    """Residuals of the mean-imputed traits over their standard deviation, (samples, traits)."""
    residuals = cohort.residuals(cohort.values)
    scale = np.linalg.norm(residuals, axis=0) / np.sqrt(cohort.size - cohort.rank)
    scaled: Floats = residuals / checked_scale(scale, cohort.traits)
    return scaled


def scaled_genotypes(dataset: Dataset, cohort: Cohort, block: Block) -> Floats:
    """Residuals of the block's mean-imputed genotypes over their standard deviation, (variants, samples)."""
    counts = dataset.bed.genotypes(block, cohort.rows).counts
    residuals = counts - (counts @ cohort.basis) @ cohort.basis.T
    scale = np.linalg.norm(residuals, axis=1) / np.sqrt(cohort.size - cohort.rank)
    lowest = int(scale.argmin())
    if scale[lowest] < LOWEST_SD:
        raise RegenieError(f"!! Uh-oh, SNP {block.variants[lowest].name} has low variance (={scale[lowest]:g}).")
    residuals /= scale[:, np.newaxis]
    return residuals


def level0_predictors(genotypes: Floats, traits: Floats, penalties: Sequence[float]) -> Floats:
    """Ridge predictions of every trait from one block, each fold's from the other folds: (traits, penalties, samples).

    Each is standardised over all samples (with n - 1), which is what makes level 1's single penalty fit all.
    """
    samples = genotypes.shape[1]
    folds = _folds(samples)
    grams = [genotypes[:, fold] @ genotypes[:, fold].T for fold in folds]
    products = [genotypes[:, fold] @ traits[fold] for fold in folds]
    gram, product = sum(grams), sum(products)
    predictions = np.empty((traits.shape[1], len(penalties), samples))
    for fold, fold_gram, fold_product in zip(folds, grams, products, strict=True):
        coefficients = ridge(gram - fold_gram, product - fold_product, penalties)
        predictions[:, :, fold] = np.einsum("lvt,vs->tls", coefficients, genotypes[:, fold], optimize=True)
    predictions -= predictions.mean(axis=2, keepdims=True)
    predictions /= predictions.std(axis=2, ddof=1, keepdims=True)
    return predictions


# --- Level 1 -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Level1Fit:
    """Ridge regression of one trait on all level 0 predictors."""

    coefficients: list[Floats]  # of each fold, under the best penalty: (predictors,)
    errors: Floats  # mean squared error of each penalty
    squared_correlations: Floats


def fit_level1(cohort: Cohort, blocks: Sequence[Block], jobs: Sequence[Level0Job], options: Options, log: Log) -> None:
    """Write LOCO predictions of the chosen traits, and the list of these files."""
    traits = scaled_traits(cohort)
    files: dict[str, Path] = {}
    log("Output\n------")
    for index in _chosen_traits(cohort, options):
        trait = cohort.traits[index - 1]
        log(f"phenotype {index} ({trait}) : ")
        predictors = _read_predictors(cohort, jobs, index)
        fit = level1_fit(predictors, traits[:, index - 1])
        _log_fit(log, fit)
        path = Path(f"{options.out}_{index}.loco{'.gz' if options.gzip else ''}")
        ids = [cohort.ids[row] for row in cohort.rows]
        write_loco(path, ids, loco_predictions(predictors, fit.coefficients, blocks))
        files[trait] = path
    list_path = Path(f"{options.out}_pred.list")
    write_prediction_list(list_path, files, relative=options.relative_paths)
    log(f"List of blup files written to: [{list_path}]")


def _chosen_traits(cohort: Cohort, options: Options) -> list[int]:
    """1-based places, among the kept traits, of those that level 1 is for."""
    chosen = [
        index
        for index, trait in enumerate(cohort.traits, start=1)
        if options.level1_traits is None or trait in options.level1_traits
    ]
    if not chosen:
        raise RegenieError("none of the phenotypes in --l1-phenoList is analysed.")
    return chosen


def _read_predictors(cohort: Cohort, jobs: Sequence[Level0Job], index: int) -> Floats:
    parts = [
        read_level0(level0_path(job.prefix, index), samples=len(cohort.ids), columns=job.blocks * PREDICTORS)
        for job in jobs
    ]
    return np.hstack(parts)[cohort.rows]


def level1_fit(predictors: Floats, trait: Floats) -> Level1Fit:
    """Ridge regression without each fold in turn; the penalty with the least squared error over all folds is kept."""
    folds = _folds(len(trait))
    grams = [predictors[fold].T @ predictors[fold] for fold in folds]
    products = [predictors[fold].T @ trait[fold, np.newaxis] for fold in folds]
    gram, product = sum(grams), sum(products)
    penalties = _penalties(predictors.shape[1])
    coefficients = [
        ridge(gram - fold_gram, product - fold_product, penalties)[:, :, 0]
        for fold_gram, fold_product in zip(grams, products, strict=True)
    ]
    predictions = np.vstack([predictors[fold] @ of_fold.T for fold, of_fold in zip(folds, coefficients, strict=True)])
    errors = ((predictions - trait[:, np.newaxis]) ** 2).mean(axis=0)
    best = int(errors.argmin())
    correlations = np.array([np.corrcoef(column, trait)[0, 1] for column in predictions.T])
    return Level1Fit([of_fold[best] for of_fold in coefficients], errors, correlations**2)


def loco_predictions(predictors: Floats, coefficients: Sequence[Floats], blocks: Sequence[Block]) -> dict[int, Floats]:
    """Each chromosome's prediction from all the others, every fold with its own coefficients and no refit.

    A chromosome without variants holds the total.
    """
    folds = _folds(len(predictors))
    weights = np.empty_like(predictors)
    for fold, of_fold in zip(folds, coefficients, strict=True):
        weights[fold] = of_fold
    parts = {chromosome: np.zeros(len(predictors)) for chromosome in range(1, CHROMOSOMES + 1)}
    contributions = predictors * weights
    for place, block in enumerate(blocks):
        parts[block.chromosome] += contributions[:, place * PREDICTORS : (place + 1) * PREDICTORS].sum(axis=1)
    total = np.sum(list(parts.values()), axis=0)
    return {chromosome: total - part for chromosome, part in parts.items()}


def _log_fit(log: Log, fit: Level1Fit) -> None:
    best = fit.errors.min()
    for heritability, correlation, error in zip(HERITABILITIES, fit.squared_correlations, fit.errors, strict=True):
        mark = "<- min value" if error == best else ""
        log(f"  {heritability:<5g} : Rsq = {correlation:g}, MSE = {error:g}{mark}")


# --- Both levels ---------------------------------------------------------------------------------------------------


def ridge(gram: Floats, product: Floats, penalties: Sequence[float]) -> Floats:
    """Solutions of (gram + penalty I) x = product for each penalty: (penalties, predictors, columns of product)."""
    # Five LU solutions take 0.6 of the time of one eigendecomposition (900 predictors, OpenBLAS).
    identity = np.eye(len(gram))
    return np.stack([np.linalg.solve(gram + penalty * identity, product) for penalty in penalties])


def _penalties(predictors: int) -> list[float]:
    return [predictors * (1 - heritability) / heritability for heritability in HERITABILITIES]


def _folds(samples: int) -> list[slice]:
    """Five contiguous folds of floor(n / 5) samples, in the .fam file's order; the last takes the remainder."""
    size = samples // FOLDS
    if size < 1:
        raise RegenieError(f"not enough samples are present for {FOLDS}-fold CV.")
    starts = [fold * size for fold in range(FOLDS)]
    return [slice(start, end) for start, end in zip(starts, [*starts[1:], samples], strict=True)]
