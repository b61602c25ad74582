"""Which signals of a trait are shown, drawn and compared with other traits'."""

import json
from typing import Any

import numpy as np
import pytest

from regenie_runner import genotype_rows, top_loci
from regenie_runner.across_traits import MOST_LOCI, shared_loci
from regenie_runner.loci import SHOWN
from regenie_runner.signals import Member, NoLinkageError, Signal
from regenie_runner.top_loci import DRAWN, Variant, read_members
from tests.unit.regenie_runner.conftest import HEADER, merge_task, result_row
from tests.unit.regenie_runner.simulated_regions import simulated, write_plink
from tests.unit.regenie_runner.test_report import CONFIG, given_results, report

SEARCH: Any = {"genotypes": [], "people": {"path": "x.bed"}, "analysed": "x", "p1": 1e-5}
SEARCH |= {"p2": 0.01, "r2": 0.1, "window_kb": 500.0}


def signal(position: int, log10p: float, primary: int | None = None, chromosome: str = "6") -> Signal:
    """Without members."""
    return Signal(chromosome, position, f"{chromosome}:{position}", log10p, [], primary, frozenset("AG"))


def line(each: Signal) -> str:
    return result_row(each.chromosome, each.position, log10p=f"{each.log10p:g}", name=each.name)


@pytest.fixture
def with_signals(launch, monkeypatch):
    """Merge traits by signals that are given: trait -> signals, the strongest first. `_before`: change the search.
    `_more`: lines of each."""

    def merged(_before: Any = None, _more: str = "", **traits: list[Signal]) -> list[Any]:
        found = iter(traits.values())

        class Search:
            def __init__(self, *_given: object) -> None:
                self._signals = next(found)

            def signals(self, _chromosomes: object) -> list[Signal]:
                return self._signals

            def r_squared_around(self, lead: Signal, *_region: int) -> list[float | None]:
                return [1.0]

        if _before:
            _before(Search)
        monkeypatch.setattr(top_loci, "SignalSearch", Search)
        find: Any = top_loci.find_top_loci

        def find_with_search(scan: Any, lines: Any, task: Any, workspace: Any) -> Any:
            return find(scan, lines, {**task, "loci": SEARCH}, workspace)

        monkeypatch.setattr(top_loci, "find_top_loci", find_with_search)
        launch.describe(CONFIG)
        rows = {t: sorted(of, key=lambda each: (int(each.chromosome), each.position)) for t, of in traits.items()}
        given_results(
            launch, **{trait: HEADER + "".join(line(each) for each in of) + _more for trait, of in rows.items()}
        )
        return [json.loads((launch.work / f"gwas/summary/{trait}.json").read_text()) for trait in traits]

    return merged


def hla(secondary: int, weakest: float = 20.0) -> list[Signal]:
    """A locus with many signals."""
    others = [signal(30_000_000 + 1_000 * number, weakest + 0.1 * number, 0) for number in range(secondary, 0, -1)]
    return [signal(30_000_000, 90.0), *others]


def test_a_locus_with_many_signals_leaves_room_for_the_others(launch, with_signals):
    other = signal(5_000_000, 8.0, chromosome="12")
    (summary,) = with_signals(height=[*hla(24), other])

    shown = [locus["id"] for locus in summary["loci"]]
    assert len(shown) == SHOWN
    assert (shown[0], shown[-1]) == ("6:30000000", "12:5000000")
    assert shown[1:-1] == [f"6:{30_000_000 + 1_000 * number}" for number in range(24, 6, -1)]
    assert (summary["significant_loci"], summary["secondary_signals"], summary["loci_left_out"]) == (2, 24, 6)
    assert "12:5000000" in {each["id"] for each in summary["surroundings"]}
    page = report(launch)
    assert "6 further signals are only in gwas/height.loci.tsv." in page.text
    assert len([text for text in page.alternatives if text.startswith("Regional plot")]) == DRAWN


def test_what_is_significant_is_drawn_however_many_weaker_signals_a_stronger_locus_has(launch, with_signals):
    suggestive = hla(30, weakest=5.0)[:1] + [each._replace(log10p=5.5) for each in hla(30)[1:]]
    loci = [signal(10_000_000 * number, 8.0, chromosome="7") for number in range(1, 4)]

    (summary,) = with_signals(height=[suggestive[0], *loci, *suggestive[1:]])

    drawn = [each["id"] for each in summary["surroundings"]]
    assert drawn == ["6:30000000", "7:10000000", "7:20000000", "7:30000000"]
    assert {locus["id"] for locus in summary["loci"]} > set(drawn)
    assert "Regional plot of height around 7:30000000" in " ".join(report(launch).alternatives)


def test_without_a_significant_signal_the_strongest_is_drawn(launch, with_signals):
    (summary,) = with_signals(height=[signal(10, 6.0), signal(9_000_000, 5.5)])
    assert [each["id"] for each in summary["surroundings"]] == ["6:10"]
    assert "around 6:10" in " ".join(report(launch).alternatives)


def test_no_locus_of_several_traits_is_lost_behind_secondary_signals(launch, with_signals):
    other = signal(5_000_000, 8.0, chromosome="12")
    summaries = with_signals(height=[*hla(24), other], ldl=[signal(70_000_000, 7.5)])

    leads = [locus.lead["id"] for locus in shared_loci(summaries, launch.work)]

    assert len(leads) == MOST_LOCI
    assert leads[0] == "6:30000000"
    assert leads[-2:] == ["12:5000000", "6:70000000"]


def test_loci_by_distance_that_are_not_listed_are_counted(launch):
    launch.describe(CONFIG)
    rows = "".join(result_row("1", 600_000 * number, log10p="9") for number in range(1, SHOWN + 4))
    given_results(launch, height=HEADER + rows)
    assert "3 further significant loci are not listed." in report(launch).text


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("cannot reshape"), "clumping failed (ValueError: cannot reshape); the job's log tells more"),
        (MemoryError(), "clumping failed (MemoryError); the job's log tells more"),
        (FileNotFoundError(2, "none", "/data/x.bim"), "x.bim is not on the file system"),
        (FileNotFoundError("gone"), "clumping failed (FileNotFoundError: gone); the job's log tells more"),
        (NoLinkageError("people are missing"), "people are missing"),
    ],
    ids=lambda each: type(each).__name__,
)
@pytest.mark.parametrize("where", ["signals", "r_squared_around", "__init__"])
def test_no_failure_of_clumping_loses_the_merge(launch, with_signals, monkeypatch, capfd, where, error, words):
    def fail(*_given: object) -> None:
        raise error

    (summary,) = with_signals(_before=lambda search: monkeypatch.setattr(search, where, fail), height=hla(2))

    assert summary["loci_by"]["why_not"] == words
    assert [locus["id"] for locus in summary["loci"]] == ["6:30000000"]
    assert (type(error).__name__ in capfd.readouterr().err) == ("failed" in words)
    assert f"not by linkage disequilibrium: {words}." in report(launch).text


AG = frozenset("AG")


def test_variants_are_told_apart_by_place_and_alleles_not_by_their_id_alone(launch, with_signals):
    far = [signal(position, 9.0, chromosome="1")._replace(name=".") for position in (1_000_000, 200_000_000)]
    members = [Member("x,y", 0.5, 5, AG), Member("%2C#/", 0.4, 6, frozenset(("A", "<INS:A/C,50%>")))]

    summaries = with_signals(height=[far[0]._replace(members=members), far[1]], ldl=[far[1]])

    table = read_members(launch.work / "gwas/height.loci.tsv")
    first, second = (Variant("1", each.position, AG, ".") for each in far)
    assert table == {first: {Variant("1", each.position, each.alleles, each.name) for each in members}, second: set()}
    leads = [locus.lead["position"] for locus in shared_loci(summaries, launch.work)]
    assert sorted(leads) == [1_000_000, 200_000_000]


def test_a_member_is_of_the_same_place(launch, with_signals):
    lead = signal(1_000_000, 12.0, chromosome="1")
    others = [signal(position, 9.0, chromosome="1")._replace(name=".") for position in (1_400_000, 3_000_000)]
    summaries = with_signals(height=[lead._replace(members=[Member(".", 0.9, 1_400_000, AG)])], ldl=others)
    leads = [locus.lead["position"] for locus in shared_loci(summaries, launch.work)]
    assert leads == [1_000_000, 3_000_000]


def test_a_lead_is_read_by_its_alleles(launch, with_signals):
    """Two variants are called "." at one position, and the weaker one leads."""
    weaker = signal(10, 9.0)._replace(name=".")
    stronger = line(weaker._replace(log10p=11.0)).replace(" G A ", " G T ")

    (summary,) = with_signals(_more=stronger, height=[weaker])

    assert [(locus["log10p"], locus["effect_allele"]) for locus in summary["loci"]] == [(9.0, "A")]
    assert "around ." in " ".join(report(launch).alternatives)


@pytest.mark.parametrize("is_sorted", [True, False])
def test_members_that_the_list_of_variants_hides_are_told(launch, monkeypatch, is_sorted):
    """Of a list that does not ascend, what lies far from its neighbours is not found."""
    monkeypatch.setattr(genotype_rows, "_PIECE_BYTES", 64)
    cohort = simulated(3)
    write_plink(cohort, launch.data / "cohort")
    lead = int(np.argmax(cohort.log10p))
    near = np.flatnonzero((abs(cohort.positions - cohort.positions[lead]) < 400_000) & (cohort.log10p > 2))
    member = next(each for each in near.tolist() if each != lead)
    bim = launch.data / "cohort.bim"
    lines = bim.read_text().splitlines(keepends=True)
    if not is_sorted:
        lines.insert(1 if lead > len(lines) / 2 else -1, lines.pop(member))
        bim.write_text("".join(lines))
    launch.write("plan/analysed.txt", "1" * cohort.calls.shape[1])
    files = {"genotypes": [{"path": "cohort.bed"}], "people": {"path": "cohort.bed"}, "analysed": "plan/analysed.txt"}
    search = {**SEARCH, **files, "p1": 10 ** -(float(cohort.log10p[lead]) - 0.01)}
    results = "".join(
        result_row("1", position, log10p=f"{log10p:.9g}", name=name)
        for position, log10p, name in zip(cohort.positions, cohort.log10p, cohort.names, strict=True)
    )
    launch.describe(CONFIG)
    launch.plan("step2", launch.chunk(0, height=HEADER + results))
    launch.plan("merge", {**merge_task("height"), "loci": search})

    assert launch.run("merge", index=0) == 0

    summary = json.loads((launch.work / "gwas/summary/height.json").read_text())
    assert summary["loci_by"]["linkage"] == is_sorted
    if not is_sorted:
        assert (
            f"are not in the genotypes by position, id and alleles, among them v{member}, or"
            in (summary["loci_by"]["why_not"])
        )


def test_suggestive_signals_are_not_called_significant(launch, with_signals):
    with_signals(height=[signal(10, 6.0)])
    page = report(launch)
    assert "Variants with p up to 1e-05 (significant with ●, otherwise suggestive only) are grouped by" in page.text
    assert "gwas/height.loci.tsv: the significant and suggestive loci and their signals" in page.text
    assert "variants with p up to 1e-05 lead signals" in page.text
    assert "No locus reaches genome-wide significance" in page.text


def test_why_signals_were_not_found_is_told_of_suggestive_ones_too(launch, with_signals, monkeypatch):
    def fail(*_given: object) -> None:
        raise NoLinkageError("people are missing")

    with_signals(_before=lambda search: monkeypatch.setattr(search, "signals", fail), height=[signal(10, 6.0)])
    assert "loci are by distance, not by linkage disequilibrium: people are missing." in report(launch).text
