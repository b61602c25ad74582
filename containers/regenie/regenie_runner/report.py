"""The report that a scientist opens first: one self-contained HTML file."""

from __future__ import annotations

import base64
import datetime
import itertools
import json
import platform
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from regenie_runner import logs
from regenie_runner.checks import CHUNK_LOG
from regenie_runner.console import say
from regenie_runner.errors import RunnerError
from regenie_runner.loci import GENOME_WIDE, SPACING_BP
from regenie_runner.phenotypes import TraitFacts, describe_traits
from regenie_runner.plots import manhattan_plot, qq_plot
from regenie_runner.summary import Summary
from regenie_runner.task import CommandTask, plan_lines
from regenie_runner.workspace import SENTINEL, Workspace

COMMAND_PHASES = {
    "split": "Step 1: split into jobs",
    "level0": "Step 1: level 0",
    "level1": "Step 1: level 1",
    "step1": "Step 1",
    "step2": "Step 2",
}
_READ_LOGS = 1_000  # of step 2; more would keep the report waiting, and regenie's warnings are alike in all chunks
_INFLATED, _DEFLATED = 1.1, 0.9


class TraitSection(NamedTuple):
    """One trait's part of the report; the plots are PNG as base64."""

    summary: Summary
    facts: TraitFacts | None
    manhattan: str
    qq: str

    @property
    def top_hit(self) -> str:
        """The strongest variant, in words: also what the plots' alternative texts name."""
        loci = self.summary["loci"]
        return f"top hit {loci[0]['id']}, -log10 p {loci[0]['log10p']:.2f}" if loci else "no variant was tested"


class PhaseCommands(NamedTuple):
    """One phase of the plan."""

    title: str
    tasks: int
    command: str  # of the first task, as typed in a shell


def write_report(line: dict[str, Any], workspace: Workspace) -> None:
    """Write the report anew, also if an earlier attempt wrote one: it tells of this attempt."""
    target = workspace.work / line["output"]
    summaries = [_read_summary(workspace.work / path) for path in line["summaries"].values()]
    page = render_report(summaries, workspace)
    with workspace.fresh_file(target) as file:
        file.write(page.encode())
    say(f"The report is in {target} ({len(page) / 1e6:.1f} MB).")


def render_report(summaries: list[Summary], workspace: Workspace) -> str:
    """The page. Reads the launch, its plan and regenie's logs from the workspace."""
    launch = json.loads((workspace.work / SENTINEL).read_text(encoding="utf-8"))
    config = launch["config"]
    facts = _trait_facts(config, workspace)
    sections = [_section(summary, facts.get(summary["trait"])) for summary in summaries]
    chunk_logs = list(_step2_logs(workspace))
    first_log = chunk_logs[0] if chunk_logs else ""
    all_logs = [*_step1_logs(workspace), *chunk_logs]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            launch=launch,
            config=config,
            is_binary=_parameters(config).get("trait_type") == "binary",
            traits=sections,
            people=logs.analysed_people(first_log),
            warnings=[*_own_warnings(config, sections), *(f"regenie: {text}" for text in logs.warnings(all_logs))],
            parameters=list(_flattened(config)),
            phases=list(_phases(workspace)),
            versions={
                "regenie": logs.version(first_log) or "unknown: its log names none",
                "Python": platform.python_version(),
                "numpy": np.__version__,
                "matplotlib": mpl.__version__,
            },
            written=datetime.datetime.now(datetime.timezone.utc),
            genome_wide=GENOME_WIDE,
            spacing_kb=SPACING_BP // 1000,
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("regenie_runner"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = lambda number: f"{number:,}"
    environment.filters["digits"] = lambda number: "NA" if number is None else f"{number:.4g}"
    environment.filters["p_value"] = p_value
    return environment


def p_value(log10p: float) -> tuple[str, int]:
    """A p-value as mantissa (one decimal) and exponent; LOG10P goes far beyond what a float p-value can hold."""
    exponent = -int(log10p // 1) - 1 if log10p % 1 else -int(log10p)
    mantissa = round(10 ** (-log10p - exponent), 1)
    return (f"{mantissa:.1f}", exponent) if mantissa < 10 else ("1.0", exponent + 1)


def _read_summary(path: Path) -> Summary:
    try:
        summary: Summary = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunnerError(f"The summary {path} does not exist: its trait was not merged.") from None
    return summary


def _section(summary: Summary, facts: TraitFacts | None) -> TraitSection:
    manhattan, qq = (base64.b64encode(plot(summary)).decode() for plot in (manhattan_plot, qq_plot))
    return TraitSection(summary, facts, manhattan, qq)


def _parameters(config: Mapping[str, Any]) -> Mapping[str, Any]:
    parameters: Mapping[str, Any] = config.get("regenie", {})
    return parameters


def _trait_facts(config: Mapping[str, Any], workspace: Workspace) -> dict[str, TraitFacts]:
    parameters = _parameters(config)
    path = workspace.data / parameters.get("phenotypes", "")
    return describe_traits(path, parameters.get("traits", [])) if path.is_file() else {}


def _own_warnings(config: Mapping[str, Any], sections: list[TraitSection]) -> Iterator[str]:
    for section in sections:
        summary = section.summary
        trait, inflation = summary["trait"], summary["genomic_inflation"]
        if not summary["rows"]:
            yield f"{trait}: no variant was tested; all were below the minor allele count limit."
        if summary["failed_tests"]:
            yield f"{trait}: regenie could not compute every p-value; {summary['failed_tests']:,} are NA."
        if inflation is not None and not _DEFLATED <= inflation <= _INFLATED:
            yield (
                f"{trait}: genomic inflation is {inflation:.3f}, far from 1; few variants, strong polygenicity, "
                "population structure or relatedness beyond what the covariates take up can be the reason."
            )
    if len(sections) > 1 and not _parameters(config).get("apply_rint") and not _is_binary(config):
        yield from _uncentred_warnings(sections)


def _is_binary(config: Mapping[str, Any]) -> bool:
    return _parameters(config).get("trait_type") == "binary"


def _uncentred_warnings(sections: list[TraitSection]) -> Iterator[str]:
    """Regenie imputes several traits' missing values before it takes their means off: one spoils its neighbours."""
    for section in sections:
        facts = section.facts
        if facts is not None and facts.missing and facts.is_uncentred:
            yield (
                f"{section.summary['trait']} is not centred (mean {facts.mean:.4g}, SD {facts.deviation:.4g}) and "
                f"has missing values ({facts.missing:,}), which can distort the p-values of the traits analysed "
                "together with it: centre it, set apply_rint: true, or launch it alone."
            )


def _step1_logs(workspace: Workspace) -> Iterator[str]:
    for path in sorted((workspace.work / "step1").glob("**/*.log")):
        yield logs.read_log(path)


def _step2_logs(workspace: Workspace) -> Iterator[str]:
    for line in itertools.islice(plan_lines(workspace.plan("step2")), _READ_LOGS):
        yield logs.read_log(workspace.work / line["output"] / CHUNK_LOG)


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


def _phases(workspace: Workspace) -> Iterator[PhaseCommands]:
    for phase, title in COMMAND_PHASES.items():
        lines = plan_lines(workspace.plan(phase))
        if lines:
            task = CommandTask.from_line(lines[0])
            output = None if task.output is None else workspace.work / task.output
            placed = task.placed(workspace.data, workspace.work, output)
            yield PhaseCommands(title, len(lines), shlex.join(placed.command))
