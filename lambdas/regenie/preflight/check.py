"""Preflight: what the data itself says against a launch, seen before anything that costs money exists.

Of genotypes it reads headers and id columns, of the phenotype and covariate files every row, once. Memory: about 100
bytes for each genotyped person, whatever the number of traits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from lambdas.regenie.data_set import DataSet
from lambdas.regenie.genotypes import GenotypeCounts, GenotypeFiles
from lambdas.regenie.preflight.findings import Findings
from lambdas.regenie.preflight.genotyped import check_same_people, warn_of_chromosome_names
from lambdas.regenie.preflight.people import PHENOTYPES, SampleCounts, check_people
from lambdas.regenie.preflight.sample_ids import listed_people, read_places
from lambdas.regenie.preflight.table import Table
from lambdas.shared.config_model import RegenieParameters


@dataclass(frozen=True, slots=True)
class Genotyped:
    """A genotype file whose header and list of variants are good."""

    where: str
    """The config key that names it."""
    counts: GenotypeCounts


def check_data(
    data: DataSet,
    genotypes: Mapping[GenotypeFiles, Genotyped],
    phenotypes: Table | None,
    covariates: Table | None,
    parameters: RegenieParameters,
    findings: Findings,
) -> SampleCounts | None:
    """Compare people and chromosomes of all files, and look at every value of the tables; None where it cannot.

    `genotypes` begin with those of step 1, with which the others are compared. A table is None if its header
    is a fault.
    """
    if not genotypes:
        return None
    first, *others = genotypes
    wheres = {files: genotyped.where for files, genotyped in genotypes.items()}
    findings.attempt(wheres[first], lambda: warn_of_chromosome_names(data, wheres, findings), None)
    places = findings.attempt(
        wheres[first], lambda: read_places(data, first, genotypes[first].counts, wheres[first], findings), None
    )
    if not places:
        return None
    for files in others:
        findings.attempt(wheres[files], partial(check_same_people, data, places, files, wheres[files], findings), None)
    if phenotypes is None:
        return None
    chosen = _chosen(data, places, parameters, findings)
    return findings.attempt(
        PHENOTYPES, lambda: check_people(chosen, phenotypes, covariates, parameters, findings), None
    )


def _chosen(
    data: DataSet, places: dict[bytes, int], parameters: RegenieParameters, findings: Findings
) -> dict[bytes, int]:
    """The genotyped people whom the launch's lists leave in: the others' rows are none of regenie's business."""
    kept = findings.attempt("regenie.keep", lambda: listed_people(data, parameters.keep), None)
    removed = findings.attempt("regenie.remove", lambda: listed_people(data, parameters.remove), None)
    if kept is None and removed is None:
        return places
    people = [person for person in places if (kept is None or person in kept) and person not in (removed or ())]
    if not people:
        findings.add(
            "regenie.keep" if kept is not None else "regenie.remove",
            "leaves nobody who is genotyped",
            "Its lines begin with FID and IID, as in the genotypes' sample file.",
        )
        return places
    return {person: place for place, person in enumerate(people)}
