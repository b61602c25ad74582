"""What jobs get, and how large the file system is."""

from dataclasses import replace

import pytest

from genolaunch.launch_configs.regenie_config import PhaseResources
from lambdas.regenie.resources import GIB, JobResources, Workload, job_resources, storage_capacity_gib

DEMO = Workload(
    samples=800,
    traits=2,
    covariates=2,
    step1_variants=1000,
    step1_block_size=100,
    blocks=10,
    level0_jobs=3,
    step2_block_size=400,
    largest_chunk=200,
    tested_variants=1000,
)
BIOBANK = Workload(
    samples=407_746,
    traits=50,
    covariates=20,
    step1_variants=469_336,
    step1_block_size=1000,
    blocks=480,
    level0_jobs=20,
    step2_block_size=400,
    largest_chunk=50_000,
    tested_variants=11_400_000,
)


def test_a_small_launch_gets_small_jobs():
    given = job_resources(DEMO, PhaseResources())

    assert set(given.values()) == {JobResources(vcpus=1, memory_mib=2048)}
    assert given["step2"].as_batch() == {"vcpus": "1", "memory": "2048"}


def test_a_biobanks_step_1_gets_more_than_regenies_authors_measured():
    # Given the data set of regenie's performance page: at most 12.9 GB in one job
    given = job_resources(BIOBANK, PhaseResources())

    assert 12.9e9 < given["step1"].memory_mib * 2**20 < 2 * 12.9e9
    assert given["step1"].vcpus == 8
    assert given["level0"].memory_mib <= given["step1"].memory_mib


def test_the_merge_has_room_for_every_variant_of_a_trait():
    # Given 93 million imputed variants, of which the merge keeps 31 bytes each
    given = job_resources(replace(BIOBANK, tested_variants=93_000_000), PhaseResources())

    assert given["merge"].memory_mib * 2**20 > 93_000_000 * 31 + GIB
    assert given["small"].memory_mib == 2048


def test_the_users_word_replaces_the_formula_of_its_phase_only():
    overrides = PhaseResources.model_validate({"level0": {"vcpus": 16, "memory_gib": 64}})

    given = job_resources(BIOBANK, overrides)

    assert given["level0"] == JobResources(vcpus=16, memory_mib=65_536)
    assert {**given, "level0": None} == {**job_resources(BIOBANK, PhaseResources()), "level0": None}


@pytest.mark.parametrize(
    ("input_gib", "capacity"), [(0, 1200), (950, 1200), (970, 2400), (1900, 2400), (1930, 4800), (5000, 7200)]
)
def test_capacity_is_one_that_fsx_sells_with_room_to_spare(input_gib: int, capacity: int):
    assert storage_capacity_gib(input_gib * GIB, DEMO) == capacity


def test_level_0_files_count_for_every_trait():
    # Given 407,746 samples x 480 blocks x 5 x 8 bytes: 7.3 GiB a trait
    many = replace(BIOBANK, traits=200, tested_variants=1)

    assert storage_capacity_gib(0, replace(many, traits=50)) == 1200
    assert storage_capacity_gib(0, many) == 2400
