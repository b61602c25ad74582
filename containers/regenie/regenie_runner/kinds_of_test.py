"""What regenie's rows test, by the names in their column TEST (4.1.2: docs/options.md, Interaction.cpp)."""

from __future__ import annotations

import re

from regenie_runner.checks import OF_INTERACTION

USUAL = "ADD"
"""The test of a usual study, of which results are that have no column TEST."""
_INTERACTION = OF_INTERACTION.decode()
_OWN_EFFECT = "SNP"
"""What follows in the name: the tested variant's effect, its product with the other variable, both at once."""
_PRODUCT = "SNPx"
_JOINT = re.compile(r"\d+DF")
_CONDITIONAL = "-CONDTL"
"""How the name of a test ends that is adjusted for what the variant interacts with, and of nothing else."""
_EFFECT = {USUAL: "additive", "DOM": "dominant", "REC": "recessive"}
_OF_SETS = {
    "ADD": "burden: the mask as one variant",
    "DOM": "burden: the mask as one variant",
    "REC": "burden: the mask as one variant",
    "SKAT": "variance component",
    "SKATO": "SKAT and burden",
    "SKATO-ACAT": "SKAT and burden",
    "ACATV": "p-values of single variants, combined",
    "ACATO": "ACATV, SKAT and burden",
    "ACATO-FULL": "ACATV, SKAT and burden",
}
GENE_P = "GENE_P"
"""Of --rgc-gene-p: the p-value of a set, in one."""
_OF_ALL_MASKS = {
    "BURDEN-MINP": "smallest p-value of the masks' burden tests, which is not corrected for their number",
    "BURDEN-GATES": "smallest p-values of the masks' burden tests, for their number and correlation",
    "BURDEN-ACAT": "p-values of the masks' burden tests, combined",
    "BURDEN-F": "the masks' burdens together (F test)",
    "BURDEN-SBAT": "the masks' burdens together, with effects of one direction",
    "BURDEN-SBAT_POS": "the masks' burdens together, with effects that raise the trait",
    "BURDEN-SBAT_NEG": "the masks' burdens together, with effects that lower the trait",
    "ACATV-ACAT": "p-values of the masks' ACATV tests, combined",
    "SKATO-ACAT": "p-values of the masks' SKATO tests, combined",
    GENE_P: "all of burden, SBAT, ACATV and SKATO tests, combined",
}
"""Joint tests (--joint, --rgc-gene-p): one row a set, whose ID is the set's. MINP is so by a run of 4.1.2: it is the
p-value of one of the masks."""

SINGLE_VARIANT = frozenset(_EFFECT)
"""Tests of a variant alone."""
ADJUSTED = frozenset(f"{test}{_CONDITIONAL}" for test in _EFFECT)
"""The same in a test of interaction with a covariate, which is one of the analysis."""


def degrees_of_freedom(test: str) -> int | None:
    """Of a test of a variant, or of a mask as one; None of what has none of its own, such as SKAT."""
    _, interaction, of = test.partition(_INTERACTION)
    if not interaction:
        return 1 if test in SINGLE_VARIANT | ADJUSTED else None
    if joint := _JOINT.fullmatch(of):
        return int(joint[0].removesuffix("DF"))
    return 1 if is_of_the_variant(test) else None


def of_all_masks_in_words(test: str) -> str:
    """What a joint test of a set's masks is of; those of some masks only have the name of their group behind it."""
    name = test if test.startswith(GENE_P) else test.partition("-")[2]
    known = [key for key in _OF_ALL_MASKS if name == key or name.startswith(f"{key}_")]
    if not known:
        return ""
    key = max(known, key=len)
    group = name.removeprefix(key).removeprefix("_")
    return f"{_OF_ALL_MASKS[key]}: of {group}" if group else _OF_ALL_MASKS[key]


def is_a_smallest(test: str) -> bool:
    """Whether its p-value is the smallest of several, and not corrected for their number."""
    return test.endswith("-BURDEN-MINP")


def is_of_interaction(test: str) -> bool:
    """Whether its rows stand beside the variant's own."""
    return _INTERACTION in test


def is_of_the_variant(test: str) -> bool:
    """Whether it tests the variant, or set of them, alone or with another.

    The effect of that other alone is none: it is the same association, written again beside every variant.
    """
    _, interaction, of = test.partition(_INTERACTION)
    return not interaction or of == _OWN_EFFECT or of.startswith(_PRODUCT) or bool(_JOINT.fullmatch(of))


def is_of_own_effect(test: str) -> bool:
    """Whether it tests the variant's effect at the baseline, or at 0, of what it interacts with: once a variant."""
    return test.partition(_INTERACTION)[2] == _OWN_EFFECT


def is_of_a_product(test: str) -> bool:
    """Whether it tests the interaction itself."""
    return test.partition(_INTERACTION)[2].startswith(_PRODUCT)


def main_of(tests: list[str]) -> str:
    """Of the tests of variants that there are, that whose rows are a usual study's; USUAL without any."""
    usual = (test for test in tests if test in SINGLE_VARIANT | ADJUSTED)
    return next(usual, tests[0] if tests else USUAL)


def in_words(test: str, *, of_sets: bool) -> str:
    """What a test is of; "" for one that regenie's documentation does not name."""
    base, interaction, of = test.partition(_INTERACTION)
    what = "mask" if of_sets else "variant"
    if not interaction:
        name = base.removesuffix(_CONDITIONAL)
        if of_sets:
            words = _OF_SETS.get(name) or _OF_SETS.get(name.partition("-")[2], "")
        else:
            words = f"the variant ({_EFFECT[name]})" if name in _EFFECT else ""
        return f"{words}, adjusted for what it interacts with" if base.endswith(_CONDITIONAL) else words
    if of == _OWN_EFFECT:
        return f"the {what}, beside its interaction"
    if of.startswith(_PRODUCT):
        return f"the interaction of the {what} with {of.removeprefix(_PRODUCT)}"
    if _JOINT.fullmatch(of):
        return f"the {what} and its interaction together"
    return f"{of} itself: no test of the {what}"
