"""Manhattan and QQ plots as PNG. Colours tell chromosomes apart in greyscale too, and significance also by size."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from regenie_runner.annotations import DrawnGene
from regenie_runner.chromosomes import chromosome_label
from regenie_runner.genes import GenesSummary
from regenie_runner.kinds_of_test import degrees_of_freedom
from regenie_runner.quantiles import Curve
from regenie_runner.scan import FREQUENCY_BOUNDS
from regenie_runner.significance import FAMILY_WIDE, GENOME_WIDE
from regenie_runner.summary import ManhattanChromosome, Summary
from regenie_runner.top_loci import Locus, Surroundings

_DOTS_PER_INCH = 160
_COLOURS = 128  # of the stored image: enough for these plots, and a third of the bytes
_INK = "#22303c"
_FAINT = "#d5dde3"
_CHROMOSOMES = ("#1d4f73", "#7fa9c4")
_HIT = "#c2410c"
FREQUENCY_COLOURS = ("#c08ad6", "#2f9a7e", "#1d4f73")
"""Of rare, low-frequency and common variants, from light to dark enough to be told apart in greyscale too."""
_HIGHEST_FREQUENCY = 0.5
R2_BOUNDS = (0.2, 0.4, 0.6, 0.8)
R2_SERIES = (("#b9c6cf", "."), ("#86b1cb", "v"), ("#4c8db4", "s"), ("#1f5f8b", "^"), ("#0b2a44", "P"))
"""Colour and mark by r²: darker with every step, and each with a mark of its own, so that no colours need be told
apart."""
_UNLINKED = "#9a8f86"
_GAP = 0.006  # between chromosomes, as a part of all base pairs shown
_NARROW = 0.011  # a chromosome with a smaller part of the width gets no label of its own
_FEW_POINTS = 5_000  # fewer are drawn larger
_NAMED_LOCI = 8
_NAMED_GENES = 25
_NAME_LENGTH = 24
"""Of a name in a plot; the table has it whole."""
_CURVE_COLOURS = ("#1d4f73", "#c2410c", "#2f9a7e", "#c08ad6", "#8a6d1d", "#7fa9c4", "#b0476b", "#5b6b78")
_CURVE_MARKERS = (".", "x", "^")
MOST_PANELS, MOST_CURVES = 9, 10
"""Of a plot with many curves, and of each of its panels."""
_PANEL_INCHES, _PANELS_IN_ROW = (3.45, 3.1), 3
_LETTER_WIDTH, _NAME_HEIGHT = 0.0075, 0.06  # room that a name needs, as parts of the plot


_RATE, _RATE_INK = "#9db8d9", "#47617f"
_RATES_TO = 20.0
"""cM/Mb up to which the scale goes at least, so that flat regions look flat."""
_RATES_INCHES = 0.5  # for the scale of recombination rates
_GENE_INCHES, _LETTER_INCHES, _MOST_GENE_ROWS = 0.2, 0.062, 8


class _Margins(NamedTuple):
    """Room around the axes of a figure, in inches. Fixed: a layout that measures all texts takes as long as drawing."""

    left: float = 0.62
    right: float = 0.12
    bottom: float = 0.48
    top: float = 0.14
    between: float = 0.62
    """Columns, or rows."""


_MARGINS = _Margins()
_TITLED = _Margins(top=0.32)
_TITLED_ROWS = _Margins(top=0.32, between=0.82)


class _Point(NamedTuple):
    """What gets a name in a Manhattan plot."""

    name: str
    chromosome: str
    position: int  # base pairs
    log10p: float
    significant: bool

    @property
    def short_name(self) -> str:
        return self.name if len(self.name) <= _NAME_LENGTH else f"{self.name[: _NAME_LENGTH - 1]}…"


def manhattan_plot(summary: Summary) -> bytes:
    """-log10 p over the genome: of variants, or the best of each gene."""
    genes = summary["genes"]
    line = genes["line"] if genes else GENOME_WIDE
    points = list(_genes_by_name(genes) if genes else _loci_by_name(summary["loci"]))
    figure, (axes,) = _figure(10.4, 3.5, _Margins(right=0.95))
    chromosomes = summary["manhattan"]
    offsets, width = _layout(chromosomes)
    size = 5.0 if sum(len(chromosome["positions"]) for chromosome in chromosomes) < _FEW_POINTS else 3.2
    for number, (chromosome, offset) in enumerate(zip(chromosomes, offsets, strict=True)):
        x = np.array(chromosome["positions"]) - chromosome["start"] + offset
        y = np.array(chromosome["log10p"])
        hit = y >= line
        axes.plot(x[~hit], y[~hit], ".", color=_CHROMOSOMES[number % 2], markersize=size, markeredgewidth=0)
        axes.plot(x[hit], y[hit], ".", color=_HIT, markersize=size * 1.6, markeredgewidth=0)
    words = f"{FAMILY_WIDE:g} / {genes['tested']:,}" if genes else "5 × 10$^{-8}$"
    if not genes or genes["tested"]:
        _significance_line(axes, line, words)
    _name_chromosomes(axes, chromosomes, offsets, width)
    margin = max(0.01 * width, 1)
    axes.set_xlim(-margin, width + margin)
    axes.set_ylim(0, _height([point.log10p for point in points[:1]], line) * 1.13)
    shifts = {c["name"]: offset - c["start"] for c, offset in zip(chromosomes, offsets, strict=True)}
    _name_points(axes, points, shifts, _NAMED_GENES if genes else _NAMED_LOCI)
    axes.set_xlabel("Chromosome")
    axes.set_ylabel("−log$_{10}$ p")
    return _png(figure)


def _loci_by_name(loci: Sequence[Locus]) -> Iterator[_Point]:
    for locus in loci:
        yield _Point(locus["id"], locus["chromosome"], locus["position"], locus["log10p"], locus["significant"])


def _genes_by_name(genes: GenesSummary) -> Iterator[_Point]:
    for gene in genes["top"]:
        if gene["log10p"] is not None:
            log10p = float(gene["log10p"])
            yield _Point(gene["name"], gene["chromosome"], gene["position"], log10p, gene["significant"])


class Panel(NamedTuple):
    """QQ curves that are drawn together."""

    title: str
    curves: list[tuple[str, Curve]]  # with a label each


class Picture(NamedTuple):
    """A PNG with its size in pixels."""

    png: bytes
    width: int
    height: int


def panels_of_genes(genes: GenesSummary) -> list[Panel]:
    """One for each test of masks, with a curve for each mask; one for the tests of all masks together."""
    panels: dict[str, Panel] = {}
    for group in genes["groups"]:
        title = "All masks together" if group["mask"] is None else group["test"]
        label = group["test"] if group["mask"] is None else group["mask"]
        panel = panels.setdefault(title, Panel(title, []))
        panel.curves.append((_with_inflation(label, group["genomic_inflation"]), group["curve"]))
    return list(panels.values())


def panels_of_tests(summary: Summary) -> list[Panel]:
    """One for each test of the variants, if there are several."""
    panels = []
    for test in summary["tests"]:
        if test["curve"] and test["curve"]["observed"]:
            degrees = degrees_of_freedom(test["name"])
            title = f"{test['name']}, {degrees} df" if degrees else test["name"]
            panels.append(Panel(title, [(_with_inflation("", test["genomic_inflation"]), test["curve"])]))
    return panels


def _with_inflation(label: str, inflation: float | None) -> str:
    return f"{label} λ {inflation:.2f}".strip() if inflation is not None else label


def qq_panels_plot(panels: Sequence[Panel]) -> Picture | None:
    """QQ plots of the first MOST_PANELS panels, each with its first MOST_CURVES curves; None without any."""
    shown = panels[:MOST_PANELS]
    if not shown:
        return None
    columns = min(len(shown), _PANELS_IN_ROW)
    rows = -(-len(shown) // columns)
    width, height = _PANEL_INCHES[0] * columns, _PANEL_INCHES[1] * rows
    figure, grid = _figure(width, height, _TITLED_ROWS, columns=columns, rows=rows)
    for axes in grid[len(shown) :]:
        axes.set_visible(False)
    for axes, panel in zip(grid, shown, strict=False):
        end = max(max(curve["expected"], default=0.5) for _, curve in panel.curves) * 1.05
        top = max(max(curve["observed"], default=0.5) for _, curve in panel.curves)
        axes.plot([0, end], [0, end], color=_INK, linewidth=0.8)
        for number, (label, curve) in enumerate(panel.curves[:MOST_CURVES]):
            colour = _CURVE_COLOURS[number % len(_CURVE_COLOURS)]
            marker = _CURVE_MARKERS[number // len(_CURVE_COLOURS) % len(_CURVE_MARKERS)]
            axes.plot(curve["expected"], curve["observed"], marker, color=colour, markersize=3.5, label=label)
        axes.set_title(panel.title, fontsize=9, color=_INK, loc="left", parse_math=False)
        legend = axes.legend(loc="upper left", frameon=False, fontsize=6.5, markerscale=1.5, handletextpad=0.2)
        for text in legend.get_texts():
            text.set_parse_math(False)
        axes.set_xlim(0, end)
        axes.set_ylim(0, max(top, end) * 1.3)
        axes.set_xlabel("Expected −log$_{10}$ p")
        axes.set_ylabel("Observed −log$_{10}$ p")
    return Picture(_png(figure), round(width * _DOTS_PER_INCH), round(height * _DOTS_PER_INCH))


def qq_plot(summary: Summary) -> bytes:
    """Observed over expected -log10 p of the main test: of all variants, with the band of 95 % of null results, and by
    frequency."""
    figure, (left, right) = _figure(7.6, 3.6, _TITLED, columns=2)
    points = summary["quantiles"]
    left.fill_between(points["expected"], points["low"], points["high"], color=_FAINT, linewidth=0, label="95 % band")
    left.plot(points["expected"], points["observed"], ".", color=_CHROMOSOMES[0], markersize=4, markeredgewidth=0)
    inflation = summary["genomic_inflation"]
    if inflation is not None:
        left.text(0.05, 0.93, f"λ = {inflation:.3f}", transform=left.transAxes, va="top", fontsize=10)
    for group, colour in zip(summary["frequency_quantiles"], FREQUENCY_COLOURS, strict=True):
        label = frequency_name(group["from"], group["to"])
        if group["variants"]:
            expected, observed = group["expected"], group["observed"]
            right.plot(expected, observed, ".", color=colour, markersize=4, markeredgewidth=0, label=label)
    end = max(points["expected"], default=1.0) * 1.05
    everything = f"All {'masks' if summary['of_sets'] else 'variants'}"
    if len(summary["tests"]) > 1:
        everything = f"{everything}, {summary['test']}"
    for axes, title in ((left, everything), (right, "By minor allele frequency")):
        axes.plot([0, end], [0, end], color=_INK, linewidth=0.8)
        axes.set_title(title, fontsize=9, color=_INK, loc="left", parse_math=False)
        if axes.get_legend_handles_labels()[1]:
            axes.legend(loc="lower right", frameon=False, fontsize=8, markerscale=2)
        axes.set_xlim(0, end)
        axes.set_ylim(0, _height(points["observed"][:1], GENOME_WIDE) * 1.05)
        axes.set_xlabel("Expected −log$_{10}$ p")
    left.set_ylabel("Observed −log$_{10}$ p")
    return _png(figure)


def frequency_name(low: float, high: float) -> str:
    """A group of minor allele frequencies, for people."""
    if not low:
        return f"below {high:.0%}"
    return f"{low:.0%} to {high:.0%}" if high < _HIGHEST_FREQUENCY else f"{low:.0%} and more"


class RegionPoint(NamedTuple):
    """One variant of a region."""

    position: int  # base pairs
    log10p: float
    a1freq: float
    r2: float | None = None
    """Linkage disequilibrium with the lead, if it is known."""


class _Series(NamedTuple):
    """Points of one colour and mark."""

    label: str
    colour: str
    mark: str
    chosen: npt.NDArray[np.bool_]


def regional_plot(lead: Locus, points: Sequence[RegionPoint], around: Surroundings) -> Picture:
    """-log10 p around a lead, by linkage disequilibrium with it, or by minor allele frequency if that is not known.

    Over it the recombination rate, and under it genes, where there are any.
    """
    # The lead in the middle, also where the genotypes end near it.
    farthest = max((abs(point.position - lead["position"]) for point in points), default=0)
    half = max(farthest * 1.03, 1000)
    start, end = lead["position"] - half, lead["position"] + half
    rates = around["recombination"]
    width = 5.1 + (_RATES_INCHES if rates else 0)
    right = 1.15 + (_RATES_INCHES if rates else 0)
    bases_of_an_inch = 2 * half / (width - _MARGINS.left - right)
    near = [gene for gene in around["genes"] if gene["end"] >= start and gene["start"] <= end]
    genes = _rows_of_genes(near, bases_of_an_inch)
    track = len(genes) * _GENE_INCHES
    height = 2.9 + track
    figure, (axes,) = _figure(width, height, _Margins(right=right, bottom=_MARGINS.bottom + track))
    lowest = axes
    if genes:
        lowest = _gene_track(figure, axes, genes, track)
    if rates:
        _draw_rates(axes, rates, end)
    x = np.array([point.position for point in points]) / 1e6
    y = np.array([point.log10p for point in points])
    is_linked = any(point.r2 is not None for point in points)
    for series in _by_linkage(points) if is_linked else _by_frequency(points):
        if series.chosen.any():
            size = 5.0 if series.mark == "." else 3.6
            axes.plot(
                x[series.chosen],
                y[series.chosen],
                series.mark,
                color=series.colour,
                markersize=size,
                markeredgewidth=0 if series.mark != "x" else 0.8,
                label=series.label,
            )
    axes.plot(
        [lead["position"] / 1e6], [lead["log10p"]], "D", color=_HIT, markersize=6, markeredgecolor="white", zorder=4
    )
    axes.annotate(
        f"{lead['id']} (secondary signal)" if lead["primary"] else lead["id"],
        (lead["position"] / 1e6, lead["log10p"]),
        (0, 7),
        textcoords="offset points",
        ha="center",
        fontsize=8,
        color=_INK,
        parse_math=False,
    )
    axes.axhline(GENOME_WIDE, color=_HIT, linewidth=0.8, linestyle=(0, (5, 3)))
    axes.set_xlim(start / 1e6, end / 1e6)
    axes.set_ylim(0, max(GENOME_WIDE + 0.7, lead["log10p"]) * 1.18)
    lowest.ticklabel_format(axis="x", useOffset=False)
    lowest.set_xlabel(f"Position on chromosome {chromosome_label(lead['chromosome'])} (Mb)")
    axes.set_ylabel("−log$_{10}$ p")
    axes.legend(
        loc="upper right",
        frameon=False,
        fontsize=7,
        title="r² with\nthe lead" if is_linked else "Minor allele\nfrequency",
        title_fontsize=7,
        bbox_to_anchor=(1 + (right - 0.02) / (width - _MARGINS.left - right), 1.03),
        markerscale=1.6,
        reverse=is_linked,
    )
    return Picture(_png(figure), round(width * _DOTS_PER_INCH), round(height * _DOTS_PER_INCH))


def _rows_of_genes(genes: Sequence[DrawnGene], bases_of_an_inch: float) -> list[list[DrawnGene]]:
    """Genes in as few rows as leave room for their names; what does not fit into _MOST_GENE_ROWS is left out."""
    rows: list[list[DrawnGene]] = []
    ends: list[float] = []
    for gene in sorted(genes, key=lambda gene: gene["start"]):
        name = len(_gene_name(gene)) * _LETTER_INCHES * bases_of_an_inch
        middle = (gene["start"] + gene["end"]) / 2
        first, last = min(gene["start"], middle - name / 2), max(gene["end"], middle + name / 2)
        row = next((number for number, taken in enumerate(ends) if taken < first), len(rows))
        if row == len(rows):
            if row == _MOST_GENE_ROWS:
                continue
            rows.append([])
            ends.append(0.0)
        rows[row].append(gene)
        ends[row] = last
    return rows


def _gene_name(gene: DrawnGene) -> str:
    name = gene["name"] if len(gene["name"]) <= _NAME_LENGTH else f"{gene['name'][: _NAME_LENGTH - 1]}…"
    return f"← {name}" if gene["strand"] == "-" else f"{name} →"


def _gene_track(figure: Figure, axes: Axes, rows: Sequence[Sequence[DrawnGene]], inches: float) -> Axes:
    """Under a plot, with its scale."""
    box, height = axes.get_position(), figure.get_figheight()
    bottom = _MARGINS.bottom / height
    track = figure.add_axes((box.x0, bottom, box.width, inches / height), sharex=axes)
    for number, row in enumerate(rows):
        for gene in row:
            track.plot(
                [gene["start"] / 1e6, gene["end"] / 1e6],
                [-number, -number],
                color=_CHROMOSOMES[0],
                linewidth=2.2,
                solid_capstyle="butt",
            )
            track.annotate(
                _gene_name(gene),
                ((gene["start"] + gene["end"]) / 2e6, -number),
                (0, 2),
                textcoords="offset points",
                ha="center",
                fontsize=6,
                style="italic",
                color=_INK,
                parse_math=False,
                annotation_clip=True,
            )
    track.set_ylim(-len(rows) + 0.5, 1.2)
    track.set_yticks([])
    track.spines[["top", "right", "left"]].set_visible(False)
    track.spines["bottom"].set_color(_INK)
    track.tick_params(colors=_INK, labelsize=8, length=3)
    track.xaxis.label.set_color(_INK)
    axes.tick_params(axis="x", labelbottom=False, length=0)
    return track


def _draw_rates(axes: Axes, rates: Sequence[tuple[int, float]], end: float) -> None:
    """Behind the points, by a scale of its own at the right."""
    scale = axes.twinx()
    positions = [position / 1e6 for position, _ in rates] + [end / 1e6]
    values = [rate for _, rate in rates] + [rates[-1][1]]
    scale.plot(positions, values, color=_RATE, linewidth=0.9, drawstyle="steps-post")
    scale.set_ylim(0, max(_RATES_TO, *values) * 1.05)
    scale.set_ylabel("Recombination (cM/Mb)", fontsize=7, color=_RATE_INK)
    scale.tick_params(colors=_RATE_INK, labelsize=7, length=3)
    scale.spines[["top", "left", "bottom"]].set_visible(False)
    scale.spines["right"].set_color(_RATE)
    axes.set_zorder(scale.get_zorder() + 1)
    axes.patch.set_visible(False)


def _by_frequency(points: Sequence[RegionPoint]) -> Iterator[_Series]:
    frequencies = np.array([min(point.a1freq, 1 - point.a1freq) for point in points])
    groups = np.digitize(frequencies, FREQUENCY_BOUNDS)
    bounds = (0.0, *FREQUENCY_BOUNDS, _HIGHEST_FREQUENCY)
    for number, colour in enumerate(FREQUENCY_COLOURS):
        yield _Series(frequency_name(bounds[number], bounds[number + 1]), colour, ".", groups == number)


def _by_linkage(points: Sequence[RegionPoint]) -> Iterator[_Series]:
    """The strongest last, so that they lie above the others."""
    r2 = np.array([np.nan if point.r2 is None else point.r2 for point in points])
    yield _Series("not known", _UNLINKED, "x", np.isnan(r2))
    groups = np.where(np.isnan(r2), -1, np.digitize(r2, R2_BOUNDS))
    bounds = (0.0, *R2_BOUNDS, 1.0)
    for number, (colour, mark) in enumerate(R2_SERIES):
        yield _Series(f"{bounds[number]:g} to {bounds[number + 1]:g}", colour, mark, groups == number)


def _figure(
    width: float, height: float, margins: _Margins = _MARGINS, columns: int = 1, rows: int = 1
) -> tuple[Figure, Sequence[Axes]]:
    """Of so many inches."""
    figure = Figure(figsize=(width, height), dpi=_DOTS_PER_INCH)
    gaps = {
        "left": margins.left / width,
        "right": 1 - margins.right / width,
        "bottom": margins.bottom / height,
        "top": 1 - margins.top / height,
        "wspace": _between(width - margins.left - margins.right, columns, margins.between),
        "hspace": _between(height - margins.bottom - margins.top, rows, margins.between),
    }
    panels: list[Axes] = list(figure.subplots(rows, columns, squeeze=False, gridspec_kw=gaps).flat)
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(_INK)
        axes.tick_params(colors=_INK, labelsize=8, length=3)
        axes.xaxis.label.set_color(_INK)
        axes.yaxis.label.set_color(_INK)
    return figure, panels


def _between(inches: float, panels: int, gap: float) -> float:
    """A gap as a part of a panel's own width, or height."""
    return gap * panels / (inches - gap * (panels - 1))


def _height(strongest: Sequence[float], line: float) -> float:
    """The strongest -log10 p, or a little above the significance line, so that plots of null traits are alike."""
    return max([line + 0.7, *strongest])


def _layout(chromosomes: Sequence[ManhattanChromosome]) -> tuple[list[int], int]:
    """Where each chromosome begins on the x-axis, and where the last one ends, in base pairs."""
    lengths = [chromosome["end"] - chromosome["start"] + 1 for chromosome in chromosomes]
    gap = int(sum(lengths) * _GAP)
    ends = np.cumsum([length + gap for length in lengths])
    offsets = [int(end) - length - gap for end, length in zip(ends, lengths, strict=True)]
    return offsets, int(ends[-1]) - gap if lengths else 1


def _significance_line(axes: Axes, line: float, words: str) -> None:
    axes.axhline(line, color=_HIT, linewidth=0.8, linestyle=(0, (5, 3)))
    axes.annotate(
        words,
        (1, line),
        (3, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="center",
        fontsize=7.5,
        color=_HIT,
    )


def _name_chromosomes(
    axes: Axes, chromosomes: Sequence[ManhattanChromosome], offsets: Sequence[int], width: int
) -> None:
    lengths = [chromosome["end"] - chromosome["start"] + 1 for chromosome in chromosomes]
    labels = [
        chromosome_label(chromosome["name"]) if length > _NARROW * width else ""
        for chromosome, length in zip(chromosomes, lengths, strict=True)
    ]
    centres = [offset + length / 2 for offset, length in zip(offsets, lengths, strict=True)]
    axes.set_xticks(centres, labels, parse_math=False)
    axes.tick_params(axis="x", length=0)


def _name_points(axes: Axes, points: Sequence[_Point], shifts: dict[str, int], most: int) -> None:
    """Names of the strongest significant ones (or of the strongest) that do not run into a stronger one's name."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    taken: list[tuple[float, float, float]] = []
    for point in [point for point in points if point.significant][:most] or points[:1]:
        x, y, name = point.position + shifts[point.chromosome], point.log10p, point.short_name
        place = ((x - left) / (right - left), (y - bottom) / (top - bottom), len(name) * _LETTER_WIDTH / 2)
        if any(_run_together(place, other) for other in taken):
            continue
        taken.append(place)
        axes.annotate(
            name,
            (x, y),
            (0, 5),
            textcoords="offset points",
            ha="center",
            fontsize=7.5,
            color=_INK,
            parse_math=False,
        )


def _run_together(one: tuple[float, float, float], other: tuple[float, float, float]) -> bool:
    """Whether two names (centre x and y, half the width) overlap."""
    return abs(one[0] - other[0]) < one[2] + other[2] and abs(one[1] - other[1]) < _NAME_HEIGHT


def _png(figure: Figure) -> bytes:
    pixels = io.BytesIO()
    figure.savefig(pixels, format="rgba")
    image = Image.frombytes("RGBA", figure.canvas.get_width_height(), pixels.getvalue())
    file = io.BytesIO()
    # An eighth of the time of median cut with optimize, and a file of the same size.
    image.convert("RGB").quantize(_COLOURS, method=Image.Quantize.FASTOCTREE).save(file, "png")
    return file.getvalue()
