"""A stage whose regenie cannot do everything refuses what needs more, before any job."""

from typing import Any

import pytest

from genolaunch.shared.faults import Fault
from genolaunch.shared.input_error import LaunchInputError
from lambdas.regenie import inputs
from lambdas.regenie.images import Images, Limits
from regenie_stand_in.cli import known_options
from tests.unit.regenie_planning.conftest import MemoryDataSet, parameters

REMEDY = "Install regenie."
STAND_INS = Images({"4.1.2": "regenie:4.1.2"}, "4.1.2", limits=Limits(frozenset(known_options()), REMEDY))


def refused(data: MemoryDataSet, **given: Any) -> dict[str, str]:
    """Where -> options that lack; nothing if the launch is planned."""
    try:
        inputs.read_inputs(data, parameters(**{"traits": ["height"], **given}), STAND_INS)
    except LaunchInputError as refusal:
        faults: tuple[Fault, ...] = refusal.faults
        needs = [fault for fault in faults if fault.remedy == REMEDY]
        return {fault.where: fault.problem.partition("'s ")[2].partition(", which")[0] for fault in needs}
    return {}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {}),
        ({"apply_rint": True, "categorical_covariates": ["sex"]}, {}),
        ({"trait_type": "binary", "traits": ["t2d"]}, {"regenie.trait_type": "--bt"}),
        ({"par_region": "b37"}, {"regenie.par_region": "--par-region"}),
        ({"sex": "male"}, {"regenie.sex": "--sex-specific"}),
        ({"genotypes": "cohort.pgen"}, {"regenie.genotypes": "--pgen"}),
        ({"genotypes": "c.bgen", "sample": "c.sample"}, {"regenie.genotypes": "--bgen"}),
        (
            {"step2": {"datasets": [{"genotypes": "imputed.bgen", "sample": "imputed.sample"}]}},
            {"regenie.step2.datasets": "--bgen"},
        ),
        ({"step1": {"extra": ["--cv 4"]}}, {"regenie.step1.extra": "--cv"}),
        (
            {"step1": {"extra": ["--strict"]}, "step2": {"extra": ["--strict", "--test dominant"]}},
            {"regenie.step1.extra": "--strict", "regenie.step2.extra": "--strict, --test"},
        ),
        (
            {"step2": {"interaction": {"covariate": "sex"}}},
            {"regenie.step2.interaction": "--interaction"},
        ),
        (
            {"step2": {"condition": {"variants": "l.txt", "genotypes": "cohort.bed"}}},
            {"regenie.step2.condition": "--condition-list, --condition-file"},
        ),
        (
            {"step2": {"gene_tests": {"annotations": "a.txt", "sets": "s.txt", "masks": "m.txt"}}},
            {"regenie.step2.gene_tests": "--anno-file, --set-list, --mask-def, --write-mask-snplist, --extract-sets"},
        ),
    ],
)
def test_what_the_stages_regenie_lacks_is_refused_at_its_key(
    cohort: MemoryDataSet, given: dict[str, Any], expected: dict[str, str]
):
    assert refused(cohort, **given) == expected


def test_the_whole_program_is_asked_nothing(cohort: MemoryDataSet):
    images = Images({"4.1.2": "regenie:4.1.2"}, "4.1.2")

    inputs.read_inputs(cohort, parameters(traits=["t2d"], trait_type="binary", par_region="b37"), images)


def test_the_setting_says_what_it_has():
    text = '{"versions": {"4.1.2": "i"}, "default": "4.1.2", "limits": {"options": ["--qt"], "remedy": "Do."}}'

    assert Images.read(text).limits == Limits(frozenset({"--qt"}), "Do.")
    assert Images.read(text.partition(', "limits"')[0] + "}").limits is None
