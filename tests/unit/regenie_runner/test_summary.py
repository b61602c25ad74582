"""The statistics behind the report."""

import numpy as np
import pytest
from scipy.stats import beta

from regenie_runner import summary as summary_module
from regenie_runner.loci import find_loci
from regenie_runner.quantiles import genomic_inflation, null_band, quantile_points
from regenie_runner.scan import Block, Chromosome, ResultColumns, Scan, chromosome_order
from regenie_runner.summary import manhattan_points, summarise
from tests.unit.regenie_runner.conftest import HEADER, expected_results, result_row


def chromosome(name: str, *variants: tuple[int, float], first_row: int = 0) -> Chromosome:
    positions, log10p = zip(*variants, strict=True)
    return Chromosome(
        name,
        np.array(positions, np.int32),
        np.array(log10p, np.float32),
        np.ones(len(variants), np.float32),
        np.arange(first_row, first_row + len(variants), dtype=np.uint32),
    )


def scanned(tmp_path, text: str) -> Scan:
    path = tmp_path / "results"
    path.write_text(text)
    header, _, body = text.encode().partition(b"\n")
    scan = Scan(ResultColumns(header + b"\n", path))
    if body:
        scan.add(Block(path, len(header) + 1, body))
    return scan


# --- Scanning ---------------------------------------------------------------------------------------------------------
def test_chromosomes_come_in_natural_order_with_or_without_prefix():
    names = ["chrX", "10", "chr2", "MT", "Y", "1", "22"]
    assert sorted(names, key=chromosome_order) == ["1", "chr2", "10", "22", "chrX", "Y", "MT"]


def test_a_chromosome_that_comes_in_pieces_is_put_together_in_order(tmp_path):
    text = HEADER + result_row("2", 9) + result_row("1", 5) + result_row("2", 3)
    first, second = scanned(tmp_path, text).take_chromosomes()
    assert (first.name, second.name) == ("1", "2")
    assert second.positions.tolist() == [3, 9]
    assert second.rows.tolist() == [2, 0]


# --- Inflation and quantiles ------------------------------------------------------------------------------------------
def test_inflation_is_the_median_of_the_chi_squares_over_the_expected_one(tmp_path):
    chisq = [float(line.split()[10]) for line in expected_results("ldl").splitlines()[1:]]
    result = summarise("ldl", scanned(tmp_path, expected_results("ldl")), None)
    assert result["genomic_inflation"] == pytest.approx(np.median(chisq) / 0.4549364, rel=1e-6)


def test_without_variants_there_is_no_inflation():
    assert genomic_inflation(np.empty(0, np.float32)) is None


def test_quantiles_pair_the_strongest_with_the_smallest_expected_p():
    points = quantile_points(np.array([0.2, 3.0, 1.0, 0.5], np.float32))
    assert points["observed"] == pytest.approx([3, 1, 0.5, 0.2], abs=1e-4)
    assert points["expected"] == pytest.approx(-np.log10(np.array([0.5, 1.5, 2.5, 3.5]) / 4), abs=1e-4)


def test_many_quantiles_are_thinned_but_keep_both_ends_and_all_strong_ones():
    log10p = -np.log10(np.random.default_rng(1).uniform(size=200_000)).astype(np.float32)
    points = quantile_points(log10p.copy())
    assert len(points["observed"]) < 1_100
    assert points["observed"][:500] == pytest.approx(np.sort(log10p)[::-1][:500].tolist(), abs=1e-4)
    assert points["observed"][-1] == pytest.approx(float(log10p.min()), abs=1e-4)


@pytest.mark.parametrize(
    ("count", "tolerance"), [(1, 1e-9), (10, 1e-9), (80, 0.01), (1_000, 0.001), (10_000_000, 0.001)]
)
def test_the_band_is_that_of_the_order_statistics_of_uniform_values(count, tolerance):
    ranks = np.unique(np.geomspace(1, count, 200).round().astype(np.int64))
    low, high = null_band(ranks, count)
    assert low == pytest.approx(-np.log10(beta.ppf(0.975, ranks, count - ranks + 1)), abs=tolerance)
    assert high == pytest.approx(-np.log10(beta.ppf(0.025, ranks, count - ranks + 1)), abs=tolerance)


# --- Loci -------------------------------------------------------------------------------------------------------------
def test_a_lead_takes_its_neighbours_within_500_kb_on_its_chromosome():
    loci = find_loci(
        [
            chromosome("1", (1_000_000, 9.0), (1_499_999, 8.5), (1_500_000, 8.0)),
            chromosome("2", (1_000_000, 8.8), first_row=3),
        ]
    )
    assert [(lead.row, round(lead.log10p, 3)) for lead in loci.leads] == [(0, 9.0), (3, 8.8), (2, 8.0)]
    assert loci.significant == 3


def test_twenty_loci_are_listed_also_below_the_line():
    loci = find_loci([chromosome("1", *((number * 600_000, 5 + number / 10) for number in range(30)))])
    assert len(loci.leads) == 20
    assert loci.leads[0].row == 29
    assert loci.significant == 6  # 7.4 … 7.9


def test_more_significant_loci_than_are_listed_are_counted():
    loci = find_loci([chromosome("1", *((number * 600_000, 10.0) for number in range(30)))])
    assert (len(loci.leads), loci.significant) == (20, 30)


def test_failed_tests_lead_no_locus():
    loci = find_loci([chromosome("1", (5, np.nan), (900_000, 2.0))])
    assert [lead.row for lead in loci.leads] == [1]


def test_no_variants_make_no_loci():
    assert find_loci([]).leads == []


# --- Manhattan plot ---------------------------------------------------------------------------------------------------
def test_strong_points_are_all_kept_and_weak_ones_one_for_each_cell():
    random = np.random.default_rng(2)
    positions = np.sort(random.integers(1, 1_000_000, 100_000))
    log10p = -np.log10(random.uniform(size=100_000))
    (points,) = manhattan_points(
        [chromosome("1", *zip(positions.tolist(), log10p.tolist(), strict=True))], kept_from=3.0
    )
    kept = np.array(points["log10p"])
    assert (kept >= 3).sum() == (log10p >= 3).sum()
    assert 0 < (kept < 3).sum() < 1_201 * 31
    assert points["positions"] == sorted(points["positions"])
    assert (points["start"], points["end"]) == (positions[0], positions[-1])


def test_too_many_strong_points_raise_the_bar(monkeypatch, tmp_path):
    monkeypatch.setattr(summary_module, "KEPT_AT_MOST", 2)
    rows = "".join(result_row("1", 1 + number // 8, log10p=f"{4 + number / 1000}") for number in range(16))
    result = summarise("height", scanned(tmp_path, HEADER + rows), None)
    assert result["manhattan"][0]["log10p"] == pytest.approx([4.0, 4.008, 4.014, 4.015])


def test_failed_tests_have_no_point():
    (points,) = manhattan_points([chromosome("1", (5, np.nan), (9, 1.0))], kept_from=3.0)
    assert points["positions"] == [9]
