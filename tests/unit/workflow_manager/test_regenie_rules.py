"""Settings that regenie 4.1.2 refuses together, or of which it ignores one: refused before anything is made.

What regenie does was read in its option parser (Regenie.cpp, version 4.1.2); `tests/regenie` runs the refused ones.
"""

import pytest

from tests.unit.workflow_manager.test_config_reader import config, faults

BINARY = {"trait_type": "binary"}
GENES = {"annotations": "a.txt", "sets": "s.txt", "masks": "m.txt"}
COVARIATE = {"covariates": "c.txt", "categorical_covariates": ["smoking"]}

IMPOSSIBLE = {
    "keep and remove": ({"keep": "k.txt", "remove": "r.txt"}, "regenie.remove"),
    "a data set twice": (
        {"step2": {"datasets": [{"genotypes": "a.bed"}, {"genotypes": "b.bed"}, {"genotypes": "a.bed"}]}},
        "regenie.step2.datasets",
    ),
    "a data set twice, with two sample files": (
        {
            "step2": {
                "datasets": [
                    {"genotypes": "a.bgen", "sample": "a.sample"},
                    {"genotypes": "a.bgen", "sample": "b.sample"},
                ]
            }
        },
        "regenie.step2.datasets",
    ),
    "a threshold of 1": ({**BINARY, "step2": {"p_threshold": 1}}, "regenie.step2.p_threshold"),
    "a threshold of 0.999999": ({**BINARY, "step2": {"p_threshold": 0.9999999}}, "regenie.step2.p_threshold"),
    "a threshold below the least double": ({**BINARY, "step2": {"p_threshold": 1e-310}}, "regenie.step2.p_threshold"),
    "bounds of X from 0 on": ({"par_region": "0,5"}, "regenie.par_region"),
    "bounds of X reversed": ({"par_region": "155701383,2781479"}, "regenie.par_region"),
    "bounds of X beyond 32 bits": ({"par_region": "1,3000000000"}, "regenie.par_region"),
    "bounds of X of another build": ({"genome_build": "GRCh37", "par_region": "hg38"}, "regenie.par_region"),
    "ranks of residuals in two ways": (
        {"step2": {"extra": ["--apply-rerint", "--apply-rerint-cov"]}},
        "regenie.step2.extra",
    ),
    "SPA with an interaction": (
        {**BINARY, **COVARIATE, "step2": {"binary_test": "spa", "interaction": {"covariate": "smoking"}}},
        "regenie.step2.binary_test",
    ),
    "exact Firth with an interaction": (
        {**BINARY, **COVARIATE, "step2": {"binary_test": "firth", "interaction": {"covariate": "smoking"}}},
        "regenie.step2.binary_test",
    ),
    "exact Firth with SKAT": (
        {**BINARY, "step2": {"binary_test": "firth", "gene_tests": {**GENES, "vc_tests": ["skat"]}}},
        "regenie.step2.binary_test",
    ),
    "a dominant test with SKAT": (
        {"step2": {"extra": ["--test dominant"], "gene_tests": {**GENES, "vc_tests": ["skat"]}}},
        "regenie.step2.extra",
    ),
    "SKAT with an interaction": (
        {
            **COVARIATE,
            "step2": {"interaction": {"covariate": "smoking"}, "gene_tests": {**GENES, "vc_tests": ["skat"]}},
        },
        "regenie.step2.gene_tests.vc_tests",
    ),
    "one p-value a gene with an interaction": (
        {**COVARIATE, "step2": {"interaction": {"covariate": "smoking"}, "gene_tests": {**GENES, "rgc_gene_p": True}}},
        "regenie.step2.gene_tests.rgc_gene_p",
    ),
    "exact Firth with one p-value a gene": (
        {**BINARY, "step2": {"binary_test": "firth", "gene_tests": {**GENES, "rgc_gene_p": True}}},
        "regenie.step2.binary_test",
    ),
    "a dominant test with one p-value a gene": (
        {"step2": {"extra": ["--test dominant"], "gene_tests": {**GENES, "rgc_gene_p": True}}},
        "regenie.step2.extra",
    ),
    "a dominant test with a joint one": (
        {"step2": {"extra": ["--test dominant"], "gene_tests": {**GENES, "joint": ["acat"]}}},
        "regenie.step2.extra",
    ),
    "a recessive test of sums": (
        {"step2": {"extra": ["--test recessive"], "gene_tests": {**GENES, "build_mask": "sum"}}},
        "regenie.step2.extra",
    ),
    "a joint test that is there twice": (
        {"step2": {"gene_tests": {**GENES, "joint": ["acat", "acat"]}}},
        "regenie.step2.gene_tests.joint",
    ),
    "a joint test that regenie has not": (
        {"step2": {"gene_tests": {**GENES, "joint": ["skat"]}}},
        "regenie.step2.gene_tests.joint[0]",
    ),
    "joint tests of quantities for a binary trait": (
        {**BINARY, "step2": {"gene_tests": {**GENES, "joint": ["acat", "sbat"]}}},
        "regenie.step2.gene_tests.joint",
    ),
    "a bound of SKAT without it": (
        {"step2": {"gene_tests": {**GENES, "vc_max_aaf": 0.01}}},
        "regenie.step2.gene_tests.vc_max_aaf",
    ),
    "a bound of SKAT above 1": (
        {"step2": {"gene_tests": {**GENES, "vc_tests": ["skat"], "vc_max_aaf": 2}}},
        "regenie.step2.gene_tests.vc_max_aaf",
    ),
    "weights of SKAT without it": (
        {"step2": {"gene_tests": {**GENES, "joint": ["acat"], "skat_params": [1, 25]}}},
        "regenie.step2.gene_tests.skat_params",
    ),
    "one weight of SKAT": (
        {"step2": {"gene_tests": {**GENES, "vc_tests": ["skat"], "skat_params": [1]}}},
        "regenie.step2.gene_tests.skat_params",
    ),
    "a weight of SKAT of 0": (
        {"step2": {"gene_tests": {**GENES, "vc_tests": ["skat"], "skat_params": [0, 25]}}},
        "regenie.step2.gene_tests.skat_params[0]",
    ),
    "masks by a rule that regenie has not": (
        {"step2": {"gene_tests": {**GENES, "build_mask": "min"}}},
        "regenie.step2.gene_tests.build_mask",
    ),
    "12 bounds of masks and the one of one p-value a gene": (
        {"step2": {"gene_tests": {**GENES, "rgc_gene_p": True, "aaf_bins": [n / 20 for n in range(1, 13)]}}},
        "regenie.step2.gene_tests.aaf_bins",
    ),
    "a recessive test without dosage compensation": (
        {"step2": {"extra": ["--test recessive", "--skip-dosage-comp"]}},
        "regenie.step2.extra",
    ),
    "a limit of skewness without the test": ({"step2": {"extra": ["--mcc-skew 2"]}}, "regenie.step2.extra"),
    "a p-value for a test that is not there": ({"step2": {"extra": ["--mcc-thr 0.01"]}}, "regenie.step2.extra"),
    "a p-value of 0": ({"step2": {"extra": ["--mcc", "--mcc-thr 0"]}}, "regenie.step2.extra[1]"),
    "one ridge parameter of a block": ({"step1": {"extra": ["--l0 1"]}}, "regenie.step1.extra[0]"),
    "one ridge parameter of all blocks": ({"step1": {"extra": ["--l1 1"]}}, "regenie.step1.extra[0]"),
    "a ridge parameter of 1": ({"step1": {"extra": ["--setl0 0.1,1"]}}, "regenie.step1.extra[0]"),
    "one fold": ({"step1": {"extra": ["--cv 1"]}}, "regenie.step1.extra[0]"),
    "folds that leave-one-out ignores": ({"step1": {"extra": ["--loocv", "--cv 10"]}}, "regenie.step1.extra"),
    "an info score of 2": ({"step2": {"extra": ["--minINFO 2"]}}, "regenie.step2.extra[0]"),
    "no iterations": ({**BINARY, "step2": {"extra": ["--niter 0"]}}, "regenie.step2.extra[0]"),
    "frequencies in cases of a quantity": ({"step2": {"extra": ["--af-cc"]}}, "regenie.step2.extra"),
    "a standard error of Firth's without it": (
        {**BINARY, "step2": {"binary_test": "spa", "extra": ["--firth-se"]}},
        "regenie.step2.extra",
    ),
    "ranks of a binary trait": ({**BINARY, "step2": {"extra": ["--apply-rerint"]}}, "regenie.step2.extra"),
    "homozygotes in an additive test": ({"step2": {"extra": ["--minHOMs 5"]}}, "regenie.step2.extra"),
    "standard errors of an interaction that is not there": (
        {"step2": {"extra": ["--force-robust"]}},
        "regenie.step2.extra",
    ),
    "an option twice": ({"step2": {"extra": ["--minINFO 0.3", "--minINFO 0.8"]}}, "regenie.step2.extra"),
    "levels for step 1 only": ({**COVARIATE, "step1": {"extra": ["--maxCatLevels 30"]}}, "regenie.step2.extra"),
    "levels for step 2 only": ({**COVARIATE, "step2": {"extra": ["--maxCatLevels 30"]}}, "regenie.step1.extra"),
    "other levels in step 2": (
        {**COVARIATE, "step1": {"extra": ["--maxCatLevels 30"]}, "step2": {"extra": ["--maxCatLevels 40"]}},
        "regenie.step1.extra",
    ),
    "yes-or-no traits for step 1 only": ({"step1": {"extra": ["--force-qt"]}}, "regenie.step2.extra"),
    "one sex of .bgen without sample file": ({"sex": "female", "genotypes": "c.bgen"}, "regenie.sample"),
    "one sex of a data set without sample file": (
        {"sex": "female", "step2": {"datasets": [{"genotypes": "c.bed"}, {"genotypes": "i.bgen"}]}},
        "regenie.step2.datasets",
    ),
}

POSSIBLE = {
    "a threshold near 1": {**BINARY, "step2": {"p_threshold": 0.99}},
    "bounds of X": {"par_region": "2781480,155701382"},
    "bounds of one base": {"par_region": "5,5"},
    "a build": {"genome_build": "NCBI36"},
    "bounds of X of the same build": {"genome_build": "GRCh37", "par_region": "hg19"},
    "bounds of X of any build": {"genome_build": "GRCh37", "par_region": "2781480,155701382"},
    "SPA": {**BINARY, "step2": {"binary_test": "spa"}},
    "a dominant burden test": {"step2": {"extra": ["--test dominant"], "gene_tests": GENES}},
    "an additive test by name with SKAT": {
        "step2": {"extra": ["--test additive"], "gene_tests": {**GENES, "vc_tests": ["skat"]}}
    },
    "joint tests": {"step2": {"gene_tests": {**GENES, "joint": ["minp", "acat", "sbat", "ftest", "gates"]}}},
    "joint tests of a binary trait": {**BINARY, "step2": {"gene_tests": {**GENES, "joint": ["acat", "gates"]}}},
    "joint burden tests with an interaction": {
        **COVARIATE,
        "step2": {"interaction": {"covariate": "smoking"}, "gene_tests": {**GENES, "joint": ["acat"]}},
    },
    "one p-value a gene, with bounds and weights": {
        "step2": {
            "gene_tests": {**GENES, "rgc_gene_p": True, "joint": ["minp"], "vc_max_aaf": 1, "skat_params": [1, 1]}
        }
    },
    "12 bounds, of which one is that of one p-value a gene": {
        "step2": {"gene_tests": {**GENES, "rgc_gene_p": True, "aaf_bins": [n / 100 for n in range(1, 13)]}}
    },
    "a dominant test of the largest genotypes": {
        "step2": {"extra": ["--test dominant"], "gene_tests": {**GENES, "build_mask": "comphet"}}
    },
    "a limit of skewness with the test": {"step2": {"extra": ["--mcc", "--mcc-skew 2"]}},
    "two ridge parameters": {"step1": {"extra": ["--l0 2", "--setl1 0.01,0.99"]}},
    "levels in both steps": {
        **COVARIATE,
        "step1": {"extra": ["--maxCatLevels 30"]},
        "step2": {"extra": ["--maxCatLevels 30"]},
    },
    "levels of step 2 alone, with predictions": {
        **COVARIATE,
        "step1": {"enabled": False, "predictions": "p.list"},
        "step2": {"extra": ["--maxCatLevels 30"]},
    },
    "one sex with a sample file": {"sex": "female", "genotypes": "c.bgen", "sample": "c.sample"},
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_regenie_refuses_or_ignores_is_a_fault_of_that_key(name):
    given, where = IMPOSSIBLE[name]

    assert [fault.split(": ")[0] for fault in faults(config(given))] == [where]


@pytest.mark.parametrize("name", POSSIBLE)
def test_what_regenie_takes_is_taken(name):
    assert faults(config(POSSIBLE[name])) == []


def test_all_conflicts_are_named_at_once():
    given = {
        "keep": "k.txt",
        "remove": "r.txt",
        "step1": {"extra": ["--loocv", "--cv 5"]},
        "step2": {"extra": ["--af-cc", "--mcc-skew 2"]},
    }

    assert [fault.split(": ")[0] for fault in faults(config(given))] == [
        "regenie.remove",
        "regenie.step1.extra",
        "regenie.step2.extra",
        "regenie.step2.extra",
    ]


@pytest.mark.parametrize(
    "given",
    [
        {"par_region": "GRCh38"},
        {"covariates": "c.txt", "step2": {"interaction": {"covariate": "smoking", "baseline": "never smoked"}}},
        {"step2": {"interaction": {"variant": "rs1 rs2", "genotypes": "c.bed"}}},
    ],
)
def test_a_value_of_another_form_is_told_in_words(given):
    (fault,) = faults(config(given))

    assert "must be" in fault
    assert "pattern" not in fault
