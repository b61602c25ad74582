"""A launch that names an earlier one gets its predictions copied, within S3, to its own results."""

import json
from typing import Any

import pytest

from genolaunch.contract.launch import Status
from genolaunch.shared.input_error import LaunchInputError
from lambdas.regenie.plan_launch import handler
from lambdas.regenie.record_results import handler as record_results
from lambdas.shared.launch_repository import LaunchRepository
from tests.handlers.kept import opened
from tests.handlers.regenie.conftest import CONTEXT, RESULTS_BUCKET
from tests.handlers.regenie.test_plan_launch import buckets, register, written

__all__ = ["buckets"]  # the fixture

FIRST, SECOND, THIRD = (f"gwas-20261121t04000{number}-1a2b3c4d" for number in (1, 2, 3))
NO_STEP_1 = {"enabled": False}


def run(repository: LaunchRepository, launch_id: str, **regenie: Any) -> dict[str, Any]:
    """When: a launch is registered, claimed and planned, and then completes."""
    register(repository, launch_id, **regenie)
    repository.claim(launch_id, f"arn:{launch_id}")
    sheet: dict[str, Any] = handler({"launchId": launch_id, "attempt": 1}, CONTEXT)
    repository.change_status(launch_id, Status.COMPLETE, execution_arn=f"arn:{launch_id}")
    return sheet


def export_predictions(s3: Any, launch_id: str) -> None:
    """Given: what step 1 of the launch left."""
    for number, trait in enumerate(("height", "ldl"), start=1):
        folder = f"results/{launch_id}/step1/predictions/{trait}"
        s3.put_object(Bucket=RESULTS_BUCKET, Key=f"{folder}/step1_{number}.loco", Body=f"FID_IID 1_1\n1 0.{number}\n")
    record_results({"launchId": launch_id, "attempt": 1}, CONTEXT)


def test_predictions_are_copied_and_the_jobs_told_of_them(repository: LaunchRepository, buckets: Any):
    run(repository, FIRST)
    export_predictions(buckets, FIRST)

    sheet = run(repository, SECOND, step1={**NO_STEP_1, "from_launch": FIRST})

    assert sheet["step1"] == "given"
    assert "work/step1/predictions" not in sheet["exportPaths"]
    files = written(buckets)
    own = f"results/{SECOND}/step1/predictions"
    assert files[f"{own}/ldl/step1_2.loco"] == files[f"results/{FIRST}/step1/predictions/ldl/step1_2.loco"]
    task = json.loads(files[f"results/{SECOND}/plan/step2.jsonl"].splitlines()[0])
    assert task["predictions"] == {
        "ldl": "{work}/step1/predictions/ldl/step1_2.loco",
        "height": "{work}/step1/predictions/height/step1_1.loco",
    }


def test_planning_again_copies_the_same(repository: LaunchRepository, buckets: Any):
    run(repository, FIRST)
    export_predictions(buckets, FIRST)
    first = run(repository, SECOND, step1={**NO_STEP_1, "from_launch": FIRST}), written(buckets)

    assert (handler({"launchId": SECOND, "attempt": 1}, CONTEXT), written(buckets)) == first


def test_what_was_copied_can_be_used_by_a_third_launch(repository: LaunchRepository, buckets: Any):
    run(repository, FIRST)
    export_predictions(buckets, FIRST)
    run(repository, SECOND, step1={**NO_STEP_1, "from_launch": FIRST})
    record_results({"launchId": SECOND, "attempt": 1}, CONTEXT)

    run(repository, THIRD, traits=["ldl"], step1={**NO_STEP_1, "from_launch": SECOND})

    assert written(buckets)[f"results/{THIRD}/step1/predictions/ldl/step1_2.loco"].endswith("1 0.2\n")


def test_a_refused_launch_has_nothing_copied(repository: LaunchRepository, buckets: Any):
    run(repository, FIRST)
    export_predictions(buckets, FIRST)

    with pytest.raises(LaunchInputError) as refusal:
        run(repository, SECOND, covariates=None, step1={**NO_STEP_1, "from_launch": FIRST})

    assert "was run with covariates" in str(opened(refusal.value, SECOND)["faults"])

    assert not [key for key in written(buckets) if SECOND in key]
