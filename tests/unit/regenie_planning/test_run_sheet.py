"""The run sheet: where an attempt runs, and what the state machine works from."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from genolaunch.contract.plan import RunSheet
from genolaunch.launch_configs.regenie_config import RegenieLaunch
from lambdas.regenie.images import Images
from lambdas.regenie.inputs import read_inputs
from lambdas.regenie.run_sheet import Attempt, Stage, analyse, run_sheet
from lambdas.shared.placements import Placement, choose_placement, share_identifier
from tests.unit.regenie_planning.conftest import MemoryDataSet, add_bgen, add_cohort, loco, parameters

PLACEMENTS = tuple(
    Placement(zone, f"subnet-{zone}", {f"{kind}/{level}": f"queue-{zone}-{kind}-{level}"})
    for zone in "abc"
    for kind, level in [("batch-on-demand", "high")]
)
STAGE = Stage(PLACEMENTS, "data", "results")


def sheet(data: MemoryDataSet, attempt: int = 1, **given: Any) -> RunSheet:
    config = RegenieLaunch.model_validate(
        {
            "name": "height-gwas",
            "workflow": "regenie",
            "compute": "batch-on-demand",
            "priority": "high",
            "data": "cohort",
            "regenie": parameters(**given).model_dump(exclude_none=True),
        }
    )
    inputs = read_inputs(data, config.regenie, Images({"4.1.2": "regenie:4.1.2"}, "4.1.2"))
    return run_sheet(
        Attempt("launch-1", attempt, "AWS:AROA:ada"), config, inputs, analyse(config.regenie, inputs), STAGE
    )


def test_a_sheet_says_everything_that_the_state_machine_needs(data: MemoryDataSet):
    add_cohort(data, ("1", 10), ("1", 20), ("2", 30))

    found = sheet(data, step1={"block_size": 1, "jobs": 2}, step2={"variants_per_job": 1})

    zone = found["subnetId"].removeprefix("subnet-")
    small = {"vcpus": "1", "memory": "2048"}
    assert found == {
        "runName": "launch-1-1",
        "preloadJobs": 0,
        "image": "regenie:4.1.2",
        "compute": "batch-on-demand",
        "jobQueue": f"queue-{zone}-batch-on-demand-high",
        "onDemandQueue": f"queue-{zone}-batch-on-demand-high",
        "subnetId": f"subnet-{zone}",
        "dataUri": "s3://data/cohort/",
        "resultsUri": "s3://results/results/launch-1/",
        "storageCapacityGiB": 1200,
        "step1": "split",
        "level0Jobs": 2,
        "traits": 2,
        "step2Jobs": 3,
        "shareIdentifier": "AWSAROAada",
        "importPaths": ["s3://data/cohort", "s3://results/results/launch-1"],
        "exportPaths": ["work/gwas", "work/report.html", "work/step1/predictions"],
        "resources": dict.fromkeys(("small", "step1", "level0", "level1", "step2", "merge"), small),
    }


def test_given_predictions_are_not_exported_again(data: MemoryDataSet):
    add_cohort(data, ("1", 10))
    data.files.update({"fit_pred.list": b"height fit_1.loco\n", "fit_1.loco": loco()})

    found = sheet(data, traits=["height"], step1={"enabled": False, "predictions": "fit_pred.list"})

    assert (found["step1"], found["level0Jobs"]) == ("given", 0)
    assert found["exportPaths"] == ["work/gwas", "work/report.html"]


def test_what_quality_control_left_is_exported(data: MemoryDataSet):
    add_cohort(data, ("1", 10))

    assert "work/step1/qc" in sheet(data, step1={"qc": {"mac": 1}})["exportPaths"]


def test_a_retry_moves_to_the_next_zone_and_asking_again_does_not(data: MemoryDataSet):
    add_cohort(data, ("1", 10))

    zones = [sheet(data, attempt)["subnetId"] for attempt in (1, 1, 2, 3)]

    assert zones[0] == zones[1]
    assert len(set(zones)) == 3


def test_launches_spread_over_the_zones():
    used = Counter(choose_placement(PLACEMENTS, f"launch-{n}", 1).zone for n in range(300))

    assert min(used.values()) > 60


@pytest.mark.parametrize(
    ("requested_by", "expected"),
    [("AWS:AROA:ada@example.org", "AWSAROAadaexampleorg"), (None, "unknown"), ("@", "unknown"), ("a" * 300, "a" * 255)],
)
def test_who_asked_is_said_in_letters_and_digits(requested_by: str | None, expected: str):
    assert share_identifier(requested_by) == expected


def test_an_image_of_a_private_registry_has_its_credentials(data: MemoryDataSet, monkeypatch: pytest.MonkeyPatch):
    add_cohort(data, ("1", 10))
    assert "ofPrivateImage" not in sheet(data)

    monkeypatch.setitem(globals(), "STAGE", replace(STAGE, registry_credentials={"docker.io": "arn:secret"}))

    assert sheet(data)["ofPrivateImage"] == {"RepositoryCredentials": {"CredentialsParameter": "arn:secret"}}


@pytest.mark.parametrize(
    ("names", "is_cut"), [(("1", "10", "2"), False), (("01", "10", "02"), True), (("1", "2", "9"), True)]
)
def test_step_1_of_a_bgen_is_cut_only_where_its_index_has_the_chromosomes_in_their_order(
    data: MemoryDataSet, names: tuple[str, ...], is_cut: bool
):
    """bgenix's table is ordered by names; regenie cuts by numbers what it reads in the table's order."""
    add_cohort(data, ("1", 10))
    add_bgen(data, *((name, 10 * n) for name in names for n in range(1, 5)), name="array", samples=24)
    given: dict[str, Any] = {"genotypes": "array.bgen", "sample": "array.sample", "step1": {"block_size": 2, "jobs": 3}}

    made = sheet(data, **given)

    assert (made["step1"], made["level0Jobs"]) == (("split", 3) if is_cut else ("whole", 0))
    config = parameters(**given)
    said = "\n".join(read_inputs(data, config, Images({"4.1.2": "regenie:4.1.2"}, "4.1.2")).warnings)
    assert ("has the chromosomes in the order 1, 10, 2" in said) == (not is_cut)


@pytest.mark.parametrize(
    ("second", "overlaps"),
    [((("1", 25), ("2", 5)), True), ((("1", 40), ("1", 50)), False), ((("3", 10), ("3", 20)), False)],
)
def test_data_sets_of_the_same_stretch_of_a_chromosome_are_warned_of(
    data: MemoryDataSet, second: tuple[tuple[str, int], ...], overlaps: bool
):
    add_cohort(data, ("1", 10), ("1", 20), ("1", 30))
    add_cohort(data, *second, name="imputed")
    datasets = [{"genotypes": "cohort.bed"}, {"genotypes": "imputed.bed"}]

    config = parameters(step2={"datasets": datasets})
    said = "\n".join(read_inputs(data, config, Images({"4.1.2": "regenie:4.1.2"}, "4.1.2")).warnings)

    words = "regenie.step2.datasets[1].genotypes: names imputed.bed, which has variants among those of cohort.bed"
    assert (f"{words} (chromosome 1)" in said) == overlaps
