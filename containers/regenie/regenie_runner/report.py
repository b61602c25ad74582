"""The report that a scientist opens first: one self-contained HTML file."""

from __future__ import annotations

import base64
import datetime
import importlib.metadata
import itertools
import json
import math
import platform
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl
import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from regenie_runner import logs, methods, receipts
from regenie_runner.across_traits import MOST_LOCI, shared_loci
from regenie_runner.annotations import FLANK_BP, GENE_BP
from regenie_runner.checks import check_row_counts
from regenie_runner.checksums import write_checksums
from regenie_runner.chromosomes import chromosome_label
from regenie_runner.console import printable, say
from regenie_runner.errors import RunnerError
from regenie_runner.genes import GenesSummary, GroupSummary
from regenie_runner.interactive import GenomePoints, QuantilesShown, genome_points, quantiles_shown, script
from regenie_runner.kinds_of_test import (
    ADJUSTED,
    SINGLE_VARIANT,
    degrees_of_freedom,
    in_words,
    is_of_a_product,
    of_all_masks_in_words,
)
from regenie_runner.launch_facts import LaunchFacts, TraitFacts
from regenie_runner.loci import SPACING_BP
from regenie_runner.logs import RunTime
from regenie_runner.masks import MASK_LISTS, MASK_LISTS_RECEIPT, has_lists_of_masks, join_lists_of_masks
from regenie_runner.merge import ssf_tests
from regenie_runner.packed import open_text
from regenie_runner.plots import (
    MOST_CURVES,
    MOST_PANELS,
    RegionPoint,
    frequency_name,
    manhattan_plot,
    panels_of_genes,
    panels_of_tests,
    qq_panels_plot,
    qq_plot,
    regional_plot,
)
from regenie_runner.significance import FAMILY_WIDE
from regenie_runner.ssf import TABLE_SUFFIX
from regenie_runner.summary import Summary, TestSummary
from regenie_runner.tabix import IndexedResults
from regenie_runner.task import CommandTask, each_plan_line
from regenie_runner.top_loci import REGION_BP, RESULTS_SUFFIX, Locus, table_of_loci, test_of
from regenie_runner.workspace import Workspace

if TYPE_CHECKING:
    from genolaunch.contract.plan import Task

COMMAND_PHASES = {
    "split": "Step 1: split into jobs",
    "level0": "Step 1: level 0",
    "level1": "Step 1: level 1",
    "step1": "Step 1",
    "step2": "Step 2",
}
QC_SUMMARY = "step1/qc/summary.json"
WARNINGS = "gwas/warnings.json"
"""Warnings about the results, for the launch's status (WORK_WARNINGS)."""
_MOST_TOLD, _LONGEST_TOLD = 50, 1_000
"""Sentences of the status (warnings, or findings), and characters of each; the report has all."""
_LEFT_OUT = {
    "list": "not among those that the launch's lists choose",
    "geno": "without a genotype of more than {geno:g} of the samples",
    "mac": "minor allele count below {mac}",
    "maf": "minor allele frequency below {maf:g}",
    "hwe": "Hardy-Weinberg p-value below {hwe:g}",
    "name": "same id as a variant that was left out",
}
"""Reasons of the summary, in the order in which they are looked at."""
_CONDITIONS_NAMED = 10
_INFLATED, _DEFLATED = 1.1, 0.9
_ENOUGH_GENES = 500
"""With fewer p-values a median varies too much: at 500 its lambda has a standard error of 0.1."""


class RegionalPlot(NamedTuple):
    """The surroundings of one locus."""

    lead: Locus
    picture: str
    width: int
    """Pixels; so is the height."""
    height: int
    variants: int
    is_linked: bool
    """Whether it shows linkage disequilibrium."""


class Curves(NamedTuple):
    """A plot with many QQ curves: PNG as base64, and its size in pixels."""

    data: str
    width: int
    height: int


class TraitSection(NamedTuple):
    """One trait's part of the report; the plots are PNG as base64."""

    summary: Summary
    facts: TraitFacts | None
    manhattan: str
    qq: str  # "" of sets, which have the next one
    curves: Curves | None  # of several tests, or of sets
    hidden_curves: int
    """Of which there is no room in that plot."""
    regions: list[RegionalPlot]
    genome_points: GenomePoints
    quantiles_shown: QuantilesShown

    @property
    def top_hit(self) -> str:
        """The strongest variant, in words: also what the plots' alternative texts name."""
        loci, genes = self.summary["loci"], self.summary["genes"]
        if genes:
            best = genes["top"][0] if genes["tested"] else None
            return (
                f"top gene {best['name']}, -log10 p {float(best['log10p'] or 0):.2f}" if best else "no gene was tested"
            )
        return f"top hit {loci[0]['id']}, -log10 p {loci[0]['log10p']:.2f}" if loci else "no variant was tested"

    @property
    def cases_and_controls(self) -> tuple[int, int] | None:
        """Of the analysed people, by regenie's log; otherwise by the phenotype file."""
        if self.summary["cases"] is not None and self.summary["controls"] is not None:
            return self.summary["cases"], self.summary["controls"]
        if self.facts and self.facts.cases is not None and self.facts.controls is not None:
            return self.facts.cases, self.facts.controls
        return None

    @property
    def loci_file(self) -> str:
        """Path of the table of loci."""
        return table_of_loci(self.summary["results"])

    @property
    def ssf(self) -> str | None:
        """Path of the results in the GWAS Catalog's format, if it has rows."""
        if not self.ssf_rows:
            return None
        return self.summary["results"].removesuffix(RESULTS_SUFFIX) + TABLE_SUFFIX

    @property
    def ssf_rows(self) -> int:
        """Of that file."""
        return self.summary["rows"] - self.summary["left_out_of_ssf"]

    @property
    def has_several_tests(self) -> bool:
        """Whether each variant, or mask, has several rows."""
        return len(self.summary["tests"]) > 1

    @property
    def tested(self) -> int:
        """Variants or masks."""
        if self.has_several_tests:
            return self.summary["rows"] - self.summary["interaction_rows"]
        return self.summary["rows"] - self.summary["failed_tests"]

    @property
    def tests_of_variants(self) -> str:
        """The tests that are of the variants themselves."""
        return ", ".join(_with_degrees(test["name"]) for test in self.summary["tests"] if test["of_the_variant"])

    @property
    def main_test(self) -> str:
        """That of the QQ plot."""
        return _with_degrees(self.summary["test"])

    def in_words(self, test: TestSummary) -> str:
        """What one of the tests is of."""
        return in_words(test["name"], of_sets=False) or "–"

    def group_in_words(self, group: GroupSummary) -> str:
        """What a test of masks is of."""
        name = group["test"]
        words = of_all_masks_in_words(name) if group["mask"] is None else in_words(name, of_sets=True)
        degrees = degrees_of_freedom(name)
        return f"{words} ({degrees} df)" if degrees else words or "–"

    def degrees(self, test: TestSummary) -> str:
        """Of freedom, of one of the tests."""
        degrees = degrees_of_freedom(test["name"])
        return "–" if degrees is None else str(degrees)


def _with_degrees(test: str) -> str:
    degrees = degrees_of_freedom(test)
    return test if degrees is None else f"{test} ({degrees} df)"


class Quality(NamedTuple):
    """What quality control left for step 1."""

    kept: Mapping[str, int]
    """Variants and samples."""
    samples: int
    """Before it."""
    left_out: list[tuple[str, int]]
    """Why, in words, and how many variants: the first reason that applied to each."""
    warnings: list[str]


class Phase(NamedTuple):
    """One phase of the plan, and how it went."""

    title: str
    tasks: int
    command: str  # of the first task, as typed in a shell
    first_log: str  # of the first task that wrote one
    times: list[RunTime]  # of the tasks whose logs tell
    warnings: list[str]

    @property
    def wall_seconds(self) -> float:
        """From the first start to the last end."""
        times = self.times
        return (max(time.ended for time in times) - min(time.started for time in times)).total_seconds()

    @property
    def summed_seconds(self) -> float:
        """Of all commands, one after another."""
        return sum(time.seconds for time in self.times)


def write_report(line: Task, workspace: Workspace) -> None:
    """Write the report, replacing one of an earlier attempt: it is about this attempt.

    RunnerError if a trait was not merged, or if results are missing that were planned.
    """
    target = workspace.work / line["output"]
    summaries = [_read_summary(workspace.work / path) for path in line["summaries"].values()]
    _check_row_counts(summaries, workspace)
    _join_mask_lists(workspace)
    page = render_report(summaries, workspace)
    with workspace.fresh_file(workspace.work / WARNINGS) as file:
        told = {
            "warnings": _told(own_warnings(summaries, workspace)),
            "findings": _told(list(own_findings(summaries, workspace))),
        }
        file.write(json.dumps(told).encode())
    write_checksums(line["summaries"].values(), workspace)
    with workspace.fresh_file(target) as file:
        file.write(page.encode())
    say(f"The report is in {target} ({len(page) / 1e6:.1f} MB).")


def _join_mask_lists(workspace: Workspace) -> None:
    """Of all jobs of step 2, in the plan's order; they are the same for all traits."""
    target = workspace.work / MASK_LISTS
    folders = [workspace.work / line["output"] for line in each_plan_line(workspace.plan("step2"))]
    receipt = workspace.work / MASK_LISTS_RECEIPT
    for left in (receipt, target):
        left.unlink(missing_ok=True)
    if not any(has_lists_of_masks(folder) for folder in folders):
        return
    with workspace.fresh_file(target) as file:
        masks = join_lists_of_masks(folders, file)
    receipts.write(receipt, None, workspace.work, [MASK_LISTS])
    say(f"The variants of {masks:,} masks are in {target}.")


def _conditioned_on(launch: LaunchFacts, workspace: Workspace) -> str:
    """The variants that were conditioned on, in words; "" without any."""
    condition = launch.parameters.get("step2", {}).get("condition") or {}
    path = workspace.data / condition["variants"] if condition else None
    if path is None or not path.is_file():
        return ""
    with open_text(path, errors="replace") as lines:
        names = [words[0] for words in map(str.split, lines) if words]
    more = f" and {len(names) - _CONDITIONS_NAMED:,} more" if len(names) > _CONDITIONS_NAMED else ""
    counted = f"{len(names):,} variant{'s' if len(names) != 1 else ''}"
    return f"{counted} ({', '.join(names[:_CONDITIONS_NAMED])}{more})"


def _check_row_counts(summaries: list[Summary], workspace: Workspace) -> None:
    """Where lists or tests make rows that the plan cannot count, each chunk's own check has to do."""
    planned = [summary["planned_variants"] for summary in summaries]
    plan = workspace.plan("step2")
    if None in planned or any(
        chunk.get("filtered") or not chunk.get("counted", True) for chunk in each_plan_line(plan)
    ):
        return
    folders = (workspace.work / chunk["output"] for chunk in each_plan_line(plan))
    rows = sum(summary["rows"] - summary["interaction_rows"] for summary in summaries)
    tests = sum(count for count in planned if count is not None)
    check_row_counts(rows, tests, folders, with_interaction=LaunchFacts.read(workspace).tests_interaction)


def render_report(summaries: list[Summary], workspace: Workspace) -> str:
    """The page. Reads the launch, its plan and regenie's logs from the workspace."""
    launch = LaunchFacts.read(workspace)
    sections = [_section(summary, _facts(summary, launch), workspace, len(summaries)) for summary in summaries]
    phases = list(_phases(workspace))
    last_log = phases[-1].first_log if phases else ""
    warned = dict.fromkeys(text for phase in phases for text in phase.warnings)
    quality = _quality(launch, workspace)
    regenie = logs.version(last_log) or "unknown: its log names none"
    versions = {
        "Python": platform.python_version(),
        "numpy": np.__version__,
        "matplotlib": mpl.__version__,
        "pysam": importlib.metadata.version("pysam"),
    }
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            launch=launch,
            config=launch.config,
            traits=sections,
            people=logs.analysed_people(last_log),
            quality=quality,
            analysis=list(_analysis([summary["trait"] for summary in summaries], launch, quality, workspace)),
            warnings=[
                *own_warnings(summaries, workspace),
                *(f"regenie: {text}" for text in list(warned)[: logs.KEPT_WARNINGS]),
            ],
            parameters=list(_flattened(launch.config)),
            phases=phases,
            versions={"regenie": regenie, **versions},
            methods=methods.paragraph(
                methods.Ran(
                    launch,
                    [summary["trait"] for summary in summaries],
                    logs.analysed_people(last_log),
                    max((section.tested for section in sections), default=0),
                    methods.line_in_words(_genes_tested(summaries)),
                    [summary["loci_by"] for summary in summaries if summary["significant_loci"]],
                    _quality_summary(launch, workspace),
                    _command_of(phases, "step1", "level0"),
                    _command_of(phases, "step2"),
                    "regenie" if logs.version(last_log) is None else regenie,
                    versions,
                )
            ),
            shared=shared_loci(summaries, workspace.work),
            most_shared=MOST_LOCI,
            written=datetime.datetime.now(datetime.timezone.utc),
            tests_genes=bool(summaries) and all(summary["genes"] for summary in summaries),
            mask_lists=MASK_LISTS if (workspace.work / MASK_LISTS).exists() else None,
            conditioned_on=_conditioned_on(launch, workspace),
            spacing_kb=SPACING_BP // 1000,
            region_kb=REGION_BP // 1000,
            gene_kb=GENE_BP // 1000,
            flank_kb=FLANK_BP // 1000,
            script=script(),
        )
    )


def own_warnings(summaries: list[Summary], workspace: Workspace) -> list[str]:
    """What planning, quality control and the results themselves say to their readers, once each."""
    launch = LaunchFacts.read(workspace)
    quality = _quality(launch, workspace)
    tests_sets = bool(launch.parameters.get("step2", {}).get("gene_tests"))
    of_results = _of_results(summaries, ssf_tests(launch), tests_sets=tests_sets)
    return list(dict.fromkeys([*launch.warnings, *(quality.warnings if quality else ()), *of_results]))


def own_findings(summaries: list[Summary], workspace: Workspace) -> Iterator[str]:
    """What was tested of each trait, and how much of it is significant by which line."""
    conditioned_on = _conditioned_on(LaunchFacts.read(workspace), workspace)
    condition = f", conditional on {conditioned_on}" if conditioned_on else ""
    for summary in summaries:
        trait, genes = summary["trait"], summary["genes"]
        if genes:
            if not genes["tested"]:
                yield f"{trait}: no gene has a p-value{condition}."
                continue
            line = f"p = {FAMILY_WIDE:g} / {genes['tested']:,} = {10 ** -genes['line']:.2g}"
            by_gene_p = genes["gene_p_significant"]
            combined = "" if by_gene_p is None else f", {by_gene_p:,} by GENE_P"
            yield (
                f"{trait}: {genes['significant']:,} of {genes['tested']:,} gene{'s' if genes['tested'] != 1 else ''} "
                f"{'reaches' if genes['significant'] == 1 else 'reach'} {line} by the best of masks and tests"
                f"{combined}{condition}."
            )
        else:
            loci = summary["significant_loci"]
            tests = ", ".join(_with_degrees(test["name"]) for test in summary["tests"] if test["of_the_variant"])
            secondary = summary["secondary_signals"]
            more = f", with {secondary:,} secondary signal{'s' if secondary != 1 else ''}" if secondary else ""
            yield (
                f"{trait}: {loci:,} {'locus reaches' if loci == 1 else 'loci reach'} genome-wide significance "
                f"(p = 5e-8){f' in {tests}' if tests else ''}{condition}{more}."
            )


def _told(sentences: list[str]) -> list[str]:
    """As many, and as much of each, as an item of the launch table has room for."""
    told = [text if len(text) <= _LONGEST_TOLD else f"{text[:_LONGEST_TOLD]} ..." for text in sentences[:_MOST_TOLD]]
    more = len(sentences) - len(told)
    return [*told, f"{more:,} more are in the report."] if more else told


def _analysis(
    traits: list[str], launch: LaunchFacts, quality: Quality | None, workspace: Workspace
) -> Iterator[tuple[str, str]]:
    """What was analysed, of whom, and who was left out where, as rows of a table."""
    parameters, people = launch.parameters, launch.people
    yield "Traits", f"{', '.join(traits)} ({'binary' if launch.is_binary else 'quantitative'})"
    yield from _asked(launch, workspace)
    if launch.covariates is not None:
        yield "Covariates", ", ".join(launch.covariates) or "none"
    categories = parameters.get("categorical_covariates") or ()
    if categories:
        yield "Of these, categories", ", ".join(categories)
    if people is None:
        return
    yield "Genotyped people", f"{people.genotyped:,}"
    choices = " and ".join(key for key in ("keep", "remove", "sex") if parameters.get(key))
    if choices:
        yield f"Left out by {choices}", f"{people.genotyped - people.chosen:,}"
    yield "Not in the phenotype file", f"{people.chosen - people.phenotyped:,}"
    if launch.covariates:
        yield "Without a value of every covariate", f"{people.chosen - people.with_covariates:,}"
    yield "With all covariates and a value of a trait", f"{people.analysed:,}"
    if quality and quality.kept["samples"] < quality.samples:
        yield "Of these, left out by step 1's quality control", f"{quality.samples - quality.kept['samples']:,}"


def _asked(launch: LaunchFacts, workspace: Workspace) -> Iterator[tuple[str, str]]:
    """What else step 2 was asked to test."""
    interaction = launch.parameters.get("step2", {}).get("interaction") or {}
    if interaction:
        kind = "covariate" if interaction.get("covariate") else "variant"
        further = [f"{key} {interaction[key]}" for key in ("baseline", "coding") if interaction.get(key)]
        yield "Interaction with", ", ".join([f"{interaction[kind]} ({kind})", *further])
    if conditioned_on := _conditioned_on(launch, workspace):
        yield "Conditional on", conditioned_on


def _facts(summary: Summary, launch: LaunchFacts) -> TraitFacts | None:
    """Of those whom quality control left, if there was one: planning saw all."""
    counts = summary["counts"]
    return TraitFacts.of(counts) if counts else launch.traits.get(summary["trait"])


def _genes_tested(summaries: list[Summary]) -> int | None:
    """The most of any trait; None of variants."""
    return max((summary["genes"]["tested"] for summary in summaries if summary["genes"]), default=None)


def _command_of(phases: list[Phase], *names: str) -> list[str]:
    """The first command of the first of these phases that the plan has."""
    titles = [COMMAND_PHASES[name] for name in names]
    commands = [phase.command for phase in phases if phase.title in titles]
    return shlex.split(commands[0]) if commands else []


def _quality_summary(launch: LaunchFacts, workspace: Workspace) -> Mapping[str, Any] | None:
    path = workspace.work / QC_SUMMARY
    if not launch.controls_quality or not path.exists():
        return None
    summary: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return summary


def _quality(launch: LaunchFacts, workspace: Workspace) -> Quality | None:
    summary = _quality_summary(launch, workspace)
    if summary is None:
        return None
    settings = summary["settings"]
    left_out = [
        (words.format(**settings), summary["variants"]["leftOut"][reason]) for reason, words in _LEFT_OUT.items()
    ]
    kept = {what: summary[what]["kept"] for what in ("variants", "samples")}
    return Quality(
        kept,
        summary["samples"]["all"],
        [(words, count) for words, count in left_out if count],
        summary.get("warnings", []),
    )


def shown(value: object) -> object:
    """A value of a page: a text of others does nothing but show itself, and its own line breaks stay."""
    return printable(value, keep="\n\t") if isinstance(value, str) and not isinstance(value, Markup) else value


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("regenie_runner"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=shown,
    )
    environment.filters["chromosome"] = chromosome_label
    environment.filters["exp"] = math.exp
    environment.filters["count"] = lambda number: f"{number:,}"
    environment.filters["digits"] = lambda number: "NA" if number is None else f"{number:.4g}"
    environment.filters["kilobases"] = lambda bases: f"{bases / 1000:,.3g} kb"
    environment.filters["p_value"] = p_value
    environment.filters["duration"] = duration
    environment.filters["frequency_name"] = lambda group: frequency_name(group["from"], group["to"])
    return environment


def p_value(log10p: float) -> tuple[str, int]:
    """A p-value as mantissa (one decimal) and exponent; LOG10P goes far beyond what a float p-value can hold."""
    exponent = -int(log10p // 1) - 1 if log10p % 1 else -int(log10p)
    mantissa = round(10 ** (-log10p - exponent), 1)
    return (f"{mantissa:.1f}", exponent) if mantissa < 10 else ("1.0", exponent + 1)


def duration(seconds: float) -> str:
    """A time for people: 45 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    if hours:
        return f"{hours:,} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def _read_summary(path: Path) -> Summary:
    try:
        summary: Summary = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunnerError(f"The summary {path} does not exist: its trait was not merged.") from None
    return summary


def _section(summary: Summary, facts: TraitFacts | None, workspace: Workspace, traits: int) -> TraitSection:
    genes = summary["genes"]
    panels = panels_of_genes(genes) if genes else panels_of_tests(summary)
    hidden = sum(
        len(panel.curves) if number >= MOST_PANELS else max(0, len(panel.curves) - MOST_CURVES)
        for number, panel in enumerate(panels)
    )
    drawn = qq_panels_plot(panels)
    return TraitSection(
        summary,
        facts,
        _as_text(manhattan_plot(summary)),
        "" if genes else _as_text(qq_plot(summary)),
        Curves(_as_text(drawn.png), drawn.width, drawn.height) if drawn else None,
        hidden,
        list(_regions(summary, workspace)),
        genome_points(summary, traits),
        quantiles_shown(summary),
    )


def _regions(summary: Summary, workspace: Workspace) -> Iterator[RegionalPlot]:
    """Of the strongest significant loci, or of the strongest locus, by the test in which each is so.

    Only these regions are read. Sets have none: all masks of one are at its first variant.
    """
    if summary["of_sets"]:
        return
    leads = {(lead["chromosome"], lead["position"], lead["id"]): lead for lead in summary["loci"]}
    with IndexedResults(workspace.work / summary["results"]) as results:
        for around in summary["surroundings"]:
            lead, r2 = leads[around["chromosome"], around["position"], around["id"]], around["r2"]
            start, end = lead["position"] - REGION_BP, lead["position"] + REGION_BP
            lines = results.region(lead["chromosome"], start, end)
            points = [
                RegionPoint(int(line["GENPOS"]), float(line["LOG10P"]), float(line["A1FREQ"]), linked)
                for line, linked in zip(lines, itertools.repeat(None) if r2 is None else r2, strict=False)
                if test_of(line) == lead["test"] and "NA" not in (line["LOG10P"], line["A1FREQ"])
            ]
            drawn = regional_plot(lead, points, around)
            yield RegionalPlot(
                lead, _as_text(drawn.png), drawn.width, drawn.height, len(points), is_linked=r2 is not None
            )


def _as_text(picture: bytes) -> str:
    return base64.b64encode(picture).decode()


_NO_VARIANTS = "no variant was tested; all were below the minor allele count limit."
_NO_MASKS = (
    "no mask of any set was tested; regenie leaves out masks below the minor allele count limit, masks that everybody "
    "carries, and sets without known, annotated variants."
)


_FEW = "few variants or people"
_UNEQUAL = "few variants, or a trait whose variance or curve differs with what the variants interact with,"


def _reasons_of(inflation: float) -> str:
    if inflation < 1:
        return "few variants or people, or a trait that is not centred and was analysed together with others"
    return "few variants, strong polygenicity, population structure or relatedness beyond what the covariates take up"


def _of_results(summaries: list[Summary], in_ssf: frozenset[str], *, tests_sets: bool) -> Iterator[str]:
    """`in_ssf`: names of the tests whose rows the GWAS-SSF table takes."""
    for summary in summaries:
        trait, inflation = summary["trait"], summary["genomic_inflation"]
        if not summary["rows"]:
            yield f"{trait}: {_NO_MASKS if tests_sets else _NO_VARIANTS}"
        own_rows = sum(test["rows"] for test in summary["tests"] if test["name"] in SINGLE_VARIANT | ADJUSTED)
        if 0 < summary["interactions"] < own_rows:
            what = "masks" if summary["of_sets"] else "variants"
            yield (
                f"{trait}: {own_rows - summary['interactions']:,} of {own_rows:,} {what} have "
                "no rows of the interaction: all people of a level, or all who differ, have the same genotype there."
            )
        if summary["failed_tests"]:
            yield f"{trait}: regenie could not compute every p-value; {summary['failed_tests']:,} are NA."
        if inflation is not None and not _DEFLATED <= inflation <= _INFLATED:
            reasons = _reasons_of(inflation)
            of_test = f" of {summary['test']}" if len(summary["tests"]) > 1 else ""
            yield f"{trait}: genomic inflation{of_test} is {inflation:.3f}, far from 1; {reasons} can be the reason."
        yield from _of_interactions(summary)
        if summary["significant_loci"] and summary["loci_by"]["why_not"]:
            yield f"{trait}: loci are by distance, not by linkage disequilibrium: {summary['loci_by']['why_not']}."
        if summary["genes"]:
            yield from _of_genes(trait, summary["genes"])
        else:
            yield from _of_ssf(summary, in_ssf)


def _of_genes(trait: str, genes: GenesSummary) -> Iterator[str]:
    """One sentence on the inflation of all masks and tests: there may be a hundred, which have the same reasons."""
    known = [
        (group, group["genomic_inflation"])
        for group in genes["groups"]
        if group["p_values"] >= _ENOUGH_GENES and group["genomic_inflation"] is not None
    ]
    far = [(group, inflation) for group, inflation in known if not _DEFLATED <= inflation <= _INFLATED]
    if far:
        group, inflation = max(far, key=lambda each: abs(each[1] - 1))
        of_mask = f" of {group['mask']}" if group["mask"] else ""
        yield (
            f"{trait}: genomic inflation is far from 1 in {len(far):,} of {len(known):,} masks and tests with at least "
            f"{_ENOUGH_GENES} genes, most in {group['test']}{of_mask} ({inflation:.3f}); {_reasons_of(inflation)} "
            "can be the reason."
        )


def _of_interactions(summary: Summary) -> Iterator[str]:
    """Their inflation has reasons of its own: what structure does to a variant, it does not do to its interaction."""
    for test in summary["tests"]:
        inflation = test["genomic_inflation"]
        if inflation is None or not is_of_a_product(test["name"]) or _DEFLATED <= inflation <= _INFLATED:
            continue
        reasons = _FEW if inflation < 1 else _UNEQUAL
        yield (
            f"{summary['trait']}: genomic inflation of {test['name']} is {inflation:.3f}, far from 1; {reasons} can be "
            "the reason."
        )


def _of_ssf(summary: Summary, taken: frozenset[str]) -> Iterator[str]:
    """Rows of the `taken` tests that the format has no place for; of other tests none is expected there."""
    usual = [test for test in summary["tests"] if test["name"] in taken]
    left_out = sum(test["rows"] for test in usual) - (summary["rows"] - summary["left_out_of_ssf"])
    if left_out > sum(test["failed"] for test in usual):
        *names, last = sorted(taken)
        yield (
            f"{summary['trait']}: {left_out:,} {'row is' if left_out == 1 else 'rows are'} not in the GWAS-SSF file, "
            "which has no place for missing values, for alleles other than A, C, G, T, and for tests other than "
            f"{', '.join(names)} and {last}."
        )


def _flattened(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested settings as dotted names, in their order; lists of plain values stay on one line."""
    for key, inner in value.items():
        name = f"{prefix}{key}"
        if isinstance(inner, Mapping):
            yield from _flattened(inner, f"{name}.")
        elif isinstance(inner, list) and any(isinstance(item, Mapping) for item in inner):
            for number, item in enumerate(inner, 1):
                yield from _flattened(item, f"{name}.{number}.")
        elif isinstance(inner, list):
            yield name, ", ".join(map(str, inner))
        else:
            yield name, str(inner).lower() if isinstance(inner, bool) else str(inner)


def _phases(workspace: Workspace) -> Iterator[Phase]:
    """Reads one task and one log at a time: of a hundred thousand, the logs alone are a gigabyte."""
    for phase, title in COMMAND_PHASES.items():
        tasks, command, first_log = 0, "", ""
        times: list[RunTime] = []
        warned: dict[str, None] = {}
        for line in each_plan_line(workspace.plan(phase)):
            task = _placed(line, workspace)
            log = logs.read_log(Path(f"{task.argument('--out')}.log"))
            tasks += 1
            command = command or shlex.join(task.command)
            first_log = first_log or log
            if time := logs.run_time(log):
                times.append(time)
            if len(warned) < logs.KEPT_WARNINGS:
                warned.update(dict.fromkeys(logs.warnings([log])))
        if tasks:
            yield Phase(title, tasks, command, first_log, times, list(warned))


def _placed(line: Task, workspace: Workspace) -> CommandTask:
    task = CommandTask.from_line(line)
    output = None if task.output is None else workspace.work / task.output
    return task.placed(workspace.data, workspace.work, output)
