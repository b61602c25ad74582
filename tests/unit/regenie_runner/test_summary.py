"""The statistics behind the report."""

import json

import numpy as np
import pytest
from scipy.stats import beta

from regenie_runner import summary as summary_module
from regenie_runner.chromosomes import chromosome_number
from regenie_runner.errors import RunnerError
from regenie_runner.loci import find_loci
from regenie_runner.quantiles import genomic_inflation, null_band, quantile_points
from regenie_runner.rows import read_columns, read_rows
from regenie_runner.scan import Scan
from regenie_runner.spool import Chromosome
from regenie_runner.summary import Summary, manhattan_points
from tests.unit.regenie_runner.conftest import HEADER, expected_results, merge_task, result_row


def chromosome(name: str, *variants: tuple[int, float]) -> Chromosome:
    positions, log10p = zip(*variants, strict=True)
    return Chromosome(
        name,
        np.array(positions, np.int32),
        np.array(log10p, np.float32),
        np.ones(len(variants), np.float32),
        np.zeros(len(variants), np.uint8),
        np.zeros(len(variants), np.uint16),
    )


def summarised(launch, text: str) -> Summary:
    """What the merge says of one chunk's results."""
    launch.plan("step2", launch.chunk(0, height=text))
    launch.plan("merge", merge_task("height"))
    assert launch.run("merge") == 0
    summary: Summary = json.loads((launch.work / "gwas/summary/height.json").read_text())
    return summary


# --- Scanning ---------------------------------------------------------------------------------------------------------
def test_chromosomes_come_in_natural_order_with_or_without_prefix():
    names = ["chrX", "10", "chr2", "MT", "Y", "1", "22"]
    assert sorted(names, key=chromosome_number) == ["1", "chr2", "10", "22", "chrX", "Y", "MT"]


def test_a_contig_has_no_place_in_the_order():
    with pytest.raises(RunnerError, match="GL000192"):
        chromosome_number("GL000192.1")


def test_a_scan_parts_chromosomes_and_frequencies(tmp_path):
    path = tmp_path / "results"
    row = result_row("2", 9).replace(" 0.25 ", " 0.992 ")
    path.write_text(HEADER + result_row("1", 5) + row + result_row("2", 11).replace(" 0.25 ", " 0.04 "))
    scan = Scan()
    for rows in read_rows(path, read_columns(path)):
        scan.add(rows)
    first, second = scan.chromosomes
    assert (first.name, second.name) == ("1", "2")
    assert second.positions.tolist() == [9, 11]
    assert (first.frequencies.tolist(), second.frequencies.tolist()) == ([2], [0, 1])


# --- Inflation and quantiles ------------------------------------------------------------------------------------------
def test_joint_tests_have_no_part_in_the_inflation_of_one_degree_of_freedom(launch):
    # Given an interaction's rows: of each variant one with 1 degree of freedom, and one with 2, whose median is larger
    single = [result_row("1", 2 * n, chisq="0.4549364") for n in range(1, 6)]
    joint = [row.replace(" ADD ", " ADD-INT_2DF ").replace(" 0.4549364 ", " 1.3863 ") for row in single]

    result = summarised(launch, HEADER + "".join(a + b + b for a, b in zip(single, joint, strict=True)))

    assert result["genomic_inflation"] == pytest.approx(1)
    (common,) = [group for group in result["frequency_quantiles"] if group["variants"]]
    assert common["variants"] == 5
    assert common["genomic_inflation"] == pytest.approx(1)


def test_inflation_is_the_median_of_the_chi_squares_over_the_expected_one(launch):
    chisq = [float(line.split()[10]) for line in expected_results("ldl").splitlines()[1:]]
    result = summarised(launch, expected_results("ldl"))
    assert result["genomic_inflation"] == pytest.approx(np.median(chisq) / 0.4549364, rel=1e-6)


def test_a_p_value_without_a_chi_square_has_no_part_in_the_inflation(launch):
    rows = [result_row("1", n, chisq="0.4549364") for n in (2, 4)] + [result_row("1", 6, chisq="NA")]

    result = summarised(launch, HEADER + "".join(rows))

    assert result["genomic_inflation"] == pytest.approx(1)
    assert result["tests"][0]["genomic_inflation"] == pytest.approx(1)


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


def test_quantiles_by_frequency_part_rare_low_and_common_variants(launch):
    frequencies = ["0.002", "0.995", "0.03", "0.25", "0.5", "0.75"]
    rows = "".join(result_row("1", i).replace(" 0.25 ", f" {f} ") for i, f in enumerate(frequencies, 1))
    groups = summarised(launch, HEADER + rows)["frequency_quantiles"]
    assert [group["variants"] for group in groups] == [2, 1, 3]
    assert [(group["from"], group["to"]) for group in groups] == [(0.0, 0.01), (0.01, 0.05), (0.05, 0.5)]
    assert groups[1]["observed"] == [0.5]
    assert groups[1]["genomic_inflation"] == pytest.approx(1 / 0.4549364)


# --- Loci -------------------------------------------------------------------------------------------------------------
def test_a_lead_takes_its_neighbours_within_500_kb_on_its_chromosome():
    loci = find_loci(
        [
            chromosome("1", (1_000_000, 9.0), (1_499_999, 8.5), (1_500_000, 8.0)),
            chromosome("2", (1_000_000, 8.8)),
        ]
    )
    leads = [(lead.chromosome, lead.position, round(lead.log10p, 3)) for lead in loci.leads]
    assert leads == [("1", 1_000_000, 9.0), ("2", 1_000_000, 8.8), ("1", 1_500_000, 8.0)]
    assert loci.significant == 3


def test_twenty_loci_are_listed_also_below_the_line():
    loci = find_loci([chromosome("1", *((number * 600_000, 5 + number / 10) for number in range(30)))])
    assert len(loci.leads) == 20
    assert loci.leads[0].position == 29 * 600_000
    assert loci.significant == 6  # 7.4 … 7.9


def test_more_significant_loci_than_are_listed_are_counted():
    loci = find_loci([chromosome("1", *((number * 600_000, 10.0) for number in range(30)))])
    assert (len(loci.leads), loci.significant) == (20, 30)


def test_failed_tests_lead_no_locus():
    loci = find_loci([chromosome("1", (5, np.nan), (900_000, 2.0))])
    assert [lead.position for lead in loci.leads] == [900_000]


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


def test_too_many_strong_points_raise_the_bar(monkeypatch, launch):
    monkeypatch.setattr(summary_module, "KEPT_AT_MOST", 2)
    rows = "".join(result_row("1", 1 + number // 8, log10p=f"{4 + number / 1000}") for number in range(16))
    result = summarised(launch, HEADER + rows)
    assert result["manhattan"][0]["log10p"] == pytest.approx([4.0, 4.008, 4.014, 4.015])


def test_failed_tests_have_no_point():
    (points,) = manhattan_points([chromosome("1", (5, np.nan), (9, 1.0))], kept_from=3.0)
    assert points["positions"] == [9]
