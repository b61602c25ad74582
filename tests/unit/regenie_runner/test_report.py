"""The report: everything a scientist looks for, in one file."""

import base64
import json
import re
import tracemalloc
from html.parser import HTMLParser
from typing import Any

import pytest
from matplotlib.axes import Axes

from genolaunch.contract.results import COST_SECTION, WORK_WARNINGS
from regenie_runner import plots
from regenie_runner.interactive import script
from regenie_runner.report import _phases, _reasons_of, duration, p_value
from regenie_runner.workspace import Workspace
from tests.unit.regenie_runner.conftest import HEADER, chunk_task, expected_results, merge_task, result_row

PARAMETERS = {
    "phenotypes": "phenotypes.txt",
    "traits": ["height", "ldl"],
    "trait_type": "quantitative",
    "apply_rint": False,
    "step2": {"variants_per_job": 250, "datasets": [{"genotypes": "cohort.bed"}]},
}
CONFIG = {
    "name": "height-ldl-demo",
    "workflow": "regenie",
    "data": "s3://data-bucket/cohort/",
    "regenie": PARAMETERS,
}
CHUNK_LOG = """
              |=============================|
              |      REGENIE v4.1.2.gz      |
              |=============================|

 * number of individuals used in analysis = 800
WARNING: Using more than 5% of samples.
Number of ignored tests due to low MAC : 0
"""
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta"}


class Page(HTMLParser):
    """What the tests ask of a page; it also checks that every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = ""
        self.sources: list[str] = []
        self.alternatives: list[str] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        """Attributes and text of each."""
        self.policy = ""
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.sources += [values[name] for name in ("src", "href") if name in values]
        if tag == "img":
            self.alternatives.append(values["alt"])
        if tag == "script":
            self.scripts.append((values, ""))
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open[-1:] == ["script"]:
            attributes, text = self.scripts.pop()
            self.scripts.append((attributes, text + data))
        else:
            self.text += data


def given_results(launch, **results: str) -> None:
    """Given: merged traits of one chunk."""
    launch.plan("step2", launch.chunk(0, **results))
    launch.write("step2/000000/chunk.log", CHUNK_LOG)
    paths = {trait: f"gwas/summary/{trait}.json" for trait in results}
    launch.plan(
        "merge",
        *({"label": t, "trait": t, "output": f"gwas/{t}.regenie.gz", "summary": path} for t, path in paths.items()),
    )
    launch.plan("report", {"label": "report", "output": "report.html", "summaries": paths})
    for index in range(len(results)):
        assert launch.run("merge", index=index) == 0


def report(launch) -> Page:
    assert launch.run("report", index=0) == 0
    return Page((launch.work / "report.html").read_text())


@pytest.fixture
def page(launch) -> Page:
    traits = {
        "height": {"analysed": 2, "missing": 1, "mean": 0.0, "deviation": 1.41421},
        "ldl": {"analysed": 2, "missing": 1, "mean": 102.0, "deviation": 2.82843},
    }
    launch.describe(CONFIG, samples={"traits": traits})
    given_results(launch, height=expected_results("height"), ldl=expected_results("ldl"))
    return report(launch)


def test_plots_name_their_top_hit_for_those_who_cannot_see_them(page):
    assert page.alternatives[0] == "Manhattan plot of height: top hit 2:30467:A:G, -log10 p 8.45"
    assert page.alternatives[1].startswith("QQ plots of height: genomic inflation lambda 1.431")
    assert page.alternatives[2] == "Regional plot of height around 2:30467:A:G: 400 variants"
    assert any(text.startswith("Manhattan plot of ldl: top hit") for text in page.alternatives)


def test_wide_tables_and_plots_scroll_in_boxes_of_their_own(page, launch):
    """The others wrap their words, or are narrow."""
    html = (launch.work / "report.html").read_text()
    boxes = re.findall(r'class="scroll" role="region" aria-label="([^"]+)"', html)

    assert {"Traits", "Top loci of height"} <= set(boxes)
    assert len(re.findall(r'<div class="plot"><div class="scroll"[^>]*><img ', html)) == html.count("<img ")


def test_the_page_needs_nothing_from_elsewhere(page):
    assert page.sources
    assert all(source.startswith(("#", "data:image/png;base64,")) for source in page.sources)
    pictures = [source.partition(",")[2] for source in page.sources if source.startswith("data:")]
    assert all(base64.b64decode(picture).startswith(b"\x89PNG") for picture in pictures)


def test_the_page_tells(page):
    for fact in (
        "height-ldl-demo",
        "height-gwas-20261121t040000-1a2b3c4d",
        "REGENIE v4.1.2.gz",
        "regenie.step2.datasets.1.genotypes",
        "regenie: Using more than 5% of samples.",
        "Step 2: 1 task",
        "2:30467:A:G",
        "gwas/ldl.regenie.gz",
        "gwas/ldl.gwas-ssf.tsv.gz",
        "Genome build: not stated",
    ):
        assert fact in page.text, fact


def test_commands_are_shown_as_they_ran(launch, page):
    assert f"regenie --step 2 --bed {launch.data}/cohort --out {launch.work}/step2/000000/chunk" in page.text


def test_traits_and_variants_are_never_wrapped(page, launch):
    text = (launch.work / "report.html").read_text()
    assert ".name { white-space: nowrap; }" in text
    assert re.search(r'<th scope="row" class="name"><a href="#trait-1">height</a>', text)


def test_inflation_far_from_one_is_warned_of(page):
    assert "height: genomic inflation is 1.431, far from 1" in page.text


@pytest.mark.parametrize(("inflation", "reason"), [(1.3, "polygenicity"), (0.624, "not centred")])
def test_inflation_and_deflation_have_reasons_of_their_own(inflation, reason):
    assert reason in _reasons_of(inflation)


def test_names_cannot_inject_markup(launch):
    launch.describe({**CONFIG, "name": "<script>alert(1)</script>"}, is_checked=False)
    given_results(launch, height=HEADER + result_row("1", 5, name='"><script>alert(2)</script>'))
    page, text = report(launch), (launch.work / "report.html").read_text()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(2)" in text
    # What browsers run is one script, the only one that the page's policy lets them run
    own = [content for attributes, content in page.scripts if attributes.get("type") != "application/json"]
    assert own == [script().text]
    assert f"script-src '{script().source}'" in page.policy
    assert "alert" not in own[0]


def test_dollar_signs_in_names_are_no_formulas(launch):
    launch.describe(CONFIG)
    given_results(launch, height=HEADER + result_row("1", 5, name="$_{x", log10p="9"))
    assert "$_{x" in report(launch).text


def test_a_binary_trait_is_told_by_its_cases(launch):
    parameters = {"phenotypes": "p.txt", "traits": ["t2d"], "trait_type": "binary"}
    counts = {"analysed": 3, "missing": 1, "cases": 1, "controls": 2}
    launch.describe({**CONFIG, "regenie": parameters}, samples={"traits": {"t2d": counts}})
    given_results(launch, t2d=HEADER + result_row("chrX", 5))
    page = report(launch)
    assert "Cases and controls" in page.text
    assert "1, 2" in page.text
    assert "log odds ratio" in page.text


def test_lists_are_told_with_what_the_data_has_of_them(launch):
    lists = {"regenie.remove": {"listed": 1030, "matched": 1028, "unmatched": "0_S1, 0_S<2>"}}
    launch.describe(CONFIG, samples={"lists": lists})
    given_results(launch, height=HEADER + result_row("1", 5))

    assert "remove1,0301,0280_S1, 0_S<2>" in report(launch).text  # cells of one row


def test_cases_and_controls_are_those_that_regenie_analysed(launch):
    launch.describe({**CONFIG, "regenie": {"phenotypes": "p.txt", "traits": ["t2d"], "trait_type": "binary"}})
    given_results(launch, t2d=HEADER + result_row("1", 5))
    counts = " * case-control counts for each trait:\n   - 't2d': 165 cases and 3335 controls\n"
    launch.write("step2/000000/chunk.log", CHUNK_LOG + counts)
    (launch.work / "gwas/summary/t2d.json").unlink()
    assert launch.run("merge", index=0) == 0
    assert "165 cases and 3,335 controls" in report(launch).text


def test_the_genome_build_is_stated(launch):
    launch.describe({**CONFIG, "regenie": {**PARAMETERS, "genome_build": "GRCh38"}})
    given_results(launch, height=HEADER + result_row("1", 5))
    assert "Genome build: GRCh38" in report(launch).text


def test_what_planning_warned_of_is_shown(launch):
    launch.describe(CONFIG)
    content = json.loads((launch.work / "launch.json").read_text())
    fault = {"where": "regenie.traits.2", "problem": "16 % of ldl is missing.", "remedy": "Look at it."}
    launch.write("launch.json", json.dumps({**content, "warnings": ["BGEN without sample ids.", fault]}))
    given_results(launch, height=HEADER + result_row("1", 5))
    text = report(launch).text
    assert "BGEN without sample ids." in text
    assert "regenie.traits.2: 16 % of ldl is missing. Look at it." in text


def test_what_quality_control_left_out_is_told(launch):
    launch.describe({**CONFIG, "regenie": {**PARAMETERS, "step1": {"qc": {"mac": 50}}}})
    summary = {
        "samples": {"all": 800, "kept": 790},
        "variants": {
            "kept": 61_000,
            "leftOut": {"list": 0, "geno": 12, "mac": 3400, "maf": 0, "hwe": 7, "name": 0},
        },
        "settings": {"mac": 50, "maf": 0.01, "geno": 0.1, "hwe": 1e-15, "mind": 0.1},
    }
    launch.write("step1/qc/summary.json", json.dumps(summary))
    given_results(launch, height=expected_results("height"))

    text = report(launch).text
    assert "fitted to 61,000 variants and 790 of 800 samples" in text
    for words in ("minor allele count below 50", "3,400", "Hardy-Weinberg p-value below 1e-15"):
        assert words in text
    assert "minor allele frequency below" not in text


LOST = """ * number of individuals used in analysis = 4
   - 't2d': 2 cases and 2 controls
   -file [t2d.loco] for phenotype 't2d'
    + 1 individuals with missing LOCO predictions will be ignored for the trait
"""


@pytest.mark.parametrize(
    ("trait_type", "step1", "told"),
    [
        ("binary", {"qc": {"mind": 0.1}}, "1, 2"),
        ("quantitative", {"qc": {"mind": 0.1}}, "3; mean 0.3333, SD 0.5774"),
        ("quantitative", {"qc": {"mind": 0.1}, "extra": ["--strict"]}, "2; mean 0, SD 0"),
        ("binary", {}, "1, 2"),  # quality control by default
    ],
)
def test_people_whom_quality_control_left_out_have_no_part_in_the_counts(launch, trait_type, step1, told):
    # Given five people: one with a fault of quality control, one who is not analysed, and one who lacks another trait
    parameters = {**PARAMETERS, "trait_type": trait_type, "traits": ["t2d", "ldl"]}
    config = {**CONFIG, "regenie": {**parameters, "step1": step1}}
    before = {"analysed": 4, "missing": 0, "cases": 2, "controls": 2}
    launch.describe(config, samples={"traits": {"t2d": before}})
    rows = "f a 1 1\nf b 1 NA\nf c 0 1\nf d 0 1\nf e 1 1\n"
    (launch.data / "phenotypes.txt").write_text("FID IID t2d ldl\n" + rows)
    launch.write("step1/qc/samples.txt", "f b\nf c\nf d\n")
    summary = {
        "samples": {"all": 4, "kept": 3},
        "variants": {"kept": 10, "leftOut": dict.fromkeys(("list", "geno", "mac", "maf", "hwe", "name"), 0)},
        "settings": {"mac": 50, "maf": 0.01, "geno": 0.1, "hwe": 1e-15, "mind": 0.1},
    }
    launch.write("step1/qc/summary.json", json.dumps(summary))
    launch.write("step2/000000/chunk.log", LOST)
    given_results(launch, t2d=HEADER + result_row("1", 5))
    launch.write("step2/000000/chunk.log", LOST)

    text = re.sub(r"\s+", " ", report(launch).text)
    assert told in text
    assert "People analysed3" in text.replace(" ", "").replace("Peopleanalysed", "People analysed")
    assert "has no predictions, and is left out there, too" in text


def test_the_time_of_each_step_is_told(launch):
    launch.describe(CONFIG)
    given_results(launch, height=HEADER + result_row("1", 5))
    times = "Start time: Sat Nov 21 05:58:50 2026\n{}\nElapsed time : 75.3s\nEnd time: Sat Nov 21 06:00:05 2026\n"
    launch.write("step2/000000/chunk.log", times.format(CHUNK_LOG))
    assert "Step 211 min 15 s1 min 15 s" in report(launch).text.replace("\n", "")


def test_at_most_five_regions_are_drawn(launch):
    launch.describe(CONFIG)
    rows = "".join(result_row("1", number * 600_000, log10p=f"{9 + number}") for number in range(1, 8))
    given_results(launch, height=HEADER + rows)
    regions = [text for text in report(launch).alternatives if text.startswith("Regional plot")]
    assert len(regions) == 5
    assert regions[0] == "Regional plot of height around 1:4200000: 1 variants"


def test_results_that_lack_planned_rows_fail_the_report(launch, capfd):
    launch.describe(CONFIG)
    given_results(launch, height=HEADER + result_row("1", 5) + result_row("1", 6))
    path = launch.work / "gwas/summary/height.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "rows": 1}))
    assert launch.run("report", index=0) == 1
    assert "have 1 rows and the logs count 0 ignored, but 2 tests" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")]
)
def test_durations_are_for_people(seconds, text):
    assert duration(seconds) == text


def test_a_trait_without_any_tested_variant_still_gets_its_page(launch):
    launch.describe(CONFIG)
    given_results(launch, height=HEADER)
    page = report(launch)
    assert page.alternatives[0] == "Manhattan plot of height: no variant was tested"
    assert "height: no variant was tested; all were below" in page.text


def test_a_launch_with_an_unknown_config_and_no_logs_is_reported_too(launch):
    launch.describe({"name": "x", "data": "cohort/"})
    given_results(launch, height=HEADER + result_row("1", 5, log10p="NA", chisq="NA"))
    (launch.work / "step2/000000/chunk.log").unlink()
    text = report(launch).text
    assert "unknown: its log names none" in text
    assert "could not compute every p-value; 1 are NA" in text


def test_a_trait_that_was_not_merged_fails_the_report(launch, capfd):
    launch.plan(
        "report", {"label": "report", "output": "report.html", "summaries": {"height": "gwas/summary/height.json"}}
    )
    assert launch.run("report") == 1
    assert "its trait was not merged" in capfd.readouterr().err


def test_the_report_is_written_anew(launch):
    launch.describe(CONFIG)
    given_results(launch, height=HEADER + result_row("1", 5))
    launch.write("report.html", "of an earlier attempt")
    assert "height-ldl-demo" in report(launch).text
    assert launch.leftovers() == []


@pytest.mark.parametrize(
    ("log10p", "expected"),
    [
        (0.0, ("1.0", 0)),
        (0.3, ("5.0", -1)),
        (8.45389, ("3.5", -9)),
        (8.0, ("1.0", -8)),
        (7.0001, ("1.0", -7)),
        (400.5, ("3.2", -401)),
    ],
)
def test_p_values_are_written_with_mantissa_and_exponent(log10p, expected):
    assert p_value(log10p) == expected


def test_significant_and_other_loci_can_be_told_apart(page, launch):
    rows = re.findall(
        r"<tr( class=\"below\")?>(?:(?!</tr>).)*?<th scope=\"row\" class=\"name\">([^<]+)</th>",
        (launch.work / "report.html").read_text(),
    )
    significant = {name for below, name in rows if not below}
    assert "2:30467:A:G" in significant
    assert any(below for below, _ in rows)
    summary = json.loads((launch.work / "gwas/summary/height.json").read_text())
    assert {locus["id"] for locus in summary["loci"] if not locus["significant"]}.isdisjoint(significant)


def test_the_cost_has_its_place_until_it_is_known(page, launch):
    assert "Not known yet: a launch is priced when its instances" in page.text
    before, rest = (launch.work / "report.html").read_text().split(COST_SECTION[0])
    section, after = rest.split(COST_SECTION[1])
    assert 'id="cost"' in section
    assert "</main>" in after
    assert 'id="cost"' not in before + after


def test_the_logs_of_many_jobs_are_read_one_at_a_time(launch):
    # Given 200 jobs of step 2 with logs of 100 KB each
    launch.plan("step2", *(chunk_task(number, ["height"], 1) for number in range(200)))
    for number in range(200):
        launch.write(f"step2/{number:06}/chunk.log", CHUNK_LOG + "block\n" * 16_000)
    tracemalloc.start()

    (phase,) = _phases(Workspace(launch.root, "launch", "1"))

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (phase.tasks, phase.warnings) == (200, ["Using more than 5% of samples."])
    assert peak < 2e6


def test_gene_tests_without_any_row_say_what_regenie_leaves_out(launch):
    step2 = {"gene_tests": {"sets": "sets.txt", "annotations": "anno.txt", "masks": "masks.txt"}}
    launch.describe({**CONFIG, "regenie": {**PARAMETERS, "step2": step2}})
    given_results(launch, height=HEADER)

    assert "height: no mask of any set was tested; regenie leaves out masks below" in report(launch).text


def test_x_is_called_x_as_people_call_it(launch):
    launch.describe(CONFIG)
    given_results(launch, height=HEADER + result_row("23", 5, log10p="9"))

    row = report(launch).text.partition("Effect allele")[2]

    assert "23:5X5" in row.replace("\n", "")  # id, chromosome and position of the top locus


def test_the_lead_is_in_the_middle_of_its_region():
    points = [plots.RegionPoint(position, 1.0, 0.2) for position in (900_000, 1_000_000, 1_010_000)]
    drawn = []
    original = Axes.set_xlim

    def noted(axes, *limits, **more):
        drawn.append(limits)
        return original(axes, *limits, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Axes, "set_xlim", noted)
        lead: Any = {"id": "rs1", "chromosome": "23", "position": 1_000_000, "log10p": 9.0, "primary": None}
        around: Any = {"r2": None, "genes": [], "recombination": []}
        plots.regional_plot(lead, points, around)

    low, high = drawn[-1]
    assert (low + high) / 2 == pytest.approx(1.0)
    assert low < 0.9


# --- Interactions -----------------------------------------------------------------------------------------------------
INTERACTION = {
    **CONFIG,
    "regenie": {**PARAMETERS, "covariates": "c.txt", "step2": {"interaction": {"covariate": "sex"}}},
}


def interaction_rows(variants: int, interacting: int) -> str:
    """Results of some variants, of which the first ones have rows of the interaction."""
    own = [result_row("1", 2 * n) for n in range(1, variants + 1)]
    return HEADER + "".join(
        row + row.replace(" ADD ", " ADD-INT_SNP ") + row.replace(" ADD ", " ADD-INT_SNPxsex ")
        if n < interacting
        else row
        for n, row in enumerate(own)
    )


def test_variants_without_rows_of_the_interaction_are_counted(launch):
    launch.describe(INTERACTION)
    chunk = {**launch.chunk(0, height=interaction_rows(5, 3)), "variants": 6}
    launch.plan("step2", chunk)
    launch.write("step2/000000/chunk.log", CHUNK_LOG.replace("MAC : 0", "MAC : 4"))
    launch.plan("merge", merge_task("height"))
    launch.plan(
        "report", {"label": "report", "output": "report.html", "summaries": {"height": "gwas/summary/height.json"}}
    )
    assert launch.run("merge", index=0) == 0

    assert "height: 2 of 5 variants have no rows of the interaction" in report(launch).text


def test_results_without_a_row_of_the_interaction_are_a_failure(launch, capfd):
    launch.describe(INTERACTION)
    launch.plan("step2", launch.chunk(0, height=interaction_rows(5, 0)))
    launch.plan("merge", merge_task("height"))

    assert launch.run("merge", index=0) == 1
    assert "no row of the interaction for any of the 5 variants of height" in capfd.readouterr().err


def test_what_was_analysed_and_who_was_left_out_is_told(launch):
    samples = {"genotyped": 820, "chosen": 810, "phenotyped": 805, "withCovariates": 803, "analysed": 800}
    parameters = {**PARAMETERS, "keep": "k.txt", "covariates": "c.txt", "categorical_covariates": ["site"]}
    launch.describe(
        {**CONFIG, "regenie": parameters}, samples=samples, analysed={"covariateColumns": ["age", "sex", "site"]}
    )
    given_results(launch, height=expected_results("height"))

    report(launch)
    page = (launch.work / "report.html").read_text()

    rows = re.findall(r'<th scope="row">(.*)</th><td>(.*)</td>', page)
    told = [f"{name} {value}" for name, value in rows]
    for row in (
        "Traits height (quantitative)",
        "Covariates age, sex, site",
        "Of these, categories site",
        "Genotyped people 820",
        "Left out by keep 10",
        "Not in the phenotype file 5",
        "Without a value of every covariate 7",
        "With all covariates and a value of a trait 800",
    ):
        assert row in told, row


def test_what_the_status_is_to_tell_stands_beside_the_results(launch):
    # Given: a warning of planning, one of quality control, and a trait without a variant
    launch.describe(CONFIG, warnings=["The people differ.", "x" * 3000])
    counts = {"kept": 900, "leftOut": {"list": 0, "geno": 0, "mac": 9100, "maf": 0, "hwe": 0, "name": 0}}
    quality = {
        "samples": {"all": 800, "kept": 700},
        "variants": counts,
        "warnings": ["quality control left 700 of 800 people"],
        "settings": {"maf": 0.01, "mac": 100, "geno": 0.1, "hwe": 1e-15, "mind": 0.1},
    }
    launch.write("step1/qc/summary.json", json.dumps(quality))
    launch.write("step1/qc/samples.txt", "")
    launch.data.mkdir(exist_ok=True)
    (launch.data / "phenotypes.txt").write_text("FID IID height ldl\n")
    given_results(launch, height=HEADER)

    page = report(launch)

    told = json.loads((launch.work / WORK_WARNINGS).read_text())["warnings"]
    assert told[0] == "The people differ."
    assert told[1] == "x" * 1000 + " ..."
    assert told[2] == "quality control left 700 of 800 people"
    assert told[3].startswith("height: no variant was tested")
    assert len(told) == 4
    assert "x" * 3000 in page.text
    assert "quality control left 700 of 800 people" in page.text
