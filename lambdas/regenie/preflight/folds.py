"""Checks that there are enough people for the folds of step 1's cross-validation.

regenie ends with fewer people than folds (4.1.2's sources: Data.cpp, set_folds). Leaving one out at a time has none.
"""

from typing import Final

from genolaunch.launch_configs.regenie_config import RegenieParameters
from genolaunch.launch_configs.regenie_options import name_of
from lambdas.regenie.preflight.findings import Findings

_FOLDS: Final = 5
"""regenie's --cv."""
_LEAVE_ONE_OUT_BELOW: Final = 5_000
"""People of whom binary traits are always fitted so (Data.cpp, set_blocks)."""


def check_folds(people: int, parameters: RegenieParameters, findings: Findings) -> None:
    """Find more folds than people.

    Args:
        people: who are analysed; none is a fault of its own.
        parameters: the launch's config.
        findings: get the fault.
    """
    extra = {name_of(option): option.split() for option in parameters.step1.extra}
    is_small_binary = parameters.trait_type == "binary" and people < _LEAVE_ONE_OUT_BELOW
    if not parameters.step1.enabled or not people or is_small_binary or "--loocv" in extra:
        return
    folds = int(extra["--cv"][1]) if "--cv" in extra else _FOLDS
    if folds > people:
        findings.add(
            "regenie.step1.extra",
            f"{'has' if '--cv' in extra else 'has not another number than'} --cv {folds}, and {people:,} people are "
            "analysed: regenie refuses more folds than people",
            "Give --loocv, or fewer folds with --cv.",
        )
