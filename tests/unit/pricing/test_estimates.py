"""What a launch is expected to cost: each figure was computed by hand."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from lambdas.pricing.estimate.reckoning import Past, estimate, from_history
from lambdas.pricing.estimate.workload import Workload
from tests.unit.pricing.price_book import START, FakePrices

REGENIE = "regenie/batch-spot"


def past(*launches: tuple[float, str]) -> list[Past]:
    return [Past(size, Decimal(usd)) for size, usd in launches]


def test_one_launch_like_it_bounds_it_between_fixed_and_proportional():
    # Given: 3 USD for a size of 10. Then, for 30: between 3 (all of it fixed) and 9 (none of it)
    told = from_history(Workload(REGENIE, 30), past((10, "3.00")))
    assert (told.low, told.usd, told.high) == (Decimal("3.00"), Decimal("6.00"), Decimal("9.00"))
    assert told.basis == "history: 1 launch of regenie/batch-spot"


def test_traits_count_as_data_does():
    told = from_history(Workload(REGENIE, 10, traits=3), past((10, "3.00")))
    assert told.high == Decimal("9.00")


def test_several_launches_give_the_range_of_all_bounds():
    # Then, for 20: (2, 4) of the first, (9, 4.5) of the second: mean 19.5 / 4
    told = from_history(Workload(REGENIE, 20), past((10, "2.00"), (40, "9.00")))
    assert (told.low, told.usd, told.high) == (Decimal("2.00"), Decimal("4.88"), Decimal("9.00"))


def test_only_the_most_similar_sizes_count():
    told = from_history(Workload(REGENIE, 10), past(*[(10, "5.00")] * 7, (100_000, "900.00")))
    assert told.usd == Decimal("5.00")
    assert told.high < Decimal("6.00")
    assert "7 launches" in told.basis


@pytest.mark.parametrize(("launches", "low", "high"), [(1, "4.00", "9.00"), (2, "4.50", "8.00"), (7, "5.33", "6.75")])
def test_the_fewer_launches_the_wider_the_range_however_alike_they_are(launches, low, high):
    # A factor of 1 + 1 / (launches + 1), both ways from 6 USD
    told = from_history(Workload(REGENIE, 10), past(*[(10, "6.00")] * launches))

    assert (told.low, told.usd, told.high) == (Decimal(low), Decimal("6.00"), Decimal(high))


def test_no_range_is_nothing_in_cents():
    told = from_history(Workload(REGENIE, 10), past(*[(10, "0.0068")] * 9))

    assert (told.low, told.usd, told.high) == (Decimal("0.00"), Decimal("0.01"), Decimal("0.02"))


def test_without_history_it_is_told_from_first_principles_and_says_so():
    # Given: 90 GB of genotypes and 10 traits: 90e9 × 4 × 2 / 1e7 = 72,000 s = 20 vCPU-hours, of half of 0.04 USD; and
    # 1,200 GiB (the least) of 0.14 USD a month, for 20/64 + 0.5 = 0.8125 h of its 720
    told = estimate(Workload(REGENIE, 90, traits=10), [], FakePrices(), "us-east-1a", START)
    # Then: 20 × 0.02 + 1200 × 0.14 × 0.8125 / 720 = 0.40 + 0.189583
    assert told.usd == Decimal("0.59")
    assert (told.low, told.high) == (Decimal("0.20"), Decimal("1.77"))
    assert "first principles" in told.basis
    assert "factor of 3" in told.basis


@pytest.mark.parametrize(("compute", "usd"), [("ec2-spot", "0.20"), ("ec2-on-demand", "0.48")])
def test_an_unknown_snakemake_workflow_is_told_by_its_data(compute, usd):
    # Given: 10 GB, a vCPU-hour each
    told = estimate(Workload(f"snakemake/tibanna/{compute}", 10), [], FakePrices(), "us-east-1a", START)
    assert told.usd == Decimal(usd)
    assert told.high == 10 * told.usd


def test_the_examples_of_the_docs_are_told_so():
    page = (Path(__file__).parents[3] / "docs" / "costs.md").read_text()
    row = r"^\| ([\d,]+) \| ([\d,]+) \| (\d+) \| ([\d,.]+) \| (\S+) \((\S+) to (\S+)\) \| (\S+) \(.* \|$"
    rows = [[float(cell.replace(",", "")) for cell in cells] for cells in re.findall(row, page, re.MULTILINE)]

    assert len(rows) == 5
    for people, variants, traits, gigabytes, usd, low, high, on_demand in rows:
        workload = Workload(REGENIE, gigabytes, traits=int(traits))
        told = estimate(workload, [], FakePrices(), "us-east-1a", START)
        dear = estimate(
            Workload("regenie/batch-on-demand", gigabytes, int(traits)), [], FakePrices(), "us-east-1a", START
        )
        assert gigabytes == people * variants / 4 / 1e9
        assert (usd, low, high, on_demand) == tuple(map(float, (told.usd, told.low, told.high, dear.usd)))
