"""The lines above which p-values are called significant, all of them as -log10 p."""

from __future__ import annotations

import math

GENOME_WIDE = 7.301
"""Of single variants: 5e-8, the usual line of genome-wide significance."""
FAMILY_WIDE = 0.05
"""The chance of any false positive that Bonferroni's correction allows."""


def of_genes(genes: int) -> float:
    """Of gene-based tests: 0.05 divided by the number of genes that have a p-value.

    It counts genes, not the masks and tests of each. Without any gene it is that of one.
    """
    return -math.log10(FAMILY_WIDE / max(genes, 1))
