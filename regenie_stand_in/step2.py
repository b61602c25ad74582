"""Step 2: a score test of every variant against what step 1 leaves of each trait.

Formulas were measured on regenie v4.1.2.
"""

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final, TextIO

import numpy as np

from regenie_stand_in.arrays import Bools, Floats
from regenie_stand_in.chromosomes import is_haploid_in_males
from regenie_stand_in.cli import Options
from regenie_stand_in.dataset import Dataset
from regenie_stand_in.formats import LocoFile, open_text, read_prediction_list
from regenie_stand_in.log import Log
from regenie_stand_in.plink import Block, Genotypes, cut_blocks
from regenie_stand_in.samples import LOWEST_SD, Cohort, checked_scale, trait_columns

HEADER: Final = "CHROM GENPOS ID ALLELE0 ALLELE1 A1FREQ N TEST BETA SE CHISQ LOG10P EXTRA\n"

_SPARSE: Final = 0.5  # from this share of zeros on, regenie takes the sparse form of the denominator
_LEAST_P: Final = 10 * sys.float_info.min  # below it, regenie uses the tail's leading term


@dataclass(frozen=True)
class NullModel:
    """What a chromosome's variants are tested against, (samples, traits).

    `residuals` are zero where a trait is not `observed` (`mask` is that as numbers); `scale` turns their unit into the
    trait's.
    """

    residuals: Floats
    mask: Floats
    scale: Floats


@dataclass(frozen=True)
class Statistics:
    """Results of one block, (variants, traits)."""

    frequencies: Floats
    samples: Floats
    effects: Floats
    errors: Floats
    chi_squares: Floats
    tested: Bools


def run(options: Options, log: Log) -> None:
    """Test every selected variant against every trait that has predictions from step 1."""
    assert options.predictions is not None  # the command line was checked
    dataset = Dataset.open(options, log)
    predictions = read_prediction_list(Path(options.predictions))
    cohort = dataset.cohort(options, log, _predicted_traits(options, predictions, log))
    loco = _open_loco(cohort, predictions, log)
    blocks = cut_blocks(dataset.variants, options.block_size)
    paths = [_result_path(options, trait) for trait in cohort.traits]

    written = 0
    with ExitStack() as stack:
        files = [stack.enter_context(open_text(path, "w")) for path in paths]
        for file in files:
            file.write(HEADER)
        for chromosome, members in groupby(blocks, key=lambda block: block.chromosome):
            log(f"Chromosome {chromosome}")
            null = null_model(cohort, [file.predictions(chromosome) for file in loco])
            for block in members:
                genotypes = dataset.bed.genotypes(block, cohort.rows)
                minor = minor_allele_counts(genotypes, null, _haploid(block), dataset.males[cohort.rows])
                statistics = block_statistics(genotypes, cohort, null, minor >= options.min_mac)
                written += _write_tested(block, statistics, files)

    log("\nAssociation results stored separately for each trait in files : ")
    for path in paths:
        log(f"* [{path}]")
    log(f"\nNumber of ignored tests due to low MAC : {len(dataset.variants) * len(cohort.traits) - written}")


def _predicted_traits(options: Options, predictions: Mapping[str, Path], log: Log) -> frozenset[str]:
    """Wanted traits that step 1 has predictions for. The others are only warned about, as regenie does."""
    wanted = [
        trait
        for trait in trait_columns(Path(options.phenotype_file))
        if options.traits is None or trait in options.traits
    ]
    for trait in wanted:
        if trait not in predictions:
            log(f"WARNING: No step 1 file provided for phenotype '{trait}' so it will be ignored.")
    return frozenset(wanted) & predictions.keys()


def _open_loco(cohort: Cohort, predictions: Mapping[str, Path], log: Log) -> list[LocoFile]:
    log.item("LOCO predictions", f"n_files = {len(cohort.traits)}")
    places = {cohort.ids[row]: place for place, row in enumerate(cohort.rows)}
    files = []
    for trait in cohort.traits:
        log(f"   -file [{predictions[trait]}] for phenotype '{trait}'")
        files.append(LocoFile(predictions[trait], places))
    return files


def _result_path(options: Options, trait: str) -> Path:
    return Path(f"{options.out}_{trait}.regenie{'.gz' if options.gzip else ''}")


def null_model(cohort: Cohort, loco: Sequence[Floats]) -> NullModel:
    """Residuals of the traits after covariates and the other chromosomes' predictions.

    Missing traits are zero before covariates are projected off (over all samples) and again afterwards; both scalings
    divide by sqrt(N of the trait - C).
    """
    predictions = np.column_stack(loco)
    observed = cohort.observed & ~np.isnan(predictions)
    mask = observed.astype(np.float64)
    degrees = np.sqrt(mask.sum(axis=0) - cohort.rank)

    residuals = cohort.residuals(cohort.values * mask) * mask
    scale = checked_scale(np.linalg.norm(residuals, axis=0) / degrees, cohort.traits)
    residuals = residuals / scale - np.where(observed, predictions, 0.0)
    residuals *= mask
    rescale = np.linalg.norm(residuals, axis=0) / degrees
    return NullModel(residuals / rescale, mask, scale * rescale)


def _haploid(block: Block) -> Bools:
    """Of which variants males have one copy."""
    return np.array([is_haploid_in_males(variant.chromosome, variant.position) for variant in block.variants], np.bool_)


def minor_allele_counts(genotypes: Genotypes, null: NullModel, haploid: Bools, males: Bools) -> Floats:
    """Copies of the rarer allele among each trait's samples, (variants, traits).

    A man's genotype of a `haploid` variant, 0 or 2, counts as one allele (Geno.cpp of 4.1.2, compute_mac); frequencies
    and effects take it as it is.
    """
    called = np.where(genotypes.missing, 0.0, genotypes.counts)
    present = (~genotypes.missing).astype(np.float64)
    alleles, most = called @ null.mask, 2 * (present @ null.mask)
    if haploid.any():
        of_males = null.mask * males[:, np.newaxis]
        alleles[haploid] -= called[haploid] @ of_males / 2
        most[haploid] -= present[haploid] @ of_males
    minor: Floats = np.minimum(alleles, most - alleles)
    return minor


def block_statistics(genotypes: Genotypes, cohort: Cohort, null: NullModel, frequent: Bools) -> Statistics:
    """Score tests z = sum(r g) / sqrt(d) with g the genotype after covariates (Q their basis, r the residuals).

    d is sum(g^2) over the trait's samples. Written out in raw genotypes it needs no (variants, samples) array:
    sum(g_m^2) - 2 (Q'g_m).(Q'g) + (Q'g)' (Q_m'Q_m) (Q'g), m marking the trait's samples. For several traits and
    genotypes of which at least half are zero regenie has |Q'g|^2 as last term. `frequent`, (variants, traits): whose
    minor allele count suffices.
    """
    counts, missing = genotypes.counts, genotypes.missing
    absent = missing.astype(np.float64)
    samples = null.mask.sum(axis=0) - absent @ null.mask
    alleles = np.where(missing, 0.0, counts) @ null.mask

    on_basis = counts @ cohort.basis
    scores = counts @ null.residuals - on_basis @ (cohort.basis.T @ null.residuals)
    squares = counts**2
    denominators = squares @ null.mask
    sparse = np.count_nonzero(counts == 0, axis=1) >= _SPARSE * counts.shape[1]
    sparse &= len(cohort.traits) > 1
    for trait, mask in enumerate(null.mask.T):
        masked_basis = cohort.basis * mask[:, np.newaxis]
        dense_term = np.einsum("vi,ij,vj->v", on_basis, masked_basis.T @ masked_basis, on_basis)
        sparse_term = (on_basis**2).sum(axis=1)
        denominators[:, trait] += np.where(sparse, sparse_term, dense_term)
        denominators[:, trait] -= 2 * ((counts @ masked_basis) * on_basis).sum(axis=1)

    variances = (squares.sum(axis=1) - (on_basis**2).sum(axis=1)) / (cohort.size - cohort.rank)
    tested = frequent & (variances >= LOWEST_SD**2)[:, np.newaxis]
    with np.errstate(divide="ignore", invalid="ignore"):  # only where nothing is tested
        return Statistics(
            frequencies=alleles / (2 * samples),
            samples=samples,
            effects=scores / denominators * null.scale,
            errors=null.scale / np.sqrt(denominators),
            chi_squares=scores**2 / denominators,
            tested=tested,
        )


def _write_tested(block: Block, statistics: Statistics, files: Sequence[TextIO]) -> int:
    """Write each trait's lines to its file; the number of lines."""
    for trait, file in enumerate(files):
        file.writelines(_lines(block, statistics, trait))
    return int(np.count_nonzero(statistics.tested))


def _lines(block: Block, statistics: Statistics, trait: int) -> Iterator[str]:
    columns = (
        statistics.frequencies,
        statistics.samples,
        statistics.effects,
        statistics.errors,
        statistics.chi_squares,
    )
    rows = np.stack([column[:, trait] for column in columns], axis=1).tolist()
    for variant, row, tested in zip(block.variants, rows, statistics.tested[:, trait], strict=True):
        if tested:
            frequency, samples, effect, error, chi_square = row
            yield (
                f"{variant.chromosome} {variant.position} {variant.name} "
                f"{variant.other_allele} {variant.counted_allele} {frequency:g} {samples:.0f} ADD "
                f"{effect:g} {error:g} {chi_square:g} {minus_log10_p(chi_square):g} NA\n"
            )


def minus_log10_p(chi_square: float) -> float:
    """-log10 of the upper tail of the chi-square distribution with one degree of freedom."""
    p = math.erfc(math.sqrt(chi_square / 2))
    if p >= _LEAST_P:
        return abs(math.log10(p))  # abs: log10(1) is to print as 0, not -0
    return 0.5 * (math.log10(math.pi * chi_square / 2) + chi_square * math.log10(math.e))
