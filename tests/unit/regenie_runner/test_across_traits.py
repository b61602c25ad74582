"""One variant, all traits; and what was run, as a paper says it."""

import json
import re
from typing import Any

import pytest

from regenie_runner import methods
from regenie_runner.across_traits import shared_loci
from regenie_runner.receipts import seal_folder
from tests.unit.regenie_runner.conftest import HEADER, chunk_task, result_row
from tests.unit.regenie_runner.test_report import CHUNK_LOG, CONFIG, PARAMETERS, given_results, report


def row(position: int, beta: float, log10p: str, chromosome: str = "1", name: str = "") -> str:
    """With a standard error of 0.1."""
    line = result_row(chromosome, position, log10p=log10p, name=name or f"{chromosome}:{position}").split()
    line[8], line[9] = str(beta), "0.1"
    return " ".join(line) + "\n"


def merged(launch, **results: str):
    launch.describe(CONFIG)
    given_results(launch, **{trait: HEADER + rows for trait, rows in results.items()})
    summaries = [json.loads((launch.work / f"gwas/summary/{trait}.json").read_text()) for trait in results]
    return shared_loci(summaries, launch.work)


def test_the_strongest_variant_of_a_locus_is_looked_up_in_every_trait(launch):
    loci = merged(
        launch,
        height=row(1_000, 0.5, "9") + row(2_000_000, 0.6, "12"),
        ldl=row(1_000, -0.2, "1.5") + row(300_000, 0.7, "10") + row(2_000_000, 0.1, "0.5"),
    )

    # Within 500 kb the stronger of two traits' leads stands for both
    assert [(locus.trait, locus.lead["position"]) for locus in loci] == [("height", 2_000_000), ("ldl", 300_000)]
    assert [(effect.trait, effect.beta, effect.log10p) for effect in loci[0].effects] == [
        ("height", 0.6, 12.0),
        ("ldl", 0.1, 0.5),
    ]
    strongest = loci[0].effects[0]
    assert (round(strongest.low, 3), round(strongest.high, 3)) == (0.404, 0.796)
    assert loci[1].without == ["height"]


@pytest.mark.parametrize("other", [row(5, 0.1, "2", name="another"), row(5, 0.1, "NA"), row(6, 0.1, "2")])
def test_another_variant_or_none_with_a_p_value_is_no_effect(launch, other):
    (locus,) = merged(launch, height=row(5, 0.5, "9"), ldl=other)
    assert [effect.trait for effect in locus.effects] == ["height"]
    assert locus.without == ["ldl"]


def test_a_single_trait_and_traits_without_a_significant_locus_have_no_such_section(launch):
    assert merged(launch, height=row(5, 0.5, "9")) == []
    assert merged(launch, height=row(5, 0.5, "7"), ldl=row(5, 0.5, "7.2")) == []


def test_places_on_the_scale_include_no_effect(launch):
    (locus,) = merged(launch, height=row(5, 0.5, "9"), ldl=row(5, -0.5, "9"))
    assert (round(locus.place(0)), round(locus.place(0.695996)), round(locus.place(-0.695996))) == (50, 100, 0)


def test_binary_traits_are_told_by_odds_ratios(launch):
    launch.describe({**CONFIG, "regenie": {**PARAMETERS, "trait_type": "binary"}})
    given_results(launch, height=HEADER + row(5, 0.5, "9"), ldl=HEADER + row(5, 0.0, "0"))
    text = report(launch).text
    assert "1.649 (1.355 to 2.006)" in text  # exp of 0.5, 0.304 and 0.696
    assert "Odds ratio (95 %)" in text


def told(launch, config, step2: list[str], step1: list[str] | None = None, log: str = CHUNK_LOG, **found) -> str:
    """The paragraph."""
    launch.describe({**CONFIG, "regenie": {**PARAMETERS, **config}}, is_checked=False, **found)
    given_results(launch, height=HEADER + row(5, 0.5, "9"))
    chunk = chunk_task(0, ["height"], 1)
    chunk["command"] = ["regenie", "--step", "2", *step2, "--out", "{output}/chunk"]
    launch.plan("step2", chunk)
    if step1:
        task = {"label": "step 1", "command": ["regenie", "--step", "1", *step1, "--out", "{output}/x"]}
        launch.write("step1/x_pred.list", "")
        seal_folder(launch.work / "step1", task)
        launch.plan("step1", {**task, "output": "step1", "expect": ["x_pred.list"]})
    launch.write("step2/000000/chunk.log", log)
    report(launch)
    page = (launch.work / "report.html").read_text()
    (paragraph,) = re.findall(r"<blockquote>(.*)</blockquote>", page)
    return str(paragraph).replace("&lt;", "<")


def test_a_quantitative_study_with_quality_control(launch):
    quality = {
        "samples": {"all": 800, "kept": 790},
        "variants": {
            "kept": 61_000,
            "leftOut": dict.fromkeys(("list", "geno", "mac", "maf", "hwe", "name"), 0),
        },
        "settings": {"mac": 100, "maf": 0.01, "geno": 0.1, "hwe": 1e-15, "mind": 0.1},
    }
    launch.write("step1/qc/summary.json", json.dumps(quality))
    text = told(
        launch,
        {"apply_rint": True, "genome_build": "GRCh38", "categorical_covariates": ["centre"]},
        ["--qt", "--apply-rint", "--minMAC", "20", "--bsize", "400"],
        ["--qt", "--bsize", "1000", "--lowmem"],
        analysed={"covariateColumns": ["age", "centre"]},
    )

    for words in (
        "Association tests of 1 quantitative trait (height) were carried out in 800 people with REGENIE v4.1.2.gz",
        "transformed by rank to a normal distribution",
        "to 61,000 variants with a minor allele frequency of at least 0.01, a minor allele count of at least 100",
        "Hardy-Weinberg equilibrium of at least 1e-15",
        "in blocks of 1,000 variants.",
        "1 variant with a minor allele count of at least 20 was tested by linear regression,",
        "adjusted for age, centre (as categories)",
        "Variants with p < 5 × 10⁻⁸ were significant",
        "Positions are those of GRCh38.",
    ):
        assert words in text, words
    assert "Firth" not in text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--firth", "--approx"], "(with approximate Firth correction where p was below 0.05)"),
        (["--firth", "--pThresh", "0.01"], "(with Firth correction where p was below 0.01)"),
        (["--spa"], "(with saddlepoint approximation where p was below 0.05)"),
        ([], "tested by logistic regression, with the predictions"),
    ],
)
def test_a_binary_trait_by_its_correction(launch, options, words):
    assert words in told(launch, {"trait_type": "binary", "sex": "female"}, ["--bt", *options])


def test_predictions_of_an_earlier_launch_are_named(launch):
    earlier = "bmi-20261121t040000-1a2b3c4d"
    text = told(launch, {"step1": {"enabled": False, "from_launch": earlier}}, ["--qt"])
    assert f"predictions of step 1 were those of launch {earlier}." in text
    assert "In step 1" not in text


def signal(trait: str, position: int, log10p: float, members: str, *, linkage: bool = True) -> tuple[Any, str]:
    """A lead as a summary has it, and its line of the table."""
    name = f"1:{position}"
    locus = {"id": name, "chromosome": "1", "position": position, "effect_allele": "A", "other_allele": "G"}
    locus |= {"a1freq": 0.25, "info": None, "samples": 800, "test": "ADD", "beta": 0.5, "se": 0.1}
    locus |= {"log10p": log10p, "significant": True, "signal": "primary" if linkage else "", "primary": None}
    summary = {"trait": trait, "of_sets": False, "rows": 0, "results": f"gwas/{trait}.regenie.gz"}
    return {**summary, "loci": [locus], "loci_by": {"linkage": linkage}}, f"{name}\t{members}\n"


@pytest.mark.parametrize(
    ("position", "members_of_height", "members_of_ldl", "linkage", "leads"),
    [
        pytest.param(300_000, "1:9", "#NA", True, [1_000, 300_000], id="near, not linked"),
        pytest.param(300_000, "1:9,1:300000", "#NA", True, [1_000], id="a member of the stronger"),
        pytest.param(900_000, "1:9", "1:1000", True, [1_000], id="the stronger is its member, far away"),
        pytest.param(1_000, "#NA", "#NA", True, [1_000], id="the same variant"),
        pytest.param(300_000, "1:9", "#NA", False, [1_000], id="near, one found by distance"),
        pytest.param(900_000, "1:9", "#NA", False, [1_000, 900_000], id="far, one found by distance"),
    ],
)
def test_leads_of_two_traits_are_one_locus_if_they_are_linked(
    tmp_path, position, members_of_height, members_of_ldl, linkage, leads
):
    (tmp_path / "gwas").mkdir()
    found = [
        signal("height", 1_000, 12.0, members_of_height),
        signal("ldl", position, 9.0, members_of_ldl, linkage=linkage),
    ]
    for summary, line in found:
        (tmp_path / f"gwas/{summary['trait']}.loci.tsv").write_text(f"variant\tmember_variants\n{line}")

    loci = shared_loci([summary for summary, _ in found], tmp_path)

    assert [locus.lead["position"] for locus in loci] == leads


def test_a_paper_is_told_by_which_rule_loci_are_found(launch):
    by_linkage = {"linkage": True, "why_not": "", "r2": 0.1, "window_kb": 500.0, "p2": 0.01}
    by_distance = {**by_linkage, "linkage": False}

    def words(*found) -> str:
        return "; ".join(methods.loci_in_words(found))

    assert words() == words(by_distance) == "the strongest of those less than 500 kb apart stands for their locus"
    assert words(by_linkage).endswith(
        "p < 0.01 and r² > 0.1 to the strongest one less than 500 kb away belong to its signal"
    )
    both = words(by_linkage, by_distance)
    assert "plink1.9 --clump" in both
    assert both.endswith(
        "of traits without such signals, the strongest of those less than 500 kb apart stands for their locus"
    )
