"""Every figure here was computed by hand first, from the prices in price_book and the times in the test."""

from datetime import timedelta
from decimal import Decimal

import pytest

from lambdas.pricing.rates.bill import Bill, LaunchUsage, make_bill
from lambdas.pricing.rates.money import Kind, Line, PriceError, UnitPrice, merged, total
from lambdas.pricing.rates.services import cluster_line
from lambdas.pricing.usage import FargateUse, FileSystemUse, InstanceUse, JobUse, Volume
from tests.unit.pricing.price_book import GP3, START, FakePrices, at, instance, job

LATER = at(100_000)


def bill(
    *instances: InstanceUse, jobs: tuple[JobUse, ...] = (), launch: str = "ours", prices: FakePrices | None = None
) -> Bill:
    usage = LaunchUsage(launch, 1, instances, {each.id: jobs for each in instances})
    return make_bill(usage, prices or FakePrices(), LATER)


def amounts(made: Bill, kind: Kind) -> list[Decimal]:
    return [line.amount for line in made.lines if line.kind is kind]


def usd(text: str) -> Decimal:
    return Decimal(text)


def test_on_demand_is_the_hourly_price_by_the_second_with_the_idle_time_apart():
    # Given: 60 minutes of life, the job from minute 2 to minute 50
    made = bill(instance(60), jobs=(job(2, 50),))
    # Then: 48 min of 0.096 an hour, and 12 min of waiting
    assert amounts(made, Kind.INSTANCE) == [usd("0.076800")]
    assert amounts(made, Kind.IDLE) == [usd("0.019200")]
    assert made.total == made.instances == usd("0.096000")


def test_spot_is_integrated_over_its_changes():
    # Given: 0.04 at first, 0.06 from minute 30 on; the job runs from 0 to 90
    prices = FakePrices([(START - timedelta(hours=5), "0.04"), (at(30), "0.06")])
    made = bill(instance(100, is_spot=True), jobs=(job(0, 90),), prices=prices)
    # Then: half an hour at 0.04, a whole one at 0.06, ten minutes' waiting at 0.06
    assert amounts(made, Kind.INSTANCE) == [usd("0.020000"), usd("0.060000")]
    assert amounts(made, Kind.IDLE) == [usd("0.010000")]


def test_a_history_that_begins_too_late_is_no_price():
    prices = FakePrices([(at(5), "0.04")])
    with pytest.raises(PriceError, match="does not reach back"):
        bill(instance(100, is_spot=True), jobs=(job(0, 90),), prices=prices)


@pytest.mark.parametrize(("minutes", "expected"), [(59, "0.000000"), (60, "0.040000"), (90, "0.060000")])
def test_a_spot_instance_that_ec2_takes_back_in_its_first_hour_is_free(minutes, expected):
    made = bill(instance(minutes, is_spot=True, is_interrupted=True), jobs=(job(0, minutes),))
    assert made.instances == usd(expected)


def test_spot_lost_and_tried_again_pays_for_both_instances():
    # Given: i-1 lost after 90 min in its second hour, i-2 taken for 30 min
    lost = instance(90, is_spot=True, is_interrupted=True)
    second = instance(130, id="i-2", is_spot=True, launched_at=at(95))
    usage = LaunchUsage("ours", 1, (lost, second), {"i-1": (job(0, 90),), "i-2": (job(100, 130),)})
    made = make_bill(usage, FakePrices(), LATER)
    # Then: 90 min + 35 min of 0.04 an hour
    assert made.total == usd("0.060000") + usd("0.020000") + usd("0.003333")


def test_a_minute_is_the_least_of_an_instance_and_not_of_an_attempt():
    # Given: two attempts of 5 s each on an instance that lived for 20 s
    made = bill(instance(1 / 3), jobs=(job(0, 1 / 12), job(1 / 6, 1 / 4)))
    # Then: 60 s of 0.096 an hour, once
    assert made.total == usd("0.001600")


def test_thirty_hours_on_demand_with_volume_and_file_system():
    # Given: 30 h of m6i.xlarge with 200 GiB of gp3 at 6,000 IOPS and 250 MiB/s, and 2,400 GiB of SCRATCH_2
    volume = Volume("vol-1", "gp3", 200, iops=6000, throughput_mibps=250)
    host = instance(1800, type="m6i.xlarge", vcpus=Decimal(4), volumes=(volume,))
    system = FileSystemUse("fs-1", "us-east-1", "SCRATCH_2", None, 2400, START, at(1800))
    made = make_bill(
        LaunchUsage("ours", 1, (host,), {"i-1": (job(0, 1800),)}, file_systems=(system,)), FakePrices(), LATER
    )
    # Then: 30 × 0.192; 30/720 of a month of 200 × 0.08, 3000 × 0.005 and 125 × 0.04; 30/720 of 2400 × 0.14
    assert made.instances == usd("5.760000")
    assert amounts(made, Kind.VOLUME) == [usd("0.666667"), usd("0.625000"), usd("0.208333")]
    assert made.file_systems == usd("14.000000")
    assert made.total == usd("21.260000")


def test_two_launches_on_one_instance_pay_the_whole_of_it_together():
    # Given: ours 0-60 (1 of 2 vCPUs), theirs 30-90 (all vCPUs); launched at 0, stopped at 100
    jobs = (job(0, 60, vcpus=1, memory=1000), job(30, 90, "theirs"))
    host = instance(100, volumes=(GP3,))
    ours, theirs = bill(host, jobs=jobs), bill(host, jobs=jobs, launch="theirs")
    # Then: ours has 30 min alone and a third (0.5 of 1.5) of the next 30; theirs 20 min, 30 min alone, the idle tail
    assert ours.instances == usd("0.064000")  # 40 min
    assert amounts(ours, Kind.IDLE) == []
    assert amounts(theirs, Kind.INSTANCE) == [usd("0.080000")]  # 50 min
    assert amounts(theirs, Kind.IDLE) == [usd("0.016000")]  # 10 min
    assert ours.instances + theirs.instances == usd("0.160000")  # 100 min
    # And the volume, 8 USD a month, is shared alike: 40 and 60 min
    assert (ours.volumes, theirs.volumes) == (usd("0.007407"), usd("0.011111"))


def test_the_larger_of_vcpus_and_memory_counts():
    # Given: ours asks for 1/2 of the vCPUs and 1/4 of the memory, theirs for 1/4 and for all of the memory but a bit
    jobs = (job(0, 60, vcpus=1, memory=1920), job(0, 60, "theirs", vcpus=0, memory=7680))
    assert bill(instance(60), jobs=jobs).total == usd("0.032000")  # 0.5 of 1.5


def test_two_attempts_of_one_launch_are_told_apart():
    from dataclasses import replace

    jobs = (job(0, 30), replace(job(30, 60), attempt=2))
    assert bill(instance(60), jobs=jobs).total == usd("0.048000")


def test_a_gap_belongs_to_the_job_that_left_it():
    jobs = (job(0, 20), job(40, 60, "theirs"))
    made = bill(instance(60), jobs=jobs)
    assert amounts(made, Kind.IDLE) == [usd("0.032000")]  # minutes 20 to 40


def test_an_instance_of_its_own_needs_no_jobs():
    made = bill(instance(30, type="c6a.4xlarge", is_exclusive=True))
    assert made.total == usd("0.306000")


def test_a_persistent_file_system_has_a_price_of_its_own():
    system = FileSystemUse("fs-1", "us-east-1", "PERSISTENT_2", 125, 1200, START, at(6 * 60))
    made = make_bill(LaunchUsage("ours", 1, file_systems=(system,)), FakePrices(), LATER)
    assert made.total == made.file_systems == usd("1.450000")  # 1200 × 6/720 × 0.145


def test_fargate_is_vcpus_and_memory_by_the_second_and_storage_above_20_gb():
    task = FargateUse("t-1", "launcher", "us-east-1", False, Decimal("0.5"), Decimal(2), 50, START, at(90))
    made = make_bill(LaunchUsage("ours", 1, tasks=(task,)), FakePrices(), LATER)
    # Then: 0.5 × 1.5 h × 0.04048, 2 × 1.5 h × 0.004445, 30 × 1.5 h × 0.000111
    assert amounts(made, Kind.FARGATE) == [usd("0.030360"), usd("0.013335"), usd("0.004995")]
    assert made.instances == made.total


def test_a_fargate_task_is_paid_for_a_minute_at_least():
    task = FargateUse("t-1", "launcher", "us-east-1", False, Decimal(1), Decimal(2), 20, START, at(1 / 6))
    made = make_bill(LaunchUsage("ours", 1, tasks=(task,)), FakePrices(), LATER)
    assert amounts(made, Kind.FARGATE) == [usd("0.000675"), usd("0.000148")]


def test_jobs_on_a_cluster_are_a_line_without_a_price():
    made = make_bill(
        LaunchUsage("ours", 1, other_lines=[cluster_line("2026-11-01T08:00:00.000Z")]), FakePrices(), LATER
    )
    assert made.total == 0
    assert [line.note for line in made.lines] == ["the cluster is shared, and billed to those who run it"]


def test_an_unknown_type_is_no_bill():
    with pytest.raises(PriceError, match=r"x9\.large"):
        bill(instance(60, type="x9.large"), jobs=(job(0, 60),))


def test_a_volume_with_prices_in_tiers_is_refused():
    with pytest.raises(PriceError, match="io2"):
        bill(instance(60, volumes=(Volume("vol-1", "io2", 100, 9000),)), jobs=(job(0, 60),))


def test_a_failed_launch_without_jobs_costs_its_file_system():
    system = FileSystemUse("fs-1", "us-east-1", "SCRATCH_2", None, 1200, START, at(15))
    assert make_bill(LaunchUsage("ours", 1, file_systems=(system,)), FakePrices(), LATER).total == usd("0.058333")


def test_amounts_are_exact_decimals_whatever_their_number():
    # Given: an instance that 9,000 one-second jobs share in turn
    jobs = tuple(job(second / 60, (second + 1) / 60, "ours" if second % 3 else "theirs") for second in range(9000))
    host = instance(150)
    ours, theirs = bill(host, jobs=jobs), bill(host, jobs=jobs, launch="theirs")
    assert ours.total + theirs.total == usd("0.240000")


def test_long_bills_are_merged_by_price():
    lines = [line for number in range(300) for line in bill(instance(60, id=f"i-{number}"), jobs=(job(0, 60),)).lines]
    (one,) = merged(lines, most=200)
    assert (one.resources, one.resource, one.amount) == (300, "300 resources", usd("28.800000"))


def test_a_bill_of_more_prices_than_an_item_holds_keeps_its_dearest_lines_and_its_sum():
    # Given: the Spot prices of some days, each another one
    prices = [UnitPrice(Decimal(cents) / 10_000, "Hrs", "EC2 Spot price history", "2026-11-01") for cents in range(800)]
    kinds = (Kind.INSTANCE, Kind.IDLE)
    lines = [Line(kinds[number % 2], "i-1", "m6i.large Spot", Decimal(1), each) for number, each in enumerate(prices)]

    shown = merged(lines, 150)

    assert len(shown) <= 150
    assert {line.amount for line in shown} > {usd("0.079900"), usd("0.079800"), usd("0.079700")}
    for kind in kinds:
        assert total(shown, [kind]) == total(lines, [kind])
    assert [line.description for line in shown if line.resources > 1] == ["328 smaller lines"] * 2


def test_jobs_on_a_slurm_cluster_are_named_and_cost_nothing_here():
    usage = LaunchUsage("ours", 1, (), {}, other_lines=[cluster_line("2026-11-21T04:00:00.000Z")])

    made = make_bill(usage, FakePrices(), LATER)

    (line,) = made.lines
    assert (line.resource, line.amount, line.price.as_of) == ("Slurm cluster", Decimal(0), "2026-11-21T04:00:00.000Z")
