"""Preflight: checks the data before anything that costs money exists.

Of genotypes it reads headers and id columns, of the phenotype and covariate files every row, once. Memory: about 100
bytes for each genotyped person, independent of the number of traits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from genolaunch.launch_configs.regenie_config import RegenieParameters
from genolaunch.regenie.data_set import DataSet
from genolaunch.regenie.genotypes import GenotypeCounts, GenotypeFiles
from lambdas.regenie.preflight.chosen import choose_people
from lambdas.regenie.preflight.encodings import check_encoding
from lambdas.regenie.preflight.findings import Findings
from lambdas.regenie.preflight.genotyped import (
    check_same_people,
    check_sample_order,
    check_sex_column,
    warn_of_chromosome_names,
)
from lambdas.regenie.preflight.loco import covered_people
from lambdas.regenie.preflight.people import PHENOTYPES, check_people
from lambdas.regenie.preflight.sample_counts import SampleCounts
from lambdas.regenie.preflight.samples import read_sexes
from lambdas.regenie.preflight.table import Table


@dataclass(frozen=True, slots=True)
class Genotyped:
    """A genotype file whose header and list of variants are good."""

    where: str
    """The config key that names it."""
    counts: GenotypeCounts
    chromosomes: frozenset[int]
    """Those that step 2 would test of it if no list of variants left any out."""


def check_data(
    data: DataSet,
    genotypes: Mapping[GenotypeFiles, Genotyped],
    phenotypes: Table | None,
    covariates: Table | None,
    predictions: Mapping[str, str],
    parameters: RegenieParameters,
    findings: Findings,
) -> SampleCounts | None:
    """Compare people and chromosomes of all files, and look at every value of the tables; None where it cannot.

    `genotypes` begin with those of step 1, with which the others are compared. A table is None if its header
    is a fault. `predictions` are the LOCO files below data, by trait, if the user gave them.
    """
    if not genotypes:
        return None
    first, *others = genotypes
    wheres = {files: genotyped.where for files, genotyped in genotypes.items()}
    findings.attempt(wheres[first], lambda: warn_of_chromosome_names(data, wheres, findings), None)
    sexes = findings.attempt(
        wheres[first], lambda: read_sexes(data, first, genotypes[first].counts, wheres[first], findings), None
    )
    for files, where in wheres.items():
        findings.attempt(where, partial(check_encoding, data, files, where, findings), None)
        findings.attempt(where, partial(check_sex_column, data, files, where, parameters, findings), None)
        findings.attempt(where, partial(check_sample_order, data, files, where, findings), None)
    if not sexes:
        return None
    for files in others:
        findings.attempt(
            wheres[files], partial(check_same_people, data, sexes, files, wheres[files], parameters, findings), None
        )
    chosen = choose_people(data, sexes, parameters, findings)
    if phenotypes is None or chosen is None:
        return None
    # A list may leave no variant of a chromosome: then regenie does not read its predictions.
    has_list = parameters.step2.extract or parameters.step2.exclude
    tested = frozenset() if has_list else frozenset().union(*(found.chromosomes for found in genotypes.values()))
    covered = {
        trait: covered_people(data, path, trait, chosen.places, tested, findings) for trait, path in predictions.items()
    }
    counts = findings.attempt(
        PHENOTYPES,
        lambda: check_people(chosen, phenotypes, covariates, covered, parameters, findings),
        None,
    )
    return replace(counts, lists=chosen.lists) if counts else None
