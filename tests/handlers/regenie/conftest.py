"""A stage with its buckets, and functions called as Lambda calls them."""

import json
from types import SimpleNamespace

import pytest

from lambdas.regenie import collect_failures, decide_resubmission, plan_launch, record_results, verify_inputs

CONTEXT = SimpleNamespace(
    function_name="function",
    memory_limit_in_mb=256,
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:function",
    aws_request_id="request",
)

START = "arn:aws:batch:eu-central-1:123456789012:job-queue/genolaunch-test"
QUEUES = [
    f"{START}-eu-central-1a-{kind}-{priority}"
    for kind in ("batch-on-demand", "batch-spot")
    for priority in ("high", "low")
]
DATA_BUCKET = "genolaunch-test-data"
RESULTS_BUCKET = "genolaunch-test-results"
JOB_LOG_GROUP = "/genolaunch/test/jobs"


@pytest.fixture(autouse=True)
def environment(cloud: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given: the settings of both functions."""
    for name, value in {
        "DATA_BUCKET": DATA_BUCKET,
        "RESULTS_BUCKET": RESULTS_BUCKET,
        "REGENIE_IMAGES": json.dumps({"versions": {"4.1.2": "regenie:4.1.2"}, "default": "4.1.2"}),
        "PLACEMENTS": json.dumps({"queues": START, "zones": {"eu-central-1a": "subnet-a"}}),
        "JOB_LOG_GROUP": JOB_LOG_GROUP,
    }.items():
        monkeypatch.setenv(name, value)
    plan_launch.settings.cache_clear()
    collect_failures.settings.cache_clear()
    decide_resubmission.settings.cache_clear()
    verify_inputs.settings.cache_clear()
    record_results.settings.cache_clear()
