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
    "BURDEN-MINP": "smallest p-value of the set's masks",
    "BURDEN-ACAT": "p-values of the set's masks, combined",
    "BURDEN-SBAT": "the set's masks together, with effects of one direction",
}

SINGLE_VARIANT = frozenset(_EFFECT)
"""Tests of a variant alone."""
ADJUSTED = frozenset(f"{test}{_CONDITIONAL}" for test in _EFFECT)
"""The same in a test of interaction with a covariate, which is one of the analysis."""


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
