"""A launch that uses an earlier one's predictions: what the two must have in common."""

import json
from typing import Any

import pytest

from genolaunch.contract.launch import Status
from genolaunch.contract.workflow import Workflow
from genolaunch.shared.input_error import LaunchInputError, UnusableInputError
from lambdas.regenie import inputs
from lambdas.regenie.earlier_launch import EarlierLaunch, read_earlier_launch
from lambdas.regenie.images import Images
from lambdas.regenie.run_sheet import analyse
from lambdas.regenie.tasks import own_predictions
from lambdas.shared.launch import Launch
from tests.unit.regenie_planning.conftest import MemoryDataSet, add_cohort, loco, parameters

EARLIER = "first-20261121t040000-1a2b3c4d"
IMAGES = Images({"4.1.2": "regenie:4.1.2", "4.2": "regenie:4.2"}, "4.1.2")
PREDICTIONS = "step1/predictions"


def complete(**changes: Any) -> Launch:
    return Launch(
        **{
            "launch_id": EARLIER,
            "name": "first",
            "status": Status.COMPLETE,
            "submitted_at": "",
            "workflow": Workflow.REGENIE,
            **changes,
        }
    )


def results_of(data: MemoryDataSet, **config: Any) -> MemoryDataSet:
    """Given: what an earlier launch of `data` with this config left in the results bucket."""
    regenie = parameters(**config)
    found = inputs.read_inputs(data, regenie, IMAGES)
    launch = {
        "attempt": 1,
        "config": {
            "name": "first",
            "workflow": "regenie",
            "data": "cohort",
            "regenie": regenie.model_dump(mode="json", exclude_none=True),
        },
        "samples": found.samples.as_dict(),
        "analysed": found.analysed.as_dict(),
        "predictions": (predictions := own_predictions(analyse(regenie, found))),
    }
    files = dict.fromkeys(predictions.values(), loco(1))
    results = MemoryDataSet("results", f"results/{EARLIER}/", {"launch.json": json.dumps(launch).encode(), **files})
    record(results)
    return results


def record(results: MemoryDataSet, attempt: int = 1) -> None:
    """As the platform does when a launch has come to its end, with inputs that stayed the same."""
    states = results.states(PREDICTIONS)
    predictions = {path: {"size": state.size, "etag": state.etag} for path, state in states.items()}
    results.files["verified.json"] = json.dumps({"attempt": attempt, "predictions": predictions}).encode()


def using(data: MemoryDataSet, results: MemoryDataSet, **config: Any) -> inputs.Inputs:
    """When: another launch names the earlier one."""

    def find(launch_id: str) -> EarlierLaunch:
        return read_earlier_launch(launch_id, complete(), results)

    step1 = {"enabled": False, "from_launch": EARLIER}
    return inputs.read_inputs(data, parameters(step1=step1, **config), IMAGES, find)


def faults(data: MemoryDataSet, results: MemoryDataSet, **config: Any) -> list[str]:
    with pytest.raises(LaunchInputError) as refusal:
        using(data, results, **config)
    assert {fault.where for fault in refusal.value.faults} == {"regenie.step1.from_launch"}
    return [fault.problem.removeprefix(f"names {EARLIER}, which ") for fault in refusal.value.faults]


def about(found: inputs.Inputs) -> str:
    """The warnings about the earlier launch."""
    return "\n".join(warning for warning in found.warnings if warning.startswith("regenie.step1.from_launch"))


@pytest.fixture
def cohort(data: MemoryDataSet) -> MemoryDataSet:
    """Given: a cohort with the traits height, bmi and ldl, and the covariates age and sex."""
    add_cohort(data, ("1", 10))
    return data


def test_predictions_are_found_by_the_traits_names_and_placed_below_the_launchs_own_results(cohort: MemoryDataSet):
    results = results_of(cohort, traits=["height", "bmi", "ldl"])

    found = using(cohort, results, traits=["ldl", "height"])

    assert found.given_predictions == {
        "ldl": "{work}/step1/predictions/ldl/step1_3.loco",
        "height": "{work}/step1/predictions/height/step1_1.loco",
    }
    assert about(found) == ""


def test_predictions_of_a_step_1_in_one_job_are_told_apart_and_what_else_is_there_is_passed_over(cohort: MemoryDataSet):
    # Given: predictions beside one another, and some that an attempt before made in another way
    results = results_of(cohort)
    assert f"{PREDICTIONS}/all/step1_1.loco" in results.files
    results.files[f"{PREDICTIONS}/ldl/step1_9.loco"] = b"of other data"

    found = using(cohort, results)

    assert found.given_predictions["ldl"] == "{work}/step1/predictions/ldl/step1_2.loco"
    assert found.given_predictions["height"] == "{work}/step1/predictions/height/step1_1.loco"


def test_other_predictions_make_another_fingerprint(cohort: MemoryDataSet):
    results = results_of(cohort)
    before = using(cohort, results).fingerprint

    assert using(cohort, results).fingerprint == before
    results.files[f"{PREDICTIONS}/all/step1_2.loco"] = loco(2)
    record(results)
    assert using(cohort, results).fingerprint != before


def test_what_the_configs_and_the_data_say_against_it_is_named_at_once(cohort: MemoryDataSet):
    results = results_of(cohort, traits=["height"], apply_rint=True)
    cohort.files["phenotypes.txt"] = cohort.files["phenotypes.txt"].replace(b"f3 i3 3", b"f3 i3 0")

    assert faults(cohort, results, traits=["height", "bmi"], covariates=None) == [
        "has no predictions for bmi, only for height",
        "was run with apply_rint: true, and this launch has false",
        "was run with another phenotype file",
        "was run with covariates, and this launch has none",
    ]


_FEW_VALUES = {"extra": ["--force-qt"]}


@pytest.mark.parametrize(
    ("earlier", "now", "fault"),
    [
        (
            {"traits": ["t2d"], "step1": _FEW_VALUES, "step2": _FEW_VALUES},
            {"traits": ["t2d"], "trait_type": "binary"},
            "was run with trait_type: quantitative, and this launch has binary",
        ),
        ({"covariates": None}, {}, "was run without covariates"),
        ({"covariate_columns": ["sex"]}, {}, "had the covariates sex, and this launch has age, sex"),
        ({}, {"categorical_covariates": ["sex"]}, "had other categorical_covariates"),
    ],
)
def test_predictions_of_another_analysis_are_refused(
    cohort: MemoryDataSet, earlier: dict[str, Any], now: dict[str, Any], fault: str
):
    assert faults(cohort, results_of(cohort, **earlier), **now) == [fault]


def test_another_covariate_file_is_a_fault_and_the_same_one_elsewhere_is_none(cohort: MemoryDataSet):
    results = results_of(cohort)
    cohort.files["copy.txt"] = cohort.files["covariates.txt"]
    cohort.files["newer.txt"] = cohort.files["covariates.txt"].replace(b" 41 ", b" 14 ")

    assert about(using(cohort, results, covariates="copy.txt", covariate_columns=["sex", "age"])) == ""
    assert faults(cohort, results, covariates="newer.txt") == ["was run with another covariate file"]


def test_other_people_and_another_version_are_warned_of(cohort: MemoryDataSet):
    results = results_of(cohort)
    cohort.files["remove.txt"] = b"f0 i0\nf1 i1\n"

    told = about(using(cohort, results, remove="remove.txt", version="4.2"))

    assert "whose people were chosen otherwise (remove)" in told
    assert "which analysed 24 people for ldl; now it is 22" in told
    assert "made with regenie:4.1.2, and step 2 runs with regenie:4.2" in told


def test_other_bounds_of_x_in_step_1_are_warned_of(cohort: MemoryDataSet):
    results = results_of(cohort)

    assert "whose step 1 was run with other values of par_region" in about(using(cohort, results, par_region="b37"))
    assert about(using(cohort, results)) == ""


@pytest.mark.parametrize(
    ("launch", "problem"),
    [
        (None, "is not a launch of this stage"),
        (complete(workflow=Workflow.SNAKEMAKE), "is a launch of snakemake"),
        (complete(workflow=None, status=Status.REJECTED), "is REJECTED"),
        (complete(status=Status.RUNNING), "is RUNNING"),
        (complete(status=Status.FAILED), "is FAILED"),
    ],
)
def test_only_a_launch_that_is_complete_counts(cohort: MemoryDataSet, launch: Launch | None, problem: str):
    with pytest.raises(UnusableInputError) as refusal:
        read_earlier_launch(EARLIER, launch, results_of(cohort))
    assert refusal.value.problem == f"names {EARLIER}, which {problem}"


def test_a_launch_without_predictions_of_its_own_is_refused(cohort: MemoryDataSet):
    results = results_of(cohort)
    for path in [path for path in results.files if path.startswith(PREDICTIONS)]:
        results.files[path] = b""

    assert faults(cohort, results) == [f"has no predictions in s3://results/results/{EARLIER}/step1/predictions/"]


UNVERIFIED = "has no record that its inputs stayed the same until its end"


@pytest.mark.parametrize("attempt", [None, 2])
def test_only_a_launch_counts_whose_inputs_were_compared_to_the_end_of_its_last_attempt(
    cohort: MemoryDataSet, attempt: int | None
):
    results = results_of(cohort)
    if attempt is None:
        del results.files["verified.json"]
    else:
        record(results, attempt)

    assert faults(cohort, results) == [UNVERIFIED]


@pytest.mark.parametrize("content", [loco(2), loco(1)[:-9]])
def test_predictions_that_were_altered_since_are_refused(cohort: MemoryDataSet, content: bytes):
    results = results_of(cohort)
    results.files[f"{PREDICTIONS}/all/step1_2.loco"] = content

    (fault,) = faults(cohort, results)

    assert fault == (
        f"did not leave s3://results/results/{EARLIER}/step1/predictions/all/step1_2.loco as it is there now"
    )


def test_a_launch_from_before_files_were_recorded_is_refused_in_plain_words(cohort: MemoryDataSet):
    results = results_of(cohort)
    record = json.loads(results.files["launch.json"])
    del record["analysed"]
    results.files["launch.json"] = json.dumps(record).encode()

    assert faults(cohort, results) == [
        "kept no record of the files that it analysed, since it ran before this stage did so"
    ]
