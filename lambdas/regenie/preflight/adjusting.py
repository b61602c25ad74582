"""Finds traits in the covariate file, for which an analysis would adjust although nobody asked for it.

Where no covariates are named, regenie takes every column of their file but the analysed traits (4.1.2's sources:
Pheno.cpp, covariate_read). In a file for both, each trait that is not analysed becomes a covariate so, and takes its
own loci, and what they share with the analysed trait, out of the results: regenie says how many covariates it has, and
not which.
"""

import re
from collections.abc import Sequence
from typing import Final

from genolaunch.launch_configs.regenie_config import RegenieParameters
from lambdas.regenie.preflight.findings import Findings

_COLUMNS: Final = "regenie.covariate_columns"
_NAMED_AT_MOST: Final = 20
_COVARIATES_BY_NAME: Final = re.compile(
    r"""(genetic|gen|geno|genotyping|birth|baseline|recruitment|assessment|study|sequencing|collection|gwas|ukb)?_*
    (ages?|sex(es)?|gender|(is_*)?(fe)?male|yob|year(_*of_*birth)?
     |(g?pca?|pcs|ev|c|mds|component)_*\d+
     |batch(es)?|arrays?|chips?|plates?|wells?|centers?|centres?|sites?|cohorts?
     |wave|smok(ing|er)(_*status)?)
    (_*(sq|squared|x|by|\*|:|\^)?_*(\d+|age|sex)?)*
    (_*(at)?_*(recruitment|baseline|visit|assessment|enrol+ment))?(_*\d+)?""",
    re.IGNORECASE | re.VERBOSE,
)
"""What covariates of a GWAS are usually called: nobody takes such a column for a trait that was forgotten."""


def covariates_in_use(columns: Sequence[str], parameters: RegenieParameters) -> list[str]:
    """The columns of a covariate file that regenie adjusts for: those that are chosen, or all, without analysed traits.

    It passes over a column that is called like an analysed trait, as in one file for both (4.1.2's sources: Pheno.cpp,
    covariate_read).
    """
    chosen = parameters.covariate_columns or columns
    return [name for name in columns if name in chosen and name not in parameters.traits]


def check_unasked(
    phenotype_columns: Sequence[str],
    covariate_columns: Sequence[str],
    parameters: RegenieParameters,
    findings: Findings,
) -> None:
    """Refuse, or warn of, covariates that nobody named and that may be traits: columns of the phenotype file, too.

    It is a fault where the covariate file is one of traits: the phenotype file itself, or one with analysed traits.

    Args:
        phenotype_columns: of the header of the phenotype file; none if that is a fault.
        covariate_columns: of the covariate file.
        parameters: the launch's config.
        findings: get what is found.
    """
    if parameters.covariate_columns or not parameters.covariates:
        return
    used = covariates_in_use(covariate_columns, parameters)
    categories = parameters.categorical_covariates or ()
    unasked = [
        name
        for name in used
        if name in phenotype_columns
        and name not in categories
        and name != _interacting(parameters)
        and not _COVARIATES_BY_NAME.fullmatch(name)
    ]
    if not unasked:
        return
    own = [name for name in used if name not in unasked]
    shown = _listed(unasked)
    if parameters.covariates == parameters.phenotypes or any(name in covariate_columns for name in parameters.traits):
        findings.add(
            _COLUMNS,
            f"is not given, and {parameters.covariates} has traits, too: the analysis would adjust for all of its "
            f"columns that are not analysed, {shown} among them, which the phenotype file has as well",
            f"Name the covariates: covariate_columns: [{_listed(own) if own else '...'}], and {shown} only if the "
            "analysis is to adjust for that.",
        )
    else:
        findings.warn(
            _COLUMNS,
            f"is not given, and the analysis adjusts for {shown}, which the phenotype file has as well",
            "If these are traits, name the covariates in covariate_columns: adjusting for a related trait hides what "
            "both share.",
        )


def _interacting(parameters: RegenieParameters) -> str | None:
    interaction = parameters.step2.interaction
    return interaction.covariate if interaction else None


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED_AT_MOST
    return ", ".join(names[:_NAMED_AT_MOST]) + (f" and {more:,} more" if more > 0 else "")
