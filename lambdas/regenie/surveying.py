"""Counts the variants of each chromosome of a data set and divides them, from samples of the list or from all of it."""

from dataclasses import replace
from typing import Final

from genolaunch.regenie.data_set import DataSet
from genolaunch.regenie.genotypes import GenotypeCounts, GenotypeFiles, GenotypeFormat, check_listed
from lambdas.regenie.chunks import Survey, survey
from lambdas.regenie.sampling import NotSampledError, sample_list
from lambdas.regenie.variants import line_parser, variant_positions

SHORT_LIST_BYTES: Final = 1 << 24
"""A list of up to 16 MiB is read whole: that takes a second, and its numbers are exact."""


def survey_variants(
    data: DataSet, files: GenotypeFiles, counts: GenotypeCounts, variants_per_job: int, *, exact: bool = False
) -> Survey:
    """Cut a data set into chunks of `variants_per_job` variants, or about as many if its list is long.

    A long list is sampled unless its numbers have to be `exact`; when that fails, `note` of the answer says why.

    Raises:
        UnusableInputError: the list is missing or damaged, or does not belong to the genotype file.
    """
    note = None
    if not exact and data.size(files.variant_list) > SHORT_LIST_BYTES:
        try:
            return _sample(data, files, counts, variants_per_job)
        except NotSampledError as reason:
            note = f"{data.uri(files.variant_list)} was read completely, since it {reason}."
    ascending = files.format is not GenotypeFormat.BGEN
    found = survey(variant_positions(data, files), variants_per_job, ascending=ascending)
    check_listed(data, files, counts, found.variants)
    return replace(found, note=note)


def _sample(data: DataSet, files: GenotypeFiles, counts: GenotypeCounts, variants_per_job: int) -> Survey:
    if files.format is GenotypeFormat.BGEN:
        raise NotSampledError("is a database")
    return sample_list(data, line_parser(data, files), counts.variants, variants_per_job)
